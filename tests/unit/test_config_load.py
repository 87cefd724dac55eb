from datetime import timedelta
from pathlib import Path

import pytest

from listener.config import ConfigError, check, load

LEAST = """\
sources: [{id: news, type: feed, url: "https://news.example.com/rss", channel: news}]
topics: [{id: acme, query: 云杉}]
"""


def write(folder: Path, text: str, name: str = "listener.yml") -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def told(path: Path, **environ: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, environ)
    return [str(problem) for problem in caught.value.problems]


def warned(path: Path, **environ: str) -> list[str]:
    _, warnings = check(path, environ)
    return [f"{warning.path}: {warning.message}" for warning in warnings]


def test_the_least_configuration_has_the_documented_defaults(tmp_path):
    """Two sections are enough; everything else has the default that the reference names."""
    config = load(write(tmp_path, LEAST), {})
    assert config.timezone == "Asia/Shanghai"
    assert config.storage.url == "sqlite:///data/listener.db"
    assert config.web.listen == "127.0.0.1:8420"
    assert config.step == timedelta(seconds=15)
    assert config.retention.matched == timedelta(days=400)
    assert config.retention.unmatched == timedelta(days=7)
    assert config.retention.rollups == timedelta(days=1095)
    assert config.sentiment.type == "ngram"
    assert (config.log.level, config.log.format) == ("info", "auto")
    assert (config.rules, config.receivers, config.route, config.proxy) == ([], [], None, None)


def test_it_knows_where_it_was_read_from(tmp_path, monkeypatch):
    """The base is the file's own folder, absolute, however the file was named; every file that was read is listed."""
    write(tmp_path, LEAST + "include: [more.yml]\nproxy: !file secret\n")
    write(tmp_path, "step: 5s\n", "more.yml")
    write(tmp_path, "http://proxy.example.com:3128\n", "secret")
    monkeypatch.chdir(tmp_path)
    config = load(Path("listener.yml"), {})
    assert config.base == tmp_path
    assert [path.name for path in config.files] == ["listener.yml", "secret", "more.yml"]
    assert config.proxy is not None
    assert config.proxy.get_secret_value() == "http://proxy.example.com:3128"


def test_includes_join_lists_and_merge_mappings(tmp_path):
    """Lists of included files are joined in order of their names, mappings are merged, paths count from their own file."""
    path = write(tmp_path, LEAST + "include: ['parts/*.yml']\nweb: {language: en}\n")
    write(tmp_path, "topics: [{id: b, query: 格澜}]\nweb: {listen: '127.0.0.1:0'}\n", "parts/2.yml")
    write(tmp_path, "topics: [{id: a, query: 云杉}]\ninclude: [deeper/3.yml]\n", "parts/1.yml")
    write(tmp_path, "targets: {acme: {names: [云杉科技]}}\n", "parts/deeper/3.yml")
    config = load(path, {})
    assert [topic.id for topic in config.topics] == ["acme", "a", "b"]
    assert (config.web.language, config.web.listen) == ("en", "127.0.0.1:0")
    assert list(config.targets) == ["acme"]


def test_what_two_files_say_is_told_with_both_places(tmp_path):
    """A scalar, or a key of a mapping, that stands in two files is a mistake that names both places."""
    path = write(tmp_path, LEAST + "include: [b.yml]\nstep: 5s\ntargets: {acme: {names: [云杉]}}\n")
    other = write(tmp_path, "step: 6s\ntargets: {acme: {names: [杉]}}\ntopics: 5\n", "b.yml")
    assert told(path) == [
        f"{other}:1:1: step: this stands in two files, first at {path}:4:1",
        f"{other}:2:11: targets.acme: this stands in two files, first at {path}:5:11",
        f"{other}:3:1: topics: this stands in two files, first at {path}:2:1",
    ]


def test_a_mistake_in_an_included_file_is_told_there(tmp_path):
    """The place of a mistake is that of the file it stands in, also after lists were joined."""
    path = write(tmp_path, LEAST + "include: [b.yml]\nrule_files: ['r/*.yml']\n")
    other = write(tmp_path, "topics:\n  - {id: b, qery: x}\n", "b.yml")
    rules = write(
        tmp_path, "rules:\n- {id: r, topics: [c], when: {type: volume, at_least: 0}, playbook: !env NONE}\n", "r/1.yml"
    )
    assert told(path) == [
        f"{other}:2:13: topics[b].qery: unknown key: did you mean query?",
        f"{rules}:2:20: rules[r].topics[0]: there is no topic 'c': known here are acme, b",
        f"{rules}:2:55: rules[r].when.at_least: must be at least 1",
        f"{rules}:2:69: rules[r].playbook: the environment variable NONE is not set",
    ]


def test_rule_files_hold_rules_alone(tmp_path):
    """A rule file with another key, or without a list of rules, is refused; the rules of the good ones count."""
    path = write(tmp_path, LEAST + "rule_files: ['r/*.yml']\n")
    good = "rules: [{id: %s, topics: [acme], when: {type: volume, at_least: 3}}]\n"
    write(tmp_path, good % "one", "r/1.yml")
    assert [rule.id for rule in load(path, {}).rules] == ["one"]
    second = write(tmp_path, "step: 5s\n" + good % "two", "r/2.yml")
    third = write(tmp_path, "rules: {a: b}\n", "r/3.yml")
    assert told(path) == [
        f"{second}:1:1: step: a rule file holds one key, 'rules', and nothing else",
        f"{third}:1:8: rules: a rule file holds a list under 'rules'",
    ]


def test_includes_that_go_in_a_circle(tmp_path):
    """Files that include each other are refused at the include that closes the circle."""
    path = write(tmp_path, LEAST + "include: [b.yml]\n")
    other = write(tmp_path, "include: [listener.yml]\n", "b.yml")
    assert told(path) == [f"{other}:1:11: include: the file {path} includes itself"]


def test_a_file_is_read_once(tmp_path):
    """Two includes of the same file are refused, for its lists would count twice."""
    path = write(tmp_path, LEAST + "include: [b.yml, './b.yml']\n")
    write(tmp_path, "rules: []\n", "b.yml")
    assert "is read twice, first by" in told(path)[0]


def test_a_broken_include_accuses_nothing_else(tmp_path):
    """While an included file cannot be read, what it may define does not count as unknown."""
    path = write(tmp_path, LEAST.replace("query: 云杉", "query: '@acme', target: acme") + "include: [b.yml]\n")
    other = write(tmp_path, "targets:\n\tacme: {names: [云杉]}\n", "b.yml")
    assert told(path) == [f"{other}:2:1: a tab stands here: indent with spaces"]


@pytest.mark.parametrize(
    ("text", "message"),
    [("[a, b]\n", "must be keys and values, such as 'timezone: Asia/Shanghai'"), ("", "is empty"), ("a: [\n", "")],
)
def test_a_file_that_is_no_configuration(tmp_path, text, message):
    """A file without a mapping gives one mistake, and none about the sections that it lacks."""
    [problem] = told(write(tmp_path, text))
    assert message in problem


def test_unions_tell_what_the_writer_meant(tmp_path):
    """Of a value that may have several shapes, the mistake is told for the shape that was written."""
    rule = "- {id: r, topics: [acme], when: {type: volume, at_least: 3}, where: {label: %s}}\n"
    path = write(tmp_path, LEAST + "rules:\n" + rule % "bad")
    assert told(path) == [f"{path}:4:77: rules[r].where.label: must be 'negative', 'neutral', 'positive' or 'unknown'"]
    path = write(
        tmp_path,
        LEAST + "receivers: [{id: pr, channels: [{type: console}]}]\n"
        "route: {receiver: pr, routes: [{match: {level: {a: b}, topic: 5}}]}\n",
    )
    assert told(path) == [
        f"{path}:4:48: route.routes[0].match.level: must be text or a list, such as [a, b]",
        f"{path}:4:63: route.routes[0].match.topic: must be text or a list, such as [a, b]",
    ]


SECRET = "s3cr3t-value-that-must-not-be-told"


@pytest.mark.parametrize(
    "line",
    [
        "timezone: !env SECRET",
        "step: !env SECRET",
        "sentiment: {type: !env SECRET}",
        "log: {level: !env SECRET}",
        "web: {listen: !env SECRET}",
        "web: {public_url: !env SECRET}",
        "storage: {url: !env SECRET}",
        "proxy: !env SECRET",
        "targets: {a: {names: !env SECRET}}",
        "rules: [{id: !env SECRET, topics: !env SECRET, when: {type: !env SECRET}}]",
        "receivers: [{id: a, channels: [{type: slack, webhook: !env SECRET, nothing: !env SECRET}]}]",
        "receivers: [{id: a, channels: [{type: email, to: !env SECRET, smtp: !env SECRET}]}]",
        "route: {receiver: !env SECRET, match: {level: !env SECRET}}",
        "include: [!env SECRET]",
        "rule_files: [!env SECRET]",
    ],
)
def test_a_secret_is_in_no_message(tmp_path, line):
    """Whatever place a variable's value is put in by mistake, no message repeats it."""
    path = write(tmp_path, LEAST + line + "\n")
    try:
        _, problems = check(path, {"SECRET": SECRET})
    except ConfigError as error:
        problems = (*error.problems, error)
    assert SECRET not in "".join(str(problem) for problem in problems)


def test_a_short_or_empty_value_garbles_no_message(tmp_path):
    """An empty file and a value of one letter leave the words of a message alone."""
    write(tmp_path, "", "empty")
    path = write(tmp_path, LEAST + "timezone: !file empty\nproxy: !env SHORT\n")
    assert told(path, SHORT="a") == [
        f"{path}:3:11: timezone: is no time zone: use an IANA name such as Asia/Shanghai, Europe/London or UTC"
    ]


def test_a_secret_is_in_no_print_of_the_configuration(tmp_path):
    """Printing a configuration shows no secret."""
    path = write(tmp_path, LEAST + "proxy: !env SECRET\n")
    config = load(path, {"SECRET": f"http://user:{SECRET}@proxy.example.com"})
    assert SECRET not in repr(config) + str(config) + config.model_dump_json()


def test_an_unknown_key_beside_a_missing_one_is_one_mistake(tmp_path):
    """A misspelt key is told as such, and not as missing too."""
    path = write(tmp_path, LEAST.replace("query:", "qurey:"))
    assert told(path) == [f"{path}:2:21: topics[acme].qurey: unknown key: did you mean query?"]


def test_what_may_surprise_is_told_and_refuses_nothing(tmp_path):
    """Settings that work but are seldom meant come back as warnings with their place."""
    text = LEAST.replace("]\n", ", {id: inbox, type: file, path: 'in/*.jsonl', channel: weibo}]\n", 1)
    text += """\
web: {listen: '0.0.0.0:8420'}
proxy: http://user:password@proxy.example.com
targets: {acme: {names: [云杉]}, rival: {names: [格澜], aliases: [云杉]}}
rules: [{id: r, topics: [acme], when: {type: volume, at_least: 3}, playbook: none.md}]
rule_files: ['none/*.yml']
receivers: [{id: pr, channels: [{type: console}]}, {id: ops, channels: [{type: console}]}]
route: {receiver: pr, routes: [{match: {topic: acne}, receiver: pr}]}
"""
    warnings = warned(write(tmp_path, text))
    for expected in [
        f"sources[inbox].path: nothing is at {tmp_path}/in/*.jsonl yet",
        "web.listen: the page has no login: whoever reaches this address can read it",
        "web: public_url is not set: links in messages lead to this machine's own address",
        "proxy: a secret stands in the file: use !env NAME or !file PATH",
        "targets.acme: no topic names this target",
        "targets.rival: 云杉 is also a name of acme: a mention of it counts for both",
        f"rules[r].playbook: there is no file {tmp_path}/none.md",
        "rule_files[0]: matches no file",
        "receivers[ops]: no route and no escalation leads to this receiver",
        "route.routes[0].match.topic: there is no topic 'acne' in this configuration: did you mean acme?",
    ]:
        assert expected in warnings


def test_rules_of_which_none_is_live_are_warned_of(tmp_path):
    """Rules on trial and rules that are off alert nobody; one live rule is enough."""
    rules = "rules: [{id: a, topics: [acme], mode: %s, when: {type: volume, at_least: 3}}, {id: b, topics: [acme], mode: off, when: {type: volume, at_least: 3}}]\n"
    expected = "rules: no rule is live: those on trial (mode: shadow) tell nobody, and nothing will alert"
    assert expected in warned(write(tmp_path, LEAST + rules % "shadow"))
    assert expected not in warned(write(tmp_path, LEAST + rules % "live"))


def test_odd_queries_are_warned_of(tmp_path):
    """Queries that nothing satisfies, everything, only facts decide, or another topic's holds whole; with the topic's place."""
    text = (
        LEAST.split("topics:", maxsplit=1)[0]
        + """\
sets: {jobs: [招聘, 内推]}
topics:
  - {id: acme, query: 云杉 OR 格澜}
  - {id: fire, query: (云杉 OR 格澜) 起火}
  - {id: none, query: 招聘 NOT @jobs}
  - {id: news, query: "channel:news"}
  - {id: all, query: "repost:true OR repost:false"}
"""
    )
    warnings = [warning for warning in warned(write(tmp_path, text)) if ".query" in warning]
    assert warnings == [
        "topics[fire].query: whatever satisfies this query satisfies that of topic acme too",
        "topics[none].query: no mention can satisfy this query: it asks for what it also excludes",
        "topics[news].query: this query asks for no word: it matches every mention of which these facts are true",
        "topics[all].query: every mention satisfies this query",
    ]


def test_a_sound_configuration_warns_of_nothing(tmp_path):
    """A configuration as one would run it gives no warning."""
    text = (
        LEAST
        + """\
web: {public_url: 'https://listener.example.com'}
rules: [{id: r, topics: [acme], when: {type: volume, at_least: 3}, playbook: 'https://wiki.example.com/fire'}]
receivers: [{id: pr, channels: [{type: console}]}]
route: {receiver: pr}
"""
    )
    assert warned(write(tmp_path, text)) == []

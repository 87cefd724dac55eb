import functools
import json
import os
import resource
import signal
import subprocess
import sys
from contextlib import suppress

import pytest

from listener.cli import COMMANDS, main


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_command_has_help(name, capsys):
    """Each command of the table can be imported, registers its arguments and answers --help with exit 0."""
    assert main([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"usage: listener {name}")


def test_the_help_names_every_command(capsys):
    """The help of the whole lists each command with its line."""
    assert main(["--help"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    for name, command in COMMANDS.items():
        assert f"{name} {command.help}" in printed


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["check"], ["check", "a", "-c", "b"], ["version", "--what"]])
def test_wrong_usage_exits_2_and_says_so(arguments, capsys):
    """Wrong usage prints how to use it on stderr, nothing on stdout, and answers 2."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("usage: listener")


def test_a_refused_configuration_exits_1(tmp_path, capsys):
    """Problems of a configuration go to stderr, one a line, and the exit code is 1 for every command that reads one."""
    path = tmp_path / "a.yml"
    path.write_text("timezone: Beijing\n")
    assert main(["check", str(path)]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert [line.split(": ")[:2] for line in captured.err.splitlines()] == [
        [f"{path}:1:1", "sources"],
        [f"{path}:1:1", "topics"],
        [f"{path}:1:11", "timezone"],
    ]


def test_a_sound_configuration_exits_0(tmp_path, capsys):
    """``check`` counts what a sound configuration holds; --quiet says nothing at all."""
    path = tmp_path / "a.yml"
    path.write_text(
        "sources: [{id: a, type: file, path: x.jsonl, channel: news}]\ntopics: [{id: b, query: c}, {id: d, query: e}]\n"
    )
    assert main(["check", "-c", str(path)]) == 0
    captured = capsys.readouterr()
    assert captured.out == f"{path}: ok, 1 source, 2 topics, 0 rules\n"
    assert "(warning)" in captured.err
    assert main(["check", "--quiet", str(path)]) == 0
    assert "".join(capsys.readouterr()) == ""


def test_version(capsys):
    """The version is one line, or one JSON line."""
    assert main(["version"]) == 0
    assert main(["--version"]) == 0
    first, second = capsys.readouterr().out.splitlines()
    assert first == second
    assert first.startswith("listener ")
    assert main(["version", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["version"] == first.removeprefix("listener ")


def run(*arguments: str, **options) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False, **options)


@pytest.mark.parametrize("arguments", ["--help", "version"])
def test_help_and_version_load_nothing_heavy(arguments):
    """Help and version import none of the libraries that take long, and so start at once."""
    code = (
        f"import sys; from listener.cli import main; main([{arguments!r}]);"
        "print([name for name in ('pydantic', 'aiohttp', 'yaml', 'sqlalchemy', 'lark', 'jieba') if name in sys.modules])"
    )
    assert run("-c", code).stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("argument", ["--help", "version"])
def test_help_starts_at_once(argument):
    """Help and version take less than 150 ms of processor time more than Python itself, the best of five."""

    def least(*arguments: str) -> float:
        took = []
        for _ in range(5):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            run(*arguments)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            took.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        return min(took)

    assert least("-m", "listener", argument) - least("-c", "pass") < 0.15


def test_a_reader_that_leaves_is_no_error():
    """When the reader of a pipe has gone, the program ends without a traceback."""
    done = subprocess.run(
        [f"{sys.executable} -m listener schema | head -c 1 > /dev/null; echo ${{PIPESTATUS[0]}}"],
        shell=True, executable="/bin/bash", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout.strip() in {"0", "141"}


def test_ctrl_c_ends_without_a_traceback(tmp_path):
    """A command that waits for input ends on SIGINT with 130 and says nothing."""
    pipe = tmp_path / "lines"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "listener", "score", str(pipe)]
    # What a shell starts in the background ignores SIGINT, and so would what the tests start.
    heard = functools.partial(signal.signal, signal.SIGINT, signal.default_int_handler)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heard) as process:  # noqa: PLW1509
        with pipe.open("wb"):  # returns once the command has opened the other end, and waits for the first line
            for _ in range(30):
                process.send_signal(signal.SIGINT)
                # One that comes between Python's look for signals and its wait for input is seen only when that ends.
                with suppress(subprocess.TimeoutExpired):
                    output = process.communicate(timeout=1)
                    break
        assert process.returncode == 130
        assert output == (b"", b"")


def test_output_is_utf8_in_any_locale():
    """Chinese text leaves as UTF-8 also where the locale cannot write it."""
    done = subprocess.run(
        [sys.executable, "-m", "listener", "--help"],
        capture_output=True, check=False, env={"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"},
    )  # fmt: skip
    assert done.returncode == 0
    assert "舆情监测" in done.stdout.decode()

"""The page on trying a rule is run: its files are written, its commands entered, over a month that was recorded."""

import asyncio
import json
import re
import shlex
from datetime import timedelta
from pathlib import Path

from prometheus_client import CollectorRegistry

from listener.cli import main
from listener.clock import utc_now
from listener.config import load
from listener.decide import Decider
from listener.interchange import mention_line
from listener.metrics import Metrics
from listener.parts import rule_set
from listener.storage.database import Database
from rules.log import MentionRow, RulesRow
from tests.support.engine_log import Log
from tests.support.stored import store_log

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "try-a-rule-on-last-month.md"


async def decide(base: Path, url: str) -> None:
    """What a program that ran all the month decided."""
    database = await Database.open(url, base=base)
    try:
        now = utc_now()
        decider = await Decider.load(
            database, step=timedelta(seconds=15), metrics=Metrics(CollectorRegistry()), now=now
        )
        await decider.step(now)
    finally:
        await database.close()


def test_the_page_does_what_it_says(tmp_path, monkeypatch, capsys):
    """Every command of it ends well, and prints what the page says it prints."""
    page = PAGE.read_text(encoding="utf-8")
    for name, text in re.findall(r"```yaml\n# (\S+)\n(.*?)```", page, re.DOTALL):
        (tmp_path / name).write_text(text, encoding="utf-8")
    commands = re.findall(r"```sh\n(listener .*?)\n```", page)
    assert len(commands) == 7
    # The page leaves to its reader what is proposed.
    (tmp_path / "proposed.yml").write_text((tmp_path / "listener.yml").read_text(encoding="utf-8"), encoding="utf-8")
    config = load(tmp_path / "listener.yml")
    log = Log()
    start = utc_now() - timedelta(days=30)
    log.rows.append(RulesRow(1, start - timedelta(minutes=1), rule_set(config), ("news",)))
    for day in range(30):
        log.burst(start + timedelta(days=day), 9 if day % 10 == 0 else 6 if day % 3 == 0 else 2, source="news")
    lines = [mention_line(row.mention) for row in log.rows if isinstance(row, MentionRow)]
    (tmp_path / "month.jsonl").write_text("\n".join(lines), encoding="utf-8")
    asyncio.run(store_log(log.rows, base=tmp_path, url=config.storage.url))
    asyncio.run(decide(tmp_path, config.storage.url))
    monkeypatch.chdir(tmp_path)
    capsys.readouterr()  # what the program logged
    name = ""
    for written in commands:
        command = written.replace(" ID ", f" {name} ")
        assert main(shlex.split(command)[1:]) == 0, command
        captured = capsys.readouterr()
        told = [json.loads(line) for line in captured.out.splitlines()]
        if "--against" in command:
            changes = [line["change"] for line in told]
            assert (changes.count("moved"), changes.count("lost"), changes.count("gained")) == (3, 9, 0)
            assert captured.err.splitlines()[-1].split() == ["all", "0", "9", "3", "0"]
        elif "--rematch" in command:
            assert "mentions" in captured.err
            assert {line["rule"] for line in told} <= {"negative-surge"}
        elif "incident list" in command:
            name = told[0]["incident"]
            assert told[0]["alerts"][0]["rule"] == "negative-surge"
        elif "verdict" in command:
            (one,) = told
            because = {"zh": f"事件 {name}已判定为误报", "en": f"incident {name} is noise"}
            assert (one["done"], one["because"]) == (True, because)
        elif "summary" in command:
            assert sum(line["noise"] for line in told) == 1
            assert sum(line["alerts"] for line in told) == 12
        else:
            assert "the last 4 whole weeks" in captured.err
            assert told[0]["rule"] == "negative-surge"

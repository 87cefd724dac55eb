"""Replay equals live: the demo's log, also with a kill on the way."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

from deploy.demo.feeds import PATHS, application, sites
from deploy.demo.posts import crisis, yesterday
from tests.support.program import Program, listener, serving, until

CONFIGURATION = Path(__file__).parents[2] / "deploy" / "demo" / "listener.yml"


async def test_the_demo_replayed_is_the_demo_that_was_seen(tmp_path: Path) -> None:
    """A crisis, a SIGKILL in its middle, a restart: the exported log gives the same alert events, byte for byte."""
    now = datetime.now(UTC)
    timeline = sites(yesterday(now), now)
    async with serving(application(timeline)) as address:
        program = Program(
            CONFIGURATION,
            DEMO_DATABASE=f"sqlite:///{tmp_path / 'demo.db'}",
            DEMO_LISTEN="127.0.0.1:0",
            DEMO_CONSOLE="http://127.0.0.1:1",
            DEMO_LOG_LEVEL="info",
            DEMO_PLAYBOOK_FIRE=f"{address}/playbooks/product-safety",
            DEMO_PLAYBOOK_SURGE=f"{address}/playbooks/negative-surge",
            **{f"DEMO_{site.upper()}": address + path for site, path in PATHS.items()},
        )
        await _start(program)
        timeline.add(crisis(datetime.now(UTC)))
        await until(lambda: _told(program, "预警】"), within=60, what="no alert")
        await program.kill()
        await _start(program)
        await until(lambda: _told(program, "升至红色"), within=90, what="it never got red")
        await asyncio.sleep(2)
        assert await program.stop() == 0
    arguments = ("-c", str(CONFIGURATION))
    _, live, _ = await listener("export", *arguments, "--alerts", environment=program.environment)
    _, log, _ = await listener("export", *arguments, environment=program.environment)
    (tmp_path / "log.jsonl").write_text(log, encoding="utf-8")
    code, replayed, errors = await listener(
        "replay", *arguments, str(tmp_path / "log.jsonl"), environment=program.environment
    )
    assert (code, errors) == (0, "")
    assert replayed == live
    events = [json.loads(line) for line in live.splitlines()]
    assert {event["level"] for event in events} >= {"yellow", "orange", "red"}
    assert len({event["incident"] for event in events}) == 1
    assert all(datetime.fromisoformat(event["at"]) > now - timedelta(minutes=1) for event in events)


async def _start(program: Program) -> None:
    await program.start(wait=False)
    seen = len(program.output)
    await until(lambda: any("console at" in line for line in program.output[seen:]), within=60)


def _told(program: Program, text: str) -> bool:
    return any(text in line for line in program.output)

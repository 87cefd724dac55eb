"""``listener incident``: the incidents that are open, people's verdicts on them, and how good the rules have been."""

import argparse
import asyncio
import getpass
import json
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from alerts import AlertEvent, Incident
from alerts.command import Command
from alerts.verdict import VERDICTS, Judgement, verdict_of
from listener.cli.times import span
from listener.cli.tried import Json, table
from listener.clock import utc_now
from listener.commands import submit
from listener.config import Config, load
from listener.storage import acts, alerting
from listener.storage.database import Database, StorageError
from listener.storage.judged import judged
from rules.judged import RuleMonth, by_month

_MOST_NOTE = 2000


def register(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    listing = actions.add_parser("list", help="print the open and the recent incidents")
    listing.add_argument(
        "--last", type=span, default=timedelta(days=7), metavar="TIME", help="how far back (default 7d)"
    )
    verdict = actions.add_parser("verdict", help="say what an incident, or one alert, was")
    verdict.add_argument("id", metavar="ID", help="the incident, or the alert")
    verdict.add_argument(
        "verdict", choices=VERDICTS, help="real: right to tell; noise: not; known: right, and nothing new"
    )
    verdict.add_argument("--by", type=_name, default=None, metavar="NAME", help="who says so (default: the user)")
    verdict.add_argument("--note", type=_note, default="", metavar="TEXT", help="why")
    verdict.add_argument("--alert", action="store_true", help="ID is of one alert, also where an incident has the same")
    verdict.add_argument(
        "--revision", type=int, metavar="N", help="refuse where the incident has gone on since this one"
    )
    verdict.add_argument(
        "--wait", type=span, default=timedelta(seconds=30), metavar="TIME", help="how long to wait for the program"
    )
    summary = actions.add_parser("summary", help="precision and time to detect, per rule and month")
    for action in (listing, verdict, summary):
        action.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")


def _name(text: str) -> str:
    if not text.strip() or len(text) > 100:
        raise argparse.ArgumentTypeError("a name has 1 to 100 characters")
    return text


def _note(text: str) -> str:
    if len(text) > _MOST_NOTE:
        raise argparse.ArgumentTypeError(f"a note has {_MOST_NOTE} characters at most")
    return text


def run(args: argparse.Namespace) -> int:
    config = load(args.config)
    try:
        if args.action == "list":
            return asyncio.run(_list(config, args.last))
        if args.action == "summary":
            return asyncio.run(_summary(config))
        return asyncio.run(_verdict(config, args))
    except StorageError as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1


def _write(value: Json) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


async def _list(config: Config, last: timedelta) -> int:
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        async with database.read("incidents") as connection:
            found = await alerting.recent(connection, since=utc_now() - last)
            given = await acts.judgements(connection, incidents=[incident.id for incident in found])
    finally:
        await database.close()
    for incident in found:
        _write(_incident_line(incident, given))
    return 0


def _incident_line(incident: Incident, given: Sequence[Judgement]) -> Json:
    lead = incident.lead
    whole = [one for one in given if one.incident == incident.id and not one.alert]
    return {
        "incident": incident.id,
        "kind": incident.kind,
        "topic": incident.topic,
        "open": incident.open,
        "level": incident.level.name,
        "opened_at": incident.opened_at.isoformat(),
        "updated_at": incident.updated_at.isoformat(),
        "revision": incident.revision,
        "brand": lead.brand,
        "title": {"zh": lead.title.zh, "en": lead.title.en},
        "because": {"zh": lead.because.zh, "en": lead.because.en},
        "alerts": [_alert_line(event, incident, given) for event in incident.alerts],
        "verdict": _judgement_line(whole[-1]) if whole else None,
    }


def _alert_line(event: AlertEvent, incident: Incident, given: Sequence[Judgement]) -> Json:
    last = verdict_of(event.alert, incident.id, given)
    return {
        "alert": event.alert,
        "rule": event.rule,
        "key": dict(event.key),
        "level": event.level.name,
        "open": event.event != "resolved",
        "verdict": last.verdict if last else None,
    }


def _judgement_line(one: Judgement) -> Json:
    return {"verdict": one.verdict, "by": one.by, "at": one.at.isoformat(), "note": one.note}


async def _verdict(config: Config, args: argparse.Namespace) -> int:
    command = Command(
        kind="verdict",
        subject=args.id,
        actor=args.by or getpass.getuser(),
        origin="cli",
        at=utc_now(),
        payload={"verdict": args.verdict, "note": args.note, "of": "alert" if args.alert else ""},
        expected_revision=args.revision,
    )
    outcome = await submit(config, command, wait=args.wait)
    if outcome is None:
        print("listener: no answer yet; the verdict is kept and will be applied when the program can", file=sys.stderr)
        return 1
    if not outcome.done:
        print(f"listener: {outcome.because.en}", file=sys.stderr)
        return 1
    _write({"done": True, "because": {"zh": outcome.because.zh, "en": outcome.because.en}})
    return 0


async def _summary(config: Config) -> int:
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        async with database.read("incidents") as connection:
            months = by_month(await judged(connection), ZoneInfo(config.timezone))
    finally:
        await database.close()
    for month in months:
        _write(_month_line(month))
    print(_table(months), file=sys.stderr)
    return 0


def _month_line(month: RuleMonth) -> Json:
    return {
        "rule": month.rule,
        "mode": "shadow" if month.shadow else "live",
        "month": month.month,
        "alerts": month.alerts,
        "real": month.real,
        "noise": month.noise,
        "known": month.known,
        "unjudged": month.unjudged,
        "precision": None if month.precision is None else round(month.precision, 3),
        "time_to_detect": {
            "alerts": month.detected,
            "p50_seconds": None if month.p50 is None else round(month.p50.total_seconds()),
            "p95_seconds": None if month.p95 is None else round(month.p95.total_seconds()),
        },
    }


def _table(months: Sequence[RuleMonth]) -> str:
    rows = [["rule", "month", "alerts", "real", "noise", "known", "unjudged", "precision", "detect p50", "p95"]]
    for one in months:
        counts = [one.alerts, one.real, one.noise, one.known, one.unjudged]
        precision = "-" if one.precision is None else f"{one.precision:.0%}"
        name = f"{one.rule} (shadow)" if one.shadow else one.rule
        rows.append([name, one.month, *map(str, counts), precision, _minutes(one.p50), _minutes(one.p95)])
    return table(rows)


def _minutes(time: timedelta | None) -> str:
    return "-" if time is None else f"{time.total_seconds() / 60:.1f} min"

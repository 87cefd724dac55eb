"""What ``listener incident`` prints: JSON lines for programs on stdout, the same in words on stderr."""

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from alerts import AlertEvent, Incident
from alerts.act import called
from alerts.deadline import respond_by
from alerts.handling import Act
from alerts.playbook import Playbook, named_by
from alerts.render.act import spoken
from alerts.render.text import clean
from alerts.timeline import timeline
from listener.cli.tried import Json, table
from listener.clock import utc_now
from listener.config import Config
from listener.incident_lines import audit_line, incident_line, whole_incident
from listener.playbooks import playbooks
from listener.storage import acts, alerting
from listener.storage.database import Database
from listener.storage.judged import judged
from listener.storage.status import incident_page
from listener.web.acting import Wanted
from listener.web.status import IncidentPage
from rules.judged import RuleMonth, by_month


def write(value: Json) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _say(text: str) -> None:
    print(text, file=sys.stderr)


async def listing(config: Config, wanted: Wanted, *, last: timedelta) -> int:
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        async with database.read("incidents") as connection:
            found = [one for one in await alerting.recent(connection, since=utc_now() - last) if wanted.fits(one)]
            given = await acts.judgements(connection, incidents=[incident.id for incident in found])
    finally:
        await database.close()
    for incident in found:
        due = respond_by(incident, config.on_call.times)
        write(incident_line(incident, due, given))
    if found:
        _say(table([["incident", "level", "state", "owner", "what"], *map(_row, found)], left=True))
    return 0


def _row(incident: Incident) -> list[str]:
    lead = incident.lead
    title = lead.title.en or lead.title.zh or lead.rule
    name = called(incident).strip()
    return [
        name,
        incident.level.name,
        incident.state,
        clean(incident.handling.owner) or "-",
        clean(f"{lead.brand} {title}"),
    ]


async def show(config: Config, name: str) -> int:
    """1 where there is none of that name."""
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        async with database.read("incidents") as connection:
            page = await incident_page(connection, name, utc_now())
    finally:
        await database.close()
    page = page and replace(page, respond_by=respond_by(page.incident, config.on_call.times))
    if page is None:
        _say(f"listener: there is no incident {clean(name)}")
        return 1
    known = playbooks(config)
    write(whole_incident(page, known))
    zone = ZoneInfo(config.timezone)
    for line in (*_head(page, zone), *_moments(page, zone), *_steps(page.incident, known), *_deliveries(page, zone)):
        _say(line)
    return 0


def _head(page: IncidentPage, zone: ZoneInfo) -> list[str]:
    incident, handling = page.incident, page.incident.handling
    lines = [
        f"{called(incident)}{_row(incident)[-1]}",
        f"  {incident.level.name}, {incident.state}, revision {incident.revision}",
    ]
    if handling.owner:
        lines.append(f"  owner {clean(handling.owner)}")
    if handling.taken:
        lines.append(f"  taken by {clean(handling.taken.by)} at {_at(handling.taken.at, zone)}")
    if handling.merged_into:
        number = page.numbers.get(handling.merged_into)
        lines.append(f"  merged into {f'#{number}' if number else handling.merged_into}")
    return [*lines, f"  {clean(incident.lead.because.en or incident.lead.because.zh)}"]


def _moments(page: IncidentPage, zone: ZoneInfo) -> list[str]:
    moments = timeline(page.history, page.incident.handling.timeline)
    return ["timeline", *(f"  {_at(one.at, zone)}  {_moment(one)}" for one in moments)]


def _moment(one: AlertEvent | Act) -> str:
    if isinstance(one, Act):
        return spoken(one, "en")
    return f"{one.rule} {one.event} at {one.level.name}: {clean(one.because.en or one.because.zh)}"


def _steps(incident: Incident, known: Mapping[str, Playbook]) -> list[str]:
    lines = []
    for name in named_by(incident):
        lines.append(f"playbook {name}")
        found = known.get(name)
        for section in found.of("en") if found else ():
            lines.append(f"  {section.title}")
            for number, text in section.steps:
                done = found is not None and found.step(number) in incident.handling.checked
                lines.append(f"    [{'x' if done else ' '}] {number:>3} {text}")
    return lines


def _deliveries(page: IncidentPage, zone: ZoneInfo) -> list[str]:
    rows = [
        [_at(one.at, zone), one.receiver, one.channel, one.kind, one.state, clean(one.error)] for one in page.deliveries
    ]
    return (
        ["deliveries", table([["at", "receiver", "channel", "kind", "state", "error"], *rows], left=True)]
        if rows
        else []
    )


def _at(at: datetime, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


async def audit(config: Config, name: str | None, *, most: int) -> int:
    """1 where nothing was ever asked of that name."""
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        async with database.read("incidents") as connection:
            found = await alerting.find(connection, name) if name else None
            asked = found.id if found else name
            entries = await acts.log(connection, incident=asked, most=most)
    finally:
        await database.close()
    for entry in entries:
        write(audit_line(entry))
    if name and not entries and found is None:
        _say(f"listener: there is no incident {clean(name)}")
        return 1
    return 0


async def summary(config: Config) -> int:
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        async with database.read("incidents") as connection:
            months = by_month(await judged(connection), ZoneInfo(config.timezone))
    finally:
        await database.close()
    for month in months:
        write(_month_line(month))
    _say(_table(months))
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

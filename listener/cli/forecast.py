"""``listener forecast``: alerts a week per rule and level over the weeks on record, held against the budget."""

import argparse
import json
import sys

from listener.cli.lines import Lines
from listener.cli.replay import ask_for_rows, misused, recorded, say_rematched, tried
from listener.cli.tried import Json, table
from listener.clock import utc_now
from listener.config import Config, load
from listener.recorded import MixedError, Recording, Tick
from listener.storage.database import StorageError
from rules.forecast import WEEK, Count, Forecast, RuleForecast, forecast, last_weeks, whole_days
from rules.lives import ALWAYS, Lives, Period
from rules.log import Row
from rules.seen import History, HistoryFold
from sentiment import AnalysisError


def register(parser: argparse.ArgumentParser) -> None:
    ask_for_rows(parser)
    parser.add_argument("--weeks", type=_weeks, default=4, metavar="N", help="the last N weeks on record (default 4)")


def _weeks(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 520:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 520")
    return int(text)


def run(args: argparse.Namespace) -> int:
    if misused(args):
        return 2
    config = load(args.config)
    lines = Lines(args.files)
    try:
        # What is needed of a long history: the weeks that count, and before them what the rules learn from.
        period = Period(utc_now() - args.weeks * WEEK) if args.history else ALWAYS
        recording = recorded(config, lines, period, history=args.history, anew=args.rematch)
        history, lives = _run(config, recording)
        say_rematched(recording)
    except (MixedError, StorageError, AnalysisError) as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"listener: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    if history is None:
        print("listener: there is nothing on record to forecast from", file=sys.stderr)
        return 1
    weeks = last_weeks(history, args.weeks)
    budget = config.budget
    found = forecast(config.every_rule, lives.all(), weeks, total=budget.alerts_per_week, per_rule=budget.per_rule)
    _print(found, history, config, asked=args.weeks)
    return 1 if lines.refused or found.above_budget else 0


def _run(config: Config, recording: Recording) -> tuple[History | None, Lives]:
    fold, lives = HistoryFold(), Lives()

    def watched(row: Row | Tick) -> Row | Tick:
        if isinstance(row, Tick):
            fold.reached(row.at)
        else:
            fold.take(row)
        return row

    for (events,) in tried([config], Recording(recording.logged, map(watched, recording.rows))):
        lives.take(events)
    for life in lives.all():
        fold.reached(life.opened_at)  # at a tick after the last row
    return fold.done(), lives


def _print(found: Forecast, history: History, config: Config, *, asked: int) -> None:
    for rule in found.rules:
        _line(_rule_line(rule))
    _line({"kind": "total", **_count_line(found.total), "budget": config.budget.alerts_per_week, "over": found.over})
    coverage = _coverage(found, history, config, asked)
    _line(coverage)
    print("\n".join([_table(found), *_told(found, history, config, asked)]), file=sys.stderr)


def _line(value: Json) -> None:
    sys.stdout.write(json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n")


def _rule_line(rule: RuleForecast) -> Json:
    return {
        "kind": "rule",
        "rule": rule.rule,
        "mode": "shadow" if rule.shadow else "live",
        **_count_line(rule.all),
        "levels": {level.name: _count_line(count) for level, count in rule.levels},
        "over": rule.over,
    }


def _count_line(count: Count) -> Json:
    since, until = count.worst_week.since, count.worst_week.until
    return {
        "alerts": count.alerts,
        "mean": round(count.mean, 2),
        "worst": count.worst,
        "worst_week": {"from": since.isoformat() if since else None, "to": until.isoformat() if until else None},
    }


def _coverage(found: Forecast, history: History, config: Config, asked: int) -> Json:
    period = found.weeks.period
    blind = history.blind_time(period)
    return {
        "kind": "coverage",
        "asked_weeks": asked,
        "weeks": len(found.weeks.stretches) if found.weeks.whole else None,
        "whole_weeks": found.weeks.whole,
        "from": period.since.isoformat() if period.since else None,
        "to": period.until.isoformat() if period.until else None,
        "days_read": whole_days(history.first, history.last),
        "mentions": history.mentions,
        "history_mentions": history.history,
        "polled_since": history.polled_since.isoformat() if history.polled_since else None,
        "blind_seconds": {source: round(span.total_seconds()) for source, span in blind.items()},
        "never_polled": _never_polled(history, config),
        "topics_without_mentions": _silent(history, config),
    }


def _never_polled(history: History, config: Config) -> list[str]:
    if history.polled_since is None:
        return []
    return [source.id for source in config.sources if source.id not in history.polled]


def _silent(history: History, config: Config) -> list[str]:
    """Topics that a rule watches and that no mention on record matched."""
    used = {topic for rule in config.every_rule if rule.mode != "off" for topic in rule.topics}
    return [topic.id for topic in config.topics if topic.id in used and topic.id not in history.matched]


def _table(found: Forecast) -> str:
    rows = [["rule", "alerts", "a week" if found.weeks.whole else "(no week)", "worst", "by highest level"]]
    for rule in found.rules:
        levels = " ".join(f"{level.name}={count.alerts}" for level, count in rule.levels if count.alerts)
        name = f"{rule.rule} (shadow)" if rule.shadow else rule.rule
        rows.append([name, str(rule.all.alerts), f"{rule.all.mean:.2f}", str(rule.all.worst), levels])
    rows.append(["all live", str(found.total.alerts), f"{found.total.mean:.2f}", str(found.total.worst), ""])
    return table(rows)


def _told(found: Forecast, history: History, config: Config, asked: int) -> list[str]:
    """What the figures rest on, and whether they keep to the budget."""
    days = whole_days(history.first, history.last)
    if found.weeks.whole:
        counted = len(found.weeks.stretches)
        told = [f"counted: the last {counted} whole weeks of {days} days read ({asked} asked for)"]
    else:
        told = [
            f"less than a week on record ({days} days): these are all alerts of it, and no week is made up from them"
        ]
    if history.polled_since is None:
        told.append("no polls on record: every source counts as seen throughout")
    else:
        if found.weeks.period.since is not None and history.polled_since > found.weeks.period.since:
            told.append(
                f"polls are on record since {history.polled_since.isoformat()}: what was blind before is not known"
            )
        for source, span in history.blind_time(found.weeks.period).items():
            told.append(f"source {source} was blind for {span.total_seconds() / 3600:.1f} h of it")
        told += [f"source {source} was never polled on record" for source in _never_polled(history, config)]
    told += [
        f"no mention on record matches topic {topic}: if its query is new, what it would have matched is not known"
        for topic in _silent(history, config)
    ]
    if history.history:
        told.append(
            f"{history.history} of {history.mentions} mentions are history (old when they came), which never alerts"
        )
    return told + _budget(found, config)


def _budget(found: Forecast, config: Config) -> list[str]:
    total, per_rule = config.budget.alerts_per_week, config.budget.per_rule
    if total is None and per_rule is None:
        return ["no budget is configured"]
    told = []
    if found.over:
        told.append(f"above the budget: {found.total.mean:.2f} alerts a week, {total} allowed")
    for rule in found.rules:
        if rule.over:
            note = " (shadow: it sends nothing)" if rule.shadow else ""
            told.append(f"above the budget of a rule: {rule.rule} {rule.all.mean:.2f}, {per_rule} allowed{note}")
    return told or ["within the budget"]

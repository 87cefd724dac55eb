"""``listener replay``: recorded rows through the rules on a virtual clock; alert events out, or how two rule sets differ.

A log that ``export`` wrote is replayed as it was: its rows, its scores, its rules, its polls, up to its last tick. Mention
lines alone are matched and judged by the configuration, in order of collection, with healthy sources assumed, and the
replay runs on until all has resolved. ``--history`` reads the stored log, with the newest scores and the configuration's
rules.
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from alerts import AlertEvent
from alerts.codec import event_line
from alerts.incident import Incidents
from listener.cli.lines import Lines
from listener.cli.progress import Progress
from listener.cli.times import moment
from listener.cli.tried import change_line, summary
from listener.config import Config, load
from listener.config.load import load_with_rules
from listener.parts import rule_set
from listener.recorded import MixedError, Recording, Tick, bounded, from_database, from_lines
from listener.storage.database import StorageError
from rules.compare import compare
from rules.engine import Engine
from rules.lives import Lives, Period
from rules.log import RulesRow
from rules.replay import Driver
from rules.trial import Trial
from sentiment import AnalysisError


def register(parser: argparse.ArgumentParser) -> None:
    ask_for_rows(parser)
    parser.add_argument("--against", type=Path, metavar="OTHER", help="print what the rules of this file do otherwise")
    parser.add_argument("--from", type=moment, dest="since", metavar="TIME", help="alerts from this time on (RFC 3339)")
    parser.add_argument("--to", type=moment, dest="until", metavar="TIME", help="rows before this time")


def ask_for_rows(parser: argparse.ArgumentParser) -> None:
    """The configuration, and where the rows come from."""
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="LINES", help="mention lines or a log; none: standard input"
    )
    parser.add_argument(
        "--history", action="store_true", help="the stored log, with the newest scores, instead of LINES"
    )
    parser.add_argument(
        "--rematch", action="store_true", help="with --history: match every stored mention by the topics of FILE anew"
    )


def misused(args: argparse.Namespace) -> bool:
    """Whether what was asked for does not go together; it is told then."""
    if args.history and args.files:
        print("listener: give LINES or --history, not both", file=sys.stderr)
    elif args.rematch and not args.history:
        print("listener: --rematch goes with --history", file=sys.stderr)
    else:
        return False
    return True


def run(args: argparse.Namespace) -> int:
    if misused(args):
        return 2
    period = Period(args.since, args.until)
    if args.since and args.until and args.since >= args.until:
        print("listener: --to must be later than --from", file=sys.stderr)
        return 2
    config = load(args.config)
    other = load_with_rules(args.config, args.against) if args.against else None
    lines = Lines(args.files)
    try:
        recording = recorded(config, lines, period, history=args.history, anew=args.rematch)
        if other is not None:
            _print_changes(config, other, recording, period)
        else:
            _print_events(_as_now(config, recording) if args.history else _as_was(config, recording), period)
        say_rematched(recording)
    except (MixedError, StorageError, AnalysisError) as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        raise
    except OSError as error:
        print(f"listener: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    return 1 if lines.refused else 0


def recorded(config: Config, lines: Lines, period: Period, *, history: bool, anew: bool) -> Recording:
    """What is asked for, up to the period's end."""
    if history:
        return from_database(config, period, anew=anew)
    recording = from_lines(lines, config)
    return Recording(recording.logged, bounded(recording.rows, period.until))


def say_rematched(recording: Recording) -> None:
    """How many mentions were matched anew, and how many matches had no score, once the rows are through."""
    found = recording.rematched
    if found is None:
        return
    print(
        f"listener: {found.tried:,} mentions matched anew, {found.kept_aside:,} of which had matched nothing; "
        f"{found.scoreless:,} matches had no score and were judged, {found.failed:,} of them in vain",
        file=sys.stderr,
    )


def _print_events(events: Iterator[AlertEvent], period: Period) -> None:
    incidents = Incidents()
    for event in events:
        told = event if event.shadow else incidents.apply(event)[0]
        if period.holds(event.at):
            sys.stdout.write(json.dumps(event_line(told), ensure_ascii=False, separators=(",", ":")) + "\n")


def _as_was(config: Config, recording: Recording) -> Iterator[AlertEvent]:
    """A log under its own rules; the configuration's, where it begins without, and over mention lines."""
    driver = Driver(Engine(config.step, assume_healthy=not recording.logged))
    begun = ended = False
    with Progress("replay") as progress:
        for row in recording.rows:
            if isinstance(row, Tick):
                ended = True
                yield from driver.advance(row.at)
                continue
            if not begun and not isinstance(row, RulesRow):
                yield from driver.feed(RulesRow(0, row.at, rule_set(config), _sources(config)))
            begun = True
            yield from driver.feed(row)
            progress.advance()
    if not ended:
        yield from driver.run_out()


def _as_now(config: Config, recording: Recording) -> Iterator[AlertEvent]:
    for events in tried([config], recording):
        yield from events[0]


def tried(configs: Sequence[Config], recording: Recording) -> Iterator[tuple[tuple[AlertEvent, ...], ...]]:
    """The same rows through the rules of each configuration: what each decided, time after time."""
    trials = [
        Trial(Engine(config.step, assume_healthy=not recording.logged), rule_set(config), _sources(config))
        for config in configs
    ]
    ended = False
    with Progress("replay") as progress:
        for row in recording.rows:
            if isinstance(row, Tick):
                ended = True
                yield tuple(trial.advance(row.at) for trial in trials)
            else:
                yield tuple(trial.feed(row) for trial in trials)
                progress.advance()
    if not ended:
        yield tuple(trial.run_out() for trial in trials)


def _print_changes(config: Config, other: Config, recording: Recording, period: Period) -> None:
    before, after = Lives(), Lives()
    for old, new in tried([config, other], recording):
        before.take(old)
        after.take(new)
    changes = compare(before.all(), after.all(), period)
    for change in changes:
        sys.stdout.write(json.dumps(change_line(change), ensure_ascii=False, separators=(",", ":")) + "\n")
    rules = sorted({rule.id for each in (config, other) for rule in each.rules})
    print(summary(changes, rules), file=sys.stderr)


def _sources(config: Config) -> tuple[str, ...]:
    return tuple(source.id for source in config.sources)

"""``listener stories``: per topic what is passed on most, the facts of each story, its hot words and those that rise."""

import argparse
import asyncio
import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

from listener.cli.times import span
from listener.clock import utc_now
from listener.config import Config, load
from listener.storage import stories
from listener.storage.database import Database, StorageError
from rules.rising import rising
from rules.story_facts import StoryFacts, story_facts
from sentiment import AnalysisError
from sentiment.segment import Segmenter

MEMBERS = 20_000  # of a story that are read; what comes after is in its copies alone
TEXTS, PAST_TEXTS = 2_000, 5_000
PAST = 7  # the past that words are compared with, in lengths of the time that is asked for


def register(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-c", "--config", type=Path, required=True, metavar="FILE", help="the configuration")
    parser.add_argument("--topic", action="append", metavar="ID", help="only this topic; may be given again")
    parser.add_argument(
        "--last",
        type=span,
        default=timedelta(days=1),
        metavar="TIME",
        help="how far back, such as 6h (default 24h)",
    )
    parser.add_argument("--most", type=_count, default=10, metavar="N", help="stories and words per topic (default 10)")


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1000:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 1 to 1000")
    return int(text)


def run(args: argparse.Namespace) -> int:
    config = load(args.config)
    known = [topic.id for topic in config.topics]
    unknown = sorted(set(args.topic or ()) - set(known))
    if unknown:
        print(f"listener: no topic {unknown[0]!r}; there are: {', '.join(known)}", file=sys.stderr)
        return 1
    try:
        asyncio.run(_print(config, args.topic or known, args.last, args.most))
    except (StorageError, AnalysisError) as error:
        print(f"listener: {error}", file=sys.stderr)
        return 1
    return 0


async def _print(config: Config, topics: list[str], last: timedelta, most: int) -> None:
    until = utc_now()
    segmenter = Segmenter(name for target in config.targets.values() for name in target.all_names)
    database = await Database.open(config.storage.url, base=config.base, owner=False)
    try:
        for topic in topics:
            line = await topic_line(database, topic, segmenter, since=until - last, until=until, most=most)
            sys.stdout.write(json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n")
    finally:
        await database.close()


async def topic_line(
    database: Database, topic: str, segmenter: Segmenter, *, since: datetime, until: datetime, most: int
) -> dict[str, object]:
    """What is printed of a topic; its keys stand in docs/reference/stories.md."""
    async with database.read("stories") as connection:
        largest = await stories.largest(connection, topic, since=since, until=until, most=most)
        told = [
            _line(one, story_facts(one.story, await stories.members(connection, one.story, most=MEMBERS)))
            for one in largest
        ]
        now = await stories.texts(connection, topic, since=since, until=until, most=TEXTS)
        past = await stories.texts(
            connection, topic, since=since - PAST * (until - since), until=since, most=PAST_TEXTS
        )
    words = [
        {"word": one.word, "now": one.now, "usual": round(one.usual, 2), "score": one.score}
        for one in rising(now, past, segment=segmenter.cut, most=most)
    ]
    hot = [
        {"word": one.word, "weight": round(one.weight, 4)}
        for one in segmenter.extract_tags((f"{title}\n{text}" for title, text in now), top=most)
    ]
    return {
        "topic": topic,
        "since": since.isoformat(),
        "until": until.isoformat(),
        "stories": told,
        "words": words,
        "hot": hot,
    }


def _line(one: stories.TopicStory, facts: StoryFacts) -> Mapping[str, object]:
    carrier, hint = facts.carrier, facts.hint
    return {
        "id": facts.id,
        "title": facts.title,
        "copies": one.copies,
        "rising": one.rising,
        "all_copies": facts.copies,
        "authors": facts.authors,
        "reach": facts.people,
        "first": {"source": facts.first_source, "url": facts.first_url, "at": facts.first_at.isoformat()},
        "last_at": facts.last_at.isoformat(),
        "channels": [{"channel": name, "at": at.isoformat()} for name, at in facts.channels],
        "carrier": carrier
        and {
            "author": carrier.author,
            "channel": carrier.channel,
            "reach": carrier.people,
            "url": carrier.url,
            "at": carrier.at.isoformat(),
        },
        "curve": {"seconds": int(facts.slot.total_seconds()), "counts": facts.curve},
        "doubling_seconds": None if facts.doubling is None else facts.doubling.total_seconds(),
        "accounts": {"known": facts.accounts, "new_or_tiny": facts.doubtful},
        "hint": hint and {"zh": hint.zh, "en": hint.en},
    }

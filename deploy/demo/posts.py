"""What people write in the demo, and when: the day before, the crisis, and the talk that goes on meanwhile."""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

TEXTS = Path(__file__).with_name("posts")
SITES = ("microblog", "forum", "news", "complaints")

# How much people write in each hour of a day in China (0..23): nights are quiet, the evening is loudest.
_HOURS = (3, 1, 1, 1, 1, 2, 4, 6, 8, 8, 8, 8, 10, 8, 7, 7, 7, 8, 9, 11, 13, 13, 11, 6)
_CHINA = timedelta(hours=8)
_PACE = timedelta(seconds=9)  # one ordinary post in about that time


@dataclass(frozen=True, slots=True)
class Post:
    """``at`` is when it appears on its site and what it says of itself, aware UTC."""

    site: str
    author: str
    title: str
    text: str
    at: datetime


def yesterday(now: datetime) -> list[Post]:
    """The ordinary talk of the 26 hours before *now*, in order; the newest is a few minutes old, nothing is random."""
    posts = []
    for site in SITES:
        lines = _lines(f"{site}.txt")
        moments = _moments(len(lines), now, random.Random(site))
        for fields, at in zip(lines, moments, strict=True):
            author, title, text = fields if len(fields) == 3 else (fields[0], "", fields[1])
            posts.append(Post(site, author, title, text, at))
    return sorted(posts, key=lambda post: post.at)


def crisis(start: datetime) -> list[Post]:
    """The power bank that catches fire, from *start* on, in order."""
    return [
        Post(site, author, title, text, start + timedelta(seconds=int(second)))
        for second, site, author, title, text in _lines("crisis.txt")
    ]


def ongoing(start: datetime) -> Iterator[Post]:
    """Ordinary talk after *start*, without end; it slows down once all texts have been used, and then repeats them."""
    chance = random.Random("ongoing")
    lines = _lines("live.txt")
    at, pace = start, _PACE
    while True:
        for site, author, title, text in lines:
            at += pace * chance.uniform(0.5, 1.5)
            yield Post(site, author, title, text, at)
        chance.shuffle(lines)
        pace = timedelta(minutes=1)


def _moments(count: int, now: datetime, chance: random.Random) -> list[datetime]:
    """*count* moments over the 26 hours before *now*, thicker where the hour of the day is busier, unordered."""
    minutes = range(4, 26 * 60)
    weights = [_HOURS[(now - timedelta(minutes=minute) + _CHINA).hour] for minute in minutes]
    chosen = chance.choices(minutes, weights, k=count)
    return [now - timedelta(minutes=minute, seconds=chance.randrange(60)) for minute in chosen]


def _lines(name: str) -> list[list[str]]:
    """The fields of each line of a text file; blank lines and comments are left out."""
    lines = (TEXTS / name).read_text(encoding="utf-8").splitlines()
    return [[field.strip() for field in line.split("|")] for line in lines if line and not line.startswith("#")]

"""One message that names many alerts: what quiet hours held, or what a channel's rate lets not pass singly."""

from collections import Counter

from alerts.alert import Level
from alerts.notification import Notification
from alerts.render import times
from alerts.render.handling import due_in_short
from alerts.render.headline import called, in_short, repeated_mark
from alerts.render.message import Link, Message
from alerts.render.tags import ACT
from alerts.render.text import cut, safe_url
from alerts.render.words import LEVELS, WORDS, Language

LABEL = 24  # characters, at most, of what each is
LINE = 180  # bytes, at most and however escaped, of each alert's brand, what happened, its number and when
_BRAND = 60


def digest(notification: Notification) -> Message:
    """The message of ``notification.digest``: a line for each, in the order given, none left out or cut away.

    What ``alerts.channels.base.Limits.digest`` promises rests on ``LABEL`` and ``LINE``.
    """
    language = notification.language
    word = WORDS[language]
    parts = notification.digest
    going_on = [part.incident.level for part in parts if part.incident.open]
    level = max(going_on or [part.incident.level for part in parts])
    name = LEVELS[language][level]
    headline = word["digest" if going_on else "digest_over"]
    where = times.zone(notification.timezone)
    at = max(part.incident.updated_at for part in parts)
    url = safe_url(notification.console_url)
    return Message(
        language=language,
        level=level,
        over=not going_on,
        raised=False,
        headline=repeated_mark(notification)
        + headline.format(
            level=name if language == "zh" else name.upper(), brands=_brands(parts, language), count=len(parts)
        ),
        because=_counts(notification, going_on) + word["digest_quiet" if _waited(parts) else "digest_why"],
        notice=(word["perhaps_digest"] if notification.perhaps_repeated else "")
        + (ACT[language][level] if going_on else ""),
        facts=tuple(_line(part, notification) for part in parts),
        quotes=(),
        links=(Link(word["overview"], url),) if url else (),
        footer=word["digest_footer"].format(at=f"{at.astimezone(where):%Y-%m-%d %H:%M}", zone=where.key),
        digest=True,
    )


def _brands(parts: tuple[Notification, ...], language: Language) -> str:
    """Whose they are, each once; where that is too long, the first line's and how many."""
    word, brands = WORDS[language], list(dict.fromkeys(in_short(part)[1] for part in parts))
    told = word["comma"].join(brands)
    if _bytes(told) <= _BRAND:
        return told
    first = cut(brands[0], _BRAND, _bytes)
    return word["brands"].format(brand=first, count=len(brands), more=len(brands) - 1) if len(brands) > 1 else first


def _waited(parts: tuple[Notification, ...]) -> bool:
    return all(part.deferred for part in parts)


def _counts(notification: Notification, going_on: list[Level]) -> str:
    word, levels = WORDS[notification.language], LEVELS[notification.language]
    counts = Counter(going_on)
    told = [word["digest_count"].format(level=levels[level], count=counts[level]) for level in sorted(counts)[::-1]]
    over = len(notification.digest) - len(going_on)
    if over:
        told.append(word["digest_over_count"].format(count=over))
    return word["comma"].join(told)


def _line(part: Notification, whole: Notification) -> tuple[str, str]:
    """What it is; of whom, what happened, and when it was told of last."""
    tag, brand, what = in_short(part)
    incident = part.incident
    where = times.zone(whole.timezone)
    moment = times.moment(incident.updated_at, where, whole.incident.updated_at, whole.language)
    when = "".join(f" · {one}" for one in (called(incident), due_in_short(part), moment) if one)
    start = f"{cut(brand, _BRAND, _bytes)}{WORDS[whole.language]['colon']}"
    return cut(tag, LABEL), start + cut(what, LINE - _bytes(start) - _bytes(when), _bytes) + when


def _bytes(text: str) -> int:
    """UTF-8, and what an escape may make of it: a full-width form, or a zero-width space behind."""
    return sum(6 if character in "@.＠﹫" else max(3, len(character.encode("utf-8", "replace"))) for character in text)

"""A mention in one line for people, and where in it the words stand that made it negative."""

from collections.abc import Iterable, Iterator

from rules.mention import Mention
from sentiment import Reason

EXCERPT_LENGTH = 200
_READ = 800  # characters of a text
_MARKS = 5

Mark = tuple[int, int]


def excerpt(mention: Mention) -> str:
    """The title in the brackets that Chinese posts put it in, then the text; white space as single blanks."""
    title, text = _line(mention.title), _line(mention.text[:_READ])
    whole = f"【{title}】{text}" if _titled(title, text) else text
    return whole if len(whole) <= EXCERPT_LENGTH else whole[: EXCERPT_LENGTH - 1] + "…"


def marks(mention: Mention, text: str, reasons: Iterable[Reason]) -> tuple[Mark, ...]:
    """Begin and end in *text*, the mention's excerpt, of the weightiest reasons that stand in it; none overlap."""
    heaviest = sorted(reasons, key=lambda reason: (reason.weight, reason.field, reason.start))[:_MARKS]
    return tuple(_joined(sorted(_placed(mention, text, heaviest)))) if heaviest else ()


def _placed(mention: Mention, text: str, reasons: Iterable[Reason]) -> Iterator[Mark]:
    title, body = _line(mention.title), _line(mention.text[:_READ])
    titled = _titled(title, body)
    for reason in reasons:
        raw, line = (mention.title, title) if reason.field == "title" else (mention.text[:_READ], body)
        said, start = raw[reason.start : reason.end], reason.start
        if raw != line:  # white space was collapsed
            said, start = _line(said), len(_line(raw[:start] + "|")) - 1
        if titled:
            start += 1 if reason.field == "title" else len(title) + 2
        if said and text.startswith(said, start):  # else it was cut away
            yield start, start + len(said)


def _joined(places: Iterable[Mark]) -> Iterator[Mark]:
    """What touches or overlaps as one."""
    last: Mark | None = None
    for start, end in places:
        if last is not None and start <= last[1]:
            last = last[0], max(last[1], end)
            continue
        if last is not None:
            yield last
        last = start, end
    if last is not None:
        yield last


def _titled(title: str, text: str) -> bool:
    return bool(title) and not text.startswith(title)


def _line(text: str) -> str:
    return " ".join(text.split())

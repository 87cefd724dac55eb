"""Mentions as lines of JSON: the one form for import, export, the ingest webhook and files that are followed.

The order of keys and what is optional stand in docs/reference/sources.md.
"""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from rules.mention import Author, Mention, Reach

LONGEST_TEXT = 100_000
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)")


class LineError(Exception):
    """A line that is no mention. ``field`` is a dotted path, empty where the whole line is meant."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}" if field else message)
        self.field = field
        self.message = message


def clean(text: str) -> str:
    """*text* as it can be stored and shown: no control characters but tab and newline, no lone surrogates."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROL.sub("", text) if _CONTROL.search(text) else text


def _time(value: Any) -> Any:
    if value is None or isinstance(value, datetime):
        return value
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise ValueError("must be a time with its offset, such as 2026-01-31T08:00:00+08:00")
    whole, dot, rest = value.upper().replace(" ", "T").partition(".")
    if dot:
        digits = re.match(r"\d+", rest)
        count = digits.end() if digits else 0
        whole += f".{rest[:count][:6]:0<6}{rest[count:]}"
    try:
        return datetime.fromisoformat(whole).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("is no time that exists") from None


def _word(value: Any) -> Any:
    return clean(value) if isinstance(value, str) else value


def _count(value: Any) -> Any:
    if isinstance(value, bool) or (value is not None and not isinstance(value, int)):
        raise ValueError("must be a whole number")
    return value


Moment = Annotated[datetime | None, BeforeValidator(_time)]
Word = Annotated[str, BeforeValidator(_word), Field(strict=True)]
Count = Annotated[int | None, BeforeValidator(_count), Field(ge=0, le=2**63 - 1)]


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class AuthorLine(Strict):
    id: Word
    name: Word
    followers: Count = None
    verified: Annotated[bool | None, Field(strict=True)] = None
    created_at: Moment = None


class ReachLine(Strict):
    views: Count = None
    likes: Count = None
    comments: Count = None
    reposts: Count = None


class MentionLine(Strict):
    """What a line may say, in the order in which it is written."""

    kind: Literal["mention"] = "mention"
    source: Annotated[Word, Field(min_length=1)]
    channel: Annotated[Word, Field(min_length=1)]
    external_id: Annotated[Word, Field(min_length=1)]
    url: Word | None = None
    title: Word | None = None
    text: Word
    author: AuthorLine | None = None
    published_at: Moment = None
    updated_at: Moment = None
    collected_at: Moment = None
    reach: ReachLine | None = None
    repost_of: Word | None = None
    quote_of: Word | None = None
    site: Word | None = None
    region: Word | None = None
    lang: Word | None = None

    def mention(self) -> Mention:
        author = (
            Author(**{name: getattr(self.author, name) for name in AuthorLine.model_fields}) if self.author else None
        )
        reach = Reach(**{name: getattr(self.reach, name) for name in ReachLine.model_fields}) if self.reach else Reach()
        return Mention(
            source=self.source, channel=self.channel, external_id=self.external_id, text=self.text[:LONGEST_TEXT],
            title=self.title or "", url=self.url or "", author=author, published_at=self.published_at,
            updated_at=self.updated_at, collected_at=self.collected_at, reach=reach, repost_of=self.repost_of or "",
            quote_of=self.quote_of or "", site=self.site or "", region=self.region or "", lang=self.lang or "",
        )  # fmt: skip


def read_line(line: str | bytes) -> tuple[Mention, str]:
    """The mention of a line, and what was changed in it for a person to know (empty: nothing); raises LineError."""
    model = _model(line)
    if not model.text.strip() and not (model.title or "").strip():
        raise LineError("text", "may be empty only where a title is given")
    cut = len(model.text) > LONGEST_TEXT
    return model.mention(), f"text: longer than {LONGEST_TEXT:,} characters, the rest was cut" if cut else ""


def parse_line(line: str | bytes) -> Mention:
    """The mention of a line; raises LineError. A text past LONGEST_TEXT is cut (``read_line`` tells so)."""
    return read_line(line)[0]


def mention_line(mention: Mention) -> str:
    """One line of compact JSON without the newline; what is None or empty is left out."""
    return json.dumps(mention_object(mention), ensure_ascii=False, separators=(",", ":"))


def mention_object(mention: Mention) -> dict[str, Any]:
    """What ``mention_line`` writes, before it is text."""
    return dict(_fields(mention))


def parse_object(value: dict[str, Any]) -> Mention:
    """The mention of an object that was read from JSON already; raises LineError."""
    return _validated(value).mention()


def stored_object(value: dict[str, Any]) -> Mention:
    """The mention of an object that ``mention_object`` wrote into the database: taken at its word, which is much faster.

    Raises KeyError, TypeError or ValueError for one that it did not write.
    """
    told = dict(value)
    for name in ("published_at", "updated_at", "collected_at"):
        if name in told:
            told[name] = datetime.fromisoformat(told[name])
    if "author" in told:
        author = dict(told["author"])
        if "created_at" in author:
            author["created_at"] = datetime.fromisoformat(author["created_at"])
        told["author"] = Author(**author)
    if "reach" in told:
        told["reach"] = Reach(**told["reach"])
    return Mention(**told)


def _model(line: str | bytes) -> MentionLine:
    try:
        text = line.decode("utf-8") if isinstance(line, bytes) else line
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        raise LineError("", f"is not UTF-8 at byte {error.start}") from error
    except (ValueError, RecursionError) as error:
        told = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else str(error)[:200]
        raise LineError("", f"is not JSON: {told}") from error
    if not isinstance(value, dict):
        raise LineError("", "must be a JSON object")
    return _validated(value)


def _validated(value: dict[str, Any]) -> MentionLine:
    try:
        return MentionLine.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise LineError(where, _plain(first["type"], first["msg"], first.get("ctx", {}))) from error


def _plain(kind: str, message: str, context: dict[str, Any]) -> str:
    """A message of pydantic's in plain words."""
    fixed = {
        "missing": "is missing",
        "extra_forbidden": "is not a known key",
        "string_type": "must be a string",
        "string_too_short": "must not be empty",
        "too_short": "must not be empty",
        "greater_than_equal": "must not be negative",
        "less_than_equal": "is too large",
        "bool_type": "must be true or false",
        "model_type": "must be an object",
        "literal_error": 'must be "mention"',
    }  # fmt: skip
    return fixed.get(kind) or str(context.get("error") or message)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise ValueError("a key stands twice")
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _fields(mention: Mention) -> Iterator[tuple[str, Any]]:
    for name in MentionLine.model_fields:
        if name == "kind":
            continue
        value = getattr(mention, name)
        if name == "text":
            yield name, clean(value)
        elif isinstance(value, datetime):
            yield name, _written(value)
        elif isinstance(value, Author | Reach):
            inner = {
                key: _written(part) if isinstance(part, datetime) else clean(part) if isinstance(part, str) else part
                for key in (AuthorLine if isinstance(value, Author) else ReachLine).model_fields
                if (part := getattr(value, key)) is not None
            }
            if inner:
                yield name, inner
        elif value:
            yield name, clean(value)


def _written(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")

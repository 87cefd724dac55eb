"""What a request for an explanation asks: its parameters, checked, every mistake of them told at once."""

from dataclasses import dataclass
from typing import Annotated, Final

from multidict import MultiMapping
from pydantic import Field, ValidationError

from rules.mention import Author, Mention, Reach
from rules.query import QueryError
from rules.strict import Strict

TEXT_AT_MOST: Final = 5_000
TITLE_AT_MOST: Final = 500
QUERY_AT_MOST: Final = 5_000
TOPICS_AT_MOST: Final = 100
# A Chinese character is nine bytes of an address: the longest of all of these, an emoji twelve, and what stands beside.
LINE_AT_MOST: Final = 12 * (TEXT_AT_MOST + TITLE_AT_MOST + QUERY_AT_MOST) + 32 * 1024

_Fact = Annotated[str, Field(max_length=500)]
_Count = Annotated[int | None, Field(ge=0, le=10**15)]


class Asked(Strict):
    """A mention to be explained, as far as it is given, and for which topics and which query."""

    text: str = Field(default="", max_length=TEXT_AT_MOST)
    title: str = Field(default="", max_length=TITLE_AT_MOST)
    query: str = Field(default="", max_length=QUERY_AT_MOST)
    topic: tuple[_Fact, ...] = Field(default=(), max_length=TOPICS_AT_MOST)
    channel: _Fact = ""
    source: _Fact = ""
    site: _Fact = ""
    url: _Fact = ""
    author: _Fact = ""
    lang: _Fact = ""
    repost: bool = False
    followers: _Count = None
    views: _Count = None
    likes: _Count = None
    comments: _Count = None
    reposts: _Count = None

    @property
    def mention(self) -> Mention:
        known = self.author or self.followers is not None
        return Mention(
            source=self.source, channel=self.channel, external_id="", text=self.text, title=self.title, url=self.url,
            author=Author(self.author, self.author, self.followers) if known else None,
            reach=Reach(self.views, self.likes, self.comments, self.reposts),
            repost_of="another" if self.repost else "", site=self.site, lang=self.lang,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a parameter.

    ``limit``: it is longer than that; ``at``: the query cannot be read, and where; ``unknown``: there is none of that name.
    """

    parameter: str
    message: str
    limit: int | None = None
    at: QueryError | None = None
    unknown: str = ""


class RefusedError(Exception):
    """A request that cannot be answered; ``status`` is HTTP's."""

    def __init__(self, problems: tuple[Problem, ...], status: int = 400) -> None:
        super().__init__("; ".join(f"{problem.parameter}: {problem.message}" for problem in problems))
        self.problems = problems
        self.status = status

    @classmethod
    def of_query(cls, error: QueryError) -> "RefusedError":
        return cls((Problem("query", error.message, at=error),))


def read(parameters: MultiMapping[str], allowed: tuple[str, ...] = tuple(Asked.model_fields)) -> Asked:
    """The parameters of an address; one that is empty is one that is not given. Raises RefusedError."""
    given: dict[str, object] = {}
    problems: list[Problem] = []
    for name in dict.fromkeys(parameters):
        values = [value for value in parameters.getall(name) if value.strip()]
        if name not in allowed:
            problems.append(Problem(name[:100], f"there is no such parameter; there are {', '.join(allowed)}"))
        elif name == "topic":
            given[name] = tuple(dict.fromkeys(values))
        elif len(values) > 1:
            problems.append(Problem(name, "stands there more than once"))
        elif values:
            given[name] = values[0]
    try:
        asked = Asked.model_validate(given)
    except ValidationError as error:
        for mistake in error.errors():
            limit = mistake.get("ctx", {}).get("max_length") if mistake["type"].endswith("too_long") else None
            problems.append(Problem(str(mistake["loc"][0]), mistake["msg"], limit))
        raise RefusedError(tuple(problems)) from error
    if problems:
        raise RefusedError(tuple(problems))
    return asked

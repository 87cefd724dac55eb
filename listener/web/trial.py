"""Texts and queries tried on the running configuration: one at a time, in a thread, so that nothing else waits."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from listener.web.asked import Asked, Problem, RefusedError
from rules.explain import Explanation, explain, explain_all
from rules.outline import Named, Part, named, outline
from rules.query import QueryError, check_query
from rules.topic import TRIED, Matcher


@dataclass(frozen=True, slots=True)
class Read:
    """A query that can be read: what it is made of, and what its ``@names`` stand for."""

    root: Part
    named: tuple[Named, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """``query``: how the query that was given with the text does. ``titles``: of the topics, by id."""

    query: Explanation | None
    topics: tuple[Explanation, ...]
    titles: dict[str, str]


class Trial:
    """``matcher`` gives the one that the program matches by now; a reload exchanges it."""

    def __init__(self, matcher: Callable[[], Matcher]) -> None:
        self.matcher = matcher
        self._turn = asyncio.Lock()

    async def read(self, query: str) -> Read:
        """Raises RefusedError."""
        async with self._turn:
            return await asyncio.to_thread(_read, self.matcher(), query)

    async def explain(self, asked: Asked) -> Tried:
        """The topics that are asked for, all where none is. Raises RefusedError."""
        async with self._turn:
            return await asyncio.to_thread(_explain, self.matcher(), asked)


def _read(matcher: Matcher, text: str) -> Read:
    try:
        query = check_query(text, [*matcher.targets, *matcher.sets])
    except QueryError as error:
        raise RefusedError.of_query(error) from error
    return Read(outline(query.root), named(query, matcher.targets, matcher.sets))


def _explain(matcher: Matcher, asked: Asked) -> Tried:
    unknown = [topic for topic in asked.topic if topic not in matcher.topics]
    if unknown:
        raise RefusedError(
            tuple(Problem("topic", f"there is no topic {topic}", unknown=topic) for topic in unknown), 404
        )
    if not (asked.text or asked.title):
        raise RefusedError((Problem("text", "is missing: give a text, a title, or both"),))
    tried = None
    if asked.query:
        try:
            tried = explain(matcher.trying(asked.query), asked.mention, TRIED)
        except QueryError as error:
            raise RefusedError.of_query(error) from error
    topics = asked.topic or tuple(matcher.topics)
    titles = {topic: matcher.topics[topic].config.title or topic for topic in topics}
    return Tried(tried, explain_all(matcher, asked.mention, topics), titles)

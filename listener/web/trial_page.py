"""The page where a text or a query is tried: a form that asks by GET, so that it works without scripts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDict

from listener.web.asked import QUERY_AT_MOST, TEXT_AT_MOST, TITLE_AT_MOST, Asked, Problem, RefusedError, read
from listener.web.pages import Pages
from listener.web.trial import Read, Trial
from listener.web.trial_view import Outcome, fault, outcome

_ASKED = ("text", "title", "query", "topic", "channel")
NAMES_AT_MOST = 200  # of @names beside the form


@dataclass(frozen=True, slots=True)
class Most:
    text: int = TEXT_AT_MOST
    title: int = TITLE_AT_MOST
    query: int = QUERY_AT_MOST


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in the form: as it was sent, be it right or wrong."""

    text: str
    title: str
    query: str
    channel: str
    topics: tuple[str, ...]


@dataclass(slots=True)
class _Answer:
    status: int = 200
    problems: list[Problem] = field(default_factory=list)
    read: Read | None = None
    outcome: Outcome | None = None


@dataclass(frozen=True, slots=True)
class TrialPage:
    trial: Trial
    pages: Pages

    async def show(self, request: web.Request) -> web.Response:
        """GET /try: the form, and below it what the running configuration makes of what stands in it."""
        parameters = MultiDict((name, value.replace("\r\n", "\n")) for name, value in request.query.items())
        parameters.popall("lang", None)
        given = Given(
            text=parameters.get("text", ""),
            title=parameters.get("title", ""),
            query=parameters.get("query", ""),
            channel=parameters.get("channel", ""),
            topics=tuple(parameters.getall("topic", ())),
        )
        answer = _Answer()
        try:
            await self._answer(read(parameters, allowed=_ASKED), answer)
        except RefusedError as error:
            answer.status, answer.problems = error.status, list(error.problems)
        unreadable = next((problem.at for problem in answer.problems if problem.at), None)
        matcher = self.trial.matcher()
        others = [(name, value) for name, value in parameters.items() if name != "topic"]
        values: Mapping[str, object] = {
            "given": given,
            "most": Most(),
            "names": [*matcher.targets, *matcher.sets][:NAMES_AT_MOST],
            "problems": [problem for problem in answer.problems if not problem.at],
            "fault": fault(given.query, unreadable) if unreadable else None,
            "read": answer.read,
            "outcome": answer.outcome,
            "only": bool(given.topics),
            "all_topics": "?" + urlencode(others, errors="replace"),
        }
        return self.pages.render("try.html", request, "./", values, answer.status)

    async def _answer(self, asked: Asked, answer: _Answer) -> None:
        """Raises RefusedError; a query that cannot be read does not keep the topics from being told."""
        read_error: RefusedError | None = None
        if asked.query:
            try:
                answer.read = await self.trial.read(asked.query)
            except RefusedError as error:
                read_error = error
        if asked.text or asked.title:
            known = asked if read_error is None else asked.model_copy(update={"query": ""})
            answer.outcome = outcome(await self.trial.explain(known), asked.title, asked.text)
        if read_error is not None:
            raise read_error

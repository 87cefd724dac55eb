"""What programs read of topics and queries, as JSON: ``/api/explain`` and ``/api/query``."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from aiohttp import web

from listener.web.asked import Problem, RefusedError, read
from listener.web.trial import Trial, Tried


@dataclass(frozen=True, slots=True)
class Api:
    trial: Trial

    async def explain(self, request: web.Request) -> web.Response:
        """GET /api/explain: why topics match a text, or what is missing; offsets count code points."""
        try:
            tried = await self.trial.explain(read(request.query))
        except RefusedError as error:
            return _refusal(error)
        # In a thread too: of a thousand topics it is megabytes.
        return _response(await asyncio.to_thread(_explained, tried))

    async def query(self, request: web.Request) -> web.Response:
        """GET /api/query: what a query is made of, or where its mistake is."""
        try:
            asked = read(request.query, allowed=("query",))
            found = await self.trial.read(asked.query)
        except RefusedError as error:
            return _refusal(error)
        names = [
            {"name": one.name, "is": "target" if one.is_target else "set", "words": one.words} for one in found.named
        ]
        return _answer({"query": found.root.query, "tree": asdict(found.root), "names": names})


def _refusal(error: RefusedError) -> web.Response:
    return _answer({"problems": [_told(problem) for problem in error.problems]}, error.status)


def _told(problem: Problem) -> dict[str, Any]:
    told: dict[str, Any] = {"parameter": problem.parameter, "message": problem.message}
    if problem.at is not None:
        told |= {"line": problem.at.line, "column": problem.at.column, "expected": problem.at.expected}
    return told


def _explained(tried: Tried) -> str:
    query = tried.query.as_json() if tried.query else None
    if query is not None:
        del query["topic"]
    return _written({"query": query, "topics": [explanation.as_json() for explanation in tried.topics]})


def _written(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _answer(value: Mapping[str, Any], status: int = 200) -> web.Response:
    return _response(_written(value), status)


def _response(text: str, status: int = 200) -> web.Response:
    response = web.Response(text=text, status=status, content_type="application/json")
    response.enable_compression()
    return response

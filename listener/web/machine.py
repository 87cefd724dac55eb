"""What machines read: liveness, readiness, metrics, robots.txt."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

Problems = Callable[[], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Machine:
    """``problems`` tells, for a person, each thing that is not ready."""

    registry: CollectorRegistry
    problems: Problems

    async def healthz(self, _: web.Request) -> web.Response:
        """Live: that the loop answers is the answer."""
        return web.Response(text="ok\n")

    async def readyz(self, _: web.Request) -> web.Response:
        """200 when ready, else 503; both say what is not."""
        problems = list(self.problems())
        return web.json_response({"ready": not problems, "problems": problems}, status=503 if problems else 200)

    async def metrics(self, request: web.Request) -> web.Response:
        """The Prometheus text format, or OpenMetrics where it is asked for."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        response = web.Response(body=encode(self.registry), headers={"Content-Type": content_type})
        response.enable_compression()
        return response

    async def robots(self, _: web.Request) -> web.Response:
        return web.Response(text="User-agent: *\nDisallow: /\n")

"""The pages and the parts of them that htmx fetches again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import aiohttp_jinja2
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from alerts.playbook import Playbook
from alerts.timeline import timeline
from listener.web import language, view
from listener.web.assets import Assets
from listener.web.config import WebSettings
from listener.web.machine import Problems
from listener.web.speech import Speech
from listener.web.status import RefusedReload, StatusError, StatusReader, TopicVolume


@dataclass(frozen=True, slots=True)
class Pages:
    """Links are relative to the page, so that the pages work behind a proxy that serves them beneath a path."""

    reader: StatusReader
    problems: Problems
    settings: WebSettings
    assets: Assets
    now: Callable[[], datetime]
    refused: Callable[[], RefusedReload | None]
    playbooks: Callable[[], Mapping[str, Playbook]] = dict

    async def status(self, request: web.Request) -> web.Response:
        values = {"status": await self._status(), "volumes": await self._volumes()}
        return self.render("status.html", request, "./", values)

    async def status_part(self, request: web.Request) -> web.Response:
        return self.render("_status.html", request, "./", {"status": await self._status()})

    async def system_part(self, request: web.Request) -> web.Response:
        return self.render("_system.html", request, "./", {"status": await self._status()})

    async def volumes_part(self, request: web.Request) -> web.Response:
        return self.render("_volumes.html", request, "./", {"volumes": await self._volumes()})

    async def volumes_data(self, _: web.Request) -> web.Response:
        """GET /data/volumes.json: what the charts draw."""
        response = web.json_response(view.chart(await self._topics(self.now()), self.settings.timezone))
        response.enable_compression()
        return response

    async def incident(self, request: web.Request) -> web.Response:
        return await self._incident("incident.html", request)

    async def incident_part(self, request: web.Request) -> web.Response:
        return await self._incident("_incident.html", request)

    def error(self, request: web.Request, status: int, title: str, text: str, **values: object) -> web.Response:
        """A page that says what is wrong; *title* and *text* are keys of the catalogue."""
        root = "../" * (request.path.count("/") - 1) or "./"
        context = {"title": title, "text": text, "values": values, "retry": status == 503}
        return self.render("error.html", request, root, context, status)

    async def _status(self) -> view.Status:
        incidents = await self.reader.incidents(since=self.now() - view.RECENT)
        sources = await self.reader.sources()
        trial = await self.reader.on_trial(since=self.now() - view.RECENT)
        outbox = await self.reader.outbox()
        silences = await self.reader.silences()
        held = await self.reader.held()
        return view.status(incidents, sources, outbox, self.problems(), self.refused(), trial, silences, held)

    async def _volumes(self) -> tuple[view.Volume, ...]:
        now = self.now()
        return view.volumes(await self._topics(now), await self.reader.stories(since=now - view.DAY, until=now))

    async def _topics(self, now: datetime) -> tuple[TopicVolume, ...]:
        since, until = view.last_day(now)
        return await self.reader.volumes(since=since, until=until, slot=view.SLOT)

    async def _incident(self, template: str, request: web.Request) -> web.Response:
        found = await self.reader.incident(request.match_info["id"])
        if found is None:
            return self.error(request, 404, "not_found", "not_found_incident", id=request.match_info["id"])
        playbooks = view.playbooks(found.incident, self.playbooks())
        values = {
            "page": found,
            "alerts": view.ranked(found.incident),
            "timeline": tuple(reversed(timeline(found.history, found.incident.handling.timeline))),
            "playbooks": playbooks,
            "next_acts": view.next_acts(found.incident),
        }
        return self.render(template, request, "../", values)

    def render(
        self, template: str, request: web.Request, root: str, values: Mapping[str, object], status: int = 200
    ) -> web.Response:
        chosen = language.choose(request, self.settings.language)
        other = "en" if chosen == "zh" else "zh"
        say = Speech(chosen, self.settings.timezone, self.now())
        switched = [*((name, value) for name, value in request.query.items() if name != "lang"), ("lang", other)]
        context = {
            "say": say,
            "root": root,
            "public_url": self.settings.public_url,
            "assets": self.assets,
            "on_trial_shown": view.ON_TRIAL,
            "other": other,
            "switch": f"?{urlencode(switched, errors='replace')}",
            "here": request.path.strip("/"),
            **values,
        }
        response = aiohttp_jinja2.render_template(template, request, context, status=status)
        response.headers["Vary"] = "Accept-Language, Cookie"
        response.headers["Content-Language"] = say.tag
        if not template.startswith("_"):
            language.remember(request, response)
        response.enable_compression()
        return response


def tell_errors(pages: Pages) -> Middleware:
    """Words where there is no such page, or where storage does not answer: 503, so that nobody takes it for calm."""

    @web.middleware
    async def tell(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except StatusError:
            return pages.error(request, 503, "cannot_read", "cannot_read_why")
        except web.HTTPNotFound:
            return pages.error(request, 404, "not_found", "not_found_page")

    return tell

"""The web application, put together."""

from collections.abc import Callable, Mapping
from datetime import datetime

import aiohttp_jinja2
import jinja2
from aiohttp import web
from prometheus_client import CollectorRegistry

from alerts.playbook import Playbook
from listener.web import guard
from listener.web.acting import IncidentDesk
from listener.web.api import Api
from listener.web.asked import LINE_AT_MOST
from listener.web.asked_json import Gate, told
from listener.web.assets import Assets
from listener.web.config import WebSettings
from listener.web.incidents import IncidentApi
from listener.web.machine import Machine, Problems
from listener.web.pages import Pages, tell_errors
from listener.web.silences import SilenceApi
from listener.web.speech import linkable
from listener.web.status import RefusedReload, StatusReader
from listener.web.tokens import Tokens
from listener.web.trial import Trial
from listener.web.trial_page import TrialPage
from rules.topic import Matcher


def create_app(  # noqa: PLR0913 - all that the pages and the API stand on, by name
    *,
    reader: StatusReader,
    registry: CollectorRegistry,
    problems: Problems,
    matcher: Callable[[], Matcher],
    refused: Callable[[], RefusedReload | None],
    settings: WebSettings,
    now: Callable[[], datetime],
    assets: Assets | None = None,
    playbooks: Callable[[], Mapping[str, Playbook]] = dict,
    desk: IncidentDesk | None = None,
    tokens: Callable[[], Tokens] = Tokens,
) -> web.Application:
    """Reads the pages' files once.

    ``problems``: what is not ready, a sentence each; ``matcher``: what the program matches by now; ``refused``: the last
    reload, where it was refused; ``now``: aware UTC; ``playbooks``: by what rules name; ``desk``: None: nobody can act;
    ``tokens``: who may.
    """
    assets = assets or Assets.read()
    machine = Machine(registry, problems)
    pages = Pages(reader, problems, settings, assets, now, refused, playbooks)
    trial = Trial(matcher)
    api, trials = Api(trial), TrialPage(trial, pages)
    hosts = [guard.only_hosts(guard.allowed_hosts(settings.public_url))] if settings.loopback else []
    app = web.Application(middlewares=[*hosts, tell_errors(pages)])
    app.on_response_prepare.append(guard.add_headers)
    environment = aiohttp_jinja2.setup(
        app,
        loader=jinja2.PackageLoader("listener.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        default_helpers=False,
    )
    environment.tests["linkable"] = linkable
    app.add_routes(
        [
            web.get("/", pages.status),
            web.get("/incidents/{id}", pages.incident),
            web.get("/try", trials.show),
            web.get("/api/explain", api.explain),
            web.get("/api/query", api.query),
            web.get("/partials/status", pages.status_part),
            web.get("/partials/system", pages.system_part),
            web.get("/partials/volumes", pages.volumes_part),
            web.get("/partials/incidents/{id}", pages.incident_part),
            web.get("/data/volumes.json", pages.volumes_data),
            web.get("/static/{digest}/{name:.+}", assets.serve),
            web.get("/metrics", machine.metrics),
            web.get("/healthz", machine.healthz),
            web.get("/readyz", machine.readyz),
            web.get("/robots.txt", machine.robots),
        ]
    )
    if desk is not None:
        gate = Gate(tokens, settings, now)
        incidents, silences = IncidentApi(desk, gate, playbooks, now), SilenceApi(desk, gate, now)
        app.add_routes(
            [
                web.get("/api/incidents", told(incidents.listing)),
                web.get("/api/incidents/{id}", told(incidents.one)),
                web.post("/api/incidents/{id}/{act}", told(incidents.act)),
                web.get("/api/audit", told(incidents.audit)),
                web.get("/api/silences", told(silences.listing)),
                web.post("/api/silences", told(silences.add)),
                web.post("/api/silences/{number}/end", told(silences.end)),
            ]
        )
    return app


def runner(app: web.Application) -> web.AppRunner:
    """Serves *app* to addresses as long as a text that is to be explained makes them.

    Bodies are not unpacked: those that are taken are small, and a packed one may be anything.
    """
    return web.AppRunner(app, access_log=None, shutdown_timeout=1.0, max_line_size=LINE_AT_MOST, auto_decompress=False)

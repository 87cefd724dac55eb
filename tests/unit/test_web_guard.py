"""What every answer carries and every request must pass."""

import gzip
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from aiohttp.test_utils import TestClient, TestServer
from prometheus_client import CollectorRegistry

from listener.web.app import create_app
from listener.web.assets import Assets
from listener.web.config import WebSettings
from tests.status_reader import NO_TOPICS, ScriptedReader

ASSETS = Assets.read()
NOW = datetime(2025, 11, 22, 6, 41, 12, tzinfo=UTC)


class UnforeseenError(Exception):
    """A mistake of ours, as the pages may meet one."""


class FaultyReader(ScriptedReader):
    async def sources(self):
        raise UnforeseenError("internal detail")


@pytest.fixture
async def serve():
    clients = []

    async def start(*, reader=None, problems=(), **settings):
        chosen = {"public_url": "https://listener.example.com/x", "language": "en", **settings}
        app = create_app(
            reader=reader or ScriptedReader(),
            registry=CollectorRegistry(),
            problems=lambda: problems,
            matcher=lambda: NO_TOPICS,
            refused=lambda: None,
            settings=WebSettings(timezone=ZoneInfo("UTC"), **chosen),
            now=lambda: NOW,
            assets=ASSETS,
        )
        client = TestClient(TestServer(app))
        await client.start_server()
        clients.append(client)
        return client

    yield start
    for client in clients:
        await client.close()


PATHS = (
    "/",
    "/incidents/none",
    "/partials/status",
    "/data/volumes.json",
    "/metrics",
    "/healthz",
    "/readyz",
    "/try",
    "/api/explain",
    "/api/query?query=a",
    "/nowhere",
)


@pytest.mark.parametrize("path", PATHS)
async def test_headers_hold_every_answer_in(serve, path):
    """Every answer, errors too, forbids what is inline or foreign, framing, sniffing and referrers, and is not cached."""
    response = await (await serve()).get(path)
    policy = dict(part.strip().split(" ", 1) for part in response.headers["Content-Security-Policy"].split(";"))
    assert policy == {
        "default-src": "'none'",
        "script-src": "'self'",
        "style-src": "'self'",
        "img-src": "'self' data:",
        "connect-src": "'self'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'self'",
    }
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Server"] == "Listener"


async def test_a_mistake_of_ours_shows_no_detail(serve, caplog):
    """An unforeseen exception answers 500 with the same headers and without a word of what happened inside."""
    client = await serve(reader=FaultyReader())
    response = await client.get("/")
    assert response.status == 500
    assert "internal detail" not in await response.text()
    assert "default-src 'none'" in response.headers["Content-Security-Policy"]
    assert "internal detail" in caplog.text


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8420", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8420", 200),
        ("listener.example.com", 200),
        ("listener.example.com.:443", 200),
        ("evil.example", 421),
        ("evil.example:8420", 421),
        ("127.0.0.1.evil.example", 421),
        ("localhost@evil.example", 421),
        ("evil.example/localhost", 421),
        ("[::1", 421),
        ("localhost:port", 421),
        ("", 421),
    ],
)
async def test_only_our_own_names_are_answered(serve, host, status):
    """On loopback a request by any other name is refused, pages and machine addresses alike: DNS rebinding."""
    client = await serve()
    for path in ("/", "/metrics", "/data/volumes.json", "/api/query?query=a", "/nowhere"):
        response = await client.get(path, headers={"Host": host})
        assert response.status == (404 if (status, path) == (200, "/nowhere") else status)


async def test_other_names_pass_where_the_address_is_public(serve):
    """Bound to more than loopback, any name is answered: probes come by address, people by names that we cannot know."""
    client = await serve(loopback=False)
    assert (await client.get("/healthz", headers={"Host": "10.0.0.7:8420"})).status == 200


async def test_only_reading(serve):
    """Nothing but GET and HEAD is taken."""
    client = await serve()
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        for path in ("/", "/try", "/api/explain"):
            assert (await client.request(method, path)).status == 405
    assert (await client.head("/")).status == 200


async def test_health_and_readiness(serve):
    """Live answers 200 whatever else is wrong; ready answers 503 with every problem, 200 with none."""
    client = await serve(problems=["the database is locked", "source a is blind"])
    assert await (await client.get("/healthz")).text() == "ok\n"
    response = await client.get("/readyz")
    assert response.status == 503
    assert await response.json() == {"ready": False, "problems": ["the database is locked", "source a is blind"]}
    response = await (await serve()).get("/readyz")
    assert response.status == 200
    assert await response.json() == {"ready": True, "problems": []}


async def test_robots_stay_out(serve):
    """Search engines are told to leave."""
    assert await (await (await serve()).get("/robots.txt")).text() == "User-agent: *\nDisallow: /\n"


async def test_static_files_are_cached_by_content(serve):
    """A static file is cached for good under its hash; another hash, a path outside and a licence file are not found."""
    client = await serve()
    assets = ASSETS
    path = "/" + assets.path("listener.css")
    response = await client.get(path, headers={"Accept-Encoding": "identity"})
    assert response.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert response.headers["Content-Type"] == "text/css; charset=utf-8"
    plain = await response.read()
    assert plain == gzip.decompress(assets.files["listener.css"].gzipped)
    for wrong in (
        path.replace(assets.files["listener.css"].digest, "0" * 12),
        "/static/x/..%2f..%2fconfig.py",
        "/static/x/../../config.py",
        "/static/x/vendor/htmx.LICENSE",
    ):
        assert (await client.get(wrong)).status == 404


async def test_pages_tell_when_scripts_are_not_built(tmp_path):
    """Without the build hook's files the page has no script, refreshes by itself and says what to do."""
    (tmp_path / "listener.css").write_text("body{}")
    (tmp_path / "icon.svg").write_text("<svg/>")
    assets = Assets.read(tmp_path)
    assert not assets.built
    app = create_app(
        reader=ScriptedReader(),
        registry=CollectorRegistry(),
        problems=list,
        matcher=lambda: NO_TOPICS,
        refused=lambda: None,
        settings=WebSettings("http://127.0.0.1:1", "en", ZoneInfo("UTC")),
        now=lambda: NOW,
        assets=assets,
    )
    async with TestClient(TestServer(app)) as client:
        html = await (await client.get("/")).text()
    assert "<script" not in html
    assert 'http-equiv="refresh"' in html
    assert "pip install ." in html

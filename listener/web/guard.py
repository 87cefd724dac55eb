"""What every answer carries and every request must pass: headers that hold a page in, hosts that we answer to."""

from collections.abc import Iterable
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

# connect-src is htmx's and the charts'; data: is for images that stylesheets draw. Nothing inline or from elsewhere.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
LOOPBACK = ("localhost", "127.0.0.1", "::1")


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """A signal rather than a middleware: it reaches error answers too."""
    del request
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers.setdefault("Cache-Control", "no-store")
    response.headers["Server"] = "Listener"  # aiohttp would name its version and Python's


def host_name(host: str) -> str | None:
    """The name in a Host header, without port and brackets; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        name, _ = parts.hostname, parts.port
    except ValueError:
        return None
    return name.rstrip(".") if name and parts.netloc == host and "@" not in host else None


def only_hosts(names: Iterable[str]) -> Middleware:
    """Refuses requests for any other host, 421.

    A page elsewhere can point its own name at 127.0.0.1 and then read us as its own origin (DNS rebinding); the name in
    the Host header is what gives it away.
    """
    allowed = frozenset(name.lower() for name in names)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        name = host_name(request.headers.get("Host", ""))
        if name is None or name.lower() not in allowed:
            return web.Response(
                status=421,
                text="This address is not one of Listener's. Open it by 127.0.0.1, or set web.public_url.\n",
            )
        return await handler(request)

    return check


def allowed_hosts(public_url: str) -> tuple[str, ...]:
    """What a listener on loopback answers to: this machine, and the public address behind a proxy on it."""
    public = urlsplit(public_url).hostname
    return (*LOOPBACK, public) if public else LOOPBACK

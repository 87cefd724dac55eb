"""``POST /slack/actions``: where Slack brings what was pressed, signed."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from aiohttp import web

from alerts.channels.slack_buttons import signed

_MOST = 256 * 1024


@dataclass(frozen=True, slots=True)
class SlackActions:
    """``app_of``: the app whose signing secret holds; ``take``: apply what it says."""

    app_of: Callable[[Callable[[str], bool]], Any]
    take: Callable[[Any, object], None]
    now: Callable[[], datetime]

    def route(self) -> web.RouteDef:
        return web.post("/slack/actions", self.actions)

    async def actions(self, request: web.Request) -> web.Response:
        """200 at once (Slack waits three seconds), 401 where the signature does not hold, 413 where it is too long."""
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > _MOST:
                return web.Response(status=413, text="too long\n")
        timestamp = request.headers.get("X-Slack-Request-Timestamp", "")
        signature = request.headers.get("X-Slack-Signature", "")
        app = self.app_of(lambda secret: signed(secret, timestamp, bytes(body), signature, self.now()))
        if app is None:
            return web.Response(status=401, text="the signature does not hold\n")
        try:
            form = parse_qs(body.decode(), strict_parsing=True, max_num_fields=10)
            payload = json.loads(form.get("payload", [""])[0])
        except ValueError:
            return web.Response(status=400, text="no payload\n")
        self.take(app, payload)
        return web.Response()

"""The files of the pages: read and compressed once, served from memory under a name that changes with their content."""

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

STATIC = Path(__file__).with_name("static")
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HTMX = "vendor/htmx.min.js"
ECHARTS = "vendor/echarts.common.min.js"
FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    content_type: str
    body: bytes
    gzipped: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Assets:
    files: Mapping[str, Asset]

    @classmethod
    def read(cls, folder: Path = STATIC) -> "Assets":
        """Every stylesheet, script and picture under *folder*, by its path there."""
        return cls(
            {
                path.relative_to(folder).as_posix(): _asset(path)
                for path in sorted(folder.rglob("*"))
                if path.suffix in TYPES and path.is_file()
            }
        )

    @property
    def built(self) -> bool:
        """Whether the build hook has fetched the scripts."""
        return HTMX in self.files and ECHARTS in self.files

    def path(self, name: str) -> str:
        """Where *name* is served, relative to the root."""
        return f"static/{self.files[name].digest}/{name}"

    async def serve(self, request: web.Request) -> web.Response:
        """GET /static/{digest}/{name}: an address of another version is not found, so that no cache mixes two."""
        asset = self.files.get(request.match_info["name"])
        if asset is None or asset.digest != request.match_info["digest"]:
            raise web.HTTPNotFound
        headers = {"Cache-Control": FOREVER, "ETag": f'"{asset.digest}"', "Vary": "Accept-Encoding"}
        body = asset.body
        if "gzip" in request.headers.get("Accept-Encoding", ""):
            body, headers["Content-Encoding"] = asset.gzipped, "gzip"
        return web.Response(body=body, content_type=asset.content_type, charset="utf-8", headers=headers)


def _asset(path: Path) -> Asset:
    body = path.read_bytes()
    return Asset(TYPES[path.suffix], body, gzip.compress(body, 6, mtime=0), hashlib.sha256(body).hexdigest()[:12])

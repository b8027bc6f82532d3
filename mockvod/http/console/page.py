"""Serves the console's page at `/mockvod/` and its scripts, styles and icon below `/mockvod/console/`."""

import hashlib
from pathlib import Path
from typing import Final, NamedTuple

from aiohttp import web

from mockvod.http.console.lean import lean

STATIC: Final = Path(__file__).parent / "static"
CONTENT_TYPES: Final = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
HEADERS: Final = {
    # Everything comes from this server; nothing is written inside the page itself.
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # The browser asks again each time, and gets 304: a newer mockvod at the same address must not run old scripts.
    "Cache-Control": "no-cache",
}


class _File(NamedTuple):
    body: bytes
    content_type: str
    etag: str


class Console:
    """Answers GET and HEAD. Each file is read when it is first requested, and kept."""

    def __init__(self) -> None:
        self._files: dict[str, _File] = {}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/mockvod", self._redirect)
        router.add_get("/mockvod/", self._page)
        router.add_get("/mockvod/console/{name}", self._file)
        router.add_get("/mockvod/console{rest:.*}", self._missing)

    async def _redirect(self, _: web.Request) -> web.StreamResponse:
        raise web.HTTPFound("/mockvod/")

    async def _page(self, request: web.Request) -> web.StreamResponse:
        return self._response(request, "index.html")

    async def _file(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["name"]
        if Path(name).suffix not in CONTENT_TYPES or name not in {path.name for path in STATIC.iterdir()}:
            return await self._missing(request)
        return self._response(request, name)

    async def _missing(self, _: web.Request) -> web.StreamResponse:
        return web.Response(status=404, text="The console has no such file.", headers=HEADERS)

    def _response(self, request: web.Request, name: str) -> web.StreamResponse:
        file = self._files.get(name)
        if file is None:
            body = lean((STATIC / name).read_text(encoding="utf-8"), Path(name).suffix).encode()
            etag = hashlib.sha256(body).hexdigest()[:32]
            file = self._files[name] = _File(body, CONTENT_TYPES[Path(name).suffix], etag)
        response = web.Response(body=file.body, content_type=file.content_type, charset="utf-8", headers=HEADERS)
        response.etag = file.etag
        known = request.if_none_match or ()
        if any(one.value in {file.etag, "*"} for one in known):
            response.set_status(304)
            response.body = None
        return response

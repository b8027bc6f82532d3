"""Whether the server lives and is ready, answered without the rest of the control API: so starting is quick."""

from typing import Final

from aiohttp import web

from mockvod.service.world import World

LIVEZ: Final = "/mockvod/livez"
READYZ: Final = "/mockvod/readyz"
METRICS: Final = "/mockvod/metrics"
CA: Final = "/mockvod/ca.pem"
"""The certificate that clients of https must trust; there while https is served by mockvod's own authority."""


class Health:
    """Answers `{"status": …}`: `alive`; `ready`, or with status 503 `starting`."""

    def __init__(self, world: World, ca_pem: bytes = b"") -> None:
        self._world = world
        self._ca_pem = ca_pem

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(LIVEZ, self._livez)
        router.add_get(READYZ, self._readyz)
        if self._ca_pem:
            router.add_get(CA, self._ca)

    async def _livez(self, _: web.Request) -> web.Response:
        return _status("alive")

    async def _readyz(self, _: web.Request) -> web.Response:
        return _status("ready") if self._world.ready else _status("starting", 503)

    async def _ca(self, _: web.Request) -> web.Response:
        return web.Response(body=self._ca_pem, content_type="application/x-pem-file")


def _status(status: str, code: int = 200) -> web.Response:
    return web.Response(body=b'{"status":"%b"}' % status.encode(), status=code, content_type="application/json")

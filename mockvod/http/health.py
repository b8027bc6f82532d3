"""Whether the server lives and is ready, answered without the rest of the control API: so starting is quick."""

from typing import Final

from aiohttp import web

from mockvod.service.world import World

LIVEZ: Final = "/mockvod/livez"
READYZ: Final = "/mockvod/readyz"


class Health:
    """Answers `{"status": …}`: `alive`; `ready`, or with status 503 `starting`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(LIVEZ, self._livez)
        router.add_get(READYZ, self._readyz)

    async def _livez(self, _: web.Request) -> web.Response:
        return _answer("alive")

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer("ready") if self._world.ready else _answer("starting", 503)


def _answer(status: str, code: int = 200) -> web.Response:
    return web.Response(body=b'{"status":"%b"}' % status.encode(), status=code, content_type="application/json")

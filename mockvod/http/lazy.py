"""Routes that are built with their first request: start-up does not pay for their imports."""

from collections.abc import Callable
from typing import Protocol

from aiohttp import web

from mockvod.pictures.worker import IMPORT_SECONDS, Worker, WorkerClosed


class Routed(Protocol):
    """Handlers of some paths."""

    def add_routes(self, router: web.UrlDispatcher) -> None: ...


class LazyRouter:
    """Passes requests to handlers that are made for the first of them. They must have a route for every path.

    *load* runs in a thread of *importer*, because imports may take a second, and returns what makes the handlers.
    """

    def __init__(self, load: Callable[[], Callable[[], Routed]], importer: Worker) -> None:
        self._load = load
        self._importer = importer
        self._router: web.UrlDispatcher | None = None

    async def respond(self, request: web.Request) -> web.StreamResponse:
        if self._router is None:
            try:
                make = await self._importer.run(lambda _: self._load(), seconds=IMPORT_SECONDS)
            except WorkerClosed:  # the server is stopping
                make = self._load()
            if self._router is None:  # which another request may have made meanwhile
                router = web.UrlDispatcher()
                make().add_routes(router)
                self._router = router
        found = await self._router.resolve(request)
        request.match_info.update(found)  # where handlers read the parts of the path that have names
        return await found.handler(request)

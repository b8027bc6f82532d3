"""Routes that are built with their first request: start-up does not pay for their imports."""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from aiohttp import web

from mockvod.pictures.worker import Job, Worker, WorkerClosed

BUILD_SECONDS: Final = 60.0


class Routed(Protocol):
    """Handlers of some paths."""

    def add_routes(self, router: web.UrlDispatcher) -> None: ...


class LazyRouter:
    """Passes requests to handlers that *build* makes for the first of them. They must have a route for every path.

    They are made in a thread of *worker*, because imports may take a second.
    """

    def __init__(self, build: Callable[[], Routed], worker: Worker) -> None:
        self._build = build
        self._worker = worker
        self._building: Job[web.UrlDispatcher] | None = None
        self._router: web.UrlDispatcher | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self._router is None:
            if self._building is None:
                self._building = self._worker.submit(lambda _: self._routes(), seconds=BUILD_SECONDS)
            try:
                self._router = await asyncio.shield(self._building.future)
            except WorkerClosed:  # the server is stopping
                self._router = self._routes()
        found = await self._router.resolve(request)
        request.match_info.update(found)  # where handlers read the parts of the path that have names
        return await found.handler(request)

    def _routes(self) -> web.UrlDispatcher:
        router = web.UrlDispatcher()
        self._build().add_routes(router)
        return router

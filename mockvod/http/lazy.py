"""Routes that are built with their first request: start-up does not pay for their imports."""

import asyncio
from collections.abc import Callable

from aiohttp import web


class LazyRouter:
    """Routes requests with a router that *build* makes for the first of them.

    That router must have a route for every path. It is made in a thread, because imports may take a second.
    """

    def __init__(self, build: Callable[[], web.UrlDispatcher]) -> None:
        self._build = build
        self._building: asyncio.Future[web.UrlDispatcher] | None = None
        self._router: web.UrlDispatcher | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self._router is None:
            if self._building is None:
                self._building = asyncio.get_running_loop().run_in_executor(None, self._build)
            self._router = await asyncio.shield(self._building)
        found = await self._router.resolve(request)
        request.match_info.update(found)  # where handlers read the parts of the path that have names
        return await found.handler(request)

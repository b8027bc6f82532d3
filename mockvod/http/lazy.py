"""Routes that are built with their first request: start-up does not pay for their imports."""

from collections.abc import Callable

from aiohttp import web


class LazyRouter:
    """Routes requests with a router that *build* makes for the first of them.

    That router must have a route for every path.
    """

    def __init__(self, build: Callable[[], web.UrlDispatcher]) -> None:
        self._build = build
        self._router: web.UrlDispatcher | None = None

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self._router is None:
            self._router = self._build()
        found = await self._router.resolve(request)
        request.match_info.update(found)  # where handlers read the parts of the path that have names
        return await found.handler(request)

"""What mockvod is measured against: aiohttp, and handlers that do nothing but answer constant bytes.

Run as a program: `bare.py PORT [--uvloop]`. It imports nothing but what it needs, as the least that a server on
aiohttp can cost to start.
"""

import asyncio
import sys
from collections import deque

from aiohttp import ClientSession, TCPConnector, web

JSON = {"Content-Type": "application/json"}
HOLD = 5.0  # seconds, as PullEvents


class Bare:
    """Answers each Action with the bytes that it was given for it; holds polls; pushes."""

    def __init__(self) -> None:
        self._answers: dict[str, bytes] = {}
        self._held: deque[asyncio.Future[None]] = deque()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/", self.ready)
        router.add_post("/", self.answer)
        router.add_put("/answers/{action}", self.learn)
        router.add_post("/held", self.hold)
        router.add_post("/emit", self.emit)
        router.add_get("/stats", self.stats)
        router.add_post("/push", self.push)

    async def ready(self, _: web.Request) -> web.Response:
        return web.Response(body=b'{"status":"ready"}', headers=JSON)

    async def answer(self, request: web.Request) -> web.Response:
        return web.Response(body=self._answers[request.headers["X-TC-Action"]], headers=JSON)

    async def learn(self, request: web.Request) -> web.Response:
        self._answers[request.match_info["action"]] = await request.read()
        return web.Response(status=204)

    async def hold(self, _: web.Request) -> web.Response:
        future = asyncio.get_running_loop().create_future()
        self._held.append(future)
        try:
            async with asyncio.timeout(HOLD):
                await future
        except TimeoutError:
            self._held.remove(future)
        return web.Response(body=self._answers["PullEvents"], headers=JSON)

    async def emit(self, _: web.Request) -> web.Response:
        self._held.popleft().set_result(None)
        return web.Response(body=self._answers["emit"], headers=JSON)

    async def stats(self, _: web.Request) -> web.Response:
        return web.Response(body=b'{"polls":%d}' % len(self._held), headers=JSON)

    async def push(self, request: web.Request) -> web.Response:
        """POST the constant bytes `count` times to `url`, `in_flight` at once; answers when all are through."""
        wish = await request.json()
        left = wish["count"]
        body = self._answers["push"]

        async def work(session: ClientSession) -> None:
            nonlocal left
            while left:
                left -= 1
                async with session.post(wish["url"], data=body, headers=JSON) as response:
                    await response.read()

        async with ClientSession(connector=TCPConnector(limit=0)) as session:
            await asyncio.gather(*(work(session) for _ in range(wish["in_flight"])))
        return web.Response(body=b"{}", headers=JSON)


def main(port: int, *, fast_loop: bool) -> None:
    loop = None
    if fast_loop:
        import uvloop

        loop = uvloop.new_event_loop()
    app = web.Application()
    Bare().add_routes(app.router)
    web.run_app(app, host="127.0.0.1", port=port, access_log=None, print=None, loop=loop, shutdown_timeout=0.1)


if __name__ == "__main__":
    main(int(sys.argv[1]), fast_loop="--uvloop" in sys.argv)

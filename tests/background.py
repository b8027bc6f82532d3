"""A server on a thread of its own, for what talks to it by blocking calls."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from mockvod.app import Running, serving
from mockvod.service.world import Account
from mockvod.settings import Settings

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Background:
    """A server, and the loop on whose thread its world may be touched."""

    running: Running
    loop: asyncio.AbstractEventLoop
    stop: asyncio.Event

    @property
    def url(self) -> str:
        return self.running.url

    @property
    def account(self) -> Account:
        return self.running.world.default

    def do(self, work: Callable[[], Result]) -> Result:
        """What *work* returns, done on the server's thread."""

        async def done() -> Result:
            return work()

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(5)


@contextmanager
def in_background(**settings: Any) -> Iterator[Background]:
    started: Future[Background] = Future()

    async def main() -> None:
        try:
            async with serving(Settings(**{"port": 0, "seed": 7, **settings})) as running:
                server = Background(running, asyncio.get_running_loop(), asyncio.Event())
                started.set_result(server)
                await server.stop.wait()
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    thread = threading.Thread(target=lambda: asyncio.run(main()), name="mockvod")
    thread.start()
    server = started.result(5)
    try:
        yield server
    finally:
        server.loop.call_soon_threadsafe(server.stop.set)
        thread.join(5)
        assert not thread.is_alive(), "the server did not end"

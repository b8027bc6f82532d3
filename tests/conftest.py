from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import ClientSession, web

from mockvod.app import Running, serving
from mockvod.settings import Settings
from tests.support import Caller, Receiver


@pytest.fixture
async def start() -> AsyncIterator[Callable[..., Awaitable[Running]]]:
    """Starts a server on a free port with the settings given; the real runner, not aiohttp's test server."""
    async with AsyncExitStack() as stack:

        async def begin(**settings: Any) -> Running:
            return await stack.enter_async_context(serving(Settings(**{"port": 0, "seed": 7, **settings})))

        yield begin


@pytest.fixture
async def running(start: Callable[..., Awaitable[Running]]) -> Running:
    return await start()


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


@pytest.fixture
def caller(running: Running, session: ClientSession) -> Caller:
    return Caller(running, session)


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    yield receiver
    await runner.cleanup()

"""Receivers that do not answer as they should, and waiting for what becomes of an event."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from ssl import SSLContext

from mockvod.engine.events import TERMINAL, event_number
from mockvod.service.world import Account

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def receiving(answer: Answer, *, tls: SSLContext | None = None, port: int = 0) -> AsyncIterator[str]:
    """The URL of a receiver that reads each request to its end and then does as *answer* says."""
    writers: set[asyncio.StreamWriter] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            head = (await reader.readuntil(b"\r\n\r\n")).lower()
            await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
            await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", port, ssl=tls)
    try:
        scheme = "https" if tls else "http"
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
    finally:
        server.close()
        for writer in writers:
            writer.transport.abort()
        await server.wait_closed()


def saying(raw: bytes) -> Answer:
    """Writes *raw* and closes."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(raw)
        await writer.drain()

    return answer


async def hanging(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Never answers."""
    await reader.read()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


async def ended(account: Account, *ids: str) -> list[str]:
    """The states of these events, once each of them is over."""
    events = [account.life.events.find(event_number(one) or 0) for one in ids]
    all_over = asyncio.Event()

    def look(_: object = None) -> None:
        if all(event is not None and event.state in TERMINAL for event in events):
            all_over.set()

    stop_listening = account.life.journal.listen(look)
    look()
    try:
        async with asyncio.timeout(10):
            await all_over.wait()
    finally:
        stop_listening()
    return [event.state for event in events if event is not None]

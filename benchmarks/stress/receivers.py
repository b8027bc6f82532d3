"""A callback receiver that answers well most of the time."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

OK: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
FAILED: Final = b"HTTP/1.1 500 Failed\r\nContent-Length: 0\r\n\r\n"
SHORT: Final = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"
NOT_HTTP: Final = b"no response\r\n\r\n"


class Receiver:
    """Answers, fails, is late, hangs, cuts responses short, hangs up, or does not speak HTTP."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._open: set[asyncio.Task[None]] = set()

    def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer))
        self._open.add(serving)
        serving.add_done_callback(self._open.discard)

    async def aclose(self) -> None:
        """End every connection."""
        serving = [*self._open]
        for task in serving:
            task.cancel()
        await asyncio.gather(*serving, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(asyncio.IncompleteReadError, ConnectionError):
                while await self._one(reader, writer):
                    pass
        finally:
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and respond; whether the connection stays open."""
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0]))
        what = self._chance.random()
        if what < 0.84:
            if what > 0.78:
                await asyncio.sleep(self._chance.random() * 2)
            writer.write(FAILED if 0.7 < what < 0.78 else OK)
            return True
        if what < 0.88:
            await reader.read(1)  # until the client gives up
        elif what < 0.96:
            writer.write(SHORT if what < 0.92 else NOT_HTTP)
        return False


@asynccontextmanager
async def receiving(chance: random.Random) -> AsyncIterator[tuple[str, str]]:
    """The URL of a receiver, and one where nobody listens."""
    receiver = Receiver(chance)
    server = await asyncio.start_server(receiver.connected, "127.0.0.1", 0)
    closed = await asyncio.start_server(receiver.connected, "127.0.0.1", 0)
    urls = [f"http://127.0.0.1:{one.sockets[0].getsockname()[1]}/callback" for one in (server, closed)]
    closed.close()
    try:
        yield urls[0], urls[1]
    finally:
        server.close()
        await receiver.aclose()

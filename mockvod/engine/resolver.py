"""Names of receivers to addresses, so that a look-up nobody answers holds up no one's exit."""

import asyncio
import socket
import threading
from collections.abc import Callable
from contextlib import suppress

from aiohttp.abc import AbstractResolver, ResolveResult

_PLAIN = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


class Resolver(AbstractResolver):
    """The system's resolver, each look-up in a daemon thread.

    The event loop's own look-ups run in an executor, whose threads both the loop and the interpreter wait for when
    they end; a name server that does not answer takes half a minute. aiohttp asks once for each name and keeps the
    answer for ten seconds, so threads are few.
    """

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """The addresses of *host*. Raises OSError where it has none."""
        loop = asyncio.get_running_loop()
        found: asyncio.Future[list[ResolveResult]] = loop.create_future()

        def look_up() -> None:
            try:
                addresses = _addresses(host, port, family)
            except (OSError, UnicodeError) as error:
                answer = error if isinstance(error, OSError) else OSError(f"{host!r} is no name: {error}")
                tell(lambda: found.set_exception(answer))
            else:
                tell(lambda: found.set_result(addresses))

        def tell(outcome: Callable[[], None]) -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(lambda: None if found.done() else outcome())

        threading.Thread(target=look_up, name=f"look-up of {host}", daemon=True).start()
        return await found

    async def close(self) -> None:
        """Nothing to close: who waited has been cancelled, and its thread ends by itself."""


def _addresses(host: str, port: int, family: socket.AddressFamily) -> list[ResolveResult]:
    return [
        ResolveResult(
            hostname=host,
            host=socket.getnameinfo(address, socket.NI_NUMERICHOST | socket.NI_NUMERICSERV)[0],
            port=port,
            family=found,
            proto=protocol,
            flags=_PLAIN,
        )
        for found, _, protocol, _, address in socket.getaddrinfo(host, port, family, socket.SOCK_STREAM)
    ]

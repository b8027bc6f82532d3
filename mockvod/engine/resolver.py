"""Names of receivers to addresses, so that a look-up nobody answers holds up no one's exit."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from aiohttp.abc import AbstractResolver, ResolveResult

_PLAIN = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


# In private networks of AWS; 169.254.0.0/16 and fe80::/10 are those of the others.
_METADATA = frozenset({ipaddress.ip_address("fd00:ec2::254")})


class LinkLocalAddress(OSError):
    """A callback URL leads to an address that only this machine's network can mean, such as a cloud's metadata."""


class Resolver(AbstractResolver):
    """The system's resolver, each look-up in a daemon thread.

    Raises LinkLocalAddress for link-local and metadata addresses unless *allow_link_local*: a callback URL must not
    read the credentials of the machine that mockvod runs on.

    The event loop's own look-ups run in an executor, whose threads both the loop and the interpreter wait for when
    they end; a name server that does not answer takes half a minute. aiohttp asks once for each name and keeps the
    answer for ten seconds, so threads are few.
    """

    def __init__(self, *, allow_link_local: bool = False) -> None:
        self._allow_link_local = allow_link_local

    def check(self, host: str) -> None:
        """Raise LinkLocalAddress if *host* is an address that is not allowed. A name is checked when it is resolved."""
        if not self._allow_link_local and _is_link_local(host):
            raise LinkLocalAddress(f"{host} is a link-local address, which only allow-link-local permits")

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
        addresses = await found
        for address in addresses:
            self.check(address["host"])
        return addresses

    async def close(self) -> None:
        """Nothing to close: who waited has been cancelled, and its thread ends by itself."""


@lru_cache(maxsize=256)
def _is_link_local(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return address.is_link_local or address in _METADATA


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

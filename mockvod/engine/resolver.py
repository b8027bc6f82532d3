"""Resolves the host names of receivers. A look-up that gets no response does not delay the exit of the process."""

import asyncio
import ipaddress
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from aiohttp.abc import AbstractResolver, ResolveResult

_PLAIN = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV


# The metadata service of AWS. Those of other clouds are in 169.254.0.0/16 and fe80::/10, which are link-local.
_METADATA = frozenset({ipaddress.ip_address("fd00:ec2::254")})


class LinkLocalAddress(OSError):
    """A callback URL leads to a link-local address, such as that of a cloud's metadata service."""


class Resolver(AbstractResolver):
    """The system's resolver, each look-up in a daemon thread.

    Raises LinkLocalAddress for link-local and metadata addresses unless *allow_link_local*: a callback URL must not
    read the credentials of the machine that mockvod runs on.

    The event loop's own look-ups run in an executor, and the loop and the interpreter wait for its threads when they
    end: half a minute for a name server that does not respond. aiohttp resolves each name once in ten seconds, so
    there are few threads.
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
                failure = error if isinstance(error, OSError) else OSError(f"{host!r} is not a host name: {error}")
                report(lambda: found.set_exception(failure))
            else:
                report(lambda: found.set_result(addresses))

        def report(outcome: Callable[[], None]) -> None:
            with suppress(RuntimeError):  # the loop is closed
                loop.call_soon_threadsafe(lambda: None if found.done() else outcome())

        threading.Thread(target=look_up, name=f"look-up of {host}", daemon=True).start()
        addresses = await found
        for address in addresses:
            self.check(address["host"])
        return addresses

    async def close(self) -> None:
        """Nothing to close: the threads end by themselves."""


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

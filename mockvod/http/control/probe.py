"""Checks a callback URL from this machine: its name, addresses, TLS and HTTP. No event is delivered."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from aiohttp import (
    ClientConnectorCertificateError,
    ClientError,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    TCPConnector,
)
from aiohttp.abc import ResolveResult
from yarl import URL

from mockvod.engine.clock import real_time
from mockvod.engine.consumers import printable
from mockvod.engine.resolver import Resolver
from mockvod.insight.callbacks import Surroundings, Verdict, advice_on_status, in_container, is_loopback, other_loopback
from mockvod.insight.diagnosis import refused_urls
from mockvod.redaction import redacted
from mockvod.service.world import Account

PATIENCE: Final = 5.0
"""Seconds for each step: resolving the name, connecting to one address, the response."""

FAMILIES: Final = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}
LOOPBACKS: Final = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the URL's host, and whether it accepts connections."""

    address: str
    family: str
    outcome: str
    """`connected`, or the system's error."""
    seconds: float

    @property
    def connected(self) -> bool:
        return self.outcome == "connected"


@dataclass(slots=True)
class Seen:
    """The result of checking a callback URL."""

    url: str
    verdict: Verdict | None = None
    message: str = ""
    addresses: list[Address] = field(default_factory=list)
    status: int | None = None
    allow: str | None = None
    """The response's Allow header."""
    error: str | None = None
    seconds: float | None = None
    """From the request to its response, connecting included; None if no request was sent."""

    @property
    def ok(self) -> bool:
        return self.verdict == "answers"

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


async def probe(url: str, patience: float = PATIENCE, *, allow_link_local: bool = False) -> Seen:
    """Check *url* as a delivery would use it: resolve the name, connect to each address, send OPTIONS.

    OPTIONS changes nothing in a receiver, and `Allow` often says whether it accepts POST. Any status shows that it
    speaks HTTP. Raises ValueError if *url* is not an http or https URL.
    """
    where = URL(url)
    if where.scheme not in {"http", "https"} or not where.host:
        raise ValueError(f"{redacted(url)!r} must be an http:// or https:// URL")
    seen = Seen(redacted(url))
    resolver = Resolver(allow_link_local=allow_link_local)
    for found in await _found(where, seen, patience, resolver):
        seen.addresses.append(await _connected(found["host"], found["port"], found["family"], patience))
    if any(one.connected for one in seen.addresses):
        await _send_options(where, seen, patience, resolver)
    elif seen.addresses:
        await _nothing_listens(where, seen, patience)
    return seen


async def surroundings(account: Account, remote: str | None) -> Surroundings:
    """The facts about this machine that a diagnosis of *account* needs; *remote* is the address of its sender."""
    listening = {}
    for url in await refused_urls(account):
        other = await _other_loopback(URL(url), patience=0.5)
        if other is not None:
            listening[url] = other
    return Surroundings(in_container(), is_loopback(remote), listening)


async def _found(where: URL, seen: Seen, patience: float, resolver: Resolver) -> list[ResolveResult]:
    try:
        async with asyncio.timeout(patience):
            return await resolver.resolve(where.host or "", where.port or 0)
    except TimeoutError:
        seen.error = f"the name server did not respond within {patience:g} s"
    except OSError as error:
        seen.error = error.strerror or str(error)
    seen.verdict = "name_not_found"
    seen.message = f"the name {where.host} cannot be resolved from here: {seen.error}"
    return []


async def _connected(address: str, port: int, family: int, patience: float) -> Address:
    start = real_time()
    outcome = "connected"
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(address, port, family=family)
    except TimeoutError:
        outcome = f"no response within {patience:g} s"
    except OSError as error:
        outcome = error.strerror or str(error)
    else:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return Address(address, FAMILIES.get(socket.AddressFamily(family), str(family)), outcome, _since(start))


async def _other_loopback(where: URL, patience: float) -> str | None:
    """The loopback address other than the host of *where* that accepts connections at its port."""
    for address in LOOPBACKS:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if where.host != address and (await _connected(address, where.port or 0, family, patience)).connected:
            return address
    return None


async def _nothing_listens(where: URL, seen: Seen, patience: float) -> None:
    if any(one.address in LOOPBACKS for one in seen.addresses):
        other = await _other_loopback(where, patience)
        if other is not None:
            seen.verdict, seen.message = "other_loopback", other_loopback(seen.url, other)
            return
    tried = ", ".join(f"{one.address}: {one.outcome}" for one in seen.addresses)
    seen.verdict = "timeout" if all(one.outcome.startswith("no response") for one in seen.addresses) else "refused"
    seen.message = f"nothing listens on {where.host} port {where.port} ({tried}): is the application running?"


async def _send_options(where: URL, seen: Seen, patience: float, resolver: Resolver) -> None:
    start = real_time()
    try:
        async with (
            ClientSession(connector=TCPConnector(resolver=resolver), timeout=ClientTimeout(total=patience)) as session,
            session.options(where, allow_redirects=False) as response,
        ):
            seen.status, seen.allow = response.status, printable(response.headers.get("Allow", "")) or None
    except (ClientSSLError, ClientConnectorCertificateError) as error:
        seen.verdict, seen.error = "tls", str(error)
        seen.message = f"TLS fails: {error}. The authority in callback-ca is not used for this check"
    except TimeoutError:
        seen.verdict, seen.error = "timeout", f"no response within {patience:g} s"
        seen.message = f"the connection is accepted, but there was no response within {patience:g} s"
    except (ClientError, OSError) as error:
        seen.verdict, seen.error = "broken_answer", redacted(" ".join(str(error).split())) or type(error).__name__
        seen.message = f"the receiver accepts connections, but does not respond with HTTP: {seen.error}"
    else:
        seen.verdict, seen.message = _judged(seen.status, seen.allow)
    seen.seconds = _since(start)


def _judged(status: int, allow: str | None) -> tuple[Verdict, str]:
    methods = [one.strip().upper() for one in (allow or "").split(",") if one.strip()]
    response = f"the response to OPTIONS has status {status}" + (f", Allow: {allow}" if allow else "")
    if methods:
        return ("answers", f"{response}: it accepts POST") if "POST" in methods else ("status", f"{response}, not POST")
    if status in {405, 501} or 200 <= status < 300 or status == 400:
        return "answers", f"{response}: it speaks HTTP; whether it accepts POST is unknown"
    return "status", f"{response}: {advice_on_status(status)}"


def _since(start: float) -> float:
    return round(max(0.0, real_time() - start), 6)

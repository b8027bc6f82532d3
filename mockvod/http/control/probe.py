"""A callback address looked at from here: its name, its addresses, its TLS, its HTTP answer. Nothing is delivered."""

import asyncio
import socket
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from aiohttp import ClientConnectorCertificateError, ClientError, ClientSession, ClientSSLError, ClientTimeout
from aiohttp.abc import ResolveResult
from yarl import URL

from mockvod.engine.clock import real_time
from mockvod.engine.resolver import Resolver
from mockvod.insight.diagnosis import Surroundings, in_container, refused_urls
from mockvod.service.world import Account

PATIENCE: Final = 5.0
"""Seconds for each step: finding the name, connecting to one address, the answer."""

FAMILIES: Final = {socket.AF_INET: "IPv4", socket.AF_INET6: "IPv6"}
LOOPBACKS: Final = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Address:
    """One address of the URL's host, and whether somebody accepts connections there."""

    address: str
    family: str
    outcome: str
    """`connected`, or what the system said."""
    seconds: float

    @property
    def connected(self) -> bool:
        return self.outcome == "connected"


@dataclass(slots=True)
class Seen:
    """What was seen of a callback URL."""

    url: str
    verdict: str = ""
    """`answers`, or what is wrong: name_not_found, refused, other_loopback, tls, timeout, broken_answer, status."""
    words: str = ""
    addresses: list[Address] = field(default_factory=list)
    status: int | None = None
    allow: str | None = None
    """The answer's Allow header."""
    error: str | None = None
    seconds: float | None = None
    """From the request to its answer, connecting included; None where there was no request."""

    @property
    def ok(self) -> bool:
        return self.verdict == "answers"

    def as_json(self) -> dict[str, Any]:
        return {"ok": self.ok, **asdict(self)}


async def probe(url: str, patience: float = PATIENCE) -> Seen:
    """Look at *url* (http or https) as a delivery would: look the name up, connect to each address, ask OPTIONS.

    OPTIONS changes nothing in a receiver and often tells in `Allow` whether POST is taken; any status shows that HTTP
    is spoken there. Raises ValueError for what is no such URL.
    """
    where = URL(url)
    if where.scheme not in {"http", "https"} or not where.host:
        raise ValueError(f"{url!r} should be an http:// or https:// address")
    seen = Seen(url)
    for found in await _found(where, seen, patience):
        seen.addresses.append(await _connected(found["host"], found["port"], found["family"], patience))
    if seen.addresses and any(one.connected for one in seen.addresses):
        await _asked(where, seen, patience)
    elif seen.addresses:
        await _nobody_listens(where, seen, patience)
    return seen


async def surroundings(account: Account) -> Surroundings:
    """What a diagnosis of *account* needs to know of this machine."""
    listening = {}
    for url in refused_urls(account):
        other = await _other_loopback(URL(url), patience=0.5)
        if other is not None:
            listening[url] = other
    return Surroundings(in_container=in_container(), listening=listening)


async def _found(where: URL, seen: Seen, patience: float) -> list[ResolveResult]:
    try:
        async with asyncio.timeout(patience):
            return await Resolver().resolve(where.host or "", where.port or 0)
    except TimeoutError:
        seen.error = f"the name server has not answered within {patience:g} s"
    except OSError as error:
        seen.error = error.strerror or str(error)
    seen.verdict = "name_not_found"
    seen.words = f"the name {where.host} is not found from here: {seen.error}"
    return []


async def _connected(address: str, port: int, family: int, patience: float) -> Address:
    start = real_time()
    outcome = "connected"
    try:
        async with asyncio.timeout(patience):
            _, writer = await asyncio.open_connection(address, port, family=family)
    except TimeoutError:
        outcome = f"no answer within {patience:g} s"
    except OSError as error:
        outcome = error.strerror or str(error)
    else:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    return Address(address, FAMILIES.get(socket.AddressFamily(family), str(family)), outcome, _since(start))


async def _other_loopback(where: URL, patience: float) -> str | None:
    """The loopback address that accepts connections at the port of *where*."""
    for address in LOOPBACKS:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        if where.host != address and (await _connected(address, where.port or 0, family, patience)).connected:
            return address
    return None


async def _nobody_listens(where: URL, seen: Seen, patience: float) -> None:
    tried = ", ".join(f"{one.address}: {one.outcome}" for one in seen.addresses)
    if any(one.address in LOOPBACKS for one in seen.addresses):
        other = await _other_loopback(where, patience)
        if other is not None:
            seen.verdict = "other_loopback"
            seen.words = (
                f"nobody listens there ({tried}), but somebody does at {other} port {where.port}: put {other} into the "
                "URL, or let the application listen on both"
            )
            return
    seen.verdict = "timeout" if all(one.outcome.startswith("no answer") for one in seen.addresses) else "refused"
    seen.words = f"nobody accepts connections at {where.host} port {where.port} ({tried}): is the application running?"


async def _asked(where: URL, seen: Seen, patience: float) -> None:
    start = real_time()
    try:
        async with (
            ClientSession(timeout=ClientTimeout(total=patience)) as session,
            session.options(where, allow_redirects=False) as response,
        ):
            seen.status, seen.allow = response.status, _plain(response.headers.get("Allow", "")) or None
    except (ClientSSLError, ClientConnectorCertificateError) as error:
        seen.verdict, seen.error = "tls", str(error)
        seen.words = f"TLS fails: {error}. mockvod trusts the authority in callback-ca, which is not looked at here"
    except TimeoutError:
        seen.verdict, seen.error = "timeout", f"no answer within {patience:g} s"
        seen.words = f"the connection is accepted, but there was no answer within {patience:g} s"
    except (ClientError, OSError) as error:
        seen.verdict, seen.error = "broken_answer", " ".join(str(error).split()) or type(error).__name__
        seen.words = f"somebody listens, but the answer is no HTTP answer: {seen.error}"
    else:
        seen.verdict, seen.words = _judged(seen.status, seen.allow)
    seen.seconds = _since(start)


def _judged(status: int, allow: str | None) -> tuple[str, str]:
    methods = [one.strip().upper() for one in (allow or "").split(",") if one.strip()]
    told = f"OPTIONS was answered with status {status}" + (f", Allow: {allow}" if allow else "")
    if methods and "POST" not in methods:
        return "status", f"{told}: it does not take POST, by which events come"
    if "POST" in methods:
        return "answers", f"{told}: it takes POST"
    if 300 <= status < 400:
        return "status", f"{told}: pushes follow no redirect; use the address that it leads to"
    if status == 404:
        return "status", f"{told}: is the path right? (Some frameworks answer so where only POST is taken)"
    if status in {401, 403}:
        return "status", f"{told}: events carry no credentials"
    if status >= 500 and status != 501:
        return "status", f"{told}: the application fails"
    return "answers", f"{told}: HTTP is spoken there; whether POST is taken it does not say"


def _plain(text: str) -> str:
    """A header fit to be shown, whatever bytes it has."""
    return text[:200].encode(errors="backslashreplace").decode()


def _since(start: float) -> float:
    return round(max(0.0, real_time() - start), 6)

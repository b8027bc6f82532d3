"""What a test pays for the tester's kit: a server of its own, an account, a moved clock, a wait."""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from benchmarks.report import Row, at_most
from mockvod.testing import AsyncClient, Client, MockVod


@dataclass(frozen=True, slots=True)
class Effort:
    rounds: int
    accounts: int
    timers: int
    waits: int


FULL = Effort(rounds=5, accounts=100, timers=1_000, waits=100)
QUICK = Effort(rounds=1, accounts=5, timers=20, waits=5)


async def measure(effort: Effort) -> list[Row]:
    return await asyncio.to_thread(_measure, effort)


def _measure(effort: Effort) -> list[Row]:
    starts: list[float] = []
    stops: list[float] = []
    bare_starts: list[float] = []
    bare_stops: list[float] = []
    accounts: list[float] = []
    advances: list[float] = []
    waits: list[float] = []
    calls: list[float] = []
    bursts: list[float] = []
    for _ in range(effort.rounds + 1):  # the first pays for imports and is left out
        began = time.perf_counter()
        with MockVod() as server:
            starts.append(time.perf_counter() - began)
            calls.append(_each(effort.accounts, server.client.stats))
            accounts.append(_each(effort.accounts, lambda: _account(server.client)))
            advances.append(_advance(server.client, effort.timers))
            waits.append(asyncio.run(_waits(server.url, effort.waits)))
            bursts.append(asyncio.run(_burst(server.url, effort.waits)))
            began = time.perf_counter()
        stops.append(time.perf_counter() - began)
        bare_start, bare_stop = _bare()
        bare_starts.append(bare_start)
        bare_stops.append(bare_stop)
    return [
        Row("a server in a thread: start", "s", starts[1:], bare_starts[1:], at_most(0.5)),
        Row("a server in a thread: stop", "s", stops[1:], bare_stops[1:], at_most(0.2)),
        Row(
            "an account for a test, made and deleted (bare: two calls)", "ms", _ms(accounts), _ms(calls, 2), at_most(5)
        ),
        Row(f"advance through {effort.timers} moments (bare: a call)", "ms", _ms(advances), _ms(calls)),
        Row(f"an event wakes {effort.waits} waits (bare: as many calls at once)", "ms", _ms(waits), _ms(bursts)),
    ]


def _ms(seconds: list[float], times: float = 1) -> list[float]:
    return [one * 1000 * times for one in seconds[1:]]


def _each(count: int, call: Callable[[], object]) -> float:
    call()
    began = time.perf_counter()
    for _ in range(count):
        call()
    return (time.perf_counter() - began) / count


def _account(client: Client) -> None:
    client.delete_account(client.make_account().secret_id)


def _advance(client: Client, timers: int) -> float:
    """Seconds for an advance through so many moments, at each of which an event happens."""
    client.clock.freeze()
    for place in range(timers):
        client.emit(delay=1 + place / 1000)
    began = time.perf_counter()
    client.clock.advance(10)
    seconds = time.perf_counter() - began
    client.reset()
    return seconds


async def _waits(url: str, count: int) -> float:
    """Seconds from an event to the last of so many waits that it ends."""
    async with AsyncClient(url) as client:
        waits = [asyncio.ensure_future(client.wait_for("queued", task_id="a", timeout=30)) for _ in range(count)]
        await _until_sent(client, count)
        began = time.perf_counter()
        await client.emit(task_id="a")
        await asyncio.gather(*waits)
        seconds = time.perf_counter() - began
        await client.reset()
        return seconds


async def _until_sent(client: AsyncClient, count: int) -> None:
    """Some calls later the waits, sent before them on connections of their own, are under way too."""
    for _ in range(count):
        await client.stats()


async def _burst(url: str, count: int) -> float:
    async with AsyncClient(url) as client:
        await asyncio.gather(*(client.stats() for _ in range(count)))
        began = time.perf_counter()
        await asyncio.gather(*(client.stats() for _ in range(count)))
        return time.perf_counter() - began


def _bare() -> tuple[float, float]:
    """Seconds that a bare aiohttp application takes to start and to stop in a thread."""
    ready, stop = threading.Event(), threading.Event()

    async def serve() -> None:
        runner = web.AppRunner(web.Application(), handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        ready.set()
        await asyncio.to_thread(stop.wait)
        await runner.cleanup()

    began = time.perf_counter()
    thread = threading.Thread(target=asyncio.run, args=(serve(),))
    thread.start()
    ready.wait()
    started = time.perf_counter()
    stop.set()
    thread.join()
    return started - began, time.perf_counter() - started

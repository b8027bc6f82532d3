"""Clocks for tests: the system's time as a test sets it, and what happens when."""

import asyncio
from collections.abc import Awaitable

from mockvod.engine.clock import Clock, Waiter

HOUR = 3600.0
GRACE = 0.01


class System:
    """Replaces the system's clocks: a test sets how much real time has passed."""

    def __init__(self) -> None:
        self.passed = 0.0

    def time(self) -> float:
        return 1_700_000_000.0 + self.passed

    def monotonic(self) -> float:
        return 500.0 + self.passed


class Record:
    """What happened at which second, counted from the clock's moment when the record began."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._begin = clock.now()
        self.entries: list[tuple[float, str]] = []

    def note(self, what: str) -> None:
        self.entries.append((self._clock.now() - self._begin, what))

    def due(self, after: float, what: str = "due") -> None:
        """Note *what* once *after* seconds have passed."""
        self._clock.at(self._begin + after, lambda: self.note(what), what)


def idle(clock: Clock) -> bool:
    return clock._busy == 0 and not clock._calls


async def begun(clock: Clock, work: Awaitable[None]) -> asyncio.Task[None]:
    """A task that does *work* as something that the clock waits for; it has come to its first wait."""

    async def run() -> None:
        with clock.busy():
            await work

    task = asyncio.create_task(run())
    await clock.settle()
    return task


async def all_turns_taken() -> None:
    """Let every task that can run do so."""
    for _ in range(20):
        await asyncio.sleep(0)


async def stuck(clock: Clock, at: float) -> tuple[asyncio.Task[None], asyncio.Event]:
    """Work that begins at the second *at* and lasts until the event is set."""
    done = asyncio.Event()

    async def work() -> None:
        await clock.sleep_until(clock.now() + at, "the test")
        await done.wait()

    return await begun(clock, work()), done


def cancel(task: asyncio.Task[None], waiter: Waiter | None = None) -> None:
    task.cancel()


async def end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])

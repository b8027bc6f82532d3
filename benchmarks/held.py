"""What held events take: memory each, and the pull and confirmation of 16 among up to a million of them.

Each number of events has a process of its own, this module run as a program, which asks the simulated service
directly, without HTTP.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass

from benchmarks import processes
from benchmarks.payload import EVENT_BYTES, structure, wishes
from benchmarks.processes import Program
from benchmarks.report import Row, at_most
from mockvod.engine.push_client import PushClient
from mockvod.service.application import Application
from mockvod.service.world import World
from mockvod.settings import Settings
from mockvod.wire.events import SNAPSHOT_COMPLETE

BATCH = 16
HISTORY = 10_000  # events that are over and kept, as by default
ENOUGH = 100_000  # events from which on memory can be told from what the process takes anyway


@dataclass(frozen=True, slots=True)
class Effort:
    sizes: tuple[int, ...]
    rounds: int
    pulls: int


FULL = Effort(sizes=(1_000, 10_000, 100_000, 1_000_000), rounds=9, pulls=500)
QUICK = Effort(sizes=(100, 1_000), rounds=1, pulls=10)


async def measure(effort: Effort) -> list[Row]:
    """Bare is the event's own bytes for memory, and the smallest number of held events for the pull."""
    costs: dict[int, list[Cost]] = {size: [] for size in effort.sizes}
    kib: dict[int, float] = {}
    with ExitStack() as stack:
        # All at once, so that they are asked in turn while the machine drifts.
        programs: dict[int, Program] = {}
        for size in effort.sizes:
            programs[size] = stack.enter_context(processes.program("benchmarks.held", size, effort.pulls))
            kib[size] = programs[size].read() / 1024
        for _ in range(effort.rounds):
            for size, program in programs.items():
                costs[size].append(Cost(**program.ask()))
    return [*_memory_rows(kib), *_cost_rows(costs)]


@dataclass(frozen=True, slots=True)
class Cost:
    """Microseconds of CPU."""

    mean: float
    """Of a pull and its confirmation."""
    worst: float
    """Of a pull."""


def _memory_rows(kib: Mapping[int, float]) -> Iterator[Row]:
    goal = at_most(round((1.25 * EVENT_BYTES + 150) / 1024, 3))
    for size in kib:
        if size >= ENOUGH or size == max(kib):
            yield Row(
                f"memory of an event, {size:,} held", "KiB", [kib[size]], [EVENT_BYTES / 1024], at_most(1.6), goal
            )


def _cost_rows(costs: Mapping[int, list[Cost]]) -> Iterator[Row]:
    first = min(costs)
    means = {size: [one.mean for one in turns] for size, turns in costs.items()}
    worst = {size: [one.worst for one in turns] for size, turns in costs.items()}
    for size in costs:
        limits = () if size == first else (at_most(1.3, "ratio"), at_most(round(1 / 0.85, 3), "ratio"))
        yield Row(f"pull and confirm 16 of {size:,} held, CPU", "µs", means[size], means[first], *limits)
    for size in costs:
        yield Row(f"pull 16 of {size:,} held, the worst of a turn, CPU", "µs", worst[size], worst[first])


def _world(history: int) -> World:
    return World(Settings(seed=1, history_events=history, pending_bytes=4 * 1024**3), PushClient())


async def _hold(size: int, pulls: int) -> None:
    async with _world(min(HISTORY, size * 10)) as world:
        application = world.default.life.application()
        await _pass_through(application, BATCH * 10)
        gc.collect()
        before = processes.memory().rss
        content = structure(wishes())
        for _ in range(size):
            application.emit(SNAPSHOT_COMPLETE, content)
        each = (processes.memory().rss - before) / size
        # What is over is kept up to a limit: reach it, so that every size is measured with the same.
        await _pass_through(application, world.default.life.settings.history_events)
        print(each, flush=True)
        for _ in sys.stdin:
            print(json.dumps(asdict(await _cost(application, pulls))), flush=True)


async def _pass_through(application: Application, events: int) -> None:
    """Let so many events happen, and as many be confirmed."""
    content = structure(wishes())
    for _ in range(0, events, BATCH):
        for _ in range(BATCH):
            application.emit(SNAPSHOT_COMPLETE, content)
        batch = await application.queue.pull(BATCH, hold=0)
        application.queue.confirm([one.handle for one in batch])


async def _cost(application: Application, pulls: int) -> Cost:
    content = structure(wishes())
    total, worst = 0, 0
    for _ in range(pulls):
        began = time.thread_time_ns()
        batch = await application.queue.pull(BATCH, hold=0)
        pulled = time.thread_time_ns()
        application.queue.confirm([one.handle for one in batch])
        total += time.thread_time_ns() - began
        worst = max(worst, pulled - began)
        for _ in range(BATCH):
            application.emit(SNAPSHOT_COMPLETE, content)
    return Cost(total / pulls / 1000, worst / 1000)


if __name__ == "__main__":
    asyncio.run(_hold(*map(int, sys.argv[1:])))

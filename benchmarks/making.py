"""Making a plausible event and storing it in the queue, without HTTP."""

import json
import time
from dataclasses import dataclass

from benchmarks.report import Row, at_most, laps
from mockvod.engine.push_client import PushClient
from mockvod.service.world import World
from mockvod.settings import Settings
from mockvod.wire.events import SNAPSHOT_COMPLETE


@dataclass(frozen=True, slots=True)
class Effort:
    rounds: int
    events: int


FULL = Effort(rounds=5, events=20_000)
QUICK = Effort(rounds=1, events=500)


async def measure(effort: Effort) -> list[Row]:
    """Bare is `json.dumps` of a structure made before, and a list that keeps the bytes."""
    ours: list[float] = []
    bare: list[float] = []
    for turn in laps(effort.rounds):
        mine, content = await _make(effort.events)
        theirs = _dump(content, effort.events)
        if turn >= 0:
            ours.append(mine)
            bare.append(theirs)
    return [Row("making and storing an event, CPU", "µs", ours, bare, goal=at_most(15))]


async def _make(events: int) -> tuple[float, object]:
    """Microseconds for each, and what one looks like."""

    async with World(Settings(seed=1), PushClient()) as world:
        application = world.default.life.application()
        began = time.thread_time()
        for _ in range(events):
            application.emit(SNAPSHOT_COMPLETE, application.snapshot_task())
        seconds = time.thread_time() - began
        return seconds / events * 1e6, next(iter(world.default.life.events)).content()


def _dump(content: object, events: int) -> float:
    began = time.thread_time()
    kept = [json.dumps(content, separators=(",", ":")).encode() for _ in range(events)]
    return (time.thread_time() - began) / len(kept) * 1e6

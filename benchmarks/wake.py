"""Held polls: how soon one is answered when an event happens, and what many of them cost while none does."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from statistics import median

from benchmarks import load, processes
from benchmarks.load import Connection
from benchmarks.payload import wishes
from benchmarks.processes import Server
from benchmarks.report import Row, at_most, laps


@dataclass(frozen=True, slots=True)
class Effort:
    rounds: int
    wakes: int
    polls: int
    seconds: float
    """For which the polls are watched. Each is held for 5 s, so that in 5 s each ends and begins once."""


FULL = Effort(rounds=3, wakes=300, polls=200, seconds=5.0)
QUICK = Effort(rounds=1, wakes=5, polls=10, seconds=0.1)


@dataclass(frozen=True, slots=True)
class Door:
    """How to reach a server that holds polls."""

    server: Server
    poll: bytes
    emit: bytes
    stats: bytes
    polls: Callable[[bytes], int]
    """Reads in the answer to *stats* how many polls are held."""


async def measure(effort: Effort) -> list[Row]:
    wakes: list[float] = []
    bare_wakes: list[float] = []
    cpu: list[float] = []
    bare_cpu: list[float] = []
    with processes.ours() as server, processes.bare() as constant:
        ours = _ours(server)
        bare = await _bare(constant, ours)
        for turn in laps(effort.rounds):
            mine = [await _wake(ours) for _ in range(effort.wakes)]
            theirs = [await _wake(bare) for _ in range(effort.wakes)]
            if turn >= 0:
                wakes.append(median(mine))
                bare_wakes.append(median(theirs))
        for _ in range(effort.rounds):
            async with _parked(ours, effort.polls), _parked(bare, effort.polls):
                before = server.cpu(), constant.cpu()
                await asyncio.sleep(effort.seconds)
                cpu.append(server.cpu() - before[0])
                bare_cpu.append(constant.cpu() - before[1])
    return [
        Row("emit call to the answer of a held poll", "ms", wakes, bare_wakes, at_most(3), at_most(2)),
        Row(
            f"CPU of {effort.polls} held polls in {effort.seconds:g} s",
            "s",
            cpu,
            bare_cpu,
            goal=at_most(0.1),
        ),
    ]


def _ours(server: Server) -> Door:
    return Door(
        server,
        poll=load.calls(server.port, signed=False)("PullEvents", b"{}"),
        emit=load.http("POST", "/mockvod/v1/events", {}, json.dumps(wishes()).encode()),
        stats=load.http("GET", "/mockvod/v1/stats", {}, b""),
        polls=lambda answer: sum(one["polls"] for one in json.loads(answer)["applications"]),
    )


async def _bare(server: Server, ours: Door) -> Door:
    """The bare server, told to answer what ours answers."""
    async with load.connections(server.port) as [pupil], load.connections(ours.server.port) as [model]:
        emitted = await model.request(ours.emit)
        await pupil.request(load.http("PUT", "/answers/emit", {}, emitted))
        pulled = await model.request(ours.poll)
        await pupil.request(load.http("PUT", "/answers/PullEvents", {}, pulled))
    return Door(
        server,
        poll=load.calls(server.port, signed=False, path="/held")("PullEvents", b"{}"),
        emit=load.http("POST", "/emit", {}, json.dumps(wishes()).encode()),
        stats=load.http("GET", "/stats", {}, b""),
        polls=lambda answer: int(json.loads(answer)["polls"]),
    )


async def _wake(door: Door) -> float:
    """Milliseconds from just before an event is asked for until the held poll has it."""
    async with load.connections(door.server.port, 2) as [poller, control]:
        poll = asyncio.ensure_future(poller.request(door.poll))
        await _until_held(control, door, 1)
        began = time.perf_counter()
        emitted = asyncio.ensure_future(control.request(door.emit))
        answer = await poll
        seconds = time.perf_counter() - began
        await emitted
        if len(load.handles(answer)) != 1:
            raise RuntimeError(f"a held poll got no event: {answer[:500]!r}")
        return seconds * 1000


async def _until_held(control: Connection, door: Door, count: int) -> None:
    while door.polls(await control.request(door.stats)) < count:
        pass


@asynccontextmanager
async def _parked(door: Door, count: int) -> AsyncIterator[None]:
    """So many polls held, each asked again when it ends."""

    async def poll(connection: Connection) -> None:
        while True:
            await connection.request(door.poll)

    async with load.connections(door.server.port, count + 1) as [control, *pollers]:
        polling = [asyncio.ensure_future(poll(one)) for one in pollers]
        try:
            await _until_held(control, door, count)
            yield
        finally:
            for one in polling:
                one.cancel()
            await asyncio.gather(*polling, return_exceptions=True)

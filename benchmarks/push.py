"""Normal callback: how many events are pushed in a second, at what cost, and how soon when nothing else happens."""

import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from statistics import quantiles

from benchmarks import load, processes
from benchmarks.load import Connection, Receiver
from benchmarks.payload import wishes
from benchmarks.processes import Server
from benchmarks.report import Row, at_least, at_most, laps


@dataclass(frozen=True, slots=True)
class Effort:
    rounds: int
    events: int
    singly: int
    """Pushes for the latency, one after the other."""


FULL = Effort(rounds=5, events=3_000, singly=300)
QUICK = Effort(rounds=1, events=500, singly=10)  # fewer could be over before the system counts their CPU

IN_FLIGHT = (1, 16)


@dataclass(frozen=True, slots=True)
class Burst:
    per_second: float
    cpu: float
    """Microseconds of the sender for each event."""


Trigger = Callable[[int], Awaitable[object]]
"""Lets so many events happen."""


async def measure(effort: Effort) -> list[Row]:
    ours: dict[int, list[Burst]] = defaultdict(list)
    bare: dict[int, list[Burst]] = defaultdict(list)
    late: list[float] = []
    bare_late: list[float] = []
    async with load.receiving() as receiver:
        with processes.ours(mode="PUSH", callback_url=receiver.url) as server, processes.bare() as constant:
            async with load.connections(server.port) as [control], load.connections(constant.port) as [other]:
                await _teach(other, receiver, server, _emits(control))
                for turn in laps(effort.rounds):
                    for limit in IN_FLIGHT:
                        await control.json("PATCH", "/mockvod/v1/config", {"callback_concurrency": limit})
                        mine = await _burst(receiver, server, _emits(control), effort.events)
                        theirs = await _burst(receiver, constant, _posts(other, receiver, limit), effort.events)
                        if turn >= 0:
                            ours[limit].append(mine)
                            bare[limit].append(theirs)
                    soon = await _late(receiver, _emits(control), effort.singly)
                    bare_soon = await _late(receiver, _posts(other, receiver, 1), effort.singly)
                    if turn >= 0:
                        late.append(soon)
                        bare_late.append(bare_soon)
    speeds = (
        Row(
            f"pushes, {limit} in flight",
            "events/s",
            [one.per_second for one in ours[limit]],
            [one.per_second for one in bare[limit]],
            at_least(0.75),
            at_least(0.90),
        )
        for limit in IN_FLIGHT
    )
    costs = (
        Row(
            f"sender CPU of pushes, {limit} in flight",
            "µs/event",
            [one.cpu for one in ours[limit]],
            [one.cpu for one in bare[limit]],
            goal=at_most(125),
        )
        for limit in IN_FLIGHT
    )
    return [*speeds, *costs, Row("emit call to receipt, 99th percentile", "ms", late, bare_late, at_most(5))]


async def _teach(bare: Connection, receiver: Receiver, server: Server, emit: Trigger) -> None:
    """Make *bare* post what *server* once posted."""
    await _burst(receiver, server, emit, 1)
    await bare.request(load.http("PUT", "/answers/push", {}, receiver.body))


async def _burst(receiver: Receiver, sender: Server, trigger: Trigger, count: int) -> Burst:
    """From the first receipt to the last, so that making the events does not count."""
    before: list[float] = []
    all_came = receiver.expect(count, lambda: before.append(sender.cpu()))
    await trigger(count)
    await all_came
    cpu = sender.cpu() - before[0]
    seconds = (receiver.arrivals[-1] - receiver.arrivals[0]) / 1e9
    return Burst((count - 1) / seconds if seconds else 0.0, cpu / count * 1e6)


async def _late(receiver: Receiver, trigger: Trigger, count: int) -> float:
    """Milliseconds from just before an event is asked for to its receipt, 99th percentile."""
    waits = []
    for _ in range(count):
        came = receiver.expect(1)
        began = time.monotonic_ns()
        await trigger(1)
        await came
        waits.append((receiver.arrivals[0] - began) / 1e6)
    return quantiles(waits, n=100)[98]


def _emits(control: Connection) -> Trigger:
    async def emit(count: int) -> None:
        await control.json("POST", "/mockvod/v1/events", {**wishes(), "count": count})

    return emit


def _posts(bare: Connection, receiver: Receiver, in_flight: int) -> Trigger:
    async def post(count: int) -> None:
        await bare.json("POST", "/push", {"url": receiver.url, "count": count, "in_flight": in_flight})

    return post

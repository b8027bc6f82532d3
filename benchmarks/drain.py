"""Draining a queue over HTTP: PullEvents of 16, ConfirmEvents of 16, until none is left.

The client reads what it pulls, as every application must: `json.loads` of each answer, ours and bare's alike. How much
of the time is the server's own, the rows of its CPU say.
"""

import asyncio
import json
import time
from collections import defaultdict
from dataclasses import dataclass

from benchmarks import load, processes
from benchmarks.load import Calling, Connection
from benchmarks.payload import wishes
from benchmarks.processes import Server
from benchmarks.report import Row, at_least, laps

BATCH = 16
MOST_AT_ONCE = 10_000  # events that one call of the control API makes


@dataclass(frozen=True, slots=True)
class Effort:
    rounds: int
    events: int


FULL = Effort(rounds=5, events=20_000)
QUICK = Effort(rounds=1, events=320)

WAYS = ((1, False), (16, False), (1, True), (16, True))
"""How many clients, and whether they sign."""


@dataclass(frozen=True, slots=True)
class Drained:
    per_second: float
    cpu: float
    """Microseconds of the server for each event."""


async def measure(effort: Effort) -> list[Row]:
    ours: dict[tuple[int, bool], list[Drained]] = defaultdict(list)
    bare: dict[tuple[int, bool], list[Drained]] = defaultdict(list)
    with (
        processes.ours(secret_id=load.SECRET_ID, secret_key=load.SECRET_KEY) as server,
        processes.bare() as constant,
    ):
        await _teach(constant, server)
        for turn in laps(effort.rounds):
            for way in WAYS:
                clients, signed = way
                await _fill(server, effort.events)
                mine = await _drain(server, effort.events, clients, signed=signed)
                theirs = await _drain(constant, effort.events, clients, signed=signed)
                if turn >= 0:
                    ours[way].append(mine)
                    bare[way].append(theirs)
    rows = [_row(way, ours[way], bare[way]) for way in WAYS]
    return [*rows, *(_cpu_row(way, ours[way], bare[way]) for way in WAYS)]


async def _teach(constant: Server, server: Server) -> None:
    """Make *constant* answer what *server* once answered."""
    await _fill(server, BATCH)
    call = load.calls(server.port, signed=False)
    async with load.connections(server.port) as [connection], load.connections(constant.port) as [pupil]:
        pulled = await connection.request(call("PullEvents", b"{}"))
        confirmed = await connection.request(call("ConfirmEvents", load.confirmation(load.handles(pulled))))
        await pupil.request(load.http("PUT", "/answers/PullEvents", {}, pulled))
        await pupil.request(load.http("PUT", "/answers/ConfirmEvents", {}, confirmed))


async def _fill(server: Server, events: int) -> None:
    async with load.connections(server.port) as [connection]:
        for done in range(0, events, MOST_AT_ONCE):
            count = min(MOST_AT_ONCE, events - done)
            await connection.json("POST", "/mockvod/v1/events", {**wishes(), "count": count})


async def _drain(server: Server, events: int, clients: int, *, signed: bool) -> Drained:
    left = events
    call = load.calls(server.port, signed=signed)

    async def work(connection: Connection) -> None:
        nonlocal left
        while left > 0:
            left -= BATCH
            await _pull_and_confirm(connection, call)

    async with load.connections(server.port, clients) as opened:
        cpu, began = server.cpu(), time.perf_counter()
        await asyncio.gather(*map(work, opened))
        seconds = time.perf_counter() - began
        return Drained(events / seconds, (server.cpu() - cpu) / events * 1e6)


async def _pull_and_confirm(connection: Connection, call: Calling) -> None:
    pulled = await connection.request(call("PullEvents", b"{}"))
    events = json.loads(pulled)["Response"].get("EventSet", ())
    if len(events) != BATCH:
        raise RuntimeError(f"a pull got {len(events)} events: {pulled[:500]!r}")
    handles = [event["EventHandle"] for event in events]
    confirmed = await connection.request(call("ConfirmEvents", load.confirmation(handles)))
    if "Error" in json.loads(confirmed)["Response"]:
        raise RuntimeError(f"a confirmation failed: {confirmed!r}")


def _name(way: tuple[int, bool]) -> str:
    clients, signed = way
    return f"pull and confirm, {clients} client{'s' * (clients > 1)}{', signed' * signed}"


def _row(way: tuple[int, bool], ours: list[Drained], bare: list[Drained]) -> Row:
    clients, signed = way
    target, goal = (0.75, 0.80 if clients == 1 else 0.75) if signed else (0.85, 0.90)
    speeds, bare_speeds = ([one.per_second for one in turns] for turns in (ours, bare))
    return Row(_name(way), "events/s", speeds, bare_speeds, at_least(target), at_least(goal))


def _cpu_row(way: tuple[int, bool], ours: list[Drained], bare: list[Drained]) -> Row:
    return Row(f"server CPU of {_name(way)}", "µs/event", [one.cpu for one in ours], [one.cpu for one in bare])

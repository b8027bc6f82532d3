"""Draining a queue over HTTP: PullEvents of 16, ConfirmEvents of 16, until none is left.

The client reads what it pulls, as every application must: `json.loads` of each answer, ours and bare's alike. How much
of the time is the server's own, the rows of its CPU say. What a user has of it, those of Tencent's own SDK say.
"""

import asyncio
import json
import time
import warnings
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
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
    by_sdk: int
    """Events that Tencent's SDK drains: it takes some ten times as long."""


FULL = Effort(rounds=5, events=20_000, by_sdk=2_560)
QUICK = Effort(rounds=1, events=320, by_sdk=256)

WAYS = ((1, False), (16, False), (1, True), (16, True))
"""How many clients, and whether they sign."""

SDK_CLIENTS = (1, 16)


@dataclass(frozen=True, slots=True)
class Drained:
    per_second: float
    cpu: float
    """Microseconds of the server for each event."""


async def measure(effort: Effort) -> list[Row]:
    ours: dict[tuple[int, bool], list[Drained]] = defaultdict(list)
    bare: dict[tuple[int, bool], list[Drained]] = defaultdict(list)
    sdk: dict[int, list[Drained]] = defaultdict(list)
    sdk_bare: dict[int, list[Drained]] = defaultdict(list)
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
        for turn in laps(effort.rounds):  # last, because it fills this process with what would slow down the others
            for clients in SDK_CLIENTS:
                await _fill(server, effort.by_sdk)
                mine = await _drain_by_sdk(server, effort.by_sdk, clients)
                theirs = await _drain_by_sdk(constant, effort.by_sdk, clients)
                if turn >= 0:
                    sdk[clients].append(mine)
                    sdk_bare[clients].append(theirs)
    rows = [_row(_name(way), way, ours[way], bare[way]) for way in WAYS]
    rows += [
        _row(_name((clients, False), " by Tencent's SDK"), (clients, True), sdk[clients], sdk_bare[clients])
        for clients in SDK_CLIENTS
    ]
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


async def _drain_by_sdk(server: Server, events: int, clients: int) -> Drained:
    """As `_drain`, by clients of Tencent's Python SDK in a thread each. They sign, and connect anew for each call."""
    from tencentcloud.common.credential import Credential
    from tencentcloud.common.profile.client_profile import ClientProfile
    from tencentcloud.common.profile.http_profile import HttpProfile
    from tencentcloud.vod.v20180717 import models
    from tencentcloud.vod.v20180717.vod_client import VodClient

    profile = ClientProfile(httpProfile=HttpProfile(protocol="http", endpoint=f"127.0.0.1:{server.port}"))

    def work() -> None:
        client = VodClient(Credential(load.SECRET_ID, load.SECRET_KEY), "", profile)
        for _ in range(0, events // clients, BATCH):
            confirm = models.ConfirmEventsRequest()
            confirm.EventHandles = [one.EventHandle for one in client.PullEvents(models.PullEventsRequest()).EventSet]
            client.ConfirmEvents(confirm)

    loop = asyncio.get_running_loop()
    with warnings.catch_warnings(), ThreadPoolExecutor(clients) as threads:
        warnings.simplefilter("ignore")  # the SDK's, of two fields that the oldest documents spell their own way
        cpu, began = server.cpu(), time.perf_counter()
        await asyncio.gather(*(loop.run_in_executor(threads, work) for _ in range(clients)))
        seconds = time.perf_counter() - began
    return Drained(events / seconds, (server.cpu() - cpu) / events * 1e6)


def _name(way: tuple[int, bool], by: str = "") -> str:
    clients, signed = way
    return f"pull and confirm{by}, {clients} client{'s' * (clients > 1)}{', signed' * signed}"


def _row(name: str, way: tuple[int, bool], ours: list[Drained], bare: list[Drained]) -> Row:
    clients, signed = way
    target, goal = (0.75, 0.80 if clients == 1 else 0.75) if signed else (0.85, 0.90)
    speeds, bare_speeds = ([one.per_second for one in turns] for turns in (ours, bare))
    return Row(name, "events/s", speeds, bare_speeds, at_least(target), at_least(goal))


def _cpu_row(way: tuple[int, bool], ours: list[Drained], bare: list[Drained]) -> Row:
    return Row(f"server CPU of {_name(way)}", "µs/event", [one.cpu for one in ours], [one.cpu for one in bare])

"""`GET /mockvod/metrics`: what the server did, in the text format of Prometheus, version 0.0.4.

The format is written here because importing Prometheus's client library takes 60 ms, and it would count a second time
what is counted already. Nothing has a label for its account or application: tests make them by the thousand.
"""

import asyncio
import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from mockvod import __version__
from mockvod.engine.clock import LoopShare, call_in_real_time, monotonic
from mockvod.engine.events import STATES
from mockvod.http.health import METRICS
from mockvod.insight.tally import Histogram, Tally, type_of
from mockvod.service.application import Application
from mockvod.service.world import World

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"
TICK: Final = 0.5
"""Seconds between two looks at how late the event loop is."""
LAG_SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
EVENTS_IN_ONE_STEP: Final = 1_000

Labels = Mapping[str, object]
Samples = Iterable[tuple[Labels, float]]
Kept = Mapping[tuple[str, str], int]
"""The number of events of a type and a state."""


class LoopLag:
    """How late the event loop runs a timer that is due every TICK seconds."""

    def __init__(self) -> None:
        self.seconds = Histogram(LAG_SECONDS)
        self._wait()

    def _wait(self) -> None:
        self._due = monotonic() + TICK
        call_in_real_time(TICK, self._look)

    def _look(self) -> None:
        self.seconds.add(max(0.0, monotonic() - self._due))
        self._wait()


class Metrics:
    """The metrics of *world*. It is made with the first request for them, so that others pay nothing."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tally = Tally(world)
        self._lag = LoopLag()
        self._reading = asyncio.Lock()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(METRICS, self._respond)

    async def _respond(self, _: web.Request) -> web.Response:
        async with self._reading:
            await self._tally.read_earlier()
            kept = await _kept(self._world)
        body = "".join(f"{line}\n" for line in self._lines(kept)).encode()
        return web.Response(body=body, headers={"Content-Type": CONTENT_TYPE})

    def _lines(self, kept: Kept) -> Iterator[str]:
        tally, lag = self._tally, self._lag.seconds
        yield from _server(self._world)
        yield from _now([*self._world.applications()], kept)
        yield from _counted(self._world, tally)
        yield from _histogram(
            "callback_duration", "Attempts to deliver an event, on the clock.", tally.callback_seconds
        )
        yield from _histogram("event_age_at_pull", "From the queue to a lease, on the clock.", tally.age_when_leased)
        yield from _histogram(
            "event_age_at_confirm", "From the queue to its confirmation, on the clock.", tally.age_when_confirmed
        )
        yield from _histogram("event_loop_lag", f"How late a timer of {TICK:g} s was, in real time.", lag)


async def _kept(world: World) -> Kept:
    """Every type that an event has, with each state."""
    counts: Counter[tuple[str, str]] = Counter()
    share = LoopShare()
    for account in world.accounts():
        events = [*account.life.events]
        for start in range(0, len(events), EVENTS_IN_ONE_STEP):
            step = events[start : start + EVENTS_IN_ONE_STEP]
            counts.update([(type_of(event), event.state) for event in step])
            await share.turn()
    return {(kind, state): counts[kind, state] for kind in sorted({one for one, _ in counts}) for state in STATES}


def _server(world: World) -> Iterator[str]:
    about = {"version": __version__, "python": platform.python_version()}
    yield from _family("mockvod_build_info", "gauge", "The versions of mockvod and Python.", [(about, 1)])
    accounts = world.accounts()
    yield from _gauge("accounts", "Accounts, the default one included.", len(accounts))
    pending = sum(account.life.events.pending_bytes for account in accounts)
    yield from _gauge("pending_bytes", "Bytes of the bodies of pending events.", pending)
    if (memory := _resident_memory()) is not None:
        yield from _family("process_resident_memory_bytes", "gauge", "Resident memory.", [({}, memory)])
    cpu = os.times()
    yield from _family("process_cpu_seconds_total", "counter", "CPU time.", [({}, cpu.user + cpu.system)])


def _now(applications: Sequence[Application], kept: Kept) -> Iterator[str]:
    yield from _gauge("applications", "Applications of all accounts.", len(applications))
    events = [({"type": kind, "state": state}, count) for (kind, state), count in kept.items()]
    yield from _family("mockvod_events", "gauge", "Events that are kept, by type and state.", events)
    yield from _gauge("polls_blocked", "Pulls that wait for an event.", sum(one.queue.waiting for one in applications))
    under_way = sum(one.deliveries.under_way for one in applications)
    yield from _gauge("deliveries", "Deliveries to callback URLs that have not ended.", under_way)


def _counted(world: World, tally: Tally) -> Iterator[str]:
    yield from _counter("calls", "Calls of the vendor's APIs.", ("api", "action", "code"), world.calls.counts)
    yield from _counter("polls", "Pulls that have ended.", ("result",), world.calls.polls)
    yield from _counter("confirms", "Handles in confirms.", ("result",), tally.confirms)
    yield from _counter("event_changes", "What happened to events.", ("change", "type"), tally.changes)
    yield from _counter("callback_attempts", "Attempts to deliver an event.", ("outcome",), tally.attempts)


# --- the format


def _family(name: str, kind: str, text: str, samples: Samples) -> Iterator[str]:
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        yield f"{name}{_braces(labels)} {value}"


def _braces(labels: Labels) -> str:
    pairs = [f'{name}="{_escaped(str(value))}"' for name, value in labels.items()]
    return f"{{{','.join(pairs)}}}" if pairs else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _gauge(name: str, text: str, value: float) -> Iterator[str]:
    return _family(f"mockvod_{name}", "gauge", text, [({}, value)])


def _counter(name: str, text: str, labels: Sequence[str], counts: Mapping[Any, int]) -> Iterator[str]:
    """*counts* by the value of the label, or by the values of several."""
    values = [(key if isinstance(key, tuple) else (key,), count) for key, count in sorted(counts.items())]
    samples = [(dict(zip(labels, key, strict=True)), count) for key, count in values]
    return _family(f"mockvod_{name}_total", "counter", text, samples)


def _histogram(name: str, text: str, values: Histogram) -> Iterator[str]:
    name = f"mockvod_{name}_seconds"
    yield f"# HELP {name} {text}"
    yield f"# TYPE {name} histogram"
    for bound, count in zip((*values.bounds, "+Inf"), accumulate(values.counts), strict=True):
        yield f'{name}_bucket{{le="{bound}"}} {count}'
    yield f"{name}_sum {values.sum}"
    yield f"{name}_count {sum(values.counts)}"


def _resident_memory() -> int | None:
    """Bytes; None where there is no `/proc`."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except OSError:
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")

"""From the start of the process to its first answer, and the memory of a server that has nothing to do."""

from dataclasses import dataclass

from benchmarks import processes
from benchmarks.processes import MIB, Server
from benchmarks.report import Row, at_most, laps


@dataclass(frozen=True, slots=True)
class Effort:
    rounds: int


FULL = Effort(rounds=7)
QUICK = Effort(rounds=1)


async def measure(effort: Effort) -> list[Row]:
    """Bare is on asyncio's own event loop here: the least that an aiohttp server can be."""
    ours: list[Server] = []
    bare: list[Server] = []
    for turn in laps(effort.rounds):
        for turns, server in ((ours, processes.ours()), (bare, processes.bare(plainest=True))):
            with server as started:
                if turn >= 0:  # the one before compiles and fills the page cache
                    turns.append(started)
    starts, bare_starts = ([one.started_in * 1000 for one in turns] for turns in (ours, bare))
    rss, bare_rss = ([one.memory.rss / MIB for one in turns] for turns in (ours, bare))
    pss, bare_pss = ([one.memory.pss / MIB for one in turns] for turns in (ours, bare))
    much, little = at_most(16, "more"), at_most(1.3, "ratio")
    return [
        Row("start to first answer", "ms", starts, bare_starts, at_most(1.6, "ratio"), at_most(1.35, "ratio")),
        Row("idle memory, RSS", "MiB", rss, bare_rss, much, little),
        Row("idle memory, PSS", "MiB", pss, bare_pss, much, little),
    ]

"""`python -m benchmarks [name …] [--quick] [--json]`: figures on standard output, progress on standard error."""

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks import drain, held, kit, making, processes, push, start, wake
from benchmarks.report import Row, table


@dataclass(frozen=True, slots=True)
class Benchmark:
    words: str
    measure: Callable[[Any], Awaitable[list[Row]]]
    full: object
    quick: object


BENCHMARKS = {
    "start": Benchmark("start to first answer, idle memory", start.measure, start.FULL, start.QUICK),
    "drain": Benchmark(
        "PullEvents and ConfirmEvents over HTTP, by a client that reads the JSON it pulls",
        drain.measure,
        drain.FULL,
        drain.QUICK,
    ),
    "push": Benchmark("callbacks", push.measure, push.FULL, push.QUICK),
    "wake": Benchmark("held polls", wake.measure, wake.FULL, wake.QUICK),
    "held": Benchmark("memory and speed with up to a million held events", held.measure, held.FULL, held.QUICK),
    "making": Benchmark("making and storing an event", making.measure, making.FULL, making.QUICK),
    "kit": Benchmark("what a test pays for the tester's kit", kit.measure, kit.FULL, kit.QUICK),
}


async def run(names: list[str], *, quick: bool, rounds: int | None) -> list[Row]:
    rows: list[Row] = []
    for name in names:
        one = BENCHMARKS[name]
        print(f"{name}: {one.words} …", end=" ", file=sys.stderr, flush=True)
        began = time.monotonic()
        effort: Any = one.quick if quick else one.full
        rows += await one.measure(replace(effort, rounds=rounds) if rounds else effort)
        print(f"{time.monotonic() - began:.1f} s", file=sys.stderr)
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measures mockvod beside a bare aiohttp application. Medians, taken in turn; on a busy machine "
        "only the ratios say something.",
        epilog="; ".join(f"{name}: {one.words}" for name, one in BENCHMARKS.items()),
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to measure: {', '.join(BENCHMARKS)} (all)")
    parser.add_argument("--quick", action="store_true", help="smaller numbers: whether it runs, not how fast")
    parser.add_argument("--rounds", type=int, metavar="N", help="how many turns, for figures that vary")
    parser.add_argument(
        "--json", action="store_true", help="a JSON list of rows, with the ratio of each turn, instead of a table"
    )
    arguments = parser.parse_args()
    for name in arguments.names:
        if name not in BENCHMARKS:
            parser.error(f"no benchmark {name!r}: there are {', '.join(BENCHMARKS)}")
    if arguments.rounds is not None and arguments.rounds < 1:
        parser.error(f"--rounds {arguments.rounds}: at least 1")
    loop_factory = None
    if processes.has_uvloop():
        import uvloop

        loop_factory = uvloop.new_event_loop
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        rows = runner.run(run(arguments.names or list(BENCHMARKS), quick=arguments.quick, rounds=arguments.rounds))
    print(json.dumps([row.as_json() for row in rows], ensure_ascii=False, indent=2) if arguments.json else table(rows))


if __name__ == "__main__":
    main()

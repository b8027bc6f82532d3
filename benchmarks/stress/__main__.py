"""`python -m benchmarks.stress [MINUTES] [--seed N] [--clients N] [--loop asyncio]`: exit code 1 if a promise broke.

With `python -X dev` asyncio's debug mode is on, which also reports what is never awaited and what is never closed.
"""

import argparse
import asyncio
import sys
import time

from benchmarks.stress.clients import Crowd
from benchmarks.stress.storm import storm
from mockvod.app import loop_factory

SHOWN = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stress")
    parser.add_argument("minutes", nargs="?", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1, help="for what the clients choose")
    parser.add_argument("--clients", type=int, default=40)
    parser.add_argument("--loop", choices=("uvloop", "asyncio"), default="uvloop", help="uvloop: if it is installed")
    options = parser.parse_args()
    end: float = time.monotonic() + options.minutes * 60

    def over(_: Crowd) -> bool:
        return time.monotonic() >= end

    factory = loop_factory() if options.loop == "uvloop" else None
    with asyncio.Runner(loop_factory=factory) as runner:
        print(f"event loop: {type(runner.get_loop()).__module__}, debug mode: {runner.get_loop().get_debug()}")
        verdict = runner.run(storm(options.seed, clients=options.clients, until=over))
    for name, count in sorted(verdict.counts.items()):
        print(f"{count:8} {name}")
    print(f"at the end: {verdict.promised} acknowledged events, none discarded; {verdict.ended} events have ended")
    print(f"problems: {len(verdict.problems)}")
    for problem in list(dict.fromkeys(verdict.problems))[:SHOWN]:
        print("BROKEN:", problem)
    return 1 if verdict.problems else 0


if __name__ == "__main__":
    sys.exit(main())

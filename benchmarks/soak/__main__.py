"""`python -m benchmarks.soak [MINUTES] [--seed N] [--factor F]`: exit code 1 if the server broke a promise.

Every attack runs once, then random requests until the time is over, then SIGTERM comes while requests are under way. A
probe measures the CPU time of the event loop for which a response waits, and the most memory. *factor* loosens the
limits on time, for slow machines.
"""

import argparse
import json
import random
import sys
import threading
import time
from http.client import HTTPException
from typing import Any, Final
from urllib.parse import quote

from benchmarks.soak.attacks import ATTACKS
from benchmarks.soak.server import Probe, Server

LAG: Final = 0.1  # seconds
MEMORY: Final = 300.0  # MiB
STOP: Final = 1.0  # seconds

VALUES: Final[tuple[Any, ...]] = (
    *(
        0,
        1,
        -1,
        2**31,
        2**53,
        2**63,
        2**64,
        10**30,
        1e308,
        0.1,
        None,
        True,
        False,
        [],
        {},
        "",
        "a",
        "\0",
        "\ud800",
        "é",
    ),
    *("a" * 5000, "../..", "%00", "evt_000001", "evt_" + "9" * 18, "5s", "10%", "NaN", "PULL", "PUSH", "queued"),
    *("NewFileUpload", "http://127.0.0.1:1/", "flaky-network", "(a+)+$", "\r\nX: y"),
)
HEAVY: Final = {"count", "copies", "advance", "set", "scale", "timeout", "quiet", "video", "freeze"}
"""What would make a request slow on purpose, or hold it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak")
    parser.add_argument("minutes", nargs="?", type=float, default=1.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--factor", type=float, default=1.0)
    options = parser.parse_args()
    with Server("--poll-hold", "0.05") as server, Probe(server) as probe:
        problems = [problem for attack in ATTACKS for problem in _attacked(server, probe, attack, options.factor)]
        server.control("POST", "/reset")
        probe.restart()
        requests = _fuzz(server, random.Random(options.seed), options.minutes * 60)
        problems += _judge(f"{requests} random requests", probe, options.factor)
        stopping = _stop_while_busy(server)
        print(f"stopped {stopping:.2f} s after SIGTERM")
        if stopping > STOP * options.factor:
            problems.append(f"SIGTERM took {stopping:.2f} s")
        log = server.log.read_text(errors="replace")
    if "Traceback" in log:
        problems.append(f"the log has {log.count('Traceback')} tracebacks")
        print(log[log.index("Traceback") :][:3000])
    for problem in problems:
        print("BROKEN:", problem)
    return 1 if problems else 0


def _attacked(server: Server, probe: Probe, attack: Any, factor: float) -> list[str]:
    probe.restart()
    try:
        attack(server)
    except (OSError, HTTPException) as error:
        if not server.ready():
            return [f"{attack.__name__}: {error!r}"]
    problems = _judge(attack.__name__, probe, factor)
    server.control("POST", "/reset")
    return problems


def _judge(name: str, probe: Probe, factor: float) -> list[str]:
    print(f"{name}: lag {probe.lag * 1000:.0f} ms, memory {probe.memory:.0f} MiB", flush=True)
    problems = []
    if probe.lag > LAG * factor:
        problems.append(f"{name}: the event loop was late by {probe.lag * 1000:.0f} ms")
    if probe.memory > MEMORY:
        problems.append(f"{name}: {probe.memory:.0f} MiB of memory")
    return problems


def _fuzz(server: Server, chance: random.Random, seconds: float) -> int:
    """Send random requests for *seconds*; returns how many."""
    document = json.loads(server.control("GET", "/openapi.json")[1])
    routes = [(method.upper(), path) for path, methods in document["paths"].items() for method in methods]
    names = sorted({name for one in document["components"]["schemas"].values() for name in one.get("properties", {})})
    names = [name for name in names if name not in HEAVY]
    end, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        method, path = chance.choice(routes)
        if path.endswith(("/wait", "/journal")):
            continue
        path = path.replace("{", "").replace("}", "")
        query = f"?{chance.choice(('secret_id', 'sub_app_id', 'limit', 'cursor', 'x'))}={_quoted(chance)}"
        body = None if method == "GET" else {chance.choice(names): chance.choice(VALUES) for _ in range(3)}
        if chance.random() < 0.3:
            method, path, query = "POST", "/", ""
        action = chance.choice(("PullEvents", "ProcessMedia", "SearchMedia", "ConfirmEvents"))
        headers = {"X-TC-Action": action, "X-TC-Version": "2018-07-17"}
        data = None if body is None else json.dumps(body).encode("utf-8", "surrogatepass")
        prefix = "" if path.startswith("/mockvod") or path == "/" else "/mockvod/v1"
        status, answer = server.call(method, prefix + path + query, data, headers)
        count += 1
        if (status >= 500 and status != 503) or b'"InternalError"' in answer:
            print("ODD:", method, path, query[:100], (data or b"")[:300], status, answer[:300])
    return count


def _quoted(chance: random.Random) -> str:
    return quote(str(chance.choice(VALUES)).encode("utf-8", "surrogatepass"))[:1000]


def _stop_while_busy(server: Server) -> float:
    """SIGTERM while polls are held, pictures drawn and pushes under way."""

    def busy() -> None:
        try:
            for number in range(200):
                server.call("GET", f"/snapshots/{number}/10/0.jpg", timeout=10)
        except (OSError, HTTPException):
            return

    server.control("PATCH", "/config", {"poll_hold": 60})
    threads = [threading.Thread(target=busy, daemon=True) for _ in range(4)]
    for thread in threads:
        thread.start()
    held = server.raw(
        b"POST / HTTP/1.1\r\nHost: localhost\r\nX-TC-Action: PullEvents\r\nX-TC-Version: 2018-07-17\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    time.sleep(0.3)
    seconds = server.stop()
    held.close()
    for thread in threads:
        thread.join(timeout=10)
    return seconds


if __name__ == "__main__":
    sys.exit(main())

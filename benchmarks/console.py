"""`python -m benchmarks.console`: what the console costs, in a real browser and with a server in a process of its own.

Prints the bytes that are sent, the time until the first event is visible, the memory of the page with 10,000 events,
and the CPU of page and server while 100 events per second arrive. Needs Chromium, Linux, and an idle machine.
"""

import statistics
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from playwright.sync_api import Browser, CDPSession, Page, expect, sync_playwright

from benchmarks.processes import Server, ours
from mockvod.http.console import page as console_page
from tests.background import Background
from tests.browser.conftest import FLAGS, Console, chromium_path

MANY = 10_000
LOADS = 5
SECONDS = 10
CALLS, AT_ONCE = 20, 5
"""Emit calls in a second, and events of each, while events stream in."""
PER_SECOND = CALLS * AT_ONCE
FIRST_ROW = """
    new MutationObserver((_, observer) => {
        if (!document.querySelector("#rows > .row")) return;
        observer.disconnect();
        window.firstRow = new Promise((done) => requestAnimationFrame(() => done(performance.now())));
    }).observe(document, { childList: true, subtree: true });
"""


def main() -> int:
    """0, or 1 without Chromium."""
    path = chromium_path()
    if path is None:
        print("needs Chromium: apt install chromium", file=sys.stderr)
        return 1
    with ours(log_level="warning", pending_bytes=10**9) as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS.split())
        measure(browser, server)
        browser.close()
    return 0


def measure(browser: Browser, server: Server) -> None:
    address = f"http://127.0.0.1:{server.port}"
    print(f"bytes sent, uncompressed              {sum(map(len, files(address))):>9,} B")
    console = visit(browser, address)
    console.emit()
    show("first event visible, 1 event", first_row(browser, address), "ms")
    console.emit(count=MANY - 1)
    show(f"first event visible, {MANY:,} events", first_row(browser, address), "ms")
    console.open("#/events")
    expect(console.find("#total")).to_have_text(str(MANY), timeout=60_000)
    session = console.page.context.new_cdp_session(console.page)
    session.send("HeapProfiler.collectGarbage")
    show(f"JavaScript heap, {MANY:,} events", metric(session, "JSHeapUsedSize") / 2**20, "MiB")
    console.control("POST", "/reset")
    console.open("#/events")
    show("CPU of the page, nothing happens", stream(console, session, server, emitting=False)[0], "%")
    of_page, of_server = stream(console, session, server, emitting=True)
    show(f"CPU of the page, {PER_SECOND} events/s", of_page, "%")
    show(f"CPU of the server, {PER_SECOND} events/s, with the page", of_server, "%")
    console.page.goto("about:blank")
    show(
        f"CPU of the server, {PER_SECOND} events/s, without a page",
        stream(console, session, server, emitting=True)[1],
        "%",
    )


def show(what: str, value: float, unit: str) -> None:
    print(f"{what:<50} {value:>8.1f} {unit}")


def files(address: str) -> list[bytes]:
    """Every file of the console, as it is sent."""
    names = [f"console/{path.name}" for path in Path(console_page.STATIC).iterdir() if path.suffix != ".html"]
    bodies = []
    for name in ("", *names):
        with urllib.request.urlopen(f"{address}/mockvod/{name}", timeout=10) as response:  # noqa: S310 - our own server
            bodies.append(response.read())
    return bodies


def visit(browser: Browser, address: str) -> Console:
    page: Page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    return Console(cast("Background", SimpleNamespace(url=address)), page, narrow=False)


def first_row(browser: Browser, address: str) -> float:
    """Milliseconds from the request of the page until an event is drawn, without a cache: the median of LOADS."""
    found: list[float] = []
    for _ in range(LOADS):
        console = visit(browser, address)
        console.page.add_init_script(FIRST_ROW)
        console.open("#/events")
        expect(console.find("#rows > .row").first).to_be_visible()
        found.append(console.page.evaluate("firstRow"))
        console.page.context.close()
    return statistics.median(found)


def metric(session: CDPSession, name: str) -> float:
    session.send("Performance.enable")
    metrics: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
    return next(float(one["value"]) for one in metrics if one["name"] == name)


def stream(console: Console, session: CDPSession, server: Server, *, emitting: bool) -> tuple[float, float]:
    """What percentage of a core the page's main thread and the server take, over SECONDS in which events may come."""
    before = metric(session, "TaskDuration"), server.cpu(), time.perf_counter()
    for number in range(SECONDS * CALLS):
        if emitting:
            console.emit(count=AT_ONCE)
        console.page.wait_for_timeout(max(0.0, (before[2] + (number + 1) / CALLS - time.perf_counter()) * 1000))
    lasted = (time.perf_counter() - before[2]) / 100
    return (metric(session, "TaskDuration") - before[0]) / lasted, (server.cpu() - before[1]) / lasted


if __name__ == "__main__":
    sys.exit(main())

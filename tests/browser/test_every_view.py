"""The console: each view, empty and full, in both colour schemes, narrow and wide."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.background import Background, in_background
from tests.browser.conftest import Console, context_of

EMPTY = {
    "events": "No event yet",
    "queue": "Queue and deliveries",
    "inbox": "Inbox",
    "faults": "Faults",
    "diagnosis": "Why nothing arrives",
    "report": "How the consumer behaves",
    "settings": "Settings",
    "emit": "Emit an event",
}
FULL = EMPTY | {"events": "Events", "events/evt_000004": "evt_000004"}
DRAWN = {
    "events": "#rows, .teach",
    "events/evt_000004": ".tl svg",
    "queue": "#charts svg",
    "inbox": "#requests > *",
    "faults": "#recipes li",
    "diagnosis": "#findings li",
    "report": "#traits li",
    "settings": "#settings li",
    "emit": "#same:not(:empty)",
}
"""What is there when the view has loaded."""


def furnish(console: Console) -> None:
    """Something of everything: states, attempts, faults, leases, requests in the inbox."""
    console.control("POST", "/clock", {"freeze": True})
    console.control("POST", "/accounts", {"secret_id": "AKIDother"})
    console.control("POST", "/faults", {"recipe": "lost-confirm"})
    console.control("PUT", "/inbox", {"responses": [{"status": 500, "times": 1}, {}]})
    console.control("PATCH", "/config?sub_app_id=5", {"callback_url": f"{console.server.url}/mockvod/inbox"})
    for _ in range(2):
        [pushed] = console.control("POST", "/events?sub_app_id=5", {})["events"]
        console.control("POST", "/wait", {"state": "delivered,failed", "id": pushed["id"]})
    console.emit(delay=60)
    console.emit(count=40, time_offsets=[1, 2], failed=[2])
    console.api("ConfirmEvents", EventHandles=console.pull())
    console.advance(31)
    console.pull()


@contextmanager
def visitor(chromium: Browser, server: Background, look: str) -> Iterator[Console]:
    scheme, screen = look.split("-")
    context = context_of(chromium, scheme, screen)
    console = Console(server, context.new_page(), narrow=screen == "narrow")
    console.listen()
    yield console
    context.close()


@pytest.fixture(scope="module")
def full_server() -> Iterator[Background]:
    with in_background(log_level="error", settle_grace=0.1) as server:
        yield server


@pytest.fixture(scope="module", params=["light-wide", "light-narrow", "dark-wide", "dark-narrow"])
def full(request: pytest.FixtureRequest, chromium: Browser, full_server: Background) -> Iterator[Console]:
    with visitor(chromium, full_server, request.param) as console:
        if not console.control("GET", "/stats")["applications"]:
            furnish(console)
        yield console


@pytest.fixture(scope="module", params=["light-wide", "dark-narrow"])
def empty(request: pytest.FixtureRequest, chromium: Browser) -> Iterator[Console]:
    with (
        in_background(log_level="error") as server,
        visitor(chromium, server, request.param) as console,
    ):
        yield console


def check(console: Console, view: str, heading: str) -> None:
    console.open(f"#/{view}")
    expect(console.find(DRAWN[view]).first).to_be_visible()
    expect(console.page.get_by_role("heading", name=heading, exact=True)).to_be_attached()
    wider = console.page.evaluate(
        "[document.documentElement, main].filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.tagName)"
    )
    assert wider == []
    found = Axe().run(console.page)
    assert found.violations_count == 0, found.generate_report()
    assert console.complaints() == []
    assert console.foreign_requests() == []


@pytest.mark.parametrize("view", FULL)
def test_a_full_view_can_be_read_by_everybody(full: Console, view: str) -> None:
    check(full, view, FULL[view])


@pytest.mark.parametrize("view", EMPTY)
def test_an_empty_view_can_be_read_by_everybody(empty: Console, view: str) -> None:
    check(empty, view, EMPTY[view])

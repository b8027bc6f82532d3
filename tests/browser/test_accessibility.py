"""The console: what axe finds wrong with each view, empty and full, in both colour schemes, narrow and wide."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import SCREENS, Console, Visit

VIEWS = {
    "events": "#story, h1",
    "queue": "#charts svg",
    "inbox": "#requests > *",
    "faults": "#recipes li",
    "diagnosis": "#findings li",
    "report": "#traits li",
    "settings": "#settings li",
    "emit": "#json",
}


def furnish(console: Console) -> None:
    """Something of everything: states, attempts, faults, leases, requests in the inbox."""
    console.control("POST", "/clock", {"freeze": True})
    console.control("POST", "/faults", {"recipe": "lost-confirm"})
    console.control("PUT", "/inbox", {"responses": [{"status": 500, "times": 1}, {}]})
    console.control("PATCH", "/config?sub_app_id=5", {"callback_url": f"{console.server.url}/mockvod/inbox"})
    for _ in range(2):
        [pushed] = console.control("POST", "/events?sub_app_id=5", {})["events"]
        console.control("POST", "/wait", {"state": "delivered,failed", "id": pushed["id"]})
    console.emit(delay=60)
    console.emit(count=4, time_offsets=[1, 2], failed=[2])
    console.api("ConfirmEvents", EventHandles=console.pull())
    console.advance(31)
    console.pull()
    console.page.goto("about:blank")


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing(visit: Visit, view: str) -> None:
    console = visit()
    axe = Axe()
    for is_full in (False, True):
        if is_full:
            furnish(console)
        address = "#/events/evt_000004" if is_full and view == "events" else f"#/{view}"
        console.open(address)
        expect(console.find(VIEWS[view]).first).to_be_visible()
        for width, height in SCREENS.values():
            console.page.set_viewport_size({"width": width, "height": height})
            for scheme in ("light", "dark"):
                console.page.emulate_media(color_scheme="light" if scheme == "light" else "dark")
                found = axe.run(console.page)
                assert found.violations_count == 0, f"{address} {width} {scheme}\n{found.generate_report()}"

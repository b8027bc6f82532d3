"""`make screenshots`: pictures of the console for README and docs, of a server that this module fills with a story."""

import sys
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from tests.background import in_background
from tests.browser.conftest import FLAGS, Console, chromium_path

PLACE = Path(__file__).parent.parent / "docs" / "images"
SIZE = (1440, 900)


def main() -> int:
    """0 when both pictures are written, 1 without Chromium."""
    path = chromium_path()
    if path is None:
        print("make screenshots needs Chromium: apt install chromium", file=sys.stderr)
        return 1
    PLACE.mkdir(parents=True, exist_ok=True)
    with in_background(log_level="error") as server, sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS.split())
        for scheme in ("light", "dark"):
            width, height = SIZE
            page = browser.new_page(
                viewport={"width": width, "height": height}, color_scheme="dark" if scheme == "dark" else "light"
            )
            console = Console(server, page, narrow=False)
            console.control("POST", "/reset")
            pulled, pushed = story(console)
            console.open(f"#/events/{pulled if scheme == 'light' else pushed}")
            take(page, PLACE / f"console-{scheme}.png")
        browser.close()
    return 0


def story(console: Console) -> tuple[str, str]:
    """Events in every state. Returns one that was pulled twice, and one whose delivery failed at last."""
    control, advance = console.control, console.advance
    control("POST", "/clock", {"freeze": True})
    for number in range(12):
        console.emit(**({"time_offsets": [10_000, 20_000]} if number % 3 else {"event_type": "NewFileUpload"}))
        advance(3)
        console.api("ConfirmEvents", EventHandles=console.pull())
        advance(2)
    control("POST", "/faults", {"fault": "lose-confirm", "when": {"nth": 1}})
    [pulled] = console.emit(time_offsets=[10_000, 20_000, 30_000], failed=[30_000])
    advance(2)
    console.api("ConfirmEvents", EventHandles=console.pull())
    advance(240)
    handles = console.pull()
    advance(6)
    console.api("ConfirmEvents", EventHandles=handles)
    inbox = f"{console.server.url}/mockvod/inbox"
    control("PUT", "/inbox", {"responses": [{"delay": 10, "times": 1}, {"status": 500, "times": 1}, {}]})
    control("PATCH", "/config?sub_app_id=1500000001", {"callback_url": inbox, "sign_key": "opensesame"})
    [pushed] = [one["id"] for one in control("POST", "/events?sub_app_id=1500000001", {})["events"]]
    advance(12)
    control("POST", "/wait", {"state": "failed,delivered", "id": pushed})
    for _ in range(3):
        control("POST", "/events?sub_app_id=1500000001", {})
        advance(1)
    console.emit(count=3)
    console.pull()
    advance(4)
    console.emit(delay=60)
    console.emit(event_type="ProcedureStateChanged")
    return pulled, pushed


def take(page: Page, path: Path) -> None:
    expect(page.locator(".tl svg").first).to_be_visible()
    expect(page.locator("#steps")).to_contain_text("clock moved")  # then the journal is read, which comes last
    page.evaluate("Promise.all([...document.images].map((one) => one.decode()))")
    page.screenshot(path=path)
    print(path)


if __name__ == "__main__":
    sys.exit(main())

"""A real browser that opens the console of a real server."""

import gc
import json
import os
import re
import shutil
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from tests.background import Background, in_background

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
SCREENS = {"wide": (1440, 900), "narrow": (360, 780)}

expect.set_options(timeout=15_000)  # several workers and browsers share two cores


def chromium_path() -> str | None:
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium. Closed with the module: while Playwright is active no other event loop runs here."""
    path = chromium_path()
    if path is None:
        missing = "browser tests need Chromium: apt install chromium"
        if os.environ.get("BROWSER_TESTS") == "required":
            pytest.fail(missing)
        pytest.skip(missing)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=FLAGS.split())
        yield browser
        browser.close()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture
def server() -> Iterator[Background]:
    with in_background(log_level="error", settle_grace=0.1) as server:
        yield server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser closes its connections when it likes, which may be after the end of the server's loop."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"))
            item.add_marker(pytest.mark.slow)


@dataclass
class Console:
    """The page of one visitor, and what a visitor's other windows would do: calls of the server."""

    server: Background
    page: Page
    narrow: bool
    messages: list[str] = field(default_factory=list)
    strangers: list[str] = field(default_factory=list)
    refusals: bool = False
    """Whether the test makes the server refuse something: the browser writes a line about each status 4xx."""

    def open(self, address: str = "") -> None:
        self.page.goto(f"{self.server.url}/mockvod/{address}")
        expect(self.page.locator("#main > *").first).to_be_visible()

    def find(self, selector: str, **which: Any) -> Locator:
        return self.page.locator(selector, **which)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name)

    def control(self, method: str, path: str, body: Any = None) -> Any:
        return self._call(method, "/mockvod/v1" + path, body, {})

    def api(self, action: str, **params: Any) -> dict[str, Any]:
        headers = {"X-TC-Action": action, "X-TC-Version": "2018-07-17", "User-Agent": "SDK_PYTHON_3.0.1"}
        inside: dict[str, Any] = self._call("POST", "/", params, headers)["Response"]
        return inside

    def emit(self, **options: Any) -> list[str]:
        return [event["id"] for event in self.control("POST", "/events", options)["events"]]

    def pull(self) -> list[str]:
        return [event["EventHandle"] for event in self.api("PullEvents").get("EventSet") or []]

    def advance(self, seconds: float) -> None:
        self.control("POST", "/clock", {"advance": seconds})

    def _call(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(  # noqa: S310 - of the test's own server
            self.server.url + path, data, {"Content-Type": "application/json", **headers}, method=method
        )
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return json.loads(response.read())


Visit = Callable[..., Console]


@pytest.fixture
def visit(chromium: Browser, server: Background) -> Iterator[Visit]:
    """Opens consoles. At the end no console of the browser may have a line, and no request may have left the server."""
    made: list[Console] = []

    def begin(scheme: str = "light", screen: str = "wide") -> Console:
        width, height = SCREENS[screen]
        context = chromium.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            permissions=["clipboard-read", "clipboard-write"],
        )
        page = context.new_page()
        console = Console(server, page, narrow=screen == "narrow")
        page.on("console", lambda message: console.messages.append(message.text))
        page.on("pageerror", lambda error: console.messages.append(str(error)))
        page.on("request", lambda request: console.strangers.append(request.url))
        made.append(console)
        return console

    yield begin
    for console in made:
        console.page.context.close()
        assert [text for text in console.messages if not _is_of_the_browser(text, console.refusals)] == []
        assert [url for url in console.strangers if not url.startswith(server.url)] == []


def _is_of_the_browser(text: str, refusals: bool) -> bool:
    """Whether the browser wrote the line by itself: about a request that was refused, or an interface that changed."""
    refused = refusals and re.search(r"responded with a status of 4\d\d", text)
    return "ERR_NETWORK_CHANGED" in text or bool(refused)


@pytest.fixture(params=["light-wide", "dark-narrow"])
def console(request: pytest.FixtureRequest, visit: Visit) -> Console:
    """The console as two visitors see it."""
    return visit(*request.param.split("-"))

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
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect, sync_playwright

from tests.background import Background, in_background

FLAGS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
REBOUND = "rebound.example"
"""A host name of the internet that leads to this machine, as one of an attacker may."""
NETWORK_CHANGED = "ERR_NETWORK_CHANGED"
"""Why Chromium breaks off requests when the machine gets another network, as when a container starts."""
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
        browser = driver.chromium.launch(
            executable_path=path, args=[*FLAGS.split(), f"--host-resolver-rules=MAP {REBOUND} 127.0.0.1"]
        )
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
    requests: list[str] = field(default_factory=list)
    refusals: bool = False
    """Whether the test makes the server refuse something, or stops it: the browser writes a line about each time."""

    def listen(self) -> None:
        """Note what the browser's console says from now on, and which addresses are requested."""
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def complaints(self) -> list[str]:
        """Lines in the browser's console that the page is to blame for."""
        expected = NETWORK_CHANGED
        if self.refusals:
            expected += r"|status of (4\d\d|501|503)|ERR_(CONNECTION_\w+|INCOMPLETE_CHUNKED_ENCODING|EMPTY_RESPONSE)"
        return [text for text in self.messages if not re.search(expected, text)]

    def foreign_requests(self) -> list[str]:
        return [url for url in self.requests if not url.startswith(self.server.url)]

    def open(self, address: str = "") -> None:
        self.page.goto(f"{self.server.url}/mockvod/{address}")
        drawn = expect(self.page.locator("#main > *").first)
        try:
            drawn.to_be_visible()
        except AssertionError:
            if not any(NETWORK_CHANGED in text for text in self.messages):
                raise
            self.page.reload()
            drawn.to_be_visible()

    def find(self, selector: str, **which: Any) -> Locator:
        return self.page.locator(selector, **which)

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True)

    def button(self, name: str, **which: Any) -> Locator:
        return self.page.get_by_role("button", name=name, **which)

    def copied(self) -> str:
        """What is on the clipboard."""
        text: str = self.page.evaluate("navigator.clipboard.readText()")
        return text

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


def context_of(chromium: Browser, scheme: str, screen: str) -> BrowserContext:
    """A visitor's browser, with the colour *scheme* of the system and a *screen* of SCREENS."""
    width, height = SCREENS[screen]
    return chromium.new_context(
        viewport={"width": width, "height": height},
        color_scheme="dark" if scheme == "dark" else "light",
        permissions=["clipboard-read", "clipboard-write"],
    )


Visit = Callable[..., Console]


@pytest.fixture
def visit(chromium: Browser, server: Background) -> Iterator[Visit]:
    """Opens consoles. At the end no console of the browser may have a line, and no request may have left the server."""
    made: list[Console] = []

    def begin(scheme: str = "light", screen: str = "wide") -> Console:
        context = context_of(chromium, scheme, screen)
        console = Console(server, context.new_page(), narrow=screen == "narrow")
        console.listen()
        made.append(console)
        return console

    yield begin
    for console in made:
        console.page.context.close()
        assert console.complaints() == []
        assert console.foreign_requests() == []


@pytest.fixture(params=["light-wide", "dark-narrow"])
def console(request: pytest.FixtureRequest, visit: Visit) -> Console:
    """The console as two visitors see it."""
    return visit(*request.param.split("-"))

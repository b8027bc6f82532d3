"""A page of another site, open in the same browser, tries to drive the server: nothing on the server changes."""

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.background import Background
from tests.browser.conftest import REBOUND

PATHS = ("/", "/v2/index.php?Action=PullEvent", "/mockvod/v1/events", "/mockvod/v1/reset", "/mockvod/v1/config")
PULL = "/?Action=PullEvents&Version=2018-07-17"

FETCH = """async ([url, paths]) => {
    const read = [];
    for (const path of paths)
        for (const method of ["GET", "POST", "PUT", "PATCH", "DELETE"])
            for (const mode of ["cors", "no-cors"])
                for (const type of ["text/plain", "application/json"]) {
                    const body = method === "GET" ? undefined : '{"count": 3, "mode": "PUSH"}';
                    try {
                        const response = await fetch(url + path, {method, mode, body, headers: {"Content-Type": type}});
                        if (response.type !== "opaque") read.push(method + " " + path + " " + response.status);
                    } catch { }
                }
    return read;
}"""
IMAGES = """([url, paths]) => Promise.all(paths.map((path) => new Promise((done) => {
    const image = new Image();
    image.onload = () => done([image.naturalWidth]);
    image.onerror = () => done([]);
    image.src = url + path;
}))).then((found) => found.flat())"""
STREAM = """(url) => new Promise((done) => {
    const source = new EventSource(url + "/mockvod/v1/journal");
    source.onopen = () => done("open");
    source.onerror = () => { source.close(); done("refused"); };
})"""
FORM = """(action) => {
    const form = document.body.appendChild(document.createElement("form"));
    Object.assign(form, {method: "POST", action, enctype: "text/plain"});
    form.appendChild(Object.assign(document.createElement("input"), {name: '{"count": 3, "x": "', value: '"}'}));
    form.submit();
}"""
SAME_ORIGIN = """async ([paths, methods]) => {
    const statuses = [];
    for (const path of paths)
        for (const method of methods)
            statuses.push((await fetch(path, {method, body: method === "GET" ? undefined : "{}"})).status);
    return statuses;
}"""


class Blank(BaseHTTPRequestHandler):
    """The site of the attacker: empty pages."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!doctype html><title>elsewhere</title><body>")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Blank)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context()
    yield context.new_page()
    context.close()


def state(server: Background) -> Any:
    """Everything that a request could change."""

    def read() -> Any:
        world = server.running.world
        return [
            (
                account.secret_id,
                account.life.journal.seq,
                dict(account.life.events.counts),
                account.life.settings,
                account.life.clock.rate,
                [(one.name, one.settings, one.queue.leased) for one in account.life.applications()],
                [active.id for active in account.life.faults],
            )
            for account in world.accounts()
        ]

    return server.do(read)


@contextmanager
def nothing_changes(server: Background) -> Iterator[None]:
    server.do(functools.partial(server.account.life.application().emit, "FileDeleted", {"FileIdSet": []}))
    before = state(server)
    yield
    assert state(server) == before


def test_scripts_images_streams_and_forms_of_another_site_change_nothing(
    page: Page, server: Background, elsewhere: str
) -> None:
    page.goto(elsewhere)
    with nothing_changes(server):
        assert page.evaluate(FETCH, [server.url, [*PATHS, PULL]]) == []
        assert page.evaluate(IMAGES, [server.url, [PULL, *PATHS]]) == []
        assert page.evaluate(STREAM, server.url) == "refused"
        for path in PATHS:
            with page.expect_navigation() as submitted:
                page.evaluate(FORM, server.url + path)
            assert submitted.value is not None
            assert (submitted.value.request.method, submitted.value.status) == ("POST", 403)
            page.goto(elsewhere)


def test_pictures_and_health_stay_open_to_other_sites(page: Page, server: Background, elsewhere: str) -> None:
    page.goto(elsewhere)
    assert page.evaluate(IMAGES, [server.url, ["/snapshots/1/10/0.jpg"]]) != []
    assert page.request.get(server.url + "/mockvod/livez").status == 200


def test_a_host_name_that_leads_to_the_server_changes_nothing(page: Page, server: Background) -> None:
    """DNS rebinding: to the browser the page and the server are of one origin."""
    with nothing_changes(server):
        page.goto(f"http://{REBOUND}:{server.running.port}/mockvod/livez")
        statuses = page.evaluate(SAME_ORIGIN, [[*PATHS, PULL], ["GET", "POST", "PUT", "PATCH", "DELETE"]])
        assert set(statuses) == {403}

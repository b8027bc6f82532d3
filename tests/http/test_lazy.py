"""A router that is built with its first request."""

import json
import subprocess
import sys
import threading

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from mockvod.app import WORLD, create_app
from mockvod.http.lazy import LazyRouter
from mockvod.pictures.worker import Worker, WorkerClosed
from mockvod.settings import Settings

IMPORTED = """
import json, sys
from mockvod.app import create_app
from mockvod.settings_load import load
create_app(load(environ={}).settings)
print(json.dumps([name for name in sys.modules if name.startswith("mockvod.")]))
"""


async def test_the_first_request_loads_it_in_a_thread_and_makes_it_in_the_event_loop() -> None:
    loaded: list[int] = []
    made: list[int] = []

    class Shelf:
        def __init__(self) -> None:
            made.append(threading.get_ident())

        def add_routes(self, router: web.UrlDispatcher) -> None:
            router.add_get("/shelf/{book}", self.get)

        async def get(self, request: web.Request) -> web.Response:
            return web.Response(text=request.match_info["book"])

    def load() -> type[Shelf]:
        loaded.append(threading.get_ident())
        return Shelf

    app, worker = web.Application(), Worker()
    app.router.add_route("*", "/{rest:.*}", LazyRouter(load, worker).respond)
    async with TestClient(TestServer(app)) as client:
        assert loaded == []
        for book in ("a", "b%20c"):
            async with client.get(f"/shelf/{book}") as response:
                assert await response.text() == book.replace("%20", " ")
        async with client.post("/shelf/a") as response:
            assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")
        async with client.get("/elsewhere") as response:
            assert response.status == 404
    worker.close()
    [loader], [maker] = loaded, made
    assert loader != maker == threading.get_ident()


async def test_a_router_that_could_not_be_loaded_is_loaded_by_the_next_request() -> None:
    loads: list[None] = []

    class Shelf:
        def add_routes(self, router: web.UrlDispatcher) -> None:
            router.add_get("/{rest:.*}", self.get)

        async def get(self, _: web.Request) -> web.Response:
            return web.Response(text="here")

    def load() -> type[Shelf]:
        loads.append(None)
        if len(loads) == 1:
            raise ImportError("no memory")
        return Shelf

    app, worker = web.Application(), Worker()
    app.router.add_route("*", "/{rest:.*}", LazyRouter(load, worker).respond)
    async with TestClient(TestServer(app)) as client:
        async with client.get("/") as response:
            assert response.status == 500
        async with client.get("/") as response:
            assert await response.text() == "here"
    worker.close()


def test_a_server_starts_without_what_most_never_need() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, check=True)  # noqa: S603 - our own
    imported = set(json.loads(done.stdout))
    assert "mockvod.http.api" in imported
    assert imported.isdisjoint(
        {
            "mockvod.http.control.dispatch",
            "mockvod.http.legacy",
            "mockvod.http.pictures",
            "mockvod.http.processing",
            "mockvod.faults.recipes",
            "mockvod.wire.legacy_events",
            "mockvod.wire.processing",  # 20 ms
        }
    )


async def test_pictures_end_with_the_server() -> None:
    app = create_app(Settings(port=0))
    worker = app[WORLD].worker
    async with TestClient(TestServer(app)):
        assert await worker.run(lambda _: "drawn") == "drawn"
    with pytest.raises(WorkerClosed):
        await worker.run(lambda _: "drawn")


CALLED = """
import builtins, importlib, json, sys, threading, urllib.error, urllib.request
from mockvod.testing import MockVod

method, path, body, *headers = json.loads(sys.argv[1])
loop, slow, depth = "mockvod", [], 0
find = importlib._bootstrap._find_and_load

def find_and_load(name, importer):
    if threading.current_thread().name == loop and name.startswith(("faker", "mockvod.")):
        slow.append(name)
    return find(name, importer)

with MockVod() as server:
    server.client.stats()
    importlib._bootstrap._find_and_load = find_and_load
    request = urllib.request.Request(server.url + path, body and body.encode(), dict(headers), method=method)
    try:
        status = urllib.request.urlopen(request).status
    except urllib.error.HTTPError as error:
        status = error.code
print(json.dumps([status, slow]))
"""
VOD = ("X-TC-Version", "2018-07-17")
JSON = ("Content-Type", "application/json")


@pytest.mark.parametrize(
    ("status", "call"),
    [
        (200, ("POST", "/", '{"FileIds":["1"]}', ("X-TC-Action", "DescribeMediaInfos"), VOD, JSON)),
        (200, ("GET", "/v2/index.php?Action=GetVideoInfo&fileId=1", None)),
        (200, ("GET", "/snapshots/1/10/0.jpg", None)),
        (201, ("POST", "/mockvod/v1/media", '{"duration":5}')),
        (201, ("POST", "/mockvod/v1/uploads", "{}")),
        (201, ("POST", "/mockvod/v1/faults", '{"recipe":"flaky-network"}')),
        (200, ("PATCH", "/mockvod/v1/config", '{"faults":"flaky-network"}')),
        (201, ("POST", "/mockvod/v1/accounts", '{"config":{"faults":"flaky-network"}}')),
        (200, ("PUT", "/mockvod/v1/scenario", '{"applications":[{"media":[{"file_id":"1"}]}]}')),
    ],
    ids=lambda value: value[1].partition("?")[0] if isinstance(value, tuple) else "",
)
def test_a_first_call_imports_what_it_needs_in_a_thread(status: int, call: tuple[object, ...]) -> None:
    command = [sys.executable, "-c", CALLED, json.dumps(call)]
    done = subprocess.run(command, capture_output=True, check=True, text=True)  # noqa: S603 - our own
    assert json.loads(done.stdout) == [status, []]

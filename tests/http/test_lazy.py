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
from mockvod.app import WORLD, create_app
from mockvod.pictures.worker import WorkerClosed
from mockvod.settings_load import load
create_app(load(environ={}).settings)
print(json.dumps([name for name in sys.modules if name.startswith("mockvod.")]))
"""


async def test_it_is_built_once_by_the_first_request_in_a_thread_of_its_own() -> None:
    built: list[int] = []

    class Shelf:
        def __init__(self) -> None:
            built.append(threading.get_ident())

        def add_routes(self, router: web.UrlDispatcher) -> None:
            router.add_get("/shelf/{book}", self.get)

        async def get(self, request: web.Request) -> web.Response:
            return web.Response(text=request.match_info["book"])

    app, worker = web.Application(), Worker()
    app.router.add_route("*", "/{rest:.*}", LazyRouter(Shelf, worker).answer)
    async with TestClient(TestServer(app)) as client:
        assert built == []
        for book in ("a", "b%20c"):
            async with client.get(f"/shelf/{book}") as response:
                assert await response.text() == book.replace("%20", " ")
        async with client.post("/shelf/a") as response:
            assert (response.status, response.headers["Allow"]) == (405, "GET,HEAD")
        async with client.get("/elsewhere") as response:
            assert response.status == 404
    worker.close()
    [thread] = built
    assert thread != threading.get_ident()


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
        }
    )


async def test_pictures_end_with_the_server() -> None:
    app = create_app(Settings(port=0))
    worker = app[WORLD].worker
    async with TestClient(TestServer(app)):
        assert await worker.run(lambda _: "drawn") == "drawn"
    with pytest.raises(WorkerClosed):
        await worker.run(lambda _: "drawn")

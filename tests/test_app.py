"""How servers begin and end, in a process of their own where that matters."""

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientSession, TCPConnector, web
from aiohttp.test_utils import TestClient, TestServer

from mockvod.app import WORLD, CannotListen, Running, create_app, serving, stop_signal
from mockvod.settings import Settings
from tests.receivers import ended, hanging, receiving
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]


SERVE = """
import json, sys
settings, loop = json.loads(sys.argv[1]), sys.argv[2]
if loop == "asyncio":
    sys.modules["uvloop"] = None
from mockvod.app import run
from mockvod.settings import Settings
run(Settings(port=0, **settings), lambda running: print(running.url, flush=True))
"""

# Names that no name server answers for.
DEAF_NAME_SERVER = """
import socket, threading
def wait_for_ever(*_):
    print("looking up", flush=True)
    threading.Event().wait()
socket.getaddrinfo = wait_for_ever
"""

LOOPS = pytest.mark.parametrize("loop", ["uvloop", "asyncio"])


class Served:
    """A server in a process of its own."""

    def __init__(self, process: Process, url: str, session: ClientSession) -> None:
        self.process = process
        self.url = url
        self.session = session

    async def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        async with self.session.request(method, f"{self.url}/mockvod/v1{path}", json=body, params=query) as response:
            return await response.json()

    async def poll(self) -> dict[str, Any]:
        headers = {"X-TC-Action": "PullEvents", "X-TC-Version": "2018-07-17"}
        async with self.session.post(self.url, json={}, headers=headers) as response:
            inside: dict[str, Any] = json.loads(await response.read())["Response"]
            return inside

    async def until(self, what: str, count: int) -> None:
        """Until the server's applications together have *count* polls or deliveries; each look is a round trip."""
        async with asyncio.timeout(10):
            while sum(one[what] for one in (await self.control("GET", "/stats"))["applications"]) != count:
                pass

    async def stop(self, number: signal.Signals) -> tuple[int, str]:
        """Exit status and standard error. Fails if the process hangs: every poll and delivery here lasts longer."""
        self.process.send_signal(number)
        assert self.process.stderr is not None
        async with asyncio.timeout(20):
            words = await self.process.stderr.read()
            status = await self.process.wait()
        return status, words.decode()


@asynccontextmanager
async def served(
    loop: str = "uvloop", before: str = "", python: tuple[str, ...] = (), **settings: Any
) -> AsyncIterator[Served]:
    command = (sys.executable, *python, "-c", before + SERVE, json.dumps(settings), loop)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE, stderr=PIPE)
    try:
        assert process.stdout is not None
        url = (await process.stdout.readline()).decode().strip()
        if not url and process.stderr is not None:
            pytest.fail((await process.stderr.read()).decode())
        async with ClientSession(connector=TCPConnector(limit=0)) as session:
            yield Served(process, url, session)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def complaints(words: str) -> list[str]:
    marks = (
        "Traceback",
        "destroyed",
        "never retrieved",
        "never awaited",
        "ResourceWarning",
        "unclosed",
        "Exception ignored",
    )
    return [line for line in words.splitlines() if any(mark in line for mark in marks)]


# --- the end of a process


@LOOPS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_polls_and_deliveries_within_a_second(number: signal.Signals, loop: str) -> None:
    async with receiving(hanging) as url, served(loop, poll_hold=60) as server:
        await server.control("PATCH", "/config", {"callback_url": url}, sub_app_id=2)
        await server.control("POST", "/events", {"count": 20}, sub_app_id=2)
        polls = [asyncio.create_task(server.poll()) for _ in range(50)]
        await server.until("polls", 50)
        await server.until("deliveries", 20)
        status, words = await server.stop(number)
        answers = await asyncio.gather(*polls)
    assert [answer["Error"] for answer in answers] == 50 * [{"Code": "ResourceNotFound", "Message": "no event"}]
    assert status == 0
    assert complaints(words) == []


@LOOPS
async def test_a_look_up_without_a_response_does_not_delay_the_exit(loop: str) -> None:
    async with served(loop, before=DEAF_NAME_SERVER, callback_url="http://receiver.invalid/") as server:
        await server.control("POST", "/events", {})
        assert server.process.stdout is not None
        async with asyncio.timeout(10):
            assert await server.process.stdout.readline() == b"looking up\n"
        status, words = await server.stop(signal.SIGTERM)
    assert (status, complaints(words)) == (0, [])


@LOOPS
async def test_nothing_is_left_open_at_the_end(loop: str, receiver: Receiver) -> None:
    strict = ("-X", "dev", "-W", "error")
    async with receiving(hanging) as url, served(loop, python=strict, poll_hold=60, every=60) as server:
        await server.control("PATCH", "/config", {"callback_url": receiver.url}, sub_app_id=1)
        await server.control("POST", "/events", {"count": 20}, sub_app_id=1)
        await receiver.wait_for(20)
        await server.control("PATCH", "/config", {"callback_url": url}, sub_app_id=2)
        await server.control("POST", "/events", {"count": 5}, sub_app_id=2)
        await server.control("POST", "/reset")
        await server.control("PATCH", "/config", {"callback_url": url}, sub_app_id=2)
        await server.control("POST", "/events", {"count": 5}, sub_app_id=2)
        await server.control("POST", "/events", {"delay": 60})
        poll = asyncio.create_task(server.poll())
        await server.until("polls", 1)
        await server.until("deliveries", 5)
        status, words = await server.stop(signal.SIGTERM)
        assert (await poll)["Error"]["Code"] == "ResourceNotFound"
    assert (status, complaints(words)) == (0, [])


async def test_a_poll_that_comes_with_the_signal_returns_or_is_refused_but_does_not_hang() -> None:
    async with served(poll_hold=60) as server:
        polls = [asyncio.create_task(server.poll()) for _ in range(20)]
        status, words = await server.stop(signal.SIGTERM)
        await asyncio.gather(*polls, return_exceptions=True)
    assert (status, complaints(words)) == (0, [])


# --- in one process


async def test_two_servers_in_one_process_are_separate(start: Start, session: ClientSession) -> None:
    one, other = Caller(await start(), session), Caller(await start(), session)
    await one.control("PATCH", "/config", {"poll_hold": 0})
    await other.control("PATCH", "/config", {"poll_hold": 0})
    await one.emit()
    await one.clock.freeze()
    assert one.running.port != other.running.port
    assert "Error" in await other.call("PullEvents")
    assert len((await one.call("PullEvents"))["EventSet"]) == 1
    assert other.clock.rate == 1.0
    await other.control("POST", "/reset")
    assert (await one.control("GET", "/stats"))["counts"]["leased"] == 1


async def test_a_server_that_ends_ends_its_deliveries_and_no_other_servers(session: ClientSession) -> None:
    async with receiving(hanging) as url, AsyncExitStack() as stack:
        lasting = await stack.enter_async_context(serving(Settings(port=0, callback_url=url)))
        async with serving(Settings(port=0, callback_url=url)) as short:
            for running in (lasting, short):
                await Caller(running, session).emit(count=3)
        assert not short.world.default.life.application().deliveries._senders
        assert lasting.world.default.life.application().deliveries.under_way == 3


async def test_a_server_begins_again_on_its_port_at_once(session: ClientSession) -> None:
    async with serving(Settings(port=0)) as first:
        await Caller(first, session).emit()
    async with serving(Settings(port=first.port)) as second:
        assert second.url == first.url
        assert (await Caller(second, session).control("GET", "/events"))["events"] == []


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "0.0.0.0"])
async def test_the_url_of_a_running_server_can_be_called(host: str, session: ClientSession) -> None:
    try:
        async with (
            serving(Settings(host=host, port=0)) as running,
            session.get(running.url + "/mockvod/livez") as answer,
        ):
            assert answer.status == 200
    except CannotListen:
        if host != "::1":
            raise
        pytest.skip("this machine has no IPv6")


async def test_a_taken_port_is_named_with_the_way_out(start: Start) -> None:
    port = (await start()).port
    with pytest.raises(CannotListen, match=rf"port {port} on 127.0.0.1 is taken .* --port {port + 1} \(or --port 0"):
        await start(port=port)


async def test_an_address_that_is_not_ours_is_named_with_the_way_out(start: Start) -> None:
    with pytest.raises(CannotListen, match=r"cannot listen on 192\.0\.2\.1 port 0: .*; choose another --host"):
        await start(host="192.0.2.1")


# --- health


async def test_a_server_is_alive_before_it_is_ready() -> None:
    app = create_app(Settings(seed=7))
    async with TestClient(TestServer(app)) as client:

        async def health(what: str) -> tuple[int, str]:
            response = await client.get(f"/mockvod/{what}")
            return response.status, (await response.json())["status"]

        assert await health("livez") == (200, "alive")
        assert await health("readyz") == (503, "starting")
        app[WORLD].ready = True
        assert await health("readyz") == (200, "ready")
        app[WORLD].begin_shutdown()
        assert await health("readyz") == (503, "starting")
        assert await health("livez") == (200, "alive")


async def test_a_running_server_is_ready(running: Running, session: ClientSession) -> None:
    async with session.get(running.url + "/mockvod/readyz") as response:
        assert (response.status, await response.json()) == (200, {"status": "ready"})


# --- the session of deliveries


async def test_events_of_two_applications_share_one_connection(caller: Caller) -> None:
    connections = set()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        connections.add(request.transport.get_extra_info("peername"))
        return web.Response()

    async with TestClient(TestServer(_app(answer))) as receiver:
        for app in (1, 2):
            await caller.control("PATCH", "/config", {"callback_url": str(receiver.make_url("/"))}, sub_app_id=app)
            events = (await caller.control("POST", "/events", sub_app_id=app))["events"]
            assert await ended(caller.account, events[0]["id"]) == ["delivered"]
    assert len(connections) == 1


def _app(answer: Callable[[web.Request], Awaitable[web.StreamResponse]]) -> web.Application:
    app = web.Application()
    app.router.add_post("/", answer)
    return app


COLLECTOR = """
import gc, os, signal
from mockvod.cli import main as cli, serve
def announce(running):
    print(gc.isenabled(), gc.get_freeze_count() > 0, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)
serve._announce = announce
cli.main(["serve", "--port", "0"])
"""


async def test_garbage_is_collected_once_the_server_is_ready() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", COLLECTOR, stdout=PIPE)
    out, _ = await process.communicate()
    assert (out.split(), process.returncode) == ([b"True", b"True"], 0)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_stops_the_server_where_event_loops_handle_none(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    """As on Windows."""

    def none(*_: object) -> None:
        raise NotImplementedError

    monkeypatch.setattr(asyncio.get_running_loop(), "add_signal_handler", none)
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    try:
        stop = stop_signal()
        signal.raise_signal(number)
        await asyncio.wait_for(stop.wait(), 10)
    finally:
        signal.signal(signal.SIGTERM, before[0])
        signal.signal(signal.SIGINT, before[1])

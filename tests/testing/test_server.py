"""A server in a thread of its own."""

import asyncio
import subprocess
import sys
import threading
from typing import Any

import pytest

from mockvod.app import CannotListen
from mockvod.settings import Settings
from mockvod.settings_load import SettingsError
from mockvod.testing import AsyncClient, Client, MockVod, Server, Unreachable


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name == "mockvod"]


def test_a_server_responds_for_as_long_as_the_block_lasts() -> None:
    with MockVod() as server:
        url = server.url
        assert url == f"http://{server.endpoint}"
        assert server.client.ready()
        [event] = server.client.emit()
        assert event.state == "queued"
    with Client(url) as client, pytest.raises(Unreachable):
        client.ready()
    assert not threads()


async def test_an_asynchronous_block_leaves_the_loop_running() -> None:
    turns = 0

    async def spin() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    spinning = asyncio.create_task(spin())
    async with MockVod() as server, AsyncClient(server.url) as client:
        while_starting = turns
        assert await client.ready()
        before_the_end = turns
    spinning.cancel()
    assert while_starting > 0
    assert turns > before_the_end
    assert not threads()


def test_two_servers_are_independent() -> None:
    with MockVod() as one, MockVod() as other:
        one.client.emit()
        assert len(one.client.events()) == 1
        assert other.client.events() == []


def test_settings_are_given_by_name_or_as_a_whole() -> None:
    with MockVod(poll_hold=1, mode="PUSH") as server:
        assert (server.client.config()["poll_hold"], server.client.config()["mode"]) == (1, "PUSH")
    with MockVod(Settings(pull_limit=3), mode="PUSH") as server:  # on any free port
        assert (server.client.config()["pull_limit"], server.client.config()["mode"]) == (3, "PUSH")


@pytest.mark.parametrize("host", ["", "0.0.0.0"])
def test_a_server_on_every_interface_is_reached_on_the_loopback_one(host: str) -> None:
    with MockVod(host=host) as server:
        assert server.url.startswith("http://127.0.0.1:")
        assert server.client.ready()


def test_environment_variables_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCKVOD_POLL_HOLD", "9")
    monkeypatch.setenv("MOCKVOD_PORT", "1")
    with MockVod() as server:
        assert server.client.config()["poll_hold"] == 5


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"pol_hold": 1}, "pol_hold: unknown setting; did you mean poll_hold?"),
        ({"wholly_unlike": 1}, "wholly_unlike: unknown setting"),
        ({"mode": "PUSHY"}, "mode: must be 'PULL' or 'PUSH', got 'PUSHY'"),
        ({"sign_key": "not!"}, r"sign_key: must be at most 32 letters and digits, got \(not shown\)"),
        ({"secret_id": "AKID1"}, "secret-id is given without secret-key"),
    ],
)
def test_an_invalid_setting_is_named(settings: Any, words: str) -> None:
    with pytest.raises(SettingsError, match=f"^{words}"):
        MockVod(**settings)


def test_a_port_in_use_raises_in_start() -> None:
    with MockVod() as server:
        port = int(server.endpoint.rpartition(":")[2])
        other = MockVod(port=port)
        with pytest.raises(CannotListen, match=f"port {port} on 127.0.0.1 is taken"):
            other.start()
        assert threads() == ["mockvod"]
    with other:
        assert other.client.ready()


async def test_a_port_in_use_raises_in_an_asynchronous_block() -> None:
    async with MockVod() as server:
        port = int(server.endpoint.rpartition(":")[2])
        with pytest.raises(CannotListen, match=f"port {port} on 127.0.0.1 is taken"):
            async with MockVod(port=port):
                pass
        assert threads() == ["mockvod"]


def test_any_error_at_the_start_raises_in_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr("mockvod.app.loop_factory")
    with pytest.raises(ImportError, match="loop_factory"):
        MockVod().start()
    assert not threads()


def test_a_server_that_does_not_run_says_so() -> None:
    server = MockVod()
    for name in ("url", "endpoint", "client"):
        with pytest.raises(RuntimeError, match="is not running"):
            getattr(server, name)
    server.stop()


def test_a_running_server_is_not_started_again_but_one_that_ended_is() -> None:
    server = MockVod().start()
    with pytest.raises(RuntimeError, match="already running"):
        server.start()
    server.client.emit()
    server.stop()
    server.stop()
    with server:
        assert server.client.events() == []


def test_a_server_that_is_starting_is_not_started_again() -> None:
    server = MockVod()
    starting = server._launch()
    with pytest.raises(RuntimeError, match="already running"):
        server.start()
    starting.result()
    server.stop()


async def test_a_start_that_is_cancelled_leaves_nothing() -> None:
    starting = asyncio.create_task(MockVod().__aenter__())
    await asyncio.sleep(0)
    assert threads()
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert not threads()


BUSY = """
import http.client, logging, socket, threading
from typing import Any
from mockvod.testing import MockVod

logging.getLogger("mockvod").setLevel("ERROR")  # it warns of the delivery that ends with it
deaf = socket.create_server(("127.0.0.1", 0))  # accepts a connection and never answers
before = threading.active_count()
url = f"http://127.0.0.1:{deaf.getsockname()[1]}/"
server = MockVod(callback_url=url, pull_in_push_mode=True, poll_hold=600, callback_timeout=600).start()
server.client.emit()
server.client.wait_for("delivering")
poll = http.client.HTTPConnection(server.endpoint)
poll.request("POST", "/", b"{}", {"X-TC-Action": "PullEvents", "X-TC-Version": "2018-07-17"})
tail = http.client.HTTPConnection(server.endpoint)
tail.request("GET", "/mockvod/v1/journal", headers={"Accept": "text/event-stream"})
following = tail.getresponse()
while not server.client.stats()["applications"][0]["polls"]:
    pass
server.stop()
assert threading.active_count() == before, threading.enumerate()
assert b"no event" in poll.getresponse().read()
for one in (poll, following, tail, deaf):
    one.close()
"""


def test_open_polls_deliveries_and_streams_do_not_delay_the_stop() -> None:
    run = subprocess.run([sys.executable, "-W", "error", "-c", BUSY], capture_output=True, text=True, timeout=30)  # noqa: S603, PLW1510
    assert (run.returncode, run.stderr) == (0, ""), run.stderr


def test_a_server_that_was_not_stopped_lets_the_process_end() -> None:
    code = "from mockvod.testing import MockVod; MockVod().start()"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)  # noqa: S603, PLW1510
    assert (run.returncode, run.stderr) == (0, "")


def test_a_server_elsewhere_is_named_by_its_address() -> None:
    with MockVod() as server, Server(server.url + "/") as same:
        assert (same.url, same.endpoint) == (server.url, server.endpoint)
        assert same.client.ready()
    with pytest.raises(ValueError, match="'localhost:8266' must be the URL of a server"):
        Server("localhost:8266")

"""Commands that run until something ends them: servers, streams, waiting for a server."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from mockvod.cli.connection import server_url
from mockvod.testing import Client
from tests.background import Background, in_background
from tests.cli.running import Mockvod, process

# Health


def test_a_server_that_is_ready_is_healthy(mockvod: Mockvod, server: Background) -> None:
    assert mockvod.done("health") == "ready\n"
    assert mockvod.json("health") == {"url": server.url, "status": "ready"}


def test_a_server_that_is_not_ready_is_not_healthy(mockvod: Mockvod, server: Background) -> None:
    server.running.world.ready = False
    try:
        code, message = mockvod.failed("health")
    finally:
        server.running.world.ready = True
    assert (code, message) == (1, f"the server at {server.url} is starting or stopping")


def test_health_gives_up_waiting(mockvod: Mockvod) -> None:
    assert mockvod.failed("health", "--wait", "--timeout", "60ms", "--url", "http://127.0.0.1:9")[0] == 1


def test_health_waits_for_a_server_to_start() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with (
        process("health", "--wait", "--timeout", "30", "--url", f"127.0.0.1:{port}") as waiting,
        in_background(port=port),
    ):
        assert waiting.communicate(timeout=30) == ("ready\n", "")
    assert waiting.returncode == 0


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "http://127.0.0.1:8266"),
        ({"MOCKVOD_PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"MOCKVOD_PORT": "0"}, "http://127.0.0.1:8266"),
        ({"MOCKVOD_PORT": "", "MOCKVOD_URL": ""}, "http://127.0.0.1:8266"),
        ({"MOCKVOD_PORT": "9000", "MOCKVOD_URL": "http://vod:1"}, "http://vod:1"),
        ({"MOCKVOD_HOST": "0.0.0.0"}, "http://127.0.0.1:8266"),
        ({"MOCKVOD_HOST": "::"}, "http://[::1]:8266"),
        ({"MOCKVOD_HOST": "::1", "MOCKVOD_PORT": "9000"}, "http://[::1]:9000"),
        ({"MOCKVOD_HOST": "192.0.2.1"}, "http://192.0.2.1:8266"),
        # Kubernetes sets this for a service named mockvod.
        ({"MOCKVOD_PORT": "tcp://10.0.0.1:8266", "MOCKVOD_HOST": "0.0.0.0"}, "http://127.0.0.1:8266"),
    ],
)
def test_the_server_is_where_the_variables_put_it(
    environ: dict[str, str], url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MOCKVOD_URL")
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    assert server_url() == url


def test_the_server_is_where_the_settings_file_puts_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOCKVOD_URL")
    Path("mockvod.toml").write_text('host = "::"\nport = 9000\n', encoding="utf-8-sig")
    assert server_url() == "http://[::1]:9000"
    Path("other.toml").write_text("port = 9001\n", encoding="utf-8")
    monkeypatch.setenv("MOCKVOD_CONFIG", "other.toml")
    monkeypatch.setenv("MOCKVOD_HOST", "127.0.0.1")
    assert server_url() == "http://127.0.0.1:9001"
    Path("other.toml").write_text("port = ", encoding="utf-8")
    assert server_url() == "http://127.0.0.1:8266"


def test_health_imports_nothing_heavy(server: Background) -> None:
    code = (
        "import sys; from mockvod.cli.main import main\n"
        "try: main(['health'])\n"
        "finally: print(sorted({'pydantic', 'aiohttp', 'faker', 'asyncio', 'yarl'} & set(sys.modules)))"
    )
    ended = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )
    assert ended.stdout == "ready\n[]\n"


# Serving


def test_serve_ends_with_0_when_it_is_stopped() -> None:
    with process("serve", "--port", "0", "--seed", "7", "--log-format", "json") as running:
        assert running.stderr is not None
        first = json.loads(running.stderr.readline())
        running.send_signal(signal.SIGTERM)
        messages = [json.loads(line)["message"] for line in running.stderr]
        assert (running.wait(30), running.stdout.read()) == (0, "")  # type: ignore[union-attr]
    assert re.search(r"http://127\.0\.0\.1:\d+ .*; seed 7$", first["message"])
    assert messages[-1] == "stopping"
    assert "seed = 7 (flag --seed)" in messages


def test_a_quiet_server_logs_only_warnings() -> None:
    with process("serve", "--port", "0", "--quiet", "--mode", "PUSH") as running:
        assert running.stderr is not None
        first = running.stderr.readline()
        running.send_signal(signal.SIGTERM)
        out, err = running.communicate(timeout=30)
    assert (running.returncode, out, err) == (0, "", "")
    assert "mode PUSH without a callback URL" in first


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_port_in_use_ends_with_1_and_suggests_another(mockvod: Mockvod, server: Background, command: str) -> None:
    port = server.running.port
    code, message = mockvod.failed(command, "--port", str(port))
    assert code == 1
    assert message.startswith(f"port {port} ")
    assert "--port 0" in message


def test_an_address_of_another_machine_ends_with_1(mockvod: Mockvod) -> None:
    code, message = mockvod.failed("serve", "--host", "192.0.2.1", "--port", "0")
    assert code == 1
    assert "192.0.2.1" in message


# Streams


def test_entries_are_shown_as_they_are_written(server: Background) -> None:
    with Client(server.url) as anyone:
        account = ("--secret-id", anyone.make_account().secret_id)
    with (
        Client(server.url, secret_id=account[1]) as client,
        process("tail", "--all", *account) as lines,
        process("tail", "--all", "--json", *account) as objects,
        process("events", "--watch", "--state", "queued", *account) as events,
    ):
        client.emit()
        for running in (lines, objects, events):
            assert running.stdout is not None
        assert re.fullmatch(r"evt_000001 \d\d:\d\d:\d\d\.\d{3}  queued\n", lines.stdout.readline())  # type: ignore[union-attr]
        assert json.loads(objects.stdout.readline())["what"] == "queued"  # type: ignore[union-attr]
        assert events.stdout.readline().startswith("evt_000001  queued ")  # type: ignore[union-attr]
        client.emit(event_type="FileDeleted")
        assert events.stdout.readline().startswith("evt_000002  queued ")  # type: ignore[union-attr]
        lines.stdout.readline()  # type: ignore[union-attr]
        objects.stdout.readline()  # type: ignore[union-attr]
        for running in (lines, objects, events):
            running.send_signal(signal.SIGINT)
            stdout, stderr = running.communicate(timeout=30)
            assert stdout == ""
            assert re.fullmatch("mockvod: console: http.*\n" if running is events else "", stderr)
            assert running.returncode == 130


def test_a_tail_ends_with_its_account(mockvod: Mockvod, server: Background) -> None:
    mockvod.done("accounts", "make", "AKIDmine")
    mockvod.done("emit", "--secret-id", "AKIDmine")
    with process("tail", "--all", "--secret-id", "AKIDmine") as running:
        assert running.stdout is not None
        assert "queued" in running.stdout.readline()
        mockvod.done("accounts", "delete", "AKIDmine")
        assert running.communicate(timeout=30) == (
            "",
            "mockvod: the server has stopped, or the account was deleted\n",
        )
    assert running.returncode == 0


def test_a_reader_that_has_seen_enough_is_no_failure(server: Background) -> None:
    with Client(server.url) as client:
        client.emit(count=5000)
    with process("events") as running:
        assert running.stdout is not None
        assert running.stdout.readline().startswith("evt_000001")
        running.stdout.close()
        assert running.wait(30) == 0
        assert running.stderr is not None
        assert re.fullmatch("mockvod: console: http.*\n", running.stderr.read())


def test_a_reader_that_reads_nothing_is_no_failure(server: Background) -> None:
    """What was printed is still in the buffer when the command ends."""
    reading, writing = os.pipe()
    os.close(reading)
    with process("clock", stdout=writing) as running:
        os.close(writing)
        assert running.wait(30) == 0
        assert running.stderr is not None
        assert running.stderr.read() == ""

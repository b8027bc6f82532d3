"""Connections: bounded in number and in the time for a request's head; what is not HTTP is one line in the log."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from aiohttp import ClientSession, web

from mockvod.app import Running
from mockvod.http import bodies, connections
from mockvod.http.connections import Connections, Reports

HEAD = b"POST /mockvod/v1/events HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"


async def send(port: int, data: bytes) -> bytes:
    """Everything that a server answers to *data* until it closes the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        async with asyncio.timeout(20):
            return await reader.read()
    except ConnectionError:
        return b""
    finally:
        writer.close()


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]


TLS_HELLO = bytes.fromhex("16030100f8010000f40303") + bytes(200)


@pytest.mark.parametrize(
    ("sent", "logged"),
    [
        (TLS_HELLO, "127.0.0.1 speaks https to the http port; set its protocol to http, or use --tls"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "127.0.0.1 speaks HTTP/2, which mockvod does not; use HTTP/1.1"),
        (b"GET / HTTP/1.1\nHost: a\n\n", "malformed request: "),
        (b"\x00\x01\r\n\r\n", "malformed request: "),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", "malformed request: "),
    ],
    ids=["tls", "http2", "bare-lf", "garbage", "long-header"],
)
async def test_what_is_not_http_is_one_line_in_the_log(
    running: Running, caplog: pytest.LogCaptureFixture, sent: bytes, logged: str
) -> None:
    caplog.set_level(logging.WARNING)
    await send(running.port, sent)
    [line] = warnings(caplog)
    assert logged in line
    assert all(record.exc_info is None for record in caplog.records)


async def test_a_header_line_of_9_kb_is_read(running: Running, session: ClientSession) -> None:
    async with session.get(f"{running.url}/mockvod/livez", headers={"X-Long": "y" * 9_000}) as response:
        assert response.status == 200


def test_warnings_of_one_kind_are_counted_for_the_next_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    monkeypatch.setattr(connections, "monotonic", lambda: now)
    reports = Reports()
    for number in range(5):
        reports.warn("slow", f"number {number}")
    reports.warn("full", "another kind")
    now = connections.REPORT_SECONDS
    reports.warn("slow", "number 5")
    assert warnings(caplog) == ["number 0", "another kind", "number 5 (4 more like this since the last line)"]


@asynccontextmanager
async def listening(**options: Any) -> AsyncIterator[int]:
    async def handler(_: web.BaseRequest) -> web.Response:
        return web.Response(text="served")

    factory = Connections(web.Server(handler), {}, **options)
    server = await asyncio.get_running_loop().create_server(factory, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        factory.abort()
        server.close()


async def test_a_connection_above_the_limit_is_closed(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(limit=1) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        assert await send(port, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") == b""
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"served")
        writer.close()
    assert warnings(caplog) == ["1 connections are open, the limit: another one was closed"]


@pytest.mark.parametrize("sent", [b"", b"GET / HT"], ids=["nothing", "half a head"])
async def test_a_request_head_that_does_not_arrive_in_time_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, sent: bytes
) -> None:
    now = 0.0
    monkeypatch.setattr(connections, "monotonic", lambda: now)
    monkeypatch.setattr(connections, "SWEEP_SECONDS", 0.001)
    async with listening() as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert (await reader.readuntil(b"served")).startswith(b"HTTP/1.1 200")
        other_reader, other = await asyncio.open_connection("127.0.0.1", port)
        other.write(sent)
        await other.drain()
        now = connections.HEAD_SECONDS
        async with asyncio.timeout(20):
            with suppress(ConnectionResetError):  # it may be closed before what was sent is read
                assert await other_reader.read() == b""
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")  # an idle connection stays open
        assert (await reader.read()).endswith(b"served")
        for one in (writer, other):
            one.close()
    assert warnings(caplog) == ["127.0.0.1 sent no complete request head within 30 s: connection closed"]


async def test_a_body_that_does_not_arrive_in_time_is_rejected(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_SECONDS", 0.001)
    reply = await first_line(running.port, HEAD + b"Content-Length: 5\r\n\r\nhel")
    assert reply.startswith(b"HTTP/1.1 400")


async def test_bodies_that_arrive_at_once_are_bounded_together(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "UNFINISHED_BYTES", 1000)
    reply = await first_line(running.port, HEAD + b"Content-Length: 2000\r\n\r\n" + bytes(1500))
    assert reply.startswith(b"HTTP/1.1 503")


async def test_the_bytes_of_a_body_no_longer_count_after_an_error(
    start: Callable[..., Awaitable[Running]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "UNFINISHED_BYTES", 1000)
    running = await start()
    for _ in range(3):
        reply = await first_line(
            running.port, HEAD + b"Transfer-Encoding: chunked\r\n\r\n258\r\n" + bytes(600) + b"\r\n0\r\n\r\n"
        )
        assert reply.startswith(b"HTTP/1.1 400")


async def first_line(port: int, data: bytes) -> bytes:
    """The status line of the response to *data*, on a connection that stays open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(data)
    try:
        async with asyncio.timeout(20):
            return await reader.readline()
    finally:
        writer.close()

"""Responses that are written straight to the socket, and the cases in which aiohttp writes them."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import HttpVersion10, HttpVersion11, web

from mockvod.app import Running
from mockvod.http.responses import BUFFERED, json_response


class Transport:
    """Keeps what is written, as a transport whose client has read nothing yet."""

    def __init__(self, buffered: int = 0, *, closing: bool = False) -> None:
        self.written = b""
        self._buffered = buffered
        self._closing = closing

    def is_closing(self) -> bool:
        return self._closing

    def get_write_buffer_size(self) -> int:
        return self._buffered

    def write(self, data: bytes) -> None:
        self.written += data


class Request:
    """What `json_response` looks at in a request."""

    def __init__(self, transport: Transport | None, **facts: Any) -> None:
        self.protocol = SimpleNamespace(transport=transport, access_logger=facts.pop("access_logger", None))
        self.version = HttpVersion11
        self.keep_alive = True
        self.method = "POST"
        self.headers: dict[str, str] = {}
        vars(self).update(facts)


def answered(request: Request) -> web.StreamResponse:
    return json_response(cast("web.Request", request), (b'{"Response":', b"{}}"))


def test_the_ordinary_response_is_written_at_once() -> None:
    transport = Transport(BUFFERED)
    assert not isinstance(answered(Request(transport)), web.Response)
    assert transport.written.startswith(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: ")
    assert transport.written.endswith(b'Content-Length: 15\r\n\r\n{"Response":{}}')


@pytest.mark.parametrize(
    ("transport", "facts"),
    [
        (None, {}),
        (Transport(closing=True), {}),
        (Transport(BUFFERED + 1), {}),
        (Transport(), {"keep_alive": False}),
        (Transport(), {"version": HttpVersion10}),
        (Transport(), {"method": "HEAD"}),
        (Transport(), {"access_logger": object()}),
        (Transport(), {"headers": {"Origin": "http://localhost:3000"}}),
    ],
    ids=["gone", "closing", "reads too slowly", "Connection: close", "HTTP/1.0", "HEAD", "logged", "CORS"],
)
def test_any_other_response_is_left_to_aiohttp(transport: Transport | None, facts: dict[str, Any]) -> None:
    response = answered(Request(transport, **facts))
    assert isinstance(response, web.Response)
    assert response.body == b'{"Response":{}}'
    assert transport is None or transport.written == b""


async def test_a_connection_is_closed_after_a_response_if_the_client_wants_it(running: Running) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    writer.write(
        b"POST / HTTP/1.1\r\nHost: a\r\nX-TC-Action: DescribeEventsState\r\nX-TC-Version: 2018-07-17\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
    )
    async with asyncio.timeout(20):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    assert b"\r\nConnection: close" in head
    assert b'"CountOfEventsToPull":0' in body


async def test_a_client_that_reads_nothing_is_not_answered_without_end(running: Running) -> None:
    account = running.world.default
    account.life.configure({"pull_limit": 1})
    application = account.life.application()
    for _ in range(100):
        application.emit("FileDeleted", {"FileIdSet": ["x" * 200_000]})
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port, limit=2**12)
    pull = (
        b"POST / HTTP/1.1\r\nHost: a\r\nX-TC-Action: PullEvents\r\nX-TC-Version: 2018-07-17\r\n"
        b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )
    writer.write(pull * 100)
    quiet_turns, leased = 0, -1
    while quiet_turns < 500:
        await asyncio.sleep(0)
        quiet_turns = quiet_turns + 1 if leased == application.queue.leased else 0
        leased = application.queue.leased
    assert 0 < leased < 100
    received = bytearray()
    async with asyncio.timeout(20):
        while received.count(b"RequestId") < 100:
            received += await reader.read(2**20)
    assert application.queue.leased == 100
    writer.close()

"""The HTTP client that pushes events, against receivers that break connections."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ServerDisconnectedError
from yarl import URL

from mockvod.engine import push_client
from mockvod.engine.push_client import BODY_LIMIT, HEADER_LIMIT, PushClient, Request, Response, describe

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"

Answers = Callable[[int, int], bytes | None]
"""What to write for a request: the 0-based number of its connection, and of the request on it. None closes at once."""


class Receiver:
    """Counts the requests of each connection, and responds as it was set to."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.requests: list[int] = []
        self.writers: list[asyncio.StreamWriter] = []
        self.url = URL()

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = len(self.requests)
        self.requests.append(0)
        self.writers.append(writer)
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0]))
                answer = self._answers(connection, self.requests[connection])
                self.requests[connection] += 1
                writer.write(answer or b"")
                if answer != OK:
                    break
        except asyncio.IncompleteReadError:
            pass
        writer.close()


@asynccontextmanager
async def receiving(answers: Answers) -> AsyncIterator[Receiver]:
    receiver = Receiver(answers)
    server = await asyncio.start_server(receiver.accept, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    receiver.url = URL(f"http://{host}:{port}/")
    try:
        yield receiver
    finally:
        server.close()
        for writer in receiver.writers:
            writer.transport.abort()
        await server.wait_closed()


async def post(client: PushClient, url: URL, body: bytes = b"{}") -> Response:
    response = Response()
    async with asyncio.timeout(10):
        await client.post(Request(url, body, {"Content-Type": "application/json"}), response)
    return response


# Reused connections


@pytest.mark.parametrize("body", [b"{}", b"x" * 2 * 1024 * 1024], ids=["small", "large"])
async def test_a_request_that_breaks_on_a_reused_connection_is_sent_again_on_a_fresh_one(body: bytes) -> None:
    async with receiving(lambda _, request: OK if request == 0 else None) as receiver, PushClient() as client:
        responses = [await post(client, receiver.url, body) for _ in range(4)]
    assert [(one.status, one.body, one.error) for one in responses] == [(200, b"{}", None)] * 4
    # The second request breaks on the first connection; the fresh one is not used again.
    assert receiver.requests == [2, 1, 2, 1]


async def test_a_request_that_breaks_on_the_fresh_connection_too_has_failed() -> None:
    def first_only(connection: int, request: int) -> bytes | None:
        return OK if (connection, request) == (0, 0) else None

    async with receiving(first_only) as receiver, PushClient() as client:
        await post(client, receiver.url)
        response = await post(client, receiver.url)
    assert (response.status, response.error) == (None, "connection closed: Server disconnected")
    assert receiver.requests == [2, 1]


async def test_a_request_that_breaks_on_a_new_connection_is_not_sent_again() -> None:
    async with receiving(lambda *_: None) as receiver, PushClient() as client:
        response = await post(client, receiver.url)
    assert (response.status, response.error) == (None, "connection closed: Server disconnected")
    assert receiver.requests == [1]


async def test_a_name_that_is_not_found_is_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_up: list[str] = []

    async def resolve(host: str, *_: Any, **__: Any) -> Any:
        looked_up.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    async with PushClient() as client:
        monkeypatch.setattr(client._resolver, "resolve", resolve)
        response = await post(client, URL("http://receiver.invalid/"))
    assert response.error == "name not found: receiver.invalid port 80: Name or service not known"
    assert looked_up == ["receiver.invalid"]


async def test_a_refused_connection_is_tried_once(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []

    def open_socket(address: Any) -> socket.socket:
        opened.append(address)
        return socket.socket()

    monkeypatch.setattr(push_client, "_open_socket", open_socket)
    async with receiving(lambda *_: OK) as receiver:
        pass
    async with PushClient() as client:
        response = await post(client, receiver.url)
    assert response.error == f"cannot connect: 127.0.0.1 port {receiver.url.port}: Connection refused"
    assert len(opened) == 1


async def test_a_receiver_that_speaks_no_tls_is_named_with_the_reason() -> None:
    def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(OK)
        writer.close()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with PushClient() as client:
        response = await post(client, URL(f"https://127.0.0.1:{port}/"))
    server.close()
    assert response.error is not None
    assert response.error.startswith(f"TLS: 127.0.0.1 port {port}: ")
    assert "ssl:" not in response.error


@pytest.mark.parametrize(
    "part", [b"HTTP/1.1 200", b"HTTP/1.1 200 OK\r\nX: y", OK[:-1]], ids=["status", "header", "body"]
)
async def test_a_request_that_breaks_after_a_part_of_the_response_is_not_sent_again(part: bytes) -> None:
    async with receiving(lambda _, request: part if request else OK) as receiver, PushClient() as client:
        await post(client, receiver.url)
        response = await post(client, receiver.url)
    assert response.error is not None
    assert receiver.requests == [2]


async def test_a_body_that_is_sent_in_pieces_is_not_sent_again() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"{"
        yield b"}"

    async with receiving(lambda _, request: None if request else OK) as receiver, PushClient() as client:
        await post(client, receiver.url)
        response = Response()
        await client.post(Request(receiver.url, b"{}", {"Content-Length": "2"}, pieces()), response)
    assert response.error == "connection closed: Server disconnected"
    assert receiver.requests == [2]


# Limits


def with_header(size: int) -> bytes:
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\nX: " + size * b"x" + b"\r\nContent-Length: 2\r\n\r\n{}"


async def test_a_header_line_of_64_kib_is_read() -> None:
    async with receiving(lambda *_: with_header(HEADER_LIMIT - 100)) as receiver, PushClient() as client:
        response = await post(client, receiver.url)
    assert (response.status, response.error) == (200, None)


async def test_a_longer_header_line_is_named_as_the_reason() -> None:
    async with receiving(lambda *_: with_header(HEADER_LIMIT + 100)) as receiver, PushClient() as client:
        response = await post(client, receiver.url)
    assert response.error == f"invalid HTTP response: a status or header line is longer than {HEADER_LIMIT} bytes"


async def test_an_endless_body_is_cut_off() -> None:
    endless = b"HTTP/1.1 200 OK\r\n\r\n" + (BODY_LIMIT + 1) * b"x"
    async with receiving(lambda *_: endless) as receiver, PushClient() as client:
        response = await post(client, receiver.url)
    assert (response.status, response.error) == (200, f"broken response: the body is longer than {BODY_LIMIT} bytes")


# How failures are worded


@pytest.mark.parametrize(
    ("error", "description"),
    [
        (ServerDisconnectedError(), "connection closed: Server disconnected"),
        (ClientPayloadError("cut\nshort"), "broken response: cut short"),
        (FileNotFoundError(2, "No such file", "ca.pem"), "FileNotFoundError: [Errno 2] No such file: 'ca.pem'"),
        (ValueError("x" * 1000), "ValueError: " + 488 * "x"),
    ],
)
def test_a_failure_is_described_in_one_line(error: Exception, description: str) -> None:
    assert describe(error) == description

"""A client and a receiver that know as little HTTP as they can, so that the server is what limits."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

from mockvod.wire.calls import VERSION
from mockvod.wire.signing import tc3_headers

SECRET_ID = "AKIDbenchmarksbenchmarksbenchmarks00"  # noqa: S105 - anybody may know it
SECRET_KEY = "benchmarks-know-this-key-and-it-is-no-secret"  # noqa: S105 - anybody may know it

_LENGTH = b"\r\nContent-Length: "


class _Messages:
    """Cuts what arrives on a connection into bodies of messages that have a Content-Length."""

    def __init__(self) -> None:
        self._received = b""

    def feed(self, data: bytes) -> Iterator[bytes]:
        received = self._received + data if self._received else data
        while (head := received.find(b"\r\n\r\n")) >= 0:
            at = received.find(_LENGTH, 0, head) + len(_LENGTH)
            length = int(received[at : received.index(b"\r\n", at)]) if at >= len(_LENGTH) else 0
            end = head + 4 + length
            if len(received) < end:
                break
            yield received[head + 4 : end]
            received = received[end:]
        self._received = received


class Connection(asyncio.Protocol):
    """A connection that is kept alive, for one request at a time."""

    _transport: asyncio.Transport

    def __init__(self) -> None:
        self._messages = _Messages()
        self._answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        for body in self._messages.feed(data):
            if self._answer is not None and not self._answer.done():
                self._answer.set_result(body)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(exc or ConnectionResetError("the server closed the connection"))

    async def request(self, request: bytes) -> bytes:
        """The body of the answer, whatever its status."""
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    async def json(self, method: str, path: str, body: Any = None) -> Any:
        """A call of the control API."""
        answer = await self.request(http(method, path, {}, b"" if body is None else json.dumps(body).encode()))
        parsed = json.loads(answer) if answer else None
        if isinstance(parsed, dict) and "error" in parsed:
            raise RuntimeError(f"{method} {path}: {parsed['error']}")
        return parsed

    def close(self) -> None:
        self._transport.abort()


@asynccontextmanager
async def connections(port: int, count: int = 1) -> AsyncIterator[list[Connection]]:
    loop = asyncio.get_running_loop()
    opened: list[Connection] = []
    try:
        for _ in range(count):
            _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
            opened.append(connection)
        yield opened
    finally:
        for one in opened:
            one.close()


def http(method: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "127.0.0.1", **headers}.items())
    return f"{method} {path} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode() + body


Calling = Callable[[str, bytes], bytes]
"""Makes the request of an Action with a JSON body."""


def calls(port: int, *, signed: bool, path: str = "/") -> Calling:
    host = f"127.0.0.1:{port}"

    def unsigned_call(action: str, body: bytes) -> bytes:
        headers = {"Host": host, "Content-Type": "application/json", "X-TC-Action": action, "X-TC-Version": VERSION}
        return http("POST", path, headers, body)

    def signed_call(action: str, body: bytes) -> bytes:
        now = int(time.time())
        headers = tc3_headers(
            secret_id=SECRET_ID, secret_key=SECRET_KEY, host=host, action=action, body=body, timestamp=now
        )
        return http("POST", path, headers, body)

    return signed_call if signed else unsigned_call


def handles(answer: bytes) -> list[str]:
    """The EventHandles in an answer of PullEvents."""
    return [part[: part.index(b'"')].decode() for part in answer.split(b'"EventHandle":"')[1:]]


def confirmation(handles: list[str]) -> bytes:
    return json.dumps({"EventHandles": handles}).encode()


class Receiver:
    """A callback address in this process: notes when each request came, answers `{"code":0}`."""

    def __init__(self) -> None:
        self.url = ""
        self.arrivals: list[int] = []
        """Nanoseconds of the monotonic clock."""
        self.body = b""
        """What came last."""
        self._count = 0
        self._enough: asyncio.Future[None] | None = None
        self._first: Callable[[], None] | None = None

    def expect(self, count: int, first: Callable[[], None] | None = None) -> asyncio.Future[None]:
        """Forget what came; done once there are *count*. *first* is called with the first of them."""
        self.arrivals.clear()
        self._count = count
        self._first = first
        self._enough = asyncio.get_running_loop().create_future()
        return self._enough

    def arrived(self, body: bytes) -> None:
        self.body = body
        self.arrivals.append(time.monotonic_ns())
        if len(self.arrivals) == 1 and self._first is not None:
            self._first()
        if len(self.arrivals) == self._count and self._enough is not None:
            self._enough.set_result(None)


class _Incoming(asyncio.Protocol):
    _transport: asyncio.Transport
    ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 10\r\n\r\n{"code":0}'

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._messages = _Messages()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        for body in self._messages.feed(data):
            self._receiver.arrived(body)
            self._transport.write(self.ANSWER)


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = await asyncio.get_running_loop().create_server(lambda: _Incoming(receiver), "127.0.0.1", 0)
    receiver.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/callback"
    try:
        yield receiver
    finally:
        server.close()

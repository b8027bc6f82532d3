"""Requests and answers of API 3.0 byte by byte, as a client of any language sends and gets them."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from mockvod.app import Running
from mockvod.service.application import Application
from mockvod.wire.events import SNAPSHOT_COMPLETE

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
SECRET = {"secret_id": SECRET_ID, "secret_key": SECRET_KEY}
VERSION = "2018-07-17"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}

Start = Callable[..., Awaitable[Running]]


@dataclass
class Answer:
    """A response as it came over the socket."""

    start: str
    headers: dict[str, str]
    body: bytes

    @property
    def inside(self) -> dict[str, Any]:
        """The inside of `Response`, less its RequestId; the envelope is checked."""
        assert self.start.split(" ", 1)[1] == "200 OK"
        assert self.headers["content-type"] == "application/json"
        document = json.loads(self.body)
        assert list(document) == ["Response"]
        inside: dict[str, Any] = document["Response"]
        UUID(inside.pop("RequestId"))
        return inside

    @property
    def error(self) -> dict[str, str]:
        inside = self.inside
        assert list(inside) == ["Error"]
        error: dict[str, str] = inside["Error"]
        assert list(error) == ["Code", "Message"]
        return error

    @property
    def code(self) -> str:
        return self.error["Code"]


async def read_answer(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    start, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = 0 if bodiless else int(headers.get("content-length", 0))
    return Answer(start, headers, await reader.readexactly(length))


async def exchange(port: int, *pieces: bytes, bodiless: bool = False) -> Answer:
    """The answer to the bytes of one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(10):
            for piece in pieces:
                writer.write(piece)
            return await read_answer(reader, bodiless=bodiless)
    finally:
        writer.close()


@dataclass
class RawClient:
    """A server as a client of any language reaches it: no header and no byte but those given."""

    running: Running

    @property
    def application(self) -> Application:
        return self.running.world.default.life.application()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.running.port}"

    async def send(
        self,
        action: str | None = None,
        body: bytes | str | Mapping[str, Any] = b"",
        *,
        method: str = "POST",
        target: str | bytes = "/",
        headers: Mapping[str, str | bytes] | None = None,
        version: str | None = VERSION,
    ) -> Answer:
        """The answer to one request; *action* and *version* go into their X-TC headers."""
        raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        sent: dict[str, str | bytes] = {"Host": self.host}
        if action is not None:
            sent["X-TC-Action"] = action
        if action is not None and version is not None:
            sent["X-TC-Version"] = version
        sent |= headers or {}
        if raw:
            sent.setdefault("Content-Length", str(len(raw)))
        lines = b"".join(
            b"%b: %b\r\n" % (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in sent.items()
        )
        path = target if isinstance(target, bytes) else target.encode()
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), path, lines)
        return await exchange(self.running.port, head, raw, bodiless=method == "HEAD")

    def emit(self, count: int = 1) -> None:
        app = self.application
        for _ in range(count):
            app.emit(SNAPSHOT_COMPLETE, app.snapshot_task())

    async def pull(self) -> list[str]:
        """Handles."""
        return [content["EventHandle"] for content in (await self.send("PullEvents", "{}")).inside["EventSet"]]

    def state(self) -> Any:
        """All that a request could have changed."""
        account = self.running.world.default
        return (
            sum(entry.what != "confirm_refused" for entry in account.life.journal.since(0)),
            dict(account.life.events.counts),
            account.life.settings,
            [(one.name, one.settings, one.queue.visible, one.queue.leased) for one in account.life.applications()],
        )

    async def refuses(self, *args: Any, **kwargs: Any) -> dict[str, str]:
        """The error that a request is answered with; it has changed nothing, and the server goes on answering."""
        before = self.state()
        error = (await self.send(*args, **kwargs)).error
        assert self.state() == before
        assert (await self.send("DescribeEventConfig", "{}")).inside["Mode"] == "PULL"
        return error


def multipart(**parts: Any) -> bytes:
    body = b"".join(
        b'--xx\r\nContent-Disposition: form-data; name="%b"\r\n%b\r\n%b\r\n'
        % (
            name.encode(),
            b"Content-Type: application/json\r\n" if isinstance(value, list) else b"",
            (json.dumps(value) if isinstance(value, list) else str(value)).encode(),
        )
        for name, value in parts.items()
    )
    return body + b"--xx--\r\n"

"""What several tests lean on: a caller of API 3.0, and a receiver of callbacks."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pydantic
import pytest
from aiohttp import ClientSession, web

from mockvod.app import Running
from mockvod.engine.clock import Clock
from mockvod.engine.push_client import PushClient, Request, Response
from mockvod.service.application import Application
from mockvod.service.life import Life
from mockvod.service.world import Account

needs_checkout: Final = pytest.mark.skipif(
    not (Path(__file__).parent.parent / "mockvod").is_dir(),
    reason="reads the source of the package, which is not beside the tests",
)

OLD_PYDANTIC: Final = tuple(map(int, pydantic.VERSION.split(".")[:2])) < (2, 10)
"""Whether the schemas of pydantic differ from those that are published."""


class NoPushes(PushClient):
    """For a world without receivers: every attempt fails, and no connection is opened."""

    async def post(self, request: Request, response: Response, *, authority: str = "") -> None:  # noqa: ARG002 - as in PushClient
        response.error = "connection closed: the test has no receivers"


@dataclass
class Caller:
    """Unsigned calls of API 3.0 and of the control API, as plain HTTP."""

    running: Running
    session: ClientSession

    @property
    def account(self) -> Account:
        return self.running.world.default

    @property
    def clock(self) -> Clock:
        return self.account.life.clock

    async def call(self, action: str, /, **params: Any) -> dict[str, Any]:
        """The inside of `Response`, less its RequestId."""
        headers = {"X-TC-Action": action, "X-TC-Version": "2018-07-17"}
        async with self.session.post(self.running.url + "/", json=params, headers=headers) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "application/json"
            inside: dict[str, Any] = json.loads(await response.read())["Response"]
            assert inside.pop("RequestId")
            return inside

    async def control(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The answer of the control API, whatever its status; a refusal is `{"error": …}`."""
        url = f"{self.running.url}/mockvod/v1{path}"
        async with self.session.request(method, url, json=body, params=query) as response:
            return json.loads(await response.read())

    async def emit(self, **options: Any) -> list[dict[str, Any]]:
        answer = await self.control("POST", "/events", options)
        events: list[dict[str, Any]] = answer["events"]
        return events

    async def event(self, event_id: str) -> dict[str, Any]:
        found: dict[str, Any] = await self.control("GET", f"/events/{event_id}")
        return found


def life_of(application: Application) -> Life:
    """The whole life that *application* belongs to; it knows only a part of it."""
    assert isinstance(application.life, Life)
    return application.life


@dataclass
class Received:
    """One request that a receiver got."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads(self.body)
        return content


Answering = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Receiver:
    """A callback address that keeps what it gets and answers `{"code":0}` until told otherwise."""

    url: str = ""
    received: list[Received] = field(default_factory=list)
    answering: Answering | None = None
    arrived: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        one = Received(request.method, request.path, dict(request.query), dict(request.headers), body)
        async with self.arrived:
            self.received.append(one)
            self.arrived.notify_all()
        if self.answering is not None:
            return await self.answering(request)
        return web.json_response({"code": 0})

    async def wait_for(self, count: int) -> list[Received]:
        """All that came, once there are *count*."""
        async with asyncio.timeout(5), self.arrived:
            await self.arrived.wait_for(lambda: len(self.received) >= count)
        return self.received

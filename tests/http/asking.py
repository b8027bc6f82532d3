"""Calls of the control API that say what they expect."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

from mockvod.app import Running
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]
FROZEN = {"freeze": True}


class Control:
    """A tester's HTTP client."""

    def __init__(self, caller: Caller) -> None:
        self.caller = caller

    async def raw(self, method: str, path: str, data: Any = None, **options: Any) -> tuple[int, dict[str, Any]]:
        url = f"{self.caller.running.url}{path}"
        async with self.caller.session.request(method, url, data=data, **options) as response:
            assert response.content_type == "application/json"
            return response.status, json.loads(await response.read())

    async def ask(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, dict[str, Any]]:
        data = None if body is None else json.dumps(body)
        return await self.raw(method, "/mockvod/v1" + path, data, params=query)

    async def done(self, method: str, path: str, body: Any = None, **query: Any) -> dict[str, Any]:
        status, answer = await self.ask(method, path, body, **query)
        assert status in {200, 201}, answer
        return answer

    async def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, str, str, str | None]:
        status, answer = await self.ask(method, path, body, **query)
        error = answer["error"]
        return status, error["code"], error["message"], error["field"]

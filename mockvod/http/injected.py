"""Responses of API 3.0 that faults have changed: whether a call is executed, and how its response is sent."""

import os
import socket
import struct
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from mockvod.engine.hooks import Answering
from mockvod.engine.lifetime import LifeEnded
from mockvod.service.application import Application
from mockvod.service.context import LifeContext
from mockvod.wire.errors import ApiError

if TYPE_CHECKING:
    from mockvod.faults.api import Plan

Result = bytes | Mapping[str, Any]

# SO_LINGER with a timeout of 0: closing the socket sends a reset. Windows has two shorts there, others two ints.
_LINGER: Final = struct.pack("hh" if os.name == "nt" else "ii", 1, 0)


class InjectedResponse(Exception):
    """Raised in place of the response to a call when a fault has changed it."""

    def __init__(self, plan: "Plan", result: Result | ApiError, life: LifeContext) -> None:
        super().__init__()
        self.plan = plan
        self.result = result
        """What the normal response would contain; empty if the call was not executed."""
        self.life = life

    async def respond(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Respond to *request*; *body* is what the normal response would be."""
        raw, transport = self.plan.response(body), request.transport
        body = raw.body
        headers = {"Content-Type": raw.content_type, "Content-Length": str(len(body))}
        response = web.StreamResponse(status=raw.status, headers=headers)
        if raw.reset:
            if transport is not None:
                transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER)
                transport.abort()
            return response
        step = max(1, -(-len(body) // raw.pieces))
        end = len(body) if raw.share is None else min(len(body) - 1, int(len(body) * raw.share))
        with suppress(ConnectionResetError):  # the client may have hung up
            await response.prepare(request)
            for start in range(0, end, step):
                if start and not self.life.ended:
                    with suppress(LifeEnded):  # the rest is sent at once
                        await self.life.unless_ended(self.life.clock.sleep(raw.pause, "a slow response continues"))
                await response.write(body[start : min(start + step, end)])
        if raw.share is not None and request.transport is not None:
            request.transport.close()
        return response


async def carry_out(
    hook: Answering,
    application: Application,
    action: str,
    call: Any,
    run: Callable[[Application, Any], Coroutine[Any, Any, Result]],
) -> Result:
    """What *run* returns for *call*, with the faults of *hook* applied. Raises an ApiError, InjectedResponse."""
    plan: Plan = await hook.plan(application.sub_app_id, action, call)
    result: Result | ApiError = b""
    if plan.done:
        try:
            result = await run(application, call)
        except ApiError as error:
            result = error
    if plan.changes is not None:
        raise InjectedResponse(plan, result, application.life)
    if plan.error is not None:
        raise plan.error
    if isinstance(result, ApiError):
        raise result
    return result

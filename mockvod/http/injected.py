"""Answers of API 3.0 that faults have spoilt: when a call is carried out, and how its answer goes over the wire."""

import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from aiohttp import web

from mockvod.engine.clock import Clock
from mockvod.service.application import Application
from mockvod.wire.errors import ApiError

if TYPE_CHECKING:
    from mockvod.faults.api import Answer, Plan

Result = bytes | Mapping[str, Any]

_RST: Final = struct.pack("ii", 1, 0)  # SO_LINGER for no time: closing sends a reset, as a broken peer would


class InjectedResponse(Exception):
    """A call whose answer is not to be an ordinary one."""

    def __init__(self, planned: "Plan", result: Result | ApiError, clock: Clock) -> None:
        super().__init__()
        self.planned = planned
        self.result = result
        """What the ordinary answer would say; empty where the call was not carried out."""
        self.clock = clock

    async def answer(self, request: web.Request, body: bytes) -> web.StreamResponse:
        """Answer *request* in place of the ordinary answer, which would be *body*."""
        return await _send(request, self.planned.shaped(body), self.clock)


async def carry_out(
    application: Application, action: str, call: Any, run: Callable[[Application, Any], Awaitable[Result]]
) -> Result:
    """What *run* answers to *call*, under the faults in force. Raises an ApiError, InjectedResponse."""
    hook = application.account.hooks.api
    if hook is None:
        return await run(application, call)
    planned: Plan = await hook.plan(application.sub_app_id, action, call)
    result: Result | ApiError = b""
    if planned.done:
        try:
            result = await run(application, call)
        except ApiError as error:
            result = error
    if planned.shapes:
        raise InjectedResponse(planned, result, application.account.clock)
    if planned.error is not None:
        raise planned.error
    if isinstance(result, ApiError):
        raise result
    return result


async def _send(request: web.Request, answer: "Answer", clock: Clock) -> web.StreamResponse:
    body = answer.body
    headers = {"Content-Type": answer.content_type, "Content-Length": str(len(body))}
    response = web.StreamResponse(status=answer.status, headers=headers)
    if answer.reset:
        _reset(request)
        return response
    await response.prepare(request)
    step = max(1, -(-len(body) // answer.pieces))
    for start in range(0, len(body) if answer.cut is None else answer.cut, step):
        if start:
            with clock.busy():
                await clock.sleep_until(clock.now() + answer.pause, "a slow answer goes on")
        end = start + step if answer.cut is None else min(start + step, answer.cut)
        await response.write(body[start:end])
    if answer.cut is not None and request.transport is not None:
        request.transport.close()
    return response


def _reset(request: web.Request) -> None:
    transport = request.transport
    if transport is None:
        return
    # A descriptor of our own: what an event loop gives for a socket cannot be told everything.
    with socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno())) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RST)
    transport.abort()

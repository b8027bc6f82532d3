"""Hooks: the four places of an account where a fault may intercept; each is empty until a fault fills it."""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from mockvod.engine.clock import Clock, ExternalCall
from mockvod.engine.events import Event
from mockvod.engine.queue import EventQueue, Leases, Outcome

Resend = Callable[[Callable[[], None]], None]
"""Pushes an event again to all its targets; calls its argument once all of them have accepted it."""


class Arrival(Protocol):
    """An event on its way to the queue or the deliveries of its application."""

    def arrive(self, sub_app_id: int | None, event: Event, land: Callable[[Event], None]) -> None: ...
    def completes_immediately(self, sub_app_id: int | None, file_id: str) -> bool: ...
    async def before_response(self) -> None: ...


class Pulling(Protocol):
    """Between a queue and its client."""

    async def pull(self, queue: EventQueue, sub_app_id: int | None, limit: int, hold: float) -> Leases: ...
    def confirm(self, queue: EventQueue, handles: Sequence[str]) -> list[Outcome]: ...


class Outgoing(Protocol):
    """One POST before it is made."""

    sign_key: str
    expires: int

    def body(self, signed: bytes) -> bytes: ...
    @property
    def in_pieces(self) -> bool: ...
    def pieces(self, body: bytes, clock: Clock, call: ExternalCall) -> AsyncIterator[bytes]: ...


class Posting(Protocol):
    """Around one POST to a receiver."""

    def prepare(self, event: Event, sign_key: str, expires: int) -> Outgoing: ...
    def delivered(self, event: Event, resend: Resend) -> None: ...


class Answering(Protocol):
    """Around a call of API 3.0. The HTTP floor knows the type of the plan."""

    async def plan(self, sub_app_id: int | None, action: str, params: Any) -> Any: ...


@dataclass(slots=True)
class Hooks:
    """The four places of one life of an account; each is None unless a fault of that group is active."""

    delivery: Arrival | None = None
    queue: Pulling | None = None
    callback: Posting | None = None
    api: Answering | None = None

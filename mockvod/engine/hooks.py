"""Where something may step in between: four places of one account, each empty until a fault is put there."""

from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Protocol

from mockvod.engine.clock import Clock, ExternalCall
from mockvod.engine.events import Event
from mockvod.engine.queue import EventQueue, Leases, Outcome


class Arrival(Protocol):
    """On an event's way to the queue or the deliveries of its application."""

    def arrive(self, sub_app_id: int | None, event: Event, land: Callable[[Event], None]) -> None: ...
    def hastens(self, sub_app_id: int | None, file_id: str) -> bool: ...
    async def before_answer(self) -> None: ...


class Pulling(Protocol):
    """Between a queue and who pulls from it and confirms."""

    async def pull(self, queue: EventQueue, sub_app_id: int | None, limit: int, hold: float) -> Leases: ...
    def confirm(self, queue: EventQueue, handles: Sequence[str]) -> list[Outcome]: ...


class Outgoing(Protocol):
    """One POST as it is to be made."""

    sign_key: str
    expires: int

    def body(self, signed: bytes) -> bytes: ...
    @property
    def in_pieces(self) -> bool: ...
    def pieces(self, body: bytes, clock: Clock, call: ExternalCall) -> AsyncIterator[bytes]: ...


class Posting(Protocol):
    """Around the POST that pushes an event."""

    def prepare(self, event: Event, sign_key: str, expires: int) -> Outgoing: ...
    def delivered(self, event: Event, again: Callable[[], None]) -> None: ...


class Answering(Protocol):
    """Around a call of API 3.0; what it plans is the door's business."""

    async def plan(self, sub_app_id: int | None, action: str, params: Any) -> Any: ...


class Hooks:
    """The four places; nothing stands in them for an orderly account, and looking there is all that it pays."""

    __slots__ = ("api", "callback", "delivery", "queue")

    def __init__(self) -> None:
        self.delivery: Arrival | None = None
        self.queue: Pulling | None = None
        self.callback: Posting | None = None
        self.api: Answering | None = None

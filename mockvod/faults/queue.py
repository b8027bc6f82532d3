"""Queue faults: applied to PullEvents and ConfirmEvents."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import Field

from mockvod.engine.events import Event
from mockvod.engine.queue import NO_LEASES, EventQueue, Leased, Leases, Outcome
from mockvod.faults.base import ActiveFault, Fault, Group, shuffled
from mockvod.faults.codes import ErrorCode
from mockvod.settings import WHOLE, Seconds
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import ApiError


@dataclass(frozen=True, slots=True)
class QueueFault(Fault):
    group: ClassVar[Group] = "queue"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "event_type", "file_id")


@dataclass(frozen=True, slots=True)
class LimitFault(QueueFault):
    """Limits how many events a pull may return."""

    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id",)

    @abstractmethod
    def limit(self, visible: int) -> int:
        """The number of events that a pull may return when it would return *visible*."""


@dataclass(frozen=True, slots=True)
class EmptyPull(LimitFault):
    """PullEvents returns no events, at once, although there are some."""

    name: ClassVar[str] = "empty-pull"

    def limit(self, visible: int) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Fewer(LimitFault):
    """PullEvents returns fewer events than there are."""

    name: ClassVar[str] = "fewer"

    at_most: Annotated[int, Field(ge=1, le=1000), WHOLE] = 1

    def limit(self, visible: int) -> int:
        return min(visible, self.at_most)


@dataclass(frozen=True, slots=True)
class BatchFault(QueueFault):
    """Changes what a pull returns."""

    @abstractmethod
    def change(
        self, active: ActiveFault, queue: EventQueue, sub_app_id: int | None, batch: list[Leased]
    ) -> list[Leased]: ...


@dataclass(frozen=True, slots=True)
class SwapOrder(BatchFault):
    """The events of one PullEvents come in another order than they happened."""

    name: ClassVar[str] = "swap-order"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id",)

    def change(
        self, active: ActiveFault, queue: EventQueue, sub_app_id: int | None, batch: list[Leased]
    ) -> list[Leased]:
        if len(batch) < 2 or not active.fires_for_application(sub_app_id):
            return batch
        mixed = shuffled(batch, active.random)
        before, after = (" ".join([leased.event.id for leased in leases]) for leases in (batch, mixed))
        active.record(f"PullEvents returns {before} as {after}", sub_app_id=sub_app_id)
        return mixed


@dataclass(frozen=True, slots=True)
class HandleFault(BatchFault):
    """Fires for single events of a pull."""

    def change(
        self, active: ActiveFault, queue: EventQueue, sub_app_id: int | None, batch: list[Leased]
    ) -> list[Leased]:
        return [
            self.apply(active, queue, leased) if active.fires_for_event(leased.event) else leased for leased in batch
        ]

    @abstractmethod
    def apply(self, active: ActiveFault, queue: EventQueue, leased: Leased) -> Leased:
        """What the pull returns in place of *leased*."""


@dataclass(frozen=True, slots=True)
class StaleHandle(HandleFault):
    """An event comes with an expired handle: confirming it fails, and the event is delivered again."""

    name: ClassVar[str] = "stale-handle"

    def apply(self, active: ActiveFault, queue: EventQueue, leased: Leased) -> Leased:
        handle = str(9 * 10**17 + active.random.getrandbits(56))  # 18 digits too, and never a valid one
        active.record(f"returned with the expired handle {handle}", leased.event, expired_handle=handle)
        return Leased(handle, leased.event)


@dataclass(frozen=True, slots=True)
class RedeliverEarly(HandleFault):
    """A pulled event is delivered again before its visibility timeout; its first handle still seems valid."""

    name: ClassVar[str] = "redeliver-early"

    after: Seconds = 0.0

    def apply(self, active: ActiveFault, queue: EventQueue, leased: Leased) -> Leased:
        def end_lease() -> None:
            if queue.event_of(leased.handle) is not None:  # else it has been confirmed
                active.record("lease ended before the visibility timeout", leased.event)
                queue.end_lease(leased.handle)

        if self.after:
            active.later(self.after, end_lease, leased.event.sub_app_id)
        else:
            end_lease()
        return leased


@dataclass(frozen=True, slots=True)
class LoseConfirm(QueueFault):
    """ConfirmEvents succeeds, and the event is delivered again all the same."""

    name: ClassVar[str] = "lose-confirm"


@dataclass(frozen=True, slots=True)
class FailConfirm(QueueFault):
    """ConfirmEvents confirms the events but returns an error."""

    name: ClassVar[str] = "fail-confirm"

    code: ErrorCode = "InternalError"


QUEUE: Final[tuple[type[Fault], ...]] = (
    RedeliverEarly,
    LoseConfirm,
    FailConfirm,
    StaleHandle,
    EmptyPull,
    Fewer,
    SwapOrder,
)


class QueueHook:
    """Pulls and confirms with the queue faults applied, in the order in which they were added."""

    def __init__(self, faults: Sequence[ActiveFault]) -> None:
        self._limits = [(one.fault, one) for one in faults if isinstance(one.fault, LimitFault)]
        self._batch = [(one.fault, one) for one in faults if isinstance(one.fault, BatchFault)]
        self._lose = [(one.fault, one) for one in faults if isinstance(one.fault, LoseConfirm)]
        self._fail = [(one.fault, one) for one in faults if isinstance(one.fault, FailConfirm)]

    async def pull(self, queue: EventQueue, sub_app_id: int | None, limit: int, hold: float) -> Leases:
        """As EventQueue.pull. Only inside `Clock.busy`."""
        limit = self._limit(queue, sub_app_id, limit)
        if not limit:
            return NO_LEASES
        batch = list(await queue.pull(limit, hold=hold))
        for fault, active in self._batch:
            batch = fault.change(active, queue, sub_app_id, batch)
        return Leases([leased.handle for leased in batch], [leased.event for leased in batch])

    def _limit(self, queue: EventQueue, sub_app_id: int | None, limit: int) -> int:
        for fault, active in self._limits:
            visible = min(limit, queue.visible)
            allowed = fault.limit(visible)
            if allowed < visible and active.fires_for_application(sub_app_id):
                active.record(f"PullEvents returns {allowed} of {visible} events", sub_app_id=sub_app_id)
                limit = allowed
        return limit

    def confirm(self, queue: EventQueue, handles: Sequence[str]) -> list[Outcome]:
        """As EventQueue.confirm. Raises the ApiError that a fault returns."""
        events = {handle: event for handle in handles if (event := queue.event_of(handle)) is not None}
        lost = self._lost(events)
        outcomes = iter(queue.confirm([handle for handle in handles if handle not in lost]))
        reported = [Outcome.CONFIRMED if handle in lost else next(outcomes) for handle in handles]
        if error := self._error([event for handle, event in events.items() if handle not in lost]):
            raise error
        return reported

    def _lost(self, events: dict[str, Event]) -> set[str]:
        """The handles whose confirmation is lost."""
        lost: set[str] = set()
        for _, active in self._lose:
            for handle, event in events.items():
                if handle not in lost and active.fires_for_event(event):
                    lost.add(handle)
                    active.record("confirmation lost after a successful response", event)
        return lost

    def _error(self, confirmed: list[Event]) -> ApiError | None:
        for fault, active in self._fail:
            matching = [event for event in confirmed if active.scope.matches_event(event)]
            if matching and active.fires():
                message = f"confirmed, but ConfirmEvents returns {fault.code}"
                active.record(message, matching[0])
                for event in matching[1:]:
                    active.annotate(message, event)
                return documented(fault.code)
        return None

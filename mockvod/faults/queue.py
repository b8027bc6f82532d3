"""Queue faults: what can go wrong between a queue and who pulls from it and confirms."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from pydantic import Field

from mockvod.engine.events import Event
from mockvod.engine.queue import NOTHING, EventQueue, Leased, Leases, Outcome
from mockvod.faults.base import ActiveFault, Fault, Group, shuffled
from mockvod.faults.codes import ErrorCode
from mockvod.faults.registry import FaultContext, FaultRegistry
from mockvod.settings import WHOLE, Seconds
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import ApiError


class Pull(FaultContext):
    """One PullEvents under way."""

    def __init__(self, faults: FaultRegistry, one: ActiveFault, queue: EventQueue, sub_app_id: int | None) -> None:
        super().__init__(faults, one)
        self.queue = queue
        self.sub_app_id = sub_app_id

    def told(self, did: str) -> None:
        """Write down what the fault did to the pull as a whole."""
        self.tell(did, None, self.sub_app_id)


@dataclass(frozen=True, slots=True)
class QueueFault(Fault):
    group: ClassVar[Group] = "queue"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "event_type", "file_id")

    @classmethod
    def hook(cls, faults: FaultRegistry) -> "QueueHook":
        return QueueHook(faults)


@dataclass(frozen=True, slots=True)
class PullFault(QueueFault):
    """Before the queue is asked: how many events it may give."""

    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id",)

    @abstractmethod
    def allow(self, waiting: int) -> int:
        """How many of *waiting* events a pull may get."""


@dataclass(frozen=True, slots=True)
class EmptyPull(PullFault):
    """PullEvents finds nothing, at once, although events wait."""

    name: ClassVar[str] = "empty-pull"

    def allow(self, waiting: int) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Fewer(PullFault):
    """PullEvents answers fewer events than wait."""

    name: ClassVar[str] = "fewer"

    at_most: Annotated[int, Field(ge=1, le=1000), WHOLE] = 1

    def allow(self, waiting: int) -> int:
        return min(waiting, self.at_most)


@dataclass(frozen=True, slots=True)
class SwapOrder(QueueFault):
    """The events of one PullEvents come in another order than they happened."""

    name: ClassVar[str] = "swap-order"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id",)

    def mix(self, pull: Pull, batch: list[Leased]) -> list[Leased]:
        mixed: list[Leased] = shuffled(batch, pull.random)
        pull.told(f"{' '.join([one.event.id for one in batch])} go as {' '.join([one.event.id for one in mixed])}")
        return mixed


@dataclass(frozen=True, slots=True)
class HandleFault(QueueFault):
    """Strikes one event of an answer."""

    @abstractmethod
    def hand_out(self, pull: Pull, leased: Leased) -> Leased:
        """What goes out in place of *leased*."""


@dataclass(frozen=True, slots=True)
class StaleHandle(HandleFault):
    """An event comes with a handle that is over already; confirming it is refused, and the event comes again."""

    name: ClassVar[str] = "stale-handle"

    def hand_out(self, pull: Pull, leased: Leased) -> Leased:
        handle = str(9 * 10**17 + pull.random.getrandbits(56))  # 18 digits too, and far from those that are good
        pull.tell(f"goes under {handle}, which is no handle any more, in place of {leased.handle}", leased.event)
        return Leased(handle, leased.event)


@dataclass(frozen=True, slots=True)
class RedeliverEarly(HandleFault):
    """A pulled event comes again before its visibility timeout is over; its first handle still seems good."""

    name: ClassVar[str] = "redeliver-early"

    after: Seconds = 0.0

    def hand_out(self, pull: Pull, leased: Leased) -> Leased:
        def come_back() -> None:
            if queue.event_of(leased.handle) is not None:  # else it has been confirmed meanwhile
                pull.tell("comes back before its visibility timeout is over", leased.event)
                queue.give_back(leased.handle)

        queue = pull.queue
        if self.after:
            pull.later(self.after, come_back)
        else:
            come_back()
        return leased


@dataclass(frozen=True, slots=True)
class LoseConfirm(QueueFault):
    """ConfirmEvents answers success, and the event comes again all the same."""

    name: ClassVar[str] = "lose-confirm"


@dataclass(frozen=True, slots=True)
class FailConfirm(QueueFault):
    """ConfirmEvents confirms, and answers an error all the same."""

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


async def pull(faults: FaultRegistry, queue: EventQueue, sub_app_id: int | None, limit: int, hold: float) -> Leases:
    """As EventQueue.pull, with the faults in force. Only inside `Clock.busy`."""
    limit = _allowed(faults, queue, sub_app_id, limit)
    if not limit:
        return NOTHING
    leases = await queue.pull(limit, hold=hold)
    batch = list(leases)
    for one in faults.queue:
        fault = one.fault
        meeting = Pull(faults, one, queue, sub_app_id)
        if isinstance(fault, HandleFault):
            batch = [
                fault.hand_out(meeting, leased) if faults.strikes_event(one, leased.event) else leased
                for leased in batch
            ]
        elif isinstance(fault, SwapOrder) and len(batch) > 1 and faults.strikes_application(one, sub_app_id):
            batch = fault.mix(meeting, batch)
    return Leases([one.handle for one in batch], [one.event for one in batch])


def _allowed(faults: FaultRegistry, queue: EventQueue, sub_app_id: int | None, limit: int) -> int:
    for one in faults.queue:
        if not isinstance(one.fault, PullFault):
            continue
        waiting = min(limit, queue.visible)
        allowed = one.fault.allow(waiting)
        if allowed < waiting and faults.strikes_application(one, sub_app_id):
            Pull(faults, one, queue, sub_app_id).told(f"PullEvents gets {allowed} of {waiting} events")
            limit = allowed
    return limit


def confirm(faults: FaultRegistry, queue: EventQueue, handles: Sequence[str]) -> list[Outcome]:
    """As EventQueue.confirm, with the faults in force. Raises the ApiError that one of them answers."""
    events = {handle: event for handle in handles if (event := queue.event_of(handle)) is not None}
    lost = _lost(faults, events)
    outcomes = iter(queue.confirm([handle for handle in handles if handle not in lost]))
    answered = [Outcome.CONFIRMED if handle in lost else next(outcomes) for handle in handles]
    error = _failure(faults, [event for handle, event in events.items() if handle not in lost])
    if error is not None:
        raise error
    return answered


def _lost(faults: FaultRegistry, events: dict[str, Event]) -> set[str]:
    """The handles whose confirmation gets lost."""
    lost: set[str] = set()
    for one in faults.queue:
        if isinstance(one.fault, LoseConfirm):
            for handle, event in events.items():
                if handle not in lost and faults.strikes_event(one, event):
                    lost.add(handle)
                    faults.fired(one, "is not confirmed, though the answer says so", event)
    return lost


def _failure(faults: FaultRegistry, confirmed: list[Event]) -> ApiError | None:
    for one in faults.queue:
        if isinstance(one.fault, FailConfirm):
            meant = [event for event in confirmed if one.scope.fits_event(event)]
            if meant and one.strikes(faults.clock.now()):
                faults.fired(one, f"is confirmed, though the answer is {one.fault.code}", meant[0])
                for event in meant[1:]:
                    faults.mark(one, f"is confirmed, though the answer is {one.fault.code}", event)
                return documented(one.fault.code)
    return None


class QueueHook:
    def __init__(self, faults: FaultRegistry) -> None:
        self._faults = faults

    async def pull(self, queue: EventQueue, sub_app_id: int | None, limit: int, hold: float) -> Leases:
        return await pull(self._faults, queue, sub_app_id, limit, hold)

    def confirm(self, queue: EventQueue, handles: Sequence[str]) -> list[Outcome]:
        return confirm(self._faults, queue, handles)

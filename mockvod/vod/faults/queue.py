"""Queue faults: what can go wrong between a queue and who pulls from it and confirms."""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Final

from pydantic import Field

from mockvod.settings import WHOLE, Seconds
from mockvod.vod.events import Event
from mockvod.vod.faults.base import Fault, Group, InForce, Meeting, shuffled
from mockvod.vod.faults.codes import ErrorCode
from mockvod.vod.reliable import NOTHING, Leased, Leases, Outcome
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import ApiError

if TYPE_CHECKING:
    from mockvod.vod.application import Application
    from mockvod.vod.faults.book import Faults


class Pull(Meeting):
    """One PullEvents under way."""

    def __init__(self, faults: "Faults", one: InForce, application: "Application") -> None:
        super().__init__(faults, one)
        self.application = application

    def told(self, did: str) -> None:
        """Write down what the fault did to the pull as a whole."""
        self.tell(did, None, self.application.sub_app_id)


@dataclass(frozen=True, slots=True)
class QueueFault(Fault):
    group: ClassVar[Group] = "queue"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "event_type", "file_id")


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

        queue = pull.application.queue
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


async def pull(application: "Application", limit: int, hold: float) -> Leases:
    """As EventQueue.pull, with the faults in force. Only inside `Clock.busy`."""
    faults = application.account.faults
    limit = _allowed(faults, application, limit)
    if not limit:
        return NOTHING
    leases = await application.queue.pull(limit, hold=hold)
    batch = list(leases)
    for one in faults.queue:
        fault = one.fault
        meeting = Pull(faults, one, application)
        if isinstance(fault, HandleFault):
            batch = [
                fault.hand_out(meeting, leased) if faults.strikes_event(one, leased.event) else leased
                for leased in batch
            ]
        elif isinstance(fault, SwapOrder) and len(batch) > 1 and faults.strikes_application(one, application):
            batch = fault.mix(meeting, batch)
    return Leases([one.handle for one in batch], [one.event for one in batch])


def _allowed(faults: "Faults", application: "Application", limit: int) -> int:
    for one in faults.queue:
        if not isinstance(one.fault, PullFault):
            continue
        waiting = min(limit, application.queue.visible)
        allowed = one.fault.allow(waiting)
        if allowed < waiting and faults.strikes_application(one, application):
            Pull(faults, one, application).told(f"PullEvents gets {allowed} of {waiting} events")
            limit = allowed
    return limit


def confirm(application: "Application", handles: Sequence[str]) -> list[Outcome]:
    """As EventQueue.confirm, with the faults in force. Raises the ApiError that one of them answers."""
    faults, queue = application.account.faults, application.queue
    events = {handle: event for handle in handles if (event := queue.event_of(handle)) is not None}
    lost = _lost(faults, events)
    outcomes = iter(queue.confirm([handle for handle in handles if handle not in lost]))
    answered = [Outcome.CONFIRMED if handle in lost else next(outcomes) for handle in handles]
    error = _failure(faults, [event for handle, event in events.items() if handle not in lost])
    if error is not None:
        raise error
    return answered


def _lost(faults: "Faults", events: dict[str, Event]) -> set[str]:
    """The handles whose confirmation gets lost."""
    lost: set[str] = set()
    for one in faults.queue:
        if isinstance(one.fault, LoseConfirm):
            for handle, event in events.items():
                if handle not in lost and faults.strikes_event(one, event):
                    lost.add(handle)
                    faults.fired(one, "is not confirmed, though the answer says so", event)
    return lost


def _failure(faults: "Faults", confirmed: list[Event]) -> ApiError | None:
    for one in faults.queue:
        if isinstance(one.fault, FailConfirm):
            meant = [event for event in confirmed if one.scope.fits_event(event)]
            if meant and one.strikes(faults.account.clock.now()):
                faults.fired(one, f"is confirmed, though the answer is {one.fault.code}", meant[0])
                for event in meant[1:]:
                    faults.mark(one, f"is confirmed, though the answer is {one.fault.code}", event)
                return documented(one.fault.code)
    return None

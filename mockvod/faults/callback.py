"""Callback faults: what can go wrong with the POST that pushes an event."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import ClassVar, Final

from mockvod.engine.clock import Clock, ExternalCall
from mockvod.engine.events import Event
from mockvod.faults.base import ActiveFault, Fault, Group, Several, Share
from mockvod.faults.registry import FaultContext, FaultRegistry
from mockvod.settings import Seconds

PIECES: Final = 10


class ClosedMidway(ConnectionAbortedError):
    """A fault has closed the connection before the body was sent."""

    def __init__(self) -> None:
        super().__init__("a fault closed the connection midway")


@dataclass(slots=True)
class Sending:
    """One POST before it is made, as faults change it: first how it is signed, then its bytes."""

    sign_key: str
    expires: int
    """T: until when Sign holds, in seconds since 1970."""
    share: float = 1.0
    """How much of the body is sent as if it were all."""
    malformed: bool = False
    seconds: float = 0.0
    """How long sending takes, on the clock."""
    midway: float | None = None
    """After which part of the body the connection is closed."""

    def body(self, signed: bytes) -> bytes:
        """What is sent in place of *signed*."""
        body = signed[: int(len(signed) * self.share)]
        return body.replace(b'":', b'"=', 1) if self.malformed else body

    @property
    def in_pieces(self) -> bool:
        return self.seconds > 0 or self.midway is not None

    async def pieces(self, body: bytes, clock: Clock, call: ExternalCall) -> AsyncIterator[bytes]:
        """*body* as it goes out with the call that *call* is. Raises ClosedMidway."""
        end = len(body) if self.midway is None else min(int(len(body) * self.midway), len(body) - 1)
        step = max(1, -(-end // PIECES)) if self.seconds else max(1, end)
        for start in range(0, end, step):
            if start and self.seconds:
                with call.on_clock():
                    await clock.sleep_until(clock.now() + self.seconds / (PIECES - 1), "a slow callback goes on")
            yield body[start : min(start + step, end)]
        if self.midway is not None:
            raise ClosedMidway


class Post(FaultContext):
    """One attempt of a delivery."""

    def __init__(self, faults: FaultRegistry, one: ActiveFault, event: Event, sending: Sending) -> None:
        super().__init__(faults, one)
        self.event = event
        self.sending = sending


@dataclass(frozen=True, slots=True)
class CallbackFault(Fault):
    group: ClassVar[Group] = "callback"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "event_type", "file_id")

    @classmethod
    def hook(cls, faults: FaultRegistry) -> "CallbackHook":
        return CallbackHook(faults)

    @abstractmethod
    def meet(self, post: Post) -> None:
        """Change the POST."""


@dataclass(frozen=True, slots=True)
class WrongSign(CallbackFault):
    """Sign is made with another key; without a SignKey there is none to be wrong."""

    name: ClassVar[str] = "wrong-sign"

    def meet(self, post: Post) -> None:
        if post.sending.sign_key:
            post.tell("is signed with another key", post.event)
            post.sending.sign_key = f"{post.random.getrandbits(128):032x}"


@dataclass(frozen=True, slots=True)
class ExpiredSign(CallbackFault):
    """Sign is right, but T has been over for `seconds`; without a SignKey there is none to be over."""

    name: ClassVar[str] = "expired-sign"

    seconds: Seconds = 60.0

    def meet(self, post: Post) -> None:
        if post.sending.sign_key:
            post.tell(f"is signed until {self.seconds:g} s ago", post.event)
            post.sending.expires = int(post.faults.clock.epoch() - self.seconds)


@dataclass(frozen=True, slots=True)
class TruncatedBody(CallbackFault):
    """Only `share` of the body is sent, and said to be all."""

    name: ClassVar[str] = "truncated-body"

    share: Share = 0.5

    def meet(self, post: Post) -> None:
        post.tell(f"is sent to {self.share:.0%}", post.event)
        post.sending.share = min(self.share, 0.999)


@dataclass(frozen=True, slots=True)
class MalformedBody(CallbackFault):
    """The body is no JSON: its first colon has become an equals sign."""

    name: ClassVar[str] = "malformed-body"

    def meet(self, post: Post) -> None:
        post.tell("is sent as no JSON", post.event)
        post.sending.malformed = True


@dataclass(frozen=True, slots=True)
class SlowSending(CallbackFault):
    """The body is sent in ten pieces over `seconds` of the clock, which count against the callback time-out."""

    name: ClassVar[str] = "slow-sending"

    seconds: Seconds = 3.0

    def meet(self, post: Post) -> None:
        post.tell(f"is sent over {self.seconds:g} s", post.event)
        post.sending.seconds = self.seconds


@dataclass(frozen=True, slots=True)
class CloseMidway(CallbackFault):
    """The connection is closed when `share` of the body has been sent; as any failed attempt it is made again."""

    name: ClassVar[str] = "close-midway"

    share: Share = 0.5

    def meet(self, post: Post) -> None:
        post.tell("loses its connection midway", post.event)
        post.sending.midway = self.share


@dataclass(frozen=True, slots=True)
class Repeat(CallbackFault):
    """An event that was delivered is pushed again, `times` times, each `after` seconds of the clock."""

    name: ClassVar[str] = "repeat"

    times: Several = 1
    after: Seconds = 0.0

    def meet(self, post: Post) -> None:
        """Nothing: it strikes once the event is delivered."""

    def again(self, meeting: FaultContext, event: Event, send: Callable[[], None]) -> None:
        """*event* has been delivered: *send* it once more, if it is its turn."""
        memory = meeting.one.memory
        if event.number not in memory:
            memory[event.number] = self.times
        if not memory[event.number]:  # it was the last repetition that has been delivered
            del memory[event.number]
            return
        memory[event.number] -= 1
        meeting.tell("is pushed again after a success", event)
        meeting.later(self.after, send)


CALLBACK: Final[tuple[type[Fault], ...]] = (
    WrongSign,
    ExpiredSign,
    TruncatedBody,
    MalformedBody,
    SlowSending,
    CloseMidway,
    Repeat,
)


def prepare(faults: FaultRegistry, event: Event, sign_key: str, expires: int) -> Sending:
    """The POST of *event* as the faults in force have it."""
    sending = Sending(sign_key, expires)
    for one in faults.callback:
        if (
            isinstance(one.fault, CallbackFault)
            and not isinstance(one.fault, Repeat)
            and faults.strikes_event(one, event)
        ):
            one.fault.meet(Post(faults, one, event, sending))
    return sending


def delivered(faults: FaultRegistry, event: Event, send: Callable[[], None]) -> None:
    """After *event* was delivered; *send* pushes it again."""
    for one in faults.callback:
        if isinstance(one.fault, Repeat) and (event.number in one.memory or faults.strikes_event(one, event)):
            one.fault.again(FaultContext(faults, one), event, send)
            return


class CallbackHook:
    def __init__(self, faults: FaultRegistry) -> None:
        self._faults = faults

    def prepare(self, event: Event, sign_key: str, expires: int) -> Sending:
        return prepare(self._faults, event, sign_key, expires)

    def delivered(self, event: Event, again: Callable[[], None]) -> None:
        delivered(self._faults, event, again)

"""Callback faults: applied to the POST that pushes an event."""

from abc import abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import ClassVar, Final

from mockvod.engine.clock import Clock, ExternalCall
from mockvod.engine.events import Event
from mockvod.engine.hooks import Resend
from mockvod.faults.base import ActiveFault, Count, Fault, Group, Share
from mockvod.settings import Seconds

PIECES: Final = 10


class ClosedMidway(ConnectionAbortedError):
    """A fault has closed the connection before the whole body was sent."""

    def __init__(self) -> None:
        super().__init__("a fault closed the connection midway")


@dataclass(slots=True)
class Post:
    """One POST before it is made: how it is signed, and how its bytes are sent."""

    sign_key: str
    expires: int
    """T: the time until which Sign is valid, in seconds since 1970."""
    share: float = 1.0
    """The part of the body that is sent as if it were all."""
    malformed: bool = False
    seconds: float = 0.0
    """How long sending takes, in seconds of the clock."""
    midway: float | None = None
    """The part of the body after which the connection is closed."""

    def body(self, signed: bytes) -> bytes:
        """What is sent in place of *signed*."""
        body = signed[: int(len(signed) * self.share)]
        return body.replace(b'":', b'"=', 1) if self.malformed else body

    @property
    def in_pieces(self) -> bool:
        return self.seconds > 0 or self.midway is not None

    async def pieces(self, body: bytes, clock: Clock, call: ExternalCall) -> AsyncIterator[bytes]:
        """*body* as *call* sends it. Raises ClosedMidway."""
        end = len(body) if self.midway is None else min(int(len(body) * self.midway), len(body) - 1)
        step = max(1, -(-end // PIECES)) if self.seconds else max(1, end)
        for start in range(0, end, step):
            if start and self.seconds:
                with call.on_clock():
                    await clock.sleep_until(clock.now() + self.seconds / (PIECES - 1), "a slow callback continues")
            yield body[start : min(start + step, end)]
        if self.midway is not None:
            raise ClosedMidway


@dataclass(frozen=True, slots=True)
class CallbackFault(Fault):
    group: ClassVar[Group] = "callback"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "event_type", "file_id")


@dataclass(frozen=True, slots=True)
class PostFault(CallbackFault):
    """Changes the POST."""

    @abstractmethod
    def apply(self, active: ActiveFault, post: Post) -> str | None:
        """Change *post*; returns what happened for the event's timeline, None if the fault cannot apply."""


@dataclass(frozen=True, slots=True)
class WrongSign(PostFault):
    """Sign is computed with another key. Does nothing without a SignKey."""

    name: ClassVar[str] = "wrong-sign"

    def apply(self, active: ActiveFault, post: Post) -> str | None:
        if not post.sign_key:
            return None
        post.sign_key = f"{active.random.getrandbits(128):032x}"
        return "signed with another key"


@dataclass(frozen=True, slots=True)
class ExpiredSign(PostFault):
    """Sign is correct, but T was `seconds` ago. Does nothing without a SignKey."""

    name: ClassVar[str] = "expired-sign"

    seconds: Seconds = 60.0

    def apply(self, active: ActiveFault, post: Post) -> str | None:
        if not post.sign_key:
            return None
        post.expires = int(active.context.clock.epoch() - self.seconds)
        return f"signature expired {self.seconds:g} s ago"


@dataclass(frozen=True, slots=True)
class TruncatedBody(PostFault):
    """Only `share` of the body is sent, as if it were all."""

    name: ClassVar[str] = "truncated-body"

    share: Share = 0.5

    def apply(self, active: ActiveFault, post: Post) -> str:
        post.share = min(self.share, 0.999)
        return f"body truncated to {self.share:.0%}"


@dataclass(frozen=True, slots=True)
class MalformedBody(PostFault):
    """The body is not JSON: its first colon is replaced by an equals sign."""

    name: ClassVar[str] = "malformed-body"

    def apply(self, active: ActiveFault, post: Post) -> str:
        post.malformed = True
        return "body is not JSON"


@dataclass(frozen=True, slots=True)
class SlowSending(PostFault):
    """The body is sent in ten pieces over `seconds` of the clock, which count towards the callback timeout."""

    name: ClassVar[str] = "slow-sending"

    seconds: Seconds = 3.0

    def apply(self, active: ActiveFault, post: Post) -> str:
        post.seconds = self.seconds
        return f"sent over {self.seconds:g} s"


@dataclass(frozen=True, slots=True)
class CloseMidway(PostFault):
    """The connection is closed after `share` of the body; the attempt fails and is retried."""

    name: ClassVar[str] = "close-midway"

    share: Share = 0.5

    def apply(self, active: ActiveFault, post: Post) -> str:
        post.midway = self.share
        return "connection closed midway"


@dataclass(frozen=True, slots=True)
class Repeat(CallbackFault):
    """A delivered event is pushed again, `times` times, each `after` seconds of the clock."""

    name: ClassVar[str] = "repeat"

    times: Count = 1
    after: Seconds = 0.0

    def repeat(self, active: ActiveFault, event: Event, resend: Resend, times: int) -> None:
        """Push *event* again, and once more after each success, until it was pushed *times* times."""
        if times:
            active.record("pushed again after a success", event)
            again = partial(resend, lambda: self.repeat(active, event, resend, times - 1))
            active.later(self.after, again, event.sub_app_id)


CALLBACK: Final[tuple[type[Fault], ...]] = (
    WrongSign,
    ExpiredSign,
    TruncatedBody,
    MalformedBody,
    SlowSending,
    CloseMidway,
    Repeat,
)


class CallbackHook:
    """Applies the callback faults, in the order in which they were added."""

    def __init__(self, faults: Sequence[ActiveFault]) -> None:
        self._posts = [(one.fault, one) for one in faults if isinstance(one.fault, PostFault)]
        self._repeats = [(one.fault, one) for one in faults if isinstance(one.fault, Repeat)]

    def prepare(self, event: Event, sign_key: str, expires: int) -> Post:
        post = Post(sign_key, expires)
        for fault, active in self._posts:
            if active.fires_for_event(event) and (message := fault.apply(active, post)) is not None:
                active.record(message, event)
        return post

    def delivered(self, event: Event, resend: Resend) -> None:
        """Repeat *event*, which was delivered to all its targets, if a fault fires."""
        for fault, active in self._repeats:
            if active.fires_for_event(event):
                fault.repeat(active, event, resend, fault.times)
                return

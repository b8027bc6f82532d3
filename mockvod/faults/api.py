"""API faults: applied to calls of API 3.0 and their responses."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from mockvod.faults.base import ActiveFault, Count, Fault, Group, Share
from mockvod.faults.codes import ErrorCode, Message
from mockvod.faults.timing import Slow
from mockvod.settings import WHOLE, Seconds
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import ApiError, RequestLimitExceeded

_GATEWAY: Final = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class RawResponse:
    """A response as it goes over the wire."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    share: float | None = None
    """Close the connection after this part of the body."""
    reset: bool = False
    """Reset the connection instead of responding."""
    pieces: int = 1
    pause: float = 0.0
    """Seconds of the clock between two pieces of the body."""


@dataclass(slots=True)
class Plan:
    """What faults make of a call."""

    action: str
    seconds: float = 0.0
    """How long it is delayed."""
    error: ApiError | None = None
    changes: Mapping[str, Any] | None = None
    """The fields of RawResponse that a fault sets."""
    done: bool = True
    """Whether the call is executed."""

    @property
    def decided(self) -> bool:
        """Whether a fault has replaced or changed the response; at most one does."""
        return self.error is not None or self.changes is not None

    def response(self, body: bytes) -> RawResponse:
        return RawResponse(**{"body": body, **(self.changes or {})})


@dataclass(frozen=True, slots=True)
class ApiFault(Fault):
    group: ClassVar[Group] = "api"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "action", "file_id")

    @abstractmethod
    def apply(self, active: ActiveFault, plan: Plan) -> str | None:
        """Change *plan*; returns what happens to the call, for the journal, or None if nothing does."""


@dataclass(frozen=True, slots=True)
class Error(ApiFault):
    """The call returns a documented error; with `done` it is executed all the same."""

    name: ClassVar[str] = "error"

    code: ErrorCode = "InternalError"
    message: Message | None = None
    done: bool = False

    def apply(self, active: ActiveFault, plan: Plan) -> str:
        plan.error, plan.done = documented(self.code, self.message), self.done
        return f"returns {self.code}"


@dataclass(frozen=True, slots=True)
class Throttle(ApiFault):
    """RequestLimitExceeded for every call of an action after the first `rate` within a second of the clock."""

    name: ClassVar[str] = "throttle"

    rate: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = 5

    def apply(self, active: ActiveFault, plan: Plan) -> str | None:
        calls = active.memory
        second = math.floor(active.context.clock.now())
        if calls.get("second") != second:
            calls.clear()
            calls["second"] = second
        times = calls[plan.action] = calls.get(plan.action, 0) + 1
        if times <= self.rate:
            return None
        plan.error, plan.done = RequestLimitExceeded(times=times, limit=self.rate), False
        return f"is call {times} in a second, of {self.rate}"


@dataclass(frozen=True, slots=True)
class Latency(Slow, ApiFault):
    """The call takes longer, in seconds of the clock."""

    name: ClassVar[str] = "latency"

    def apply(self, active: ActiveFault, plan: Plan) -> str:
        seconds = self.draw(active.random)
        plan.seconds += seconds
        return f"is delayed by {seconds:.3f} s"


@dataclass(frozen=True, slots=True)
class ResponseFault(ApiFault):
    """Changes the response on the wire."""

    def apply(self, active: ActiveFault, plan: Plan) -> str:
        message, plan.changes = self.change(active)
        plan.done = getattr(self, "done", True)
        return message

    @abstractmethod
    def change(self, active: ActiveFault) -> tuple[str, Mapping[str, Any]]:
        """What happens to the call, for the journal, and the fields of RawResponse that change."""


@dataclass(frozen=True, slots=True)
class HttpStatus(ResponseFault):
    """The response has the HTTP status of a failing gateway; with `done` the call is executed all the same."""

    name: ClassVar[str] = "http-status"

    status: Literal[500, 502, 503, 504] = 503
    done: bool = False

    def change(self, active: ActiveFault) -> tuple[str, Mapping[str, Any]]:
        body = _GATEWAY.format(f"{self.status} {HTTPStatus(self.status).phrase}").encode()
        return f"returns HTTP status {self.status}", {"body": body, "status": self.status, "content_type": "text/html"}


@dataclass(frozen=True, slots=True)
class Reset(ResponseFault):
    """The connection is reset instead of a response; with `done` the call is executed all the same."""

    name: ClassVar[str] = "reset"

    done: bool = False

    def change(self, active: ActiveFault) -> tuple[str, Mapping[str, Any]]:
        return "has its connection reset", {"reset": True}


@dataclass(frozen=True, slots=True)
class EmptyAnswer(ResponseFault):
    """Status 200 and no body; with `done` the call is executed all the same."""

    name: ClassVar[str] = "empty-answer"

    done: bool = False

    def change(self, active: ActiveFault) -> tuple[str, Mapping[str, Any]]:
        return "returns an empty body", {"body": b""}


@dataclass(frozen=True, slots=True)
class Truncated(ResponseFault):
    """The call is executed, and the connection closes after `share` of the response."""

    name: ClassVar[str] = "truncated"

    share: Share = 0.5

    def change(self, active: ActiveFault) -> tuple[str, Mapping[str, Any]]:
        return "returns a truncated response", {"share": self.share}


@dataclass(frozen=True, slots=True)
class Garbage(ResponseFault):
    """Status 200 and a body that is not JSON; with `done` the call is executed all the same."""

    name: ClassVar[str] = "garbage"

    length: Count = 64
    done: bool = False

    def change(self, active: ActiveFault) -> tuple[str, Mapping[str, Any]]:
        # No UTF-8 text begins with this byte.
        return "returns garbage", {"body": b"\xff" + active.random.randbytes(self.length - 1)}


@dataclass(frozen=True, slots=True)
class Dribble(ResponseFault):
    """The call is executed, and its response comes in `pieces` over `seconds` of the clock."""

    name: ClassVar[str] = "dribble"

    pieces: Annotated[int, Field(ge=2, le=1000), WHOLE] = 10
    seconds: Seconds = 1.0

    def change(self, active: ActiveFault) -> tuple[str, Mapping[str, Any]]:
        pause = self.seconds / (self.pieces - 1)
        return f"returns {self.pieces} pieces over {self.seconds:g} s", {"pieces": self.pieces, "pause": pause}


@dataclass(frozen=True, slots=True)
class WrongContentType(ResponseFault):
    """The response is correct but for its Content-Type: Tencent's Python SDK then sees no error."""

    name: ClassVar[str] = "wrong-content-type"

    content_type: Annotated[str, Field(pattern=r"^[a-z]{1,30}/[a-z0-9.+-]{1,60}(; ?[a-z]{1,20}=[a-z0-9-]{1,30})?$")] = (
        "application/json; charset=utf-8"
    )

    def change(self, active: ActiveFault) -> tuple[str, Mapping[str, Any]]:
        return f"returns Content-Type {self.content_type}", {"content_type": self.content_type}


API: Final[tuple[type[Fault], ...]] = (
    Error,
    Throttle,
    HttpStatus,
    Latency,
    Reset,
    EmptyAnswer,
    Truncated,
    Garbage,
    Dribble,
    WrongContentType,
)


class ApiHook:
    """Applies the API faults, in the order in which they were added, until one decides the response."""

    def __init__(self, faults: Sequence[ActiveFault]) -> None:
        self._clock = faults[0].context.clock
        self._faults = [(one.fault, one) for one in faults if isinstance(one.fault, ApiFault)]

    async def plan(self, sub_app_id: int | None, action: str, params: Any) -> Plan:
        """Plan a call, after waiting as long as the faults say. A scope may name the `file_id` of *params*.

        Raises the ApiError of a call that is not executed.
        """
        plan = Plan(action)
        for fault, active in self._faults:
            if active.fires_for_call(sub_app_id, action, getattr(params, "file_id", None)):
                if message := fault.apply(active, plan):
                    active.record(f"{action} {message}", sub_app_id=sub_app_id)
                if plan.decided:
                    break
        if plan.seconds > 0:
            await self._clock.sleep(plan.seconds, f"{action} is delayed by a fault")
        if plan.error is not None and not plan.done:
            raise plan.error
        return plan

"""API faults: what can go wrong with a call of API 3.0 and its answer."""

import math
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from mockvod.faults.base import ActiveFault, Fault, Group, Several, Share
from mockvod.faults.codes import ErrorCode, Message
from mockvod.faults.registry import FaultContext, FaultRegistry
from mockvod.faults.timing import Slow
from mockvod.settings import WHOLE, Seconds
from mockvod.wire.error_codes import documented
from mockvod.wire.errors import ApiError, RequestLimitExceeded

_GATEWAY: Final = (
    "<html>\r\n<head><title>{0}</title></head>\r\n<body>\r\n<center><h1>{0}</h1></center>\r\n</body>\r\n</html>\r\n"
)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as it goes over the wire when a fault has had its way with it."""

    body: bytes
    status: int = 200
    content_type: str = "application/json"
    cut: int | None = None
    """After so many bytes of the body the connection ends."""
    reset: bool = False
    """The connection is reset in place of an answer."""
    pieces: int = 1
    pause: float = 0.0
    """Seconds of the clock between two pieces of the body."""


Shape = Callable[[Answer], Answer]


class Call(FaultContext):
    """One call of API 3.0 before it is carried out."""

    def __init__(
        self, faults: FaultRegistry, one: ActiveFault, plan: "Plan", sub_app_id: int | None, action: str
    ) -> None:
        super().__init__(faults, one)
        self.plan = plan
        self.sub_app_id = sub_app_id
        self.action = action

    def did(self, what: str) -> None:
        self.tell(f"{self.action} {what}", None, self.sub_app_id)

    def refuse(self, error: ApiError, *, done: bool = False) -> None:
        self.plan.error = error
        self.plan.done = self.plan.done and done

    def reshape(self, shape: Shape, *, done: bool = True) -> None:
        self.plan.shapes.append(shape)
        self.plan.done = self.plan.done and done


@dataclass(slots=True)
class Plan:
    """What faults have made of a call: how long it takes, whether it is carried out, how its answer looks."""

    seconds: float = 0.0
    error: ApiError | None = None
    done: bool = True
    shapes: list[Shape] = field(default_factory=list)

    def shaped(self, body: bytes) -> Answer:
        answer = Answer(body)
        for shape in self.shapes:
            answer = shape(answer)
        return answer


@dataclass(frozen=True, slots=True)
class ApiFault(Fault):
    group: ClassVar[Group] = "api"
    scoped_by: ClassVar[tuple[str, ...]] = ("sub_app_id", "action", "file_id")

    @classmethod
    def hook(cls, faults: FaultRegistry) -> "ApiHook":
        return ApiHook(faults)

    @abstractmethod
    def meet(self, call: Call) -> None:
        """Plan what becomes of the call."""


@dataclass(frozen=True, slots=True)
class Error(ApiFault):
    """The call is answered with a documented error; with `done` it is carried out all the same."""

    name: ClassVar[str] = "error"

    code: ErrorCode = "InternalError"
    message: Message | None = None
    done: bool = False

    def meet(self, call: Call) -> None:
        call.did(f"answers {self.code}")
        call.refuse(documented(self.code, self.message), done=self.done)


@dataclass(frozen=True, slots=True)
class Throttle(ApiFault):
    """RequestLimitExceeded from the call on that is one more than `rate` of one action in a second of the clock."""

    name: ClassVar[str] = "throttle"

    rate: Annotated[int, Field(ge=0, le=1_000_000), WHOLE] = 5

    def meet(self, call: Call) -> None:
        memory = call.one.memory
        second = math.floor(call.faults.clock.now())
        if memory.get("second") != second:
            memory.clear()
            memory["second"] = second
        times = memory[call.action] = memory.get(call.action, 0) + 1
        if times > self.rate:
            call.did(f"is number {times} in a second of {self.rate}")
            call.refuse(RequestLimitExceeded(times=times, limit=self.rate))


@dataclass(frozen=True, slots=True)
class HttpStatus(ApiFault):
    """The answer has an HTTP status of a gateway in trouble; with `done` the call is carried out all the same."""

    name: ClassVar[str] = "http-status"

    status: Literal[500, 502, 503, 504] = 503
    done: bool = False

    def meet(self, call: Call) -> None:
        call.did(f"answers HTTP status {self.status}")
        words = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Time-out"}
        body = _GATEWAY.format(f"{self.status} {words[self.status]}").encode()
        call.reshape(
            lambda answer: replace(answer, body=body, status=self.status, content_type="text/html"), done=self.done
        )


@dataclass(frozen=True, slots=True)
class Latency(Slow, ApiFault):
    """The call takes longer, in seconds of the clock."""

    name: ClassVar[str] = "latency"

    def meet(self, call: Call) -> None:
        seconds = self.draw(call.random)
        call.did(f"waits for {seconds:.3f} s")
        call.plan.seconds += seconds


@dataclass(frozen=True, slots=True)
class Reset(ApiFault):
    """The connection is reset in place of an answer; with `done` the call is carried out all the same."""

    name: ClassVar[str] = "reset"

    done: bool = False

    def meet(self, call: Call) -> None:
        call.did("is answered by a reset of the connection")
        call.reshape(lambda answer: replace(answer, reset=True), done=self.done)


@dataclass(frozen=True, slots=True)
class EmptyAnswer(ApiFault):
    """Status 200 and no body; with `done` the call is carried out all the same."""

    name: ClassVar[str] = "empty-answer"

    done: bool = False

    def meet(self, call: Call) -> None:
        call.did("is answered with an empty body")
        call.reshape(lambda answer: replace(answer, body=b""), done=self.done)


@dataclass(frozen=True, slots=True)
class Truncated(ApiFault):
    """The call is carried out, and the connection ends when `share` of the answer has been sent."""

    name: ClassVar[str] = "truncated"

    share: Share = 0.5

    def meet(self, call: Call) -> None:
        call.did("is answered in part")
        call.reshape(lambda answer: replace(answer, cut=min(len(answer.body) - 1, int(len(answer.body) * self.share))))


@dataclass(frozen=True, slots=True)
class Garbage(ApiFault):
    """Status 200 and a body that is no JSON; with `done` the call is carried out all the same."""

    name: ClassVar[str] = "garbage"

    length: Several = 64
    done: bool = False

    def meet(self, call: Call) -> None:
        # Never JSON: it begins with a byte that no UTF-8 text begins with.
        body = b"\xff" + call.random.randbytes(self.length - 1)
        call.did("is answered with garbage")
        call.reshape(lambda answer: replace(answer, body=body), done=self.done)


@dataclass(frozen=True, slots=True)
class Dribble(ApiFault):
    """The call is carried out, and its answer comes in `pieces` over `seconds` of the clock."""

    name: ClassVar[str] = "dribble"

    pieces: Annotated[int, Field(ge=2, le=1000), WHOLE] = 10
    seconds: Seconds = 1.0

    def meet(self, call: Call) -> None:
        call.did(f"is answered in {self.pieces} pieces over {self.seconds:g} s")
        pause = self.seconds / (self.pieces - 1)
        call.reshape(lambda answer: replace(answer, pieces=self.pieces, pause=pause))


@dataclass(frozen=True, slots=True)
class WrongContentType(ApiFault):
    """The answer is right, and its Content-Type is another: Tencent's Python SDK then sees no error."""

    name: ClassVar[str] = "wrong-content-type"

    content_type: Annotated[str, Field(pattern=r"^[a-z]{1,30}/[a-z0-9.+-]{1,60}(; ?[a-z]{1,20}=[a-z0-9-]{1,30})?$")] = (
        "application/json; charset=utf-8"
    )

    def meet(self, call: Call) -> None:
        call.did(f"is answered as {self.content_type}")
        call.reshape(lambda answer: replace(answer, content_type=self.content_type))


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


async def plan(faults: FaultRegistry, sub_app_id: int | None, action: str, params: Any) -> Plan:
    """What the faults in force make of a call, once it has waited for as long as they say.

    *params* are those of the call, of which a scope may name the FileId. Raises the ApiError that is answered in
    place of carrying it out.
    """
    planned = Plan()
    for one in faults.api:
        if isinstance(one.fault, ApiFault) and faults.strikes_call(
            one, sub_app_id, action, getattr(params, "file_id", None)
        ):
            one.fault.meet(Call(faults, one, planned, sub_app_id, action))
            if planned.error is not None or planned.shapes:
                break  # one answer, one misbehaviour; what only takes time goes together with it
    if planned.seconds > 0:
        with faults.clock.busy():
            await faults.clock.sleep_until(faults.clock.now() + planned.seconds, f"{action} is kept waiting")
    if planned.error is not None and not planned.done:
        raise planned.error
    return planned


class ApiHook:
    def __init__(self, faults: FaultRegistry) -> None:
        self._faults = faults

    async def plan(self, sub_app_id: int | None, action: str, params: Any) -> Plan:
        return await plan(self._faults, sub_app_id, action, params)

"""The call that waits until events have reached a state, or until nothing more happens."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from mockvod.engine.clock import LoopShare
from mockvod.engine.events import Event, event_number
from mockvod.engine.waiting import Pattern, Wait
from mockvod.http.control.contract import (
    Due,
    ErrorBody,
    EventId,
    EventView,
    Response,
    States,
    TimelineEntry,
    due,
    entry_view,
    event_facts,
    no_nulls,
)
from mockvod.http.control.request import ControlError, ControlRequest, Routes
from mockvod.insight.reasons import reasons
from mockvod.service.definitions import Id, Part
from mockvod.service.life import Life
from mockvod.settings import WHOLE

ROUTES: Final = Routes()

MOST_SEEN: Final = 20


def _state_or_settled(schema: dict[str, Any]) -> None:
    no_nulls(schema)
    schema["oneOf"] = [{"required": ["state"]}, {"required": ["settled"]}]


class WaitFor(Part):
    """Wait for events to reach a state, or with `settled` until nothing more happens by itself."""

    model_config = ConfigDict(json_schema_extra=_state_or_settled)

    state: States | None = Field(None, description="The state, or any of several.")
    count: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] = Field(1, description="How many events.")
    id: EventId | None = None
    task_id: Id | None = None
    file_id: Id | None = None
    event_type: Id | None = None
    since: Annotated[int, Field(ge=0, lt=2**63), WHOLE] = Field(
        0, description="Consider only what happened after this journal entry; 0: everything."
    )
    settled: Literal[True] | None = Field(None, description="Wait until nothing is due any more, instead of a state.")
    quiet: Annotated[float, Field(ge=0.01, le=60)] = Field(
        0.2, description="With settled and a running clock: real seconds in which nothing may happen."
    )
    timeout: Annotated[float, Field(ge=0, le=600)] = Field(5.0, description="Real seconds before the 408 response.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.state is None) == (self.settled is None):
            raise ValueError("give either state or settled")
        return self


class WaitResult(Response):
    events: list[EventView] = Field(description="Those that have reached the state.")
    seq: int = Field(description="The last journal entry: the `since` of a wait for what happens next.")


class Candidate(EventView):
    timeline: list[TimelineEntry] = Field(description="Its last entries.")


class WaitTimedOut(Response):
    error: ErrorBody
    seen: list[Candidate] = Field(description=f"Matching events that did not reach the state; at most {MOST_SEEN}.")
    reasons: list[str] = Field(description="Why, the most likely first.")
    waiting: list[Due] = Field(description=f"What is due on the clock; at most {MOST_SEEN}.")


@ROUTES.add(
    "POST",
    "/wait",
    "Wait until events have reached a state, or until nothing more happens. A 408 response says what was seen.",
    errors=(408, 409, 503),
)
async def wait(request: ControlRequest, wait: WaitFor) -> WaitResult:
    return await request.life.unless_ended(_settled(request.life, wait) if wait.settled else _reached(request, wait))


async def _reached(request: ControlRequest, wait: WaitFor) -> WaitResult:
    life = request.life
    pattern = Pattern(
        number=event_number(wait.id) if wait.id else None,
        sub_app_id=request.sub_app_id,
        any_application=not request.names_application,
        event_type=wait.event_type,
        task_id=wait.task_id,
        file_id=wait.file_id,
    )
    states = wait.state or []
    waiting = Wait(life.events, pattern, states, wait.count, wait.since)
    events = await waiting.reached(wait.timeout)
    if events is not None:
        seq, share, views = life.journal.seq, LoopShare(), []
        for event in events:
            views.append(EventView(**event_facts(event)))
            await share.turn()
        return WaitResult(events=views, seq=seq)
    candidates = waiting.candidates()
    why = list(reasons(life, waiting, candidates))
    message = (
        f"{waiting.found} of {wait.count} events ({pattern.description()}) have been {' or '.join(states)} "
        f"within {wait.timeout:g} s: {'; '.join(why)}"
    )
    raise _timed_out(life, message, why, candidates)


async def _settled(life: Life, wait: WaitFor) -> WaitResult:
    if await life.settled(quiet=wait.quiet, seconds=wait.timeout):
        return WaitResult(events=[], seq=life.journal.seq)
    under_way = sum(application.deliveries.under_way for application in life.applications())
    why = f"deliveries under way: {under_way}" if under_way else "new journal entries keep coming"
    message = f"{life.name} has not settled within {wait.timeout:g} s: {why}"
    raise _timed_out(life, message, [why], [event for event in life.events if event.state == "delivering"])


def _timed_out(life: Life, message: str, why: list[str], candidates: list[Event]) -> ControlError:
    seen = [
        Candidate(**event_facts(event), timeline=[entry_view(entry) for entry in event.timeline()[-5:]])
        for event in candidates[:MOST_SEEN]
    ]
    error = ErrorBody(code="timeout", message=message, field=None)
    body = WaitTimedOut(error=error, seen=seen, reasons=why, waiting=due(life, MOST_SEEN))
    return ControlError(408, error.code, message, body=body)

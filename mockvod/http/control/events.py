"""Calls that emit, check, list, show and redeliver events."""

import json
from collections.abc import Iterator, Mapping
from itertools import chain, islice, repeat
from typing import Annotated, Any, Final, Literal

from pydantic import ConfigDict, Field

from mockvod.engine.attempt import Attempt
from mockvod.engine.clock import LoopShare
from mockvod.engine.events import BacklogFull, Event, event_number
from mockvod.engine.waiting import Pattern
from mockvod.http.control.contract import (
    EventId,
    EventView,
    Response,
    States,
    TimelineEntry,
    entry_view,
    event_facts,
    no_nulls,
)
from mockvod.http.control.request import LARGE_BODY, ControlError, ControlRequest, Routes
from mockvod.service.application import Application, StillPending
from mockvod.service.definitions import EventDefinition, Id, Part
from mockvod.settings import WHOLE, Seconds
from mockvod.wire.events import CARRIERS, SNAPSHOT_COMPLETE, EventError, parse

ROUTES: Final = Routes()

MOST_SNAPSHOTS: Final = 100_000
"""Most snapshots of all events of one call."""
_AT_ONCE: Final = 200
"""Events that are emitted before other tasks may run."""
_SNAPSHOTS_AT_ONCE: Final = 2_000


class Emit(EventDefinition):
    """Events to emit. Everything is optional; values that are not given are generated."""

    count: Annotated[int, Field(ge=1, le=10_000), WHOLE] = Field(1, description="How many events.")
    delay: Seconds = Field(0.0, description="Seconds on the account's clock until they are emitted.")


class Emitted(Response):
    events: list[EventView]


class EmitPreview(Response):
    """What an emit would send."""

    event_type: str
    count: int = Field(description="How many events there would be.")
    content: dict[str, Any] = Field(description="The EventContent of the first event.")


class EventRow(EventView):
    """An event as lists show it."""

    tries: int = Field(description="How many times it was pulled or posted to a callback URL.")
    seq: int = Field(description="The number of its last journal entry.")


class EventsPage(Response):
    events: list[EventRow]
    next: str | None = Field(description="The `cursor` of the next page; null at the end.")


class EventsQuery(Part):
    model_config = ConfigDict(json_schema_extra=no_nulls)

    state: States | None = Field(None, description="One state, or several separated by commas.")
    task_id: Id | None = None
    file_id: Id | None = None
    event_type: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1000), WHOLE] = 100
    cursor: EventId | None = Field(None, description="`next` of the last page.")
    order: Literal["oldest", "newest"] = Field("oldest", description="Which events come first.")


class EventDetail(EventView):
    attempts: list[dict[str, Any]] = Field(description="POSTs to the callback URL, oldest first.")
    timeline: list[TimelineEntry]
    content: dict[str, Any] = Field(description="The EventContent that is sent.")


@ROUTES.add("POST", "/events", "Emit events.", status=201, errors=(429,), body_limit=LARGE_BODY)
async def emit(request: ControlRequest, emit: Emit) -> Emitted:
    application = request.application
    first = _check(emit, application)
    if emit.event is None and emit.event_type is None:
        application.use_snapshot_preview()
    contents = chain((first,), _contents(application, emit, emit.count - 1))
    at_once = max(1, min(_AT_ONCE, _SNAPSHOTS_AT_ONCE // max(1, _snapshots(emit))))
    emitted: list[EventView] = []
    share = LoopShare()
    while len(emitted) < emit.count:
        batch: list[tuple[Event, Mapping[str, Any]]] = []
        try:
            with application.batch():
                for event_type, structure, tail in islice(contents, at_once):
                    batch.append((application.emit_rendered(event_type, tail, delay=emit.delay), structure))
        except BacklogFull as error:
            message = f"{error} ({len(emitted) + len(batch)} of {emit.count} events were emitted)"
            raise ControlError(429, "backlog_full", message) from None
        emitted += [EventView(**event_facts(event, structure)) for event, structure in batch]
        await share.turn()
    return Emitted(events=emitted)


@ROUTES.add(
    "POST",
    "/events/check",
    "Check an emit without emitting: the first event that it would send, or the error that it would get.",
    body_limit=LARGE_BODY,
)
async def check_events(request: ControlRequest, emit: Emit) -> EmitPreview:
    application = request.application
    event_type, _, tail = _check(emit, application)
    return EmitPreview(event_type=event_type, count=emit.count, content=json.loads(b"{" + tail))


Content = tuple[str, Mapping[str, Any], bytes]
"""EventType, structure, and the rendered event."""


def _check(emit: Emit, application: Application) -> Content:
    """The first event as it would be. Raises ControlError for conflicts, invalid content, and a call over budget."""
    for field, message in emit.conflicts().items():
        raise ControlError(400, "contradiction", f"{field}: {message}", field)
    if (snapshots := emit.count * _snapshots(emit)) > MOST_SNAPSHOTS:
        message = (
            f"count: {emit.count} events with {snapshots} snapshots exceed the budget of {MOST_SNAPSHOTS} per call"
        )
        raise ControlError(413, "over_budget", message, "count")
    try:
        first = next(_contents(application, emit, 1, preview=True))
        if emit.snapshots is not None:
            parse({"EventType": SNAPSHOT_COMPLETE, CARRIERS[SNAPSHOT_COMPLETE]: first[1]})
    except EventError as error:
        raise ControlError(400, "bad_event", str(error), emit.field_at_fault()) from None
    size, limit = emit.count * len(first[2]), application.life.settings.pending_bytes
    if size > limit:
        message = f"count: {emit.count} events of {len(first[2])} bytes exceed pending-bytes ({limit})"
        raise ControlError(413, "over_budget", message, "count")
    return first


def _snapshots(emit: Emit) -> int:
    """Snapshots per event."""
    return len(emit.snapshots or emit.time_offsets or ())


def _contents(application: Application, emit: Emit, count: int, *, preview: bool = False) -> Iterator[Content]:
    if given := emit.content():
        yield from repeat((given.event_type, given.structure, application.render(*given)), count)
        return
    task = emit.task()
    for _ in range(count):
        structure = application.snapshot_task(**task, preview=preview)
        yield SNAPSHOT_COMPLETE, structure, application.render(SNAPSHOT_COMPLETE, structure)


@ROUTES.add("GET", "/events", "List events, oldest or newest first, of one application or of all.")
async def list_events(request: ControlRequest, query: EventsQuery) -> EventsPage:
    pattern = Pattern(
        sub_app_id=request.sub_app_id,
        any_application=not request.names_application,
        event_type=query.event_type,
        task_id=query.task_id,
        file_id=query.file_id,
    )
    start = event_number(query.cursor) if query.cursor else None
    events = request.life.events
    share = LoopShare()
    rows: list[EventRow] = []
    for event in events.before(start) if query.order == "newest" else events.after(start or 0):
        await share.turn()
        if (query.state is None or event.state in query.state) and pattern.matches(event):
            if len(rows) == query.limit:
                return EventsPage(events=rows, next=rows[-1].id)
            rows.append(_row(event))
    return EventsPage(events=rows, next=None)


def _row(event: Event) -> EventRow:
    entry = event.last
    seq = 0 if entry is None else entry.seq
    tries = 0
    while entry is not None:
        tries += entry.what in {"leased", "attempt"}
        entry = entry.before
    return EventRow(**event_facts(event), tries=tries, seq=seq)


@ROUTES.add("GET", "/events/{id}", "Show an event with its timeline.", errors=(404,))
async def get_event(request: ControlRequest) -> EventDetail:
    return _detail(request.event())


@ROUTES.add("POST", "/events/{id}/redeliver", "Send an event in a terminal state again.", errors=(404, 409, 429))
async def redeliver(request: ControlRequest) -> EventDetail:
    event = request.event()
    try:
        request.life.application(event.sub_app_id).redeliver(event)
    except StillPending as error:
        raise ControlError(409, "still_under_way", str(error), "id") from None
    except BacklogFull as error:
        raise ControlError(429, "backlog_full", str(error)) from None
    return _detail(event)


def _detail(event: Event) -> EventDetail:
    timeline = event.timeline()
    return EventDetail(
        **event_facts(event),
        attempts=[entry.detail.as_json() for entry in timeline if isinstance(entry.detail, Attempt)],
        timeline=[entry_view(entry) for entry in timeline],
        content=event.content(),
    )

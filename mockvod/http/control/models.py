"""Shapes of the control API: what is sent to it and what it answers. The OpenAPI document is made from them."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mockvod.engine.events import Event, State, event_id
from mockvod.engine.journal import Entry
from mockvod.engine.push import Attempt
from mockvod.service.life import Life
from mockvod.service.media import Media
from mockvod.service.templates import Template
from mockvod.settings import WHOLE, AccountSettings, ApplicationSettings, ErrCodeExt, Seconds
from mockvod.wire.processing import ExtTimeOffset

# Beyond 64 bits no client of ours reads a number as it was sent.
Id = Annotated[str, Field(min_length=1, max_length=200)]
Milliseconds = Annotated[int, Field(ge=0, lt=2**53), WHOLE]
LATEST = 2**37  # the year 6325: what dates can still show after an advance or two


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def _no_nulls(schema: dict[str, Any]) -> None:
    """What is not given is left out; null stands for nothing here."""
    for member in schema["properties"].values():
        if "anyOf" in member:
            member.update(member.pop("anyOf")[0])
            del member["default"]


class Answer(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class ErrorBody(Answer):
    code: str
    message: str
    field: str | None


class ErrorAnswer(Answer):
    error: ErrorBody


# --- events


class Emit(Shape):
    """Events to let happen; everything is optional and made up plausibly where it is not given."""

    count: Annotated[int, Field(ge=1, le=10_000), WHOLE] = Field(1, description="How many.")
    file_id: Id | None = Field(None, description="FileId of the media.")
    task_id: Id | None = Field(None, description="TaskId of the snapshot task.")
    definition: Annotated[int, Field(ge=0, lt=2**53), WHOLE] = Field(10, description="Template of the snapshots.")
    time_offsets: Annotated[list[Milliseconds], Field(max_length=1000)] | None = Field(
        None, description="Time offsets of the snapshots, in milliseconds."
    )
    failed: Annotated[list[Milliseconds], Field(max_length=1000)] = Field(
        default_factory=list, description="Those of the time_offsets that fail."
    )
    err_code: Annotated[int, Field(gt=-(2**53), lt=2**53), WHOLE] | None = Field(None, description="Their ErrCode.")
    snapshots: Annotated[list[dict[str, Any]], Field(max_length=1000)] | None = Field(
        None, description="The exact SnapshotInfoSet, in place of time_offsets and failed."
    )
    event: dict[str, Any] | None = Field(
        None, description="A whole EventContent of any EventType, in place of all of the above but count."
    )
    event_type: Id | None = Field(
        None, description="The documented example of this EventType, in place of all of the above but count."
    )
    set: Annotated[dict[str, Any], Field(max_length=1000)] | None = Field(
        None, description="What differs from the example: values by path, such as `FileUploadEvent.FileId`."
    )
    delay: Annotated[float, Field(ge=0, le=10 * 365 * 86400, allow_inf_nan=False)] = Field(
        0.0, description="Seconds of the account's clock until the events happen."
    )


class EventView(Answer):
    id: str
    state: State
    event_type: str
    task_id: str | None = Field(description="TaskId of what the event carries, where it has one.")
    file_id: str | None = Field(description="FileId of what the event carries, where it has one.")
    sub_app_id: int | None = Field(description="The application; null is the default one.")
    created_at: float = Field(description="Seconds since 1970 on the account's clock.")


class TimelineEntry(Answer):
    """One thing that happened; what else is known of it stands beside these."""

    model_config = ConfigDict(extra="allow")

    seq: int
    at: float = Field(description="Seconds since 1970 on the account's clock.")
    what: str
    event: str | None = None
    sub_app_id: int | None = None


class EventDetail(EventView):
    attempts: list[dict[str, Any]] = Field(description="Of its deliveries, first to last.")
    timeline: list[TimelineEntry]
    content: dict[str, Any] = Field(description="The EventContent as it goes over the wire.")


class Emitted(Answer):
    events: list[EventView]


class EmitPreview(Answer):
    """What an emit would send."""

    event_type: str
    count: int = Field(description="How many events there would be.")
    content: dict[str, Any] = Field(description="The EventContent of the first event.")


class EventRow(EventView):
    """An event as lists show it."""

    attempts: int = Field(description="How many times it was pulled or posted to a callback URL.")
    seq: int = Field(description="The journal's entry of what happened to it last.")


class EventsPage(Answer):
    events: list[EventRow]
    next: str | None = Field(description="Give it as `cursor` to read on; null at the end.")


def _states(value: object) -> object:
    return value.split(",") if isinstance(value, str) and value else value


class EventsQuery(Shape):
    model_config = ConfigDict(json_schema_extra=_no_nulls)

    state: Annotated[list[State], BeforeValidator(_states)] | None = Field(
        None, description="One state or several, with commas."
    )
    task_id: Id | None = None
    file_id: Id | None = None
    event_type: Id | None = None
    limit: Annotated[int, Field(ge=1, le=1000), WHOLE] = 100
    cursor: Annotated[str, Field(pattern=r"^evt_[0-9]{1,18}$")] | None = Field(
        None, description="`next` of the last page."
    )
    order: Literal["oldest", "newest"] = Field("oldest", description="Which events come first.")


# --- media and procedures


class DeclareMedia(Shape):
    """A media file; everything is optional and made up plausibly where it is not given."""

    file_id: Id | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    duration: Seconds | None = Field(None, description="Seconds.")
    width: Annotated[int, Field(ge=1, le=16384), WHOLE] | None = Field(None, description="Pixels.")
    height: Annotated[int, Field(ge=1, le=16384), WHOLE] | None = Field(None, description="Pixels.")
    size: Annotated[int, Field(ge=0, lt=2**53), WHOLE] | None = Field(None, description="Bytes.")
    video: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        None, description="Path of a video file on the server's machine, whose frames the pictures are."
    )
    fails_with: ErrCodeExt | None = Field(
        None, description="ErrCodeExt that every job on it fails with, such as SourceFileError.ContentMalformed."
    )


class MediaView(Answer):
    file_id: str
    name: str
    duration: float = Field(description="Seconds.")
    width: int
    height: int
    size: int = Field(description="Bytes.")
    created_at: float = Field(description="Seconds since 1970 on the account's clock.")
    video: str | None
    fails_with: str | None


class MediaList(Answer):
    media: list[MediaView]


class ProcedureSnapshots(Shape):
    """Snapshots by one template."""

    definition: Annotated[int, Field(ge=0, lt=2**53), WHOLE] = Field(10, description="The template.")
    ext_time_offsets: Annotated[list[ExtTimeOffset], Field(min_length=1, max_length=1000)] = Field(
        description="When, in seconds or of the whole: `3.5s`, `10%`."
    )


class Procedure(Shape):
    snapshots: Annotated[list[ProcedureSnapshots], Field(min_length=1, max_length=100)]


class SnapshotsView(Answer):
    definition: int
    ext_time_offsets: list[str]
    time_offsets: list[float] = Field(description="Milliseconds; they count where there are no ext_time_offsets.")


class ProcedureView(Answer):
    name: str
    snapshots: list[SnapshotsView]


class Procedures(Answer):
    procedures: list[ProcedureView]


# --- settings


class Config(ApplicationSettings, AccountSettings):
    """Settings of an application and its account. In a change, those not named stay as they are."""


class ConfigView(Config):
    """The settings in force."""

    sign_key: str = Field("", description="`(set)` where there is one.")
    mode_in_force: Literal["PULL", "PUSH"] = Field(description="What `mode` means with this callback URL.")


# --- clock


def _exactly_one(schema: dict[str, Any]) -> None:
    _no_nulls(schema)
    schema |= {"minProperties": 1, "maxProperties": 1}


class ClockChange(Shape):
    """Exactly one of them."""

    model_config = ConfigDict(json_schema_extra=_exactly_one)

    freeze: Literal[True] | None = Field(None, description="Stop the clock.")
    advance: Seconds | None = Field(None, description="Move on by seconds, through every due moment, and settle.")
    set: Annotated[float, Field(ge=0, le=LATEST, allow_inf_nan=False)] | None = Field(
        None, description="Show this time (seconds since 1970): forward as advance does, backward at once."
    )
    scale: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)] | None = Field(
        None, description="Run so many times as fast as the system."
    )
    release: Literal[True] | None = Field(None, description="Run with the system again, and show its time.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError("give exactly one of freeze, advance, set, scale, release")
        return self


class Due(Answer):
    what: str
    due: float = Field(description="Seconds since 1970 on the account's clock.")
    within: float = Field(description="Seconds of the clock until then.")


class ClockView(Answer):
    now: float = Field(description="Seconds since 1970 as this clock shows them.")
    rate: float = Field(description="Its seconds in a real second; 0 when frozen.")
    frozen: bool
    waiting: list[Due] = Field(description="What waits for a later moment, the next first; at most 100.")
    hint: str | None = Field(description="What a frozen clock keeps from happening, if anything.")


class ClockMoved(ClockView):
    happened: list[TimelineEntry] = Field(description="What happened meanwhile, in order; at most 1,000 entries.")
    happened_more: bool = Field(description="Whether there was more; the journal has it.")


# --- waiting


def _state_or_settled(schema: dict[str, Any]) -> None:
    _no_nulls(schema)
    schema["oneOf"] = [{"required": ["state"]}, {"required": ["settled"]}]


class WaitFor(Shape):
    """Events that must reach a state, or with `settled` nothing more that happens by itself."""

    model_config = ConfigDict(json_schema_extra=_state_or_settled)

    state: Annotated[list[State], Field(min_length=1), BeforeValidator(_states)] | None = Field(
        None, description="The state, or any of several."
    )
    count: Annotated[int, Field(ge=1, le=1_000_000), WHOLE] = Field(1, description="How many events.")
    id: Annotated[str, Field(pattern=r"^evt_[0-9]{1,18}$")] | None = None
    task_id: Id | None = None
    file_id: Id | None = None
    event_type: Id | None = None
    since: Annotated[int, Field(ge=0, lt=2**63), WHOLE] = Field(
        0, description="Only what happened after this entry of the journal counts; 0: all that happened."
    )
    settled: Literal[True] | None = Field(None, description="Wait until nothing is due any more, in place of a state.")
    quiet: Annotated[float, Field(ge=0.01, le=60)] = Field(
        0.2, description="With settled and a running clock: real seconds in which nothing may happen."
    )
    timeout: Annotated[float, Field(ge=0, le=600)] = Field(5.0, description="Real seconds until it gives up with 408.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if (self.state is None) == (self.settled is None):
            raise ValueError("give a state to wait for, or settled")
        return self


class WaitAnswer(Answer):
    events: list[EventView] = Field(description="Those that have reached the state.")
    seq: int = Field(description="The last entry of the journal: give it as `since` to wait for what comes next.")


class Candidate(EventView):
    timeline: list[TimelineEntry] = Field(description="Its last entries.")


class WaitTimedOut(Answer):
    error: ErrorBody
    seen: list[Candidate] = Field(description="Events that fit but did not reach the state; at most 20.")
    reasons: list[str] = Field(description="Why, the likeliest first.")
    waiting: list[Due] = Field(description="What is due on the clock; at most 20.")


# --- journal


class JournalQuery(Shape):
    since: Annotated[int, Field(ge=0, lt=2**63), WHOLE] = Field(0, description="Entries after this one.")
    limit: Annotated[int, Field(ge=1, le=10_000), WHOLE] = 1000


class JournalPage(Answer):
    entries: list[TimelineEntry]
    next: int = Field(description="Give it as `since` to read on.")
    missed: int = Field(description="Entries after `since` that are no longer kept.")


# --- accounts


class NewAccount(Shape):
    """All optional; what is not given is made up."""

    secret_id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")] | None = None
    secret_key: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    sub_app_id: Annotated[int, Field(gt=0, lt=2**63), WHOLE] | None = Field(
        None, description="What the account's application may be called by; without SubAppId it is meant, too."
    )
    seed: Annotated[int, Field(ge=-(2**63), lt=2**64), WHOLE] | None = None
    frozen: bool = Field(default=False, description="Whether its clock begins frozen.")
    config: Config = Field(default_factory=Config, description="Settings in which it differs from the server's.")


class AccountView(Answer):
    secret_id: str
    sub_app_id: int | None
    seed: int | str
    default: bool = Field(description="Whether it is everybody's who was not declared.")
    events: int = Field(description="Events kept.")


class AccountMade(AccountView):
    secret_key: str


class Accounts(Answer):
    accounts: list[AccountView]


class Stats(Answer):
    counts: dict[str, int] = Field(description="Events by state since the last reset, the forgotten ones included.")
    evicted: int = Field(description="Events that were over and have been forgotten to bound the memory.")
    pending_bytes: int = Field(description="Bytes of the events that are not over.")
    applications: list["ApplicationStats"]


class ApplicationStats(Answer):
    sub_app_id: int | None
    mode: Literal["PULL", "PUSH"]
    visible: int = Field(description="Events that a pull would get now.")
    leased: int
    polls: int = Field(description="PullEvents held at this moment.")
    deliveries: int = Field(description="Deliveries that have not ended.")
    tasks: int = Field(description="Snapshot jobs that have not ended.")


class ResetAnswer(Answer):
    """What was thrown away."""

    events: int
    queued: int
    leased: int
    polls: int
    deliveries: int


# --- views of what the world holds


def view(event: Event, structure: Mapping[str, Any] | None = None) -> EventView:
    """*structure* is what the event carries, for a caller that knows it: else it is read out of the body."""
    return EventView(**_facts(event, event.structure() if structure is None else structure))


def _facts(event: Event, structure: Mapping[str, Any]) -> dict[str, Any]:
    task_id, file_id = structure.get("TaskId"), structure.get("FileId")
    return {
        "id": event.id,
        "state": event.state,
        "event_type": event.event_type,
        "task_id": task_id if isinstance(task_id, str) else None,
        "file_id": file_id if isinstance(file_id, str) else None,
        "sub_app_id": event.sub_app_id,
        "created_at": event.began_at,
    }


def row(event: Event) -> EventRow:
    entry = event.last
    seq = 0 if entry is None else entry.seq
    attempts = 0
    while entry is not None:
        attempts += entry.what in {"leased", "attempt"}
        entry = entry.before
    return EventRow(**_facts(event, event.structure()), attempts=attempts, seq=seq)


def detail(event: Event) -> EventDetail:
    timeline = event.timeline()
    return EventDetail(
        **_facts(event, event.structure()),
        attempts=[entry.detail.as_json() for entry in timeline if isinstance(entry.detail, Attempt)],
        timeline=[entry_view(entry) for entry in timeline],
        content=event.content(),
    )


def media_view(media: Media) -> MediaView:
    return MediaView(**{name: getattr(media, name) for name in MediaView.model_fields})


def procedure_view(template: Template) -> ProcedureView:
    snapshots = [
        SnapshotsView(
            definition=job["Definition"],
            ext_time_offsets=job["ExtTimeOffsetSet"],
            time_offsets=job["TimeOffsetSet"],
        )
        for job in template.content["MediaProcessTask"]["SnapshotByTimeOffsetTaskSet"]
    ]
    return ProcedureView(name=str(template.key), snapshots=snapshots)


def due(life: Life, at_most: int) -> list[Due]:
    clock = life.clock
    now = clock.now()
    return [
        Due(what=one.what, due=clock.epoch(one.when), within=round(one.when - now, 6))
        for one in clock.waiting()[:at_most]
    ]


def entry_view(entry: Entry) -> TimelineEntry:
    return TimelineEntry(
        seq=entry.seq,
        at=entry.at,
        what=entry.what,
        event=None if entry.event is None else event_id(entry.event),
        sub_app_id=entry.sub_app_id,
        **_more(entry.detail),
    )


def _more(known: object) -> dict[str, Any]:
    """What an entry knows beside its time and its name."""
    if isinstance(known, Attempt):
        return {"attempt": known.as_json()}
    if isinstance(known, str):
        return {"event_handle": known}
    return dict(known) if isinstance(known, dict) else {}

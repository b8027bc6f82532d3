"""Shapes that several groups of calls share. The OpenAPI document is made from them."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mockvod.engine.attempt import Attempt
from mockvod.engine.events import Event, State, event_id
from mockvod.engine.journal import Entry
from mockvod.problems import did_you_mean, shown
from mockvod.service.application import Application
from mockvod.service.definitions import Part
from mockvod.service.life import Life

LATEST: Final = 2**37
"""The year 6325 in seconds since 1970: dates still work after a few moves of the clock."""


class Response(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class ErrorBody(Response):
    code: str
    message: str
    field: str | None


class ErrorResponse(Response):
    error: ErrorBody


def no_nulls(schema: dict[str, Any]) -> None:
    """Optional fields are left out, not null: edits the JSON Schema of a model accordingly."""
    for member in schema["properties"].values():
        if "anyOf" in member:
            member.update(member.pop("anyOf")[0])
            del member["default"]


def _exactly_one(schema: dict[str, Any]) -> None:
    """Edits the JSON Schema of a model whose objects have exactly one field."""
    no_nulls(schema)
    schema |= {"minProperties": 1, "maxProperties": 1}


class ExactlyOne(Part):
    """A model whose objects have exactly one field."""

    model_config = ConfigDict(json_schema_extra=_exactly_one)

    @model_validator(mode="after")
    def _one(self) -> Self:
        only_field(self)
        return self


def only_field(model: BaseModel) -> str:
    """The one field that is set. Raises ValueError if there is none, or more than one."""
    match [name for name in model.model_fields_set if getattr(model, name) is not None]:
        case [name] if len(model.model_fields_set) == 1:
            return name
    raise ValueError(f"give exactly one of {', '.join(type(model).model_fields)}")


def _split(value: object) -> object:
    return value.split(",") if isinstance(value, str) and value else value


def _known(names: object) -> object:
    """Rejects an unknown state itself, so that the message is about the whole field, not about a position in it."""
    for name in names if isinstance(names, list) else ():
        if name not in STATES:
            raise ValueError(f"unknown state {shown(name)}{did_you_mean(str(name), STATES)}")
    return names


STATES: Final = get_args(State)
States = Annotated[list[State], Field(min_length=1), BeforeValidator(_known), BeforeValidator(_split)]
EventId = Annotated[str, Field(pattern=r"^evt_[0-9]{1,18}$")]


class TimelineEntry(Response):
    """One thing that happened. Further fields depend on `what`."""

    model_config = ConfigDict(extra="allow")

    seq: int
    at: float = Field(description="Seconds since 1970 on the account's clock.")
    what: str
    event: str | None = None
    sub_app_id: int | None = None


def entry_view(entry: Entry) -> TimelineEntry:
    return TimelineEntry(
        seq=entry.seq,
        at=entry.at,
        what=entry.what,
        event=None if entry.event is None else event_id(entry.event),
        sub_app_id=entry.sub_app_id,
        **_detail(entry.detail),
    )


def _detail(detail: object) -> dict[str, Any]:
    if isinstance(detail, Attempt):
        return {"attempt": detail.as_json()}
    if isinstance(detail, str):
        return {"event_handle": detail}
    return dict(detail) if isinstance(detail, dict) else {}


class EventView(Response):
    id: str
    state: State
    event_type: str
    task_id: str | None = Field(description="TaskId in the event's structure, if it has one.")
    file_id: str | None = Field(description="FileId in the event's structure, if it has one.")
    sub_app_id: int | None = Field(description="The application; null is the default one.")
    created_at: float = Field(description="Seconds since 1970 on the account's clock.")


def event_facts(event: Event, structure: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The fields of EventView. Without *structure* it is parsed from the event's body."""
    structure = event.structure() if structure is None else structure
    task_id, file_id = structure.get("TaskId"), structure.get("FileId")
    return {
        "id": event.id,
        "state": event.state,
        "event_type": event.event_type,
        "task_id": task_id if isinstance(task_id, str) else None,
        "file_id": file_id if isinstance(file_id, str) else None,
        "sub_app_id": event.sub_app_id,
        "created_at": event.created_at,
    }


class ApplicationStats(Response):
    sub_app_id: int | None = Field(description="The application; null is the default one.")
    mode: Literal["PULL", "PUSH"]
    visible: int = Field(description="Events that a pull would get now.")
    leased: int
    polls: int = Field(description="PullEvents that block now.")
    deliveries: int = Field(description="Deliveries that have not ended.")
    tasks: int = Field(description="Jobs that have not ended.")


def application_counts(application: Application) -> dict[str, Any]:
    """The fields of ApplicationStats."""
    return {
        "sub_app_id": application.sub_app_id,
        "mode": application.settings.effective_mode,
        "visible": application.queue.visible,
        "leased": application.queue.leased,
        "polls": application.queue.waiting,
        "deliveries": application.deliveries.under_way,
        "tasks": application.tasks.active,
    }


class Due(Response):
    what: str
    due: float = Field(description="Seconds since 1970 on the account's clock.")
    within: float = Field(description="Seconds on the clock until then.")


def due(life: Life, at_most: int) -> list[Due]:
    clock = life.clock
    now = clock.now()
    return [
        Due(what=one.what, due=clock.epoch(one.when), within=round(one.when - now, 6)) for one in clock.waiting(at_most)
    ]

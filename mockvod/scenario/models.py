"""The shapes of a scenario file, and their JSON Schema."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, WithJsonSchema

from mockvod.service.templates import PRESET
from mockvod.service.world import MAX_ACCOUNTS
from mockvod.settings import WHOLE, AccountSettings, ApplicationSettings, ErrCodeExt, Seconds
from mockvod.wire import processing as wire
from mockvod.wire.events import parse
from mockvod.wire.examples import example, with_changes

MOST_AT_ONCE: Final = 100_000
"""Most events that a scenario emits without `every`."""


def _text(value: object) -> object:
    """YAML and JSON read an unquoted id of digits as a number; both keep all digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _at_least_1ms(value: float) -> float:
    if value < 0.001:
        raise ValueError("must be at least 1ms")
    return value


Id = Annotated[
    str,
    Field(min_length=1, max_length=200),
    BeforeValidator(_text),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1, "maxLength": 200}),
]
SecretId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
SubAppId = Annotated[int, Field(ge=0, lt=2**63), WHOLE]
Whole = Annotated[int, Field(ge=0, lt=2**53), WHOLE]
Pixels = Annotated[int, Field(ge=1, le=16384), WHOLE]
Offsets = Annotated[list[Whole], Field(max_length=1000)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScenarioConfig(ApplicationSettings, AccountSettings):
    """Settings of an account and its applications, with `_` for `-`. Settings that are not given stay unchanged."""


class ScenarioAccount(_Part):
    """A separate account for the clients that sign with its SecretId."""

    secret_id: SecretId
    secret_key: Annotated[str, Field(min_length=1, max_length=128)]
    sub_app_id: Annotated[SubAppId, Field(gt=0)] | None = Field(
        None, description="SubAppId of its default application. Default: generated."
    )
    seed: Annotated[int, Field(ge=-(2**63), lt=2**64), WHOLE] | None = Field(
        None, description="Default: derived from the server's seed and secret_id."
    )
    frozen: bool = Field(default=False, description="Whether its clock starts frozen.")
    config: ScenarioConfig = Field(
        default_factory=ScenarioConfig, description="Settings that differ from the server's."
    )


class ScenarioTemplate(_Part):
    """A template of snapshots at time offsets."""

    definition: Annotated[int, Field(ge=1, lt=2**53), WHOLE] = Field(
        description=f"Template ID; {PRESET} is the preset template, which cannot be changed."
    )
    name: wire.Name = ""
    comment: wire.Comment = ""
    width: wire.PictureSide = Field(0, description="Pixels; 0: as the media file.")
    height: wire.PictureSide = Field(0, description="Pixels; 0: as the media file.")
    resolution_adaptive: wire.ResolutionAdaptive = "open"
    format: wire.Format = "jpg"
    fill_type: wire.FillType = "black"


class ScenarioSnapshots(_Part):
    """One job of a procedure: a template applied to time offsets."""

    definition: wire.Definition = PRESET
    ext_time_offsets: Annotated[list[wire.ExtTimeOffset], Field(max_length=wire.OFFSETS_MOST)] = Field(
        default_factory=list, description="Such as 3.5s or 10%. Take precedence over time_offsets."
    )
    time_offsets: Annotated[list[wire.Milliseconds], Field(max_length=wire.OFFSETS_MOST)] = Field(
        default_factory=list, description="Milliseconds."
    )


class ScenarioMedia(_Part):
    """A media file. Values that are not given are generated from the seed."""

    file_id: Id
    name: Annotated[str, Field(max_length=200)] | None = None
    width: Pixels | None = Field(None, description="Pixels.")
    height: Pixels | None = Field(None, description="Pixels.")
    duration: Seconds | None = None
    size: Whole | None = Field(None, description="Bytes.")
    video: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        None, description="Path of a video file to take frames from, relative to the scenario file."
    )
    fails_with: ErrCodeExt | None = Field(
        None, description="ErrCodeExt of every job on this file, such as SourceFileError.ContentMalformed."
    )


class ScenarioApplication(_Part):
    """An application with its settings, templates, procedures and media files."""

    account: str | None = Field(None, description="SecretId of its account. Default: the default account.")
    sub_app_id: SubAppId | None = Field(None, description="Default: the account's default application.")
    config: ApplicationSettings = Field(
        default_factory=ApplicationSettings, description="Settings that are not given stay unchanged."
    )
    templates: list[ScenarioTemplate] = Field(default_factory=list)
    procedures: dict[
        Annotated[str, Field(min_length=1, max_length=200)],
        Annotated[list[ScenarioSnapshots], Field(min_length=1, max_length=100)],
    ] = Field(default_factory=dict, description="Jobs, by the procedure name that ProcessMediaByProcedure takes.")
    media: list[ScenarioMedia] = Field(default_factory=list)


_TASK_FIELDS: Final = ("file_id", "task_id", "definition", "time_offsets", "failed", "err_code", "snapshots")


class ScenarioEvent(_Part):
    """Events at a moment, once or repeatedly. Values that are not given are generated."""

    at: Seconds = Field(0.0, description="Seconds on the clock after the scenario is applied, or a text such as 5m.")
    every: Annotated[Seconds, AfterValidator(_at_least_1ms)] | None = Field(
        None, description="Seconds between repetitions; the first event is at `at`."
    )
    count: Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = Field(
        None, description="How many events at once (default 1); with `every`, how many in total (default: unlimited)."
    )
    account: str | None = Field(None, description="SecretId of the account. Default: the default account.")
    sub_app_id: SubAppId | None = Field(None, description="Default: the account's default application.")
    file_id: Id | None = Field(None, description="FileId of the media file.")
    task_id: Id | None = Field(None, description="TaskId of the snapshot task.")
    definition: Whole | None = Field(None, description="Template of the snapshots.")
    time_offsets: Offsets | None = Field(None, description="Time offsets of the snapshots in milliseconds.")
    failed: Offsets | None = Field(None, description="Which of the time_offsets fail.")
    err_code: Annotated[int, Field(gt=-(2**53), lt=2**53), WHOLE] | None = Field(
        None, description="ErrCode of the failed snapshots."
    )
    snapshots: Annotated[list[dict[str, Any]], Field(max_length=1000)] | None = Field(
        None, description="The exact SnapshotInfoSet, instead of time_offsets and failed."
    )
    event: dict[str, Any] | None = Field(None, description="A complete EventContent of any EventType.")
    event_type: Id | None = Field(None, description="Emits the documented example of this EventType.")
    set: dict[str, Any] | None = Field(
        None, description="Values that replace those of the example, by path: FileUploadEvent.FileId."
    )

    def given(self, *names: str) -> list[str]:
        return [name for name in names if getattr(self, name) is not None]

    def content(self) -> tuple[str, Mapping[str, Any]] | None:
        """EventType and structure if given; None for a snapshot task, which is generated when it is emitted.

        Raises EventError.
        """
        if self.event is not None:
            return parse(self.event)
        if self.event_type is not None:
            # Unquoted digits are passed as text: with_changes converts them to the type at their path.
            changes = {path: _text(value) for path, value in (self.set or {}).items()}
            return parse(with_changes(example(self.event_type), changes))
        return None

    def task(self) -> dict[str, Any]:
        """The given values of a snapshot task, as arguments for Application.snapshot_task."""
        return {name: getattr(self, name) for name in self.given(*_TASK_FIELDS)}

    def conflicts(self) -> dict[str, str]:
        """Fields that cannot be combined with the others, and why."""
        if self.event is not None:
            fields = self.given(*_TASK_FIELDS, "event_type", "set")
            return dict.fromkeys(fields, "cannot be given together with event, which is complete")
        if self.event_type is not None:
            return dict.fromkeys(self.given(*_TASK_FIELDS), "cannot be given together with event_type: use set")
        if self.set is not None:
            return {"set": "changes the example of an event_type: give event_type too"}
        if self.snapshots is not None:
            fields = self.given("time_offsets", "failed", "err_code")
            return dict.fromkeys(fields, "cannot be given together with snapshots, which is the complete list")
        if self.err_code is not None and not self.failed:
            return {"err_code": f"{self.err_code} applies to failed snapshots: list their offsets in failed"}
        conflicts = {}
        if unknown := sorted({*(self.failed or ())}.difference(self.time_offsets or ())):
            conflicts["failed"] = f"{unknown} must be among the time_offsets"
        if self.err_code == 0:
            conflicts["err_code"] = "0 means success: give failed snapshots another code"
        return conflicts


class Scenario(_Part):
    """The state of a server, and the events that happen in it."""

    config: ScenarioConfig = Field(
        default_factory=ScenarioConfig, description="Settings of the default account and its default application."
    )
    frozen: bool = Field(default=False, description="Whether the default account's clock is frozen.")
    accounts: Annotated[list[ScenarioAccount], Field(max_length=MAX_ACCOUNTS)] = Field(default_factory=list)
    applications: Annotated[list[ScenarioApplication], Field(max_length=MAX_ACCOUNTS)] = Field(default_factory=list)
    events: Annotated[list[ScenarioEvent], Field(max_length=MAX_ACCOUNTS)] = Field(default_factory=list)

    def contents(self) -> dict[str, int]:
        """How many there are of each thing."""
        return {
            "accounts": len(self.accounts),
            "applications": len(self.applications),
            "templates": sum(len(one.templates) for one in self.applications),
            "procedures": sum(len(one.procedures) for one in self.applications),
            "media": sum(len(one.media) for one in self.applications),
            "events": len(self.events),
        }

    def summary(self) -> str:
        """Its contents in words."""
        there = {what: count for what, count in self.contents().items() if count}
        return ", ".join(f"{n} {what.removesuffix('s') if n == 1 else what}" for what, n in there.items()) or "settings"


ENTRIES: Final[Mapping[str, type[_Part]]] = {
    "accounts": ScenarioAccount,
    "applications": ScenarioApplication,
    "events": ScenarioEvent,
}
"""The lists of a scenario, and the model of their entries."""


def published_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors: the content of `fixtures/scenarios/schema.json`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
    return {**_with_durations(schema, TypeAdapter(Seconds).json_schema()), "title": "mockvod scenario"}


def _with_durations(schema: Any, number: Mapping[str, Any]) -> Any:
    """*schema* with every number of seconds also accepting a text such as `5m`."""
    if isinstance(schema, list):
        return [_with_durations(one, number) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if number.items() <= schema.items():
        rest = {name: value for name, value in schema.items() if name not in number}
        return {"anyOf": [dict(number), {"type": "string", "pattern": r"^[0-9.]+ *(ms|s|m|h|d)?$"}], **rest}
    return {name: _with_durations(value, number) for name, value in schema.items()}

"""How clients define events, media files and accounts: shared by the control API and scenarios."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema

from mockvod.settings import WHOLE, AccountSettings, ApplicationSettings, ErrCodeExt, Seconds
from mockvod.wire.events import CARRIERS, Content, parse
from mockvod.wire.examples import example, with_changes


def _text(value: object) -> object:
    """YAML and JSON read an unquoted id of digits as a number; both keep all digits."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Id = Annotated[
    str,
    Field(min_length=1, max_length=200),
    BeforeValidator(_text),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1, "maxLength": 200}),
]
SecretId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
SecretKey = Annotated[str, Field(min_length=1, max_length=128)]
SubAppId = Annotated[int, Field(ge=0, lt=2**63), WHOLE]
# Numbers in JSON are exact below 2**53.
Whole = Annotated[int, Field(ge=0, lt=2**53), WHOLE]
Pixels = Annotated[int, Field(ge=1, le=16384), WHOLE]
Review = Literal["Porn", "Terrorism", "Political", "Porn.Asr", "Porn.Ocr", "Political.Asr", "Political.Ocr"]
Suggestion = Literal["pass", "review", "block"]
Offsets = Annotated[list[Whole], Field(max_length=1000)]

_TASK_FIELDS: Final = ("file_id", "task_id", "definition", "time_offsets", "failed", "err_code", "snapshots")


class Part(BaseModel):
    # Built when first used: a client rarely needs all of them.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Config(ApplicationSettings, AccountSettings):
    """Settings of an account and its applications, with `_` for `-`. Settings that are not given stay unchanged."""


class AccountDefinition(Part):
    """A separate account for the clients that sign with its SecretId."""

    secret_id: SecretId | None = None
    secret_key: SecretKey | None = None
    sub_app_id: Annotated[int, Field(gt=0, lt=2**63), WHOLE] | None = Field(
        None, description="SubAppId of its default application. Default: generated."
    )
    seed: Annotated[int, Field(ge=-(2**63), lt=2**64), WHOLE] | None = Field(
        None, description="Default: derived from the server's seed, if that has one, and secret_id."
    )
    frozen: bool = Field(default=False, description="Whether its clock starts frozen.")
    config: Config = Field(default_factory=Config, description="Settings that differ from the server's.")


class MediaDefinition(Part):
    """A media file. Values that are not given are generated from the seed."""

    file_id: Id | None = None
    name: Annotated[str, Field(max_length=200)] | None = None
    width: Pixels | None = Field(None, description="Pixels.")
    height: Pixels | None = Field(None, description="Pixels.")
    duration: Seconds | None = Field(None, description="Seconds.")
    size: Whole | None = Field(None, description="Bytes.")
    video: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        None, description="Path of a video file on the server's machine to take frames from."
    )
    fails_with: ErrCodeExt | None = Field(
        None, description="ErrCodeExt of every job on this file, such as SourceFileError.ContentMalformed."
    )
    reviews: dict[Review, Suggestion] | None = Field(
        None, description="What a content review suggests, by its Type, such as Porn; pass where nothing is given."
    )


class EventDefinition(Part):
    """The content of an event. Values that are not given are generated."""

    file_id: Id | None = Field(None, description="FileId of the media file.")
    task_id: Id | None = Field(None, description="TaskId of the snapshot task.")
    definition: Whole | None = Field(None, description="Template of the snapshots. Default: 10.")
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
    set: Annotated[dict[str, Any], Field(max_length=1000)] | None = Field(
        None, description="Values that replace those of the example, by path: FileUploadEvent.FileId."
    )

    def given(self, *names: str) -> list[str]:
        return [name for name in names if getattr(self, name) is not None]

    def content(self) -> Content | None:
        """The event if given; None for a snapshot task, which is generated when it is emitted.

        Raises EventError.
        """
        if self.event is not None:
            return parse(self.event)
        if self.event_type is not None:
            # Unquoted digits are passed as text: with_changes converts them to the type at their path.
            changes = {path: _text(value) for path, value in (self.set or {}).items()}
            return parse(with_changes(example(self.event_type), changes))._replace(fields=None)
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
            conflicts["failed"] = f"{unknown[:10]} must be among the time_offsets"
        if self.err_code == 0:
            conflicts["err_code"] = "0 means success: give failed snapshots another code"
        return conflicts

    def field_at_fault(self) -> str:
        """The field that an EventError is most likely about."""
        if self.event_type is not None:
            return "set" if self.event_type in CARRIERS else "event_type"
        return "snapshots" if self.event is None else "event"

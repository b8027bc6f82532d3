"""The shapes of a scenario file, and their JSON Schema."""

from collections.abc import Mapping
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field

from mockvod.service.definitions import (
    AccountDefinition,
    Config,
    EventDefinition,
    Id,
    MediaDefinition,
    Part,
    SecretId,
    SecretKey,
    SubAppId,
)
from mockvod.service.templates import PRESET
from mockvod.service.world import MAX_ACCOUNTS
from mockvod.settings import WHOLE, ApplicationSettings, Seconds
from mockvod.wire import processing as wire
from mockvod.wire.calls import ExtTimeOffset

MOST_AT_ONCE: Final = 100_000
"""Most events that a scenario emits without `every`."""


def _at_least_1ms(value: float) -> float:
    if value < 0.001:
        raise ValueError("must be at least 1ms")
    return value


class ScenarioAccount(AccountDefinition):
    secret_id: SecretId
    secret_key: SecretKey


class ScenarioTemplate(Part):
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


class ScenarioSnapshots(Part):
    """One job of a procedure: a template applied to time offsets."""

    definition: wire.Definition = PRESET
    ext_time_offsets: Annotated[list[ExtTimeOffset], Field(max_length=wire.OFFSETS_MOST)] = Field(
        default_factory=list, description="Such as 3.5s or 10%. Take precedence over time_offsets."
    )
    time_offsets: Annotated[list[wire.Milliseconds], Field(max_length=wire.OFFSETS_MOST)] = Field(
        default_factory=list, description="Milliseconds."
    )


class ScenarioMedia(MediaDefinition):
    file_id: Id
    video: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        None, description="Path of a video file to take frames from, relative to the scenario file."
    )


class ScenarioApplication(Part):
    """An application with its settings, templates, procedures and media files."""

    account: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="SecretId of its account. Default: the default account."
    )
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


class ScenarioEvent(EventDefinition):
    """Events at a moment, once or repeatedly. Values that are not given are generated."""

    at: Seconds = Field(0.0, description="Seconds on the clock after the scenario is applied, or a text such as 5m.")
    every: Annotated[Seconds, AfterValidator(_at_least_1ms)] | None = Field(
        None, description="Seconds between repetitions; the first event is at `at`."
    )
    count: Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = Field(
        None, description="How many events at once (default 1); with `every`, how many in total (default: unlimited)."
    )
    account: Annotated[str, Field(max_length=200)] | None = Field(
        None, description="SecretId of the account. Default: the default account."
    )
    sub_app_id: SubAppId | None = Field(None, description="Default: the account's default application.")


class Scenario(Part):
    """The state of a server, and the events that happen in it."""

    config: Config = Field(
        default_factory=Config, description="Settings of the default account and its default application."
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
        """A summary of its contents."""
        there = {what: count for what, count in self.contents().items() if count}
        return ", ".join(f"{n} {what.removesuffix('s') if n == 1 else what}" for what, n in there.items()) or "settings"


ENTRIES: Final[Mapping[str, type[Part]]] = {
    "accounts": ScenarioAccount,
    "applications": ScenarioApplication,
    "events": ScenarioEvent,
}
"""The lists of a scenario, and the model of their entries."""


def published_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors: the content of `fixtures/scenarios/schema.json`."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
    return {**_with_durations(schema), "title": "mockvod scenario"}


def _with_durations(schema: Any) -> Any:
    """*schema* with every number of seconds also accepting a text such as `5m`."""
    if isinstance(schema, list):
        return [_with_durations(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if schema.get("type") == "number" and schema.get("minimum") == 0 and "maximum" in schema:
        number = {name: schema[name] for name in ("maximum", "minimum", "type")}
        rest = {name: value for name, value in schema.items() if name not in number}
        return {"anyOf": [number, {"type": "string", "pattern": r"^[0-9.]+ *(ms|s|m|h|d)?$"}], **rest}
    return {name: _with_durations(value) for name, value in schema.items()}

"""The calls that apply a scenario to the running server."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mockvod.http.control.contract import ErrorBody, ErrorResponse, Response
from mockvod.http.control.request import LARGE_BODY, ControlError, ControlRequest, Routes
from mockvod.pictures.worker import TookTooLong
from mockvod.service.definitions import Part
from mockvod.service.world import World

if TYPE_CHECKING:
    from mockvod.scenario.source import ScenarioError, Source

ROUTES: Final = Routes()

MOST_TEXT: Final = 256 * 1024
"""Most characters of a scenario file that is sent as text; reading YAML of this size takes a thread some seconds."""


class ScenarioBody(BaseModel):
    """Any values: the check of a scenario reports all problems at once.

    So a server that gets no scenario need not import its models. The OpenAPI document shows them all the same.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    config: Any = None
    frozen: Any = None
    accounts: Any = None
    applications: Any = None
    events: Any = None

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        from mockvod.scenario.models import Scenario  # 49 ms

        Scenario.model_rebuild()
        return handler(Scenario.__pydantic_core_schema__)


class ScenarioFile(Part):
    """The content of a scenario file. YAML needs PyYAML on the server."""

    name: Annotated[str, Field(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = Field(
        "scenario.yaml", description="The file's name, for messages. It is JSON if it ends in `.json`, else YAML."
    )
    text: Annotated[str, Field(max_length=MOST_TEXT)] = Field(description="The content of the file.")


class ScenarioApplied(Response):
    """How many entries of each kind were applied."""

    accounts: int
    applications: int
    templates: int
    procedures: int
    media: int
    events: int = Field(description="Entries of `events`; each may stand for many events.")


class ScenarioProblem(Response):
    key: str = Field(description="Where the problem is, such as `events.0.at`.")
    code: str = Field(
        description="invalid, missing, unknown_key, duplicate, conflict, not_found (account, template, file) or limit."
    )
    message: str


class ScenarioRefused(ErrorResponse):
    problems: list[ScenarioProblem] = Field(description="At most 100.")


@ROUTES.add(
    "PUT",
    "/scenario",
    "Apply a scenario: settings, accounts, applications, future events. All of it, or nothing.",
    scoped=False,
    body_limit=LARGE_BODY,
)
async def put_scenario(request: ControlRequest, body: ScenarioBody) -> ScenarioApplied:
    await request.world.load("mockvod.scenario.apply")
    from mockvod.scenario.source import Source

    return await _apply(Source({name: value for name, value in body if name in body.model_fields_set}), request.world)


@ROUTES.add(
    "POST",
    "/scenario/file",
    "Apply the scenario in the text of a YAML or JSON file.",
    scoped=False,
    body_limit=LARGE_BODY,
)
async def apply_scenario_file(request: ControlRequest, file: ScenarioFile) -> ScenarioApplied:
    await request.world.load("mockvod.scenario.apply", "mockvod.scenario.files")
    from mockvod.scenario.files import from_text
    from mockvod.scenario.source import ScenarioError

    try:
        source = await request.world.worker.run(lambda _: from_text(file.text, name=file.name, folder=Path()))
    except ScenarioError as error:
        raise _rejected(error) from None
    except TookTooLong as error:
        raise ControlError(413, "over_budget", f"text: {error}", "text") from None
    return await _apply(source, request.world)


async def _apply(source: "Source", world: World) -> ScenarioApplied:
    from mockvod.scenario.apply import apply
    from mockvod.scenario.source import ScenarioError

    try:
        scenario = await apply(source, world)
    except ScenarioError as error:
        raise _rejected(error) from None
    return ScenarioApplied(**scenario.contents())


def _rejected(error: "ScenarioError") -> ControlError:
    """The response to a scenario that cannot be applied: its first problem with file and line, and all of them."""
    problems = [ScenarioProblem(key=one.key, code=one.code, message=one.message) for one in error.problems]
    more = f"; see problems for {len(problems) - 1} more" if len(problems) > 1 else ""
    refusal = ErrorBody(
        code="bad_scenario", message=f"{str(error).splitlines()[0]}{more}", field=problems[0].key or None
    )
    return ControlError(400, refusal.code, refusal.message, body=ScenarioRefused(error=refusal, problems=problems))

"""The call that applies a scenario to the running server."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mockvod.http.control.models import Answer, ErrorAnswer, ErrorBody
from mockvod.http.control.request import ControlError, ControlRequest


class ScenarioBody(BaseModel):
    """Anything: what a scenario is says the world, and it finds all that is wrong at once.

    So a server that nobody gives a scenario need not know its models, and the OpenAPI document shows them all the same.
    """

    model_config = ConfigDict(extra="allow", frozen=True)

    config: Any = None
    frozen: Any = None
    accounts: Any = None
    applications: Any = None
    events: Any = None

    @classmethod
    def __get_pydantic_json_schema__(cls, _: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        from mockvod.scenario.scenario import Scenario

        return handler(Scenario.__pydantic_core_schema__)


class ScenarioApplied(Answer):
    """How many there were of each thing."""

    accounts: int
    applications: int
    templates: int
    procedures: int
    media: int
    events: int = Field(description="Entries of `events`; each may stand for many.")


class ScenarioProblem(Answer):
    key: str = Field(description="Where it stands, such as `events.0.at`.")
    message: str


class ScenarioRefused(ErrorAnswer):
    problems: list[ScenarioProblem]


async def put_scenario(asked: ControlRequest) -> ScenarioApplied:
    from mockvod.scenario.scenario import ScenarioError, Source, apply

    wish: ScenarioBody = asked.body
    try:
        scenario = await apply(Source(wish.model_dump(exclude_unset=True)), asked.world)
    except ScenarioError as error:
        problems = [ScenarioProblem(key=one.key, message=one.words) for one in error.problems]
        more = f"; {len(problems) - 1} more stand in problems" if len(problems) > 1 else ""
        message = f"{error.problems[0]}{more}"
        body = ErrorBody(code="bad_scenario", message=message, field=problems[0].key or None)
        raise ControlError(400, body.code, message, answer=ScenarioRefused(error=body, problems=problems)) from None
    return ScenarioApplied(**scenario.contents())

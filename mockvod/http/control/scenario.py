"""The call that applies a scenario to the running server."""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from mockvod.http.control.contract import ErrorBody, ErrorResponse, Response
from mockvod.http.control.request import ControlError, ControlRequest, Route


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


async def put_scenario(request: ControlRequest) -> ScenarioApplied:
    from mockvod.scenario.apply import apply  # 49 ms
    from mockvod.scenario.source import ScenarioError, Source

    body: ScenarioBody = request.body
    source = Source({name: value for name, value in body if name in body.model_fields_set})
    try:
        scenario = await apply(source, request.world)
    except ScenarioError as error:
        problems = [ScenarioProblem(key=one.key, code=one.code, message=one.message) for one in error.problems]
        more = f"; see problems for {len(problems) - 1} more" if len(problems) > 1 else ""
        refusal = ErrorBody(code="bad_scenario", message=f"{error.problems[0]}{more}", field=problems[0].key or None)
        rejected = ScenarioRefused(error=refusal, problems=problems)
        raise ControlError(400, refusal.code, refusal.message, body=rejected) from None
    return ScenarioApplied(**scenario.contents())


ROUTES: Final = (
    Route(
        "PUT",
        "/scenario",
        put_scenario,
        "Apply a scenario: settings, accounts, applications, future events. All of it, or nothing.",
        body=ScenarioBody,
        response=ScenarioApplied,
        scoped=False,
    ),
)

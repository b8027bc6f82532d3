"""The calls that list what can be chosen from: event types, faults and recipes, packaged scenarios."""

from typing import Any, Final

from pydantic import Field

from mockvod.http.control.contract import Response
from mockvod.http.control.request import ControlError, ControlRequest, Routes
from mockvod.wire.event_types import CARRIERS, EventError
from mockvod.wire.examples import example

ROUTES: Final = Routes()


class EventType(Response):
    event_type: str
    field: str = Field(description="The field of EventContent that carries what this event reports.")


class EventTypes(Response):
    event_types: list[EventType]


class EventTypeExample(EventType):
    example: dict[str, Any] = Field(description="An EventContent: what `POST /events` takes as `event`.")


class FaultParameter(Response):
    name: str
    json_schema: dict[str, Any] = Field(description="JSON Schema of its values.")


class FaultType(Response):
    fault: str
    group: str = Field(description="Where it applies: delivery, queue, api or callback.")
    description: str
    parameters: list[FaultParameter]
    scope: list[str] = Field(description="What its scope may name.")


class RecipeFault(Response):
    fault: str
    parameters: dict[str, Any]
    when: dict[str, Any]


class RecipeType(Response):
    recipe: str
    description: str
    faults: list[RecipeFault]


class FaultTypes(Response):
    faults: list[FaultType]
    recipes: list[RecipeType]


class PackagedScenario(Response):
    name: str
    description: str = Field(description="The comment at its top.")
    scenario: dict[str, Any] = Field(description="The body of `PUT /scenario` that applies it.")


class PackagedScenarios(Response):
    scenarios: list[PackagedScenario]


@ROUTES.add("GET", "/event-types", "Every EventType, and the field that carries it.", scoped=False)
async def list_event_types(_: ControlRequest) -> EventTypes:
    return EventTypes(event_types=[EventType(event_type=name, field=field) for name, field in CARRIERS.items()])


@ROUTES.add("GET", "/event-types/{name}", "The documented example of an EventType.", errors=(404,), scoped=False)
async def event_type_example(request: ControlRequest) -> EventTypeExample:
    name = request.path("name")
    try:
        return EventTypeExample(event_type=name, example=example(name), field=CARRIERS[name])
    except EventError as error:
        raise ControlError(404, "no_such_event_type", str(error), "name") from None


@ROUTES.add("GET", "/fault-types", "Every fault with its parameters, and every recipe.", scoped=False)
async def list_fault_types(_: ControlRequest) -> FaultTypes:
    from mockvod.faults.recipes import RECIPES  # as the registry: most servers never have one
    from mockvod.faults.table import FAULTS

    return FaultTypes(
        faults=[
            FaultType(
                fault=name,
                group=fault.group,
                description=fault.summary(),
                parameters=_parameters(name),
                scope=list(fault.scoped_by),
            )
            for name, fault in FAULTS.items()
        ],
        recipes=[
            RecipeType(
                recipe=name,
                description=recipe.summary,
                faults=[
                    RecipeFault(fault=fault.name, parameters=fault.parameters(), when={when.rule: when.value})
                    for fault, when in recipe.faults
                ],
            )
            for name, recipe in RECIPES.items()
        ],
    )


def _parameters(fault: str) -> list[FaultParameter]:
    from mockvod.faults.table import FAULTS
    from mockvod.http.control.faults import model_of

    properties = model_of(FAULTS[fault]).model_json_schema()["properties"]
    return [
        FaultParameter(name=name, json_schema=schema)
        for name, schema in properties.items()
        if name not in {"fault", "when", "scope"}
    ]


@ROUTES.add("GET", "/scenarios", "The packaged scenarios: bodies for PUT /scenario.", scoped=False)
async def list_scenarios(_: ControlRequest) -> PackagedScenarios:
    from mockvod.scenario.files import examples, load  # 49 ms, and few servers need it
    from mockvod.scenario.source import ScenarioError
    from mockvod.wire.examples import fixtures

    found = []
    for name in examples():
        text = (fixtures() / "scenarios" / f"{name}.yaml").read_text(encoding="utf-8")
        comments = [line[1:].strip() for line in text.splitlines() if line.startswith("#")]
        description = " ".join(line for line in comments if not line.startswith("yaml-language-server"))
        try:
            scenario = load(name).data
        except ScenarioError as error:  # without PyYAML
            raise ControlError(501, "extra_missing", str(error)) from None
        found.append(PackagedScenario(name=name, description=description, scenario=scenario))
    return PackagedScenarios(scenarios=found)

"""Calls that add, list and remove faults. Their models are made from the parameters of the faults."""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, create_model
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from mockvod.faults.base import ActiveFault, Fault
from mockvod.faults.codes import known
from mockvod.faults.registry import MODULES
from mockvod.faults.rules import Scope, When
from mockvod.http.control.contract import ExactlyOne, Response, only_field
from mockvod.http.control.request import ControlError, ControlRequest, Routes, checking
from mockvod.problems import did_you_mean
from mockvod.service.definitions import Part, SubAppId
from mockvod.settings import RECIPES, WHOLE, Seconds
from mockvod.wire.actions import VOD_ACTIONS
from mockvod.wire.event_types import CARRIERS

ROUTES: Final = Routes()

Number = Annotated[int, Field(ge=1, lt=2**53), WHOLE]

# --- scope and rule


def _one_of(names: Collection[str], noun: str) -> Any:
    """A text that is one of *names*. The OpenAPI document lists them; an error names the nearest."""

    def check(value: str) -> str:
        return known(value, names, noun)

    def list_names(schema: dict[str, Any]) -> None:
        schema.update(enum=sorted(names))

    return Annotated[str, Field(json_schema_extra=list_names), AfterValidator(check)]


_SCOPES: Final[dict[str, tuple[Any, str]]] = {
    "sub_app_id": (SubAppId, "Only this application; 0 is the default one."),
    "event_type": (_one_of(CARRIERS, "EventType"), "Only events of this EventType."),
    "action": (_one_of(VOD_ACTIONS, "action"), "Only calls of this action."),
    "file_id": (Annotated[str, Field(min_length=1, max_length=200)], "Only events and calls about this FileId."),
}


@cache
def _scope_model(names: tuple[str, ...]) -> type[BaseModel]:
    members: dict[str, Any] = {
        name: (_SCOPES[name][0], Field(default=None, description=_SCOPES[name][1])) for name in names
    }
    title = "".join(part.title() for name in names for part in name.split("_"))
    return create_model(f"ScopeBy{title}", __base__=Part, **members)


class WhenRule(ExactlyOne):
    """Exactly one of these. Events or calls are counted within the fault's scope, from when it was added."""

    always: Literal[True] | None = Field(None, description="Each time.")
    probability: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="With this probability each time."
    )
    nth: Number | None = Field(None, description="The n-th time only.")
    first: Number | None = Field(None, description="The first n times.")
    every: Number | None = Field(None, description="Every n-th time.")
    until: Seconds | None = Field(None, description="Until this many seconds on the clock have passed.")

    def rule(self) -> When:
        name = only_field(self)
        return When(name, getattr(self, name))


# --- faults and recipes; each model is made when first used: all of them take 90 ms


@cache
def model_of(fault: type[Fault]) -> type[BaseModel]:
    """The body that adds *fault*."""
    scope = _scope_model(fault.scoped_by)
    hints = get_type_hints(fault, include_extras=True)
    members: dict[str, Any] = {one.name: (hints[one.name], Field(default=one.default)) for one in fields(fault)}
    members |= {
        "fault": (Literal[fault.name], Field(description=fault.summary())),
        "when": (WhenRule, Field(default=WhenRule(always=True), description="When it fires. Default: each time.")),
        "scope": (scope, Field(default_factory=scope, description="What it applies to. Default: everything.")),
    }
    return create_model(f"{fault.__name__}Fault", __base__=Part, __doc__=fault.summary(), **members)


@cache
def _recipe_model() -> type[BaseModel]:
    scope = _scope_model(("sub_app_id",))
    return create_model(
        "RecipeShape",
        __base__=Part,
        __doc__="Several faults that are added together.",
        recipe=(_one_of(RECIPES, "recipe"), Field(description="The recipe's name.")),
        scope=(scope, Field(default_factory=scope, description="What it applies to. Default: everything.")),
    )


class NewFault(BaseModel):
    """A fault by its name with its parameters, or a recipe by its name."""

    model_config = ConfigDict(extra="allow", frozen=True)

    fault: Any = Field(None, description="A fault's name; its parameters are further fields.")
    recipe: Any = Field(None, description="A recipe's name, instead of a fault's.")
    when: Any = Field(None, description="When it fires. Default: each time.")
    scope: Any = Field(None, description="What it applies to. Default: everything.")

    def given(self) -> dict[str, Any]:
        """The fields that are set."""
        return {name: value for name, value in self if name in self.model_fields_set}

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        from mockvod.faults.table import FAULTS

        every: Any = Union[(*map(model_of, FAULTS.values()), _recipe_model())]
        return handler(TypeAdapter(every).core_schema)


class FaultView(Response):
    id: str
    fault: str
    recipe: str | None = Field(description="The recipe that added it.")
    parameters: dict[str, Any]
    when: dict[str, Any]
    scope: dict[str, Any]
    seen: int = Field(description="Events or calls in its scope so far.")
    fired: int = Field(description="How many of them it applied to; the journal has the details.")


class Faults(Response):
    seed: int | str = Field(description="The account's seed; with the same seed faults draw the same random numbers.")
    faults: list[FaultView]


def _view(active: ActiveFault) -> FaultView:
    scope = {name: value for name in _SCOPES if (value := getattr(active.scope, name)) is not None}
    return FaultView(
        id=active.id,
        fault=active.fault.name,
        recipe=active.recipe,
        parameters=active.fault.parameters(),
        when={active.when.rule: active.when.value},
        scope=scope,
        seen=active.seen,
        fired=active.fired,
    )


def _response(request: ControlRequest, active: Iterable[ActiveFault]) -> Faults:
    return Faults(seed=request.life.seed, faults=[_view(one) for one in active])


# --- the calls


@ROUTES.add("POST", "/faults", "Add a fault, or the faults of a recipe.", status=201, errors=(409,))
async def add_fault(request: ControlRequest, new: NewFault) -> Faults:
    await request.world.load(*MODULES)
    return _response(request, _add(request, new))


def _add(request: ControlRequest, new: NewFault) -> list[ActiveFault]:
    given, faults = new.given(), request.life.faults
    if ("fault" in given) == ("recipe" in given):
        raise ControlError(400, "bad_value", "give either fault or recipe", "fault")
    if "recipe" in given:
        recipe: Any = _validated(_recipe_model(), given)
        return faults.add_recipe(recipe.recipe, _scope(request, recipe.scope))
    fault = _fault(given["fault"])
    model: Any = _validated(model_of(fault), given)
    parameters = {one.name: getattr(model, one.name) for one in fields(fault)}
    return [faults.add(fault(**parameters), _scope(request, model.scope), model.when.rule())]


def _fault(name: object) -> type[Fault]:
    from mockvod.faults.table import FAULTS  # 40 ms, with the first fault that is added

    if isinstance(name, str) and name in FAULTS:
        return FAULTS[name]
    message = f"fault: unknown fault {repr(name)[:60]}{did_you_mean(str(name), FAULTS)}"
    raise ControlError(400, "bad_value", message, "fault")


def _validated(model: type[BaseModel], given: Mapping[str, Any]) -> BaseModel:
    with checking(model, "the body"):
        # From JSON, to be as strict as with every other body.
        return model.model_validate_json(json.dumps(given), strict=True)


def _scope(request: ControlRequest, scope: BaseModel) -> Scope:
    """The given scope. If it names no application, the one that the query names."""
    given = {name: getattr(scope, name) for name in scope.model_fields_set}
    if request.names_application:
        given.setdefault("sub_app_id", request.sub_app_id or 0)
    if given.get("sub_app_id") == request.account.identity.sub_app_id is not None:
        given["sub_app_id"] = 0
    return Scope(**given)


@ROUTES.add("GET", "/faults", "List the active faults, and the seed they draw from.")
async def list_faults(request: ControlRequest) -> Faults:
    return _response(request, request.life.faults)


@ROUTES.add("DELETE", "/faults", "Remove all faults.")
async def clear_faults(request: ControlRequest) -> Faults:
    return _response(request, request.life.faults.clear())


@ROUTES.add("DELETE", "/faults/{id}", "Remove a fault.", errors=(404,))
async def remove_fault(request: ControlRequest) -> Faults:
    given = request.path("id")
    removed = request.life.faults.remove(given)
    if removed is None:
        raise ControlError(404, "no_such_fault", f"no active fault {given[:60]!r} in {request.account.name}", "id")
    return _response(request, [removed])

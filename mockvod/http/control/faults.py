"""The calls of the control API about faults, and their shapes, which are made from the faults' parameters."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from functools import cache
from typing import Annotated, Any, Final, Literal, Self, Union, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, TypeAdapter, create_model, model_validator
from pydantic.annotated_handlers import GetJsonSchemaHandler
from pydantic_core import CoreSchema

from mockvod.faults.base import ActiveFault, Fault
from mockvod.faults.codes import known
from mockvod.faults.registry import TooManyFaults
from mockvod.faults.rules import RULES, Scope, When, name_of
from mockvod.faults.table import FAULTS
from mockvod.http.control.request import ControlError, ControlRequest, checking
from mockvod.problems import did_you_mean
from mockvod.service.world import Account
from mockvod.settings import RECIPES, WHOLE, Seconds
from mockvod.wire.actions import VOD_ACTIONS
from mockvod.wire.event_types import CARRIERS

Number = Annotated[int, Field(ge=1, lt=2**53), WHOLE]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


# --- whom and when


def _one_of(names: Iterable[str]) -> Callable[[dict[str, Any]], None]:
    """The names that a text can be, for the OpenAPI document: the message of a refusal has the nearest."""
    return lambda schema: schema.update(enum=sorted(names))


def _action(value: str) -> str:
    return known(value, VOD_ACTIONS, "action")


def _event_type(value: str) -> str:
    return known(value, CARRIERS, "EventType")


_SCOPES: Final[dict[str, tuple[Any, str]]] = {
    "sub_app_id": (Annotated[int, Field(ge=0, lt=2**63), WHOLE], "Of this application only; 0 is the default one."),
    "event_type": (
        Annotated[str, Field(json_schema_extra=_one_of(CARRIERS)), AfterValidator(_event_type)],
        "Events of this EventType only.",
    ),
    "action": (
        Annotated[str, Field(json_schema_extra=_one_of(VOD_ACTIONS)), AfterValidator(_action)],
        "Calls of this action only.",
    ),
    "file_id": (
        Annotated[str, Field(min_length=1, max_length=200)],
        "Events and calls about this FileId only.",
    ),
}


def _no_null(schema: dict[str, Any]) -> None:
    """What is not given is left out; null stands for nothing here."""
    for member in schema["properties"].values():
        if "anyOf" in member:
            member.update(member.pop("anyOf")[0])
            del member["default"]


@cache
def _scope_shape(names: tuple[str, ...]) -> type[BaseModel]:
    members: dict[str, Any] = {
        name: (_SCOPES[name][0], Field(default=None, description=_SCOPES[name][1])) for name in names
    }
    title = "".join(part.title() for name in names for part in name.split("_"))
    return create_model(f"ScopeBy{title}", __base__=_Shape, **members)


def _exactly_one(schema: dict[str, Any]) -> None:
    _no_null(schema)
    schema |= {"minProperties": 1, "maxProperties": 1}


class WhenShape(_Shape):
    """Exactly one of them, counted in things of the fault's scope from when it was put in force."""

    model_config = ConfigDict(json_schema_extra=_exactly_one)

    always: Literal[True] | None = Field(None, description="Each time.")
    probability: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        None, description="With this probability each time."
    )
    nth: Number | None = Field(None, description="The n-th time only.")
    first: Number | None = Field(None, description="The first n times.")
    every: Number | None = Field(None, description="Every n-th time.")
    until: Seconds | None = Field(None, description="Until so many seconds of the clock have passed.")

    @model_validator(mode="after")
    def _one(self) -> Self:
        if len(self.model_fields_set) != 1 or None in (getattr(self, name) for name in self.model_fields_set):
            raise ValueError(f"give exactly one of {', '.join(RULES)}")
        return self

    def rule(self) -> When:
        [name] = self.model_fields_set
        return RULES[name](getattr(self, name))


ALWAYS = WhenShape(always=True)


# --- what


def shape_of(fault: type[Fault]) -> type[BaseModel]:
    """What is sent to put *fault* in force."""
    scope = _scope_shape(fault.scoped_by)
    hints = get_type_hints(fault, include_extras=True)
    members: dict[str, Any] = {one.name: (hints[one.name], Field(default=one.default)) for one in fields(fault)}
    members |= {
        "fault": (Literal[fault.name], Field(description=fault.summary())),
        "when": (WhenShape, Field(default=ALWAYS, description="When it strikes; not given: each time.")),
        "scope": (scope, Field(default_factory=scope, description="Whom it strikes; not given: all.")),
    }
    return create_model(
        f"{fault.__name__}Fault",
        __base__=_Shape,
        __doc__=fault.summary(),
        **members,
    )


SHAPES: Final = {name: shape_of(fault) for name, fault in FAULTS.items()}


def _recipe(value: str) -> str:
    return known(value, RECIPES, "recipe")


_ANYWHERE: Final = _scope_shape(("sub_app_id",))


class RecipeShape(_Shape):
    """Several faults that belong together."""

    recipe: Annotated[str, Field(json_schema_extra=_one_of(RECIPES)), AfterValidator(_recipe)] = Field(
        description="A recipe's name."
    )
    # A model made while this module is read, which a type checker cannot follow.
    scope: _ANYWHERE = Field(  # type: ignore[valid-type]
        default_factory=_ANYWHERE, description="Whom it strikes; not given: all."
    )


class NewFault(BaseModel):
    """A fault by its name with its parameters, or a recipe by its own."""

    model_config = ConfigDict(extra="allow", frozen=True)

    fault: Any = Field(None, description="A fault's name; its parameters stand beside it.")
    recipe: Any = Field(None, description="A recipe's name, in place of a fault's.")
    when: Any = Field(None, description="When it strikes; not given: each time.")
    scope: Any = Field(None, description="Whom it strikes; not given: all.")

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        every: Any = Union[(*SHAPES.values(), RecipeShape)]
        return handler(TypeAdapter(every).core_schema)


# --- answers


class FaultView(BaseModel):
    model_config = ConfigDict(frozen=True)

    id: str
    fault: str
    recipe: str | None = Field(description="The recipe that it came with.")
    parameters: dict[str, Any]
    when: dict[str, Any]
    scope: dict[str, Any]
    seen: int = Field(description="How many things of its scope have passed by.")
    fired: int = Field(description="How many times it struck; the journal says what it did.")


class FaultsAnswer(BaseModel):
    model_config = ConfigDict(frozen=True)

    seed: int | str = Field(description="The account's, from which the faults draw: it brings the same run again.")
    faults: list[FaultView]


def _view(one: ActiveFault) -> FaultView:
    scope = {name: value for name in _SCOPES if (value := getattr(one.scope, name)) is not None}
    return FaultView(
        id=one.id,
        fault=one.fault.name,
        recipe=one.recipe,
        parameters=one.fault.parameters(),
        when={name_of(one.when): one.when.value},
        scope=scope,
        seen=one.seen,
        fired=one.fired,
    )


def _answer(account: Account, those: list[ActiveFault]) -> FaultsAnswer:
    return FaultsAnswer(seed=account.seed, faults=[_view(one) for one in those])


# --- the calls


async def put_fault(asked: ControlRequest) -> FaultsAnswer:
    try:
        return _answer(asked.account, _added(asked))
    except TooManyFaults as error:
        raise ControlError(409, "too_many", str(error), "fault") from None


def _added(asked: ControlRequest) -> list[ActiveFault]:
    body: NewFault = asked.body
    own = {name: getattr(body, name) for name in type(body).model_fields if name in body.model_fields_set}
    said = {**own, **(body.model_extra or {})}
    if ("fault" in said) == ("recipe" in said):
        raise ControlError(400, "bad_value", "give a fault by its name, or a recipe by its own", "fault")
    account = asked.account
    if "recipe" in said:
        recipe: Any = _checked(RecipeShape, said, "the recipe")
        return account.faults.add_recipe(recipe.recipe, _scope(asked, recipe.scope))
    fault = _fault(said["fault"])
    wish: Any = _checked(SHAPES[fault.name], said, f"the fault {fault.name}")
    parameters = {one.name: getattr(wish, one.name) for one in fields(fault)}
    return [account.faults.add(fault(**parameters), _scope(asked, wish.scope), wish.when.rule())]


def _fault(name: object) -> type[Fault]:
    if isinstance(name, str) and name in FAULTS:
        return FAULTS[name]
    message = f"fault: unknown fault {repr(name)[:60]}{did_you_mean(str(name), FAULTS)}"
    raise ControlError(400, "bad_value", message, "fault")


def _checked(model: type[BaseModel], said: Mapping[str, Any], place: str) -> BaseModel:
    with checking(model, place):
        # As text, so that it is read as strictly as every other body.
        return model.model_validate_json(json.dumps(said), strict=True)


def _scope(asked: ControlRequest, shape: BaseModel) -> Scope:
    """The scope that was given; the application that the query names, where it names none itself."""
    given = {name: getattr(shape, name) for name in shape.model_fields_set}
    if asked.names_application:
        given.setdefault("sub_app_id", asked.sub_app_id or 0)
    if given.get("sub_app_id") == asked.account.sub_app_id is not None:
        given["sub_app_id"] = 0
    return Scope(**given)


async def list_faults(asked: ControlRequest) -> FaultsAnswer:
    return _answer(asked.account, list(asked.account.faults))


async def clear_faults(asked: ControlRequest) -> FaultsAnswer:
    return _answer(asked.account, asked.account.faults.clear())


async def remove_fault(asked: ControlRequest) -> FaultsAnswer:
    named = asked.request.match_info["id"]
    one = asked.account.faults.remove(named)
    if one is None:
        message = f"no fault {named[:60]!r} is in force in {asked.account.name}"
        raise ControlError(404, "no_such_fault", message, "id")
    return _answer(asked.account, [one])

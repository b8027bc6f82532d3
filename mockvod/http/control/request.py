"""A call of the control API: whom it concerns and what it says; a row of the table that answers it; a refusal."""

import difflib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ValidationError

from mockvod.engine.events import Event, event_number
from mockvod.service.application import Application
from mockvod.service.life import Life
from mockvod.service.world import Account, World

ROOT: Final = "/mockvod/v1"


class ControlError(Exception):
    """An answer that is no success: a status, and what to mend."""

    def __init__(
        self, status: int, code: str, message: str, field: str | None = None, answer: BaseModel | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.answer = answer
        """The whole answer, where there is more to say than the error."""


_SECRETS: Final = {"sign_key", "secret_key"}


@contextmanager
def checking(model: type[BaseModel], place: str) -> Iterator[None]:
    """In the block, what does not fit *model* is a ControlError that says what in *place* is to be mended."""
    try:
        yield
    except ValidationError as error:
        raise _refusal(model, place, error.errors(include_url=False)[0]) from None


def _refusal(model: type[BaseModel], place: str, problem: Mapping[str, Any]) -> ControlError:
    words = problem["msg"].removeprefix("Value error, ").replace("Input should", "should")
    words = words[:1].lower() + words[1:]
    field = ".".join(str(part) for part in problem["loc"])[:200]
    if problem["type"] == "json_invalid":
        return ControlError(400, "bad_json", f"{place} is not JSON: {problem['ctx']['error']}")
    if problem["type"] == "extra_forbidden":
        known = _fields(model, problem["loc"][:-1])
        close = difflib.get_close_matches(str(problem["loc"][-1])[:60], known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"it knows {', '.join(known)}"
        return ControlError(400, "unknown_field", f"{place} knows no {field!r}; {hint}", field)
    if not field:
        return ControlError(400, "bad_value", f"{place} does not fit: {words}")
    shown = "" if problem["loc"][-1] in _SECRETS else f" {repr(problem['input'])[:100]}"
    return ControlError(400, "bad_value", f"{field}:{shown} {words}", field)


def _fields(model: type[BaseModel], place: Sequence[str | int]) -> list[str]:
    """The names that *model* knows at *place*, such as those of its `config`."""
    for part in place:
        inner = model.model_fields[str(part)].annotation
        if isinstance(inner, type) and issubclass(inner, BaseModel):
            model = inner
    return list(model.model_fields)


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A call of the control API, read and checked."""

    world: World
    account: Account
    life: Life
    """The account's life when the call came."""
    sub_app_id: int | None
    body: Any
    query: Any
    request: web.Request
    names_account: bool
    names_application: bool

    @property
    def application(self) -> Application:
        return self.life.application(self.sub_app_id)

    def event(self) -> Event:
        """The event that the path names."""
        named = self.request.match_info["id"]
        number = event_number(named)
        event = None if number is None else self.life.events.find(number)
        if event is None:
            why = "it was never there, is over and forgotten, or belongs to another account (?secret_id=)"
            raise ControlError(404, "no_such_event", f"no event {named[:60]!r} in {self.account.name}: {why}", "id")
        return event


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table, from which both the router and the OpenAPI document are made."""

    method: str
    path: str
    run: Callable[[ControlRequest], Awaitable[BaseModel | Mapping[str, Any] | web.StreamResponse]]
    words: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    stream: bool = False
    """Whether the answer also comes as an event stream, to who accepts one."""
    whom: bool = True
    """Whether `secret_id` and `sub_app_id` choose an account and an application."""

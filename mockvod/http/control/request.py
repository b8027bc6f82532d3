"""A call of the control API: whom it concerns and what it says; a row of the table that answers it; a refusal."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel, ValidationError

from mockvod.engine.events import Event, event_number
from mockvod.problems import problems
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


_CODES: Final = {"not_json": "bad_json", "unknown_field": "unknown_field"}


@contextmanager
def checking(model: type[BaseModel], where: str) -> Iterator[None]:
    """In the block, a ValidationError of *model* becomes a ControlError; *where* is what was validated: `the body`."""
    try:
        yield
    except ValidationError as error:
        problem = problems(error, model)[0]
        message = str(problem) if problem.place else f"{where}: {problem}"
        raise ControlError(400, _CODES.get(problem.code, "bad_value"), message, problem.key or None) from None


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

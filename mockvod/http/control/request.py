"""A call of the control API: the request, the route that handles it, and the error that rejects it."""

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from inspect import get_annotations
from typing import Any, Final, TypeVar

from aiohttp import web
from pydantic import BaseModel, ValidationError

from mockvod.engine.events import Event, event_number
from mockvod.problems import model_in, problems
from mockvod.service.application import Application
from mockvod.service.life import Life
from mockvod.service.world import Account, World

ROOT: Final = "/mockvod/v1"
SMALL_BODY: Final = 64 * 1024
LARGE_BODY: Final = 4 * 1024 * 1024


class ControlError(Exception):
    """Rejects a call with a status, a code, a message, and the field at fault. *body* replaces the usual body."""

    def __init__(
        self, status: int, code: str, message: str, field: str | None = None, body: BaseModel | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.body = body


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
    """A validated call of the control API."""

    world: World
    account: Account
    life: Life
    """The account's life when the call came."""
    sub_app_id: int | None
    http: web.Request
    names_account: bool
    names_application: bool

    @property
    def application(self) -> Application:
        """The application that the call names, or the default one. It is made when first named: not for GET."""
        return self.life.application(self.sub_app_id)

    @property
    def existing_application(self) -> Application | None:
        """As `application`, but None if nothing has named it before."""
        return self.life.existing_application(self.sub_app_id)

    @property
    def applications(self) -> list[Application]:
        """The application that the call names, if it exists; all of the account if it names none."""
        if not self.names_application:
            return self.life.applications()
        return [one] if (one := self.existing_application) else []

    def path(self, name: str) -> str:
        """A named part of the path."""
        return self.http.match_info[name]

    def event(self) -> Event:
        """The event whose id is in the path."""
        given = self.path("id")
        number = event_number(given)
        event = None if number is None else self.life.events.find(number)
        if event is None:
            reasons = "it never existed, was evicted after its end, or belongs to another account"
            raise ControlError(404, "no_such_event", f"no event {given[:60]!r} in {self.account.name}: {reasons}", "id")
        return event


Handler = Callable[..., Awaitable[BaseModel | Mapping[str, Any] | web.StreamResponse]]
Run = TypeVar("Run", bound=Handler)


@dataclass(frozen=True, slots=True)
class Route:
    """A call of the control API, from which the router and the OpenAPI document are made."""

    method: str
    path: str
    summary: str
    run: Handler
    body: type[BaseModel] | None
    query: type[BaseModel] | None
    response: type[BaseModel] | None
    status: int = 200
    errors: tuple[int, ...] = ()
    stream: bool = False
    """Whether the response is an event stream if the client accepts one."""
    scoped: bool = True
    """Whether `secret_id` and `sub_app_id` in the query name an account and an application."""
    body_limit: int = SMALL_BODY
    """Most bytes of the body."""


class Routes(list[Route]):
    """The routes of one module. Their models are in the annotations of the handlers."""

    def add(self, method: str, path: str, summary: str, **options: Any) -> Callable[[Run], Run]:
        """Make a function a handler. Its second argument is the validated query if it is named so, else the body.

        *options* are the fields of Route that have a default.
        """

        def add(run: Run) -> Run:
            models = get_annotations(run)
            response, query = model_in(models.pop("return")), models.pop("query", None)
            body = next((model for model in models.values() if model is not ControlRequest), None)
            self.append(Route(method, path, summary, run, body, query, response, **options))
            return run

        return add

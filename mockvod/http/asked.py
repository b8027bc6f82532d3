"""A call of the control API: whom it concerns and what it says; a row of the table that answers it; a refusal."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from pydantic import BaseModel

from mockvod.vod.application import Application
from mockvod.vod.events import Event, event_number
from mockvod.vod.world import Account, World

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


@dataclass(frozen=True, slots=True)
class Asked:
    """A call of the control API, read and checked."""

    world: World
    account: Account
    sub_app_id: int | None
    body: Any
    query: Any
    request: web.Request
    names_account: bool
    names_application: bool

    @property
    def application(self) -> Application:
        return self.account.application(self.sub_app_id)

    def event(self) -> Event:
        """The event that the path names."""
        named = self.request.match_info["id"]
        number = event_number(named)
        event = None if number is None else self.account.events.find(number)
        if event is None:
            why = "it was never there, is over and forgotten, or belongs to another account (?secret_id=)"
            raise ControlError(404, "no_such_event", f"no event {named[:60]!r} in {self.account.name}: {why}", "id")
        return event


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table, from which both the router and the OpenAPI document are made."""

    method: str
    path: str
    run: Callable[[Asked], Awaitable[BaseModel | Mapping[str, Any] | web.StreamResponse]]
    words: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    answer: type[BaseModel] | None = None
    status: int = 200
    errors: tuple[int, ...] = ()
    whom: bool = True
    """Whether `secret_id` and `sub_app_id` choose an account and an application."""

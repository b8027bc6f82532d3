"""A row of the table of actions."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from mockvod.service.application import Application
from mockvod.wire import calls

Call = TypeVar("Call", bound=calls.Call)
Run = Callable[[Application, Call], Coroutine[Any, Any, bytes | Mapping[str, Any]]]


class Action(NamedTuple, Generic[Call]):
    """A row of the table: the model of the parameters, and what answers the inside of `Response` (JSON or members)."""

    call: type[Call]
    run: Run[Call]

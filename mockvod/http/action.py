"""A row of the table of actions."""

from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from mockvod.service.application import Application
from mockvod.wire import calls

Call = TypeVar("Call", bound=calls.Call)
Run = Callable[[Application, Call], Coroutine[Any, Any, bytes | Mapping[str, Any]]]


class Action(NamedTuple, Generic[Call]):
    """A row of the table: the model of the parameters, and the function that runs the action.

    *run* returns what is inside `Response`: its members, or the same as JSON without the braces.
    """

    call: type[Call]
    run: Run[Call]

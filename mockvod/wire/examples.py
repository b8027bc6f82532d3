"""An example of every event type, and copies of it with other values: what `emit --type … --set …` sends.

The examples are the files in ``fixtures/events``; ``fixtures/README.md`` says which are documented.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

from mockvod.wire.event_types import EventError, known_type, suggest

_PATHS_COMPARED: Final = 1_000  # a message is not worth more time than that

Kind = str | list[str] | None
"""The type of a value: `string`, `int`, `float`, `bool`, the name of a structure, or a list of one of these; None if
it is unknown."""


def fixtures() -> Traversable:
    """The directory of documented payloads: inside an installed package, beside the package in a checkout."""
    packaged = files("mockvod") / "fixtures"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "fixtures"


def example(event_type: str) -> dict[str, Any]:
    """A new EventContent of *event_type*: ``EventType`` and the field that carries it.

    Raises `EventError` for an unknown type, with the nearest one.
    """
    content: dict[str, Any] = json.loads(_text(known_type(event_type)))
    return content


@cache
def _text(event_type: str) -> str:
    return fixtures().joinpath("events", f"{event_type}.json").read_text(encoding="utf-8")


@cache
def _model() -> dict[str, dict[str, Kind]]:
    """The fields of EventContent and of every structure in it, with their types, as in Tencent's SDK."""
    model: dict[str, dict[str, Kind]] = json.loads(fixtures().joinpath("model.json").read_text(encoding="utf-8"))
    return model


class UnknownPath(EventError):
    """A path that no event of the type has. The nearest path is looked up when the message is shown: it takes 30 ms."""

    def __init__(self, path: str, content: Mapping[str, Any]) -> None:
        self.short = f"unknown path {path[:200]!r}"
        super().__init__(self.short)
        self._path = path
        self._content = content

    def __str__(self) -> str:
        paths = islice(chain(_paths(self._content), _fields("EventContent")), _PATHS_COMPARED)
        return f"{self.short}: {suggest(self._path, paths)}"


def with_changes(content: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """A copy of *content* in which every path of *changes* has the value given, in the order given.

    A path names members and, from 0, elements: ``FileUploadEvent.FileId``, ``FileDeleteEvent.FileIdSet.0``. A member
    that Tencent's SDK knows and the next element of a list are added. A value that is text is read as JSON if that has
    the type of the field, and is the text itself otherwise: ``"123"`` is a number or a text as the field is. ``null``
    fits every field but a text. Other values are taken as they are.

    Raises `EventError` for any other path, with the nearest one.
    """
    changed = deepcopy(dict(content))
    for path, value in changes.items():
        _change(changed, path, value)
    return changed


def _change(content: dict[str, Any], path: str, value: object) -> None:
    holder: Any = content
    kind: Kind = "EventContent"
    *parents, last = path.split(".")
    for step in parents:
        key, kind = _member(holder, kind, step, path, content)
        if holder[key] is None:
            holder[key] = [] if isinstance(kind, list) else {}
        holder = holder[key]
    key, kind = _member(holder, kind, last, path, content)
    holder[key] = _read(value, holder[key], kind)


def _member(holder: Any, kind: Kind, step: str, path: str, content: Mapping[str, Any]) -> tuple[Any, Kind]:
    """The key of *step* in *holder*, which is a *kind*, and the type of the value there. Adds a null if there is none.

    Raises EventError.
    """
    if isinstance(holder, dict):
        fields = _model().get(kind, {}) if isinstance(kind, str) else {}
        if step in holder or step in fields:
            holder.setdefault(step, None)
            return step, fields.get(step)
    elif isinstance(holder, list) and step in map(str, range(len(holder) + 1)):
        if step == str(len(holder)):
            holder.append(None)
        return int(step), kind[0] if isinstance(kind, list) else None
    raise UnknownPath(path, content)


def _paths(value: object, place: str = "") -> Iterator[str]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in members:
        if inner is not None:
            here = f"{place}.{name}" if place else str(name)
            yield here
            yield from _paths(inner, here)


def _fields(structure: str) -> Iterator[str]:
    """The paths of two steps from *structure*."""
    for name, kind in _model()[structure].items():
        yield name
        yield from (f"{name}.{inner}" for inner in _model().get(str(kind), {}))


def _read(value: object, present: object, kind: Kind) -> object:
    if not isinstance(value, str):
        return value
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return read if _fits(read, present, kind) else value


def _fits(read: object, present: object, kind: Kind) -> bool:
    expected = _TYPES.get(kind, dict) if isinstance(kind, str) else list if kind else type(present)
    if read is None:
        return expected is not str
    return (present is None and kind is None) or _number(type(read)) is _number(expected)


_TYPES: Final = {"string": str, "int": float, "float": float, "bool": bool}


def _number(kind: type) -> type:
    """JSON has one type for all numbers."""
    return float if kind is int else kind

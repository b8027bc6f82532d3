"""An example of every event type, and copies of it with other values: what `emit --type … --set …` sends.

The examples are the files under ``fixtures/events``; ``fixtures/README.md`` says which are documented.
"""

import json
from collections.abc import Iterator, Mapping
from copy import deepcopy
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from itertools import islice
from pathlib import Path
from typing import Any

from mockvod.wire.event_types import EventError, known_type, suggest

_PATHS_COMPARED = 1_000  # a message is not worth more time than that


def fixtures() -> Traversable:
    """The directory of documented payloads: inside an installed package, beside the package in a checkout."""
    packaged = files("mockvod") / "fixtures"
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "fixtures"


def example(event_type: str) -> dict[str, Any]:
    """A fresh EventContent of *event_type*: ``EventType`` and the field that carries it.

    Raises `EventError` for a type that there is not, with the nearest one.
    """
    content: dict[str, Any] = json.loads(_text(known_type(event_type)))
    return content


@cache
def _text(event_type: str) -> str:
    return fixtures().joinpath("events", f"{event_type}.json").read_text(encoding="utf-8")


def with_changes(content: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    """A copy of *content* in which every path of *changes* has the value given, in the order given.

    A path names members and, from 0, elements: ``FileUploadEvent.FileId``, ``FileDeleteEvent.FileIdSet.0``. A value
    that is text is read as JSON where that has the type of what stands there, and is the text itself otherwise: so
    ``"123"`` is a number or a text as the field has it. ``null`` fits everywhere but in place of a text, and anything
    in place of a null. Other values are taken as they are.

    Raises `EventError` for a path at which nothing stands, with the nearest one.
    """
    changed = deepcopy(dict(content))
    for path, value in changes.items():
        *parents, last = path.split(".")
        holder: Any = changed
        for step in parents:
            holder = holder[_key(holder, step, path, changed)]
        key = _key(holder, last, path, changed)
        holder[key] = _read(value, holder[key])
    return changed


def _key(holder: object, step: str, path: str, content: Mapping[str, Any]) -> Any:
    """*step* as *holder* takes it between brackets."""
    if isinstance(holder, dict) and step in holder:
        return step
    if isinstance(holder, list) and step in map(str, range(len(holder))):
        return int(step)
    raise EventError(f"nothing stands at {path!r}: {suggest(path, islice(_paths(content), _PATHS_COMPARED))}")


def _paths(value: object, place: str = "") -> Iterator[str]:
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in members:
        here = f"{place}.{name}" if place else str(name)
        yield here
        yield from _paths(inner, here)


def _read(value: object, stands: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        read = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return read if _fits(read, stands) else value


def _fits(read: object, stands: object) -> bool:
    if stands is None or (read is None and not isinstance(stands, str)):
        return True
    return _kind(read) is _kind(stands)


def _kind(value: object) -> type:
    """Its type in JSON's eyes, which has one for all numbers."""
    return float if type(value) is int else type(value)

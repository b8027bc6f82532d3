"""Reads scenario files, YAML or JSON, with the line of every key."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from yaml import BaseLoader, MappingNode, MarkedYAMLError, Node, ScalarNode, YAMLError

from mockvod.problems import Place, Problem
from mockvod.scenario.source import ScenarioError, Source
from mockvod.wire.event_types import suggest
from mockvod.wire.examples import fixtures

MOST_BYTES: Final = 10 * 1024 * 1024
MOST_DEPTH: Final = 60
MOST_NODES: Final = 300_000
"""Most values in a file. Aliases count every time: a few lines may expand to more than fits into memory."""


def examples() -> list[str]:
    """The names of the packaged examples."""
    there = (fixtures() / "scenarios").iterdir()
    return sorted(one.name.removesuffix(".yaml") for one in there if one.name.endswith(".yaml"))


def load(name: str) -> Source:
    """The scenario in the file *name*, or in the packaged example of that name. Raises ScenarioError."""
    path = Path(name)
    if not path.is_file() and name in examples():
        path = Path(str(fixtures() / "scenarios" / f"{name}.yaml"))
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except OSError as error:
        hint = f"; of the examples, {suggest(name, examples())}" if isinstance(error, FileNotFoundError) else ""
        raise _unreadable(name, f"cannot be read: {error.strerror}{hint}") from None
    except UnicodeDecodeError as error:
        raise _unreadable(name, f"is not UTF-8: byte 0x{error.object[error.start]:02x} at {error.start}") from None
    if len(data) > MOST_BYTES:
        raise _unreadable(name, f"is larger than {MOST_BYTES} bytes")
    return from_text(text, name=str(path), folder=path.parent)


def from_text(text: str, *, name: str, folder: Path) -> Source:
    """The scenario in *text*: JSON if *name* ends in `.json`, else YAML. Raises ScenarioError."""
    as_json = name.endswith(".json")
    try:
        data = _json(text) if as_json else None
        # YAML rejects tabs between tokens. JSON has them nowhere else, and only the lines of its keys are used.
        reader = _Reader(text.replace("\t", " ") if as_json else text)
    except json.JSONDecodeError as error:
        raise _unreadable(name, f"is not JSON: {error.msg}", error.lineno) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _unreadable(name, f"is not YAML: {error.problem or error.context}", line) from None
    except YAMLError as error:
        raise _unreadable(name, f"is not YAML: {str(error).splitlines()[0]}") from None
    except _TooLarge as error:
        raise _unreadable(name, str(error)) from None
    if reader.empty:
        raise _unreadable(name, "is empty")
    return Source(data if as_json else reader.data, name, folder, reader.lines, tuple(reader.problems))


def _unreadable(name: str, message: str, line: int = 0) -> ScenarioError:
    source = Source(None, name, lines={(): line} if line else {})
    return ScenarioError(source, [Problem((), "unreadable", message)])


class _TooLarge(Exception):
    """More than MOST_NODES or MOST_DEPTH; the message says which."""


_TOO_DEEP: Final = f"is nested deeper than {MOST_DEPTH} levels"
_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]')


def _json(text: str) -> Any:
    # Counted beforehand: the parser's own limit depends on the version of Python.
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > MOST_DEPTH:
            raise _TooLarge(_TOO_DEEP)
    return json.loads(text)


class _Loader(BaseLoader):  # the other loaders read ON as true and 0123 as 83
    """Composes nodes up to MOST_DEPTH."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise _TooLarge(_TOO_DEEP)
        node: Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


class _Reader:
    """Converts YAML to values and keeps the line of every key."""

    def __init__(self, text: str) -> None:
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self._nodes = 0
        node = _Loader(text).get_single_node()
        self.empty = node is None
        self.data = None if node is None else self._value(node, ())

    def _value(self, node: Node, place: Place) -> Any:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _TooLarge(f"has more than {MOST_NODES} values")
        if len(place) > MOST_DEPTH:  # an alias inside the value that it names
            raise _TooLarge(_TOO_DEEP)
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if isinstance(node, MappingNode):
            return dict(self._members(node, place))
        return [self._value(one, (*place, number)) for number, one in enumerate(node.value)]

    def _members(self, node: MappingNode, place: Place) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key.value, str):
                self.problems.append(Problem(place, "invalid", "has a key that is not text"))
                continue
            here = (*place, key.value)
            if key.value in seen:
                message = f"is given twice, in lines {seen[key.value]} and {line}"
                self.problems.append(Problem(here, "duplicate", message))
            seen[key.value] = self.lines[here] = line
            yield key.value, self._value(value, here)


_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,99})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LITERALS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}


def _scalar(node: ScalarNode) -> Any:
    """Unquoted text is read as JSON reads it, and is text if JSON rejects it."""
    text: str = node.value
    if node.style is not None:
        return text
    if text in _LITERALS:
        return _LITERALS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text

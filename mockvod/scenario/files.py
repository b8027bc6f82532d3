"""Scenario files, YAML or JSON: found by path or by an example's name, read with the line of every key."""

import json
import math
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mockvod.scenario.scenario import Place, Problem, ScenarioError, Source
from mockvod.wire.event_types import suggest
from mockvod.wire.examples import fixtures

if TYPE_CHECKING:
    from yaml import MappingNode, Node, ScalarNode

MOST_NODES: Final = 300_000
"""Of a file, what is named again counted again: a few lines can stand for more than there is room for."""


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
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        hint = f"; of the examples, {suggest(name, examples())}" if isinstance(error, FileNotFoundError) else ""
        raise _unread(name, f"cannot be read: {error.strerror}{hint}") from None
    except UnicodeDecodeError as error:
        raise _unread(name, f"is not UTF-8: byte 0x{error.object[error.start]:02x} at {error.start}") from None
    return from_text(text, name=str(path), folder=path.parent)


def from_text(text: str, *, name: str, folder: Path) -> Source:
    """The scenario written in *text*: as JSON where *name* ends so, else as YAML. Raises ScenarioError."""
    from yaml import BaseLoader, MarkedYAMLError, YAMLError, compose

    try:
        # A tab can only be white space in JSON, and YAML takes none.
        given = json.loads(text) if name.endswith(".json") else None
        # The loader that resolves nothing: its relatives would read ON as true and 0123 as 83.
        node = compose(text.replace("\t", " ") if name.endswith(".json") else text, Loader=BaseLoader)
        reading = _Reading()
        data = None if node is None else reading.value(node, ())
    except json.JSONDecodeError as error:
        raise _unread(name, f"is not JSON: {error.msg}", error.lineno) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _unread(name, f"is not YAML: {error.problem or error.context}", line) from None
    except YAMLError as error:
        raise _unread(name, f"is not YAML: {str(error).splitlines()[0]}") from None
    except (RecursionError, _TooMuch):
        raise _unread(name, "is too large or too deep") from None
    if node is None:
        raise _unread(name, "is empty")
    return Source(data if given is None else given, name, folder, reading.lines, tuple(reading.problems))


def _unread(name: str, words: str, line: int = 0) -> ScenarioError:
    source = Source(None, name, lines={(): line} if line else {})
    return ScenarioError(source, [Problem((), words)])


class _TooMuch(Exception):
    """More than MOST_NODES."""


class _Reading:
    """Nodes of YAML on their way to values; keeps the line of every key."""

    def __init__(self) -> None:
        self.lines: dict[Place, int] = {}
        self.problems: list[Problem] = []
        self._nodes = 0

    def value(self, node: "Node", place: Place) -> Any:
        from yaml import MappingNode, ScalarNode

        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _TooMuch
        self.lines.setdefault(place, node.start_mark.line + 1)
        if isinstance(node, ScalarNode):
            return _scalar(node)
        if isinstance(node, MappingNode):
            return dict(self._members(node, place))
        return [self.value(one, (*place, number)) for number, one in enumerate(node.value)]

    def _members(self, node: "MappingNode", place: Place) -> Iterator[tuple[str, Any]]:
        seen: dict[str, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key.value, str):
                self.problems.append(Problem(place, "has a key that is no text"))
                continue
            here = (*place, key.value)
            if key.value in seen:
                self.problems.append(Problem(here, f"is given twice, in lines {seen[key.value]} and {line}"))
            seen[key.value] = self.lines[here] = line
            yield key.value, self.value(value, here)


_WHOLE = re.compile(r"-?(0|[1-9][0-9]{0,99})")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_WORDS: Final = {"": None, "~": None, "null": None, "true": True, "false": False}


def _scalar(node: "ScalarNode") -> Any:
    """What is written without quotes is read as in JSON, and is text where it is none of that."""
    text: str = node.value
    if node.style is not None:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _WHOLE.fullmatch(text):
        return int(text)
    if _NUMBER.fullmatch(text) and math.isfinite(float(text)):
        return float(text)
    return text

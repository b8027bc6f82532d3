"""Converts YAML to values and keeps the line of every key. JSON is YAML here too."""

import math
import re
from collections.abc import Iterator
from typing import Any, Final

from yaml import BaseLoader, MappingNode, MarkedYAMLError, Node, ScalarNode, YAMLError

from mockvod.problems import Place, Problem
from mockvod.scenario.limits import MOST_DEPTH, MOST_NODES, TOO_DEEP, TooLarge

__all__ = ["MarkedYAMLError", "Reader", "YAMLError"]


class _Loader(BaseLoader):  # the other loaders read ON as true and 0123 as 83
    """Composes nodes up to MOST_DEPTH."""

    _depth = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise TooLarge(TOO_DEEP)
        node: Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node


class Reader:
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
            raise TooLarge(f"has more than {MOST_NODES} values")
        if len(place) > MOST_DEPTH:  # an alias inside the value that it names
            raise TooLarge(TOO_DEEP)
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

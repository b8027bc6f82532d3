"""Reads scenario files, YAML or JSON, with the line of every key."""

import json
import re
from pathlib import Path
from typing import Any

from mockvod.extras import ExtraMissing
from mockvod.problems import Problem
from mockvod.scenario.limits import MOST_BYTES, MOST_DEPTH, TOO_DEEP, TooLarge
from mockvod.scenario.source import ScenarioError, Source
from mockvod.wire.event_types import suggest
from mockvod.wire.examples import fixtures


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
    try:
        from mockvod.scenario.reader import MarkedYAMLError, Reader, YAMLError  # noqa: PLC0415 - PyYAML, an optional dependency
    except ImportError:
        raise _unreadable(name, str(ExtraMissing("scenario files", "PyYAML", "scenarios"))) from None
    as_json = name.endswith(".json")
    try:
        data = _json(text) if as_json else None
        # YAML rejects tabs between tokens. JSON has them nowhere else, and only the lines of its keys are used.
        reader = Reader(text.replace("\t", " ") if as_json else text)
    except json.JSONDecodeError as error:
        raise _unreadable(name, f"is not JSON: {error.msg}", error.lineno) from None
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise _unreadable(name, f"is not YAML: {error.problem or error.context}", line) from None
    except YAMLError as error:
        raise _unreadable(name, f"is not YAML: {str(error).splitlines()[0]}") from None
    except TooLarge as error:
        raise _unreadable(name, str(error)) from None
    if reader.empty:
        raise _unreadable(name, "is empty")
    return Source(data if as_json else reader.data, name, folder, reader.lines, tuple(reader.problems))


def _unreadable(name: str, message: str, line: int = 0) -> ScenarioError:
    source = Source(None, name, lines={(): line} if line else {})
    return ScenarioError(source, [Problem((), "unreadable", message)])


_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]')


def _json(text: str) -> Any:
    # Counted beforehand: the parser's own limit depends on the version of Python.
    depth = 0
    for found in _BRACKETS.finditer(text):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(found[0], 0)
        if depth > MOST_DEPTH:
            raise TooLarge(TOO_DEEP)
    return json.loads(text)

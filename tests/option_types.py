"""The types of the clients' keyword arguments, made from the settings and the faults: `make docs` writes them."""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from mockvod.faults.recipes import RECIPES
from mockvod.faults.table import FAULTS
from mockvod.settings import AccountSettings, ApplicationSettings, Definition, Seconds, Settings, definitions

FILE = Path(__file__).parent.parent / "mockvod" / "testing" / "options.py"

START = '''\
"""Types of keyword arguments: settings, faults and their parameters. Made by `make docs`; do not edit."""

from typing import Literal, TypedDict

Duration = float | str
"""Seconds, or a duration such as `500ms`, `30s`, `5m`."""


class When(TypedDict, total=False):
    """When a fault applies, counting the items in its scope: exactly one of these."""

    always: Literal[True]
    probability: float
    """From 0 to 1."""
    nth: int
    first: int
    every: int
    until: Duration
    """For this long on the account's clock."""


class Scope(TypedDict, total=False):
    """What a fault applies to; docs/faults.md says which fault takes which."""

    sub_app_id: int
    """0 is the default application."""
    event_type: str
    action: str
    file_id: str

'''


def main() -> None:
    FILE.write_text(rendered(), encoding="utf-8")


def rendered() -> str:
    every = {one.name: one for one in definitions()}
    of_accounts = [*ApplicationSettings.model_fields, *AccountSettings.model_fields]
    own = [name for name in every if name not in of_accounts]
    config = _settings("Config", "TypedDict", "Settings of an account and its applications.", every, of_accounts)
    server = _settings("ServerConfig", "Config", "Settings of a server and of what is in it.", every, own)
    return "\n".join([START, *_faults(), "", *config, "", *server]) + "\n"


def _settings(name: str, base: str, docstring: str, every: Mapping[str, Definition], names: list[str]) -> Iterator[str]:
    hints = get_type_hints(Settings, include_extras=True)
    yield f"\nclass {name}({base}, total=False):"
    yield f'    """{docstring}"""\n'
    for one in names:
        yield f"    {one}: {_type(hints[one])}"
        yield _docstring(every[one].description)


def _faults() -> Iterator[str]:
    yield f"FaultName = Literal[\n{_lines(FAULTS)}\n]"
    yield f"RecipeName = Literal[\n{_lines(RECIPES)}\n]"
    yield "\n\nclass FaultParameters(TypedDict, total=False):"
    yield '    """Parameters of faults; docs/faults.md says which fault has which."""\n'
    parameters: dict[str, dict[str, list[str]]] = {}
    for fault in FAULTS.values():
        hints = get_type_hints(fault, include_extras=True)
        for field in fields(fault):
            parameters.setdefault(field.name, {}).setdefault(_type(hints[field.name]), []).append(fault.name)
    for name in sorted(parameters):
        yield f"    {name}: {' | '.join(parameters[name])}"
        yield _docstring("Of " + ", ".join(one for names in parameters[name].values() for one in names) + ".")


def _lines(names: Mapping[str, Any]) -> str:
    return "\n".join(f'    "{name}",' for name in names)


def _docstring(text: str) -> str:
    lines = textwrap.wrap(f'"""{text}', 112)
    if len(lines) > 1:
        return "\n".join(f"    {line}" for line in [*lines, '"""'])
    return f'    {lines[0]}"""'


def _type(annotation: Any) -> str:
    if get_origin(annotation) is Annotated:
        bare, *metadata = get_args(annotation)
        seconds = list(get_args(Seconds)[1:])
        return "Duration" if metadata[: len(seconds)] == seconds else _type(bare)
    if get_origin(annotation) in {Union, UnionType}:
        return " | ".join(_type(one) for one in get_args(annotation))
    if get_origin(annotation) is Literal:
        return f"Literal[{', '.join(map(_quoted, get_args(annotation)))}]"
    return "None" if annotation is NoneType else str(annotation.__name__)


def _quoted(value: object) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)


if __name__ == "__main__":
    main()

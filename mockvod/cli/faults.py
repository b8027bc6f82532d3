"""Commands about faults."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from mockvod.cli.command import ALL_APPLICATIONS, JSON, Failure, Options, command, option, pair
from mockvod.cli.connection import ask
from mockvod.cli.output import plural, show
from mockvod.testing.shapes import Fault

TITLE = "Faults"


@command("fault", "List the active faults.", ALL_APPLICATIONS, JSON)
def faults(options: Options) -> None:
    found = ask(options, lambda client: client.faults())
    show(options, found, map(_fault_line, found))


@command(
    "fault add",
    "Activate a fault, or the faults of a recipe.",
    ALL_APPLICATIONS,
    option("name", nargs="?", metavar="FAULT", help="such as duplicate; docs/faults.md lists them all"),
    option("parameters", nargs="*", type=pair, metavar="PARAMETER=VALUE", help="such as copies=2"),
    option("--when", type=pair, metavar="RULE=VALUE", help="such as probability=0.1, nth=3, first=2 (default: always)"),
    option("--scope", type=pair, action="append", metavar="NAME=VALUE", help="such as event_type=FileDeleted"),
    option("--recipe", metavar="NAME", help="a recipe instead of a fault, such as flaky-network"),
    JSON,
)
def add_fault(options: Options) -> None:
    if bool(options.name) == bool(options.recipe):
        raise Failure("give the name of a fault, or --recipe", 2)
    scope: Any = _values(options.scope or ()) or None  # here and below: the server checks them
    if options.recipe:
        if options.parameters or options.when:
            raise Failure("a recipe takes --scope only", 2)
        added = ask(options, lambda client: client.recipe(options.recipe, scope=scope))
    else:
        when: Any = _values([options.when]) if options.when else None
        parameters = _values(options.parameters)
        added = [ask(options, lambda client: client.fault(options.name, when=when, scope=scope, **parameters))]
    show(options, added, map(_fault_line, added))


@command(
    "fault clear",
    "Remove one fault, or all.",
    ALL_APPLICATIONS,
    option("id", nargs="?", metavar="ID", help="only this one, such as flt_000001"),
    JSON,
)
def clear_faults(options: Options) -> None:
    removed = ask(options, lambda client: client.clear_faults(options.id))
    show(options, removed, [f"removed {plural(len(removed), 'fault')}"])


def _values(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Values as JSON if they are, else as text."""

    def value(text: str) -> Any:
        try:
            return json.loads(text)
        except ValueError:
            return text

    return {name: value(text) for name, text in pairs}


def _fault_line(one: Fault) -> str:
    def shown(values: dict[str, Any]) -> Iterator[str]:
        return (f"{name}={value}" for name, value in values.items() if value is not None)

    about = " ".join([*shown(one.parameters), *shown(one.when), *shown(one.scope)])
    recipe = f"  ({one.recipe})" if one.recipe else ""
    return f"{one.id}  {one.fault:<18}  applied to {one.fired} of {one.seen}  {about}{recipe}".rstrip()

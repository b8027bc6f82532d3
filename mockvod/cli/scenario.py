"""Commands about scenario files. All but `apply` work without a server."""

import json
from typing import Any

from mockvod.cli.command import JSON, SERVER, Failure, Options, command, option
from mockvod.cli.connection import ask
from mockvod.cli.output import plural, show

TITLE = "Scenarios"

FILE = option("file", metavar="FILE", help="a YAML or JSON file, or the name of an example")


@command("scenario check", "Check a scenario: exit code 0, or 1 with its problems.", FILE)
def check(options: Options) -> None:
    import asyncio

    from mockvod.engine.push_client import PushClient  # here and below: the scenario's modules, 150 ms
    from mockvod.scenario.check import read
    from mockvod.scenario.files import load
    from mockvod.scenario.source import ScenarioError
    from mockvod.service.world import World
    from mockvod.settings import Settings

    try:
        checked = asyncio.run(read(load(options.file), World(Settings(), PushClient())))
    except ScenarioError as error:
        raise Failure(f"invalid scenario:\n{error}") from None
    print(f"{options.file} is valid: {checked.summary()}")


@command("scenario schema", "Print the JSON Schema of scenarios.")
def schema(_: Options) -> None:
    from mockvod.scenario.models import published_schema

    print(json.dumps(published_schema(), indent=2, ensure_ascii=False))


@command("scenario apply", "Apply a scenario to a running server: all of it, or nothing.", SERVER, FILE, JSON)
def apply(options: Options) -> None:
    from mockvod.scenario.files import load
    from mockvod.scenario.source import ScenarioError

    try:
        document: Any = load(options.file).data
    except ScenarioError as error:
        raise Failure(f"invalid scenario:\n{error}") from None
    applied = ask(options, lambda client: client.apply_scenario(document))
    counts = [plural(count, name.removesuffix("s"), name) for name, count in applied.items() if count]
    show(options, applied, [f"applied {options.file}: {', '.join(counts) or 'nothing'}"])

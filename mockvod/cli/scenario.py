"""Commands about scenario files. All but `apply` work without a server."""

import json
from typing import TYPE_CHECKING, Any

from mockvod.cli.command import JSON, SERVER, Failure, Options, command, option
from mockvod.cli.connection import ask
from mockvod.cli.output import plural, show
from mockvod.testing.client import Client
from mockvod.testing.shapes import MockVodError

if TYPE_CHECKING:
    from mockvod.scenario.source import Source

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
        source = load(options.file)
    except ScenarioError as error:
        raise Failure(f"invalid scenario:\n{error}") from None
    if source.problems:
        raise Failure(f"invalid scenario:\n{ScenarioError(source, source.problems)}")
    _make_paths_absolute(source)
    applied = ask(options, lambda client: _applied(client, source))
    counts = [plural(count, name.removesuffix("s"), name) for name, count in applied.items() if count]
    show(options, applied, [f"applied {options.file}: {', '.join(counts) or 'nothing'}"])


def _applied(connected: Client, source: "Source") -> dict[str, int]:
    document: Any = source.data
    try:
        return connected.apply_scenario(document)
    except MockVodError as error:
        if error.code != "bad_scenario":
            raise
        # The server knows neither the file nor its lines.
        place = tuple(int(key) if key.isdecimal() else key for key in (error.field or "").split("."))
        line = source.line(place)
        raise Failure(f"invalid scenario:\n{source.name}:{f'{line}: ' if line else ' '}{error}") from None


def _make_paths_absolute(source: "Source") -> None:
    """Change the videos of a scenario, which is not checked yet, from paths beside its file to absolute ones."""
    for application in _objects(source.data, "applications"):
        for media in _objects(application, "media"):
            if isinstance(video := media.get("video"), str) and video:
                media["video"] = str((source.folder / video).absolute())


def _objects(parent: Any, name: str) -> list[dict[str, Any]]:
    members = parent.get(name) if isinstance(parent, dict) else None
    return [one for one in members if isinstance(one, dict)] if isinstance(members, list) else []

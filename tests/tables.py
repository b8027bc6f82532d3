"""The README's tables, made from the code: `make docs` writes them, tests/test_docs.py finds them stale."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mockvod.http import legacy
from mockvod.http.actions import SIMULATED
from mockvod.http.control.request import ROOT, Route
from mockvod.http.control.routes import ROUTES
from mockvod.service.definitions import Config
from mockvod.settings import AccountSettings, ApplicationSettings, Definition, definitions
from mockvod.wire.actions import LEFT_OUT, VOD_ACTIONS

README = Path(__file__).parent.parent / "README.md"


ACTIONS = README.parent / "docs" / "actions.md"


def main() -> None:
    ACTIONS.write_text(actions_page(), encoding="utf-8")
    README.write_text(renewed(README.read_text(encoding="utf-8")), encoding="utf-8")


def renewed(text: str) -> str:
    """*text* with what stands between its markers as it should be. Raises ValueError where a marker is missing."""
    for name, table in (("actions", _actions()), ("settings", _settings()), ("control API", _control_api())):
        begin, end = f"<!-- {name}: made by `make docs` -->\n", f"<!-- end of {name} -->\n"
        before, found, rest = text.partition(begin)
        _, closed, after = rest.partition(end)
        if not found or not closed:
            raise ValueError(f"the README should have a line {begin.strip()} and after it a line {end.strip()}")
        text = "".join((before, begin, *(line + "\n" for line in table), end, after))
    return text


def _actions() -> Iterator[str]:
    yield _names(SIMULATED)


def actions_page() -> str:
    """The page docs/actions.md."""
    simulated = sorted(SIMULATED)
    refused = sorted(VOD_ACTIONS - {*SIMULATED})
    rows = [f"| `{name}` | {LEFT_OUT.get(name, '')} |" for name in simulated]
    lines = [
        "# Actions",
        "",
        "Made by `make docs`. Every action of VOD's API 2018-07-17, and whether mockvod simulates it. Where the real",
        "service is known to differ, or nothing is known, [differences.md](differences.md) says so.",
        "",
        f"## Simulated ({len(simulated)})",
        "",
        "| action | what is left out |",
        "|---|---|",
        *rows,
        "",
        "Over API 2.0: " + ", ".join(f"`{name}`" for name in (*legacy.ACTIONS, *legacy.LATER)) + ".",
        "",
        f"## Refused ({len(refused)})",
        "",
        "These are `UnsupportedOperation`, by their name: a fault can give them another code.",
        "",
        ", ".join(f"`{name}`" for name in refused) + ".",
    ]
    return "\n".join(lines) + "\n"


def _settings() -> Iterator[str]:
    yield "| setting | values | default | of | what |"
    yield "|---|---|---|---|---|"
    for one in definitions():
        default = f"`{one.default}`" if one.default else ""
        values = one.kind.replace("|", ", ")
        yield f"| `{one.key}` | {values} | {default} | {_whose(one)} | {one.description} |"


def _whose(one: Definition) -> str:
    if one.name in ApplicationSettings.model_fields:
        return "application"
    return "account" if one.name in AccountSettings.model_fields else "server"


def _control_api() -> Iterator[str]:
    yield "| call | does | takes |"
    yield "|---|---|---|"
    for route in ROUTES:
        yield f"| `{route.method} {ROOT}{route.path}` | {route.summary} | {_taken(route)} |"


def _taken(route: Route) -> str:
    if route.body is Config:
        return "the settings of applications and accounts above, with `_` for `-`"
    if route.body is not None:
        return _names(route.body.model_fields)
    return "query: " + _names(route.query.model_fields) if route.query is not None else ""


def _names(fields: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in fields)


if __name__ == "__main__":
    main()

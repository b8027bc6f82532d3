"""The README's tables, made from the code: `make docs` writes them, tests/test_docs.py finds them stale."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mockvod.http.actions import SIMULATED
from mockvod.http.control.request import ROOT, Route
from mockvod.http.control.routes import ROUTES
from mockvod.service.definitions import Config
from mockvod.settings import AccountSettings, ApplicationSettings, Definition, definitions

README = Path(__file__).parent.parent / "README.md"


def main() -> None:
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

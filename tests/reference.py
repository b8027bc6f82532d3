"""The page docs/reference.md, from the docstrings of mockvod.testing."""

import ast
import re
from collections.abc import Iterator, Sequence
from inspect import cleandoc
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference.md"

HEAD = """# Python reference

Made by `make docs` from the docstrings of `mockvod.testing`. [testing.md](testing.md) is the introduction. Names are
imported from `mockvod.testing`, except where a module is named. The calls block on `Client` and on the fixture
`mockvod`, and are awaited on `AsyncClient` and on `mockvod_async`; parameters and results are the same."""

IN_OTHER_PAGES = "Settings are in [settings.md](settings.md), faults in [faults.md](faults.md)."


class Section(NamedTuple):
    """A part of the page: what of one module it shows."""

    title: str
    module: str
    names: Sequence[str]
    note: str = ""


SECTIONS = (
    Section(
        "Fixtures",
        "plugin",
        ("mockvod", "mockvod_async", "mockvod_tls", "mockvod_settings", "mockvod_server"),
        "Installing the package makes them available; nothing is imported.",
    ),
    Section("Account", "account", ("_Account", "mark", "AccountOptions"), "What the fixture `mockvod` returns."),
    Section("Calls", "calls", ("Calls",), "Of the fixtures, of `Client` and of `AsyncClient`."),
    Section("Clock", "calls", ("ClockCalls",), "Of the attribute `clock`: `mockvod.clock.advance(30)`."),
    Section("Servers and clients", "server", ("MockVod", "Server")),
    Section("", "client", ("Client", "AsyncClient")),
    Section("", "container", ("MockVodContainer",), "From `mockvod.testing.container`."),
    Section("Results", "shapes", ("Event", "ClockState", "Media", "Upload", "Fault", "AccountInfo")),
    Section("", "shapes", ("Diagnosis", "Report", "Finding")),
    Section("Errors", "shapes", ("MockVodError", "WaitTimeout", "Unreachable")),
    Section("Arguments", "options", ("When", "Scope"), IN_OTHER_PAGES),
    Section(
        "History",
        "history",
        ("check", "check_record", "may_come_again", "History", "Oddity"),
        "From `mockvod.testing.history`.",
    ),
)

PREFIXES = {"Calls": "", "ClockCalls": "clock."}
"""What precedes the methods of a class that is not used by its own name."""

Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def page() -> str:
    """The page. Raises KeyError for a name that its module does not define."""
    return "\n".join([HEAD, *(line for section in SECTIONS for line in _section(section))]) + "\n"


def _section(section: Section) -> Iterator[str]:
    source = f"mockvod/testing/{section.module}.py"
    defined = {
        one.name: one
        for one in ast.parse((ROOT / source).read_text(encoding="utf-8")).body
        if isinstance(one, Documented)
    }
    if section.title:
        yield from ("", f"## {section.title}")
    if section.note:
        yield from ("", section.note)
    for name in section.names:
        one = defined[name]
        if isinstance(one, ast.ClassDef):
            if name not in PREFIXES:
                yield from ("", f"### {name.lstrip('_')}", *_docstring(one), *_constructor(one))
            yield from _fields(one)
            for method in one.body:
                if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and _is_public(method):
                    yield from _function(method, PREFIXES.get(name, f"{name.lstrip('_')}."))
        else:
            yield from _function(one, "")
    yield from ("", f"Source: `{source}`")


def _is_public(one: Documented) -> bool:
    return ast.get_docstring(one) is not None and (not one.name.startswith("_") or one.name == "__call__")


def _docstring(one: Documented) -> Iterator[str]:
    yield from ("", *cleandoc(ast.get_docstring(one) or "").splitlines())


def _constructor(one: ast.ClassDef) -> Iterator[str]:
    for method in one.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            yield from _signature(one.name, method)


def _function(one: ast.FunctionDef | ast.AsyncFunctionDef, prefix: str) -> Iterator[str]:
    name = prefix + one.name if one.name != "__call__" else prefix.rstrip(".")
    yield from ("", f"### {name}")
    decorators = {ast.unparse(decorator).partition("(")[0] for decorator in one.decorator_list}
    if not decorators & {"pytest.fixture", "property"}:
        yield from _signature(name, one)
    yield from _docstring(one)


def _signature(name: str, one: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    """The signature as code, each parameter in a line of its own when it is long."""
    arguments = one.args
    arguments.posonlyargs = [one for one in arguments.posonlyargs if one.arg not in {"self", "cls"}]
    arguments.args = [one for one in arguments.args if one.arg not in {"self", "cls"}]
    returned = ast.unparse(one.returns) if one.returns else "None"
    returned = (returned[5:-1] if returned.startswith("Call[") else returned).strip("'")
    shown = re.sub(r"(?<=[\w\]])=", " = ", ast.unparse(arguments).removeprefix("/, ").replace("'", '"'))
    result = "" if one.name == "__init__" else f" -> {returned}"
    line = f"{name}({shown}){result}"
    if len(line) > 100:
        line = f"{name}(\n    {_one_per_line(shown)},\n){result}"
    yield from ("", "```python", *line.splitlines(), "```")


def _one_per_line(arguments: str) -> str:
    """Breaks a list of parameters at its own commas, not at those in brackets."""
    depth, out = 0, ""
    for character in arguments:
        depth += (character in "[(") - (character in "])")
        out += character
        if character == "," and depth == 0:
            out += "\n   "
    return out


def _fields(one: ast.ClassDef) -> Iterator[str]:
    """Attributes, each with the docstring below it."""
    rows = []
    for place, field in enumerate(one.body):
        if isinstance(field, ast.AnnAssign) and not ast.unparse(field.target).startswith("_"):
            after = one.body[place + 1] if place + 1 < len(one.body) else None
            text = after.value.value if isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) else ""
            kind = ast.unparse(field.annotation).replace("|", "\\|")
            rows.append(f"| `{ast.unparse(field.target)}` | `{kind}` | {' '.join(str(text).split())} |")
    if rows:
        yield from ("", "| attribute | type | |", "|---|---|---|", *rows)

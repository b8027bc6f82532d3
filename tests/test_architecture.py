"""The house: imports run one way, one clock tells the time, every task has an owner."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import mockvod

ROOT = Path(mockvod.__file__).parent
MODULES = {
    ".".join(["mockvod", *path.relative_to(ROOT).with_suffix("").parts]).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}

# From the roof to the ground: a module imports from its own floor and those below.
FLOORS = (
    ("mockvod.__main__",),
    ("mockvod.cli", "mockvod.testing"),
    ("mockvod.app",),
    ("mockvod.http", "mockvod.logs"),
    ("mockvod.scenario", "mockvod.insight"),
    ("mockvod.service",),
    ("mockvod.faults", "mockvod.pictures"),
    ("mockvod.engine",),
    ("mockvod.wire",),
    ("mockvod.settings_load", "mockvod.tls"),
    ("mockvod.settings",),
    ("mockvod.problems",),
    ("mockvod.durations", "mockvod.extras", "mockvod.redaction", "mockvod._version", "mockvod"),
)

# Who may tell the time beside the clock, and why.
TELL_THE_TIME = {
    "mockvod.engine.clock": "it is the clock",
    "mockvod.cli.health": "`health --wait`: how long a person or a container waits",
}

# Who begins tasks, and how each of them ends.
BEGIN_TASKS = {
    "mockvod.http.either": "EitherListener keeps the connections it starts, and awaits them in aclose",
    "mockvod.engine.push": "Deliveries keep their senders, and await them in aclose",
    "mockvod.cli.demo": "both tasks are awaited in a finally",
}


def floor(module: str) -> int:
    return max(
        (len(name), height)
        for height, names in enumerate(FLOORS)
        for name in names
        if module == name or (name != "mockvod" and module.startswith(name + "."))
    )[1]


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def imported(module: str) -> Iterator[str]:
    """Every module that *module* imports from, at its top or inside a function."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else str(node.module)


def called(module: str) -> Iterator[str]:
    """What *module* calls by a dotted name, such as `asyncio.sleep`."""
    for node in ast.walk(tree(module)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    above = [name for name in imported(module) if name.partition(".")[0] == "mockvod" and floor(name) < floor(module)]
    assert above == []


def test_no_imports_form_a_circle() -> None:
    """Of all imports: at the top, in functions, and for type checkers alone."""
    graph = {module: {name for name in imported(module) if name in MODULES and name != module} for module in MODULES}
    done: set[str] = set()

    def visit(module: str, path: tuple[str, ...]) -> None:
        assert module not in path, " -> ".join([*path[path.index(module) :], module])
        if module not in done:
            for name in sorted(graph[module]):
                visit(name, (*path, module))
            done.add(module)

    for module in MODULES:
        visit(module, ())


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("mockvod.wire")])
def test_the_wire_imports_only_itself_and_the_ground(module: str) -> None:
    ours = [name for name in imported(module) if name.partition(".")[0] == "mockvod"]
    assert [name for name in ours if not name.startswith("mockvod.wire")] in (
        [],
        ["mockvod.problems"],
        ["mockvod.redaction"],
    )


@pytest.mark.parametrize(
    "module", [name for name in MODULES if name.startswith(("mockvod.engine", "mockvod.service", "mockvod.faults"))]
)
def test_the_simulated_service_knows_no_server(module: str) -> None:
    assert "web" not in {
        alias.name
        for node in ast.walk(tree(module))
        if isinstance(node, ast.ImportFrom) and node.module == "aiohttp"
        for alias in node.names
    }


@pytest.mark.parametrize("module", [name for name in MODULES if name not in TELL_THE_TIME])
def test_one_clock_tells_the_time_and_sleeps(module: str) -> None:
    assert "time" not in set(imported(module))
    assert {"asyncio.sleep", "datetime.now", "datetime.utcnow", "loop.time"}.isdisjoint(called(module))


@pytest.mark.parametrize("module", [name for name in MODULES if name not in BEGIN_TASKS])
def test_every_task_has_an_owner(module: str) -> None:
    begun = [name for name in called(module) if name.endswith(("create_task", "ensure_future", "run_in_executor"))]
    assert begun == []


@pytest.mark.parametrize("module", [*TELL_THE_TIME, *BEGIN_TASKS])
def test_an_exception_is_for_a_module_that_is_there(module: str) -> None:
    assert module in MODULES


@pytest.mark.parametrize("module", MODULES)
def test_every_module_says_what_it_is(module: str) -> None:
    text = MODULES[module].read_text(encoding="utf-8")
    assert not text.strip() or ast.get_docstring(tree(module)) is not None

"""The example and the pages that show code: all of it runs as it stands there."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mockvod.settings import definitions
from mockvod.testing import MockVod

ROOT = Path(__file__).parent.parent
CONSUMER = ROOT / "examples" / "consumer"
UNNEEDED = [f"-pno:{name}" for name in ("cacheprovider", "schemathesis", "hypothesispytest", "faker", "anyio")]


def run(folder: Path, *arguments: str) -> str:
    """What pytest says of the tests in *folder*, or of those that *arguments* name; they pass."""
    command = [sys.executable, "-m", "pytest", "-q", *UNNEEDED, *(arguments or [str(folder)])]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)  # noqa: S603
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_tests_of_the_example_pass_and_sleep_nowhere() -> None:
    files = sorted(file.name for file in CONSUMER.glob("test_*.py"))
    assert files == ["test_consumer.py", "test_naive.py", "test_recipes.py"]
    said = run(CONSUMER, *files)
    passed = re.search(r"(\d+) passed", said)
    assert passed, said
    assert int(passed[1]) >= 27
    for file in files:
        assert "sleep(" not in (CONSUMER / file).read_text()


def blocks(page: str) -> dict[str, str]:
    """The Python blocks of a page by the file that their first line names."""
    found = re.findall(
        r"^```python\n# (\S+\.py)\n(.*?)^```$", (ROOT / "docs" / page).read_text(), re.DOTALL | re.MULTILINE
    )
    return dict(found)


SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
filterwarnings =
    error
    ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning
"""


def test_the_examples_of_the_page_about_testing_run(tmp_path: Path) -> None:
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    files = blocks("testing.md")
    assert set(files) >= {"conftest.py", "test_first.py", "test_pull.py", "test_push.py", "test_clock.py"}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    run(tmp_path)


@pytest.mark.parametrize("page", ["testing.md", "ci.md"])
def test_every_python_block_is_run_or_at_least_compiles(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        compile(block, page, "exec")
    if page == "testing.md":
        assert text.count("```python") == len(blocks(page))


def test_every_variable_of_a_recipe_is_a_setting() -> None:
    known = {one.variable for one in definitions()} | {"MOCKVOD_URL"}
    assert set(re.findall(r"\bMOCKVOD_[A-Z_]+", (ROOT / "docs" / "ci.md").read_text())) <= known


def test_every_recipe_in_yaml_can_be_read() -> None:
    yaml = pytest.importorskip("yaml")
    recipes = re.findall(r"^```yaml\n(.*?)^```$", (ROOT / "docs" / "ci.md").read_text(), re.DOTALL | re.MULTILINE)
    assert len(recipes) == 3
    for recipe in recipes:
        assert "registry.example.com/mockvod" in str(yaml.safe_load(recipe))


def test_the_recipe_without_docker_works() -> None:
    with MockVod() as server:
        command = [sys.executable, "-m", "mockvod", "health", "--wait", "--timeout", "30", "--url", server.url]
        assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "ready\n"  # noqa: S603


@pytest.mark.timeout(180)  # npm installs the SDK
def test_the_tests_of_the_node_example_pass(node_sdk: Path) -> None:
    for file in (ROOT / "examples" / "node").glob("*.js"):
        shutil.copy(file, node_sdk)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["node", "--test"],  # noqa: S607
        cwd=node_sdk,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# pass 4" in done.stdout

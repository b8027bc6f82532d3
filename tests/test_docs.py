"""README and docs are true: their snippets run, their tables, links and names are right."""

import asyncio
import json
import os
import re
import shlex
import shutil
import sys
import textwrap
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest

import mockvod.testing
from mockvod.app import Running
from mockvod.cli.main import _command
from mockvod.cli.serve import serve
from mockvod.cli.table import COMMANDS
from mockvod.http.actions import SIMULATED
from mockvod.settings import definitions
from tests import reference, site
from tests.support import Caller, Receiver, needs_checkout
from tests.tables import ACTIONS, API, DOCS, LEFT_OUT, SETTINGS, actions_page, renewed

ROOT = DOCS.parent
README = ROOT / "README.md"
SDKS = DOCS / "sdks.md"
PUSH_AND_PULL = DOCS / "push-and-pull.md"
DOCUMENTS = [
    README,
    *(ROOT / f"{name}.md" for name in ("ARCHITECTURE", "CONTRIBUTING", "CHANGELOG")),
    ROOT / "fixtures" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
DIFFERENCES = ROOT / "docs" / "differences.md"

Start = Callable[..., Awaitable[Running]]


def blocks(language: str, page: Path = README) -> list[str]:
    """The code blocks of *page* in *language*."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def commands(page: Path) -> Iterator[str]:
    for block in blocks("sh", page):
        for line in block.splitlines():
            if command := re.sub(r"\s+#.*", "", line):
                yield command


async def run(*command: str, where: Path, url: str = "") -> str:
    """What *command* prints, run in the directory *where*; it must succeed."""
    beside = str(Path(sys.executable).parent)  # the command `mockvod`
    environment = {**os.environ, "PATH": f"{beside}{os.pathsep}{os.environ['PATH']}", "MOCKVOD_URL": url}
    process = await asyncio.create_subprocess_exec(
        *command, cwd=where, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, f"{command} ended with {process.returncode}: {output.decode()}"
    return output.decode()


# --- snippets


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
async def test_the_commands_that_talk_to_a_server_do_what_they_say(
    start: Start, receiver: Receiver, tmp_path: Path
) -> None:
    running = await start()
    shown = ""
    for command in (*commands(README), *commands(PUSH_AND_PULL)):
        if command.startswith(("curl ", "mockvod ")) and not command.startswith(("mockvod serve", "mockvod doctor")):
            here = command.replace("http://127.0.0.1:8266", running.url).replace(
                "http://127.0.0.1:3000/callback", receiver.url
            )
            shown += await run("sh", "-c", here.replace("curl ", "curl -fsS "), where=tmp_path, url=running.url)
    assert "evt_000004  queued" in shown
    assert re.search(r"^  \d\d:\d\d:\d\d\.\d{3}  queued$", shown, re.MULTILINE), "the timeline of evt_000001"
    assert "evt_000005  delivered" in shown
    assert len(receiver.received) == 1


async def test_every_other_command_is_one_that_there_is(tmp_path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    for command in (*commands(README), *commands(PUSH_AND_PULL), *commands(SETTINGS)):
        program, *arguments = command.split()
        if program == "make":
            assert arguments[0] in targets
        elif command.startswith("mockvod serve"):
            await run("mockvod", "config", *arguments[1:], where=tmp_path)
        else:
            assert program in {"mockvod", "curl", "docker", "pip", "python3"}


@pytest.mark.parametrize("page", DOCUMENTS, ids=lambda page: page.stem)
def test_every_command_of_mockvod_and_every_flag_with_a_value_is_understood(page: Path) -> None:
    flags = {one.flag for one in definitions()}
    inline = re.findall(r"`((?:mockvod|--\S+) [^`…\n]*)`", page.read_text(encoding="utf-8"))
    for shown in (*(one for one in commands(page) if one.startswith("mockvod ")), *inline):
        name, *arguments = shlex.split(shown.rstrip(" &").partition(";")[0])
        if name in flags:
            serve.parser().parse([name, *arguments])
        elif name == "mockvod" and arguments != ["--help"]:
            command, rest = _command(COMMANDS, arguments)
            if rest:
                command.parser().parse(rest)


async def test_an_invalid_scenario_is_reported_as_the_page_shows(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("accounts:\n  - secret_id: AKIDworker\n", encoding="utf-8")
    [shown] = [block for block in blocks("text", DOCS / "scenarios.md") if block.startswith("mockvod:")]
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "mockvod",
        "serve",
        "--scenario",
        "mine.yaml",
        cwd=tmp_path,
        stderr=asyncio.subprocess.PIPE,
    )
    _, printed = await process.communicate()
    first, second = printed.decode().splitlines()
    assert (process.returncode, first) == (2, shown.splitlines()[0])
    assert second.replace(":2:", ":7:") == shown.splitlines()[1]


def sdk_snippet(endpoint: str, credentials: str) -> str:
    [snippet] = blocks("python", SDKS)
    return snippet.replace('"127.0.0.1:8266"', endpoint).replace('"any", "any"', credentials)


async def test_the_python_snippet_pulls_and_confirms(caller: Caller, tmp_path: Path) -> None:
    await caller.emit(count=2)
    snippet = sdk_snippet(f'"127.0.0.1:{caller.running.port}"', '"any", "any"')
    assert "2 confirmed" in await run(sys.executable, "-c", snippet, where=tmp_path)
    assert caller.account.life.events.counts["confirmed"] == 2


async def test_the_pytest_snippet_passes_with_a_worker_that_does_its_work(tmp_path: Path) -> None:
    [snippet] = blocks("python")
    worker = textwrap.indent(sdk_snippet("endpoint", "secret_id, secret_key"), "    ")
    test = f"def run_worker_once(endpoint, secret_id, secret_key):\n{worker}\n\n{snippet}"
    (tmp_path / "test_worker.py").write_text(test, encoding="utf-8")
    arguments = ("-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist")
    assert "1 passed" in await run(sys.executable, "-m", "pytest", *arguments, where=tmp_path)


@pytest.mark.timeout(180)  # npm installs the SDK
async def test_the_node_snippet_pulls_and_confirms(caller: Caller, node_sdk: Path) -> None:
    [snippet] = blocks("js", SDKS)
    (node_sdk / "snippet.cjs").write_text(snippet.replace("127.0.0.1:8266", f"127.0.0.1:{caller.running.port}"))
    await caller.emit(count=2)
    assert await run("node", "snippet.cjs", where=node_sdk) == "confirmed\n"
    assert caller.account.life.events.counts["confirmed"] == 2


def test_every_snippet_of_another_language_gives_the_address_alone() -> None:
    for language in ("js", "go", "java", "php", "cpp"):
        [snippet] = blocks(language, SDKS)
        assert '"127.0.0.1:8266"' in snippet  # an SDK's endpoint has no scheme


async def test_the_event_in_the_readme_is_one_that_is_sent(caller: Caller) -> None:
    shown = json.loads(blocks("json")[0])
    await caller.control("PATCH", "/config", {"profile": "sparse"})
    [emitted] = await caller.emit(time_offsets=[10000])
    assert shape((await caller.event(emitted["id"]))["content"]) == shape(shown)


def shape(value: object) -> object:
    """*value* with its types in place of its values."""
    if isinstance(value, dict):
        return {key: shape(item) for key, item in value.items()}
    return [shape(item) for item in value] if isinstance(value, list) else type(value)


def test_the_readme_is_short() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) < 120


# --- the site


def test_the_site_builds_and_loads_nothing_from_another_host(tmp_path: Path) -> None:
    pytest.importorskip("material", reason="mkdocs-material is not installed")
    site.build(tmp_path)
    for page in (tmp_path / "site").rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        assert not re.findall(r'<(?:script|img|iframe|link)\b[^>]*(?:src|href)="https?://[^"]*"', text), page
    assert (tmp_path / "site" / "search" / "search_index.json").stat().st_size > 100_000


# --- tables, links, names


@pytest.mark.parametrize("page", [SETTINGS, API], ids=lambda path: path.name)
def test_a_generated_table_is_up_to_date(page: Path) -> None:
    assert renewed(page) == page.read_text(encoding="utf-8"), "the table is stale: run `make docs`"


def test_the_page_of_actions_is_up_to_date() -> None:
    assert ACTIONS.read_text(encoding="utf-8") == actions_page(), "it is stale: `make docs` writes it anew"
    assert set(LEFT_OUT) <= set(SIMULATED)


@needs_checkout
def test_the_reference_is_up_to_date() -> None:
    assert reference.REFERENCE.read_text(encoding="utf-8") == reference.page(), "it is stale: run `make docs`"


@needs_checkout
def test_the_reference_has_every_name_that_tests_import() -> None:
    text = reference.page()
    aliases = {"Config", "ServerConfig", "FaultName", "FaultParameters", "RecipeName", "Entry", "State", "States"}
    same = {"AsyncAccount", "AsyncClock", "Clock"}  # have the calls of others, awaited or not
    for name in set(mockvod.testing.__all__) - aliases - same:
        assert re.search(rf"^### {name}$", text, re.MULTILINE), name


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_within_the_project_leads_somewhere(document: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            target = (document.parent / path).resolve() if path else document
            assert target.exists(), f"{link}: there is no {target}"
            assert not anchor or anchor in anchors(target), f"{link}: {target} has no such heading"


def anchors(document: Path) -> list[str]:
    """The names by which headings are linked to, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return [re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings]


def rows(width: int) -> list[list[str]]:
    """The rows of docs/differences.md in tables of *width* columns, the first with the row's name such as `R1`."""
    lines = DIFFERENCES.read_text(encoding="utf-8").splitlines()
    cells = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in lines if line.startswith("|")]
    return [row for row in cells if re.fullmatch(r"[A-Z]\d+", row[0]) and len(row) == width]


def test_every_difference_has_a_name_and_one_row_of_tests() -> None:
    names = [row[0] for row in rows(4)]
    assert len(set(names)) == len(names) > 100
    assert sorted(names) == sorted(row[0] for row in rows(2))


@pytest.mark.parametrize("row", rows(2), ids=lambda row: row[0])
def test_every_difference_is_pinned_by_a_test_that_there_is(row: list[str]) -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", row[1])
    assert named
    for file, test in named:
        assert re.search(rf"^(async )?def {test}\(", (ROOT / file).read_text(encoding="utf-8"), re.MULTILINE), test


def test_every_setting_that_a_difference_names_is_one() -> None:
    keys = {one.key for one in definitions()}
    for row in rows(4):
        for setting in re.findall(r"`([a-z-]+)`", row[3]):
            assert setting in keys


# --- a difference that is nobody else's


async def test_an_event_emitted_by_hand_is_notified_whatever_the_switches_say(caller: Caller) -> None:
    await caller.call("ModifyEventConfig", UploadMediaCompleteEventSwitch="OFF")
    await caller.emit(event={"EventType": "NewFileUpload", "FileUploadEvent": {"FileId": "1"}})
    [event] = (await caller.call("PullEvents"))["EventSet"]
    assert event["EventType"] == "NewFileUpload"

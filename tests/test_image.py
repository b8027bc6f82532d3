"""The Dockerfile, read: building it needs a builder, what it promises does not."""

import json
import platform
import re
import subprocess
import tomllib
from importlib.metadata import version
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from image import rootfs
from mockvod.settings import Settings, definitions
from tests.support import needs_checkout

ROOT = Path(__file__).parent.parent
Instruction = tuple[str, str]


def stages() -> list[list[Instruction]]:
    """The instructions of each stage, continued lines joined."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    found: list[list[Instruction]] = []
    for line in filter(str.strip, lines):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            found.append([])
        found[-1].append((word, " ".join(rest.split())))
    return found


BUILD, LAST = stages()


def given(word: str) -> str:
    """What the last stage gives the instruction *word*, which it has once."""
    [rest] = [rest for name, rest in LAST if name == word]
    return rest


def test_it_is_built_on_slim_python_and_has_nothing_but_what_is_copied() -> None:
    assert BUILD[0] == ("FROM", "python:3.13-slim AS build")
    assert LAST[:2] == [("FROM", "scratch"), ("COPY", "--from=build /rootfs /")]
    assert "RUN" not in [word for word, _ in LAST]


def test_python_is_called_without_a_path() -> None:
    for word, rest in BUILD + LAST:
        assert word != "RUN" or not re.search(r"/usr/(local/)?bin/python", rest)


def test_it_runs_as_a_user_with_a_number_that_is_not_root() -> None:
    assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", given("USER"))
    assert given("USER") == f"{rootfs.USER}:{rootfs.USER}"


def test_no_bytecode_is_written_when_it_runs() -> None:
    assert environment()["PYTHONDONTWRITEBYTECODE"] == "1"


@pytest.mark.parametrize(
    "name",
    [
        *("tests", "__pycache__", "idlelib", "ensurepip", "site-packages", "_cffi.pyi"),
        *("_sqlite3.cpython-313-x86_64-linux-gnu.so", "_avif.cpython-313-aarch64-linux-gnu.so", "libavif-01.so.16"),
    ],
)
def test_what_no_server_needs_is_left_out(name: str) -> None:
    assert rootfs.LEFT_OUT.fullmatch(name)


@pytest.mark.parametrize("name", ["asyncio", "testing", "_ssl.cpython-313-x86_64-linux-gnu.so", "encodings"])
def test_what_a_server_needs_is_kept(name: str) -> None:
    assert not rootfs.LEFT_OUT.fullmatch(name)


@pytest.mark.parametrize(
    ("name", "kept"), [("en", True), ("en_GB", True), ("ja_JP", False), ("zh", False), ("fil_PH", False)]
)
def test_of_fakers_languages_only_english_is_kept(name: str, kept: bool) -> None:
    assert (rootfs.LANGUAGE.fullmatch(name) is None) is kept


@pytest.mark.parametrize("loader", ["/lib64/ld-linux-x86-64.so.2", "/lib/ld-linux-aarch64.so.1"])
def test_the_loader_and_the_library_of_python_are_copied(loader: str) -> None:
    listed = (
        "\tlinux-vdso.so.1 (0x00007ffd1f5f2000)\n"
        "\tlibpython3.13.so.1.0 => /usr/local/bin/../lib/libpython3.13.so.1.0 (0x00007f1c8a000000)\n"
        f"\t{loader} (0x00007f1c8ac00000)\n"
    )
    assert rootfs.linked(listed) == [Path("/usr/local/lib/libpython3.13.so.1.0"), Path(loader)]


def test_a_library_that_is_not_found_ends_the_build() -> None:
    with pytest.raises(SystemExit, match=r"libtk8\.6\.so"):
        rootfs.linked("\tlibtk8.6.so => not found\n")


def test_a_library_that_was_copied_with_its_package_is_not_copied_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listed = f"\tliba.so => {tmp_path}/a/../a.libs/liba.so (0x0)\n\tlibb.so => /lib/libb.so (0x0)\n"
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: SimpleNamespace(stdout=listed))
    assert list(rootfs.needed(tmp_path, [tmp_path / "a" / "_a.so"])) == [Path("/lib/libb.so")]


def test_the_bill_of_materials_has_identifiers_that_scanners_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rootfs, "_debian", lambda _: [("zlib1g", "1:1.3+really1.3.1")])
    python, *packages, zlib = cast("list[dict[str, str]]", rootfs.sbom([])["components"])
    assert python["cpe"].startswith(f"cpe:2.3:a:python:python:{platform.python_version()}:")
    assert f"pkg:pypi/aiohttp@{version('aiohttp')}" in [one["purl"] for one in packages]
    assert zlib["purl"] == "pkg:deb/debian/zlib1g@1%3A1.3%2Breally1.3.1"


def environment() -> dict[str, str]:
    return dict(pair.split("=", 1) for pair in given("ENV").split())


def test_it_serves_on_every_interface_and_the_usual_port() -> None:
    assert environment()["MOCKVOD_HOST"] == "0.0.0.0"
    assert int(given("EXPOSE")) == Settings().port


def test_every_variable_of_ours_is_a_setting() -> None:
    known = {one.variable for one in definitions()}
    assert {name for name in environment() if name.startswith("MOCKVOD_")} <= known


def test_it_serves_by_default() -> None:
    assert json.loads(given("ENTRYPOINT")) == ["mockvod"]
    assert json.loads(given("CMD")) == ["serve"]
    assert given("STOPSIGNAL") == "SIGTERM"


def test_its_health_check_is_its_own_command() -> None:
    options, _, command = given("HEALTHCHECK").partition(" CMD ")
    assert json.loads(command) == ["mockvod", "health"]  # which asks where MOCKVOD_PORT puts the server
    given_options = dict(re.findall(r"--([a-z-]+)=(\S+)", options))
    assert given_options.keys() == {"interval", "timeout", "start-period", "start-interval", "retries"}


def test_its_labels_say_what_it_is() -> None:
    labels = dict(re.findall(r'org\.opencontainers\.image\.(\w+)="([^"]*)"', given("LABEL")))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert labels["title"] == project["name"]
    assert labels["licenses"] == project["license"]
    assert labels["version"] == "$VERSION"
    assert labels["description"]
    assert given("ARG") == next(rest for word, rest in BUILD if word == "ARG") == "VERSION=0.0.0"


def test_the_package_has_the_version_of_the_image() -> None:
    [install] = [rest for word, rest in BUILD if word == "RUN" and " pip " in rest]
    assert install.startswith("SETUPTOOLS_SCM_PRETEND_VERSION=$VERSION ")


@needs_checkout
@pytest.mark.parametrize("needed", ["pyproject.toml", "README.md", "LICENSE", "mockvod"])
def test_the_context_has_what_the_wheel_is_made_of(needed: str) -> None:
    assert f"!{needed}" in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert (ROOT / needed).exists()


def test_the_context_has_nothing_else() -> None:
    first, *others = [
        line
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line and not line.startswith("#")
    ]
    assert first == "*"
    let_in = {line[1:] for line in others if line.startswith("!")}
    copied = {source for word, rest in BUILD if word == "COPY" for source in rest.split()[:-1]}
    assert let_in == copied

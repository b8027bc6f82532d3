"""The version of the package comes from git's tags, and goes with an archive and an sdist."""

import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support import needs_checkout

ROOT = Path(__file__).parent.parent

pytestmark = [
    needs_checkout,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
    pytest.mark.skipif(not (ROOT / ".git").exists(), reason="an sdist has no tags"),
]


def run(*command: str, where: Path) -> str:
    return subprocess.run(command, cwd=where, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603


def version(place: Path) -> str:
    """The version that a build in *place* gives the package."""
    return run(sys.executable, "-m", "hatchling", "version", where=place)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    run("git", "clone", "--quiet", "--no-tags", str(ROOT), str(tmp_path / "clone"), where=tmp_path)
    return tmp_path / "clone"


@pytest.fixture
def tagged(clone: Path) -> Path:
    run("git", "tag", "v1.2.3", where=clone)
    return clone


def unpacked(archive: Path, place: Path) -> Path:
    with tarfile.open(archive) as files:
        files.extractall(place, filter="data")
    return place


def test_a_tag_is_the_version(tagged: Path) -> None:
    assert version(tagged) == "1.2.3"


def test_a_clone_without_a_tag_is_older_than_any_release(clone: Path) -> None:
    assert re.fullmatch(r"0\.0\.1\.dev\d+\+g[0-9a-f]{7,}", version(clone))


def test_an_archive_of_a_tag_has_its_version(tagged: Path, tmp_path: Path) -> None:
    run("git", "archive", "--output", str(tmp_path / "a.tar"), "HEAD", where=tagged)
    assert version(unpacked(tmp_path / "a.tar", tmp_path / "archive")) == "1.2.3"


@pytest.fixture
def sdist(tagged: Path, tmp_path: Path) -> Path:
    """An sdist of *tagged*, unpacked."""
    run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path), where=tagged)
    return unpacked(tmp_path / "mockvod-1.2.3.tar.gz", tmp_path / "sdist") / "mockvod-1.2.3"


def test_an_sdist_has_the_version_that_it_was_built_with(sdist: Path) -> None:
    assert version(sdist) == "1.2.3"
    assert '__version__ = "1.2.3"' in (sdist / "mockvod" / "_version.py").read_text(encoding="utf-8")


def test_an_sdist_has_every_file_but_those_of_git_and_its_services(sdist: Path, tagged: Path) -> None:
    missing = {name for name in run("git", "ls-files", where=tagged).splitlines() if not (sdist / name).exists()}
    others = {name for name in missing if not name.startswith((".ci/", ".github/"))}
    assert others == {".git_archival.txt", ".gitattributes", ".pre-commit-config.yaml"}


def test_a_copy_without_git_can_be_built_too(clone: Path) -> None:
    for name in (".git", ".git_archival.txt"):
        (clone / name).rename(clone.parent / name)
    assert version(clone) == "0.0.0"

"""`make test-all` finds the interpreters, and tests the wheel, not the checkout."""

import re
import sys
from pathlib import Path

import pytest

from tests import pythons


def test_the_versions_are_those_that_the_package_declares_oldest_first() -> None:
    assert pythons.supported()[:2] == ["3.11", "3.12"]


@pytest.mark.parametrize(
    ("argument", "tried"), [("--lowest", {"3.11"}), ("--newer", {"3.12", "3.13"}), ("-q", {"3.11", "3.12", "3.13"})]
)
def test_what_is_tried_is_chosen(
    argument: str, tried: set[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pythons, "supported", lambda: ["3.11", "3.12", "3.13"])
    monkeypatch.setattr(pythons, "interpreter", lambda _: None)
    monkeypatch.setattr(pythons, "build_wheel", lambda place: place)
    monkeypatch.setattr(pythons, "copy_without_package", lambda _: None)
    assert pythons.main([argument]) == 1  # no interpreter was found
    assert tried == set(re.findall(r"Python (3\.\d+): not found", capsys.readouterr().out)) - {"3.14"}


def test_an_interpreter_is_found_on_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = "{}.{}".format(*sys.version_info[:2])
    (tmp_path / f"python{version}").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pythons.interpreter(version) == str(tmp_path / f"python{version}")


def test_one_that_does_not_start_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "python3.99"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert pythons.interpreter("3.99") is None


def test_the_newest_patch_that_pyenv_has_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    version = "{}.{}".format(*sys.version_info[:2])
    for patch in (2, 10):
        place = tmp_path / "versions" / f"{version}.{patch}" / "bin"
        place.mkdir(parents=True)
        (place / "python").symlink_to(sys.executable)
    monkeypatch.setenv("PATH", "")
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    assert pythons.interpreter(version) == str(tmp_path / "versions" / f"{version}.10" / "bin" / "python")


def test_the_lowest_versions_are_those_of_the_package_and_its_extras() -> None:
    lowest = {one.partition("==")[0] for one in pythons.lowest_versions()}
    assert {"aiohttp", "pydantic", "faker", "pillow", "pyyaml", "trustme", "av"} <= lowest
    assert "ruff" not in lowest

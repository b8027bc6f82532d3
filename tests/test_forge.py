"""The workflows and the Makefile: actions are pinned by hash, releases have no password, targets are in the help."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))

needs_workflows = pytest.mark.skipif(not WORKFLOWS, reason="an sdist has no workflows")


def release() -> dict[Any, Any]:
    text = (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")
    return dict(yaml.safe_load(text))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_action_is_pinned_by_hash_with_its_version_beside_it(path: Path) -> None:
    used = re.findall(r"uses: (.*)", path.read_text(encoding="utf-8"))
    assert used
    assert [one for one in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", one)] == []


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_read_permission_unless_a_job_declares_more(path: Path) -> None:
    assert "\npermissions:\n  contents: read\n" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_every_job_has_a_machine_and_steps_that_run_or_use_something(path: Path) -> None:
    workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert workflow["jobs"]
    for job in workflow["jobs"].values():
        assert job["runs-on"]
        assert all(("run" in step) != ("uses" in step) for step in job["steps"])


@needs_workflows
def test_a_release_publishes_package_image_and_site_only_after_the_checks() -> None:
    jobs = release()["jobs"]
    assert "make release-check" in [step.get("run") for step in jobs["build"]["steps"]]
    assert {name: job.get("needs") for name, job in jobs.items() if name != "build"} == {
        "package": "build",
        "image": "build",
        "site": "build",
    }


@needs_workflows
@pytest.mark.parametrize(
    ("tag", "released"),
    [("v0.1.0", True), ("v12.34.56", True), ("v0.1.0rc1", False), ("v0.1", False), ("1.0.0", False)],
)
def test_only_a_tag_of_three_numbers_is_released(tag: str, released: bool) -> None:
    [pattern] = release()[True]["push"]["tags"]  # YAML reads the key `on` as a truth value
    assert bool(re.fullmatch(pattern.replace(".", r"\."), tag)) is released


def test_every_target_is_phony_and_in_the_help() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    assert targets == {name for line in re.findall(r"^\.PHONY: (.*)", makefile, re.MULTILINE) for name in line.split()}
    assert targets == {*re.findall(r'@echo "make ([a-z-]+) ', makefile), "help"}


def test_no_target_names_the_path_of_the_checkout_which_may_have_spaces() -> None:
    assert "CURDIR" not in (ROOT / "Makefile").read_text(encoding="utf-8")

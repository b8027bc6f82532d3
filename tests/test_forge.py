"""The workflows: every action is pinned by hash, with its version beside it; releases have no password."""

import re
from pathlib import Path

import pytest
import yaml

WORKFLOWS = sorted((Path(__file__).parent.parent / ".github" / "workflows").glob("*.yml"))


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


def test_a_release_publishes_package_image_and_site_only_after_the_checks() -> None:
    [path] = [path for path in WORKFLOWS if path.name == "release.yml"]
    jobs = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    assert {"run": "make release-check"} in jobs["build"]["steps"]
    assert {name: job.get("needs") for name, job in jobs.items() if name != "build"} == {
        "package": "build",
        "image": "build",
        "site": "build",
    }

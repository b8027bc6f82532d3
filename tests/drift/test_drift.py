"""The committed interface is that of the pinned SDK, mockvod knows all of it, and a change of it is found."""

import importlib.util
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.drift.__main__ import SDK, install
from tests.drift.compare import changes, gaps
from tests.drift.surface import COMMITTED, Surface, read


@pytest.fixture(scope="module")
def committed() -> Surface:
    return Surface.model_validate_json(COMMITTED.read_bytes())


@pytest.mark.timeout(120)  # reads a module of 3 MB
def test_the_committed_surface_is_that_of_the_installed_sdk(committed: Surface) -> None:
    assert committed.sdk == version("tencentcloud-sdk-python-vod")
    spec = importlib.util.find_spec("tencentcloud.vod.v20180717")
    assert spec is not None
    assert spec.origin is not None
    from_cli = {"sdk": committed.sdk, "cli": committed.cli, "required": committed.required}
    assert read(Path(spec.origin).parents[3]).model_copy(update=from_cli) == committed


def test_mockvod_knows_all_of_the_committed_surface(committed: Surface) -> None:
    assert list(gaps(committed)) == []


def changed(committed: Surface) -> Surface:
    """*committed* with something more, of everything."""
    new = committed.model_copy(deep=True)
    new.actions.append("PullDreams")
    new.error_codes.append("FailedOperation.Dream")
    new.event_types.append("DreamComplete")
    new.structures["ConfirmEventsRequest"]["Dream"] = "str"
    new.structures["SnapshotByTimeOffsetTaskInput"]["Dream"] = "str"
    new.structures["PullEventsResponse"]["Dream"] = "str"
    new.structures["DescribeEventsStateResponse"]["CountOfEventsToPull"] = "str"
    content = new.structures["EventContent"]
    content["FileUploadEvent"] = content.pop("FileUploadEvent")
    new.required["PullEventsRequest"] = ["SubAppId"]
    new.numbers["PullEvents"] = ["32"]
    return new


def test_nothing_differs_between_equal_surfaces(committed: Surface) -> None:
    assert list(changes(committed, committed)) == []


def test_what_is_added_or_changed_is_found(committed: Surface) -> None:
    found = {one.title: one.names for one in changes(committed, changed(committed))}
    assert found.pop("order of the fields of EventContent changed")[-1] == "FileUploadEvent"
    assert found == {
        "actions added": ["PullDreams"],
        "error codes added": ["FailedOperation.Dream"],
        "event types added": ["DreamComplete"],
        "parameters added": ["ConfirmEventsRequest.Dream: str", "SnapshotByTimeOffsetTaskInput.Dream: str"],
        "fields of results and events added": [
            "PullEventsResponse.Dream: str",
            "SnapshotByTimeOffsetTaskInput.Dream: str",  # a task's result repeats its input
        ],
        "types of fields of results and events changed": ["DescribeEventsStateResponse.CountOfEventsToPull: int → str"],
        "required parameters changed": ["PullEventsRequest: none → SubAppId"],
        "numbers in descriptions changed": ["PullEvents: 5, 10, 4, 30, 30, 16 → 32"],
    }


def test_what_is_removed_is_found(committed: Surface) -> None:
    titles = {one.title for one in changes(changed(committed), committed)}
    assert {
        "actions removed",
        "error codes removed",
        "event types removed",
        "parameters removed",
        "fields of results and events removed",
    } <= titles


def test_what_mockvod_does_not_know_is_found(committed: Surface) -> None:
    found = {one.title: one.names for one in gaps(changed(committed))}
    assert found["actions that mockvod does not know"] == ["PullDreams"]
    assert found["error codes that mockvod does not know"] == ["FailedOperation.Dream"]
    assert found["event types that mockvod does not know"] == ["DreamComplete"]
    assert {"ConfirmEventsRequest.Dream", "SnapshotByTimeOffsetTaskInput.Dream"} <= set(
        found["parameters that mockvod does not know"]
    )
    assert "fields of EventContent that mockvod does not know, or in another order" in found


def test_a_saved_surface_is_read_as_it_was(committed: Surface, tmp_path: Path) -> None:
    committed.save(tmp_path / "surface.json")
    assert (tmp_path / "surface.json").read_text() == COMMITTED.read_text()


def test_a_version_that_cannot_be_installed_is_no_difference(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit_:
        install(tmp_path, SDK, "==abc")
    assert exit_.value.code == 2
    assert f"cannot install {SDK}==abc" in capfd.readouterr().err

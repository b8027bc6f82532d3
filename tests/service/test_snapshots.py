"""Events made from a seed: alike where they should be, plausible where they may differ."""

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tencentcloud.vod.v20180717 import models

from mockvod.service.snapshots import FAILED, SnapshotGenerator
from mockvod.wire import events
from mockvod.wire.events import SNAPSHOT_COMPLETE

VENDOR_URL = re.compile(
    r"http://(\d{10})\.vod2\.myqcloud\.com/[0-9a-f]{8}vodtransgzp\1/[0-9a-f]{8}(\d+)/snapshot/\d{10}_\d+\.100_(\d+)\.jpg"
)

MAKE_TEN = """
import sys
from mockvod.service.snapshots import SnapshotGenerator
generator = SnapshotGenerator("seed")
print([generator.task() for _ in range(10)])
assert "faker" not in sys.modules, "faker was imported"
"""


@pytest.fixture
def generator() -> SnapshotGenerator:
    return SnapshotGenerator(7)


def in_a_process_of_its_own(code: str, hash_seed: str) -> str:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed}
    return subprocess.run(  # noqa: S603 - our own interpreter and our own text
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    ).stdout


def pictures(task: dict[str, Any]) -> list[tuple[int, int, str | None]]:
    return [(info["ErrCode"], info["TimeOffset"], info.get("Url")) for info in task["SnapshotInfoSet"]]


# From a seed


def test_the_same_seed_and_calls_make_the_same_tasks() -> None:
    def calls(generator: SnapshotGenerator) -> list[dict[str, Any]]:
        return [generator.task(), generator.task(time_offsets=[0, 500], failed=[500]), generator.task(file_id="1")]

    assert calls(SnapshotGenerator("a")) == calls(SnapshotGenerator("a"))
    assert calls(SnapshotGenerator("a")) != calls(SnapshotGenerator("b"))


def test_a_seed_means_the_same_as_a_number_and_as_text() -> None:
    assert SnapshotGenerator(-7).task() == SnapshotGenerator("-7").task() != SnapshotGenerator(7).task()


def test_another_process_makes_the_same_tasks() -> None:
    here = SnapshotGenerator("seed")
    assert in_a_process_of_its_own(MAKE_TEN, "1").strip() == str([here.task() for _ in range(10)])


def test_making_events_does_not_import_faker() -> None:
    in_a_process_of_its_own(MAKE_TEN, "0")  # the code asserts it


@pytest.mark.parametrize(
    "options",
    [
        {"file_id": "5285890784246869930"},
        {"task_id": "mine"},
        {"time_offsets": [1, 2, 3, 4, 5, 6, 7, 8]},
        {"time_offsets": []},
        {"time_offsets": [10], "failed": [10], "omit_failed_url": True},
        {"snapshots": []},
    ],
)
def test_the_arguments_of_one_task_do_not_change_the_next(options: dict[str, Any]) -> None:
    reported, untold = SnapshotGenerator(7), SnapshotGenerator(7)
    reported.task(**options)
    untold.task()
    assert reported.task() == untold.task()


def test_where_pictures_are_served_does_not_change_what_is_reported(generator: SnapshotGenerator) -> None:
    served = SnapshotGenerator(7).task(base="http://localhost")
    task = generator.task()
    assert [served["TaskId"], served["FileId"]] == [task["TaskId"], task["FileId"]]
    assert [info["TimeOffset"] for info in served["SnapshotInfoSet"]] == [
        info["TimeOffset"] for info in task["SnapshotInfoSet"]
    ]


# Plausible


def test_a_task_looks_like_the_documented_one(generator: SnapshotGenerator) -> None:
    counts = set()
    for _ in range(200):
        task = generator.task()
        assert list(task) == ["TaskId", "FileId", "Definition", "SnapshotInfoSet"]
        assert re.fullmatch(r"CreateSnapshotByTimeOffset-[0-9a-f]{32}", task["TaskId"])
        assert re.fullmatch(r"[1-9]\d{18,19}", task["FileId"])
        assert int(task["FileId"]) < 2**64
        assert task["Definition"] == 10
        offsets = [info["TimeOffset"] for info in task["SnapshotInfoSet"]]
        assert offsets == sorted(set(offsets))
        assert all(offset > 0 and offset % 1000 == 0 for offset in offsets)
        counts.add(len(offsets))
        for info in task["SnapshotInfoSet"]:
            assert list(info) == ["ErrCode", "TimeOffset", "Url"]
            shape = VENDOR_URL.fullmatch(info["Url"])
            assert shape is not None
            assert shape.group(2, 3) == (task["FileId"], str(info["TimeOffset"]))
    assert counts == {2, 3, 4, 5, 6}


def test_tasks_differ(generator: SnapshotGenerator) -> None:
    tasks = [generator.task() for _ in range(100)]
    assert len({task["TaskId"] for task in tasks}) == len({task["FileId"] for task in tasks}) == 100


@settings(deadline=None)
@given(
    seed=st.integers() | st.text(),
    offsets=st.none() | st.lists(st.integers(min_value=0, max_value=10**8), max_size=20),
    fail=st.booleans(),
)
def test_the_sdk_reads_every_task(seed: int | str, offsets: list[int] | None, fail: bool) -> None:
    failed = (offsets or [])[:1] if fail else []
    task = SnapshotGenerator(seed).task(time_offsets=offsets, failed=failed)
    event = models.EventContent()
    event._deserialize(json.loads(events.render(SNAPSHOT_COMPLETE, task, "current")))
    read = event.SnapshotByTimeOffsetCompleteEvent
    assert (event.EventType, read.TaskId, read.FileId, read.Definition) == (
        SNAPSHOT_COMPLETE,
        task["TaskId"],
        task["FileId"],
        10,
    )
    assert [(info.ErrCode, info.TimeOffset, info.Url) for info in read.SnapshotInfoSet] == pictures(task)
    assert events.parse(json.loads(events.render(SNAPSHOT_COMPLETE, task, "seed")))[:2] == (SNAPSHOT_COMPLETE, task)


# As told


def test_a_task_has_the_given_values(generator: SnapshotGenerator) -> None:
    task = generator.task(file_id="42", task_id="mine", definition=1008, time_offsets=[20000, 500])
    assert [task["FileId"], task["TaskId"], task["Definition"]] == ["42", "mine", 1008]
    assert [info["TimeOffset"] for info in task["SnapshotInfoSet"]] == [20000, 500]


def test_pictures_can_be_served_from_an_address_of_ours() -> None:
    task = SnapshotGenerator(7).task(base="http://127.0.0.1:8266/", file_id="42", time_offsets=[500])
    assert pictures(task) == [(0, 500, "http://127.0.0.1:8266/snapshots/42/10/500.jpg")]


def test_a_file_id_that_is_no_number_is_quoted_in_the_url() -> None:
    task = SnapshotGenerator(7).task(base="http://h", file_id="a/b?ü", time_offsets=[0])
    assert task["FileId"] == "a/b?ü"
    assert pictures(task) == [(0, 0, "http://h/snapshots/a%2Fb%3F%C3%BC/10/0.jpg")]


def test_a_failed_picture_has_a_code_and_an_empty_url(generator: SnapshotGenerator) -> None:
    task = generator.task(time_offsets=[1000, 2000], failed=[2000])
    [good, bad] = pictures(task)
    assert good[0] == 0
    assert bad == (FAILED, 2000, "")


def test_a_failed_picture_can_come_without_url_and_with_another_code(generator: SnapshotGenerator) -> None:
    task = generator.task(time_offsets=[1000], failed={1000}, err_code=30009, omit_failed_url=True)
    assert task["SnapshotInfoSet"] == [{"ErrCode": 30009, "TimeOffset": 1000}]


def test_a_list_of_snapshots_is_passed_through(generator: SnapshotGenerator) -> None:
    snapshots = [{"TimeOffset": 5, "Extra": None, "ErrCode": 1}]
    task = generator.task(snapshots=snapshots)
    assert json.dumps(task["SnapshotInfoSet"]) == json.dumps(snapshots)
    assert task["SnapshotInfoSet"][0] is not snapshots[0]

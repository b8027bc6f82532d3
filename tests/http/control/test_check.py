"""The control API: what an emit would send, without sending it."""

from typing import Any

import pytest

from tests.http.asking import Control
from tests.support import Caller


async def test_a_check_shows_the_event_that_an_emit_then_sends(control: Control, caller: Caller) -> None:
    given = {"time_offsets": [1000, 2000], "failed": [2000], "count": 2}
    checked = await control.done("POST", "/events/check", given)
    again = await control.done("POST", "/events/check", given)
    assert caller.account.life.events.counts.total() == 0
    first, _ = await caller.emit(**given)
    assert checked == again
    assert checked["content"] == (await caller.event(first["id"]))["content"]
    assert (checked["event_type"], checked["count"]) == ("CreateSnapshotByTimeOffsetComplete", 2)


async def test_an_event_of_another_type_leaves_the_checked_one_as_it_was(control: Control) -> None:
    checked = await control.done("POST", "/events/check", {})
    await control.done("POST", "/events", {"event_type": "FileDeleted"})
    emitted = await control.done("POST", "/events", {})
    assert emitted["events"][0]["task_id"] == checked["content"]["SnapshotByTimeOffsetCompleteEvent"]["TaskId"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"event_type": "NewFileUplod"}, "event_type"),
        ({"time_offsets": [1], "failed": [2]}, "failed"),
        ({"event": {"EventType": "NewFileUpload"}}, "event"),
        ({"count": 0}, "count"),
        ({"event_type": "NewFileUpload", "set": {"FileUploadEvent.FielId": 1}}, "set"),
    ],
)
async def test_a_check_is_rejected_as_the_emit_would_be(control: Control, given: dict[str, Any], field: str) -> None:
    checked = await control.refused("POST", "/events/check", given)
    assert checked == await control.refused("POST", "/events", given)
    assert (checked[0], checked[3]) == (400, field)

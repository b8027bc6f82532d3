"""An event walked through reliable callback."""

from tests.support import Caller


async def test_an_event_is_pulled_confirmed_and_gone(caller: Caller) -> None:
    [event] = await caller.emit(time_offsets=[10000, 20000])
    pulled = await caller.call("PullEvents")
    [content] = pulled["EventSet"]
    assert next(iter(content)) == "EventHandle"
    assert content["SnapshotByTimeOffsetCompleteEvent"]["TaskId"] == event["task_id"]

    assert await caller.call("ConfirmEvents", EventHandles=[content["EventHandle"]]) == {}

    await caller.clock.freeze()
    await caller.clock.advance(31)
    assert await caller.call("DescribeEventsState") == {"CountOfEventsToPull": 0}
    assert (await caller.event(event["id"]))["state"] == "confirmed"

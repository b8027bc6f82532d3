"""The control API: what applications hold, and who polls them."""

from tests.http.asking import FROZEN, Control
from tests.support import Caller


async def test_a_lease_is_shown_until_it_ends(control: Control, caller: Caller) -> None:
    await control.done("POST", "/clock", FROZEN)
    [event] = await caller.emit()
    pulled = await caller.call("PullEvents")
    [application] = (await control.done("GET", "/queue"))["applications"]
    [lease] = application["leases"]
    assert (lease["event"], lease["event_handle"]) == (event["id"], pulled["EventSet"][0]["EventHandle"])
    assert lease["until"] - lease["leased_at"] == 30
    assert (application["visible"], application["leased"]) == (0, 1)
    await control.done("POST", "/clock", {"advance": 31})
    [application] = (await control.done("GET", "/queue"))["applications"]
    assert (application["visible"], application["leases"]) == (1, [])


async def test_a_confirmed_event_has_no_lease(control: Control, caller: Caller) -> None:
    await caller.emit(count=3)
    handles = [one["EventHandle"] for one in (await caller.call("PullEvents"))["EventSet"]]
    await caller.call("ConfirmEvents", EventHandles=handles[:1])
    [application] = (await control.done("GET", "/queue"))["applications"]
    assert [lease["event_handle"] for lease in application["leases"]] == handles[1:]


async def test_the_clients_that_poll_are_shown(control: Control, caller: Caller) -> None:
    await caller.emit()
    await caller.call("PullEvents")
    [application] = (await control.done("GET", "/queue"))["applications"]
    [poller] = application["pollers"]
    assert poller["user_agent"].startswith("Python/")
    assert (poller["secret_id"], poller["pulls"], poller["empty"]) == ("", 1, 0)


async def test_showing_one_application_leaves_out_the_others_and_makes_none(control: Control, caller: Caller) -> None:
    await caller.emit()
    await caller.control("POST", "/events", sub_app_id=5)
    assert len((await control.done("GET", "/queue"))["applications"]) == 2
    [application] = (await control.done("GET", "/queue", sub_app_id=5))["applications"]
    assert application["sub_app_id"] == 5
    assert (await control.done("GET", "/queue", sub_app_id=6))["applications"] == []

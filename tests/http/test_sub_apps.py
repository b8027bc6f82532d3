"""The applications of an account: created, listed, renamed, switched off, destroyed."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from tests.sdk.shapes import differences
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def caller(start: Start, session: ClientSession) -> Caller:
    caller = Caller(await start(poll_hold=0), session)
    await caller.clock.freeze()
    return caller


async def listed(caller: Caller, **params: Any) -> list[dict[str, Any]]:
    answer = await caller.call("DescribeSubAppIds", **params)
    found: list[dict[str, Any]] = answer["SubAppIdInfoSet"]
    return found


async def create(caller: Caller, name: str = "mine", **more: Any) -> int:
    answer = await caller.call("CreateSubAppId", Name=name, **more)
    created: int = answer["SubAppId"]
    return created


async def change(caller: Caller, action: str, sub_app_id: int, **more: Any) -> str | None:
    """The code of the error, if there is one."""
    answer = await caller.call(action, SubAppId=sub_app_id, **more)
    return answer["Error"]["Code"] if answer else None


async def test_an_application_is_created_listed_and_used(caller: Caller) -> None:
    tags = [{"TagKey": "team", "TagValue": "a"}]
    created = await create(caller, Description="d", Tags=tags)
    first, mine = await listed(caller)
    assert (mine["SubAppId"], mine["Name"], mine["SubAppIdName"], mine["Status"]) == (created, "mine", "mine", "On")
    assert (mine["Description"], mine["Tags"], mine["Mode"]) == ("d", tags, "fileid")
    assert [differences(one, "SubAppIdInfo") for one in (first, mine)] == [[], []]
    assert str(first["SubAppId"]) in caller.account.life.application().addresses.originals
    assert await caller.call("ModifyEventConfig", SubAppId=created, Mode="PUSH") == {}
    assert (await caller.call("DescribeEventConfig", SubAppId=created))["Mode"] == "PUSH"


async def test_applications_are_filtered_and_come_page_by_page(caller: Caller) -> None:
    created = [await create(caller, name) for name in ("a", "b", "b")]
    assert [one["SubAppId"] for one in await listed(caller, Name="b")] == created[1:]
    assert [one["SubAppId"] for one in await listed(caller, Offset=2, Limit=1)] == [created[1]]
    assert await listed(caller, Tags=[{"TagKey": "x"}]) == []


async def test_an_application_named_by_a_call_is_in_the_list(caller: Caller) -> None:
    await caller.call("PullEvents", SubAppId=1400000001)
    assert [one["SubAppId"] for one in await listed(caller)][1:] == [1400000001]


async def test_an_application_is_renamed_and_goes_through_its_states(caller: Caller) -> None:
    created = await create(caller)
    assert await change(caller, "ModifySubAppIdInfo", created, Name="yours") is None
    for status in ("Off", "On", "Off", "Destroyed"):
        assert await change(caller, "ModifySubAppIdStatus", created, Status=status) is None
    assert [(one["Name"], one["Status"]) for one in await listed(caller)][1:] == [("yours", "Destroying")]
    assert await change(caller, "ModifySubAppIdStatus", created, Status="On") == "InvalidParameterValue"
    await caller.clock.advance(300)
    assert (await listed(caller))[1]["Status"] == "Destroyed"
    assert await change(caller, "ModifySubAppIdStatus", created, Status="On") is None


async def test_the_first_application_keeps_its_name_and_is_destroyed_last(caller: Caller) -> None:
    [first] = await listed(caller)
    code = await change(caller, "ModifySubAppIdInfo", first["SubAppId"], Name="x")
    assert code == "InvalidParameterValue.SubAppId"
    created = await create(caller)
    code = await change(caller, "ModifySubAppIdStatus", first["SubAppId"], Status="Destroyed")
    assert code == "InvalidParameterValue"
    await change(caller, "ModifySubAppIdStatus", created, Status="Off")
    assert await change(caller, "ModifySubAppIdStatus", first["SubAppId"], Status="Destroyed") is None


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        ("CreateSubAppId", {}, "MissingParameter"),
        ("CreateSubAppId", {"Name": "x" * 41}, "InvalidParameterValue.Name"),
        ("CreateSubAppId", {"Name": "x", "Description": "x" * 301}, "InvalidParameterValue.Description"),
        ("CreateSubAppId", {"Name": "x", "Mode": "fileid+path"}, "MissingParameter"),
        ("ModifySubAppIdInfo", {"SubAppId": 5}, "InvalidParameterValue.SubAppId"),
        ("ModifySubAppIdStatus", {"SubAppId": 5, "Status": "On"}, "InvalidParameterValue"),
        ("DescribeSubAppIds", {"Limit": 201}, "InvalidParameterValue"),
    ],
)
async def test_a_call_is_refused_by_the_code_of_its_parameter(
    caller: Caller, action: str, params: dict[str, Any], code: str
) -> None:
    assert (await caller.call(action, **params))["Error"]["Code"] == code
    assert len(await listed(caller)) == 1


async def test_an_account_has_at_most_fifty_applications_beside_its_first(caller: Caller) -> None:
    for number in range(50):
        await create(caller, str(number))
    assert (await caller.call("CreateSubAppId", Name="more"))["Error"]["Code"] == "LimitExceeded"


async def test_a_new_application_is_not_ready_during_new_application_delay(
    start: Start, session: ClientSession
) -> None:
    caller = Caller(await start(new_application_delay=60), session)
    await caller.clock.freeze()
    created = await create(caller)
    error = (await caller.call("DescribeTranscodeTemplates", SubAppId=created))["Error"]
    assert error == {"Code": "FailedOperation", "Message": "invalid vod user"}
    assert await change(caller, "ModifySubAppIdStatus", created, Status="Off") == "FailedOperation"
    await caller.clock.advance(60)
    assert await change(caller, "ModifySubAppIdStatus", created, Status="Off") is None

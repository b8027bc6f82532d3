"""ConfirmEvents, DescribeEventConfig and ModifyEventConfig over plain HTTP."""

from typing import Any

import pytest

from tests.http.raw import FORM, RawClient, Start

# --- ConfirmEvents


async def test_no_handles_is_a_missing_parameter(raw_client: RawClient) -> None:
    for params in ("{}", '{"EventHandles": []}'):
        error = await raw_client.refuses("ConfirmEvents", params)
        assert (error["Code"], "`EventHandles`" in error["Message"]) == ("MissingParameter", True)


async def test_seventeen_handles_are_refused_and_none_is_confirmed(raw_client: RawClient) -> None:
    handles = await raw_client.pull()
    error = await raw_client.refuses("ConfirmEvents", {"EventHandles": handles * 8 + ["x"]})
    assert error["Code"] == "InvalidParameterValue"
    assert "`17 handles`" in error["Message"]
    assert "at most 16" in error["Message"]


@pytest.mark.parametrize(
    ("handles", "place", "value", "expected"),
    [
        ("830895250939762237", "EventHandles", "830895250939762237", "array"),
        ({"0": "a"}, "EventHandles", "object", "array"),
        ([830895250939762237], "EventHandles.0", "830895250939762237", "string"),
        (["a", None], "EventHandles.1", "null", "string"),
        (["a", ["b"]], "EventHandles.1", "array", "string"),
    ],
)
async def test_handles_are_an_array_of_strings(
    raw_client: RawClient, handles: Any, place: str, value: str, expected: str
) -> None:
    error = await raw_client.refuses("ConfirmEvents", {"EventHandles": handles})
    assert error == {
        "Code": "InvalidParameter",
        "Message": f"The value type of parameter `{place}` is not valid: got `{value}`, expected `{expected}`.",
    }


async def test_null_in_place_of_the_handles_is_a_missing_parameter(raw_client: RawClient) -> None:
    error = await raw_client.refuses("ConfirmEvents", {"EventHandles": None})
    assert (error["Code"], "`EventHandles`" in error["Message"]) == ("MissingParameter", True)


async def test_one_handle_without_an_index_is_no_array(raw_client: RawClient) -> None:
    error = await raw_client.refuses("ConfirmEvents", "EventHandles=1", headers=FORM)
    assert (error["Code"], "`array`" in error["Message"]) == ("InvalidParameter", True)


async def test_a_bad_handle_is_named_while_the_good_ones_are_confirmed(raw_client: RawClient) -> None:
    first, second = await raw_client.pull()
    answer = await raw_client.send("ConfirmEvents", {"EventHandles": [first, "nonsense", second]})
    assert answer.error == {
        "Code": "InvalidParameterValue",
        "Message": "The value `nonsense` specified in the parameter `EventHandles.1` is not valid: "
        "it is unknown or expired.",
    }
    assert raw_client.application.queue.leased == 0


async def test_one_bad_handle_refuses_the_batch_if_the_setting_says_so(start: Start) -> None:
    raw_client = RawClient(await start(bad_handle="refuse"))
    raw_client.emit(2)
    handles = await raw_client.pull()
    error = await raw_client.refuses("ConfirmEvents", {"EventHandles": [*handles, "nonsense"]})
    assert "`EventHandles.2`" in error["Message"]
    assert raw_client.application.queue.leased == 2


async def test_a_handle_may_be_confirmed_twice(raw_client: RawClient) -> None:
    first, second = await raw_client.pull()
    assert (await raw_client.send("ConfirmEvents", {"EventHandles": [first, first]})).inside == {}
    assert (await raw_client.send("ConfirmEvents", {"EventHandles": [first, second]})).inside == {}
    assert raw_client.application.queue.leased == 0


# --- DescribeEventConfig and ModifyEventConfig

INITIAL = {
    "Mode": "PULL",
    "NotificationUrl": "",
    "UploadMediaCompleteEventSwitch": "OFF",
    "DeleteMediaCompleteEventSwitch": "OFF",
    "PersistenceCompleteEventSwitch": "OFF",
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"Mode": "PUSH"},
        {"NotificationUrl": "https://example.com/callback?a=b"},
        {"UploadMediaCompleteEventSwitch": "ON"},
        {"DeleteMediaCompleteEventSwitch": "ON", "PersistenceCompleteEventSwitch": "ON"},
        {"Mode": "PUSH", "NotificationUrl": "http://127.0.0.1:9/", "UploadMediaCompleteEventSwitch": "ON"},
    ],
)
async def test_the_config_changes_in_what_is_named_and_nothing_else(
    raw_client: RawClient, changes: dict[str, str]
) -> None:
    assert (await raw_client.send("DescribeEventConfig")).inside == INITIAL
    assert (await raw_client.send("ModifyEventConfig", changes)).inside == {}
    assert (await raw_client.send("DescribeEventConfig")).inside == INITIAL | changes
    assert (await raw_client.send("ModifyEventConfig", dict.fromkeys(changes))).inside == {}  # a null names nothing
    assert (await raw_client.send("DescribeEventConfig")).inside == INITIAL | changes


async def test_an_address_alone_does_not_change_the_mode(raw_client: RawClient, start: Start) -> None:
    await raw_client.send("ModifyEventConfig", {"NotificationUrl": "http://127.0.0.1:9/"})
    assert (await raw_client.send("DescribeEventConfig")).inside["Mode"] == "PULL"
    pushing = RawClient(await start(callback_url="http://127.0.0.1:9/"))
    await pushing.send("ModifyEventConfig", {"NotificationUrl": ""})
    assert (await pushing.send("DescribeEventConfig")).inside == INITIAL | {"Mode": "PUSH"}


async def test_empty_texts_clear_the_address_and_the_sign_key(raw_client: RawClient) -> None:
    await raw_client.send("ModifyEventConfig", {"NotificationUrl": "http://127.0.0.1:9/", "SignKey": "abc"})
    assert raw_client.application.settings.sign_key == "abc"
    await raw_client.send("ModifyEventConfig", {"NotificationUrl": "", "SignKey": ""})
    assert (await raw_client.send("DescribeEventConfig")).inside == INITIAL
    assert raw_client.application.settings.sign_key == ""


@pytest.mark.parametrize(
    ("changes", "code", "named"),
    [
        ({"Mode": "pull"}, "InvalidParameterValue", ["`Mode`", "`pull`", "'PULL' or 'PUSH'"]),
        ({"Mode": ""}, "InvalidParameterValue", ["`Mode`", "'PULL' or 'PUSH'"]),
        ({"Mode": 1}, "InvalidParameterValue", ["`Mode`", "`1`"]),
        (
            {"UploadMediaCompleteEventSwitch": "on"},
            "InvalidParameterValue",
            ["`UploadMediaCompleteEventSwitch`", "`on`"],
        ),
        ({"NotificationUrl": "ftp://a/"}, "InvalidParameterValue", ["`NotificationUrl`", "`ftp://a/`", "http://"]),
        ({"NotificationUrl": "example.com"}, "InvalidParameterValue", ["`NotificationUrl`", "`example.com`"]),
        ({"NotificationUrl": "http://"}, "InvalidParameterValue", ["`NotificationUrl`", "`http://`"]),
        ({"NotificationUrl": "http://[::1"}, "InvalidParameterValue", ["`NotificationUrl`", "`http://[::1`"]),
        ({"NotificationUrl": "http://a:99999/"}, "InvalidParameterValue", ["`NotificationUrl`"]),
        ({"NotificationUrl": "http://a/" + "x" * 2048}, "InvalidParameterValue", ["`NotificationUrl`", "2048"]),
        ({"SignKey": "a-b"}, "InvalidParameterValue", ["`SignKey`", "(not shown)"]),
        ({"SignKey": "a" * 33}, "InvalidParameterValue", ["`SignKey`", "(not shown)"]),
        ({"SignKey": "abc\n"}, "InvalidParameterValue", ["`SignKey`"]),
        ({"NotificationURL": ""}, "UnknownParameter", ["`NotificationURL`"]),
    ],
)
async def test_an_invalid_value_changes_nothing(
    raw_client: RawClient, changes: dict[str, Any], code: str, named: list[str]
) -> None:
    error = await raw_client.refuses("ModifyEventConfig", {"PersistenceCompleteEventSwitch": "ON"} | changes)
    assert error["Code"] == code
    assert all(name in error["Message"] for name in named), error
    if "SignKey" in changes:
        assert changes["SignKey"] not in error["Message"]
    assert (await raw_client.send("DescribeEventConfig")).inside == INITIAL


async def test_each_application_has_a_config_of_its_own(raw_client: RawClient) -> None:
    await raw_client.send("ModifyEventConfig", {"Mode": "PUSH", "SubAppId": 1})
    await raw_client.send("ModifyEventConfig", {"DeleteMediaCompleteEventSwitch": "ON", "SubAppId": 2})
    assert (await raw_client.send("DescribeEventConfig", {"SubAppId": 1})).inside == INITIAL | {"Mode": "PUSH"}
    assert (await raw_client.send("DescribeEventConfig", {"SubAppId": 2})).inside == INITIAL | {
        "DeleteMediaCompleteEventSwitch": "ON"
    }
    assert (await raw_client.send("DescribeEventConfig")).inside == INITIAL
    assert (await raw_client.send("DescribeEventConfig", {"SubAppId": 0})).inside == INITIAL

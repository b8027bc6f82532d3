"""What API 3.0 answers to requests that it cannot take; nothing has changed then."""

import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from mockvod.app import Running, create_app
from mockvod.http import actions as api
from mockvod.http import more_actions
from mockvod.settings import Settings
from tests.http.raw import FORM, JSON, VERSION, RawClient, multipart

# --- errors of the request


@pytest.mark.parametrize(
    ("params", "code", "message"),
    [
        ({"Limit": 16}, "UnknownParameter", "The parameter `Limit` is not recognized."),
        ({"subAppId": 1}, "UnknownParameter", "The parameter `subAppId` is not recognized."),
        (
            {"SubAppId": "12"},
            "InvalidParameter",
            "The value type of parameter `SubAppId` is not valid: got `12`, expected `int`.",
        ),
        (
            {"SubAppId": True},
            "InvalidParameter",
            "The value type of parameter `SubAppId` is not valid: got `true`, expected `int`.",
        ),
        (
            {"SubAppId": 1.5},
            "InvalidParameter",
            "The value type of parameter `SubAppId` is not valid: got `1.5`, expected `int`.",
        ),
        (
            {"SubAppId": [1] * 1000},
            "InvalidParameter",
            "The value type of parameter `SubAppId` is not valid: got `array`, expected `int`.",
        ),
        (
            {"SubAppId": -1},
            "InvalidParameterValue",
            "The value `-1` specified in the parameter `SubAppId` is not valid: should be greater than or equal to 0.",
        ),
        (
            {"SubAppId": 2**63},
            "InvalidParameterValue",
            (
                "The value `9223372036854775808` specified in the parameter `SubAppId` is not valid: "
                "should be less than 9223372036854775808."
            ),
        ),
    ],
)
async def test_an_invalid_parameter_is_named_with_its_value(
    raw_client: RawClient, params: dict[str, Any], code: str, message: str
) -> None:
    assert await raw_client.refuses("DescribeEventsState", params) == {"Code": code, "Message": message}


async def test_a_common_parameter_in_the_body_is_unknown_if_headers_name_the_action(raw_client: RawClient) -> None:
    for name in ("Action", "Version", "Nonce", "Region"):
        error = await raw_client.refuses("DescribeEventsState", {name: "x"})
        assert error == {"Code": "UnknownParameter", "Message": f"The parameter `{name}` is not recognized."}


async def test_a_parameter_may_be_null(raw_client: RawClient) -> None:
    params = {"SubAppId": None}
    assert (await raw_client.send("DescribeEventsState", params)).inside == {"CountOfEventsToPull": 2}


@pytest.mark.parametrize(
    ("query", "code", "named"),
    [
        ("Limit=16", "UnknownParameter", ["`Limit`"]),
        ("SubAppId=abc", "InvalidParameter", ["`SubAppId`", "`abc`", "`int`"]),
        ("SubAppId=", "InvalidParameter", ["`SubAppId`", "`int`"]),
        ("SubAppId=-1", "InvalidParameterValue", ["`SubAppId`", "`-1`"]),
        ("SubAppId=" + "9" * 5000, "InvalidParameterValue", ["`SubAppId`", "`9999"]),
        ("SubAppId.0=1", "InvalidParameter", ["`SubAppId`", "`array`", "`int`"]),
        ("SubAppId.A=1", "InvalidParameter", ["`SubAppId`", "`object`", "`int`"]),
        ("SubAppId=1&SubAppId=2", "InvalidParameter", ["`SubAppId`", "more than once"]),
        ("SubAppId", "InvalidParameter", ["splited by `=`"]),
        ("SubAppId=1&&", "InvalidParameter", ["splited by `=`"]),
        ("SubAppId=%ff", "InvalidParameter", ["UTF-8"]),
        ("&".join(f"P{n}=1" for n in range(1001)), "InvalidParameter", ["1000"]),
        (".=1", "InvalidParameter", ["`.`"]),
        ("=1", "InvalidParameter", ["empty part"]),
        ("SubAppId%00=1", "UnknownParameter", ["`SubAppId\0`"]),
    ],
)
async def test_an_invalid_query_says_where(raw_client: RawClient, query: str, code: str, named: list[str]) -> None:
    for how in ({"method": "GET", "target": f"/?{query}"}, {"body": query, "headers": FORM}):
        error = await raw_client.refuses("DescribeEventsState", **how)
        assert error["Code"] == code
        assert all(name in error["Message"] for name in named), error


@pytest.mark.parametrize("query", ["ExtInfo=%", "ExtInfo=%zz&SubAppId=0", "ExtInfo=%00", "ExtInfo=a=b", "ExtInfo=%2"])
async def test_a_bad_percent_encoding_is_taken_literally(raw_client: RawClient, query: str) -> None:
    answer = await raw_client.send("PullEvents", method="GET", target=f"/?{query}")
    assert len(answer.inside["EventSet"]) == 2


@pytest.mark.parametrize("target", [b"/?ExtInfo=\xff\xfe", b"/?ExtInfo=\0", b"/?\x01"])
async def test_a_malformed_request_gets_status_400(raw_client: RawClient, target: bytes) -> None:
    before = raw_client.state()
    answer = await raw_client.send("DescribeEventsState", method="GET", target=target)
    assert answer.start.endswith("400 Bad Request")
    assert raw_client.state() == before
    assert (await raw_client.send("DescribeEventsState")).inside == {"CountOfEventsToPull": 2}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"not JSON", ["not valid JSON", "char 0"]),
        (b"{", ["not valid JSON"]),
        (b'{"SubAppId": 1} x', ["not valid JSON", "Extra data"]),
        (b"", ["not valid JSON"]),
        (b" \r\n", ["not valid JSON"]),
        (b"[{}]", ["JSON object", "`[{}]`"]),
        (b'"text"', ["JSON object"]),
        (b"7", ["JSON object"]),
        (b'{"ExtInfo": "\xff"}', ["UTF-8", "0xff", "position 13"]),
        (b'{"SubAppId": NaN}', ["not valid JSON", "NaN"]),
        (b'{"SubAppId": -Infinity}', ["not valid JSON", "-Infinity"]),
        (b'{"SubAppId": ' + b"9" * 5000 + b"}", ["not valid JSON"]),
        (b'{"SubAppId": 1, "ExtInfo": "", "SubAppId": 2}', ["`SubAppId`", "more than once"]),
        (b"[" * 100_000, ["not valid JSON"]),
        (b'{"a":' * 100_000, ["not valid JSON"]),
        (b'{"ExtInfo": "\0"}', ["not valid JSON", "control character"]),
        (b"\0", ["not valid JSON"]),
    ],
    ids=lambda value: repr(value)[:30],
)
async def test_a_body_that_is_not_a_json_object_is_refused_with_the_reason(
    raw_client: RawClient, body: bytes, named: list[str]
) -> None:
    error = await raw_client.refuses("DescribeEventsState", body, headers=JSON)
    assert error["Code"] == "InvalidParameter"
    assert all(name in error["Message"] for name in named), error


@pytest.mark.parametrize("depth", [10, 100, 300, 500, 700, 800, 850, 900, 950, 1000, 5000])
async def test_nesting_of_any_depth_is_not_an_unhandled_exception(raw_client: RawClient, depth: int) -> None:
    for body in ('{"SubAppId":' + "[" * depth + "]" * depth + "}", '{"A":' * depth + "1" + "}" * depth):
        error = await raw_client.refuses("DescribeEventsState", body)
        assert error["Code"] in {"InvalidParameter", "UnknownParameter"}


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("ConfirmEvents", r'{"EventHandles": ["\ud800"]}'),
        ("ModifyEventConfig", r'{"NotificationUrl": "http://\udfff"}'),
        ("ModifyEventConfig", r'{"Mode": "\ud83d"}'),
        ("DescribeEventsState", r'{"\ud800": 1}'),
        ("DescribeEventsState", r'{"SubAppId": "\ud800"}'),
    ],
)
async def test_a_lone_surrogate_is_refused_and_shown(raw_client: RawClient, action: str, body: str) -> None:
    error = await raw_client.refuses(action, body)
    assert error["Code"] in {"InvalidParameter", "InvalidParameterValue", "UnknownParameter"}


async def test_a_body_of_more_than_10_mb_is_too_large(raw_client: RawClient) -> None:
    error = await raw_client.refuses("DescribeEventsState", b'{"ExtInfo": "%b"}' % (b"x" * 10 * 1024 * 1024))
    assert (error["Code"], "10485760" in error["Message"]) == ("RequestSizeLimitExceeded", True)


async def test_a_body_of_just_10_mb_is_not(raw_client: RawClient) -> None:
    frame = len('{"SubAppId": 0}')
    body = b'{"SubAppId": %b0}' % (b" " * (10 * 1024 * 1024 - frame))
    assert (await raw_client.send("DescribeEventsState", body)).inside == {"CountOfEventsToPull": 2}


async def test_a_small_body_that_becomes_more_than_10_mb_is_too_large(raw_client: RawClient) -> None:
    body = zlib.compress(b'{"ExtInfo": "%b"}' % (b"x" * 10 * 1024 * 1024))
    error = await raw_client.refuses("DescribeEventsState", body, headers={"Content-Encoding": "deflate"})
    assert error["Code"] == "RequestSizeLimitExceeded"


async def test_a_multipart_body_of_more_than_1_mb_is_too_large(raw_client: RawClient) -> None:
    content_type = {"Content-Type": "multipart/form-data; boundary=xx"}
    error = await raw_client.refuses("DescribeEventsState", multipart(ExtInfo="x" * 1024 * 1024), headers=content_type)
    assert error["Code"] == "RequestSizeLimitExceeded"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=xx", b"no parts"),
        ("multipart/form-data; boundary=xx", b"--xx\r\n\r\nnameless\r\n--xx--\r\n"),
    ],
)
async def test_a_malformed_multipart_body_is_an_invalid_request(
    raw_client: RawClient, content_type: str, body: bytes
) -> None:
    error = await raw_client.refuses("DescribeEventsState", body, headers={"Content-Type": content_type})
    assert error["Code"] == "InvalidRequest"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_decompressed_is_an_invalid_request(
    raw_client: RawClient, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await raw_client.send("DescribeEventsState", b"not compressed", headers={"Content-Encoding": encoding})
    assert answer.code == "InvalidRequest"
    assert {record.levelname for record in caplog.records if record.name.startswith("mockvod")} <= {"WARNING"}


@pytest.fixture
async def roomy() -> AsyncIterator[RawClient]:
    """A server that reads request lines longer than any that it accepts."""
    app = create_app(Settings(port=0, seed=7))
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, max_line_size=64 * 1024)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    from mockvod.app import WORLD

    raw_client = RawClient(Running(app[WORLD], "127.0.0.1", runner.addresses[0][1]))
    raw_client.emit(2)
    yield raw_client
    await runner.cleanup()


async def test_a_get_of_more_than_32_kb_is_too_large(roomy: RawClient) -> None:
    query = "ExtInfo=" + "x" * (32 * 1024 - len("ExtInfo="))
    assert (await roomy.send("DescribeEventsState", method="GET", target=f"/?{query}")).inside
    error = await roomy.refuses("DescribeEventsState", method="GET", target=f"/?{query}x")
    assert (error["Code"], "32768" in error["Message"]) == ("RequestSizeLimitExceeded", True)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
async def test_no_method_but_get_and_post_is_supported(raw_client: RawClient, method: str) -> None:
    error = await raw_client.refuses("DescribeEventsState", "{}", method=method)
    assert (error["Code"], f"`{method}`" in error["Message"]) == ("UnsupportedProtocol", True)


async def test_head_has_no_body(raw_client: RawClient) -> None:
    answer = await raw_client.send("DescribeEventsState", method="HEAD")
    assert answer.start == "HTTP/1.1 200 OK"
    assert (answer.headers["content-type"], answer.body) == ("application/json", b"")
    assert (await raw_client.send("DescribeEventsState")).inside == {"CountOfEventsToPull": 2}


# --- the action and its version


async def test_an_action_that_does_not_exist_is_invalid(raw_client: RawClient) -> None:
    for action in ("PulEvents", "pullEvents", "云"):
        error = await raw_client.refuses(action, "{}")
        assert error == {
            "Code": "InvalidAction",
            "Message": f"The request `Action` is invalid or not found. Action: `{action}`.",
        }


async def test_an_action_that_is_not_utf_8_is_invalid(raw_client: RawClient) -> None:
    error = await raw_client.refuses(headers={"X-TC-Action": b"\xff\xfe", "X-TC-Version": VERSION})
    assert error["Code"] == "InvalidAction"


async def test_an_action_of_vod_that_is_not_simulated_is_named_with_those_that_are(raw_client: RawClient) -> None:
    error = await raw_client.refuses("DescribeCdnLogs", {"DomainName": "a"})
    assert error["Code"] == "UnsupportedOperation"
    assert "`DescribeCdnLogs`" in error["Message"]
    assert all(action in error["Message"] for action in api.SIMULATED)


def test_the_later_actions_of_api_3_0_exist() -> None:
    assert sorted(more_actions.ACTIONS) == sorted(api.LATER)


async def test_no_action_is_a_missing_parameter(raw_client: RawClient) -> None:
    for action in (None, ""):
        error = await raw_client.refuses(action)
        assert (error["Code"], "`Action`" in error["Message"]) == ("MissingParameter", True)


async def test_with_an_empty_action_header_the_parameter_counts(raw_client: RawClient) -> None:
    target = f"/?Action=DescribeEventsState&Version={VERSION}"
    for method in ("GET", "POST"):
        answer = await raw_client.send(method=method, target=target, headers={"X-TC-Action": ""})
        assert answer.inside == {"CountOfEventsToPull": 2}


async def test_no_version_is_a_missing_parameter(raw_client: RawClient) -> None:
    error = await raw_client.refuses("PullEvents", "{}", version=None)
    assert (error["Code"], "`Version`" in error["Message"]) == ("MissingParameter", True)


@pytest.mark.parametrize("version", ["2019-07-22", "2018-07-17x", "1"])
async def test_any_other_version_is_refused(raw_client: RawClient, version: str) -> None:
    error = await raw_client.refuses("PullEvents", "{}", version=version)
    assert error == {
        "Code": "NoSuchVersion",
        "Message": f"The specified api version=`{version}` does not exist in service=`vod`.",
    }

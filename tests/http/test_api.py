"""API 3.0 as plain HTTP: every form of a request, every error, and what other SDKs than Python's send."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

import pytest
from aiohttp import web

from mockvod.app import Running, create_app
from mockvod.http import actions as api
from mockvod.http import processing
from mockvod.settings import Settings
from mockvod.vod.application import Application
from mockvod.vod.clock import real_time
from mockvod.wire import signing
from mockvod.wire.events import SNAPSHOT_COMPLETE
from tests.support import Caller

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
SECRET = {"secret_id": SECRET_ID, "secret_key": SECRET_KEY}
VERSION = "2018-07-17"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
JSON = {"Content-Type": "application/json"}

Start = Callable[..., Awaitable[Running]]


# --- sending and reading bytes


@dataclass
class Answer:
    """A response as it came over the socket."""

    start: str
    headers: dict[str, str]
    body: bytes

    @property
    def inside(self) -> dict[str, Any]:
        """The inside of `Response`, less its RequestId; the envelope is checked."""
        assert self.start.split(" ", 1)[1] == "200 OK"
        assert self.headers["content-type"] == "application/json"
        document = json.loads(self.body)
        assert list(document) == ["Response"]
        inside: dict[str, Any] = document["Response"]
        UUID(inside.pop("RequestId"))
        return inside

    @property
    def error(self) -> dict[str, str]:
        inside = self.inside
        assert list(inside) == ["Error"]
        error: dict[str, str] = inside["Error"]
        assert list(error) == ["Code", "Message"]
        return error

    @property
    def code(self) -> str:
        return self.error["Code"]


async def read_answer(reader: asyncio.StreamReader, *, bodiless: bool = False) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    start, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = 0 if bodiless else int(headers.get("content-length", 0))
    return Answer(start, headers, await reader.readexactly(length))


async def exchange(port: int, *pieces: bytes, bodiless: bool = False) -> Answer:
    """The answer to the bytes of one request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        async with asyncio.timeout(10):
            for piece in pieces:
                writer.write(piece)
            return await read_answer(reader, bodiless=bodiless)
    finally:
        writer.close()


@dataclass
class Door:
    """A server as a client of any language reaches it: no header and no byte but those given."""

    running: Running

    @property
    def application(self) -> Application:
        return self.running.world.default.application()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.running.port}"

    async def send(
        self,
        action: str | None = None,
        body: bytes | str | Mapping[str, Any] = b"",
        *,
        method: str = "POST",
        target: str | bytes = "/",
        headers: Mapping[str, str | bytes] | None = None,
        version: str | None = VERSION,
    ) -> Answer:
        """The answer to one request; *action* and *version* go into their X-TC headers."""
        raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        sent: dict[str, str | bytes] = {"Host": self.host}
        if action is not None:
            sent["X-TC-Action"] = action
        if action is not None and version is not None:
            sent["X-TC-Version"] = version
        sent |= headers or {}
        if raw:
            sent.setdefault("Content-Length", str(len(raw)))
        lines = b"".join(
            b"%b: %b\r\n" % (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in sent.items()
        )
        path = target if isinstance(target, bytes) else target.encode()
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method.encode(), path, lines)
        return await exchange(self.running.port, head, raw, bodiless=method == "HEAD")

    def emit(self, count: int = 1) -> None:
        app = self.application
        for _ in range(count):
            app.emit(SNAPSHOT_COMPLETE, app.snapshot_task())

    async def pull(self) -> list[str]:
        """Handles."""
        return [content["EventHandle"] for content in (await self.send("PullEvents", "{}")).inside["EventSet"]]

    def state(self) -> Any:
        """All that a request could have changed."""
        account = self.running.world.default
        return (
            sum(entry.what != "confirm_refused" for entry in account.journal.since(0)),
            dict(account.events.counts),
            account.settings,
            [(one.name, one.settings, one.queue.visible, one.queue.leased) for one in account.applications()],
        )

    async def refuses(self, *args: Any, **kwargs: Any) -> dict[str, str]:
        """The error that a request is answered with; it has changed nothing, and the server goes on answering."""
        before = self.state()
        error = (await self.send(*args, **kwargs)).error
        assert self.state() == before
        assert (await self.send("DescribeEventConfig", "{}")).inside["Mode"] == "PULL"
        return error


@pytest.fixture
async def door(running: Running) -> Door:
    door = Door(running)
    door.emit(2)
    return door


# --- forms of a request


async def handles_of_two(door: Door) -> list[str]:
    handles = await door.pull()
    assert door.application.queue.leased == 2
    return handles


def multipart(**parts: Any) -> bytes:
    body = b"".join(
        b'--xx\r\nContent-Disposition: form-data; name="%b"\r\n%b\r\n%b\r\n'
        % (
            name.encode(),
            b"Content-Type: application/json\r\n" if isinstance(value, list) else b"",
            (json.dumps(value) if isinstance(value, list) else str(value)).encode(),
        )
        for name, value in parts.items()
    )
    return body + b"--xx--\r\n"


@pytest.mark.parametrize(
    "headers",
    [
        JSON,
        {"Content-Type": "application/json; charset=utf-8"},
        {"Content-Type": "APPLICATION/JSON"},
        {"Content-Type": "text/plain"},
        {},
    ],
)
async def test_parameters_may_be_json_under_any_name(door: Door, headers: dict[str, str]) -> None:
    handles = await handles_of_two(door)
    assert (await door.send("ConfirmEvents", {"EventHandles": handles}, headers=headers)).inside == {}
    assert door.application.queue.leased == 0


async def test_parameters_may_be_in_a_query_beside_the_headers(door: Door) -> None:
    first, second = await handles_of_two(door)
    query = urlencode({"EventHandles.0": first, "EventHandles.1": second, "SubAppId": "0"})
    assert (await door.send("ConfirmEvents", method="GET", target=f"/?{query}")).inside == {}
    assert door.application.queue.leased == 0


async def test_parameters_may_be_a_form_beside_the_headers(door: Door) -> None:
    first, second = await handles_of_two(door)
    form = urlencode({"EventHandles.0": first, "EventHandles.1": second})
    content_type = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert (await door.send("ConfirmEvents", form, headers=content_type)).inside == {}
    assert door.application.queue.leased == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_everything_may_be_parameters(door: Door, method: str) -> None:
    first, second = await handles_of_two(door)
    params = urlencode(
        {
            "Action": "ConfirmEvents",
            "Version": VERSION,
            "Region": "",
            "Language": "zh-CN",
            "RequestClient": "SDK_GO_1.0",
            "Nonce": "0",
            "Timestamp": "1",
            "EventHandles.0": first,
            "EventHandles.1": second,
        }
    )
    if method == "GET":
        answer = await door.send(method="GET", target=f"/?{params}")
    else:
        answer = await door.send(body=params, headers=FORM)
    assert answer.inside == {}
    assert door.application.queue.leased == 0


async def test_the_action_may_be_in_the_query_and_its_parameters_in_a_json_body(door: Door) -> None:
    handles = await handles_of_two(door)
    target = f"/?Action=ConfirmEvents&Version={VERSION}"
    assert (await door.send(body={"EventHandles": handles}, target=target, headers=JSON)).inside == {}
    assert (await door.send(target="/?Action=DescribeEventsState&Version=" + VERSION)).inside == {
        "CountOfEventsToPull": 0
    }


async def test_parameters_may_be_multipart(door: Door) -> None:
    handles = await handles_of_two(door)
    content_type = {"Content-Type": "multipart/form-data; charset=utf-8; boundary=xx"}
    body = multipart(EventHandles=handles, SubAppId=0)
    assert (await door.send("ConfirmEvents", body, headers=content_type)).inside == {}
    assert door.application.queue.leased == 0


@pytest.mark.parametrize("body", [b"", b"{}", b" \r\n"])
async def test_no_parameters_need_no_body(door: Door, body: bytes) -> None:
    assert (await door.send("DescribeEventsState", body, headers=JSON)).inside == {"CountOfEventsToPull": 2}


async def test_a_gap_in_the_indexes_is_closed_as_go_leaves_it(door: Door) -> None:
    first, second = await handles_of_two(door)
    form = f"EventHandles.4={second}&EventHandles.3={first}&ExtInfo="
    assert (await door.send("ConfirmEvents", form, headers=FORM)).inside == {}
    assert door.application.queue.leased == 0


async def test_a_body_may_come_in_chunks(door: Door) -> None:
    handles = await handles_of_two(door)
    body = json.dumps({"EventHandles": handles}).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: {door.host}\r\nX-TC-Action: ConfirmEvents\r\nX-TC-Version: {VERSION}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:7], body[7:])]
    assert (await exchange(door.running.port, head.encode(), *chunks, b"0\r\n\r\n")).inside == {}
    assert door.application.queue.leased == 0


async def test_a_client_that_expects_100_continue_is_told_to(door: Door) -> None:
    body = json.dumps({"EventHandles": await handles_of_two(door), "ExtInfo": "x" * 2000}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", door.running.port)
    writer.write(
        f"POST / HTTP/1.1\r\nHost: {door.host}\r\nX-TC-Action: ConfirmEvents\r\nX-TC-Version: {VERSION}\r\n"
        f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(body)
        assert (await read_answer(reader)).inside == {}
    writer.close()


async def test_http_1_0_is_spoken(door: Door) -> None:
    head = "POST / HTTP/1.0\r\nX-TC-Action: DescribeEventsState\r\n"
    head += f"X-TC-Version: {VERSION}\r\nContent-Length: 2\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", door.running.port)
    writer.write(head.encode() + b"{}")
    async with asyncio.timeout(10):
        assert (await read_answer(reader)).inside == {"CountOfEventsToPull": 2}
        assert await reader.read() == b""  # and the connection is closed, as 1.0 has it
    writer.close()


async def test_requests_follow_each_other_on_one_connection(door: Door) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", door.running.port)
    one = (
        f"POST / HTTP/1.1\r\nHost: h\r\nX-TC-Action: DescribeEventsState\r\nX-TC-Version: {VERSION}\r\nContent-Length: "
    )
    async with asyncio.timeout(10):
        writer.write(one.encode() + b"3\r\n\r\nnot" + one.encode() + b"2\r\n\r\n{}")
        assert (await read_answer(reader)).code == "InvalidParameter"
        assert (await read_answer(reader)).inside == {"CountOfEventsToPull": 2}
    writer.close()


async def test_the_host_may_be_no_host_at_all(door: Door) -> None:
    for host in ("", "[", "a b", "云:x"):
        assert (await door.send("DescribeEventsState", headers={"Host": host})).inside == {"CountOfEventsToPull": 2}


async def test_the_target_may_be_absolute_as_proxies_send_it(door: Door) -> None:
    target = f"http://{door.host}/?SubAppId=0"
    assert (await door.send("DescribeEventsState", method="GET", target=target)).inside == {"CountOfEventsToPull": 2}


# --- the envelope


async def test_every_answer_has_a_request_id_of_its_own(door: Door) -> None:
    answers = [await door.send(action) for action in ("DescribeEventsState", "DescribeEventsState", "Nonsense", None)]
    ids = {json.loads(answer.body)["Response"]["RequestId"] for answer in answers}
    assert len(ids) == 4


async def test_the_request_id_is_the_last_key(door: Door) -> None:
    for action in ("PullEvents", "DescribeEventConfig", "Nonsense"):
        answer = await door.send(action)
        assert list(json.loads(answer.body)["Response"])[-1] == "RequestId"


async def test_answers_are_compact_utf_8(door: Door) -> None:
    answer = await door.send("ModifyEventConfig", {"Mode": "云"}, headers={"X-TC-Language": "zh-CN"})
    assert "参数 `Mode` 的取值 `云` 无效".encode() in answer.body
    assert b'{"Response":{"Error":{"Code":"InvalidParameterValue","Message":"' in answer.body


async def test_a_mistake_of_ours_is_an_internal_error_with_a_traceback_in_the_log(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    row = api.ACTIONS["DescribeEventsState"]
    monkeypatch.setitem(api.ACTIONS, "DescribeEventsState", api.Action(row.call, broken))
    answer = await door.send("DescribeEventsState")
    assert answer.error == {
        "Code": "InternalError",
        "Message": "An internal error has occurred. Retry your request, but if the problem persists, contact us.",
    }
    [record] = [record for record in caplog.records if record.name == "mockvod.api"]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


# --- languages


@pytest.mark.parametrize(
    ("headers", "query", "message"),
    [
        ({}, "", "The request is missing a required parameter `EventHandles`."),
        ({"X-TC-Language": "en-US"}, "", "The request is missing a required parameter `EventHandles`."),
        ({"X-TC-Language": "tlh"}, "", "The request is missing a required parameter `EventHandles`."),
        ({"X-TC-Language": "zh-CN"}, "", "请求缺少必要参数 `EventHandles`。"),
        ({}, "zh-CN", "请求缺少必要参数 `EventHandles`。"),
        ({"X-TC-Language": "en-US"}, "zh-CN", "The request is missing a required parameter `EventHandles`."),
    ],
)
async def test_messages_are_chinese_for_whom_asks_for_it(
    door: Door, headers: dict[str, str], query: str, message: str
) -> None:
    target = f"/?Action=ConfirmEvents&Version={VERSION}" + (f"&Language={query}" if query else "")
    answer = await door.send(method="GET", target=target, headers=headers)
    assert answer.error == {"Code": "MissingParameter", "Message": message}


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
async def test_no_event_is_no_event_in_every_language(start: Start, language: str) -> None:
    door = Door(await start(poll_hold=0))
    answer = await door.send("PullEvents", headers={"X-TC-Language": language})
    assert answer.error == {"Code": "ResourceNotFound", "Message": "no event"}


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
            {"ExtInfo": 7},
            "InvalidParameter",
            "The value type of parameter `ExtInfo` is not valid: got `7`, expected `string`.",
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
async def test_a_parameter_that_does_not_fit_is_named_with_its_value(
    door: Door, params: dict[str, Any], code: str, message: str
) -> None:
    assert await door.refuses("DescribeEventsState", params) == {"Code": code, "Message": message}


async def test_a_common_parameter_is_none_of_the_actions_when_headers_name_it(door: Door) -> None:
    for name in ("Action", "Version", "Nonce", "Region"):
        error = await door.refuses("DescribeEventsState", {name: "x"})
        assert error == {"Code": "UnknownParameter", "Message": f"The parameter `{name}` is not recognized."}


async def test_a_parameter_may_be_null(door: Door) -> None:
    params = {"SubAppId": None, "ExtInfo": None}
    assert (await door.send("DescribeEventsState", params)).inside == {"CountOfEventsToPull": 2}


@pytest.mark.parametrize(
    ("query", "code", "named"),
    [
        ("Limit=16", "UnknownParameter", ["`Limit`"]),
        ("SubAppId=abc", "InvalidParameter", ["`SubAppId`", "`abc`", "`int`"]),
        ("SubAppId=", "InvalidParameter", ["`SubAppId`", "`int`"]),
        ("SubAppId=-1", "InvalidParameterValue", ["`SubAppId`", "`-1`"]),
        ("SubAppId=" + "9" * 5000, "InvalidParameterValue", ["`SubAppId`", "`9999"]),
        ("SubAppId.0=1", "InvalidParameter", ["`SubAppId`", "`array`", "`int`"]),
        ("ExtInfo.A=1", "InvalidParameter", ["`ExtInfo`", "`object`", "`string`"]),
        ("SubAppId=1&SubAppId=2", "InvalidParameter", ["`SubAppId`", "more than once"]),
        ("SubAppId", "InvalidParameter", ["splited by `=`"]),
        ("SubAppId=1&&", "InvalidParameter", ["splited by `=`"]),
        ("ExtInfo=%ff", "InvalidParameter", ["UTF-8"]),
        ("&".join(f"P{n}=1" for n in range(1001)), "InvalidParameter", ["1000"]),
        (".=1", "InvalidParameter", ["`.`"]),
        ("=1", "InvalidParameter", ["empty part"]),
        ("SubAppId%00=1", "UnknownParameter", ["`SubAppId\0`"]),
    ],
)
async def test_a_query_that_does_not_fit_says_where(door: Door, query: str, code: str, named: list[str]) -> None:
    for how in ({"method": "GET", "target": f"/?{query}"}, {"body": query, "headers": FORM}):
        error = await door.refuses("DescribeEventsState", **how)
        assert error["Code"] == code
        assert all(name in error["Message"] for name in named), error


@pytest.mark.parametrize("query", ["ExtInfo=%", "ExtInfo=%zz&SubAppId=0", "ExtInfo=%00", "ExtInfo=a=b", "ExtInfo=%2"])
async def test_a_bad_percent_encoding_is_taken_as_it_stands(door: Door, query: str) -> None:
    answer = await door.send("DescribeEventsState", method="GET", target=f"/?{query}")
    assert answer.inside == {"CountOfEventsToPull": 2}


@pytest.mark.parametrize("target", [b"/?ExtInfo=\xff\xfe", b"/?ExtInfo=\0", b"/?\x01"])
async def test_what_is_no_http_is_refused_as_http_has_it(door: Door, target: bytes) -> None:
    before = door.state()
    answer = await door.send("DescribeEventsState", method="GET", target=target)
    assert answer.start.endswith("400 Bad Request")
    assert door.state() == before
    assert (await door.send("DescribeEventsState")).inside == {"CountOfEventsToPull": 2}


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (b"not JSON", ["not valid JSON", "char 0"]),
        (b"{", ["not valid JSON"]),
        (b'{"SubAppId": 1} x', ["not valid JSON", "Extra data"]),
        (b"[]", ["JSON object", "`[]`"]),
        (b'"text"', ["JSON object"]),
        (b"null", ["JSON object", "`null`"]),
        (b"7", ["JSON object"]),
        (b'{"ExtInfo": "\xff"}', ["UTF-8", "0xff", "position 13"]),
        (b"\xef\xbb\xbf{}", ["not valid JSON"]),
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
async def test_a_body_that_is_no_json_object_is_refused_by_what_is_wrong(
    door: Door, body: bytes, named: list[str]
) -> None:
    error = await door.refuses("DescribeEventsState", body, headers=JSON)
    assert error["Code"] == "InvalidParameter"
    assert all(name in error["Message"] for name in named), error


@pytest.mark.parametrize("depth", [10, 100, 300, 500, 700, 800, 850, 900, 950, 1000, 5000])
async def test_depth_is_no_mistake_of_ours_at_any_depth(door: Door, depth: int) -> None:
    for body in ('{"SubAppId":' + "[" * depth + "]" * depth + "}", '{"A":' * depth + "1" + "}" * depth):
        error = await door.refuses("DescribeEventsState", body)
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
async def test_half_a_character_is_refused_and_shown(door: Door, action: str, body: str) -> None:
    error = await door.refuses(action, body)
    assert error["Code"] in {"InvalidParameter", "InvalidParameterValue", "UnknownParameter"}


async def test_a_body_of_more_than_10_mb_is_too_large(door: Door) -> None:
    error = await door.refuses("DescribeEventsState", b'{"ExtInfo": "%b"}' % (b"x" * 10 * 1024 * 1024))
    assert (error["Code"], "10485760" in error["Message"]) == ("RequestSizeLimitExceeded", True)


async def test_a_body_of_just_10_mb_is_not(door: Door) -> None:
    frame = len('{"ExtInfo": ""}')
    body = b'{"ExtInfo": "%b"}' % (b"x" * (10 * 1024 * 1024 - frame))
    assert (await door.send("DescribeEventsState", body)).inside == {"CountOfEventsToPull": 2}


async def test_a_multipart_body_of_more_than_1_mb_is_too_large(door: Door) -> None:
    content_type = {"Content-Type": "multipart/form-data; boundary=xx"}
    error = await door.refuses("DescribeEventsState", multipart(ExtInfo="x" * 1024 * 1024), headers=content_type)
    assert error["Code"] == "RequestSizeLimitExceeded"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("multipart/form-data", b"x"),
        ("multipart/form-data; boundary=xx", b"no parts"),
        ("multipart/form-data; boundary=xx", b"--xx\r\n\r\nnameless\r\n--xx--\r\n"),
    ],
)
async def test_a_malformed_multipart_body_is_an_invalid_request(door: Door, content_type: str, body: bytes) -> None:
    error = await door.refuses("DescribeEventsState", body, headers={"Content-Type": content_type})
    assert error["Code"] == "InvalidRequest"


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_decompressed_is_an_invalid_request(
    door: Door, encoding: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await door.send("DescribeEventsState", b"not compressed", headers={"Content-Encoding": encoding})
    assert answer.code == "InvalidRequest"
    assert not [record for record in caplog.records if record.name.startswith("mockvod")]


@pytest.fixture
async def roomy() -> AsyncIterator[Door]:
    """A server that reads request lines longer than any that it accepts."""
    app = create_app(Settings(port=0, seed=7))
    runner = web.AppRunner(app, access_log=None, handler_cancellation=True, max_line_size=64 * 1024)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    from mockvod.app import WORLD

    door = Door(Running(app[WORLD], "127.0.0.1", runner.addresses[0][1]))
    door.emit(2)
    yield door
    await runner.cleanup()


async def test_a_get_of_more_than_32_kb_is_too_large(roomy: Door) -> None:
    query = "ExtInfo=" + "x" * (32 * 1024 - len("ExtInfo="))
    assert (await roomy.send("DescribeEventsState", method="GET", target=f"/?{query}")).inside
    error = await roomy.refuses("DescribeEventsState", method="GET", target=f"/?{query}x")
    assert (error["Code"], "32768" in error["Message"]) == ("RequestSizeLimitExceeded", True)


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"])
async def test_no_method_but_get_and_post_is_supported(door: Door, method: str) -> None:
    error = await door.refuses("DescribeEventsState", "{}", method=method)
    assert (error["Code"], f"`{method}`" in error["Message"]) == ("UnsupportedProtocol", True)


async def test_head_is_answered_without_a_body(door: Door) -> None:
    answer = await door.send("DescribeEventsState", method="HEAD")
    assert answer.start == "HTTP/1.1 200 OK"
    assert (answer.headers["content-type"], answer.body) == ("application/json", b"")
    assert (await door.send("DescribeEventsState")).inside == {"CountOfEventsToPull": 2}


# --- the action and its version


async def test_an_action_that_does_not_exist_is_invalid(door: Door) -> None:
    for action in ("PulEvents", "pullEvents", "云"):
        error = await door.refuses(action, "{}")
        assert error == {
            "Code": "InvalidAction",
            "Message": f"The request `Action` is invalid or not found. Action: `{action}`.",
        }


async def test_the_bytes_of_an_action_need_be_no_utf_8(door: Door) -> None:
    error = await door.refuses(headers={"X-TC-Action": b"\xff\xfe", "X-TC-Version": VERSION})
    assert error["Code"] == "InvalidAction"


async def test_an_action_of_vod_that_is_not_simulated_is_named_with_those_that_are(door: Door) -> None:
    error = await door.refuses("DescribeCdnLogs", {"DomainName": "a"})
    assert error["Code"] == "UnsupportedOperation"
    assert "`DescribeCdnLogs`" in error["Message"]
    assert all(action in error["Message"] for action in api.SIMULATED)


def test_the_actions_whose_rows_are_elsewhere_are_those_that_are_there() -> None:
    assert tuple(processing.ACTIONS) == api.PROCESSING


async def test_no_action_is_a_missing_parameter(door: Door) -> None:
    for action in (None, ""):
        error = await door.refuses(action)
        assert error == {
            "Code": "MissingParameter",
            "Message": "The request is missing a required parameter `Action`.",
        }


async def test_an_empty_action_header_lets_the_parameter_speak(door: Door) -> None:
    target = f"/?Action=DescribeEventsState&Version={VERSION}"
    for method in ("GET", "POST"):
        answer = await door.send(method=method, target=target, headers={"X-TC-Action": ""})
        assert answer.inside == {"CountOfEventsToPull": 2}


async def test_no_version_is_a_missing_parameter(door: Door) -> None:
    error = await door.refuses("PullEvents", "{}", version=None)
    assert error == {"Code": "MissingParameter", "Message": "The request is missing a required parameter `Version`."}


@pytest.mark.parametrize("version", ["2019-07-22", "2018-07-17x", "1"])
async def test_no_other_version_exists(door: Door, version: str) -> None:
    error = await door.refuses("PullEvents", "{}", version=version)
    assert error == {
        "Code": "NoSuchVersion",
        "Message": f"The specified api version=`{version}` does not exist in service=`vod`.",
    }


# --- ConfirmEvents


async def test_no_handles_is_a_missing_parameter(door: Door) -> None:
    for params in ("{}", '{"EventHandles": []}'):
        error = await door.refuses("ConfirmEvents", params)
        assert error == {
            "Code": "MissingParameter",
            "Message": "The request is missing a required parameter `EventHandles`.",
        }


async def test_seventeen_handles_are_refused_and_none_is_confirmed(door: Door) -> None:
    handles = await door.pull()
    error = await door.refuses("ConfirmEvents", {"EventHandles": handles * 8 + ["x"]})
    assert error["Code"] == "InvalidParameterValue"
    assert "`17 handles`" in error["Message"]
    assert "at most 16" in error["Message"]


@pytest.mark.parametrize(
    ("handles", "place", "value", "expected"),
    [
        ("830895250939762237", "EventHandles", "830895250939762237", "array"),
        (None, "EventHandles", "null", "array"),
        ({"0": "a"}, "EventHandles", "object", "array"),
        ([830895250939762237], "EventHandles.0", "830895250939762237", "string"),
        (["a", None], "EventHandles.1", "null", "string"),
        (["a", ["b"]], "EventHandles.1", "array", "string"),
    ],
)
async def test_handles_are_an_array_of_strings(door: Door, handles: Any, place: str, value: str, expected: str) -> None:
    error = await door.refuses("ConfirmEvents", {"EventHandles": handles})
    assert error == {
        "Code": "InvalidParameter",
        "Message": f"The value type of parameter `{place}` is not valid: got `{value}`, expected `{expected}`.",
    }


async def test_one_handle_without_an_index_is_no_array(door: Door) -> None:
    error = await door.refuses("ConfirmEvents", "EventHandles=1", headers=FORM)
    assert (error["Code"], "`array`" in error["Message"]) == ("InvalidParameter", True)


async def test_a_bad_handle_is_named_while_the_good_ones_are_confirmed(door: Door) -> None:
    first, second = await door.pull()
    answer = await door.send("ConfirmEvents", {"EventHandles": [first, "nonsense", second]})
    assert answer.error == {
        "Code": "InvalidParameterValue",
        "Message": "The value `nonsense` specified in the parameter `EventHandles.1` is not valid: "
        "it is unknown, or its 30 s are over.",
    }
    assert door.application.queue.leased == 0


async def test_one_bad_handle_may_be_made_to_refuse_the_batch(start: Start) -> None:
    door = Door(await start(bad_handle="refuse"))
    door.emit(2)
    handles = await door.pull()
    error = await door.refuses("ConfirmEvents", {"EventHandles": [*handles, "nonsense"]})
    assert "`EventHandles.2`" in error["Message"]
    assert door.application.queue.leased == 2


async def test_a_handle_may_be_confirmed_twice(door: Door) -> None:
    first, second = await door.pull()
    assert (await door.send("ConfirmEvents", {"EventHandles": [first, first]})).inside == {}
    assert (await door.send("ConfirmEvents", {"EventHandles": [first, second]})).inside == {}
    assert door.application.queue.leased == 0


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
async def test_the_config_changes_in_what_is_named_and_nothing_else(door: Door, changes: dict[str, str]) -> None:
    assert (await door.send("DescribeEventConfig")).inside == INITIAL
    assert (await door.send("ModifyEventConfig", changes)).inside == {}
    assert (await door.send("DescribeEventConfig")).inside == INITIAL | changes
    assert (await door.send("ModifyEventConfig", dict.fromkeys(changes))).inside == {}  # a null names nothing
    assert (await door.send("DescribeEventConfig")).inside == INITIAL | changes


async def test_an_address_alone_leaves_the_mode_as_it_is(door: Door, start: Start) -> None:
    await door.send("ModifyEventConfig", {"NotificationUrl": "http://127.0.0.1:9/"})
    assert (await door.send("DescribeEventConfig")).inside["Mode"] == "PULL"
    pushing = Door(await start(callback_url="http://127.0.0.1:9/"))
    await pushing.send("ModifyEventConfig", {"NotificationUrl": ""})
    assert (await pushing.send("DescribeEventConfig")).inside == INITIAL | {"Mode": "PUSH"}


async def test_empty_texts_clear_the_address_and_the_sign_key(door: Door) -> None:
    await door.send("ModifyEventConfig", {"NotificationUrl": "http://127.0.0.1:9/", "SignKey": "abc"})
    assert door.application.settings.sign_key == "abc"
    await door.send("ModifyEventConfig", {"NotificationUrl": "", "SignKey": ""})
    assert (await door.send("DescribeEventConfig")).inside == INITIAL
    assert door.application.settings.sign_key == ""


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
async def test_a_value_that_does_not_fit_changes_nothing(
    door: Door, changes: dict[str, Any], code: str, named: list[str]
) -> None:
    error = await door.refuses("ModifyEventConfig", {"PersistenceCompleteEventSwitch": "ON"} | changes)
    assert error["Code"] == code
    assert all(name in error["Message"] for name in named), error
    if "SignKey" in changes:
        assert changes["SignKey"] not in error["Message"]
    assert (await door.send("DescribeEventConfig")).inside == INITIAL


async def test_each_application_has_a_config_of_its_own(door: Door) -> None:
    await door.send("ModifyEventConfig", {"Mode": "PUSH", "SubAppId": 1})
    await door.send("ModifyEventConfig", {"DeleteMediaCompleteEventSwitch": "ON", "SubAppId": 2})
    assert (await door.send("DescribeEventConfig", {"SubAppId": 1})).inside == INITIAL | {"Mode": "PUSH"}
    assert (await door.send("DescribeEventConfig", {"SubAppId": 2})).inside == INITIAL | {
        "DeleteMediaCompleteEventSwitch": "ON"
    }
    assert (await door.send("DescribeEventConfig")).inside == INITIAL
    assert (await door.send("DescribeEventConfig", {"SubAppId": 0})).inside == INITIAL


# --- who is asking


def v1(door: Door, method: str = "POST", **params: str) -> str:
    """Parameters signed with HmacSHA1, url-encoded."""
    sent = {
        "Action": "DescribeEventsState",
        "Version": VERSION,
        "Timestamp": str(int(real_time())),
        "Nonce": "0",
        "SecretId": SECRET_ID,
    } | params
    text = signing.v1_string_to_sign(method, door.host, "/", sent.items())
    return urlencode({**sent, "Signature": signing.v1_signature(SECRET_KEY, text)})


def tc3(door: Door, body: bytes = b"{}", **how: Any) -> dict[str, str]:
    given: dict[str, Any] = {"secret_id": SECRET_ID, "secret_key": SECRET_KEY, "host": door.host}
    given |= {"action": "DescribeEventsState", "timestamp": int(real_time())}
    return signing.tc3_headers(body=body, **given | how)


async def guarded(start: Start, auth: str, **settings: Any) -> Door:
    door = Door(await start(auth=auth, **SECRET, **settings))
    door.emit(2)
    return door


STATE = {"CountOfEventsToPull": 2}


@pytest.mark.parametrize("auth", ["off", "lenient", "strict"])
async def test_a_good_signature_passes(start: Start, auth: str) -> None:
    door = await guarded(start, auth)
    assert (await door.send(body=b"{}", headers=tc3(door))).inside == STATE
    assert (await door.send(body=v1(door), headers=FORM)).inside == STATE
    assert (await door.send(method="GET", target="/?" + v1(door, "GET"))).inside == STATE


@pytest.mark.parametrize(("auth", "passes"), [("off", True), ("lenient", False), ("strict", False)])
async def test_a_wrong_signature_fails_where_signatures_are_looked_at(start: Start, auth: str, passes: bool) -> None:
    door = await guarded(start, auth)
    for sent in (
        {"body": b"{}", "headers": tc3(door, secret_key="wrong")},
        {"body": b"{ }", "headers": tc3(door)},
        {"body": v1(door) + "&ExtInfo=x", "headers": FORM},
        {"method": "GET", "target": "/?" + v1(door)},
    ):
        answer = await door.send(**sent)
        assert answer.inside == STATE if passes else answer.code == "AuthFailure.SignatureFailure"


@pytest.mark.parametrize(("auth", "passes"), [("off", True), ("lenient", True), ("strict", False)])
async def test_an_unknown_secret_id_is_refused_where_one_must_be_known(start: Start, auth: str, passes: bool) -> None:
    door = await guarded(start, auth)
    for sent in (
        {"body": b"{}", "headers": tc3(door, secret_id="AKIDnobody")},
        {"body": v1(door, SecretId="AKIDnobody"), "headers": FORM},
    ):
        answer = await door.send(**sent)
        if passes:
            assert answer.inside == STATE
        else:
            assert answer.error == {
                "Code": "AuthFailure.SecretIdNotFound",
                "Message": "The SecretId is not found, please ensure that your SecretId is correct.",
            }


@pytest.mark.parametrize(("auth", "passes"), [("off", True), ("lenient", True), ("strict", False)])
async def test_an_unsigned_call_is_refused_where_a_signature_is_required(start: Start, auth: str, passes: bool) -> None:
    door = await guarded(start, auth)
    params = f"Action=DescribeEventsState&Version={VERSION}&SecretId={SECRET_ID}"
    for sent, missing in (
        ({"action": "DescribeEventsState"}, "Authorization"),
        ({"action": "DescribeEventsState", "headers": {"Authorization": "SKIP"}}, "Authorization"),
        ({"body": params, "headers": FORM}, "Signature"),
    ):
        answer = await door.send(**sent)
        if passes:
            assert answer.inside == STATE
        else:
            assert answer.error == {
                "Code": "MissingParameter",
                "Message": f"The request is missing a required parameter `{missing}`.",
            }


@pytest.mark.parametrize("away", [-301, 302])
async def test_an_expired_signature_is_told_the_servers_time(start: Start, away: int) -> None:
    door = await guarded(start, "strict")
    before = int(real_time())
    then = before + away
    for sent in (
        {"body": b"{}", "headers": tc3(door, timestamp=then)},
        {"body": v1(door, Timestamp=str(then)), "headers": FORM},
    ):
        error = (await door.send(**sent)).error
        assert error["Code"] == "AuthFailure.SignatureExpire"
        [server_time] = re.findall(r"server time ([0-9]+)\.", error["Message"])
        assert before <= int(server_time) <= real_time()


async def test_signatures_are_checked_against_real_time_whatever_the_clock_shows(start: Start) -> None:
    door = await guarded(start, "strict")
    clock = door.running.world.default.clock
    await clock.freeze()
    await clock.advance(86400)
    assert (await door.send(body=b"{}", headers=tc3(door))).inside == STATE


@pytest.mark.parametrize("auth", ["off", "lenient", "strict"])
@pytest.mark.parametrize(
    ("header", "code", "named"),
    [
        ("Bearer abc", "AuthFailure.InvalidAuthorization", "`Bearer`"),
        ("", "AuthFailure.InvalidAuthorization", "signature method"),
        ("TC3-HMAC-SHA256", "AuthFailure.InvalidAuthorization", "`Credential`"),
        (
            "TC3-HMAC-SHA256 Credential=a/2026-01-01/vod/tc3_request, Signature=0",
            "AuthFailure.InvalidAuthorization",
            "`SignedHeaders`",
        ),
        (
            "TC3-HMAC-SHA256 Credential=a, SignedHeaders=content-type;host, Signature=0",
            "AuthFailure.InvalidAuthorization",
            "`a`",
        ),
        (
            "TC3-HMAC-SHA256 Credential=a/2026-01-01/vod/tc3_request, SignedHeaders=content-type;host, Signature=0",
            "MissingParameter",
            "`Timestamp`",
        ),
    ],
)
async def test_a_malformed_authorization_is_told_what_is_wrong_unless_signatures_are_ignored(
    start: Start, auth: str, header: str, code: str, named: str
) -> None:
    door = await guarded(start, auth)
    answer = await door.send("DescribeEventsState", headers={"Authorization": header})
    if auth == "off":
        assert answer.inside == STATE
    else:
        error = answer.error
        assert (error["Code"], named in error["Message"]) == (code, True)


@pytest.mark.parametrize("missing", ["SecretId", "Timestamp", "Nonce"])
async def test_parameters_of_the_older_signature_are_missed_by_name(start: Start, missing: str) -> None:
    door = await guarded(start, "strict")
    form = "&".join(pair for pair in v1(door).split("&") if not pair.startswith(missing + "="))
    error = (await door.send(body=form, headers=FORM)).error
    assert error == {
        "Code": "MissingParameter",
        "Message": f"The request is missing a required parameter `{missing}`.",
    }


async def test_the_signature_is_looked_at_before_everything_else(start: Start) -> None:
    door = await guarded(start, "strict")
    answer = await door.send("Nonsense", "not JSON", version="1", headers=tc3(door, action="Nonsense"))
    assert answer.code == "AuthFailure.SignatureFailure"


async def test_more_than_1_mb_needs_the_newer_signature(start: Start) -> None:
    door = await guarded(start, "strict")
    form = v1(door, ExtInfo="x" * 1024 * 1024)
    error = (await door.send(body=form, headers=FORM)).error
    assert error["Code"] == "AuthFailure.SignatureFailure"
    assert "exceeding request size limit" in error["Message"]
    body = b'{"ExtInfo": "%b"}' % (b"x" * 1024 * 1024)
    assert (await door.send(body=body, headers=tc3(door, body))).inside == STATE


# --- as SDKs of other languages sign


@pytest.mark.parametrize(
    ("how", "strict_service"),
    [
        pytest.param({}, True, id="Go"),
        pytest.param({"service": "127", "host": "127.0.0.1"}, False, id="Node"),
        pytest.param({"service": "localhost:8266", "host": "localhost"}, False, id="Node at localhost"),
        pytest.param({"service": "127", "content_type": "application/json; charset=utf-8"}, False, id="Java"),
        pytest.param({"service": "127"}, False, id="PHP"),
        pytest.param({"host": "vod.tencentcloudapi.com"}, True, id="through a proxy"),
    ],
)
async def test_what_other_sdks_sign_is_verified(start: Start, how: dict[str, Any], strict_service: bool) -> None:
    door = await guarded(start, "strict", strict_service=strict_service)
    host = door.host if how.get("host") != "localhost" else f"localhost:{door.running.port}"
    assert (await door.send(body=b"{}", headers=tc3(door, **how) | {"Host": host})).inside == STATE
    wrong = tc3(door, **how, secret_key="wrong") | {"Host": host}
    assert (await door.send(body=b"{}", headers=wrong)).code == "AuthFailure.SignatureFailure"


async def test_the_service_has_to_be_vod_where_that_is_asked_for(start: Start) -> None:
    door = await guarded(start, "strict", strict_service=True)
    error = (await door.send(body=b"{}", headers=tc3(door, service="127"))).error
    assert error == {
        "Code": "AuthFailure.InvalidAuthorization",
        "Message": "The request `Authorization` header does not conform to tencentcloud standards: "
        "`Service` in Credential not valid.",
    }


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_go_leaves_empty_values_out_of_what_it_signs_but_sends_them(start: Start, method: str) -> None:
    door = await guarded(start, "strict")
    sent = {
        "Action": "DescribeEventsState",
        "Version": VERSION,
        "Timestamp": str(int(real_time())),
        "Nonce": "65535",
        "SecretId": SECRET_ID,
        "SignatureMethod": "HmacSHA256",
        "Region": "",
        "Language": "",
        "ExtInfo": "",
    }
    text = signing.v1_string_to_sign(method, door.host, "/", [(key, value) for key, value in sent.items() if value])
    params = urlencode({**sent, "Signature": signing.v1_signature(SECRET_KEY, text, "sha256")})
    how = {"method": "GET", "target": f"/?{params}"} if method == "GET" else {"body": params, "headers": FORM}
    assert (await door.send(**how)).inside == STATE


async def test_a_lenient_server_takes_whose_secret_is_not_known_for_the_default_account(caller: Caller) -> None:
    door = Door(caller.running)
    door.emit(2)
    assert (await door.send(body=b"{}", headers=tc3(door))).inside == STATE

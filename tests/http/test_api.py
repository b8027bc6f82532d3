"""API 3.0 as plain HTTP: every form of a request, its envelope and its languages."""

import asyncio
import json
from urllib.parse import urlencode

import pytest

from mockvod.http import event_actions as api
from mockvod.http.action import Action
from mockvod.wire.errors import MissingParameter
from tests.http.raw import FORM, JSON, VERSION, RawClient, Start, exchange, multipart, read_answer

# --- forms of a request


async def handles_of_two(raw_client: RawClient) -> list[str]:
    handles = await raw_client.pull()
    assert raw_client.application.queue.leased == 2
    return handles


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
async def test_parameters_may_be_json_under_any_name(raw_client: RawClient, headers: dict[str, str]) -> None:
    handles = await handles_of_two(raw_client)
    assert (await raw_client.send("ConfirmEvents", {"EventHandles": handles}, headers=headers)).inside == {}
    assert raw_client.application.queue.leased == 0


async def test_parameters_may_be_in_a_query_beside_the_headers(raw_client: RawClient) -> None:
    first, second = await handles_of_two(raw_client)
    query = urlencode({"EventHandles.0": first, "EventHandles.1": second, "SubAppId": "0"})
    assert (await raw_client.send("ConfirmEvents", method="GET", target=f"/?{query}")).inside == {}
    assert raw_client.application.queue.leased == 0


async def test_parameters_may_be_a_form_beside_the_headers(raw_client: RawClient) -> None:
    first, second = await handles_of_two(raw_client)
    form = urlencode({"EventHandles.0": first, "EventHandles.1": second})
    content_type = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    assert (await raw_client.send("ConfirmEvents", form, headers=content_type)).inside == {}
    assert raw_client.application.queue.leased == 0


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_everything_may_be_parameters(raw_client: RawClient, method: str) -> None:
    first, second = await handles_of_two(raw_client)
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
        answer = await raw_client.send(method="GET", target=f"/?{params}")
    else:
        answer = await raw_client.send(body=params, headers=FORM)
    assert answer.inside == {}
    assert raw_client.application.queue.leased == 0


async def test_the_action_may_be_in_the_query_and_its_parameters_in_a_json_body(raw_client: RawClient) -> None:
    handles = await handles_of_two(raw_client)
    target = f"/?Action=ConfirmEvents&Version={VERSION}"
    assert (await raw_client.send(body={"EventHandles": handles}, target=target, headers=JSON)).inside == {}
    assert (await raw_client.send(target="/?Action=DescribeEventsState&Version=" + VERSION)).inside == {
        "CountOfEventsToPull": 0
    }


async def test_parameters_may_be_multipart(raw_client: RawClient) -> None:
    handles = await handles_of_two(raw_client)
    content_type = {"Content-Type": "multipart/form-data; charset=utf-8; boundary=xx"}
    body = multipart(EventHandles=handles, SubAppId=0)
    assert (await raw_client.send("ConfirmEvents", body, headers=content_type)).inside == {}
    assert raw_client.application.queue.leased == 0


@pytest.mark.parametrize("body", [b"{}", b"null", b"[]", b"\xef\xbb\xbf{}", b"\xef\xbb\xbfnull"])
async def test_a_body_without_parameters_may_be_written_as_any_sdk_does(raw_client: RawClient, body: bytes) -> None:
    assert (await raw_client.send("DescribeEventsState", body, headers=JSON)).inside == {"CountOfEventsToPull": 2}


async def test_an_empty_json_body_is_accepted_with_empty_body_accept(raw_client: RawClient) -> None:
    assert (await raw_client.send("DescribeEventsState", b"", headers=JSON)).code == "InvalidParameter"
    raw_client.running.world.default.life.configure({"empty_body": "accept"})
    assert (await raw_client.send("DescribeEventsState", b"", headers=JSON)).inside == {"CountOfEventsToPull": 2}


async def test_a_gap_in_the_indexes_is_closed_as_go_leaves_it(raw_client: RawClient) -> None:
    first, second = await handles_of_two(raw_client)
    form = f"EventHandles.4={second}&EventHandles.3={first}&ExtInfo="
    assert (await raw_client.send("ConfirmEvents", form, headers=FORM)).inside == {}
    assert raw_client.application.queue.leased == 0


async def test_a_body_may_come_in_chunks(raw_client: RawClient) -> None:
    handles = await handles_of_two(raw_client)
    body = json.dumps({"EventHandles": handles}).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: {raw_client.host}\r\nX-TC-Action: ConfirmEvents\r\nX-TC-Version: {VERSION}\r\n"
        "Transfer-Encoding: chunked\r\n\r\n"
    )
    chunks = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in (body[:7], body[7:])]
    assert (await exchange(raw_client.running.port, head.encode(), *chunks, b"0\r\n\r\n")).inside == {}
    assert raw_client.application.queue.leased == 0


async def test_a_client_that_expects_100_continue_gets_it(raw_client: RawClient) -> None:
    body = json.dumps({"EventHandles": await handles_of_two(raw_client), "ExtInfo": "x" * 2000}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", raw_client.running.port)
    writer.write(
        f"POST / HTTP/1.1\r\nHost: {raw_client.host}\r\nX-TC-Action: ConfirmEvents\r\nX-TC-Version: {VERSION}\r\n"
        f"Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    )
    async with asyncio.timeout(10):
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(body)
        assert (await read_answer(reader)).inside == {}
    writer.close()


async def test_http_1_0_is_supported(raw_client: RawClient) -> None:
    head = "POST / HTTP/1.0\r\nX-TC-Action: DescribeEventsState\r\n"
    head += f"X-TC-Version: {VERSION}\r\nContent-Length: 2\r\n\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", raw_client.running.port)
    writer.write(head.encode() + b"{}")
    async with asyncio.timeout(10):
        assert (await read_answer(reader)).inside == {"CountOfEventsToPull": 2}
        assert await reader.read() == b""  # and the connection is closed, as 1.0 has it
    writer.close()


async def test_requests_follow_each_other_on_one_connection(raw_client: RawClient) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", raw_client.running.port)
    one = (
        f"POST / HTTP/1.1\r\nHost: h\r\nX-TC-Action: DescribeEventsState\r\nX-TC-Version: {VERSION}\r\nContent-Length: "
    )
    async with asyncio.timeout(10):
        writer.write(one.encode() + b"3\r\n\r\nnot" + one.encode() + b"2\r\n\r\n{}")
        assert (await read_answer(reader)).code == "InvalidParameter"
        assert (await read_answer(reader)).inside == {"CountOfEventsToPull": 2}
    writer.close()


async def test_the_host_header_may_be_invalid(raw_client: RawClient) -> None:
    for host in ("", "[", "a b", "云:x"):
        assert (await raw_client.send("DescribeEventsState", headers={"Host": host})).inside == {
            "CountOfEventsToPull": 2
        }


async def test_the_target_may_be_absolute_as_proxies_send_it(raw_client: RawClient) -> None:
    target = f"http://{raw_client.host}/?SubAppId=0"
    assert (await raw_client.send("DescribeEventsState", method="GET", target=target)).inside == {
        "CountOfEventsToPull": 2
    }


# --- the envelope


async def test_every_response_has_its_own_request_id(raw_client: RawClient) -> None:
    answers = [
        await raw_client.send(action) for action in ("DescribeEventsState", "DescribeEventsState", "Nonsense", None)
    ]
    ids = {json.loads(answer.body)["Response"]["RequestId"] for answer in answers}
    assert len(ids) == 4


async def test_the_request_id_is_the_last_key(raw_client: RawClient) -> None:
    for action in ("PullEvents", "DescribeEventConfig", "Nonsense"):
        answer = await raw_client.send(action)
        assert list(json.loads(answer.body)["Response"])[-1] == "RequestId"


async def test_responses_are_compact_utf_8(raw_client: RawClient) -> None:
    answer = await raw_client.send("ModifyEventConfig", {"Mode": "云"}, headers={"X-TC-Language": "zh-CN"})
    assert "参数 `Mode` 的取值 `云` 无效".encode() in answer.body
    assert b'{"Response":{"Error":{"Code":"InvalidParameterValue","Message":"' in answer.body


async def test_an_unhandled_exception_is_an_internal_error_with_a_traceback_in_the_log(
    raw_client: RawClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> bytes:
        raise ZeroDivisionError

    row = api.ACTIONS["DescribeEventsState"]
    monkeypatch.setitem(api.ACTIONS, "DescribeEventsState", Action(row.call, broken))
    answer = await raw_client.send("DescribeEventsState")
    assert answer.error == {
        "Code": "InternalError",
        "Message": "An internal error has occurred. Retry your request, but if the problem persists, contact us.",
    }
    [record] = [record for record in caplog.records if record.name == "mockvod.api"]
    assert record.exc_info is not None
    assert record.exc_info[0] is ZeroDivisionError


# --- languages


@pytest.mark.parametrize(
    ("headers", "query", "language"),
    [
        ({}, "", "en-US"),
        ({"X-TC-Language": "en-US"}, "", "en-US"),
        ({"X-TC-Language": "tlh"}, "", "en-US"),
        ({"X-TC-Language": "zh-CN"}, "", "zh-CN"),
        ({}, "zh-CN", "zh-CN"),
        ({"X-TC-Language": "en-US"}, "zh-CN", "en-US"),
    ],
)
async def test_messages_are_chinese_on_request(
    raw_client: RawClient, headers: dict[str, str], query: str, language: str
) -> None:
    target = f"/?Action=ConfirmEvents&Version={VERSION}" + (f"&Language={query}" if query else "")
    answer = await raw_client.send(method="GET", target=target, headers=headers)
    assert answer.error["Message"] == MissingParameter(name="EventHandles").message(language)


@pytest.mark.parametrize("language", ["zh-CN", "en-US"])
async def test_no_event_is_no_event_in_every_language(start: Start, language: str) -> None:
    raw_client = RawClient(await start(poll_hold=0))
    answer = await raw_client.send("PullEvents", headers={"X-TC-Language": language})
    assert answer.error == {"Code": "ResourceNotFound", "Message": "no event"}

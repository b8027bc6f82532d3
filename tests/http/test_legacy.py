"""API 2.0 as plain HTTP: no SDK uses it any more."""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.engine.clock import real_time
from mockvod.http.legacy import COMMON, create_snapshot_by_time_offset
from mockvod.service.application import Application
from mockvod.wire.signing import LEGACY_PATH, v1_signature, v1_string_to_sign
from tests.polls import polls_held
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]

# The known answers of the document 请求签名.
KEY = "Gu5t9xGARNpq86cd98joQYCN3Cozk1qA"
OWNER = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3gnPhESA"
VECTOR = {
    "Action": "DescribeInstances",
    "InstanceIds.0": "ins-09dx96dg",
    "Nonce": "11886",
    "Region": "ap-guangzhou",
    "SecretId": OWNER,
    "Timestamp": "1465185768",
}

DONE = {"code": 0, "message": ""}
NO_EVENT = {"code": 4000, "message": "no event"}


@dataclass
class Old(Caller):
    """Calls of API 2.0."""

    async def ask(self, params: Mapping[str, str], *, method: str = "GET", host: str | None = None) -> dict[str, Any]:
        """The answer to *params*, which go in the query of a GET or in the form body of a POST."""
        text = urlencode(params)
        path = f"{LEGACY_PATH}?{text}" if method == "GET" else LEGACY_PATH
        return await self.send(method, path, text.encode() if method != "GET" else b"", host=host)

    async def send(self, method: str, path: str, body: bytes = b"", *, host: str | None = None) -> dict[str, Any]:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} | ({"Host": host} if host else {})
        async with self.session.request(
            method, self.running.url + path, data=BytesIO(body), headers=headers
        ) as response:
            assert response.status == 200
            assert response.headers["Content-Type"] == "application/json"
            answer: dict[str, Any] = json.loads(await response.read())
        assert list(answer)[:2] == ["code", "message"]
        return answer

    async def act(self, action: str, /, **params: str) -> dict[str, Any]:
        return await self.ask({"Action": action, **params})

    @property
    def application(self) -> Application:
        return self.account.life.application()


Begin = Callable[..., Awaitable[Old]]


@pytest.fixture
async def begin(start: Start, session: ClientSession) -> Begin:
    """A caller of a server with the settings given, whose clock stands still."""

    async def begun(**settings: Any) -> Old:
        old = Old(await start(**settings), session)
        await old.clock.freeze()
        return old

    return begun


@pytest.fixture
async def old(begin: Begin) -> Old:
    return await begin(poll_hold=0)


def signed(
    secret_id: str, key: str, params: Mapping[str, str], *, method: str = "GET", host: str = ""
) -> dict[str, str]:
    """*params* with the common ones and their signature, for the real host if for no other."""
    whole = {"Nonce": "7", "Timestamp": str(int(real_time())), **params, "SecretId": secret_id}
    text = v1_string_to_sign(method, host or "vod.api.qcloud.com", LEGACY_PATH, whole.items())
    return {**whole, "Signature": v1_signature(key, text)}


def handles(answer: dict[str, Any]) -> list[str]:
    return [one["msgHandle"] for one in answer["eventList"]]


# --- pulling and confirming


async def test_an_event_is_pulled_in_its_2_0_form_and_confirmed(old: Old) -> None:
    [event] = await old.emit(file_id="14508071098244929440", time_offsets=[10000, 20000], failed=[20000])
    answer = await old.act("PullEvent")
    assert list(answer) == ["code", "message", "eventList"]
    [one] = answer["eventList"]
    assert list(one) == ["msgHandle", "eventContent"]
    content = one["eventContent"]
    assert (content["version"], content["eventType"]) == ("4.0", "CreateSnapshotByTimeOffsetComplete")
    data = content["data"]
    assert (data["vodTaskId"], data["fileId"], data["definition"]) == (event["task_id"], "14508071098244929440", 10)
    good, bad = data["picInfo"]
    assert (good["status"], good["timeOffset"], bool(good["url"])) == (0, 10000, True)
    assert bad == {"status": -46204, "timeOffset": 20000}

    assert await old.ask({"Action": "ConfirmEvent", "msgHandle.0": one["msgHandle"]}) == DONE
    assert (await old.event(event["id"]))["state"] == "confirmed"
    assert await old.act("PullEvent") == NO_EVENT


async def test_an_empty_poll_ends_after_five_seconds_of_the_clock_and_not_before(begin: Begin) -> None:
    old = await begin()
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(old.act("PullEvent"))
        await polls_held(old.application.queue, 1)
        await old.clock.advance(4.9)
        assert not pull.done()
        await old.clock.advance(0.1)
    assert pull.result() == NO_EVENT


async def test_a_blocked_poll_is_woken_by_an_event(begin: Begin) -> None:
    old = await begin()
    async with asyncio.TaskGroup() as group:
        pull = group.create_task(old.act("PullEvent"))
        await polls_held(old.application.queue, 1)
        [event] = await old.emit()
    assert pull.result()["eventList"][0]["eventContent"]["data"]["vodTaskId"] == event["task_id"]


async def test_both_apis_share_one_queue(old: Old) -> None:
    [first, second] = await old.emit(count=2)
    await old.control("PATCH", "/config", {"pull_limit": 1})
    [content] = (await old.call("PullEvents"))["EventSet"]
    [handle] = handles(await old.act("PullEvent"))
    assert await old.act("PullEvent") == NO_EVENT
    assert await old.ask({"Action": "ConfirmEvent", "msgHandle.0": content["EventHandle"]}) == DONE
    assert await old.call("ConfirmEvents", EventHandles=[handle]) == {}
    assert [(await old.event(one["id"]))["state"] for one in (first, second)] == ["confirmed", "confirmed"]


@pytest.mark.parametrize("first", [0, 1, 3])
async def test_handles_may_be_counted_from_any_number(old: Old, first: int) -> None:
    await old.emit(count=3)
    pulled = handles(await old.act("PullEvent"))
    given = {f"msgHandle.{first + 2 * place}": handle for place, handle in enumerate(pulled)}
    assert await old.ask({"Action": "ConfirmEvent", **given}) == DONE
    assert old.application.queue.leased == 0


async def test_one_handle_needs_no_number(old: Old) -> None:
    await old.emit()
    [handle] = handles(await old.act("PullEvent"))
    assert await old.act("ConfirmEvent", msgHandle=handle) == DONE


async def test_a_handle_is_refused_after_30_seconds(old: Old) -> None:
    await old.emit()
    [handle] = handles(await old.act("PullEvent"))
    await old.clock.advance(30)
    answer = await old.ask({"Action": "ConfirmEvent", "msgHandle.0": handle})
    assert (answer["code"], handle in answer["message"]) == (4000, True)
    [again] = handles(await old.act("PullEvent"))
    assert again != handle


async def test_a_type_without_a_2_0_form_comes_in_the_3_0_structure(old: Old) -> None:
    await old.emit(event_type="PersistenceComplete", set={"PersistenceCompleteEvent.FileId": "1"})
    [one] = (await old.act("PullEvent"))["eventList"]
    content = one["eventContent"]
    assert (content["version"], content["eventType"]) == ("4.0", "PersistenceComplete")
    assert content["data"]["FileId"] == "1"


async def test_in_push_mode_a_pull_finds_nothing(old: Old) -> None:
    await old.emit()
    await old.control("PATCH", "/config", {"mode": "PUSH"})
    assert await old.act("PullEvent") == NO_EVENT


async def test_the_application_is_the_one_that_sub_app_id_names(old: Old) -> None:
    await old.control("POST", "/events", {}, sub_app_id=1500000001)
    assert await old.act("PullEvent") == NO_EVENT
    assert len(handles(await old.act("PullEvent", SubAppId="1500000001"))) == 1


# --- a snapshot job


async def start_job(old: Old, **params: str) -> dict[str, Any]:
    return await old.ask({"Action": "CreateSnapshotByTimeOffset", "fileId": "1", "definition": "10", **params})


async def test_a_job_ends_in_its_event_which_both_apis_give(old: Old) -> None:
    old.application.declare_media("1", duration=20.0)
    answer = await start_job(old, **{"timeOffset.0": "10000", "timeOffset.1": "20001"})
    assert list(answer) == ["code", "message", "vodTaskId"]
    task_id = answer["vodTaskId"]
    assert task_id.startswith("CreateSnapshotByTimeOffset-")
    await old.clock.advance(0.9)
    assert await old.act("PullEvent") == NO_EVENT
    await old.clock.advance(0.1)

    [one] = (await old.act("PullEvent"))["eventList"]
    assert one["eventContent"]["eventType"] == "CreateSnapshotByTimeOffsetComplete"
    data = one["eventContent"]["data"]
    assert (data["vodTaskId"], data["fileId"], data["definition"]) == (task_id, "1", 10)
    good, bad = data["picInfo"]
    assert (good["status"], good["timeOffset"], bool(good["url"])) == (0, 10000, True)
    assert bad == {"status": -46204, "timeOffset": 20001}

    await old.clock.advance(30)
    [content] = (await old.call("PullEvents"))["EventSet"]
    task = content["SnapshotByTimeOffsetCompleteEvent"]
    assert task["TaskId"] == task_id
    assert task["SnapshotInfoSet"] == [
        {"ErrCode": 0, "TimeOffset": 10000, "Url": good["url"]},
        {"ErrCode": -46204, "TimeOffset": 20001, "Url": ""},
    ]


async def test_one_offset_needs_no_number(old: Old) -> None:
    assert (await start_job(old, timeOffset="100"))["code"] == 0
    await old.clock.advance(1)
    [one] = (await old.act("PullEvent"))["eventList"]
    assert [picture["timeOffset"] for picture in one["eventContent"]["data"]["picInfo"]] == [100]


@pytest.mark.parametrize(
    "wrong", [{"definition": "99"}, {"fileId": "broken"}], ids=["no such template", "a file that fails"]
)
async def test_every_picture_of_a_failed_job_failed(old: Old, wrong: dict[str, str]) -> None:
    old.application.declare_media("broken", fails_with="SourceFileError.ContentMalformed")
    assert (await start_job(old, **{"timeOffset.0": "1", "timeOffset.1": "2", **wrong}))["code"] == 0
    await old.clock.advance(1)
    [one] = (await old.act("PullEvent"))["eventList"]
    assert [picture["status"] for picture in one["eventContent"]["data"]["picInfo"]] == [-46204, -46204]


async def test_a_failed_picture_of_a_job_has_no_url_in_3_0_with_failed_url_omit(old: Old) -> None:
    await old.control("PATCH", "/config", {"failed_url": "omit", "task_error": "InternalError"})
    await start_job(old, timeOffset="1")
    await old.clock.advance(1)
    [content] = (await old.call("PullEvents"))["EventSet"]
    assert content["SnapshotByTimeOffsetCompleteEvent"]["SnapshotInfoSet"] == [{"ErrCode": -46204, "TimeOffset": 1}]


async def test_an_undeclared_file_has_an_abnormal_status_with_strict_media(begin: Begin) -> None:
    old = await begin(strict_media=True)
    answer = await start_job(old, timeOffset="1")
    assert (answer["code"], "'1'" in answer["message"]) == (10009, True)


@pytest.mark.parametrize(
    ("params", "named"),
    [
        ({}, "timeOffset.0"),
        ({"timeOffset.0": "-1"}, "'-1'"),
        ({"timeOffset.0": "1.5"}, "'1.5'"),
        ({"timeOffset.0": "١"}, "'١'"),
        ({"timeOffset.0": "1" * 16}, "timeOffset"),
        ({"timeOffset.a": "1"}, "timeOffset"),
        ({"timeOffset.0.0": "1"}, "timeOffset"),
        ({"timeOffset": "1", "definition": ""}, "definition"),
        ({"timeOffset": "1", "definition.0": "10"}, "definition"),
        ({"timeOffset": "1", "fileId": ""}, "fileId"),
        ({"timeOffset": "1", "SubAppId": "x"}, "SubAppId"),
        ({"timeOffset": "1", "timeoffset": "1"}, "'timeoffset'"),
    ],
)
async def test_a_job_is_refused_with_the_invalid_parameter(old: Old, params: dict[str, str], named: str) -> None:
    answer = await start_job(old, **params)
    assert (answer["code"], named in answer["message"]) == (4000, True), answer
    assert old.application.tasks.active == 0


async def test_a_job_has_a_file_and_a_template(old: Old) -> None:
    for missing in ("fileId", "definition"):
        given = {"fileId": "1", "definition": "10", "timeOffset": "1"}
        del given[missing]
        answer = await old.act("CreateSnapshotByTimeOffset", **given)
        assert answer == {"code": 4000, "message": f"{missing} is missing"}


# --- misbehaviour on purpose


async def fault(old: Old, name: str, **given: Any) -> None:
    assert len((await old.control("POST", "/faults", {"fault": name, **given}))["faults"]) == 1


async def test_a_queue_fault_fires_for_a_pull_of_either_api(old: Old) -> None:
    await fault(old, "fewer")
    await old.emit(count=3)
    assert len(handles(await old.act("PullEvent"))) == 1
    assert len((await old.call("PullEvents"))["EventSet"]) == 1


async def test_an_event_comes_with_an_expired_handle(old: Old) -> None:
    await fault(old, "stale-handle", when={"first": 1})
    [event] = await old.emit()
    [stale] = handles(await old.act("PullEvent"))
    answer = await old.ask({"Action": "ConfirmEvent", "msgHandle.0": stale})
    assert answer["code"] == 4000
    assert (await old.event(event["id"]))["state"] == "leased"
    await old.clock.advance(30)
    [good] = handles(await old.act("PullEvent"))
    assert await old.ask({"Action": "ConfirmEvent", "msgHandle.0": good}) == DONE


async def test_a_confirmation_that_succeeds_gets_a_server_error(old: Old) -> None:
    await fault(old, "fail-confirm")
    [event] = await old.emit()
    [handle] = handles(await old.act("PullEvent"))
    answer = await old.ask({"Action": "ConfirmEvent", "msgHandle.0": handle})
    assert answer["code"] == 5000
    assert (await old.event(event["id"]))["state"] == "confirmed"


async def test_the_event_of_a_job_comes_before_the_response_to_its_call(old: Old) -> None:
    await fault(old, "early")
    params = {"fileId": "1", "definition": "10", "timeOffset": ["1000"]}
    task_id = (await create_snapshot_by_time_offset(old.application, params))["vodTaskId"]
    assert old.application.queue.visible == 1
    [one] = (await old.act("PullEvent"))["eventList"]
    assert one["eventContent"]["data"]["vodTaskId"] == task_id


# --- authentication


@pytest.mark.parametrize(
    ("method", "signature"),
    [("HmacSHA256", "0EEm/HtGRr/VJXTAD9tYMth1Bzm3lLHz5RCDv1GdM8s="), ("HmacSHA1", "nPVnY6njQmwQ8ciqbPl5Qe+Oru4=")],
)
async def test_the_documented_signatures_pass_and_others_do_not(begin: Begin, method: str, signature: str) -> None:
    old = await begin(secret_id=OWNER, secret_key=KEY, auth="strict")
    params = {**VECTOR, "SignatureMethod": method, "Signature": signature}
    answer = await old.ask(params, host="cvm.api.qcloud.com")
    assert (answer["code"], "'DescribeInstances' is not simulated" in answer["message"]) == (4000, True)
    for wrong in ({**params, "Signature": signature[::-1]}, {**params, "Nonce": "11887"}):
        assert (await old.ask(wrong, host="cvm.api.qcloud.com"))["code"] == 4100


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_signed_call_passes_for_the_real_host_and_for_this_one(begin: Begin, method: str) -> None:
    old = await begin(secret_id=OWNER, secret_key=KEY, auth="strict", poll_hold=0)
    for host in ("", f"127.0.0.1:{old.running.port}"):
        params = signed(OWNER, KEY, {"Action": "PullEvent"}, method=method, host=host)
        assert await old.ask(params, method=method) == NO_EVENT


async def test_the_parameters_of_a_post_may_be_in_its_query(begin: Begin) -> None:
    old = await begin(secret_id=OWNER, secret_key=KEY, auth="strict", poll_hold=0)
    params = signed(OWNER, KEY, {"Action": "PullEvent"}, method="POST")
    assert await old.send("POST", f"{LEGACY_PATH}?{urlencode(params)}") == NO_EVENT


@pytest.mark.parametrize(
    ("auth", "params", "code"),
    [
        ("strict", {}, 4100),
        ("strict", {"SecretId": OWNER}, 4100),
        ("strict", signed("AKIDstranger", "k", {}), 4104),
        ("strict", signed(OWNER, "wrong", {}), 4100),
        ("strict", {**signed(OWNER, KEY, {}), "Nonce": "x"}, 4000),
        ("lenient", {}, 0),
        ("lenient", signed("AKIDstranger", "k", {}), 0),
        ("lenient", signed(OWNER, "wrong", {}), 4100),
        ("off", signed(OWNER, "wrong", {}), 0),
    ],
)
async def test_a_signature_is_required_as_the_setting_auth_says(
    begin: Begin, auth: str, params: dict[str, str], code: int
) -> None:
    old = await begin(secret_id=OWNER, secret_key=KEY, auth=auth)
    await old.emit()
    answer = await old.ask({"Action": "PullEvent", **params})
    assert answer["code"] == code
    assert old.application.queue.leased == (1 if code == 0 else 0)


LEGACY_COMMON = {
    "Region": "gz",
    "Token": "",
    "SignatureMethod": "HmacSHA1",
    "RequestClient": "SDK_PYTHON_2.0.0",
    "RequestSource": "qcloudapi",
    "Version": "2017-03-12",
    "Language": "zh-CN",
}


def test_the_common_parameters_are_those_that_legacy_sdks_send() -> None:
    assert {*LEGACY_COMMON, "Action", "Timestamp", "Nonce", "SecretId", "Signature"} == COMMON


@pytest.mark.parametrize("name", LEGACY_COMMON)
async def test_every_common_parameter_of_a_legacy_sdk_is_accepted(begin: Begin, name: str) -> None:
    old = await begin(secret_id=OWNER, secret_key=KEY, auth="strict", poll_hold=0)
    params = signed(OWNER, KEY, {"Action": "PullEvent", name: LEGACY_COMMON[name]})
    assert await old.ask({**params, "Signature": params["Signature"] + "\n"}) == NO_EVENT


async def test_the_endpoint_may_end_with_a_slash_and_the_body_begin_with_a_byte_order_mark(begin: Begin) -> None:
    old = await begin(poll_hold=0)
    assert await old.send("POST", f"{LEGACY_PATH}/", b"\xef\xbb\xbfAction=PullEvent") == NO_EVENT


async def test_the_nonces_of_an_account_are_its_own(begin: Begin) -> None:
    old = await begin(auth="strict", poll_hold=0)
    world = old.running.world
    for number, (secret_id, window) in enumerate((("short", 0.9), ("long", 600.0))):
        world.add_account(
            secret_id=secret_id,
            secret_key=KEY,
            sub_app_id=number + 1,
            seed=1,
            changes={"legacy_replay_window": window},
        )
    params = signed("long", KEY, {"Action": "PullEvent"})
    assert await old.ask(params) == NO_EVENT
    later = {"Timestamp": str(int(real_time() + 0.5))}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("mockvod.http.legacy.real_time", lambda: real_time() + 1)
        await old.ask(signed("short", KEY, {"Action": "PullEvent", **later}))
        assert (await old.ask(params))["code"] == 4500


async def test_a_call_belongs_to_the_account_of_its_secret_id(old: Old) -> None:
    made = await old.control("POST", "/accounts", {"secret_id": "AKIDmine", "secret_key": "k"})
    await old.control("POST", "/events", {}, secret_id="AKIDmine")
    assert await old.act("PullEvent") == NO_EVENT
    for sub_app_id in ({}, {"SubAppId": str(made["sub_app_id"])}):
        params = signed("AKIDmine", "k", {"Action": "PullEvent", **sub_app_id})
        answer = await old.ask(params)
        assert answer["code"] == (4000 if sub_app_id else 0)
    account = old.running.world.declared("AKIDmine")
    assert account is not None
    assert account.life.application().queue.leased == 1


async def test_a_call_that_comes_after_its_account_was_deleted_is_refused(old: Old) -> None:
    await old.control("POST", "/accounts", {"secret_id": "AKIDmine"})
    await old.control("DELETE", "/accounts/AKIDmine")
    await old.emit()  # of the default account, which it must not get
    assert (await old.act("PullEvent", SecretId="AKIDmine"))["code"] == 4104
    assert old.application.queue.leased == 0


# --- requests sent again


async def test_a_request_may_be_repeated_and_old_by_default(begin: Begin) -> None:
    old = await begin(secret_id=OWNER, secret_key=KEY, auth="strict", poll_hold=0)
    params = signed(OWNER, KEY, {"Action": "PullEvent", "Timestamp": "1465185768"})
    assert [(await old.ask(params))["code"] for _ in range(2)] == [4000, 4000]


async def test_a_request_is_accepted_once_within_the_replay_window(
    begin: Begin, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = await begin(secret_id=OWNER, secret_key=KEY, legacy_replay_window=300, poll_hold=0)
    now = real_time()
    monkeypatch.setattr("mockvod.http.legacy.real_time", lambda: now)

    def call(nonce: str, at: float) -> dict[str, str]:
        return signed(OWNER, KEY, {"Action": "PullEvent", "Nonce": nonce, "Timestamp": str(int(at))})

    assert await old.ask(call("1", now)) == NO_EVENT
    answer = await old.ask(call("1", now))
    assert (answer["code"], "Nonce 1 " in answer["message"]) == (4500, True)
    assert await old.ask(call("2", now)) == NO_EVENT
    for late in (now - 302, now + 302):
        answer = await old.ask(call("3", late))
        assert (answer["code"], "Timestamp" in answer["message"]) == (4500, True)
    now += 301
    assert await old.ask(call("1", now)) == NO_EVENT


# --- what cannot be understood


async def test_an_action_that_is_not_simulated_gets_the_list_of_those_that_are(old: Old) -> None:
    for action in ("DescribeVodInfo", ""):
        answer = await old.act(action)
        assert answer["code"] == 4000
        assert f"{action!r} is not simulated; mockvod has PullEvent, ConfirmEvent, Create" in answer["message"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS"])
async def test_no_method_but_get_and_post_is_supported(old: Old, method: str) -> None:
    answer = await old.ask({"Action": "PullEvent"}, method=method)
    assert (answer["code"], method in answer["message"]) == (4000, True)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("Action", "splited by `=`"),
        ("Action=PullEvent&Action=PullEvent", "more than once"),
        ("Action=PullEvent&a=1", "'a' is not known"),
        ("Action=ConfirmEvent", "msgHandle.0 is missing"),
        ("Action=ConfirmEvent&msgHandle.x=1", "msgHandle"),
        ("Action=ConfirmEvent&msgHandle=1&msgHandle.0=1", "msgHandle"),
        ("Action=ConfirmEvent&msgHandle..0=1", "empty part"),
        ("Action=ConfirmEvent&" + "&".join(f"msgHandle.{n}={n}" for n in range(17)), "17 msgHandle: at most 16"),
        ("Action.0=PullEvent", "is not simulated"),
        ("Action=PullEvent&SubAppId.0=1", "SubAppId"),
        ("Action=%ff", "UTF-8"),
        ("&".join(f"a{n}=1" for n in range(1001)), "more than 1000"),
        ("Action=ConfirmEvent&msgHandle.0=%00%0a%22", "msgHandle"),
    ],
)
async def test_an_invalid_query_is_refused_with_the_reason(old: Old, query: str, said: str) -> None:
    answer = await old.send("GET", f"{LEGACY_PATH}?{query}")
    assert (answer["code"], said in answer["message"]) == (4000, True), answer
    assert await old.send("POST", LEGACY_PATH, query.encode()) == answer


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"Action=\xff", "byte 0xff at position 7"),
        (b'{"Action": "PullEvent"}', "splited by `=`"),
        (b"", "Action '' is not simulated"),
        (b"Action=PullEvent&a=" + b"x" * 11_000_000, "10485760"),
    ],
)
async def test_an_invalid_body_is_refused_with_the_reason(old: Old, body: bytes, said: str) -> None:
    answer = await old.send("POST", LEGACY_PATH, body)
    assert (answer["code"], said in answer["message"]) == (4000, True), answer


async def test_a_parameter_of_query_and_body_both_is_given_twice(old: Old) -> None:
    answer = await old.send("POST", f"{LEGACY_PATH}?Action=PullEvent", b"Action=PullEvent")
    assert (answer["code"], "more than once" in answer["message"]) == (4000, True)


async def test_a_call_with_headers_of_another_signature_is_handled(old: Old) -> None:
    headers = {"Authorization": "Bearer x"}
    async with old.session.get(f"{old.running.url}{LEGACY_PATH}?Action=PullEvent", headers=headers) as response:
        assert (await response.json())["code"] == 4000


async def test_bytes_that_are_not_utf_8_in_the_address_are_handled(old: Old) -> None:
    def ask() -> bytes:
        with socket.create_connection(("127.0.0.1", old.running.port), timeout=5) as connection:
            connection.sendall(b"GET /v2/index.php?Action=\xff HTTP/1.1\r\nHost: ]:x\r\nConnection: close\r\n\r\n")
            answer = b""
            while piece := connection.recv(65536):
                answer += piece
            return answer

    answer = await asyncio.to_thread(ask)
    assert b'"code":4000' in answer or answer.startswith((b"HTTP/1.0 400", b"HTTP/1.1 400"))


async def test_an_unhandled_exception_is_an_internal_error_with_a_traceback_in_the_log(
    old: Old, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(old.application.queue, "confirm", lambda _: 1 / 0)
    assert await old.act("ConfirmEvent", msgHandle="1") == {"code": 5000, "message": "internal error"}
    assert "ZeroDivisionError" in caplog.text

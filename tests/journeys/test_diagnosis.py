"""Why nothing arrives: each cause provoked for real, found first, and shown by its evidence."""

import asyncio
import json
import re
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, get_args

import pytest
import trustme
from aiohttp import ClientSession, web

from mockvod.app import Running
from mockvod.cli import main as cli
from mockvod.engine import consumers
from mockvod.engine.attempt import Attempt
from mockvod.http.control import probe
from mockvod.insight.callbacks import Surroundings, Verdict, explain
from mockvod.testing import Client
from tests.background import in_background
from tests.journeys.test_push import push_to
from tests.polls import polls_held
from tests.receivers import ended, free_port, hanging, receiving, saying
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]
Finding = dict[str, Any]

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "diagnosis.md"


@pytest.fixture(autouse=True)
def _at_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside of a container, wherever the tests run."""
    monkeypatch.setattr(probe, "in_container", lambda: False)


async def findings(caller: Caller, **whom: Any) -> list[Finding]:
    answer = await caller.control("GET", "/diagnosis", **whom)
    found: list[Finding] = answer["findings"]
    return found


async def found(caller: Caller, code: str, **whom: Any) -> Finding:
    """The finding of this code, which must be the likeliest, and which docs/diagnosis.md must explain."""
    all_of_them = await findings(caller, **whom)
    assert [one["code"] for one in all_of_them][:1] == [code], all_of_them
    assert f"\n## {code}\n" in DOCUMENT.read_text(encoding="utf-8")
    return all_of_them[0]


async def pushed_in_vain(caller: Caller, url: str, **changes: Any) -> str:
    await push_to(caller, url, **{"callback_retries": 0, **changes})
    [event] = await caller.emit()
    assert await ended(caller.account, event["id"]) == ["failed"]
    event_id: str = event["id"]
    return event_id


async def pull_at_once(caller: Caller, secret_id: str = "", **params: Any) -> dict[str, Any]:
    """PullEvents signed by *secret_id*, without waiting for an event."""
    await caller.control("PATCH", "/config", {"poll_hold": 0})
    headers = {"X-TC-Action": "PullEvents", "X-TC-Version": "2018-07-17", "User-Agent": "worker/1"}
    if secret_id:
        scope = f"Credential={secret_id}/2026-01-01/vod/tc3_request"
        headers["Authorization"] = f"TC3-HMAC-SHA256 {scope}, SignedHeaders=content-type;host, Signature={64 * '0'}"
        headers["X-TC-Timestamp"] = "1"
    async with caller.session.post(caller.running.url + "/", json=params, headers=headers) as response:
        inside: dict[str, Any] = json.loads(await response.read())["Response"]
        return inside


# --- nothing wrong


async def test_nothing_is_found_where_everything_arrives(caller: Caller, receiver: Receiver) -> None:
    await caller.emit()
    [content] = (await caller.call("PullEvents"))["EventSet"]
    await caller.call("ConfirmEvents", EventHandles=[content["EventHandle"]])
    assert await findings(caller) == []
    await push_to(caller, receiver.url, app=7)
    [event] = (await caller.control("POST", "/events", {}, sub_app_id=7))["events"]
    assert await ended(caller.account, event["id"]) == ["delivered"]
    assert await caller.control("GET", "/diagnosis") == {"findings": [], "probe": None}


# --- modes and addresses


async def test_a_callback_url_in_pull_mode_is_found(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, receiver.url, mode="PULL")
    await caller.emit(count=2)
    finding = await found(caller, "url_in_pull_mode")
    assert finding["evidence"] == {"sub_app_id": None, "mode": "PULL", "callback_url": receiver.url, "queued": 2}
    assert "set mode to PUSH" in finding["message"]


async def test_a_callback_url_is_no_finding_if_pulls_succeed(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, receiver.url, mode="PULL")
    await caller.emit()
    await caller.call("PullEvents")
    assert [one["code"] for one in await findings(caller)] == ["not_confirmed_yet"]


async def test_a_pull_in_push_mode_is_found(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, receiver.url)
    await caller.emit()
    await pull_at_once(caller)
    finding = await found(caller, "pulled_in_push_mode")
    [who] = finding["evidence"]["callers"]
    worker = {"secret_id": "", "user_agent": "worker/1", "address": "127.0.0.1", "api": "3.0"}
    assert who == {**worker, "pulls": 1, "in_push_mode": 1}


async def test_push_mode_without_a_callback_url_is_found(caller: Caller) -> None:
    await caller.control("PATCH", "/config", {"mode": "PUSH"})
    [event] = await caller.emit()
    finding = await found(caller, "no_callback_url")
    assert finding["evidence"]["events"] == [event["id"]]


async def test_localhost_of_a_container_is_not_the_machine(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "in_container", lambda: True)
    await pushed_in_vain(caller, f"http://127.0.0.1:{free_port()}/callback")
    codes = [one["code"] for one in await findings(caller)]
    # The request for the diagnosis comes from this machine too, so that is the less likely cause.
    assert codes == ["refused", "localhost_in_container"]


async def test_localhost_that_was_reached_is_where_the_application_runs(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(probe, "in_container", lambda: True)
    async with receiving(saying(b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")) as url:
        await pushed_in_vain(caller, url)
    await pushed_in_vain(caller, url)
    assert [one["code"] for one in await findings(caller)] == ["refused"]


@pytest.mark.parametrize(("requested_locally", "first"), [(True, "refused"), (False, "localhost_in_container")])
def test_both_causes_of_a_refused_localhost_are_found_in_a_container(requested_locally: bool, first: str) -> None:
    attempt = Attempt(1, "http://localhost:9/", 0.0, 0.1, error="cannot connect: refused")
    codes = [code for code, _ in explain("http://localhost:9/", attempt, Surroundings(True, requested_locally))]
    assert codes[0] == first
    assert sorted(codes) == ["localhost_in_container", "refused"]


# --- attempts that failed, by class


async def test_a_port_without_a_listener_is_found(caller: Caller) -> None:
    url = f"http://127.0.0.1:{free_port()}/callback"
    event = await pushed_in_vain(caller, url)
    evidence = (await found(caller, "refused"))["evidence"]
    assert (evidence["url"], evidence["events"], evidence["attempts"], evidence["attempts_failed"]) == (
        url,
        [event],
        1,
        1,
    )
    assert evidence["last"]["error"].startswith("cannot connect")


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
@pytest.mark.parametrize(("said", "listens"), [("127.0.0.1", "::1"), ("[::1]", "127.0.0.1")])
async def test_a_listener_on_the_other_loopback_is_found(caller: Caller, said: str, listens: str) -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), listens, 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        await pushed_in_vain(caller, f"http://{said}:{port}/callback")
        assert f"{listens} port {port} accepts" in (await found(caller, "other_loopback"))["message"]


async def test_the_name_is_not_found(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    await pushed_in_vain(caller, "http://worker.invalid/callback")
    finding = await found(caller, "name_not_found")
    assert "worker.invalid" in finding["message"]


async def test_the_certificate_is_not_trusted(caller: Caller) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with receiving(hanging, tls=context) as url:
        await pushed_in_vain(caller, url)
    assert "callback-ca" in (await found(caller, "tls"))["message"]


async def test_a_receiver_that_does_not_respond_is_found(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(callback_timeout=0.05), session)
    async with receiving(hanging) as url:
        await pushed_in_vain(caller, url)
    assert (await found(caller, "callback_timeout"))["evidence"]["last"]["error"].startswith("timeout")


async def test_a_receiver_that_closes_the_connection_is_found(caller: Caller) -> None:
    async with receiving(saying(b"")) as url:
        await pushed_in_vain(caller, url)
    assert "connection closed" in (await found(caller, "broken_answer"))["message"]


async def test_no_attempt_can_be_made(caller: Caller, receiver: Receiver, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    trustme.CA().cert_pem.write_to_path(str(authority))
    await push_to(caller, receiver.url, callback_ca=str(authority))
    authority.unlink()
    [event] = await caller.emit()
    await caller.control("PATCH", "/config", {"callback_retries": 0})
    await caller.clock.freeze()
    await caller.clock.advance(10)
    assert await ended(caller.account, event["id"]) == ["failed"]
    assert "FileNotFoundError" in (await found(caller, "attempt_failed"))["message"]


@pytest.mark.parametrize(
    ("status", "advice"),
    [(302, "redirect"), (401, "credentials"), (404, "path"), (500, "its log"), (418, "only 2xx")],
)
async def test_a_status_outside_2xx_is_found(caller: Caller, receiver: Receiver, status: int, advice: str) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status)

    receiver.answering = answer
    await pushed_in_vain(caller, receiver.url)
    finding = await found(caller, "callback_status")
    assert f"status {status}" in finding["message"]
    assert advice in finding["message"]


async def test_a_later_success_is_mentioned_and_a_redelivery_settles_it(caller: Caller, receiver: Receiver) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=500 if len(receiver.received) == 1 else 200)

    receiver.answering = answer
    event = await pushed_in_vain(caller, receiver.url)
    [other] = await caller.emit()
    assert await ended(caller.account, other["id"]) == ["delivered"]
    assert "redeliver" in (await found(caller, "callback_status"))["message"]
    await caller.control("POST", f"/events/{event}/redeliver")
    assert await ended(caller.account, event) == ["delivered"]
    assert await findings(caller) == []


# --- events elsewhere


async def test_a_poll_with_another_sub_app_id_is_found(caller: Caller) -> None:
    await caller.emit(count=3)
    await pull_at_once(caller, SubAppId=1400000001)
    finding = await found(caller, "other_application")
    assert finding["evidence"]["polled"] == {"secret_id": "", "sub_app_id": 1400000001}
    assert finding["evidence"]["events_in"] == {"secret_id": "", "sub_app_id": None, "queued": 3}
    assert finding == (await findings(caller, sub_app_id=0))[0], "seen from where the events are"
    assert finding == (await findings(caller, sub_app_id=1400000001))[0], (
        "and by the application that they are requested for"
    )


async def test_the_application_does_not_sign(caller: Caller) -> None:
    made = await caller.control("POST", "/accounts", {"secret_id": "AKIDmine"})
    await caller.control("POST", "/events", {}, secret_id=made["secret_id"])
    await pull_at_once(caller)
    finding = await found(caller, "unsigned", secret_id="AKIDmine")
    assert finding["message"].endswith("sign with the SecretId AKIDmine")


async def test_the_application_signs_for_another_account(caller: Caller) -> None:
    made = await caller.control("POST", "/accounts", {"secret_id": "AKIDmine"})
    await caller.control("POST", "/events", {}, secret_id=made["secret_id"])
    await pull_at_once(caller, "AKIDother")
    finding = await found(caller, "other_account", secret_id="AKIDmine")
    assert finding["evidence"]["callers"][0]["secret_id"] == "AKIDother"
    assert "AKIDother is not declared" in finding["message"]


# --- calls that were refused


async def test_a_client_speaks_https_to_the_http_port(caller: Caller) -> None:
    await caller.emit()
    port = int(caller.running.url.rsplit(":", 1)[1])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"\x16\x03\x01\x00\x05hello")
    await reader.read()
    writer.close()
    finding = await found(caller, "https_on_http_port")
    assert finding["evidence"]["calls"][0]["address"] == "127.0.0.1"
    await pull_at_once(caller)
    codes = [one["code"] for one in await findings(caller)]
    assert codes == ["not_confirmed_yet"], "a client reaches the server, so the other one does not matter"


async def test_a_signature_is_refused(caller: Caller) -> None:
    await caller.control("POST", "/accounts", {"secret_id": "AKIDmine"})
    await caller.control("POST", "/events", {}, secret_id="AKIDmine")
    await pull_at_once(caller, "AKIDmine")
    finding = await found(caller, "refused_signature", secret_id="AKIDmine")
    [call] = finding["evidence"]["calls"]
    assert (call["secret_id"], call["action"], call["count"]) == ("AKIDmine", "PullEvents", 1)
    assert "refused_signature" not in [one["code"] for one in await findings(caller)], "it concerns another account"


@pytest.mark.parametrize(("action", "code"), [("DescribeCdnLogs", "not_simulated"), ("NoSuchAction", "refused_calls")])
async def test_a_call_is_refused(caller: Caller, action: str, code: str) -> None:
    await caller.call(action)
    assert (await found(caller, code))["evidence"]["calls"][0]["action"] == action


async def test_what_was_refused_before_the_reset_is_not_found(caller: Caller) -> None:
    await caller.call("NoSuchAction")
    await caller.control("POST", "/reset")
    assert [one["code"] for one in await findings(caller)] == ["nothing_happened"]


async def test_what_a_deleted_account_was_refused_is_not_found(caller: Caller) -> None:
    await caller.control("POST", "/accounts", {"secret_id": "AKIDmine"})
    await pull_at_once(caller, "AKIDmine")
    await caller.control("DELETE", "/accounts/AKIDmine")
    assert [one["code"] for one in await findings(caller)] == ["nothing_happened"]


async def test_an_unhandled_exception_in_a_timer(caller: Caller) -> None:
    await caller.clock.freeze()
    caller.clock.at(caller.clock.now() + 1, list[Any]().pop, "a test pops")
    await caller.clock.advance(1)
    evidence = (await found(caller, "unhandled_exception"))["evidence"]
    assert (evidence["count"], evidence["errors"][0]["timer"]) == (1, "a test pops")
    assert "IndexError" in evidence["errors"][0]["error"]


async def test_a_poll_is_blocked_by_a_frozen_clock(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    timers: list[Callable[[], None]] = []
    monkeypatch.setattr(consumers, "call_in_real_time", lambda _, call: timers.append(call))
    monkeypatch.setattr(consumers, "BLOCKED_SECONDS", 0)
    await caller.clock.freeze()
    poll = asyncio.create_task(caller.call("PullEvents"))
    await polls_held(caller.account.life.application().queue, 1)
    timers[0]()
    evidence = (await found(caller, "poll_blocked"))["evidence"]
    assert evidence["callers"][0]["blocked"] == 1
    await caller.emit()
    await poll


# --- pulled, and yet not there


async def test_events_are_pulled_and_never_confirmed(caller: Caller) -> None:
    await caller.clock.freeze()
    events = await caller.emit(count=2)
    await pull_at_once(caller, "AKIDthief")
    await caller.clock.advance(30)
    finding = (await findings(caller))[0]
    assert finding == await found(caller, "never_confirmed")
    assert finding["evidence"]["events"] == [one["id"] for one in events]
    assert finding["evidence"]["by"] == ["worker/1 at 127.0.0.1, API 3.0, signed by AKIDthief"]


async def test_events_are_confirmed_too_late(caller: Caller) -> None:
    await caller.clock.freeze()
    [event] = await caller.emit()
    [content] = (await caller.call("PullEvents"))["EventSet"]
    await caller.clock.advance(31)
    await caller.call("ConfirmEvents", EventHandles=[content["EventHandle"]])
    assert (await found(caller, "confirmed_late"))["evidence"]["events"] == [event["id"]]


async def test_a_lease_that_lasts_is_a_notice(caller: Caller) -> None:
    [event] = await caller.emit()
    await caller.call("PullEvents")
    [finding] = await findings(caller)
    assert (finding["code"], finding["severity"]) == ("not_confirmed_yet", "notice")
    assert finding["evidence"]["events"] == [event["id"]]


async def test_a_client_hangs_up_before_the_hold_ends(caller: Caller) -> None:
    queue = caller.account.life.application().queue
    for _ in range(2):
        poll = asyncio.create_task(caller.call("PullEvents"))
        await polls_held(queue, 1)
        poll.cancel()
        with suppress(asyncio.CancelledError):
            await poll
        await polls_held(queue, 0)
    await caller.emit()
    await caller.call("PullEvents")
    finding = await found(caller, "polls_cut_short")
    [who] = finding["evidence"]["callers"]
    assert (who["pulls"], who["retried"]) == (3, 2)
    assert finding["evidence"]["hold"] == 5
    assert 0 <= finding["evidence"]["patience"] < 5


async def test_an_application_without_a_poll_is_found(caller: Caller) -> None:
    await caller.emit()
    finding = await found(caller, "nobody_pulls")
    assert finding["evidence"]["queued"] == 1
    assert finding["evidence"]["host"] == "127.0.0.1"
    assert "--callback-url" in finding["message"]


async def test_events_expire(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(retention=60), session)
    await caller.clock.freeze()
    [event] = await caller.emit()
    await caller.clock.advance(61)
    assert (await found(caller, "expired"))["evidence"]["events"] == [event["id"]]


# --- time


async def test_a_frozen_clock_is_found(caller: Caller) -> None:
    await caller.clock.freeze()
    await caller.emit(delay=60)
    finding = await found(caller, "frozen_clock")
    assert finding["evidence"]["waiting"] == [{"what": "evt_000001 happens", "within": 60}]


async def test_a_scheduled_event_is_found(caller: Caller) -> None:
    [event] = await caller.emit(delay=60)
    finding = await found(caller, "scheduled")
    assert finding["evidence"]["events"] == [event["id"]]
    assert 59 < finding["evidence"]["within"] <= 60


# --- nothing at all


async def test_nothing_has_happened(caller: Caller) -> None:
    assert "emit one" in (await found(caller, "nothing_happened"))["message"]


async def test_a_reset_without_later_events_is_found(caller: Caller) -> None:
    await caller.emit(count=3)
    await caller.control("POST", "/reset")
    finding = await found(caller, "nothing_happened")
    assert finding["evidence"]["reset"]["queued"] == 3


async def test_events_in_another_account_are_mentioned(caller: Caller) -> None:
    await caller.control("POST", "/accounts", {"secret_id": "AKIDmine"})
    await caller.control("POST", "/events", {}, secret_id="AKIDmine")
    assert (await found(caller, "nothing_happened"))["evidence"]["accounts_with_events"] == ["account AKIDmine"]


async def test_findings_of_a_declared_account_do_not_mention_others(caller: Caller) -> None:
    for secret_id in ("AKIDmine", "AKIDother"):
        await caller.control("POST", "/accounts", {"secret_id": secret_id})
    await caller.control("POST", "/events", {}, secret_id="AKIDother")
    finding = await found(caller, "nothing_happened", secret_id="AKIDmine")
    assert "AKIDother" not in json.dumps(finding)


# --- faults


async def test_an_active_fault(caller: Caller) -> None:
    await caller.control("POST", "/faults", {"fault": "drop"})
    await caller.emit()
    finding = await found(caller, "fault_active")
    assert finding["evidence"] == {"faults": [{"id": "flt_000001", "fault": "drop", "fired": 1}], "count": 1}


# --- the order


async def test_the_likelier_cause_comes_first(caller: Caller) -> None:
    await caller.clock.freeze()
    await caller.emit(delay=60)
    await pull_at_once(caller, SubAppId=7)
    await pushed_in_vain(caller, f"http://127.0.0.1:{free_port()}/callback", mode="PUSH")
    codes = [one["code"] for one in await findings(caller)]
    assert codes == ["refused", "frozen_clock"]


# --- the server looks at its own callback URL


async def test_the_server_probes_the_callback_url_on_request(caller: Caller, receiver: Receiver) -> None:
    await push_to(caller, receiver.url)
    seen = (await caller.control("GET", "/diagnosis", probe="true"))["probe"]
    assert (seen["ok"], seen["verdict"], seen["status"]) == (True, "answers", 200)
    assert [one["outcome"] for one in seen["addresses"]] == ["connected"]
    assert [one.method for one in receiver.received] == ["OPTIONS"]
    assert (await caller.control("GET", "/diagnosis"))["probe"] is None


# --- a callback address looked at


def test_the_document_explains_every_result_of_a_probe() -> None:
    table = DOCUMENT.read_text(encoding="utf-8").partition("| verdict | meaning |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"(?m)^\| `(\w+)` \|", table)) == sorted(get_args(Verdict))


@pytest.mark.parametrize(
    ("status", "allow", "verdict"),
    [
        (200, "POST, OPTIONS", "answers"),
        (405, "POST", "answers"),
        (405, "GET, HEAD", "status"),
        (204, None, "answers"),
        (400, None, "answers"),
        (405, None, "answers"),
        (501, None, "answers"),
        (404, None, "status"),
        (301, None, "status"),
        (401, None, "status"),
        (503, None, "status"),
    ],
)
async def test_a_probe_is_judged_by_the_response(
    receiver: Receiver, status: int, allow: str | None, verdict: str
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, headers={"Allow": allow} if allow else {})

    receiver.answering = answer
    seen = await probe.probe(receiver.url)
    assert (seen.verdict, seen.ok, seen.status, seen.allow) == (verdict, verdict == "answers", status, allow)
    assert [(one.address, one.family, one.connected) for one in seen.addresses] == [("127.0.0.1", "IPv4", True)]
    assert seen.seconds is not None


async def test_a_probe_of_a_port_without_a_listener() -> None:
    seen = await probe.probe(f"http://127.0.0.1:{free_port()}/callback")
    assert (seen.verdict, seen.ok, seen.seconds) == ("refused", False, None)
    assert "is the application running?" in seen.message


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
async def test_a_probe_whose_listener_is_on_the_other_loopback() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "::1", 0)
    async with server:
        seen = await probe.probe(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert (seen.verdict, "Use ::1" in seen.message) == ("other_loopback", True)


async def test_a_probe_whose_name_is_not_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    seen = await probe.probe("http://worker.invalid/callback")
    assert (seen.verdict, seen.addresses) == ("name_not_found", [])
    assert seen.error == "Name or service not known"


async def test_a_probe_of_an_untrusted_certificate() -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    async with receiving(hanging, tls=context) as url:
        seen = await probe.probe(url)
    assert (seen.verdict, seen.ok) == ("tls", False)


async def test_a_probe_without_a_response(receiver: Receiver) -> None:
    async def answer(_: web.Request) -> web.Response:
        await asyncio.Event().wait()
        raise AssertionError

    receiver.answering = answer
    assert (await probe.probe(receiver.url, patience=0.05)).verdict == "timeout"


async def test_a_probe_of_a_port_that_does_not_speak_http() -> None:
    async def greet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        seen = await probe.probe(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/")
    assert seen.verdict == "broken_answer"


@pytest.mark.parametrize("url", ["127.0.0.1:3000", "ftp://a/", "http://"])
async def test_an_invalid_url_is_not_probed(url: str) -> None:
    with pytest.raises(ValueError, match="must be an http:// or https:// URL"):
        await probe.probe(url)


# --- the command


def doctor(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as ended:
        cli.main(["doctor", *arguments])
    assert isinstance(ended.value.code, int)
    return ended.value.code, *capsys.readouterr()


def test_the_doctor_says_what_is_wrong_and_ends_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    with in_background() as server, Client(server.url) as client:
        code, out, err = doctor(capsys, "--url", server.url)
        assert (code, err) == (1, "")
        assert out.startswith("nothing_happened: no event has happened in the default account")
        code, out, _ = doctor(capsys, "--url", server.url, "--json")
        reported = json.loads(out)
        assert (code, reported["probe"]) == (1, None)
        assert reported["findings"][0]["code"] == "nothing_happened"
        client.emit()
        assert [one.code for one in client.diagnosis().findings] == ["nobody_pulls"]
        assert not client.diagnosis().ok


def test_the_doctor_ends_with_0_when_nothing_is_wrong(capsys: pytest.CaptureFixture[str]) -> None:
    with in_background() as server, Client(server.url) as client:
        client.emit(delay=0)
        server.do(server.account.life.application().pulls.begin)  # a client is polling
        assert doctor(capsys, "--url", server.url) == (0, "no problem found\n", "")
        assert client.diagnosis().ok


def test_the_doctor_probes_from_here_or_from_the_server(capsys: pytest.CaptureFixture[str]) -> None:
    with in_background() as receiver, in_background() as server, Client(server.url) as client:
        url = receiver.url + "/mockvod/livez"  # takes GET and HEAD only
        code, out, _ = doctor(capsys, "--url", server.url, "--callback-url", url)
        assert code == 1
        assert re.search(r"^127\.0\.0\.1 \(IPv4\): connected, \d\.\d{3} s$", out, re.MULTILINE)
        assert f"{url}: the response to OPTIONS has status 405, Allow: GET, HEAD, not POST" in out
        client.config(callback_url=url, mode="PULL")
        code, out, _ = doctor(capsys, "--url", server.url, "--from-server", "--json")
        assert json.loads(out)["probe"]["verdict"] == "status"


def test_the_doctor_probes_without_a_server(capsys: pytest.CaptureFixture[str]) -> None:
    nowhere = f"http://127.0.0.1:{free_port()}"
    with in_background() as receiver:
        code, out, err = doctor(capsys, "--url", nowhere, "--callback-url", receiver.url + "/v2/index.php")
    assert code == 0, out
    assert "only the callback URL was checked: no mockvod server at" in err
    code, out, err = doctor(capsys, "--url", nowhere)
    assert (code, out) == (1, "")
    assert "no mockvod server at" in err


def test_the_doctor_refuses_an_invalid_url(capsys: pytest.CaptureFixture[str]) -> None:
    assert doctor(capsys, "--callback-url", "nonsense")[0] == 2

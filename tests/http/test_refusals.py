"""What the server remembers of calls that it refused."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.engine.clock import real_time
from mockvod.engine.consumers import Refusal
from mockvod.wire.signing import tc3_headers
from tests.support import Caller

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def caller(start: Start, session: ClientSession) -> Caller:
    return Caller(await start(secret_id="AKIDmine", secret_key="mine"), session)


def refusals(caller: Caller) -> list[Refusal]:
    return caller.running.world.refusals.since(0)


async def signed(caller: Caller, body: bytes = b"{}", sent: bytes | None = None, **changes: Any) -> None:
    """A signed PullEvents whose body is *sent*, if that differs from the signed *body*."""
    facts = {"secret_id": "AKIDmine", "secret_key": "mine", "timestamp": int(real_time()), **changes}
    host = caller.running.url.removeprefix("http://")
    headers = tc3_headers(host=host, action="PullEvents", body=body, **facts)
    data = body if sent is None else sent
    async with caller.session.post(caller.running.url + "/", data=data, headers=headers) as response:
        assert "Error" in (await response.json())["Response"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"secret_key": "other"}, "it is not signed with the SecretKey of AKIDmine"),
        ({"secret_key": "theirs"}, "it is signed with the SecretKey of account AKIDtheirs"),
        ({"body": b"", "sent": b"{}"}, "the body was changed after it was signed, or was not signed"),
        ({"timestamp": 1_000}, "behind the server's time"),
        ({"timestamp": 9_999_999_999}, "ahead of the server's time"),
    ],
)
async def test_a_refused_signature_is_recorded_with_what_differs(
    caller: Caller, changes: dict[str, Any], message: str
) -> None:
    await caller.control("POST", "/accounts", {"secret_id": "AKIDtheirs", "secret_key": "theirs"})
    await signed(caller, **changes)
    [refusal] = refusals(caller)
    assert (refusal.kind, refusal.action, refusal.caller.secret_id) == ("signature", "PullEvents", "AKIDmine")
    assert message in refusal.message


@pytest.mark.parametrize(
    ("action", "kind", "code"),
    [
        ("DescribeCdnLogs", "not_simulated", "UnsupportedOperation"),
        ("NoSuchAction", "call", "InvalidAction"),
        ("ConfirmEvents", "call", "MissingParameter"),
    ],
)
async def test_a_refused_call_is_recorded_with_action_and_code(
    caller: Caller, action: str, kind: str, code: str
) -> None:
    for _ in range(2):
        await caller.call(action)
    [refusal] = refusals(caller)
    assert (refusal.kind, refusal.action, refusal.code, refusal.count) == (kind, action, code, 2)
    assert refusal.caller.api == "3.0"


async def test_an_empty_pull_is_not_a_refused_call(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(poll_hold=0), session)
    await caller.call("PullEvents")
    async with session.get(f"{caller.running.url}/v2/index.php?Action=PullEvent"):
        pass
    assert refusals(caller) == []


@pytest.mark.parametrize(
    ("query", "kind", "code"),
    [
        ("Action=DescribeInstances", "not_simulated", "4000"),
        ("Action=ConfirmEvent", "call", "4000"),
        ("Action=PullEvent&SecretId=AKIDmine&Signature=x&Timestamp=1&Nonce=1", "signature", "4100"),
    ],
)
async def test_a_refused_call_of_the_older_api_is_recorded(caller: Caller, query: str, kind: str, code: str) -> None:
    async with caller.session.get(f"{caller.running.url}/v2/index.php?{query}"):
        pass
    [refusal] = refusals(caller)
    assert (refusal.kind, refusal.code, refusal.caller.api) == (kind, code, "2.0")


async def test_a_tls_handshake_is_recorded(caller: Caller) -> None:
    _, port = caller.running.url.rsplit(":", 1)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(b"\x16\x03\x01\x00\x05hello")
    await reader.read()
    writer.close()
    [refusal] = refusals(caller)
    assert (refusal.kind, refusal.caller.address) == ("tls", "127.0.0.1")

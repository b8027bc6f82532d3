"""What test code may write: mypy and pyright accept every line. Nothing here is run."""

from collections.abc import Coroutine
from typing import Any, assert_type

from mockvod.testing import (
    Account,
    AccountInfo,
    AsyncAccount,
    AsyncClient,
    Client,
    ClockState,
    Config,
    Diagnosis,
    Event,
    Fault,
    FaultName,
    Media,
    MockVod,
    Report,
    WaitTimeout,
    mark,
)


def blocking(client: Client) -> None:
    assert_type(client.emit(count=2, time_offsets=[1000], delay="5m"), list[Event])
    assert_type(client.emit(event_type="FileDeleted", set={"FileDeleteEvent.FileIdSet": ["1"]}), list[Event])
    assert_type(client.events(state=["queued", "leased"]), list[Event])
    assert_type(client.event("evt_000001").timeline, list[dict[str, Any]])
    assert_type(client.wait_for("delivered,failed", count=2, since=client.journal_end()), list[Event])
    assert_type(client.declare_media(duration="1m", width=640), Media)
    assert_type(client.config(mode="PUSH", poll_hold="500ms", callback_retries=0), dict[str, Any])
    assert_type(client.fault("duplicate", copies=2, when={"probability": 0.1}, scope={"sub_app_id": 7}), Fault)
    assert_type(client.recipe("flaky-network"), list[Fault])
    assert_type(client.make_account(frozen=True, seed=7, config={"mode": "PULL"}), AccountInfo)
    assert_type(client.diagnosis(probe=True), Diagnosis)
    assert_type(client.report(), Report)
    assert_type(client.clock(), ClockState)
    assert_type(client.clock.advance("31s"), ClockState)
    assert_type(client.clock.set(1893456000).now, float)


async def awaited(client: AsyncClient) -> None:
    assert_type(await client.emit(count=2), list[Event])
    coroutine = client.emit()
    await assert_type(coroutine, Coroutine[Any, Any, list[Event]])
    assert_type(await client.config(mode="PULL"), dict[str, Any])
    assert_type(await client.clock(), ClockState)
    assert_type(await client.clock.advance(31), ClockState)


def server() -> None:
    with MockVod(port=8266, log_level="error", mode="PUSH", retention="1h") as running:
        assert_type(running.client, Client)


settings: Config = {"profile": "current", "visibility_timeout": 30}
name: FaultName = "http-status"


@mark(frozen=True, seed=7, callback_url="http://127.0.0.1:3000/", poll_hold=1)
async def test_marked(mockvod: Account, mockvod_async: AsyncAccount) -> None:
    assert_type(mockvod.secret_key, str)
    assert_type(mockvod.emit(), list[Event])
    assert_type(await mockvod_async.emit(), list[Event])
    try:
        mockvod.wait_for("confirmed")
    except WaitTimeout as error:
        assert_type(error.seen, list[Event])

"""The application, tested with the fixture of mockvod: nothing here sleeps, and no test sees another."""

import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp.test_utils import TestServer
from consumer import Snapshots, create_app, pulling

from mockvod.testing import AsyncAccount

FOUR_DAYS = 4 * 24 * 3600


@pytest.fixture
def snapshots() -> Snapshots:
    return Snapshots()


@asynccontextmanager
async def serving(snapshots: Snapshots, address: socket.socket, sign_key: str = "") -> AsyncIterator[None]:
    async with TestServer(create_app(snapshots, sign_key), socket_factory=lambda *_: address):
        yield


def pulling_from(vod: AsyncAccount, snapshots: Snapshots) -> AbstractAsyncContextManager[None]:
    return pulling(snapshots.take, vod.secret_id, vod.secret_key, endpoint=vod.endpoint, protocol="http")


# --- normal callback


async def test_an_event_is_delivered_once(
    mockvod_async: AsyncAccount, snapshots: Snapshots, address: socket.socket, callback_url: str
) -> None:
    await mockvod_async.config(callback_url=callback_url)
    async with serving(snapshots, address):
        [event] = await mockvod_async.emit(time_offsets=[10000, 20000, 30000], failed=[20000])
        await mockvod_async.wait_for("delivered", event_id=event.id)
        await mockvod_async.clock.freeze()
        await mockvod_async.wait_until_settled()
    assert len(snapshots.pictures[str(event.task_id)]) == 2
    assert snapshots.duplicates == 0
    assert len((await mockvod_async.event(event.id)).attempts) == 1


@pytest.mark.mockvod(frozen=True)
async def test_an_event_is_delivered_again_when_the_application_was_down(
    mockvod_async: AsyncAccount, snapshots: Snapshots, address: socket.socket, callback_url: str
) -> None:
    await mockvod_async.config(callback_url=callback_url)
    [event] = await mockvod_async.emit()
    await mockvod_async.wait_until_settled()
    assert snapshots.pictures == {}
    async with serving(snapshots, address):
        await mockvod_async.clock.advance(1)
        await mockvod_async.wait_for("delivered", event_id=event.id)
    refused, accepted = (await mockvod_async.event(event.id)).attempts
    assert refused["error"].startswith("cannot connect")
    assert accepted["status"] == 200
    assert list(snapshots.pictures) == [event.task_id]


@pytest.mark.mockvod(sign_key="key")
async def test_a_forged_callback_is_refused(
    mockvod_async: AsyncAccount, snapshots: Snapshots, address: socket.socket, callback_url: str
) -> None:
    await mockvod_async.config(callback_url=callback_url)
    await mockvod_async.fault("wrong-sign", when={"nth": 1})
    await mockvod_async.fault("expired-sign", when={"nth": 2})
    await mockvod_async.fault("malformed-body", when={"nth": 3})
    async with serving(snapshots, address, "key"):
        for state in ("failed", "failed", "failed", "delivered"):
            [event] = await mockvod_async.emit()
            await mockvod_async.wait_for(state, event_id=event.id)
    assert list(snapshots.pictures) == [event.task_id]
    (await mockvod_async.report()).assert_ok()


# --- reliable callback


class FullAtFirst(Snapshots):
    """Fails to take the first event."""

    full = True

    def take(self, task_id: str, urls: list[str]) -> None:
        if self.full:
            self.full = False
            raise OSError("no space left on the device")
        super().take(task_id, urls)


async def test_an_event_is_pulled_and_confirmed(mockvod_async: AsyncAccount, snapshots: Snapshots) -> None:
    async with pulling_from(mockvod_async, snapshots):
        [event] = await mockvod_async.emit()
        await mockvod_async.wait_for("confirmed", event_id=event.id)
    assert list(snapshots.pictures) == [event.task_id]


@pytest.mark.mockvod(frozen=True)
async def test_an_event_that_was_not_confirmed_comes_again_after_thirty_seconds(
    mockvod_async: AsyncAccount,
) -> None:
    snapshots = FullAtFirst()
    async with pulling_from(mockvod_async, snapshots):
        [event] = await mockvod_async.emit()
        await mockvod_async.wait_for("leased", event_id=event.id)
        await mockvod_async.clock.advance(29.9)
        assert (await mockvod_async.event(event.id)).state == "leased"
        await mockvod_async.clock.advance(0.2)
        await mockvod_async.wait_for("confirmed", event_id=event.id)
    assert list(snapshots.pictures) == [event.task_id]


async def test_a_duplicate_is_handled_once(mockvod_async: AsyncAccount, snapshots: Snapshots) -> None:
    async with pulling_from(mockvod_async, snapshots):
        [event] = await mockvod_async.emit()
        await mockvod_async.wait_for("confirmed", event_id=event.id)
        before = await mockvod_async.journal_end()
        await mockvod_async.redeliver(event.id)
        await mockvod_async.wait_for("confirmed", event_id=event.id, since=before)
    assert list(snapshots.pictures) == [event.task_id]
    assert snapshots.duplicates == 1


@pytest.mark.mockvod(frozen=True)
async def test_an_application_that_comes_back_after_four_days_has_missed_the_event(
    mockvod_async: AsyncAccount, snapshots: Snapshots
) -> None:
    [late] = await mockvod_async.emit()
    await mockvod_async.clock.advance(FOUR_DAYS - 0.1)
    assert (await mockvod_async.event(late.id)).state == "queued"
    await mockvod_async.clock.advance(0.2)
    assert (await mockvod_async.event(late.id)).state == "expired"
    async with pulling_from(mockvod_async, snapshots):
        [new] = await mockvod_async.emit()
        await mockvod_async.wait_for("confirmed", event_id=new.id)
    assert list(snapshots.pictures) == [new.task_id]

"""The naïve application: what it does wrong, and how the report says so."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from aiohttp.test_utils import TestServer
from naive import Pictures, Work, create_app, no_work, pulling

from mockvod.testing import AsyncAccount

FOUR_DAYS = 4 * 24 * 3600

pytestmark = pytest.mark.mockvod(frozen=True, seed=7)


@pytest.fixture
def pictures() -> Pictures:
    return Pictures()


async def found(vod: AsyncAccount) -> set[str]:
    """The codes of what the report finds to be wrong; with them `assert_ok` fails."""
    report = await vod.report()
    wrong = {one.code for one in report.findings if one.severity in {"warning", "problem"}}
    with pytest.raises(AssertionError, match=next(iter(wrong), "nothing")):
        report.assert_ok()
    report.assert_ok(ignore=wrong)
    return wrong


@asynccontextmanager
async def serving(
    vod: AsyncAccount, pictures: Pictures, address: socket.socket, url: str, work: Work = no_work
) -> AsyncIterator[None]:
    await vod.config(callback_url=url)
    async with TestServer(create_app(pictures, work), socket_factory=lambda *_: address):
        yield


def pulling_from(
    vod: AsyncAccount, pictures: Pictures, *, patience: float = 5, work: Work = no_work
) -> AbstractAsyncContextManager["asyncio.Task[None]"]:
    return pulling(pictures, vod.secret_id, vod.secret_key, endpoint=vod.endpoint, patience=patience, work=work)


class Kept:
    """Work that is not done before it may be."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self) -> None:
        self.begun.set()
        await self.may_end.wait()


# --- normal callback


async def test_a_duplicate_is_paid_for_twice_and_answered_with_a_failure(
    mockvod_async: AsyncAccount, pictures: Pictures, address: socket.socket, callback_url: str
) -> None:
    await mockvod_async.fault("repeat")
    async with serving(mockvod_async, pictures, address, callback_url):
        await mockvod_async.emit(time_offsets=[10000, 20000])
        await mockvod_async.wait_for("failed")
    assert pictures.paid == 4
    assert await found(mockvod_async) == {"duplicates", "callback_statuses", "unacknowledged"}


async def test_an_event_of_another_type_is_refused(
    mockvod_async: AsyncAccount, pictures: Pictures, address: socket.socket, callback_url: str
) -> None:
    async with serving(mockvod_async, pictures, address, callback_url):
        await mockvod_async.emit(event_type="FileDeleted")
        await mockvod_async.wait_for("failed")
    assert await found(mockvod_async) == {"callback_statuses", "unacknowledged"}


# The application keeps its callback waiting: the clock does not wait for that as long as it would.
@pytest.mark.mockvod(settle_grace=0.1)
async def test_work_before_the_answer_makes_the_callback_come_again(
    mockvod_async: AsyncAccount, pictures: Pictures, address: socket.socket, callback_url: str
) -> None:
    work = Kept()
    async with serving(mockvod_async, pictures, address, callback_url, work):
        [event] = await mockvod_async.emit()
        await work.begun.wait()
        await mockvod_async.clock.advance(5)
        work.may_end.set()
        await mockvod_async.clock.advance(1)
        await mockvod_async.wait_for("delivered", event_id=event.id)
    assert await found(mockvod_async) == {"callback_timeouts"}


async def test_a_forged_callback_is_taken(
    mockvod_async: AsyncAccount, pictures: Pictures, address: socket.socket, callback_url: str
) -> None:
    await mockvod_async.config(sign_key="key")
    await mockvod_async.fault("wrong-sign")
    async with serving(mockvod_async, pictures, address, callback_url):
        [event] = await mockvod_async.emit()
        await mockvod_async.wait_for("delivered", event_id=event.id)
    assert await found(mockvod_async) == {"callbacks_unchecked"}


# --- reliable callback


async def test_one_event_that_cannot_be_taken_leaves_all_of_its_batch_unconfirmed(
    mockvod_async: AsyncAccount, pictures: Pictures
) -> None:
    await mockvod_async.emit(count=2)
    [known, _] = await mockvod_async.events()
    pictures.of_task[str(known.task_id)] = []  # it has come before
    async with pulling_from(mockvod_async, pictures) as worker:
        with pytest.raises(KeyError):
            await worker
    await mockvod_async.clock.advance(30)
    assert await found(mockvod_async) == {"never_confirmed"}
    assert (await mockvod_async.report())["never_confirmed"].evidence["events_count"] == 2


async def test_a_call_that_is_refused_once_is_the_end_of_it(mockvod_async: AsyncAccount, pictures: Pictures) -> None:
    await mockvod_async.fault("error", when={"first": 1})
    async with pulling_from(mockvod_async, pictures) as worker:
        await asyncio.wait([worker])
        await mockvod_async.emit(count=3)
        await mockvod_async.clock.advance(FOUR_DAYS)
    assert "InternalError" in str(worker.exception())
    assert await found(mockvod_async) == {"unacknowledged"}


async def test_work_before_the_confirm_outlasts_the_lease(mockvod_async: AsyncAccount, pictures: Pictures) -> None:
    work = Kept()
    await mockvod_async.emit()
    async with pulling_from(mockvod_async, pictures, work=work) as worker:
        await work.begun.wait()
        await mockvod_async.clock.advance(30)
        work.may_end.set()
        await asyncio.wait([worker])
    assert "EventHandles" in str(worker.exception())
    assert "confirmed_late" in await found(mockvod_async)


async def test_a_time_out_as_short_as_the_hold_cuts_polls_short(
    mockvod_async: AsyncAccount, pictures: Pictures
) -> None:
    async with asyncio.timeout(10), pulling_from(mockvod_async, pictures, patience=0.05):
        while (await mockvod_async.report())["polls_cut_short"].severity != "warning":
            pass
    assert await found(mockvod_async) == {"polls_cut_short"}

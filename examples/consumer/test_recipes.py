"""The application under every recipe of misbehaviour: each event is taken once, and the report has nothing to say."""

import asyncio
import socket
from collections.abc import Iterator

import pytest
from aiohttp.test_utils import TestServer
from consumer import Snapshots, create_app, pulling

from mockvod.testing import AsyncAccount, RecipeName, history

TERMINAL = {"confirmed", "delivered", "failed", "expired", "dropped"}
CALLS = ("PullEvents", "ConfirmEvents")

# What the application cannot help: an answer of PullEvents that got lost leaves its events leased, so they are
# confirmed only when they have come again.
BEYOND_IT = {"flaky-network": ["confirmed_late"]}

recipes = pytest.mark.parametrize(
    "recipe", ["duplicate-storm", "out-of-order", "flaky-network", "lost-confirm", "slow-vendor", "throttled"]
)


async def all_over(vod: AsyncAccount) -> bool:
    return all(event.state in TERMINAL for event in await vod.events())


def rounds() -> Iterator[None]:
    """Enough for whatever a recipe does; a test that needs more than these hangs."""
    yield from [None] * 5000
    raise AssertionError("the events are not over")


async def until_pulled(vod: AsyncAccount) -> None:
    """Until all events are over; the clock moves only while a call of the application waits for it."""
    for _ in rounds():
        if await all_over(vod):
            return
        if any(one["what"].startswith(CALLS) for one in (await vod.clock()).waiting):
            await vod.clock.advance(5)


async def until_pushed(vod: AsyncAccount) -> None:
    for _ in rounds():
        if await all_over(vod):
            return
        await vod.clock.advance(1)


@recipes
@pytest.mark.mockvod(frozen=True, seed=7)
async def test_what_is_pulled_is_taken_once(mockvod_async: AsyncAccount, recipe: RecipeName) -> None:
    vod, snapshots = mockvod_async, Snapshots()
    tasks = set()
    await vod.recipe(recipe)
    async with (
        asyncio.timeout(10),
        pulling(
            snapshots.take,
            vod.secret_id,
            vod.secret_key,
            endpoint=vod.endpoint,
            protocol="http",
            sleep=vod.clock.advance,
        ),
    ):
        for _ in range(6):
            tasks |= {event.task_id for event in await vod.emit(count=2)}
            await until_pulled(vod)
    assert snapshots.pictures.keys() == tasks
    assert any(fault.fired for fault in await vod.faults())
    (await vod.report()).assert_ok(ignore=BEYOND_IT.get(recipe, ()))
    told = history.check(await vod.journal(limit=10_000))
    told.assert_ok()
    assert told.confirmed == told.enqueued


@recipes
@pytest.mark.mockvod(frozen=True, seed=7, sign_key="key")
async def test_what_is_pushed_is_taken_once(
    mockvod_async: AsyncAccount, address: socket.socket, callback_url: str, recipe: RecipeName
) -> None:
    vod, snapshots = mockvod_async, Snapshots()
    await vod.config(callback_url=callback_url)
    await vod.recipe(recipe)
    async with (
        asyncio.timeout(10),
        TestServer(create_app(snapshots, "key"), socket_factory=lambda *_: address),
    ):
        tasks = {event.task_id for event in await vod.emit(count=6)}
        await until_pushed(vod)
    assert snapshots.pictures.keys() == tasks
    (await vod.report()).assert_ok()
    history.check(await vod.journal(limit=10_000)).assert_ok()

"""Calls under way when their account is reset or deleted are answered at once; nothing reaches the next life."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from mockvod.engine.lifetime import LifeEnded
from mockvod.pictures.worker import THREADS
from mockvod.service.life import Life
from tests.listeners import listening
from tests.support import Caller

JOB = {
    "FileId": "1",
    "MediaProcessTask": {"SnapshotByTimeOffsetTaskSet": [{"Definition": 10, "ExtTimeOffsetSet": ["1s"]}]},
}


async def until(condition: Callable[[], object]) -> None:
    """Return once *condition* holds; the event loop does everything else meanwhile."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - no event announces every condition
            await asyncio.sleep(0)


async def held(caller: Caller, action: str, **params: Any) -> "asyncio.Task[dict[str, Any]]":
    """A call that the frozen clock of the default account holds."""
    life, before = caller.account.life, len(caller.clock.waiting())
    call = asyncio.create_task(caller.call(action, **params))
    await until(lambda: len(life.clock.waiting()) > before)
    return call


@pytest.fixture
async def frozen(caller: Caller) -> Caller:
    await caller.control("POST", "/clock", {"freeze": True})
    return caller


async def in_time(call: "asyncio.Task[dict[str, Any]]") -> dict[str, Any]:
    async with asyncio.timeout(20):
        return await call


@pytest.mark.parametrize("fault", [None, "latency"])
async def test_a_pull_overtaken_by_a_reset_finds_nothing(frozen: Caller, fault: str | None) -> None:
    if fault:
        await frozen.control("POST", "/faults", {"fault": fault, "seconds": 5})
    call = await held(frozen, "PullEvents")
    await frozen.control("POST", "/reset")
    assert (await in_time(call))["Error"]["Code"] == "ResourceNotFound"


async def test_the_reply_of_an_overtaken_pull_follows_the_settings(frozen: Caller) -> None:
    await frozen.control("PATCH", "/config", {"empty_reply": "empty"})
    call = await held(frozen, "PullEvents")
    await frozen.control("POST", "/reset")
    assert await in_time(call) == {"EventSet": []}


async def test_any_other_call_overtaken_by_a_reset_fails_and_starts_nothing(frozen: Caller) -> None:
    await frozen.control("POST", "/faults", {"fault": "latency", "seconds": 5})
    call = await held(frozen, "ProcessMedia", **JOB)
    await frozen.control("POST", "/reset")
    error = (await in_time(call))["Error"]
    assert error["Code"] == "InternalError"
    assert error["Message"].endswith("the default account was reset while the call was under way.")
    await frozen.control("POST", "/clock", {"advance": 60})
    stats = await frozen.control("GET", "/stats")
    assert (sum(stats["counts"].values()), stats["pending_bytes"]) == (0, 0)


async def test_a_slow_response_is_finished_at_once(frozen: Caller) -> None:
    await frozen.control("POST", "/faults", {"fault": "dribble", "pieces": 3, "seconds": 60})
    call = await held(frozen, "DescribeEventsState")
    await frozen.control("POST", "/reset")
    assert await in_time(call) == {"CountOfEventsToPull": 0}


async def test_a_wait_overtaken_by_a_reset_names_it_and_mixes_no_lives(caller: Caller) -> None:
    wait = asyncio.create_task(caller.control("POST", "/wait", {"state": "confirmed", "count": 2, "timeout": 60}))
    await listening(caller.account.life.events, 1)
    await caller.control("POST", "/reset")
    await caller.emit(count=2)
    error = (await in_time(wait))["error"]
    assert (error["code"], error["message"]) == (
        "account_reset",
        "the default account was reset during the call",
    )


async def test_a_move_of_the_clock_overtaken_by_a_reset_names_it(frozen: Caller) -> None:
    life = frozen.account.life
    life.clock.begin_work()  # work that never ends: a move would wait for it
    move = asyncio.create_task(frozen.control("POST", "/clock", {"advance": 1}))
    await until(lambda: life._calls)
    await frozen.control("POST", "/reset")
    assert (await in_time(move))["error"]["code"] == "account_reset"


async def test_calls_of_a_deleted_account_return_at_once(running: Running, session: ClientSession) -> None:
    caller = Caller(running, session)
    made = await caller.control("POST", "/accounts", {"secret_id": "AKIDmine", "frozen": True})
    life = running.world.account("AKIDmine").life
    query = {"Action": "PullEvents", "Version": "2018-07-17", "SecretId": "AKIDmine"}

    async def pull() -> dict[str, Any]:
        async with session.get(running.url, params=query) as response:
            inside: dict[str, Any] = (await response.json())["Response"]
            return inside

    call = asyncio.create_task(pull())
    await until(lambda: life._calls)
    await caller.control("DELETE", f"/accounts/{made['secret_id']}")
    assert (await in_time(call))["Error"]["Code"] == "ResourceNotFound"


async def test_a_legacy_pull_overtaken_by_a_reset_finds_nothing(frozen: Caller) -> None:
    async def pull() -> dict[str, Any]:
        query = {"Action": "PullEvent"}
        async with frozen.session.get(f"{frozen.running.url}/v2/index.php", params=query) as response:
            reply: dict[str, Any] = await response.json()
            return reply

    life = frozen.account.life
    call = asyncio.create_task(pull())
    await until(lambda: life._calls)
    await frozen.control("POST", "/reset")
    assert await in_time(call) == {"code": 4000, "message": "no event"}


@pytest.mark.parametrize("path", ["/snapshots/1/10/0.jpg", "media file"])
async def test_a_picture_overtaken_by_a_reset_is_refused_at_once(caller: Caller, path: str) -> None:
    world, life = caller.running.world, caller.account.life
    if path == "media file":
        addresses = life.application().addresses
        path = f"/{addresses.products}/{addresses.folder('1')}/snapshot/1_1.100_0.jpg"
    async with caller.session.get(f"{caller.running.url}{path}x"):
        pass  # its routes are built
    drawn = threading.Event()
    for _ in range(THREADS):
        world.worker.submit(lambda _: drawn.wait(20))

    async def get() -> tuple[int, str]:
        async with caller.session.get(f"{caller.running.url}{path}") as response:
            return response.status, await response.text()

    getting = asyncio.create_task(get())
    await until(lambda: life._calls)
    await caller.control("POST", "/reset")
    async with asyncio.timeout(20):
        assert await getting == (503, "the default account was reset\n")
    assert not drawn.is_set()
    drawn.set()


# --- what a reset begins


async def test_an_account_made_frozen_is_frozen_after_a_reset(caller: Caller) -> None:
    await caller.control("POST", "/accounts", {"secret_id": "AKIDmine", "frozen": True})
    await caller.control("POST", "/clock", {"release": True}, secret_id="AKIDmine")
    await caller.control("POST", "/reset", secret_id="AKIDmine")
    assert (await caller.control("GET", "/clock", secret_id="AKIDmine"))["frozen"]


async def task_ids(caller: Caller, secret_id: str) -> list[str]:
    events = await caller.control("POST", "/events", {"count": 2}, secret_id=secret_id)
    return [event["task_id"] for event in events["events"]]


async def test_without_a_seed_a_reset_draws_a_new_one(
    start: Callable[..., Awaitable[Running]], session: ClientSession
) -> None:
    caller = Caller(await start(seed=None), session)
    await caller.control("POST", "/accounts", {"secret_id": "AKIDmine"})
    before = await task_ids(caller, "AKIDmine")
    await caller.control("POST", "/reset", secret_id="AKIDmine")
    assert not set(before) & set(await task_ids(caller, "AKIDmine"))


async def test_with_a_seed_a_reset_repeats_itself(caller: Caller) -> None:
    await caller.control("POST", "/accounts", {"secret_id": "AKIDmine", "seed": 7})
    before = await task_ids(caller, "AKIDmine")
    await caller.control("POST", "/reset", secret_id="AKIDmine")
    assert await task_ids(caller, "AKIDmine") == before


# --- a life that has ended


@pytest.fixture
async def ended(caller: Caller) -> Life:
    life = caller.account.life
    life.application()
    await caller.account.reset()
    return life


@pytest.mark.parametrize(
    "work",
    [
        lambda life: life.application().emit("FileDeleted", {"FileIdSet": []}),
        lambda life: life.application().confirm(["1"]),
        lambda life: life.application(7),
        lambda life: life.clock.at(0, print, "late work"),
    ],
    ids=["emit", "confirm", "application", "timer"],
)
async def test_a_life_that_has_ended_raises(ended: Life, work: Callable[[Life], object]) -> None:
    with pytest.raises(LifeEnded, match="the default account was reset"):
        work(ended)


async def test_a_pull_in_a_life_that_has_ended_raises(ended: Life) -> None:
    with pytest.raises(LifeEnded):
        await ended.application().pull()
    with pytest.raises(LifeEnded):
        await ended.unless_ended(ended.application().pull())


# --- what a timer raises


async def test_what_a_timer_raises_is_in_the_journal(frozen: Caller) -> None:
    def fail() -> None:
        raise ValueError("no such thing")

    frozen.clock.at(frozen.clock.now() + 1, fail, "something is due")
    await frozen.control("POST", "/clock", {"advance": 2})
    entries = (await frozen.control("GET", "/journal"))["entries"]
    [error] = [entry for entry in entries if entry["what"] == "error"]
    assert (error["timer"], error["error"]) == ("something is due", "ValueError: no such thing")

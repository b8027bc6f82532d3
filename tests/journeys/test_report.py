"""A consumer judged over HTTP: an orderly one and a naïve one, pulling and being pushed to."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from mockvod.app import Running
from mockvod.insight.report import CODES
from mockvod.testing import AsyncClient, Report, history
from tests.journeys.test_push import push_to
from tests.polls import polls_held
from tests.receivers import ended, hanging, receiving
from tests.support import Caller, Receiver

Start = Callable[..., Awaitable[Running]]

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "consumer.md"


@pytest.fixture
async def caller(start: Start, session: ClientSession) -> Caller:
    """A caller of a server whose clock stands still and waits for no receiver longer than it must."""
    caller = Caller(await start(settle_grace=0.05), session)
    await caller.clock.freeze()
    return caller


@pytest.fixture
async def client(caller: Caller) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(caller.running.url) as client:
        yield client


def severities(report: Report) -> dict[str, str]:
    return {one.code: one.severity for one in report.findings if one.severity != "ok"}


def handles(answer: dict[str, Any]) -> list[str]:
    return [content["EventHandle"] for content in answer["EventSet"]]


def test_every_trait_is_explained() -> None:
    explained = re.findall(r"^## (\w+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(explained) == sorted(CODES)


# --- pulling


async def test_an_orderly_consumer_passes(caller: Caller, client: AsyncClient) -> None:
    await caller.emit(count=20)
    while handles_of_one := handles(await caller.call("PullEvents")) if await _waits(caller) else []:
        await caller.call("ConfirmEvents", EventHandles=handles_of_one)
    report = await client.report()
    assert severities(report) == {}
    report.assert_ok()
    assert str(report).startswith("ok: never_confirmed: ")
    assert report["confirmed_late"].evidence == {"confirmed": 20}
    reported = history.check(await client.journal())
    reported.assert_ok()
    assert reported.confirmed == 20


async def _waits(caller: Caller) -> int:
    count: int = (await caller.call("DescribeEventsState"))["CountOfEventsToPull"]
    return count


async def test_a_naive_consumer_is_reported(caller: Caller, client: AsyncClient) -> None:
    """It stops at the first bad event, confirms only what it has worked on, and mangles a handle."""
    events = await caller.emit(count=3)
    good, _, _ = handles(await caller.call("PullEvents"))
    await caller.call("ConfirmEvents", EventHandles=[good])
    await caller.call("ConfirmEvents", EventHandles=[good])
    await caller.call("ConfirmEvents", EventHandles=[str(float(good))])
    await caller.clock.advance(31)
    _, late = handles(await caller.call("PullEvents"))
    await caller.call("ConfirmEvents", EventHandles=[late])
    report = await client.report()
    assert severities(report) == {
        "never_confirmed": "problem",
        "confirmed_late": "warning",
        "confirmed_twice": "notice",
        "unknown_handles": "problem",
    }
    assert report["never_confirmed"].evidence["events"] == [events[1]["id"]]
    assert report["confirmed_late"].evidence["events"] == [events[2]["id"]]
    with pytest.raises(AssertionError) as failed:
        report.assert_ok(ignore=["unknown_handles"])
    assert str(failed.value).startswith("the consumer has problems:\nproblem: never_confirmed: ")
    assert f"[events {events[1]['id']}; entries " in str(failed.value)
    assert "unknown_handles" not in str(failed.value)
    report.assert_ok(ignore={"never_confirmed", "confirmed_late", "unknown_handles"})
    with pytest.raises(KeyError, match="never_confirmd"):
        report.assert_ok(ignore="never_confirmd")


@pytest.mark.parametrize("api", ["3.0", "2.0"])
async def test_an_impatient_client_is_reported_in_either_api(caller: Caller, client: AsyncClient, api: str) -> None:
    queue = caller.account.life.application().queue

    async def pull() -> None:
        if api == "3.0":
            await caller.call("PullEvents")
        else:
            async with caller.session.get(f"{caller.running.url}/v2/index.php?Action=PullEvent"):
                pass

    async def give_up() -> None:
        poll = asyncio.create_task(pull())
        await polls_held(queue, 1)
        poll.cancel()
        with suppress(asyncio.CancelledError):
            await poll
        await polls_held(queue, 0)

    await give_up()
    assert severities(await client.report()) == {}, "it may just have been stopped"
    await give_up()
    assert severities(await client.report()) == {"polls_cut_short": "notice"}
    await caller.emit()
    await pull()
    report = await client.report()
    assert severities(report)["polls_cut_short"] == "warning"
    assert report["polls_cut_short"].evidence["given_up"] == 2
    assert report["polls_cut_short"].evidence["polls"] == 3
    assert report["polls_cut_short"].evidence["clients"][0]["api"] == api


# --- being pushed to


async def test_an_orderly_receiver_passes(caller: Caller, client: AsyncClient, receiver: Receiver) -> None:
    await push_to(caller, receiver.url)
    [event] = await caller.emit()
    assert await ended(caller.account, event["id"]) == ["delivered"]
    await caller.control("POST", f"/events/{event['id']}/redeliver")
    assert await ended(caller.account, event["id"]) == ["delivered"]
    report = await client.report()
    assert severities(report) == {}
    assert report["duplicates"].evidence == {"repetitions": 1}
    history.check(await client.journal()).assert_ok()


async def test_a_receiver_that_fails_on_a_duplicate_is_reported(
    caller: Caller, client: AsyncClient, receiver: Receiver
) -> None:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=200 if len(receiver.received) == 1 else 409)

    receiver.answering = answer
    await push_to(caller, receiver.url)
    [event] = await caller.emit()
    assert await ended(caller.account, event["id"]) == ["delivered"]
    await caller.control("POST", f"/events/{event['id']}/redeliver")
    assert await ended(caller.account, event["id"]) == ["failed"]
    report = await client.report()
    assert severities(report) == {"callback_statuses": "problem", "duplicates": "problem", "unacknowledged": "problem"}
    shown = {"event": event["id"], "first": "status 200", "then": ["status 409"]}
    assert report["duplicates"].evidence["shown"] == [shown]


async def test_a_receiver_that_responds_too_late_is_reported(caller: Caller, client: AsyncClient) -> None:
    async with receiving(hanging) as url:
        await push_to(caller, url, callback_retries=0)
        [event] = await caller.emit()
        await caller.clock.advance(10)
    report = await client.report()
    assert severities(report) == {"callback_timeouts": "problem", "unacknowledged": "problem"}
    [shown] = report["callback_timeouts"].evidence["shown"]
    assert (shown["event"], shown["duration"]) == (event["id"], 5)


async def test_a_receiver_that_responds_almost_too_late_gets_a_warning(
    caller: Caller, client: AsyncClient, receiver: Receiver
) -> None:
    may_answer = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await may_answer.wait()
        return web.Response()

    receiver.answering = answer
    await push_to(caller, receiver.url)
    [event] = await caller.emit()
    await receiver.wait_for(1)
    await caller.clock.advance(4.5)
    may_answer.set()
    assert await ended(caller.account, event["id"]) == ["delivered"]
    assert severities(await client.report()) == {"callbacks_slow": "warning"}


# --- how much was looked at


async def test_a_report_says_from_which_entry_it_starts(start: Start, session: ClientSession) -> None:
    caller = Caller(await start(journal_entries=100), session)
    await caller.emit(count=150)
    async with AsyncClient(caller.running.url) as client:
        report = await client.report()
    assert (report.since, report.complete) == (51, False)
    assert str(report).startswith("from journal entry 51; ")


async def test_a_report_is_about_one_application(caller: Caller) -> None:
    await caller.call("ConfirmEvents", SubAppId=7, EventHandles=["1"])
    for sub_app_id, severity in ((7, "problem"), (8, "ok")):
        answer = await caller.control("GET", "/report", sub_app_id=sub_app_id)
        [finding] = [one for one in answer["findings"] if one["code"] == "unknown_handles"]
        assert finding["severity"] == severity

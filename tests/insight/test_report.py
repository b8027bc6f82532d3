"""What a report makes of a journal; the same over HTTP is in tests/journeys/test_report.py."""

from typing import Any

import pytest

from mockvod.engine.attempt import Attempt
from mockvod.engine.events import Event
from mockvod.engine.queue import Leases
from mockvod.insight.evidence import Finding
from mockvod.insight.report import CODES, Report, report
from mockvod.service.application import Application
from mockvod.service.world import Account
from mockvod.wire.events import SNAPSHOT_COMPLETE
from tests.support import Caller

OK, BAD = {"status": 200}, {"status": 500}
TIMEOUT = {"error": "timeout: no complete answer within 5 s"}


@pytest.fixture
async def account(caller: Caller) -> Account:
    await caller.clock.freeze()
    return caller.account


@pytest.fixture
def application(account: Account) -> Application:
    return account.life.application()


async def judged(account: Account) -> Report:
    return await report(account, account.life.applications())


async def found(account: Account, code: str) -> Finding:
    [finding] = [one for one in (await judged(account)).findings if one.code == code]
    return finding


async def severities(account: Account) -> dict[str, str]:
    """The traits that are not as they should be."""
    return {one.code: one.severity for one in (await judged(account)).findings if one.severity != "ok"}


def emit(application: Application) -> Event:
    return application.emit(SNAPSHOT_COMPLETE, application.snapshot_task())


async def pull(application: Application) -> Leases:
    with application.life.clock.busy():
        return await application.queue.pull(16, hold=0)


def pushed(application: Application, *attempts: dict[str, Any], event: Event | None = None) -> Event:
    """An event (a new one, when none is given) whose delivery is made of these attempts."""
    events = application.life.events
    event = event or events.create(application.sub_app_id, "FileUploaded", b"}")
    events.note(event, "delivering", {"url": "http://a/"})
    for number, facts in enumerate(attempts, 1):
        events.note(event, "attempt", Attempt(number, "http://a/", 0.0, facts.pop("duration", 0.1), **facts))
    return event


def struck(application: Application, event: Event, fault: str, **facts: str) -> None:
    application.life.events.note(event, "fault", {"id": "flt_000001", "fault": fault, "message": "it fires", **facts})


# --- as it should be


async def test_an_account_without_events_has_no_problem(account: Account) -> None:
    reported = await judged(account)
    assert tuple(one.code for one in reported.findings) == CODES
    assert {one.severity for one in reported.findings} == {"ok"}
    assert reported.complete


async def test_an_orderly_consumer_gets_ok_throughout(application: Application, account: Account) -> None:
    emit(application)
    [leased] = await pull(application)
    application.confirm([leased.handle])
    pushed(application, OK)
    assert await severities(account) == {}
    assert (await found(account, "confirmed_late")).evidence == {"confirmed": 1}


# --- pulling


async def test_a_confirm_after_the_lease_has_ended_is_late(application: Application, account: Account) -> None:
    event = emit(application)
    [first] = await pull(application)
    await application.life.clock.advance(30)
    application.confirm([first.handle])
    [second] = await pull(application)
    application.confirm([second.handle])
    assert await severities(account) == {"confirmed_late": "warning"}
    late = await found(account, "confirmed_late")
    assert late.evidence["events"] == [event.id]
    assert late.evidence["stale_handles"] == [first.handle]
    whats = {entry.seq: entry.what for entry in application.life.journal.since(0)}
    assert [whats[seq] for seq in late.evidence["entries"]] == ["lease_ended", "confirm_refused"]


async def test_an_event_that_is_never_confirmed_is_a_problem(application: Application, account: Account) -> None:
    event = emit(application)
    for _ in range(2):
        await pull(application)
        await application.life.clock.advance(30)
    assert await severities(account) == {"never_confirmed": "problem"}
    never = await found(account, "never_confirmed")
    assert (never.evidence["events"], len(never.evidence["entries"])) == ([event.id], 2)


async def test_a_leased_event_is_a_notice(application: Application, account: Account) -> None:
    emit(application)
    await pull(application)
    assert await severities(account) == {"not_confirmed_yet": "notice"}


@pytest.mark.parametrize("repeated", ["accept", "refuse"])
async def test_a_handle_that_is_confirmed_twice_is_noticed(
    application: Application, repeated: str, account: Account
) -> None:
    account.life.configure({"repeated_confirm": repeated})
    event = emit(application)
    [leased] = await pull(application)
    application.confirm([leased.handle])
    application.confirm([leased.handle])
    assert await severities(account) == {"confirmed_twice": "notice"}
    assert (await found(account, "confirmed_twice")).evidence["events"] == [event.id]


async def test_a_handle_from_no_pull_is_a_problem(application: Application, account: Account) -> None:
    application.confirm(["1" * 200])
    assert await severities(account) == {"unknown_handles": "problem"}
    assert (await found(account, "unknown_handles")).evidence["handles"] == ["1" * 100]


async def test_a_handle_with_a_lone_surrogate_can_be_shown(application: Application, account: Account) -> None:
    application.confirm(["\ud800"])
    assert (await found(account, "unknown_handles")).evidence["handles"] == ["\\ud800"]


async def test_a_handle_of_another_application_is_named(account: Account) -> None:
    event = emit(account.life.application(1))
    [leased] = await pull(account.life.application(1))
    account.life.application(2).confirm([leased.handle])
    finding = await found(account, "unknown_handles")
    assert (finding.severity, finding.evidence["of_another_application"]) == ("problem", [leased.handle])
    assert finding.evidence["events"] == [event.id]


async def test_evicted_entries_are_not_reported_as_problems(application: Application, account: Account) -> None:
    account.life.configure({"journal_entries": 100})
    emit(application)
    [leased] = await pull(application)
    application.confirm([leased.handle])
    for _ in range(200):
        emit(application)
    application.confirm([leased.handle, "7"])
    reported = await judged(account)
    assert (reported.complete, reported.since) == (False, application.life.journal.first)
    assert (await found(account, "unknown_handles")).severity == "warning"


async def test_a_report_is_complete_from_a_reset_on(application: Application, account: Account) -> None:
    emit(application)
    await account.reset()
    assert (await judged(account)).complete
    assert (await judged(account)).since == 2


async def test_a_report_covers_only_the_given_applications(account: Account) -> None:
    account.life.application(1).confirm(["7"])
    one, other = account.life.application(1), account.life.application(2)
    assert [f.severity for f in (await report(account, [one])).findings if f.code == "unknown_handles"] == ["problem"]
    assert {f.severity for f in (await report(account, [other])).findings} == {"ok"}


# --- being pushed to


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([{**OK, "duration": 3.9}], {}),
        ([{**OK, "duration": 4.0}], {"callbacks_slow": "warning"}),
        ([TIMEOUT, OK], {"callback_timeouts": "problem"}),
        ([BAD], {"callback_statuses": "problem"}),
        ([{"error": "cannot connect: x"}, OK], {"callbacks_unreached": "problem"}),
        ([TIMEOUT, BAD], {"callback_timeouts": "problem", "callback_statuses": "problem", "duplicates": "problem"}),
        ([TIMEOUT, TIMEOUT], {"callback_timeouts": "problem"}),
        ([BAD, OK], {"callback_statuses": "problem"}),
    ],
)
async def test_responses_are_graded(
    application: Application, attempts: list[dict[str, Any]], expected: dict[str, str], account: Account
) -> None:
    pushed(application, *map(dict, attempts))
    assert await severities(account) == expected


async def test_a_duplicate_that_is_acknowledged_is_ok(application: Application, account: Account) -> None:
    event = pushed(application, OK)
    pushed(application, OK, event=event)
    assert (await found(account, "duplicates")).evidence == {"repetitions": 1}


async def test_a_duplicate_that_is_not_acknowledged_is_a_problem(application: Application, account: Account) -> None:
    event = pushed(application, OK)
    pushed(application, dict(BAD), event=event)
    finding = await found(account, "duplicates")
    assert finding.severity == "problem"
    assert finding.evidence["shown"] == [{"event": event.id, "first": "status 200", "then": ["status 500"]}]


async def test_a_redelivery_that_is_not_confirmed_is_a_problem(application: Application, account: Account) -> None:
    event = emit(application)
    [leased] = await pull(application)
    application.confirm([leased.handle])
    application.redeliver(event)
    await pull(application)
    await application.life.clock.advance(30)
    assert await severities(account) == {"duplicates": "problem"}


async def test_a_copy_that_is_not_acknowledged_is_a_problem(application: Application, account: Account) -> None:
    event = pushed(application, OK)
    copy = application.life.events.create(None, "FileUploaded", b"}")
    struck(application, copy, "duplicate", copy_of=event.id)
    pushed(application, dict(BAD), event=copy)
    assert (await found(account, "duplicates")).evidence["events"] == [copy.id]


async def test_an_event_that_ends_unacknowledged_is_a_problem(application: Application, account: Account) -> None:
    account.life.configure({"retention": 60})
    expired = emit(application)
    await account.life.clock.advance(60)
    failed = pushed(application, dict(BAD))
    account.life.events.note(failed, "failed", {"reason": "status 500"})
    finding = await found(account, "unacknowledged")
    assert finding.severity == "problem"
    assert finding.evidence["events"] == [expired.id, failed.id]
    assert [one["ended"] for one in finding.evidence["shown"]] == ["expired", "failed"]


# --- what faults did


@pytest.mark.parametrize("fault", ["wrong-sign", "expired-sign", "truncated-body", "malformed-body"])
async def test_a_forged_callback_is_to_be_refused(application: Application, fault: str, account: Account) -> None:
    event = pushed(application)
    struck(application, event, fault)
    application.life.events.note(event, "attempt", Attempt(1, "http://a/", 0.0, 0.1, status=400))
    application.life.events.note(event, "failed", {"reason": "status 400"})
    assert await severities(account) == {}
    other = pushed(application)
    struck(application, other, fault)
    application.life.events.note(other, "attempt", Attempt(1, "http://a/", 0.0, 0.1, status=200))
    assert await severities(account) == {"callbacks_unchecked": "problem"}
    assert (await found(account, "callbacks_unchecked")).evidence["faults"] == [fault]


async def test_a_lease_that_a_fault_ended_is_not_the_consumers(application: Application, account: Account) -> None:
    event = emit(application)
    [leased] = await pull(application)
    struck(application, event, "lose-confirm")
    await application.life.clock.advance(30)
    application.confirm([leased.handle])
    assert await severities(account) == {}


async def test_a_handle_that_a_fault_invented_is_not_the_consumers(application: Application, account: Account) -> None:
    event = emit(application)
    await pull(application)
    struck(application, event, "stale-handle", expired_handle="900000000000000001")
    application.confirm(["900000000000000001"])
    assert (await found(account, "unknown_handles")).severity == "ok"


async def test_a_confirm_that_a_fault_failed_may_be_repeated(application: Application, account: Account) -> None:
    event = emit(application)
    [leased] = await pull(application)
    application.confirm([leased.handle])
    struck(application, event, "fail-confirm")
    application.confirm([leased.handle])
    assert (await found(account, "confirmed_twice")).severity == "ok"

"""What a diagnosis is made of; each cause is provoked over HTTP in tests/journeys/test_diagnosis.py."""

import asyncio
from functools import partial
from pathlib import Path

import pytest

from mockvod.engine.clock import LoopShare
from mockvod.engine.consumers import CALLER, Caller, Poll
from mockvod.insight import evidence
from mockvod.insight.callbacks import in_container, is_loopback
from mockvod.insight.diagnosis import diagnose, refused_urls
from mockvod.service.application import Application
from mockvod.service.world import Account
from mockvod.wire.events import SNAPSHOT_COMPLETE
from tests.support import Caller as HttpCaller


@pytest.fixture
def account(caller: HttpCaller) -> Account:
    return caller.account


def emit(account: Account, sub_app_id: int | None = None) -> None:
    application = account.life.application(sub_app_id)
    application.emit(SNAPSHOT_COMPLETE, application.snapshot_task())


# --- the machine


@pytest.mark.parametrize("mark", [".dockerenv", "run/.containerenv", "var/run/secrets/kubernetes.io/token"])
def test_a_container_is_known_by_its_files(tmp_path: Path, mark: str) -> None:
    assert not in_container(tmp_path)
    (tmp_path / mark).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / mark).touch()
    assert in_container(tmp_path)


@pytest.mark.parametrize(
    ("groups", "expected"),
    [("0::/\n", False), ("0::/init.scope\n", False), ("12:cpu:/docker/4f1c\n", True), ("1:name=/kubepods/x\n", True)],
)
def test_a_container_is_known_by_its_control_groups(tmp_path: Path, groups: str, expected: bool) -> None:
    (tmp_path / "proc/1").mkdir(parents=True)
    (tmp_path / "proc/1/cgroup").write_text(groups)
    assert in_container(tmp_path) is expected


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.1.2.3", "::1"])
def test_the_loopback_has_several_names(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["", None, "10.0.0.1", "localhost.example", "host.docker.internal"])
def test_other_hosts_are_not_the_loopback(host: str | None) -> None:
    assert not is_loopback(host)


# --- looking


async def test_a_diagnosis_changes_nothing(account: Account) -> None:
    emit(account)
    before = account.life.journal.seq
    assert await diagnose(account, account.life.applications()) == await diagnose(account, account.life.applications())
    assert await refused_urls(account) == []
    assert account.life.journal.seq == before


async def test_a_diagnosis_covers_only_the_given_applications(account: Account) -> None:
    emit(account, 1)
    account.life.application(2).configure({"mode": "PUSH"})
    first, second = account.life.application(1), account.life.application(2)
    assert [one.code for one in await diagnose(account, [first])] == ["nobody_pulls"]
    assert [one.code for one in await diagnose(account, [second])] == ["no_callback_url", "nothing_happened"]
    assert [one.code for one in await diagnose(account, [first, second])] == ["no_callback_url", "nobody_pulls"]


async def test_an_account_without_applications_has_had_no_event(account: Account) -> None:
    assert [one.code for one in await diagnose(account, [])] == ["nothing_happened"]


async def test_a_diagnosis_works_on_a_journal_without_its_beginning(account: Account) -> None:
    account.life.configure({"journal_entries": 100})
    for _ in range(150):
        emit(account)
    assert [one.code for one in await diagnose(account, account.life.applications())] == ["nobody_pulls"]


def begun_by_a_thief(application: Application) -> Poll:
    token = CALLER.set(Caller("AKIDthief", "worker/1", "10.0.0.7"))
    try:
        return application.pulls.begin()
    finally:
        CALLER.reset(token)


async def test_a_lease_is_traced_to_its_pull_behind_what_faults_wrote(account: Account) -> None:
    emit(account)
    await account.life.clock.freeze()
    application = account.life.application()
    poll = begun_by_a_thief(application)
    with account.life.clock.busy():
        batch = await application.queue.pull(16, hold=0)
    account.life.events.note(batch.events[0], "fault", {"id": "flt_000001", "fault": "x", "did": "y"})
    poll.got(batch.events)
    account.life.events.note(batch.events[0], "fault", {"id": "flt_000001", "fault": "x", "did": "y"})
    await account.life.clock.advance(30)
    [never] = [one for one in await diagnose(account, [application]) if one.code == "never_confirmed"]
    assert never.evidence["by"] == ["worker/1 at 10.0.0.7, API 3.0, signed by AKIDthief"]


async def test_leases_are_traced_to_their_pull_in_whatever_order_a_fault_handed_them_out(account: Account) -> None:
    for _ in range(3):
        emit(account)
    await account.life.clock.freeze()
    application = account.life.application()
    poll = begun_by_a_thief(application)
    with account.life.clock.busy():
        one, two, three = await application.queue.pull(16, hold=0)
    poll.got([two.event, three.event, one.event])
    for leased in (one, two, three):
        assert leased.event.last is not None
        assert [str(caller) for caller in application.pulls.by([leased.event.last.seq])] == [
            "worker/1 at 10.0.0.7, API 3.0, signed by AKIDthief"
        ]


async def test_the_number_of_findings_is_bounded(account: Account) -> None:
    for number in range(1, 150):
        account.life.application(number).configure({"mode": "PUSH"})
    assert len(await diagnose(account, account.life.applications())) == 100


async def test_a_long_journal_lets_other_tasks_run(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "LoopShare", partial(LoopShare, 0))  # as if the computation took long
    for _ in range(5_000):
        emit(account)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with asyncio.TaskGroup() as tasks:
        counting = tasks.create_task(count())
        await diagnose(account, account.life.applications())
        counting.cancel()
    assert turns >= 3

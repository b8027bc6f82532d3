from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mockvod.app import Running
from mockvod.service import tasks
from mockvod.service.application import Application
from mockvod.service.jobs.kind import Job, Result
from mockvod.service.jobs.procedure import PROCEDURE
from mockvod.service.jobs.snapshot_by_time_offset import LEGACY, milliseconds, snapshots
from mockvod.service.media import Media
from mockvod.service.media_info import meta_data
from mockvod.service.tasks import SESSION_WINDOW, Notify, SessionTaken, Task
from tests.support import life_of

Start = Callable[..., Awaitable[Running]]

MEDIA = Media("1", "Fox", 1280, 720, 100.0, 12_500_000, 0.0)
SECOND = snapshots(10, ("1s",))


@pytest.fixture
async def application(running: Running) -> Application:
    application = running.world.default.life.application()
    await application.life.clock.freeze()
    return application


def begin(application: Application, *jobs: Job, media: Media = MEDIA, notify: Notify = "Finish", **how: Any) -> Task:
    return application.start(PROCEDURE, media, list(jobs or [SECOND]), notify=notify, **how)


def events(application: Application) -> list[dict[str, Any]]:
    return [event.structure() for event in application.life.events]


def status(application: Application, task: Task) -> str:
    return task.status(application.life.clock.now())


# --- when snapshots are taken


@pytest.mark.parametrize(
    ("offset", "expected"),
    [("3.5s", 3500), ("0s", 0), ("0.0015s", 2), ("10%", 10_000), ("33.3333%", 33_333), ("100%", 100_000)],
)
def test_an_offset_is_seconds_or_a_percentage_of_the_whole(offset: str, expected: int) -> None:
    assert milliseconds(snapshots(10, (offset,)).input, 100.0) == [expected]


def test_older_offsets_are_milliseconds_and_count_where_there_are_no_others() -> None:
    assert milliseconds(snapshots(10, (), (1500.0, 20.4)).input, 100.0) == [1500, 20]
    assert milliseconds(snapshots(10, ("2s",), (1500.0,)).input, 100.0) == [2000]


def test_the_last_offset_of_a_video_of_any_length_lies_within_it(application: Application) -> None:
    for duration in (60.07, 260.227, 516.108, 0.003):
        media = Media("1", "Fox", 1280, 720, duration, 1, 0.0)
        task = begin(application, snapshots(10, ("100%",)), media=media)
        result = application._run_job(task, task.jobs[0])
        assert (len((result.output or {})["PicInfoSet"]), result.err_code_ext) == (1, "")


# --- a task's life


async def test_a_task_waits_a_tenth_of_its_time_is_processed_and_ends(application: Application) -> None:
    clock = application.life.clock
    task = begin(application)
    seen = []
    for seconds in (0.09, 0.01, 0.89, 0.01):
        await clock.advance(seconds)
        seen.append(status(application, task))
    assert seen == ["WAITING", "PROCESSING", "PROCESSING", "FINISH"]
    assert (task.finished, application.tasks.active) == (True, 0)


async def test_progress_rises_to_99_and_is_100_at_the_end_alone(application: Application) -> None:
    clock = application.life.clock
    task = begin(application)
    shown = []
    for seconds in (0.1, 0.45, 0.449, 0.002):
        await clock.advance(seconds)
        shown.append(task.progress(0, clock.now()))
    assert shown == [0, 50, 99, 100]


async def test_a_task_whose_end_is_late_is_not_shown_as_done(application: Application) -> None:
    task = begin(application)
    assert task.progress(0, task.ends_at + 60) == 99


async def test_jobs_of_a_task_come_one_after_the_other(application: Application) -> None:
    clock = application.life.clock
    task = begin(application, snapshots(10, ("1s",)), snapshots(10, ("2s",)))
    await clock.advance(0.6)
    [first, second] = application.tasks.structure(task)["MediaProcessResultSet"]
    first, second = first["SnapshotByTimeOffsetTask"], second["SnapshotByTimeOffsetTask"]
    assert (first["Status"], first["Progress"]) == ("SUCCESS", 100)
    assert (second["Status"], second["BeginProcessTime"] != "", second["FinishTime"]) == ("PROCESSING", True, "")
    assert events(application) == []
    await clock.advance(0.4)
    [event] = events(application)
    assert [one["SnapshotByTimeOffsetTask"]["Status"] for one in event["MediaProcessResultSet"]] == ["SUCCESS"] * 2


async def test_a_task_of_0_seconds_ends_at_once_on_a_frozen_clock(start: Start) -> None:
    running = await start(task_duration=0)
    application = running.world.default.life.application()
    clock = application.life.clock
    await clock.freeze()
    begun = application.start(LEGACY, MEDIA, [SECOND])
    await clock.settle()
    assert begun.finished
    assert len(application.life.events) == 1


async def test_the_clock_lists_what_a_task_waits_for(application: Application) -> None:
    task = begin(application)
    assert [one.what for one in application.life.clock.waiting()] == [f"{task.task_id} ends SnapshotByTimeOffset"]


# --- who is told


@pytest.mark.parametrize(
    ("notify", "statuses"),
    [
        ("Finish", ["FINISH"]),
        ("None", []),
        ("Change", ["PROCESSING", "PROCESSING", "FINISH"]),
    ],
)
async def test_a_task_notifies_as_its_notify_mode_says(
    application: Application, notify: Notify, statuses: list[str]
) -> None:
    begin(application, SECOND, SECOND, notify=notify)
    await application.life.clock.advance(1)
    assert [event["Status"] for event in events(application)] == statuses


async def test_each_change_event_shows_the_progress_of_each_job(application: Application) -> None:
    begin(application, SECOND, SECOND, notify="Change")
    await application.life.clock.advance(1)
    shown = [
        [one["SnapshotByTimeOffsetTask"]["Status"] for one in event["MediaProcessResultSet"]]
        for event in events(application)
    ]
    assert shown == [["PROCESSING", "PROCESSING"], ["SUCCESS", "PROCESSING"], ["SUCCESS", "SUCCESS"]]


async def test_a_task_whose_event_finds_no_room_ends_all_the_same_and_the_journal_says_so(
    application: Application,
) -> None:
    life_of(application).configure({"pending_bytes": 1024})
    task = begin(application)
    await application.life.clock.advance(1)
    assert task.finished
    assert events(application) == []
    [entry] = [one for one in application.life.journal.since(0) if one.what == "error"]
    assert entry.detail["task_id"] == task.task_id
    assert "pending-bytes" in entry.detail["problem"]


# --- what came of it


@pytest.mark.parametrize(
    ("error", "number", "message"),
    [
        ("SourceFileError.ContentMalformed", 30009, "SourceFileError.ContentMalformed"),
        ("InternalError", 30010, "InternalError"),
        ("InvalidInput.DefinitionNotExist", 30009, "the template does not exist"),
        ("SomethingElse.New", 30010, "SomethingElse.New"),
    ],
)
async def test_every_error_has_a_number_and_a_message(
    application: Application, error: str, number: int, message: str
) -> None:
    life_of(application).configure({"task_error": error})
    task = begin(application)
    await application.life.clock.advance(1)
    [result] = task.results
    assert result is not None
    assert (result.err_code_ext, result.err_code, result.message, result.output) == (error, number, message, None)


def test_a_result_without_an_error_is_a_success() -> None:
    assert (Result({}).err_code, Result({}).message) == (0, "SUCCESS")


async def test_a_procedure_has_every_field_whatever_its_state(application: Application) -> None:
    task = begin(application)
    before = application.tasks.structure(task)
    await application.life.clock.advance(1)
    after = application.tasks.structure(task)
    assert list(before) == list(after)
    [result] = before["MediaProcessResultSet"]
    assert [name for name, value in result.items() if value is not None] == ["Type", "SnapshotByTimeOffsetTask"]
    assert result["SnapshotByTimeOffsetTask"]["Output"] is None


def test_the_bitrates_of_a_media_add_up() -> None:
    reported = meta_data(MEDIA)
    assert reported["Bitrate"] == 12_500_000 * 8 / 100
    assert reported["VideoStreamSet"][0]["Bitrate"] + reported["AudioStreamSet"][0]["Bitrate"] == reported["Bitrate"]
    assert meta_data(Media("1", "Fox", 1280, 720, 0.0, 1, 0.0))["Bitrate"] == 0


# --- sessions


async def test_a_session_id_is_free_again_after_three_days(application: Application) -> None:
    clock, own = application.life.clock, application.tasks
    own.use_session("a")
    await clock.advance(1)
    own.use_session("b")
    await clock.advance(SESSION_WINDOW - 1.5)
    with pytest.raises(SessionTaken):
        own.use_session("a")
    await clock.advance(0.5)
    own.use_session("a")
    with pytest.raises(SessionTaken):
        own.use_session("b")


# --- memory


async def test_finished_tasks_are_evicted_oldest_first_and_others_never(
    application: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "MAX_FINISHED", 2)
    old = [begin(application) for _ in range(4)]
    assert [one.task_id for one in application.tasks.oldest_first()] == [one.task_id for one in old]
    await application.life.clock.advance(1)
    young = begin(application)
    assert [one.task_id for one in application.tasks.oldest_first()] == [
        *(one.task_id for one in old[2:]),
        young.task_id,
    ]
    assert application.tasks.find(old[0].task_id) is None
    assert application.tasks.active == 1


async def test_the_same_seed_gives_the_same_task_ids(start: Start) -> None:
    ids = []
    for _ in range(2):
        application = (await start(seed=11)).world.default.life.application()
        await application.life.clock.freeze()
        begun = [application.start(LEGACY, MEDIA, [SECOND]).task_id for _ in range(2)]
        ids.append(begun)
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2


async def test_a_bug_in_a_job_ends_the_task_and_is_in_the_journal(
    application: Application, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> dict[str, Any]:
        raise ZeroDivisionError

    task = begin(application, Job(SECOND.kind._replace(run=broken), SECOND.input))
    await application.life.clock.advance(1)
    [result] = task.results
    assert result is not None
    assert (task.finished, result.err_code_ext, len(events(application))) == (True, "InternalError", 1)
    [entry] = [one for one in application.life.journal.since(0) if one.what == "error"]
    assert "ZeroDivisionError" in entry.detail["problem"]
    assert "a bug in mockvod" in caplog.text

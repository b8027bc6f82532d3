"""Snapshot jobs: tasks that take time and end in an event."""

import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal, NamedTuple

from mockvod.engine.clock import Clock, Timer
from mockvod.engine.events import BacklogFull
from mockvod.service.media import Media, Picture
from mockvod.wire.events import SNAPSHOT_COMPLETE

log = logging.getLogger("mockvod.tasks")

Kind = Literal["Procedure", "SnapshotByTimeOffset"]
Status = Literal["WAITING", "PROCESSING", "FINISH"]
Notify = Literal["Finish", "Change", "None"]

PROCEDURE_STATE_CHANGED: Final = "ProcedureStateChanged"
WAITS: Final = 0.1  # of a task's time it has not begun yet
KEPT: Final = 10_000  # tasks that are over that can be looked up; the real service keeps them for three days
SESSION_WINDOW: Final = 3 * 86400.0
NUMERIC: Final = {"": 0, "SourceFileError": 30009, "InternalError": 30010, "InvalidInput": 30009}
"""ErrCode of a 3.0 result by the first word of its ErrCodeExt; 30009 and 30010 are documented, their mapping is not."""
MESSAGES: Final = {
    "InvalidInput.InvalidTimeOffset": "no time offset lies within the media",
    "InvalidInput.DefinitionNotExist": "the template does not exist",
}


class SnapshotJob(NamedTuple):
    """One template applied to some time offsets of one media."""

    definition: int
    ext_time_offsets: tuple[str, ...] = ()
    """As ExtTimeOffsetSet has them: `3.5s`, `10%`."""
    time_offsets: tuple[float, ...] = ()
    """Milliseconds, as TimeOffsetSet has them; they count where there are no others."""
    watermarks: tuple[dict[str, Any], ...] = ()

    def milliseconds(self, duration: float) -> list[int]:
        """The offsets in milliseconds, in the order given, in a media of *duration* seconds."""
        if not self.ext_time_offsets:
            return [round(offset) for offset in self.time_offsets]
        percent = duration * 10
        return [round(float(text[:-1]) * (1000 if text.endswith("s") else percent)) for text in self.ext_time_offsets]


class Taken(NamedTuple):
    """What came of one job: pictures, or the ErrCodeExt of its failure; a snapshot beyond the end fails alone."""

    pictures: list[Picture]
    missed: list[int]
    error: str = ""
    reason: str = ""
    """In words, where more is known than the error's name."""

    @property
    def message(self) -> str:
        return self.reason or MESSAGES.get(self.error, self.error)

    @property
    def number(self) -> int:
        return NUMERIC.get(self.error.partition(".")[0], 30010)


class Session(NamedTuple):
    """What a caller passes through: SessionContext comes back in the event, SessionId may be used once."""

    context: str = ""
    id: str = ""


class Task:
    """A job on its way: WAITING, PROCESSING, FINISH. Which one is a number compared with the clock."""

    __slots__ = (
        "begins_at",
        "created_at",
        "ends_at",
        "jobs",
        "kind",
        "media",
        "notify",
        "priority",
        "results",
        "session",
        "task_id",
    )

    def __init__(
        self,
        task_id: str,
        kind: Kind,
        media: Media,
        jobs: Sequence[SnapshotJob],
        *,
        created_at: float,
        duration: float,
        notify: Notify = "Finish",
        priority: int = 0,
        session: Session | None = None,
    ) -> None:
        self.task_id = task_id
        self.kind = kind
        self.media = media
        self.jobs = tuple(jobs)
        self.created_at = created_at
        self.begins_at = created_at + duration * WAITS
        self.ends_at = created_at + duration
        self.notify = notify
        self.priority = priority
        self.session = session or Session()
        self.results: list[Taken | None] = [None] * len(jobs)

    @property
    def finished(self) -> bool:
        return None not in self.results

    def status(self, now: float) -> Status:
        if self.finished:
            return "FINISH"
        return "WAITING" if now < self.begins_at else "PROCESSING"

    def job_ends_at(self, place: int) -> float:
        """One job after the other, in equal parts of the time."""
        return self.begins_at + (self.ends_at - self.begins_at) * (place + 1) / len(self.jobs)

    def progress(self, place: int, now: float) -> int:
        """Of the job at *place*, 0 to 100."""
        if self.results[place] is not None:
            return 100
        begins = self.begins_at if place == 0 else self.job_ends_at(place - 1)
        span = self.job_ends_at(place) - begins
        return 0 if now <= begins or span <= 0 else min(99, int(100 * (now - begins) / span))


class SessionTaken(Exception):
    """The SessionId was used before."""


class Tasks:
    """All tasks of one application; owns their timers.

    Legacy jobs end in CreateSnapshotByTimeOffsetComplete, those of API 3.0 in ProcedureStateChanged (M:51288).
    """

    def __init__(
        self,
        clock: Clock,
        emit: Callable[[str, dict[str, Any]], object],
        take: Callable[[Media, SnapshotJob], Taken],
        snapshot: Callable[[int, str | None], dict[str, Any]],
    ) -> None:
        self._clock = clock
        self._emit = emit
        self._take = take
        self._snapshot = snapshot
        self._all: dict[str, Task] = {}
        self._finished: deque[str] = deque()
        self._timers: set[Timer] = set()
        self._sessions: dict[str, float] = {}

    def find(self, task_id: str) -> Task | None:
        return self._all.get(task_id)

    def oldest_first(self) -> list[Task]:
        return list(self._all.values())

    @property
    def under_way(self) -> int:
        """Tasks that are not over."""
        return len(self._all) - len(self._finished)

    def use_session(self, session_id: str) -> None:
        """Take *session_id* for three days. Raises SessionTaken where it is taken already."""
        now = self._clock.now()
        for used, since in list(self._sessions.items()):
            if since + SESSION_WINDOW > now:
                break
            del self._sessions[used]
        if session_id in self._sessions:
            raise SessionTaken
        self._sessions[session_id] = now

    def start(self, task: Task) -> None:
        """Let *task* run its course on the clock."""
        self._all[task.task_id] = task
        if task.notify == "Change":
            self._at(task.begins_at, lambda: self._notify(task), f"{task.task_id} begins")
        for place in range(len(task.jobs)):
            self._at(task.job_ends_at(place), self._end_of(task, place), f"{task.task_id} takes its snapshots")

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _at(self, moment: float, call: Callable[[], None], what: str) -> None:
        def ring() -> None:
            self._timers.discard(timer)
            call()

        timer = self._clock.at(moment, ring, what)
        self._timers.add(timer)

    def _end_of(self, task: Task, place: int) -> Callable[[], None]:
        def end() -> None:
            task.results[place] = self._take(task.media, task.jobs[place])
            if task.finished:
                self._keep_of_finished(task)
            if task.notify == "Change" or (task.finished and task.notify == "Finish"):
                self._notify(task)

        return end

    def _keep_of_finished(self, task: Task) -> None:
        self._finished.append(task.task_id)
        if len(self._finished) > KEPT:
            del self._all[self._finished.popleft()]

    def _notify(self, task: Task) -> None:
        try:
            if task.kind == "Procedure":
                self._emit(PROCEDURE_STATE_CHANGED, self.procedure(task))
            else:
                self._emit(SNAPSHOT_COMPLETE, self.snapshot_task(task))
        except BacklogFull as error:
            log.warning("task %s tells nobody of itself: %s", task.task_id, error)

    # --- as Tencent writes them

    def snapshot_task(self, task: Task) -> dict[str, Any]:
        """The SnapshotByTimeOffsetTask2017 of a legacy task (M:95687)."""
        [job], [taken] = task.jobs, task.results
        pictures: list[dict[str, Any]] = []
        if taken is not None:
            urls = {picture.time_offset: picture.url for picture in taken.pictures}
            offsets = job.milliseconds(task.media.duration)
            pictures = [self._snapshot(offset, urls.get(offset)) for offset in offsets]
        return {
            "TaskId": task.task_id,
            "FileId": task.media.file_id,
            "Definition": job.definition,
            "SnapshotInfoSet": pictures,
        }

    def procedure(self, task: Task) -> dict[str, Any]:
        """The ProcedureTask of a 3.0 task (M:79756), complete whatever its state: receivers read it by subscript."""
        now = self._clock.now()
        return {
            "TaskId": task.task_id,
            "Status": "FINISH" if task.status(now) == "FINISH" else "PROCESSING",
            "ErrCode": 0,
            "Message": "",
            "FileId": task.media.file_id,
            "FileName": task.media.name,
            "FileUrl": media_url(task.media),
            "MetaData": meta_data(task.media),
            "MediaProcessResultSet": [self._result(task, place, now) for place in range(len(task.jobs))],
            "AiContentReviewResultSet": [],
            "AiAnalysisResultSet": [],
            "AiRecognitionResultSet": [],
            "TasksPriority": task.priority,
            "TasksNotifyMode": task.notify,
            "SessionContext": task.session.context,
            "SessionId": task.session.id,
            "Operator": "",
            "OperationType": "",
        }

    def _result(self, task: Task, place: int, now: float) -> dict[str, Any]:
        job, taken = task.jobs[place], task.results[place]
        begun = task.begins_at if place == 0 else task.job_ends_at(place - 1)
        status = "PROCESSING" if taken is None else "FAIL" if taken.error else "SUCCESS"
        snapshots = {
            "Status": status,
            "ErrCodeExt": taken.error if taken else "",
            "ErrCode": taken.number if taken else 0,
            "Message": taken.message if taken else "",
            "Input": {
                "Definition": job.definition,
                "ExtTimeOffsetSet": list(job.ext_time_offsets),
                "TimeOffsetSet": list(job.time_offsets),
                "WatermarkSet": list(job.watermarks),
            },
            "Output": None if taken is None or taken.error else _output(job, taken),
            "Progress": task.progress(place, now),
            "BeginProcessTime": iso(self._clock.epoch(begun)) if now >= begun else "",
            "FinishTime": iso(self._clock.epoch(task.job_ends_at(place))) if taken else "",
        }
        return {
            "Type": "SnapshotByTimeOffset",
            "TranscodeTask": None,
            "AnimatedGraphicTask": None,
            "SnapshotByTimeOffsetTask": snapshots,
            "SampleSnapshotTask": None,
            "ImageSpriteTask": None,
            "CoverBySnapshotTask": None,
            "AdaptiveDynamicStreamingTask": None,
        }


def _output(job: SnapshotJob, taken: Taken) -> dict[str, Any]:
    marks = [mark["Definition"] for mark in job.watermarks if "Definition" in mark]
    return {
        "Definition": job.definition,
        "PicInfoSet": [
            {"TimeOffset": float(picture.time_offset), "Url": picture.url, "WaterMarkDefinition": marks}
            for picture in taken.pictures
        ],
    }


def iso(epoch: float) -> str:
    """A date as document 266/11732 writes it, in UTC."""
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def media_url(media: Media) -> str:
    """Where the film itself would be; nothing answers there."""
    return f"http://125676836723.vod2.myqcloud.com/xxx/{media.file_id}/f0.mp4"


def meta_data(media: Media) -> dict[str, Any]:
    """The MediaMetaData of a media (M:68463)."""
    bitrate = int(media.size * 8 / media.duration) if media.duration else 0
    video = {
        "Bitrate": int(bitrate * 0.95),
        "Height": media.height,
        "Width": media.width,
        "Codec": "h264",
        "Fps": 25,
        "CodecTag": "avc1",
        "DynamicRangeInfo": {"Type": "SDR", "HDRType": ""},
    }
    audio = {"Bitrate": bitrate - int(bitrate * 0.95), "SamplingRate": 48000, "Codec": "aac"}
    return {
        "Size": media.size,
        "Container": "mov,mp4,m4a,3gp,3g2,mj2",
        "Bitrate": bitrate,
        "Height": media.height,
        "Width": media.width,
        "Duration": media.duration,
        "Rotate": 0,
        "VideoStreamSet": [video],
        "AudioStreamSet": [audio],
        "VideoDuration": media.duration,
        "AudioDuration": media.duration,
        "Md5": "",
    }

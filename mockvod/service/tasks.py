"""The tasks of one application, and how their states change."""

import logging
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final, Literal, NamedTuple

from mockvod.engine.clock import Clock
from mockvod.engine.events import BacklogFull
from mockvod.engine.timetable import Timetable
from mockvod.service.addresses import Addresses
from mockvod.service.jobs.kind import Job, Result
from mockvod.service.media import Media
from mockvod.settings import AccountSettings
from mockvod.wire.events import EventError

log = logging.getLogger("mockvod.tasks")

Status = Literal["WAITING", "PROCESSING", "FINISH"]
Notify = Literal["Finish", "Change", "None"]

WAITING_SHARE: Final = 0.1
"""The share of its duration for which a task is WAITING."""
MAX_ACTIVE: Final = 10_000
MAX_FINISHED: Final = 10_000
"""Finished tasks that can be looked up; the real service keeps them for three days."""
MAX_OUTPUTS: Final = 500_000
"""Outputs of finished tasks that are kept. Each picture counts as one, and so does every other result."""
MAX_SESSIONS: Final = 100_000
SESSION_WINDOW: Final = 3 * 86400.0


class TaskKind(NamedTuple):
    """A kind of task: its names in the API, and its structure."""

    type: str
    """TaskType of DescribeTaskDetail."""
    field: str
    """The member of DescribeTaskDetail that has its structure."""
    event_type: str
    """The event that is emitted when it ends."""
    task_id: str
    """Format of its TaskId, with `app_id` and `number`."""
    structure: "Callable[[Task, Clock, AccountSettings], dict[str, Any]]"


class Session(NamedTuple):
    """SessionContext and SessionId of a request. The event repeats both; an Id can be used once in SESSION_WINDOW."""

    context: str = ""
    id: str = ""


@dataclass(slots=True, eq=False)
class Task:
    """Jobs on one media file, done one after the other. Its status is a number compared with the clock."""

    task_id: str
    kind: TaskKind
    media: Media
    jobs: Sequence[Job]
    _: KW_ONLY
    addresses: Addresses
    created_at: float
    duration: float
    """Seconds."""
    notify: Notify = "Finish"
    priority: int = 0
    session: Session = field(default_factory=Session)
    then: "Callable[[Task], None] | None" = None
    """Called when the last job has ended, before the event."""
    made: Media | None = None
    """The media file that the task made, once there is one."""
    procedure_task_id: str = ""
    """The procedure that runs on that file."""
    results: list[Result | None] = field(init=False)

    def __post_init__(self) -> None:
        self.results = [None] * len(self.jobs)

    @property
    def begins_at(self) -> float:
        return self.created_at + self.duration * WAITING_SHARE

    @property
    def ends_at(self) -> float:
        return self.created_at + self.duration

    @property
    def finished(self) -> bool:
        return None not in self.results

    def status(self, now: float) -> Status:
        if self.finished:
            return "FINISH"
        return "WAITING" if now < self.begins_at else "PROCESSING"

    def job_begins_at(self, place: int) -> float:
        return self.begins_at if place == 0 else self.job_ends_at(place - 1)

    def job_ends_at(self, place: int) -> float:
        """Each job takes an equal part of the time."""
        return self.begins_at + (self.ends_at - self.begins_at) * (place + 1) / len(self.jobs)

    def progress(self, place: int, now: float) -> int:
        """Progress in percent of the job at *place*: 100 only once it has ended."""
        if self.results[place] is not None:
            return 100
        begins = self.job_begins_at(place)
        span = self.job_ends_at(place) - begins
        return 0 if now <= begins or span <= 0 else min(99, int(100 * (now - begins) / span))

    @property
    def outputs(self) -> int:
        """Number of outputs in its results."""
        return sum(_outputs(result.output) for result in self.results if result is not None)


def _outputs(output: Mapping[str, Any] | None) -> int:
    return 1 + sum(len(value) for value in (output or {}).values() if isinstance(value, list))


class SessionTaken(Exception):
    """The SessionId was used within SESSION_WINDOW."""


class TooManyTasks(Exception):
    """MAX_ACTIVE tasks have not ended yet."""


class Tasks:
    """All tasks of one application."""

    def __init__(
        self,
        timetable: Timetable,
        emit: Callable[[str, dict[str, Any]], object],
        run: Callable[[Task, Job], Result],
        settings: Callable[[], AccountSettings],
        report: Callable[[str, dict[str, Any]], object],
        check_alive: Callable[[], None],
    ) -> None:
        """*run* does one job of a task, *report* writes an entry into the journal, *check_alive* raises LifeEnded."""
        self._timetable = timetable
        self._clock = timetable.clock
        self._emit = emit
        self._run = run
        self._settings = settings
        self._report = report
        self._all: dict[str, Task] = {}
        self._finished: deque[Task] = deque()
        self._outputs = 0
        self._sessions: dict[str, float] = {}
        self._check_alive = check_alive

    def find(self, task_id: str) -> Task | None:
        return self._all.get(task_id)

    def oldest_first(self) -> list[Task]:
        return list(self._all.values())

    @property
    def active(self) -> int:
        """Tasks that have not ended."""
        return len(self._all) - len(self._finished)

    def use_session(self, session_id: str) -> None:
        """Reserve *session_id* for SESSION_WINDOW. Raises SessionTaken if it is reserved already."""
        now = self._clock.now()
        for used, since in list(self._sessions.items()):
            if since + SESSION_WINDOW > now and len(self._sessions) < MAX_SESSIONS:
                break
            del self._sessions[used]
        if session_id in self._sessions:
            raise SessionTaken
        self._sessions[session_id] = now

    def check_room(self) -> None:
        """Raise TooManyTasks if no further task can start."""
        if self.active >= MAX_ACTIVE:
            raise TooManyTasks(f"{MAX_ACTIVE} tasks have not ended yet")

    def start(self, task: Task) -> None:
        """Start *task*: timers of the clock end its jobs. Raises LifeEnded, TooManyTasks."""
        self._check_alive()
        self.check_room()
        self._all[task.task_id] = task
        if task.notify == "Change":
            self._timetable.at(task.begins_at, lambda: self._notify(task), f"{task.task_id} begins")
        for place, job in enumerate(task.jobs):
            end, what = task.job_ends_at(place), f"{task.task_id} ends {job.kind.type}"
            self._timetable.at(end, self._end_of(task, place), what)

    def structure(self, task: Task) -> dict[str, Any]:
        """The vendor's structure of *task* in its present state."""
        return task.kind.structure(task, self._clock, self._settings())

    def _end_of(self, task: Task, place: int) -> Callable[[], None]:
        def end() -> None:
            task.results[place] = self._result(task, task.jobs[place])
            if task.finished:
                self._follow_up(task)
                self._keep_finished(task)
            if task.notify == "Change" or (task.finished and task.notify == "Finish"):
                self._notify(task)

        return end

    def _follow_up(self, task: Task) -> None:
        if task.then is None:
            return
        try:
            task.then(task)
        except Exception as error:
            log.exception("unhandled exception (a bug in mockvod) after %s", task.task_id)
            self._report("error", {"task_id": task.task_id, "problem": f"what follows it failed: {error}"[:500]})

    def _result(self, task: Task, job: Job) -> Result:
        try:
            return self._run(task, job)
        except Exception as error:
            log.exception("unhandled exception (a bug in mockvod) in %s of %s", job.kind.type, task.task_id)
            problem = f"{job.kind.type} failed: {type(error).__name__}: {error}"[:500]
            self._report("error", {"task_id": task.task_id, "problem": problem})
            return Result(None, "InternalError", problem)

    def _keep_finished(self, task: Task) -> None:
        self._finished.append(task)
        self._outputs += task.outputs
        while len(self._finished) > MAX_FINISHED or (self._outputs > MAX_OUTPUTS and len(self._finished) > 1):
            oldest = self._finished.popleft()
            self._outputs -= oldest.outputs
            del self._all[oldest.task_id]

    def _notify(self, task: Task) -> None:
        try:
            self._emit(task.kind.event_type, self.structure(task))
        except (BacklogFull, EventError) as error:
            self._report("error", {"task_id": task.task_id, "problem": f"no event for this task: {error}"})

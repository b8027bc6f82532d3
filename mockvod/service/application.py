"""An application (SubAppId) of an account: its queue, deliveries, media and tasks."""

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from random import Random
from typing import Any

from mockvod.engine.consumers import Pulls
from mockvod.engine.events import TERMINAL, BacklogFull, Event
from mockvod.engine.lifetime import LifeEnded
from mockvod.engine.push import Deliveries, Target
from mockvod.engine.queue import EventQueue, Leases, Outcome
from mockvod.engine.timetable import Timetable
from mockvod.redaction import redacted, shown_setting
from mockvod.service.addresses import REACHED, VENDOR, Addresses
from mockvod.service.context import LifeContext
from mockvod.service.jobs.kind import Job, JobContext, Result, run_job
from mockvod.service.media import Media, MediaLibrary
from mockvod.service.snapshots import SnapshotGenerator
from mockvod.service.storage import Storage
from mockvod.service.tasks import Task, TaskKind, Tasks
from mockvod.service.templates import Templates
from mockvod.service.uploads import Uploads
from mockvod.settings import AccountSettings, ApplicationSettings
from mockvod.wire.events import EventError, render_tail

log = logging.getLogger("mockvod.application")


class StillPending(Exception):
    """An event cannot be redelivered while it is on its way."""


class Application:
    """One application of an account: its callback settings, its queue, its deliveries, its tasks and their media.

    It is made when first named, with the settings that the server started with, and ends with its life, or when it is
    reset: then every call that would give it work raises LifeEnded.
    """

    def __init__(
        self,
        life: LifeContext,
        sub_app_id: int | None,
        settings: ApplicationSettings,
        *,
        siblings: Callable[[], Sequence["Application"]],
    ) -> None:
        self.life = life
        self.sub_app_id = sub_app_id
        self.settings = settings
        self._siblings = siblings
        seed = f"{life.seed}/{sub_app_id or 'default'}"
        self.addresses = life.addresses(sub_app_id)
        self._snapshots = SnapshotGenerator(seed, self.addresses)
        self.pulls = Pulls(life.clock, life.polls)
        self.queue = EventQueue(self.name, life.clock, life.events, self._account_settings, Random(f"{seed}/handles"))
        self.deliveries = Deliveries(self.name, life.clock, life.events, self._account_settings, life.push_client)
        self.deliveries.hooks = life.hooks
        self.templates = Templates(life.clock.epoch())
        self.media = MediaLibrary(seed, life.clock.epoch())
        self.uploads = Uploads(seed, self.addresses, Storage(life.upload_space), self.media.new_id)
        self.timetable = Timetable(life.clock)
        self.tasks = Tasks(
            self.timetable, self.emit, self._run_job, self._account_settings, self._report, self._check_alive
        )
        self._task_ids = Random(f"{seed}/tasks")
        self._closed = False
        self._warned = False
        """Whether a warning says why pulls find nothing: once, until a pull finds events or a setting changes."""
        self._follow_settings()

    def _check_alive(self) -> None:
        """Raise LifeEnded if the life has ended, or this application was reset."""
        self.life.check_alive()
        if self._closed:
            raise LifeEnded(self.name, "reset")

    def _account_settings(self) -> AccountSettings:
        return self.life.settings

    @property
    def name(self) -> str:
        """As log lines and messages call it."""
        return "the default application" if self.sub_app_id is None else f"application {self.sub_app_id}"

    @property
    def mode(self) -> str:
        return self.settings.effective_mode

    # --- events

    def snapshot_task(self, **options: Any) -> dict[str, Any]:
        """A plausible SnapshotByTimeOffsetTask2017; *options* as SnapshotGenerator.task takes them."""
        omit = self.life.settings.failed_url == "omit"
        return self._snapshots.task(base=self.base, **options, omit_failed_url=omit)

    def use_snapshot_preview(self) -> None:
        """Count the task that `snapshot_task(preview=True)` returned as made."""
        self._snapshots.use_preview()

    def emit(self, event_type: str, structure: Mapping[str, Any], *, delay: float = 0.0) -> Event:
        """Emit an event now, or after *delay* seconds of the clock.

        Raises EventError where *structure* cannot be written as JSON, BacklogFull if too many events are pending.
        """
        return self.emit_rendered(event_type, self.render(event_type, structure), delay=delay)

    def render(self, event_type: str, structure: Mapping[str, Any], fields: tuple[str, ...] | None = None) -> bytes:
        """The event as JSON without its first brace. Raises EventError."""
        return render_tail(event_type, structure, self.life.settings.profile, fields)

    def emit_rendered(self, event_type: str, tail: bytes, *, delay: float = 0.0) -> Event:
        """As `emit`, with what `render` returned: equal events share their bytes."""
        self._check_alive()
        life = self.life
        event = life.events.create(self.sub_app_id, event_type, tail)
        if delay > 0:
            due = life.clock.now() + delay
            life.events.note(event, "scheduled", {"due": life.clock.epoch(due)})
            self.timetable.at(due, partial(self._arrive, event), f"{event.id} happens")
        else:
            self._arrive(event)
        return event

    def batch(self) -> AbstractContextManager[None]:
        """Around emitting many events, with no `await` in between; as EventQueue.batch."""
        # With faults, entries about one event come before the next event.
        return self.queue.batch() if self.life.hooks.delivery is None else nullcontext()

    async def pull(self) -> Leases:
        """Pull as EventQueue.pull does, with the limits of the settings; the caller is remembered."""
        self._check_alive()
        life = self.life
        clock, settings = life.clock, life.settings
        poll = self.pulls.begin()
        clock.begin_work()
        try:
            if (hook := life.hooks.queue) is None:
                leases = await self.queue.pull(settings.pull_limit, hold=settings.poll_hold)
            else:
                leases = await hook.pull(self.queue, self.sub_app_id, settings.pull_limit, settings.poll_hold)
        except asyncio.CancelledError:
            if not life.ended:
                poll.hung_up(settings.poll_hold)
            raise
        finally:
            clock.end_work()
            self.pulls.end(poll)
        if leases.events:
            poll.got(leases.events)
            self._warned = False
        else:
            poll.found_nothing(self.mode)
            if not self._warned and (hint := self.hint()):
                log.warning("PullEvents found nothing: %s", hint)
                self._warned = True
        return leases

    def confirm(self, handles: Sequence[str]) -> list[Outcome]:
        """Confirm as EventQueue.confirm does; the journal keeps what was confirmed again, and what could not be."""
        self._check_alive()
        hook = self.life.hooks.queue
        outcomes = self.queue.confirm(handles) if hook is None else hook.confirm(self.queue, handles)
        if outcomes.count(Outcome.CONFIRMED) != len(outcomes):
            self._note_handles("confirmed_again", handles, outcomes, Outcome.REPEATED)
            self._note_handles("confirm_refused", handles, outcomes, Outcome.UNKNOWN)
        return outcomes

    def _note_handles(self, what: str, handles: Sequence[str], outcomes: Sequence[Outcome], outcome: Outcome) -> None:
        those = [handle for handle, one in zip(handles, outcomes, strict=True) if one is outcome]
        if those:
            # A client may have sent a lone surrogate, which a response could not contain.
            shown = [handle[:100].encode(errors="backslashreplace").decode() for handle in those]
            self.life.journal.note(what, sub_app_id=self.sub_app_id, detail={"event_handles": shown})

    def redeliver(self, event: Event) -> None:
        """Send an event in a terminal state again, in the present mode. Raises StillPending, BacklogFull."""
        self._check_alive()
        if event.state not in TERMINAL:
            raise StillPending(f"{event.id} is {event.state}: only an event in a terminal state can be redelivered")
        self.life.events.check_room(len(event.body))
        self._arrive(event, {"redelivery": True})

    def _arrive(self, event: Event, detail: Mapping[str, Any] | None = None) -> None:
        if (hook := self.life.hooks.delivery) is None:
            self._land(event, detail)
        else:
            hook.arrive(self.sub_app_id, event, lambda arriving: self._land(arriving, detail))

    def _land(self, event: Event, detail: Mapping[str, Any] | None) -> None:
        if self._closed:  # a fault delayed the event until after the reset
            return
        if self.mode == "PULL":
            self.queue.put(event, detail)
        else:
            self._push(event, detail or {})

    def _push(self, event: Event, detail: Mapping[str, Any]) -> None:
        if not self.settings.callback_url:
            reason = f"{self.name} is in PUSH mode and has no callback URL"
            self.life.events.note(event, "failed", {"reason": reason, **detail})
            return
        try:
            bodies = self._bodies(event)
        except EventError as error:
            self.life.events.note(event, "failed", {"reason": str(error), **detail})
        else:
            self.deliveries.deliver(event, bodies, detail)

    def _bodies(self, event: Event) -> list[tuple[Target, bytes]]:
        form = self.life.settings.callback_format
        if form == "3.0":
            return [(self._target, event.body)]
        from mockvod.wire.legacy_events import LEGACY_TYPES, legacy  # noqa: PLC0415 - most servers push no 2.0

        bodies = [(self._target, event.body)] if form == "both" else []
        if form == "2.0" or (self._target_v2.url and event.event_type in LEGACY_TYPES):
            old = json.dumps(legacy(event.event_type, event.structure()), separators=(",", ":"), ensure_ascii=False)
            bodies.append((self._target if form == "2.0" else self._target_v2, old.encode()))
        return bodies

    # --- media and tasks

    def find_media(self, file_id: str) -> Media | None:
        """The media file of a FileId: the declared one, else a plausible one, unless only declared ones exist."""
        return self.media.find(file_id, strict=self.life.settings.strict_media)

    def declare_media(self, file_id: str | None = None, **facts: Any) -> Media:
        """Add a media file, as MediaLibrary.declare takes it."""
        return self.media.declare(file_id, **{"created_at": self.life.clock.epoch(), **facts})

    def reachable_addresses(self) -> Addresses:
        """The addresses of files, as the caller of the present request can reach them."""
        return self.addresses.at(self.base)

    @property
    def base(self) -> str:
        """What addresses begin with, for the caller of the present request."""
        return self.life.settings.public_url or REACHED.get() or self.life.server_url() or VENDOR

    def start(self, kind: TaskKind, media: Media, jobs: Sequence[Job], *, base: str | None = None, **how: Any) -> Task:
        """Start a task; *how* as Task takes it. Addresses in its results begin with *base*, else as the caller can
        reach them. Raises LifeEnded, TooManyTasks.
        """
        self._check_alive()
        life = self.life
        duration = life.settings.task_duration
        hook = life.hooks.delivery
        if hook is not None and hook.completes_immediately(self.sub_app_id, media.file_id):
            duration = 0.0
        own = self.addresses.at(self.base if base is None else base)
        task_id = kind.task_id.format(app_id=own.app_id, number=self._task_ids.getrandbits(128))
        now = life.clock.now()
        task = Task(task_id, kind, media, jobs, addresses=own, created_at=now, duration=duration, **how)
        self.tasks.start(task)
        return task

    def _run_job(self, task: Task, job: Job) -> Result:
        context = JobContext(task.media, self.media, self.templates, task.addresses, self.life.clock.epoch())
        return run_job(job, context, error=self.life.settings.task_error)

    def emit_or_report(self, event_type: str, structure: Mapping[str, Any]) -> None:
        """Emit an event that the service itself causes. If that fails, the journal says so, and the call succeeds."""
        try:
            self.emit(event_type, structure)
        except (BacklogFull, EventError) as error:
            self._report("error", {"problem": f"no {event_type}: {error}"})

    def _report(self, what: str, detail: Mapping[str, Any]) -> None:
        self.life.journal.note(what, sub_app_id=self.sub_app_id, detail=detail)

    # --- settings

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings from the next event on. Raises pydantic's ValidationError for an invalid value."""
        self.settings = self.settings.changed(changes)
        shown = {name: shown_setting(name, value) for name, value in changes.items()}
        self.life.journal.note("configured", sub_app_id=self.sub_app_id, detail=shown)
        self._follow_settings()

    def _follow_settings(self) -> None:
        settings = self.settings
        self._target = Target(settings.callback_url, settings.sign_key)
        self._target_v2 = Target(settings.callback_url_v2, settings.sign_key)
        self.queue.serve(self.mode == "PULL" or self.life.settings.pull_in_push_mode)
        self._warned = False

    def account_settings_changed(self) -> None:
        """Apply changed settings of the account: leases and timeouts may now end at other times."""
        self._follow_settings()
        self.queue.reschedule()
        self.deliveries.pump()

    # --- its end

    def close(self) -> None:
        """Stop: cancel timers and end polls. `aclose` then awaits deliveries in progress and deletes uploads."""
        self._closed = True
        self.timetable.close()
        self.queue.close()
        self.deliveries.close()
        self.uploads.storage.close()

    async def aclose(self) -> None:
        self.close()
        await self.deliveries.aclose()
        await self.uploads.storage.aclose()

    def hint(self) -> str | None:
        """Why a pull found no event, if another application or mode of this account has some; None otherwise."""
        if self.mode == "PUSH" and not self.life.settings.pull_in_push_mode:
            target = f"are pushed to {redacted(self.settings.callback_url)}" if self.settings.callback_url else "fail"
            return f"{self.name} is in PUSH mode, so its events {target}: set mode to PULL to pull them"
        counts = self.life.events.counts
        if not counts["queued"] and not counts["delivering"]:
            return None  # most empty pulls end here: an account may have thousands of applications
        for other in self._siblings():
            if other is not self and (waiting := other.queue.visible):
                return f"{self.name} of {self.life.name} has no event; events that wait in {other.name}: {waiting}"
            if other is not self and other.deliveries.under_way:
                return f"{self.name} has no event, but {other.name} is in PUSH mode and pushes some"
        return None

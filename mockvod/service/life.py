"""One life of an account: everything that exists from one reset to the next."""

import asyncio
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, TypedDict

from mockvod.engine.clock import Timer, in_turns
from mockvod.engine.events import BacklogFull
from mockvod.engine.journal import Entry
from mockvod.engine.lifetime import EndReason
from mockvod.faults.registry import FaultRegistry
from mockvod.redaction import shown_setting
from mockvod.service.application import Application
from mockvod.service.context import LifeContext, Start
from mockvod.service.inbox import Inbox
from mockvod.service.sub_apps import SubApps
from mockvod.wire.events import SNAPSHOT_COMPLETE

log = logging.getLogger("mockvod.life")


MAX_APPLICATIONS: Final = 1_000
"""Most applications of an account: each takes some 20 KB."""


class TooManyApplications(Exception):
    """Raised when an account would have more than MAX_APPLICATIONS applications."""


class Discarded(TypedDict):
    """How much a reset discards, as numbers of each."""

    events: int
    queued: int
    leased: int
    polls: int
    deliveries: int


class Life(LifeContext):
    """Clock, settings, events, journal, faults and applications of an account, until the next reset or deletion.

    A life ends exactly once. Work that is under way then ends with LifeEnded (`unless_ended`); work that comes later
    raises it. Nothing reaches the next life: that has its own clock, journal and events.

    *first_seq* numbers the first entry of the journal, so that numbers never repeat within an account.
    """

    def __init__(self, start: Start, seed: int | str, first_seq: int = 1) -> None:
        super().__init__(start, seed, first_seq)
        self.application_settings = start.application_settings
        """What each new application starts with."""
        self.faults = FaultRegistry(self.hooks, self.clock, self.events, self.journal, seed)
        self._applications: dict[int | None, Application] = {}
        primary = self.identity.sub_app_id or self.addresses(None).app_id
        self.sub_apps = SubApps(seed, primary, self.clock.now(), self._named)
        self._every: Timer | None = None
        self.inbox = Inbox()

    # --- applications

    def application(self, sub_app_id: int | None = None) -> Application:
        """The application of *sub_app_id*; None or 0 is the default one. It is made when first named.

        Raises TooManyApplications.
        """
        key = self.key(sub_app_id)
        application = self._applications.get(key)
        if application is None:
            self.check_alive()
            if key is not None and len(self._applications) >= MAX_APPLICATIONS:
                raise TooManyApplications(
                    f"{self.name} has {MAX_APPLICATIONS} applications, which is the limit: use fewer SubAppIds, or "
                    "reset the account"
                )
            application = self._applications[key] = Application(
                self, key, self.application_settings, siblings=self.applications
            )
        return application

    def existing_application(self, sub_app_id: int | None = None) -> Application | None:
        """As `application`, but None if no call has named it yet."""
        return self._applications.get(self.key(sub_app_id))

    def applications(self) -> list[Application]:
        return list(self._applications.values())

    def _named(self) -> list[int]:
        """The applications that calls have named, less the default one."""
        return [key for key in self._applications if key is not None]

    def key(self, sub_app_id: int | None) -> int | None:
        """The number of an application; None for the default one, whichever of its names is given."""
        return None if sub_app_id == self.identity.sub_app_id else sub_app_id or None

    async def reset_application(self, sub_app_id: int | None) -> Discarded:
        """Discard an application with its events, media and settings; it is made anew when next named.

        The clock, the faults and the account's settings stay, but faults let go of its events. Counts what was
        discarded.
        """
        key = self.key(sub_app_id)
        application = self._applications.pop(key, None)
        if application is None:
            return _discarded(0, [])
        discarded = _discarded(sum(one.sub_app_id == key for one in self.events), [application])
        application.close()
        self.faults.discard(key)
        dropping = self.events.discard(key, "the application was reset")

        def steps() -> Iterator[None]:
            yield from dropping
            if not self.ended:
                self.journal.note("application_reset", sub_app_id=key, detail=dict(discarded))

        await in_turns(steps())
        await application.aclose()
        return discarded

    # --- settings

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings of the account from now on. Raises pydantic's ValidationError."""
        before, self.settings = self.settings, self.settings.changed(changes)
        self.journal.note("configured", detail={name: shown_setting(name, value) for name, value in changes.items()})
        for application in self.applications():
            application.account_settings_changed()
        if self.settings.faults != before.faults:
            self.faults.follow(self.settings.faults)
        if self.settings.every != before.every:  # any other change must not delay the next event
            self._schedule_next()

    def start(self) -> None:
        """Begin what the settings contain: faults, and events at an interval."""
        self.faults.follow(self.settings.faults)
        self._schedule_next()

    def _schedule_next(self) -> None:
        if self._every is not None:
            self._every.cancel()
            self._every = None
        if self.settings.every:
            due = self.clock.now() + self.settings.every
            self._every = self.clock.at(due, self._emit_one, f"an event every {self.settings.every:g} s")

    def _emit_one(self) -> None:
        self._schedule_next()
        application = self.application()
        try:
            application.emit(SNAPSHOT_COMPLETE, application.snapshot_task())
        except BacklogFull as error:
            log.warning("no event emitted: %s", error)

    # --- waiting

    async def settled(self, *, quiet: float, seconds: float) -> bool:
        """Return True once nothing more happens without a move of the clock, False after *seconds* of real time.

        While the clock is frozen that is exact. While it runs, no delivery may be under way and *quiet* real seconds
        must pass without an entry in the journal.
        """
        try:
            async with asyncio.timeout(seconds):
                while True:
                    await self.clock.settle()
                    if self.clock.rate == 0:
                        return True
                    if await self._quiet(quiet) and not any(a.deliveries.under_way for a in self.applications()):
                        return True
        except TimeoutError:
            return False

    async def _quiet(self, seconds: float) -> bool:
        """Whether *seconds* of real time pass without an entry in the journal."""
        heard = asyncio.get_running_loop().create_future()

        def listen(_: Entry) -> None:
            if not heard.done():
                heard.set_result(None)

        stop_listening = self.journal.listen(listen)
        try:
            await asyncio.wait([heard], timeout=seconds)
        finally:
            stop_listening()
        return not heard.done()

    # --- its end

    def release_calls(self) -> None:
        """End every poll and every wait now, and let none block from now on: the server is stopping."""
        self.interrupt_calls("stopping")
        for application in self.applications():
            application.queue.release_pollers()

    def stop(self, reason: EndReason) -> Discarded:
        """End the life in one step; `aclose` awaits what was under way. Counts what is discarded."""
        applications = self.applications()
        discarded = _discarded(len(self.events), applications)
        if self._ended is None:
            self._ended = reason
            for application in applications:
                application.close()
            self.faults.close()
            if self._every is not None:
                self._every.cancel()
            self.interrupt_calls(reason)
            self.clock.close(self.name, reason)
            # A life is in cycles of references: else its events would stay until a full garbage collection.
            self.events.clear()
            self.journal.clear()
        return discarded

    async def aclose(self) -> None:
        """Await the end of the deliveries that were under way."""
        for application in self.applications():
            await application.aclose()


def _discarded(events: int, applications: Sequence[Application]) -> Discarded:
    return Discarded(
        events=events,
        queued=sum(one.queue.visible for one in applications),
        leased=sum(one.queue.leased for one in applications),
        polls=sum(one.queue.waiting for one in applications),
        deliveries=sum(one.deliveries.under_way for one in applications),
    )

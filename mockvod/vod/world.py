"""Everything there is: accounts and their applications."""

import logging
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from aiohttp import ClientSession

from mockvod.settings import AccountSettings, Settings
from mockvod.vod.application import Application
from mockvod.vod.clock import Clock, Timer
from mockvod.vod.events import Events
from mockvod.vod.journal import Journal

log = logging.getLogger("mockvod.world")


class TooMuchOwed(Exception):
    """Clients have left so many events lying that no more are taken in."""


class Account:
    """What a SecretId stands for: a clock, a seed, a journal and applications of its own.

    The default account is everybody's whose SecretId was not declared, and of unsigned calls.
    """

    def __init__(self, world: "World", secret_id: str, secret_key: str, seed: int | str) -> None:
        self.world = world
        self.secret_id = secret_id
        self.secret_key = secret_key
        self.seed = seed
        self.session = world.session
        self._begin()
        self.journal: Journal = Journal(self.clock, lambda: self.settings.journal_entries)
        self.events: Events = Events(self.journal, self.current_settings)

    def _begin(self) -> None:
        self.settings: AccountSettings = self.world.settings.account()
        self.clock = Clock(grace=lambda: self.settings.settle_grace)
        self._applications: dict[int | None, Application] = {}
        self._every: Timer | None = None

    @property
    def name(self) -> str:
        return "the default account" if self is self.world.default else f"account {self.secret_id}"

    def current_settings(self) -> AccountSettings:
        return self.settings

    # --- applications

    def application(self, sub_app_id: int | None = None) -> Application:
        """The application of *sub_app_id*; None or 0 is the default one."""
        key = sub_app_id or None
        application = self._applications.get(key)
        if application is None:
            application = self._applications[key] = Application(self, key, self.world.settings.application())
        return application

    def applications(self) -> list[Application]:
        return list(self._applications.values())

    def check_room_for(self, size: int) -> None:
        """Raise TooMuchOwed if an event of *size* bytes would be more than the settings allow to be owed."""
        owed, limit = self.events.owed_bytes, self.settings.owed_bytes
        if owed + size > limit:
            raise TooMuchOwed(
                f"{self.name} holds {owed} bytes of events that nobody has taken, and owed-bytes is {limit}: "
                "pull and confirm them, reset the account, or raise owed-bytes"
            )

    # --- settings

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings of the account from now on. Raises pydantic's ValidationError when one does not fit."""
        self.settings = self.settings.changed(changes)
        self.journal.note("configured", detail=dict(changes))
        for application in self.applications():
            application.account_settings_changed()
        self._emit_every()

    def start(self) -> None:
        """Begin what an account does by itself."""
        self._emit_every()

    def _emit_every(self) -> None:
        if self._every is not None:
            self._every.cancel()
            self._every = None
        if self.settings.every:
            due = self.clock.now() + self.settings.every
            self._every = self.clock.at(due, self._emit_one, f"every {self.settings.every:g} s an event happens")

    def _emit_one(self) -> None:
        application = self.application()
        try:
            application.emit("CreateSnapshotByTimeOffsetComplete", application.snapshot_task())
        except TooMuchOwed as error:
            log.warning("no event this time: %s", error)
        self._emit_every()

    # --- its ends

    async def reset(self) -> dict[str, int]:
        """Begin anew, as if just made; answers how much of what was thrown away."""
        thrown_away, old = self.cut_off()
        await close_all(old)
        return thrown_away

    def cut_off(self) -> tuple[dict[str, int], list[Application]]:
        """The part of a reset that happens in one step; what comes back is to be closed and awaited."""
        old = self.applications()
        thrown_away = {
            "events": len(self.events),
            "queued": sum(application.queue.visible for application in old),
            "leased": sum(application.queue.leased for application in old),
            "polls": sum(application.queue.waiting for application in old),
            "deliveries": sum(application.deliveries.under_way for application in old),
        }
        for application in old:
            application.close()
        if self._every is not None:
            self._every.cancel()
        self._begin()
        self.journal.clear(self.clock)
        self.events = Events(self.journal, self.current_settings)
        self.journal.note("reset", detail=thrown_away)
        self.start()
        return thrown_away, old

    async def aclose(self) -> None:
        if self._every is not None:
            self._every.cancel()
        await close_all(self.applications())


class World:
    """All accounts of one server. A context: what it owns ends with it."""

    def __init__(self, settings: Settings, session: Callable[[], ClientSession]) -> None:
        self.settings = settings
        self.session = session
        self.seed: int = secrets.randbits(32) if settings.seed is None else settings.seed
        self._declared: dict[str, Account] = {}
        self.ready = False
        """Whether all that the settings ask for has been applied and requests are accepted."""
        self.default = Account(self, settings.secret_id, settings.secret_key, self.seed)
        if settings.secret_id:
            self._declared[settings.secret_id] = self.default

    async def __aenter__(self) -> Self:
        self.default.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        for account in self.accounts():
            await account.aclose()

    def account(self, secret_id: str | None) -> Account:
        """Whose *secret_id* it is; the default account's when it was not declared."""
        return self._declared.get(secret_id or "", self.default)

    def declared(self, secret_id: str) -> Account | None:
        return self._declared.get(secret_id)

    def accounts(self) -> list[Account]:
        return [self.default, *(account for account in self._declared.values() if account is not self.default)]

    def applications(self) -> Iterator[Application]:
        for account in self.accounts():
            yield from account.applications()

    async def reset(self) -> dict[str, int]:
        """Reset every account in one step."""
        total: dict[str, int] = {}
        closing: list[Application] = []
        for account in self.accounts():
            thrown_away, old = account.cut_off()
            closing += old
            total = {what: total.get(what, 0) + count for what, count in thrown_away.items()}
        await close_all(closing)
        return total

    def close_doors(self) -> None:
        """Answer every held poll now, and hold none any more: the server is going."""
        self.ready = False
        under_way = 0
        for application in self.applications():
            application.queue.stop_holding()
            under_way += application.deliveries.under_way
        if under_way:
            log.warning("%d deliveries were under way and end here", under_way)


async def close_all(applications: list[Application]) -> None:
    for application in applications:
        await application.aclose()

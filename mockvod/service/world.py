"""Everything there is: accounts and their applications."""

import asyncio
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, Self

from aiohttp import ClientSession

from mockvod.engine.clock import Clock, Timer
from mockvod.engine.events import BacklogFull, Events
from mockvod.engine.hooks import Hooks
from mockvod.engine.journal import Journal
from mockvod.faults.registry import FaultRegistry
from mockvod.service.application import Application
from mockvod.settings import AccountSettings, ApplicationSettings, Settings
from mockvod.wire.events import SNAPSHOT_COMPLETE

log = logging.getLogger("mockvod.world")

MOST_ACCOUNTS = 10_000
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class AccountRefused(Exception):
    """No account can be made as asked."""


class Account:
    """What a SecretId stands for: a clock, a seed, a journal and applications of its own.

    The default account is everybody's whose SecretId was not declared, and of unsigned calls.
    """

    def __init__(
        self,
        world: "World",
        secret_id: str,
        secret_key: str,
        seed: int | str,
        *,
        sub_app_id: int | None = None,
        changes: Mapping[str, Any] = EMPTY,
    ) -> None:
        self.world = world
        self.secret_id = secret_id
        self.secret_key = secret_key
        self.seed = seed
        self.sub_app_id = sub_app_id
        """Another name of the default application, for callers that must give a SubAppId."""
        self._changes = changes
        self.closed = asyncio.Event()
        self.session = world.session
        self._begin()

    def _begin(self) -> None:
        of_account, self._application_changes = split(self._changes)
        self.settings: AccountSettings = self.world.settings.account()
        if of_account:
            self.settings = self.settings.changed(of_account)
        self.clock = Clock(grace=lambda: self.settings.settle_grace)
        if hasattr(self, "journal"):
            self.journal.clear(self.clock)
        else:
            self.journal: Journal = Journal(self.clock, lambda: self.settings.journal_entries)
        self.events: Events = Events(self.journal, self.current_settings)
        self.hooks = Hooks()
        self.faults = FaultRegistry(self.hooks, self.clock, self.events, self.journal, self.seed, _recipe)
        self._applications: dict[int | None, Application] = {}
        self._every: Timer | None = None

    @property
    def declared(self) -> bool:
        """Whether it is somebody's own, and not the default account."""
        return self.sub_app_id is not None

    @property
    def name(self) -> str:
        return "the default account" if self is self.world.default else f"account {self.secret_id}"

    def current_settings(self) -> AccountSettings:
        return self.settings

    # --- applications

    def application(self, sub_app_id: int | None = None) -> Application:
        """The application of *sub_app_id*; None or 0 is the default one."""
        key = None if sub_app_id == self.sub_app_id else sub_app_id or None
        application = self._applications.get(key)
        if application is None:
            settings = self.world.settings.application()
            if self._application_changes:
                settings = settings.changed(self._application_changes)
            application = self._applications[key] = Application(self, key, settings)
        return application

    def applications(self) -> list[Application]:
        return list(self._applications.values())

    def check_room_for(self, size: int) -> None:
        """Raise BacklogFull if an event of *size* bytes would be more than the settings allow to be owed."""
        owed, limit = self.events.pending_bytes, self.settings.pending_bytes
        if owed + size > limit:
            raise BacklogFull(
                f"{self.name} holds {owed} bytes of events that nobody has taken, and pending-bytes is {limit}: "
                "pull and confirm them, reset the account, or raise pending-bytes"
            )

    # --- settings

    def configure(self, changes: Mapping[str, Any]) -> None:
        """Change settings of the account from now on. Raises pydantic's ValidationError when one does not fit."""
        before, self.settings = self.settings, self.settings.changed(changes)
        self.journal.note("configured", detail=dict(changes))
        for application in self.applications():
            application.account_settings_changed()
        if self.settings.faults != before.faults:
            self.faults.follow(self.settings.faults)
        if self.settings.every != before.every:  # else every change would put the next event off
            self._emit_every()

    def start(self) -> None:
        """Begin what an account does by itself."""
        self.faults.follow(self.settings.faults)
        self._emit_every()

    def _emit_every(self) -> None:
        if self._every is not None:
            self._every.cancel()
            self._every = None
        if self.settings.every:
            due = self.clock.now() + self.settings.every
            self._every = self.clock.at(due, self._emit_one, f"every {self.settings.every:g} s an event happens")

    def _emit_one(self) -> None:
        self._emit_every()
        application = self.application()
        try:
            application.emit(SNAPSHOT_COMPLETE, application.snapshot_task())
        except BacklogFull as error:
            log.warning("no event this time: %s", error)

    # --- its ends

    async def reset(self) -> dict[str, int]:
        """Begin anew, as if just made; answers how much of what was thrown away."""
        discarded, old = self.cut_off()
        await close_all(old)
        return discarded

    def cut_off(self) -> tuple[dict[str, int], list[Application]]:
        """The part of a reset that happens in one step; what comes back is to be closed and awaited."""
        old = self.applications()
        discarded = {
            "events": len(self.events),
            "queued": sum(application.queue.visible for application in old),
            "leased": sum(application.queue.leased for application in old),
            "polls": sum(application.queue.waiting for application in old),
            "deliveries": sum(application.deliveries.under_way for application in old),
        }
        for application in old:
            application.close()
        self.faults.close()
        if self._every is not None:
            self._every.cancel()
        self._begin()
        self.journal.note("reset", detail=discarded)
        self.start()
        return discarded, old

    async def aclose(self) -> None:
        self.closed.set()
        self.faults.close()
        if self._every is not None:
            self._every.cancel()
        await close_all(self.applications())


class World:
    """All accounts of one server. A context: what it owns ends with it."""

    def __init__(
        self, settings: Settings, session: Callable[[], ClientSession], origins: Mapping[str, str] = EMPTY
    ) -> None:
        self.settings = settings
        self.origins = origins
        """Where the value of each setting came from, as far as that is known."""
        self.session = session
        self.seed: int = secrets.randbits(32) if settings.seed is None else settings.seed
        self._declared: dict[str, Account] = {}
        self.deleted: OrderedDict[str, None] = OrderedDict()
        """SecretIds of accounts that were deleted: a late call of theirs must not land in the default account."""
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

    def add_account(
        self, *, secret_id: str, secret_key: str, sub_app_id: int, seed: int | str, changes: Mapping[str, Any]
    ) -> Account:
        """Declare an account that starts with the server's settings and *changes*. Raises AccountRefused."""
        if secret_id in self._declared:
            raise AccountRefused(f"there is an account {secret_id!r} already: delete it first, or leave secret_id out")
        if len(self._declared) >= MOST_ACCOUNTS:
            raise AccountRefused(f"there are {MOST_ACCOUNTS} accounts, and no more may be: delete those not needed")
        account = Account(self, secret_id, secret_key, seed, sub_app_id=sub_app_id, changes=changes)
        account.start()
        self._declared[secret_id] = account
        self.deleted.pop(secret_id, None)
        return account

    async def delete_account(self, account: Account) -> None:
        """End all that the account owns, and await it. Its SecretId is refused from now on."""
        del self._declared[account.secret_id]
        self.deleted[account.secret_id] = None
        if len(self.deleted) > MOST_ACCOUNTS:
            self.deleted.popitem(last=False)
        await account.aclose()

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
            discarded, old = account.cut_off()
            closing += old
            total = {what: total.get(what, 0) + count for what, count in discarded.items()}
        await close_all(closing)
        return total

    def close_doors(self) -> None:
        """Answer every held poll now, and hold none any more: the server is going."""
        self.ready = False
        under_way = 0
        for account in self.accounts():
            account.closed.set()
        for application in self.applications():
            application.queue.stop_holding()
            under_way += application.deliveries.under_way
        if under_way:
            log.warning("%d deliveries were under way and end here", under_way)


def _recipe(name: str) -> Any:
    from mockvod.faults.recipes import RECIPES  # most servers never have one

    return RECIPES[name]


def split(changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Those of *changes* that are an account's, and those that are an application's."""
    of_account = {name: value for name, value in changes.items() if name in AccountSettings.model_fields}
    of_application = {name: value for name, value in changes.items() if name in ApplicationSettings.model_fields}
    return of_account, of_application


async def close_all(applications: list[Application]) -> None:
    for application in applications:
        application.close()
    for application in applications:
        await application.aclose()

"""All accounts of a server."""

import itertools
import logging
import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, Self

from mockvod.engine.clock import LoopShare, in_turns
from mockvod.engine.consumers import Calls, Refusals
from mockvod.engine.journal import Record
from mockvod.engine.lifetime import EndReason
from mockvod.engine.push_client import PushClient
from mockvod.pictures.worker import IMPORT_SECONDS, Worker, WorkerClosed
from mockvod.service.application import Application
from mockvod.service.context import Identity, Start
from mockvod.service.life import Discarded, Life
from mockvod.settings import AccountSettings, ApplicationSettings, Settings

log = logging.getLogger("mockvod.world")

MAX_ACCOUNTS: Final = 10_000
EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class AccountRefused(Exception):
    """No account can be made with these values."""


class Account:
    """An account of a SecretId: an identity, a secret key, and a life that a reset replaces.

    The default account belongs to every SecretId that was not declared, and to unsigned calls. Without a *seed* each
    life draws a new one, so TaskIds never repeat; with a *seed* a reset repeats itself.
    """

    def __init__(
        self,
        world: "World",
        secret_id: str,
        secret_key: str,
        seed: int | str | None,
        *,
        sub_app_id: int | None = None,
        twin: int = 0,
        changes: Mapping[str, Any] = EMPTY,
        frozen: bool = False,
    ) -> None:
        self.world = world
        self.secret_id = secret_id
        self.secret_key = secret_key
        self._seed = seed
        self.name = "the default account" if sub_app_id is None else f"account {secret_id}"
        of_account, of_application = split(changes)
        settings, application_settings = world.settings.account(), world.settings.application()
        self.identity = Identity(self.name, secret_id, sub_app_id, twin)
        self._start = Start(
            self.identity,
            settings.changed(of_account) if of_account else settings,
            application_settings.changed(of_application) if of_application else application_settings,
            frozen,
            world.push_client,
            world.worker,
            lambda: world.url,
            world.calls.polls,
        )
        self.life = self._new_life()

    def _new_life(self, first_seq: int = 1) -> Life:
        seed = secrets.randbits(32) if self._seed is None else self._seed
        life = Life(self._start, seed, first_seq)
        self.world.observed(life)
        return life

    async def reset(self) -> Discarded:
        """Replace the life by a new one, as if the account had just been made. Counts what was discarded."""
        old, discarded = self.replace_life()
        await old.aclose()
        return discarded

    def replace_life(self) -> tuple[Life, Discarded]:
        """The part of a reset that happens in one step; the caller awaits `aclose` of the old life."""
        old = self.life
        discarded = old.stop("reset")
        self.life = self._new_life(old.journal.seq + 1)
        self.life.journal.note("reset", detail=dict(discarded))
        self.life.start()
        return old, discarded

    async def aclose(self, reason: EndReason) -> None:
        self.life.stop(reason)
        await self.life.aclose()


class World:
    """All accounts of one server. A context manager: what it owns ends with it."""

    def __init__(self, settings: Settings, push_client: PushClient, origins: Mapping[str, str] = EMPTY) -> None:
        self.settings = settings
        self.url = ""
        """The address that the server listens on; empty before it does."""
        self.origins = origins
        """Where the value of each setting came from, as far as that is known."""
        self.push_client = push_client
        self.worker = Worker()
        self.importer = Worker(threads=1)  # of its own: drawings never delay the first call of a route
        self._loaded: set[str] = set()
        self._observers: list[Callable[[Life, Record], None]] = []
        self.refusals = Refusals()
        self.calls = Calls()
        self._declared: dict[str, Account] = {}
        self.deleted: OrderedDict[str, None] = OrderedDict()
        """SecretIds of deleted accounts: a late call of theirs must not reach the default account."""
        self.ready = False
        """Whether the settings were applied and requests are accepted."""
        self.default = Account(self, settings.secret_id, settings.secret_key, settings.seed)
        if settings.secret_id:
            self._declared[settings.secret_id] = self.default

    async def __aenter__(self) -> Self:
        self.default.life.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.worker.close()
        self.importer.close()
        for account in self.accounts():
            await account.aclose("stopping")

    async def load(self, *modules: str) -> None:
        """Import *modules* in a thread, for a call that is about to need them: it may take a second."""
        for module in modules:
            if module not in self._loaded:
                try:
                    await self.importer.run(partial(_import, module), seconds=IMPORT_SECONDS)
                except WorkerClosed:  # the server is stopping
                    return
                self._loaded.add(module)

    def observe(self, observer: Callable[[Life, Record], None]) -> None:
        """Call *observer* with every journal record of every account from now on."""
        self._observers.append(observer)
        for account in self.accounts():
            account.life.journal.observe(partial(observer, account.life))

    def observed(self, life: Life) -> None:
        """Call the observers with the records of *life*, which has just begun."""
        for observer in self._observers:
            life.journal.observe(partial(observer, life))

    def account(self, secret_id: str | None) -> Account:
        """The account of *secret_id*; the default one when it was not declared."""
        return self._declared.get(secret_id or "", self.default)

    def declared(self, secret_id: str) -> Account | None:
        return self._declared.get(secret_id)

    def add_account(
        self,
        *,
        secret_id: str,
        secret_key: str,
        sub_app_id: int,
        seed: int | str | None,
        changes: Mapping[str, Any],
        frozen: bool = False,
    ) -> Account:
        """Declare an account that starts with the server's settings and *changes*. Raises AccountRefused.

        Without *seed* its seed is derived from the server's, if that has one, and its SecretId.
        """
        if secret_id in self._declared:
            raise AccountRefused(f"account {secret_id!r} exists: delete it first, or leave secret_id out")
        if len(self._declared) >= MAX_ACCOUNTS:
            raise AccountRefused(f"there are {MAX_ACCOUNTS} accounts, which is the limit: delete some")
        if seed is None and self.settings.seed is not None:
            seed = f"{self.settings.seed}/{secret_id}"
        twin = 0 if seed is None else self._next_twin(seed)
        account = Account(
            self, secret_id, secret_key, seed, sub_app_id=sub_app_id, twin=twin, changes=changes, frozen=frozen
        )
        account.life.start()
        self._declared[secret_id] = account
        self.deleted.pop(secret_id, None)
        return account

    def _next_twin(self, seed: int | str) -> int:
        """The lowest number that no account with *seed* has; see Identity."""
        taken = {account.identity.twin for account in self.accounts() if str(account.life.seed) == str(seed)}
        return next(number for number in itertools.count() if number not in taken)

    async def delete_account(self, account: Account) -> None:
        """End the account's life and await it. Its SecretId is refused from now on."""
        del self._declared[account.secret_id]
        self.deleted[account.secret_id] = None
        if len(self.deleted) > MAX_ACCOUNTS:
            self.deleted.popitem(last=False)
        await account.aclose("deleted")

    def accounts(self) -> list[Account]:
        return [self.default, *(account for account in self._declared.values() if account is not self.default)]

    def applications(self) -> Iterator[Application]:
        for account in self.accounts():
            yield from account.life.applications()

    async def reset(self) -> Discarded:
        """Reset every account: each in one step, and all of them even if the caller is cancelled."""
        ended: list[tuple[Life, Discarded]] = []

        def steps() -> Iterator[None]:
            for account in self.accounts():
                if not account.life.ended:  # deleted meanwhile, or the server is stopping
                    ended.append(account.replace_life())
                yield

        await in_turns(steps())
        share = LoopShare()
        for life, _ in ended:
            await life.aclose()
            await share.turn()
        total = Discarded(events=0, queued=0, leased=0, polls=0, deliveries=0)
        for _, discarded in ended:
            for what, count in discarded.items():
                total[what] += count  # type: ignore[literal-required]  # the keys of a TypedDict of its own type
        return total

    def begin_shutdown(self) -> None:
        """End every blocked call now and block none from now on: the server is stopping."""
        self.ready = False
        self.worker.close()
        self.importer.close()
        for account in self.accounts():
            account.life.release_calls()
        under_way = sum(application.deliveries.under_way for application in self.applications())
        if under_way:
            log.warning("deliveries that are under way and end here: %d", under_way)


def _import(module: str, _: object) -> None:
    import_module(module)


def split(changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """*changes* as those of the account's settings and those of the application's."""
    of_account = {name: value for name, value in changes.items() if name in AccountSettings.model_fields}
    of_application = {name: value for name, value in changes.items() if name in ApplicationSettings.model_fields}
    return of_account, of_application

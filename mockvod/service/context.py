"""What the applications of one life share. `Life` fills it; an application sees no more of its account than this."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlencode

from mockvod.engine.clock import Clock, real_time
from mockvod.engine.events import Events
from mockvod.engine.hooks import Hooks
from mockvod.engine.journal import Journal
from mockvod.engine.lifetime import EndReason, LifeEnded
from mockvod.engine.push_client import PushClient
from mockvod.pictures.worker import Worker
from mockvod.service.addresses import Addresses, addresses
from mockvod.service.storage import Space
from mockvod.service.sub_apps import SubApps
from mockvod.settings import AccountSettings, ApplicationSettings

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Identity:
    """Who an account is. It stays the same over all lives."""

    name: str
    """As log lines and messages call the account."""
    secret_id: str = ""
    sub_app_id: int | None = None
    """Another name of the default application, for callers that must give a SubAppId."""
    twin: int = 0
    """Tells accounts with the same seed apart: the first is 0, and the addresses of the others differ from its own."""

    @property
    def declared(self) -> bool:
        """Whether the account was made for one caller; False for the default account."""
        return self.sub_app_id is not None


@dataclass(frozen=True, slots=True)
class Start:
    """What each life of an account begins with."""

    identity: Identity
    settings: AccountSettings
    application_settings: ApplicationSettings
    frozen: bool
    push_client: PushClient
    worker: Worker
    server_url: Callable[[], str]
    """The address that the server listens on; empty before it does."""
    polls: Counter[str]
    """The results of all polls of the server."""


class LifeContext:
    """Identity, seed, settings, clock, journal, events and hooks of a life, and whether it has ended."""

    def __init__(self, start: Start, seed: int | str, first_seq: int) -> None:
        self.identity = start.identity
        self.started_at = real_time()
        """Real seconds since 1970."""
        self.seed = seed
        self.settings = start.settings
        self.push_client = start.push_client
        self.worker = start.worker
        self.server_url = start.server_url
        self.polls = start.polls
        self.clock = Clock(
            grace=lambda: self.settings.settle_grace,
            on_error=self._note_error,
            on_behind=self._note_behind,
            rate=0.0 if start.frozen else 1.0,
        )
        self.journal = Journal(self.clock, lambda: self.settings, first_seq)
        self.events = Events(self.journal, lambda: self.settings)
        self.hooks = Hooks()
        self.upload_space = Space(lambda: self.settings.upload_bytes)
        self.sub_apps: SubApps
        """Set by Life, which knows the applications."""
        self._ended: EndReason | None = None
        self._calls: dict[asyncio.Task[Any], EndReason | None] = {}
        """The calls under way, and why each was interrupted."""

    def _note_error(self, what: str, error: Exception) -> None:
        self.journal.note("error", detail={"timer": what, "error": f"{type(error).__name__}: {error}"[:500]})

    def _note_behind(self, seconds: float) -> None:
        self.journal.note("clock_behind", detail={"seconds": round(seconds, 3), "rate": self.clock.rate})

    @property
    def name(self) -> str:
        """The account's name, as log lines and messages call it."""
        return self.identity.name

    def addresses(self, sub_app_id: int | None) -> Addresses:
        """The addresses of an application's files; None is the default application. It need not exist."""
        names: dict[str, Any] = {}
        if self.identity.declared:
            names["secret_id"] = self.identity.secret_id
        if sub_app_id is not None:
            names["sub_app_id"] = sub_app_id
        query = f"?{urlencode(names)}" if names else ""
        return addresses(f"{self.seed}/{sub_app_id or 'default'}", query, self.identity.twin)

    @property
    def ended(self) -> bool:
        return self._ended is not None

    def check_alive(self) -> None:
        """Raise LifeEnded if the life has ended."""
        if self._ended is not None:
            raise LifeEnded(self.name, self._ended)

    async def unless_ended(self, work: Coroutine[Any, Any, Result]) -> Result:
        """The result of *work*. Raises LifeEnded, and cancels *work*, if the life ends first or the server stops."""
        task = asyncio.current_task()
        if self._ended is not None or task is None:
            work.close()
            self.check_alive()
            raise RuntimeError("unless_ended needs a running task")
        if task in self._calls:  # a call within a call: the outer one ends both
            return await work
        self._calls[task] = None
        try:
            return await work
        except asyncio.CancelledError:
            reason = self._calls[task]
            # As asyncio.timeout does: a cancellation from elsewhere, such as a client that hung up, goes on.
            if reason is not None and not task.uncancel():
                raise LifeEnded(self.name, reason) from None
            raise
        finally:
            del self._calls[task]

    def interrupt_calls(self, reason: EndReason) -> None:
        """End every call that waits in `unless_ended`."""
        for task, interrupted in self._calls.items():
            if interrupted is None:
                self._calls[task] = reason
                task.cancel()

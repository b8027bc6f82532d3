"""Facts about the consumer of an account, read from its journal once for the diagnosis and the report."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple, Self

from mockvod.engine.attempt import Attempt
from mockvod.engine.clock import LoopShare
from mockvod.engine.events import event_id, event_number
from mockvod.engine.journal import Entry, Journal
from mockvod.service.application import Application
from mockvod.service.world import Account

Severity = Literal["ok", "notice", "warning", "problem"]

SHOWN: Final = 10
"""Most events, entries and so on that one finding names; it counts the others."""

FORGING: Final = frozenset({"wrong-sign", "expired-sign", "truncated-body", "malformed-body"})
"""Faults that make a callback invalid: a receiver must reject it."""

MASKING: Final = FORGING | {"slow-sending", "close-midway"}
"""Faults after which the response to a callback proves nothing about the receiver."""

REPEATED, UNKNOWN = "confirmed_again", "confirm_refused"
"""Journal entries for ConfirmEvents with handles that were confirmed before, or that could not be confirmed."""

_PAGE: Final = 1_000
"""Journal entries read in one step."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause or trait: a code for programs, a severity, a message for people, and the facts behind it."""

    code: str
    severity: Severity
    message: str
    evidence: Mapping[str, Any]


@dataclass(slots=True)
class Content:
    """What an event and the copies that a fault made of it have in common."""

    taken: str = ""
    """How it was first acknowledged: `confirmed`, `status 200`; or `timeout`, after which it may have been stored."""


@dataclass(slots=True)
class EventHistory:
    """What happened to one event, as far as the consumer is responsible.

    The effects of faults are left out: leases that they ended, callbacks that they masked.
    """

    content: Content = field(default_factory=Content)
    leases: list[int] = field(default_factory=list)
    """Entries at which it was leased."""
    confirmed: bool = False
    lapsed: list[int] = field(default_factory=list)
    """Entries at which leases began that ended without a confirm, for whatever reason."""
    unconfirmed: list[int] = field(default_factory=list)
    """Entries at which a lease ended, not by a fault, before the event was ever confirmed."""
    repeated: int = 0
    """How often it was sent again after it had been acknowledged."""
    rejected: list[tuple[int, str]] = field(default_factory=list)
    """Entry and outcome of every duplicate that was not acknowledged."""
    unchecked: list[tuple[int, str]] = field(default_factory=list)
    """Entry and fault of every forged or broken callback that was acknowledged."""
    masked: bool = False
    """Whether a fault masked its last attempt."""
    faults: set[str] = field(default_factory=set)
    """Faults that applied since its last change of state."""
    last: Entry | None = None

    @property
    def due(self) -> float:
        """When a scheduled event happens, in seconds since 1970 on the account's clock; 0 if it is not scheduled."""
        scheduled = self.last is not None and self.last.what == "scheduled" and isinstance(self.last.detail, dict)
        return float(self.last.detail["due"]) if self.last is not None and scheduled else 0.0

    def note(self, entry: Entry) -> None:
        if entry.what == "fault":
            self.faults.add(_fact(entry, "fault"))
            return
        if entry.what == "leased":
            self.leases.append(entry.seq)
            self.repeated += bool(self.content.taken)
        elif entry.what == "lease_ended":
            self.lapsed += self.leases[-1:]
            if self.faults:
                pass  # a fault ended it
            elif self.content.taken == "confirmed":
                self.rejected.append((entry.seq, "not confirmed"))
            else:
                self.unconfirmed.append(entry.seq)
        elif entry.what == "confirmed":
            self.content.taken, self.confirmed = "confirmed", True
        elif isinstance(entry.detail, Attempt):
            self._note_attempt(entry.seq, entry.detail)
        self.last = entry
        self.faults = set()

    def _note_attempt(self, seq: int, attempt: Attempt) -> None:
        self.masked = bool(self.faults & MASKING)
        self.unchecked += [(seq, fault) for fault in sorted(self.faults & FORGING) if attempt.succeeded]
        if self.masked:
            return
        content = self.content
        self.repeated += bool(content.taken)
        # After a timeout the event may or may not have been stored, so only a response can contradict it.
        if content.taken and not attempt.succeeded and (content.taken != "timeout" or attempt.error is None):
            self.rejected.append((seq, attempt.outcome))
        if attempt.succeeded and content.taken in {"", "timeout"}:
            content.taken = attempt.outcome
        elif timed_out(attempt) and not content.taken:
            content.taken = "timeout"


class RefusedHandle(NamedTuple):
    """A handle that ConfirmEvents refused, and what was known of it at that moment."""

    handle: str
    seq: int
    known: str
    """Its last entry (leased, lease_ended, confirmed), or empty; `fault` if a fault was the reason."""
    event: int | None


class Tried(NamedTuple):
    """An attempt to deliver an event."""

    entry: Entry
    attempt: Attempt
    masked: bool
    """Whether a fault masked it."""

    @property
    def event(self) -> int:
        return self.entry.event or 0


class Evidence:
    """The journal of an account's current life, as far as it concerns some of the applications."""

    def __init__(self, account: Account, applications: Sequence[Application]) -> None:
        self.account = account
        self.applications = applications
        self.settings = account.life.settings
        self.since = account.life.journal.first
        """The oldest entry that was read."""
        self.complete = reaches_back(account.life.journal)
        """Whether that is the beginning of the account's life."""
        self.events: dict[int, EventHistory] = {}
        self._by_application: dict[int | None, dict[int, EventHistory]] = {one.sub_app_id: {} for one in applications}
        self.attempts: list[Tried] = []
        self.refused: list[RefusedHandle] = []
        self.reset: dict[str, Any] = {}
        """What the reset that began this life discarded."""
        self.errors: list[Entry] = []
        """Entries for unhandled exceptions."""
        self._handles: dict[str, tuple[str, int]] = {}
        """Last entry and event of every lease in any application."""
        self._expired_handles: set[str] = set()
        """Handles that a fault returned in place of valid ones."""

    @classmethod
    async def read(cls, account: Account, applications: Sequence[Application]) -> Self:
        """Read the journal. Shares the event loop, since a journal may have 100,000 entries."""
        evidence, share, journal = cls(account, applications), LoopShare(), account.life.journal
        end, seq = journal.seq, journal.first - 1
        while seq < end and (page := list(journal.since(seq, min(_PAGE, end - seq)))):
            for entry in page:
                evidence.note(entry)
            seq = page[-1].seq
            await share.turn()
        return evidence

    def note(self, entry: Entry) -> None:
        if entry.event is not None:
            self._note_event(entry, entry.event)
        elif entry.what in {REPEATED, UNKNOWN} and entry.sub_app_id in self._by_application:
            self.refused += [self._refused(handle, entry.seq) for handle in entry.detail["event_handles"]]
        elif entry.what == "reset":
            self.reset = {"at": entry.at, **(entry.detail or {})}
        elif entry.what == "error":
            self.errors.append(entry)

    def _note_event(self, entry: Entry, number: int) -> None:
        history = self.events.get(number) or EventHistory()
        if entry.what == "fault":
            self._expired_handles.add(_fact(entry, "expired_handle"))
            original = event_number(_fact(entry, "copy_of"))
            if original in self.events:
                history.content = self.events[original].content
        elif (handle := _handle(entry.detail)) is not None:
            self._handles[handle] = ("fault" if entry.what == "lease_ended" and history.faults else entry.what, number)
        history.note(entry)
        if (events := self._by_application.get(entry.sub_app_id)) is not None:
            self.events[number] = events[number] = history
            if isinstance(entry.detail, Attempt):
                self.attempts.append(Tried(entry, entry.detail, history.masked))

    def _refused(self, handle: str, seq: int) -> RefusedHandle:
        known, number = self._handles.get(handle, ("", None))
        history = None if number is None else self.events.get(number)
        if (history is not None and history.faults) or handle in self._expired_handles:
            known = "fault"
        return RefusedHandle(handle, seq, known, number)

    def pulled(self) -> dict[int, EventHistory]:
        return {number: one for number, one in self.events.items() if one.leases}

    def refused_when(self, known: str) -> list[RefusedHandle]:
        return [one for one in self.refused if one.known == known]

    def of(self, application: Application) -> dict[int, EventHistory]:
        """The events of one application."""
        return self._by_application[application.sub_app_id]


def reaches_back(journal: Journal) -> bool:
    """Whether the journal still has the beginning of the account's life."""
    first = next(iter(journal.since(0, 1)), None)
    return first is None or first.seq == 1 or first.what == "reset"


def timed_out(attempt: Attempt) -> bool:
    return attempt.error is not None and attempt.error.startswith("timeout:")


def _fact(entry: Entry, name: str) -> str:
    return str(entry.detail.get(name, "")) if isinstance(entry.detail, dict) else ""


def _handle(detail: object) -> str | None:
    """The handle of a lease, as its entries carry it."""
    if isinstance(detail, dict):
        detail = detail.get("event_handle")
    return detail if isinstance(detail, str) else None


# --- evidence and messages


def ids(numbers: Iterable[int]) -> dict[str, Any]:
    distinct = list(dict.fromkeys(numbers))
    return {"events": [event_id(number) for number in distinct[:SHOWN]], "events_count": len(distinct)}

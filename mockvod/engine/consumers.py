"""The callers of the vendor's APIs: which events they pulled, how their polls ended, which calls were refused."""

import logging
from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, TypeVar

from mockvod.engine.clock import Clock, call_in_real_time, real_time
from mockvod.engine.events import Event
from mockvod.engine.journal import Batch

log = logging.getLogger("mockvod.consumers")

MOST_CALLERS: Final = 200
MOST_BATCHES: Final = 5_000
MOST_KINDS: Final = 1_000
UNKNOWN: Final = "unknown"
CLIENT_CLOSED: Final = "client_closed"
"""In place of the code of a response that the client did not wait for."""
BLOCKED_SECONDS: Final = 2.0
"""Real seconds after which a poll on a frozen clock counts as blocked."""

Row = TypeVar("Row")


class Caller(NamedTuple):
    """The sender of a request, as far as the request identifies it."""

    secret_id: str = ""
    """Empty if the request is unsigned."""
    user_agent: str = ""
    address: str = ""
    api: str = "3.0"

    def __str__(self) -> str:
        who = self.user_agent or "a client without a User-Agent"
        signed = f"signed by {self.secret_id}" if self.secret_id else "unsigned"
        return f"{who} at {self.address or 'an unknown address'}, API {self.api}, {signed}"

    def printable(self) -> "Caller":
        return Caller(*map(printable, self))


CALLER: Final[ContextVar[Caller]] = ContextVar("CALLER", default=Caller())  # noqa: B039 - a NamedTuple of texts does not change
"""The sender of the request that is being handled. The routes of both APIs set it."""


def printable(text: str) -> str:
    """The beginning of what a client sent, without the lone surrogates that invalid UTF-8 leaves."""
    return text[:200].encode(errors="backslashreplace").decode()


def _row(rows: OrderedDict[Hashable, Row], key: Hashable, new: Callable[[], Row]) -> Row:
    """The row of *key*. A new one evicts the oldest of more than MOST_CALLERS."""
    row = rows.get(key)
    if row is None:
        row = rows[key] = new()
        if len(rows) > MOST_CALLERS:
            rows.popitem(last=False)
    return row


@dataclass(slots=True)
class Puller:
    """The polls of one caller."""

    caller: Caller
    last_at: float = 0.0
    """When it last polled, in seconds since 1970 on the account's clock."""
    last_seen: float = 0.0
    """The same in real seconds since 1970."""
    pulls: int = 0
    empty: int = 0
    in_push_mode: int = 0
    """How many empty polls found the application in PUSH mode."""
    hung_up: int = 0
    """Polls whose client closed the connection before the hold ended."""
    retried: int = 0
    """How many of those were followed by another poll: the client did not stop, its timeout is too short."""
    patience: float = 0.0
    """The longest that it waited before it hung up, in real seconds."""
    blocked: int = 0
    """Polls that waited BLOCKED_SECONDS on a frozen clock."""


@dataclass(slots=True, eq=False)
class Poll:
    """One PullEvents under way."""

    pulls: "Pulls"
    puller: Puller
    since: float = field(default_factory=real_time)
    """Real seconds since 1970."""
    reported: bool = False
    """Whether it was reported as blocked."""

    def got(self, events: Sequence[Event]) -> None:
        """It leased *events*, and nothing has happened to them since."""
        self.pulls.results["events"] += 1
        record = events[0].record
        if isinstance(record, Batch) and len(record.events) == len(events):
            first, last = record.seq, record.last_seq
        else:  # some were leased before, or a fault reordered them; they were leased in one step all the same
            seqs = [_leased_at(event) for event in events]
            first, last = min(seqs), max(seqs)
        self.pulls.note(first, last, self.puller)

    def found_nothing(self, mode: str) -> None:
        """The reply had no event; *mode* is the application's."""
        self.pulls.results["empty"] += 1
        self.puller.empty += 1
        if mode == "PUSH":
            self.puller.in_push_mode += 1

    def hung_up(self, hold: float) -> None:
        """Its client closed the connection; *hold* is the seconds that the poll may block.

        A poll that waited longer was blocked by a frozen clock, and its client is not impatient.
        """
        self.pulls.results[CLIENT_CLOSED] += 1
        waited = real_time() - self.since
        if waited < hold + 0.5:  # the client's timeout may have the same length as the hold
            self.puller.hung_up += 1
            self.puller.patience = max(self.puller.patience, waited)


class Pulls:
    """The callers of PullEvents, and which of them leased what. Bounded: the oldest are evicted.

    A poll costs one look into a mapping, and one entry more if it got events; nothing is kept per event.
    """

    def __init__(self, clock: Clock, results: Counter[str]) -> None:
        self._clock = clock
        self.results = results
        """How polls ended: those of the whole server, over all resets."""
        self._pullers: OrderedDict[Hashable, Puller] = OrderedDict()
        self._batches: deque[tuple[int, int, Puller]] = deque(maxlen=MOST_BATCHES)
        self._open: set[Poll] = set()
        self._watched = False

    def begin(self) -> Poll:
        """A poll of CALLER begins."""
        caller = CALLER.get()
        puller = _row(self._pullers, caller, lambda: Puller(caller.printable()))
        puller.pulls += 1
        puller.retried = puller.hung_up
        poll = Poll(self, puller)
        puller.last_at, puller.last_seen = self._clock.epoch(), poll.since
        self._open.add(poll)
        if not self._watched:
            self._watch()
        return poll

    def end(self, poll: Poll) -> None:
        """Must be called for each poll, after its `got`, `found_nothing` or `hung_up`."""
        self._open.discard(poll)

    def note(self, first: int, last: int, puller: Puller) -> None:
        """*puller* leased the events of the journal entries from *first* to *last*."""
        self._batches.append((first, last, puller))

    def _watch(self) -> None:
        self._watched = True
        call_in_real_time(BLOCKED_SECONDS, self._find_blocked)

    def _find_blocked(self) -> None:
        """Report open polls that a frozen clock blocks: otherwise a test would hang without a message."""
        self._watched = False
        for poll in self._open if self._clock.rate == 0 else ():
            if not poll.reported and real_time() - poll.since >= BLOCKED_SECONDS * 0.9:
                poll.reported = True
                poll.puller.blocked += 1
                if poll.puller.blocked == 1:
                    log.warning(
                        "PullEvents of %s blocks: the clock is frozen, so it waits until an event arrives or the clock "
                        "is advanced or released",
                        poll.puller.caller,
                    )
        if self._open:
            self._watch()

    def pullers(self) -> list[Puller]:
        """The callers, the most recent first."""
        return sorted(self._pullers.values(), key=lambda one: one.last_seen, reverse=True)

    def by(self, seqs: Iterable[int]) -> list[Caller]:
        """The callers that leased the events of these journal entries, each once; evicted ones are left out."""
        wanted = set(seqs)
        leased = (one for first, last, one in self._batches if not wanted.isdisjoint(range(first, last + 1)))
        return list(dict.fromkeys(puller.caller for puller in leased))


def _leased_at(event: Event) -> int:
    """The number of the journal entry for its lease."""
    entry = event.last
    while entry is not None and entry.what != "leased":  # faults write entries after it
        entry = entry.before
    return 0 if entry is None else entry.seq


class Calls:
    """How many calls a server answered, by API, action and code. Kinds beyond MOST_KINDS count as `other`."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str, str]] = Counter()
        self.polls: Counter[str] = Counter()
        """The results of polls: `events`, `empty`, CLIENT_CLOSED."""

    def note(self, api: str, action: str, code: str) -> None:
        """Count a call of an action that the API has, or UNKNOWN."""
        kind = (api, action, code)
        if len(self.counts) >= MOST_KINDS and kind not in self.counts:
            kind = (api, "other", "other")
        self.counts[kind] += 1


Kind = Literal["tls", "signature", "not_simulated", "call"]
"""Why calls are refused: https on the http port, a missing or invalid signature, an action of the vendor that mockvod
does not have, or anything else."""


@dataclass(slots=True)
class Refusal:
    """Refused calls of one caller with the same action and error."""

    kind: Kind
    caller: Caller
    action: str
    code: str
    message: str = ""
    """Why the last one was refused."""
    count: int = 0
    last_seen: float = 0.0
    """Real seconds since 1970."""


class Refusals:
    """Calls that a server refused, grouped by caller, action and error code. Bounded: the oldest are evicted."""

    def __init__(self) -> None:
        self._rows: OrderedDict[Hashable, Refusal] = OrderedDict()
        self.listener: Callable[[Refusal], None] | None = None

    def note(self, kind: Kind, caller: Caller, action: str, code: str, message: str) -> None:
        caller, action = caller.printable(), printable(action)
        refusal = _row(self._rows, (kind, caller, action, code), lambda: Refusal(kind, caller, action, code))
        refusal.message = printable(message)
        refusal.count += 1
        refusal.last_seen = real_time()
        if self.listener is not None:
            self.listener(refusal)

    def since(self, moment: float) -> list[Refusal]:
        """Refusals at or after *moment*, in real seconds since 1970, the most recent first."""
        found = [one for one in self._rows.values() if one.last_seen >= moment]
        return sorted(found, key=lambda one: one.last_seen, reverse=True)

"""Who pulls events from an application, and how their polls end."""

from collections import OrderedDict, deque
from collections.abc import Iterable, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, NamedTuple

from mockvod.engine.clock import real_time
from mockvod.engine.events import Event
from mockvod.engine.journal import Batch

MOST_CALLERS: Final = 200
MOST_BATCHES: Final = 5_000


class Caller(NamedTuple):
    """Who sends a request, as far as the request tells."""

    secret_id: str = ""
    """Empty where the request is not signed."""
    user_agent: str = ""
    address: str = ""

    def __str__(self) -> str:
        who = self.user_agent or "a client without a User-Agent"
        signed = f"signed by {self.secret_id}" if self.secret_id else "unsigned"
        return f"{who} at {self.address or 'an unknown address'}, {signed}"


CALLER: Final[ContextVar[Caller]] = ContextVar("CALLER", default=Caller())  # noqa: B039 - a NamedTuple of texts does not change
"""Whose request is being answered. The doors set it."""


@dataclass(slots=True)
class Puller:
    """The polls of one caller."""

    caller: Caller
    last_at: float = 0.0
    """Seconds since 1970 on the account's clock."""
    pulls: int = 0
    empty: int = 0
    in_push_mode: int = 0
    """Of the empty ones, those that found the application in PUSH mode."""
    hung_up: int = 0
    """Polls whose client closed the connection before the hold had ended."""
    came_back: int = 0
    """Of those, the ones after which the client polled again: it did not stop, it was impatient."""
    patience: float = 0.0
    """The longest that it waited before it hung up, in real seconds."""


class Poll:
    """One PullEvents under way."""

    __slots__ = ("_puller", "_pulls", "_since")

    def __init__(self, pulls: "Pulls", puller: Puller) -> None:
        self._pulls = pulls
        self._puller = puller
        self._since = real_time()

    def got(self, events: Sequence[Event]) -> None:
        """It leased *events*, and nothing has happened to them since."""
        record = events[0].record
        if isinstance(record, Batch) and len(record.events) == len(events):
            first, last = record.seq, record.last_seq
        else:  # some were leased before, or a fault has mixed them; they were leased in one go all the same
            seqs = [_leased_at(event) for event in events]
            first, last = min(seqs), max(seqs)
        self._pulls.note((first, last, self._puller))

    def found_nothing(self, mode: str) -> None:
        """It was answered without an event; *mode* is the application's."""
        self._puller.empty += 1
        if mode == "PUSH":
            self._puller.in_push_mode += 1

    def hung_up(self, hold: float) -> None:
        """Its client closed the connection; *hold* is for how many seconds it may be held.

        One that has waited longer was kept waiting by a clock that stands still, and is not to blame.
        """
        waited = real_time() - self._since
        if waited < hold:
            self._puller.hung_up += 1
            self._puller.patience = max(self._puller.patience, waited)


class Pulls:
    """The callers of PullEvents, and which of them leased what. Bounded: the oldest give way.

    A poll costs one look into a mapping, and one entry more if it got events; nothing is kept for a single event.
    """

    def __init__(self) -> None:
        self._pullers: OrderedDict[Caller, Puller] = OrderedDict()
        self._batches: deque[tuple[int, int, Puller]] = deque(maxlen=MOST_BATCHES)

    def begin(self, at: float) -> Poll:
        """A poll of CALLER begins, *at* seconds since 1970 on the account's clock."""
        caller = CALLER.get()
        puller = self._pullers.get(caller)
        if puller is None:
            puller = self._pullers[caller] = Puller(Caller(*map(_shown, caller)))
            if len(self._pullers) > MOST_CALLERS:
                self._pullers.popitem(last=False)
        puller.pulls += 1
        puller.last_at = at
        puller.came_back = puller.hung_up
        return Poll(self, puller)

    def note(self, batch: tuple[int, int, Puller]) -> None:
        self._batches.append(batch)

    def pullers(self) -> list[Puller]:
        """Those that poll, the one that polled last first."""
        return sorted(self._pullers.values(), key=lambda one: one.last_at, reverse=True)

    def by(self, seqs: Iterable[int]) -> list[Caller]:
        """Who leased the events of these entries of the journal, each caller once; those forgotten are left out."""
        wanted = set(seqs)
        leased = (one for first, last, one in self._batches if not wanted.isdisjoint(range(first, last + 1)))
        return list(dict.fromkeys(puller.caller for puller in leased))


def _shown(text: str) -> str:
    """What a client sent, fit to be shown: not too long, and without the halves of characters that bytes may leave."""
    return text[:200].encode(errors="backslashreplace").decode()


def _leased_at(event: Event) -> int:
    """The number of the journal's entry for its lease."""
    entry = event.last
    while entry is not None and entry.what != "leased":  # faults write behind it
        entry = entry.before
    return 0 if entry is None else entry.seq

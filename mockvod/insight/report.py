"""A report on the consumer: what the journal shows of how it pulls, confirms, answers and bears repetition."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from mockvod.engine.attempt import Attempt
from mockvod.engine.events import TERMINAL, event_id, event_number
from mockvod.engine.journal import Entry, Journal
from mockvod.service.application import Application
from mockvod.service.world import Account

Grade = Literal["ok", "notice", "warning", "problem"]

SHOWN: Final = 10
"""Most events, entries and so on that one finding names; it counts the others."""

NEARLY_LATE: Final = 0.8
"""The part of the time-out from which an answer counts as close to it."""

FORGING: Final = frozenset({"wrong-sign", "expired-sign", "truncated-body", "malformed-body"})
"""Faults after which a callback is not to be taken."""

SPOILING: Final = FORGING | {"slow-sending", "close-midway"}
"""Faults after which a callback says nothing of how an orderly one would have been met."""

REPEATED, UNKNOWN = "confirmed_again", "confirm_refused"
"""What the journal calls a ConfirmEvents with handles that were confirmed before, or that it could not confirm."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One trait of the consumer: a name for programs, a grade, words for people, and what shows it."""

    code: str
    grade: Grade
    words: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Report:
    """Every trait that can be judged, the good ones included."""

    findings: tuple[Finding, ...]
    since: int
    """The oldest entry of the journal that was looked at."""
    complete: bool
    """Whether that is all that has happened since the account began or was reset."""


def report(account: Account, applications: Sequence[Application]) -> Report:
    """What the consumer of *applications*, which are of *account*, did with what it was given."""
    look = _Look(account, applications)
    findings = tuple(_finding(look, code, check) for code, check in _CHECKS.items())
    return Report(findings, account.journal.first, look.complete)


def reaches_back(journal: Journal) -> bool:
    """Whether the journal still has its beginning."""
    first = next(iter(journal.since(0, 1)), None)
    return first is None or first.seq == 1 or first.what == "reset"


# --- what the journal tells


@dataclass(slots=True)
class _Content:
    """What several events may have in common: copies of one, which a fault has made."""

    taken: str = ""
    """How it was taken first: `confirmed`, `status 200`; or `timeout`, after which it may have been."""


@dataclass(slots=True)
class _Course:
    """What happened to one event, as far as it says something of the consumer.

    What a fault did is not the consumer's doing: a lease that it ended, a callback that it spoiled.
    """

    content: _Content = field(default_factory=_Content)
    leases: int = 0
    confirmed: bool = False
    unconfirmed: list[int] = field(default_factory=list)
    """Entries at which a lease ended before the event was ever confirmed."""
    repeated: int = 0
    """Times that it was sent although it had been taken."""
    met_otherwise: list[tuple[int, str]] = field(default_factory=list)
    """Those of them that were not taken: entry and outcome."""
    unchecked: list[tuple[int, str]] = field(default_factory=list)
    """Entries of forged or broken callbacks that were taken, and the fault that made each of them so."""
    spoiled: bool = False
    """Whether its last attempt was spoiled by a fault."""
    faults: set[str] = field(default_factory=set)
    """What faults did to it since it came into its state."""
    last: Entry | None = None

    def note(self, entry: Entry) -> None:
        if entry.what == "fault":
            self.faults.add(_fact(entry, "fault"))
            return
        if entry.what == "leased":
            self.leases += 1
            self.repeated += bool(self.content.taken)
        elif entry.what == "lease_ended" and not self.faults:
            if self.content.taken == "confirmed":
                self.met_otherwise.append((entry.seq, "not confirmed"))
            else:
                self.unconfirmed.append(entry.seq)
        elif entry.what == "confirmed":
            self.content.taken, self.confirmed = "confirmed", True
        elif isinstance(entry.detail, Attempt):
            self._note_attempt(entry.seq, entry.detail)
        self.last = entry
        self.faults = set()

    def _note_attempt(self, seq: int, attempt: Attempt) -> None:
        self.spoiled = bool(self.faults & SPOILING)
        self.unchecked += [(seq, fault) for fault in sorted(self.faults & FORGING) if attempt.succeeded]
        if self.spoiled:
            return
        content = self.content
        self.repeated += bool(content.taken)
        # After a time-out nobody knows whether it was taken, so only an answer says that it was met otherwise.
        if content.taken and not attempt.succeeded and (content.taken != "timeout" or attempt.error is None):
            self.met_otherwise.append((seq, attempt.outcome))
        if attempt.succeeded and content.taken in {"", "timeout"}:
            content.taken = attempt.outcome
        elif _timed_out(attempt) and not content.taken:
            content.taken = "timeout"


class _Refused(NamedTuple):
    """A handle that ConfirmEvents did not take, and what was known of it at that moment."""

    handle: str
    seq: int
    known: str
    """What last happened to it (leased, lease_ended, confirmed), or nothing; `fault` where one was the reason."""
    event: int | None


class _Look:
    """An account's journal read once."""

    def __init__(self, account: Account, applications: Sequence[Application]) -> None:
        self.settings = account.settings
        self.applications = applications
        self.complete = reaches_back(account.journal)
        self.courses: dict[int, _Course] = {}
        self.attempts: list[tuple[Entry, Attempt]] = []
        """Those that no fault has spoiled."""
        self.refused: list[_Refused] = []
        self._handles: dict[str, tuple[str, int]] = {}
        """Of every lease of the account, whichever application's: what last happened to it, and its event."""
        self._expired_handles: set[str] = set()
        """Handles that a fault has returned in place of valid ones."""
        meant = {application.sub_app_id for application in applications}
        for entry in account.journal.since(0):
            if entry.event is not None:
                self._note(entry, entry.event, meant=entry.sub_app_id in meant)
            elif entry.what in {REPEATED, UNKNOWN} and entry.sub_app_id in meant:
                self.refused += [self._looked_up(handle, entry.seq) for handle in entry.detail["event_handles"]]

    def _note(self, entry: Entry, number: int, *, meant: bool) -> None:
        course = self.courses.get(number) or _Course()
        if entry.what == "fault":
            self._expired_handles.add(_fact(entry, "expired_handle"))
            original = event_number(_fact(entry, "copy_of"))
            if original in self.courses:
                course.content = self.courses[original].content
        elif (handle := _handle(entry.detail)) is not None:
            self._handles[handle] = ("fault" if entry.what == "lease_ended" and course.faults else entry.what, number)
        course.note(entry)
        if meant:
            self.courses[number] = course
            if isinstance(entry.detail, Attempt) and not course.spoiled:
                self.attempts.append((entry, entry.detail))

    def _looked_up(self, handle: str, seq: int) -> _Refused:
        known, number = self._handles.get(handle, ("", None))
        course = None if number is None else self.courses.get(number)
        if (course is not None and course.faults) or handle in self._expired_handles:
            known = "fault"
        return _Refused(handle, seq, known, number)

    def refused_when(self, known: str) -> list[_Refused]:
        return [one for one in self.refused if one.known == known]

    def pulled(self) -> dict[int, _Course]:
        return {number: course for number, course in self.courses.items() if course.leases}


def _fact(entry: Entry, name: str) -> str:
    return str(entry.detail.get(name, "")) if isinstance(entry.detail, dict) else ""


def _handle(detail: object) -> str | None:
    """The handle of a lease, as its entries carry it."""
    if isinstance(detail, dict):
        detail = detail.get("event_handle")
    return detail if isinstance(detail, str) else None


def _timed_out(attempt: Attempt) -> bool:
    return attempt.error is not None and attempt.error.startswith("timeout:")


def _over(course: _Course) -> bool:
    return course.last is not None and course.last.what in TERMINAL


# --- the checks, each of one trait

Judged = tuple[Grade, str, Mapping[str, Any]]


def _finding(look: _Look, code: str, check: Callable[[_Look], Judged]) -> Finding:
    grade, words, evidence = check(look)
    return Finding(code, grade, words, evidence)


def _late(look: _Look) -> Judged:
    pulled = look.pulled()
    late = {n: one for n, one in pulled.items() if one.unconfirmed and one.confirmed}
    stale = look.refused_when("lease_ended")
    limit = look.settings.visibility_timeout
    confirmed = sum(one.confirmed for one in pulled.values())
    numbers = {*late, *(one.event for one in stale if one.event is not None)}
    if not numbers:
        return "ok", f"all {confirmed} confirmed events were confirmed within {limit:g} s", {"confirmed": confirmed}
    words = (
        f"{_events(numbers)} confirmed too late, after the {limit:g} s of the lease: such a confirm is refused and the "
        "event comes once more. Confirm as soon as the event is stored, and work afterwards"
    )
    seqs = [seq for one in late.values() for seq in one.unconfirmed] + [one.seq for one in stale]
    return "warning", words, {"confirmed": confirmed, "stale_handles": _handles(stale), **_ids(numbers), **_seqs(seqs)}


def _never(look: _Look) -> Judged:
    pulled = look.pulled()
    never = {n: one for n, one in pulled.items() if one.unconfirmed and not one.confirmed}
    if not never:
        return "ok", "no event was pulled in vain", {"pulled": len(pulled)}
    leases = sum(one.leases for one in never.values())
    words = (
        f"{_events(never)} pulled ({_count(leases, 'time', 'times')} in all) and never confirmed, so they come "
        "again and again until they expire. Confirm also what cannot be worked on, and put it aside"
    )
    seqs = [seq for one in never.values() for seq in one.unconfirmed]
    return "problem", words, {"pulled": len(pulled), **_ids(never), **_seqs(seqs)}


def _open(look: _Look) -> Judged:
    held = [
        n
        for n, one in look.pulled().items()
        if one.last is not None and one.last.what == "leased" and not one.unconfirmed
    ]
    if not held:
        return "ok", "nothing that was pulled is still to be confirmed", {}
    words = (
        f"{_events(held)} pulled and not confirmed so far. Advance the clock by {look.settings.visibility_timeout:g} s "
        "to see whether it is done in time"
    )
    return "notice", words, _ids(held)


def _twice(look: _Look) -> Judged:
    again = look.refused_when("confirmed")
    if not again:
        return "ok", "no handle was confirmed twice", {}
    words = (
        f"{_count(again, 'handle was', 'handles were')} confirmed again although the first confirm had succeeded: no "
        "harm within the lease, an error after it. Confirm once, and again only where no answer came"
    )
    return "notice", words, {"handles": _handles(again), **_ids(_numbers(again)), **_seqs(one.seq for one in again)}


def _strange(look: _Look) -> Judged:
    """Handles that no pull of this application has given out."""
    strange, foreign = look.refused_when(""), look.refused_when("leased")
    if not strange and not foreign:
        return "ok", "every handle that was confirmed had been given out", {}
    evidence = {
        "handles": _handles(strange),
        "of_another_application": _handles(foreign),
        **_ids(_numbers(foreign)),
        **_seqs(one.seq for one in (*strange, *foreign)),
    }
    if not strange:
        words = (
            f"{_count(foreign, 'handle was', 'handles were')} pulled from another application than it was "
            "confirmed in: confirm with the SubAppId of the pull"
        )
        return "problem", words, evidence
    forgotten = "" if look.complete else " (or that the journal, which has lost its beginning, has forgotten)"
    words = (
        f"{_count(strange, 'handle was', 'handles were')} confirmed that no pull has given out{forgotten}: send "
        "EventHandle as it came. It is a text of digits, which a number of 53 bits would round"
    )
    return ("problem" if look.complete else "warning"), words, evidence


def _impatient(look: _Look) -> Judged:
    hold = look.settings.poll_hold
    pullers = [one for application in look.applications for one in application.pulls.pullers() if one.came_back]
    polls = sum(one.pulls for application in look.applications for one in application.pulls.pullers())
    if not pullers:
        return "ok", f"no poll was given up before its {hold:g} s", {"polls": polls}
    cut = sum(one.came_back for one in pullers)
    words = (
        f"{_count(cut, 'poll', 'polls')} of {polls} given up by the client before the {hold:g} s for which PullEvents "
        f"may be held, the most patient after {max(one.patience for one in pullers):.3g} s: set the read time-out of "
        f"the HTTP client to {hold + 5:g} s or more"
    )
    clients = [
        {**one.caller._asdict(), "polls": one.pulls, "given_up": one.came_back, "patience": round(one.patience, 3)}
        for one in pullers[:SHOWN]
    ]
    return ("warning" if cut > 1 else "notice"), words, {"polls": polls, "given_up": cut, "clients": clients}


def _timeouts(look: _Look) -> Judged:
    limit = look.settings.callback_timeout
    return _attempts(
        look,
        _timed_out,
        "problem",
        f"every callback was answered in time ({limit:g} s)",
        f"not answered within {limit:g} s, so it counts as not received and is sent again: answer 200 first, and work "
        "afterwards",
    )


def _slow(look: _Look) -> Judged:
    limit = look.settings.callback_timeout
    return _attempts(
        look,
        lambda attempt: attempt.error is None and attempt.duration >= NEARLY_LATE * limit,
        "warning",
        f"no callback was answered in the last {1 - NEARLY_LATE:.0%} of the {limit:g} s",
        f"answered after more than {NEARLY_LATE * limit:g} of the {limit:g} s: with a little more load it times out",
    )


def _statuses(look: _Look) -> Judged:
    return _attempts(
        look,
        lambda attempt: attempt.error is None and not attempt.succeeded,
        "problem",
        "every answer to a callback was 2xx",
        "answered outside 2xx, which counts as not received and is not sent again by default: answer 200 to all that "
        "was stored, whatever it means to the application",
    )


def _unreached(look: _Look) -> Judged:
    return _attempts(
        look,
        lambda attempt: attempt.error is not None and not _timed_out(attempt),
        "problem",
        "every callback reached the application",
        "got no HTTP answer: GET /mockvod/v1/diagnosis says why",
    )


def _attempts(look: _Look, meant: Callable[[Attempt], bool], grade: Grade, good: str, bad: str) -> Judged:
    found = [(entry, attempt) for entry, attempt in look.attempts if meant(attempt)]
    if not found:
        return "ok", good, {"attempts": len(look.attempts)}
    words = f"{_count(found, 'callback', 'callbacks')} of {len(look.attempts)} {bad}"
    shown = [
        {"event": event_id(entry.event or 0), "entry": entry.seq, "outcome": one.outcome, "duration": one.duration}
        for entry, one in found[:SHOWN]
    ]
    evidence = {"attempts": len(look.attempts), "count": len(found), "shown": shown}
    return grade, words, {**evidence, **_ids([entry.event or 0 for entry, _ in found])}


def _duplicates(look: _Look) -> Judged:
    repeated = sum(one.repeated for one in look.courses.values())
    other = {n: one for n, one in look.courses.items() if one.met_otherwise}
    if not other:
        good = (
            f"{_count(repeated, 'repetition was', 'repetitions were')} met like the first" if repeated else "none came"
        )
        return "ok", f"of what was taken before, {good}", {"repetitions": repeated}
    number, one = next(iter(other.items()))
    first = (
        "timed out, and may have been stored" if one.content.taken == "timeout" else f"was taken ({one.content.taken})"
    )
    words = (
        f"{_count(other, 'event was', 'events were')} sent again and met otherwise than the first time, such as "
        f"{event_id(number)}: it {first}, then {one.met_otherwise[0][1]}. Events may come more than once: give one "
        "that is known already the same answer"
    )
    shown = [
        {"event": event_id(n), "first": c.content.taken, "then": [outcome for _, outcome in c.met_otherwise[:SHOWN]]}
        for n, c in list(other.items())[:SHOWN]
    ]
    seqs = [seq for course in other.values() for seq, _ in course.met_otherwise]
    return "problem", words, {"repetitions": repeated, "shown": shown, **_ids(other), **_seqs(seqs)}


def _unchecked(look: _Look) -> Judged:
    taken = {n: one.unchecked for n, one in look.courses.items() if one.unchecked}
    if not taken:
        return "ok", "no callback was taken that was forged or broken", {}
    faults = sorted({fault for found in taken.values() for _, fault in found})
    words = (
        f"{_events(taken)} answered 2xx although a fault ({', '.join(faults)}) had made the callback wrong: check "
        "Sign, T and the body before you take it, and answer 4xx otherwise"
    )
    seqs = [seq for found in taken.values() for seq, _ in found]
    return "problem", words, {"faults": faults, **_ids(taken), **_seqs(seqs)}


def _given_up(look: _Look) -> Judged:
    lost = {
        n: one.last
        for n, one in look.courses.items()
        if one.last and one.last.what in {"failed", "expired"} and not one.spoiled
    }
    over = sum(_over(one) for one in look.courses.values())
    if not lost:
        return "ok", f"none of {_count(over, 'event', 'events')} that ended did so without being taken", {"ended": over}
    words = (
        f"{_events(lost)} given up without having been acknowledged: in the real service that is lost to the "
        "application, unless it asks for the task's result itself (DescribeTaskDetail)"
    )
    shown = [
        {"event": event_id(n), "entry": entry.seq, "ended": entry.what, **(entry.detail or {})}
        for n, entry in list(lost.items())[:SHOWN]
        if isinstance(entry.detail, dict) or entry.detail is None
    ]
    return "problem", words, {"ended": over, "shown": shown, **_ids(lost)}


_CHECKS: Final[Mapping[str, Callable[[_Look], Judged]]] = {
    "never_confirmed": _never,
    "confirmed_late": _late,
    "not_confirmed_yet": _open,
    "confirmed_twice": _twice,
    "unknown_handles": _strange,
    "polls_cut_short": _impatient,
    "callback_timeouts": _timeouts,
    "callbacks_slow": _slow,
    "callback_statuses": _statuses,
    "callbacks_unreached": _unreached,
    "duplicates": _duplicates,
    "callbacks_unchecked": _unchecked,
    "unacknowledged": _given_up,
}
"""Every trait by its code, in the order of the report."""

CODES: Final = tuple(_CHECKS)


# --- words and evidence


def _ids(numbers: Iterable[int]) -> dict[str, Any]:
    distinct = list(dict.fromkeys(numbers))
    return {"events": [event_id(number) for number in distinct[:SHOWN]], "events_count": len(distinct)}


def _seqs(seqs: Iterable[int]) -> dict[str, Any]:
    """Where in the journal it stands."""
    return {"entries": sorted(seqs)[:SHOWN]}


def _handles(refused: Sequence[_Refused]) -> list[str]:
    return [one.handle for one in refused[:SHOWN]]


def _numbers(refused: Sequence[_Refused]) -> list[int]:
    return [one.event for one in refused if one.event is not None]


def _events(numbers: Collection[int]) -> str:
    return _count(numbers, "event was", "events were")


def _count(things: int | Sized, one: str, several: str) -> str:
    count = things if isinstance(things, int) else len(things)
    return f"{count} {one if count == 1 else several}"

"""A report on the consumer: how it pulls, confirms, responds and handles duplicates."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mockvod.engine.attempt import Attempt
from mockvod.engine.clock import LoopShare
from mockvod.engine.events import TERMINAL, event_id
from mockvod.insight.evidence import SHOWN, Evidence, Finding, RefusedHandle, Severity, ids, timed_out
from mockvod.insight.plural import count
from mockvod.service.application import Application
from mockvod.service.world import Account

NEARLY_LATE: Final = 0.8
"""The share of the callback timeout from which a response counts as slow."""


@dataclass(frozen=True, slots=True)
class Report:
    """A finding for every trait, the good ones included."""

    findings: Sequence[Finding]
    since: int
    """The oldest journal entry that was read."""
    complete: bool
    """Whether that is the beginning of the account's life."""


async def report(account: Account, applications: Sequence[Application]) -> Report:
    """How the consumer of *applications*, which belong to *account*, handled its events."""
    evidence, share = await Evidence.read(account, applications), LoopShare()
    findings: list[Finding] = []
    for code, check in _CHECKS.items():
        findings.append(Finding(code, *check(evidence)))
        await share.turn()
    return Report(findings, evidence.since, evidence.complete)


# --- the checks, each of one trait

Judgement = tuple[Severity, str, Mapping[str, Any]]


def _late(seen: Evidence) -> Judgement:
    pulled = seen.pulled()
    late = {n: one for n, one in pulled.items() if one.unconfirmed and one.confirmed}
    stale = seen.refused_when("lease_ended")
    limit = seen.settings.visibility_timeout
    confirmed = sum(one.confirmed for one in pulled.values())
    numbers = {*late, *_events_of(stale)}
    if not numbers:
        return "ok", f"all {confirmed} confirmed events were confirmed within {limit:g} s", {"confirmed": confirmed}
    message = (
        f"{_were(numbers)} confirmed too late, after the lease of {limit:g} s: such a confirm is refused and the event "
        "is delivered again. Confirm as soon as the event is stored, and process it afterwards"
    )
    seqs = [*(seq for one in late.values() for seq in one.unconfirmed), *(one.seq for one in stale)]
    return (
        "warning",
        message,
        {"confirmed": confirmed, "stale_handles": _handles(stale), **ids(numbers), **_entries(seqs)},
    )


def _never(seen: Evidence) -> Judgement:
    pulled = seen.pulled()
    never = {n: one for n, one in pulled.items() if one.unconfirmed and not one.confirmed}
    if not never:
        return "ok", "every lease that ended was followed by a confirm", {"pulled": len(pulled)}
    leases = sum(len(one.leases) for one in never.values())
    message = (
        f"{_were(never)} pulled ({count(leases, 'time', 'times')} in total) and never confirmed, so they are delivered "
        "again until they expire. Confirm events that cannot be processed too, and set them aside"
    )
    seqs = [seq for one in never.values() for seq in one.unconfirmed]
    return "problem", message, {"pulled": len(pulled), **ids(never), **_entries(seqs)}


def _open(seen: Evidence) -> Judgement:
    held = {n: one for n, one in seen.pulled().items() if one.last and one.last.what == "leased"}
    leased = [n for n, one in held.items() if not one.unconfirmed]
    if not leased:
        return "ok", "no pulled event is unconfirmed", {}
    message = (
        f"{_were(leased)} pulled and not confirmed yet. Advance the clock by {seen.settings.visibility_timeout:g} s to "
        "see whether the confirm is in time"
    )
    return "notice", message, ids(leased)


def _twice(seen: Evidence) -> Judgement:
    again = seen.refused_when("confirmed")
    if not again:
        return "ok", "no handle was confirmed twice", {}
    message = (
        f"{count(again, 'handle was', 'handles were')} confirmed again after a successful confirm: harmless during the "
        "lease, an error afterwards. Repeat a confirm only if it got no response"
    )
    return (
        "notice",
        message,
        {"handles": _handles(again), **ids(_events_of(again)), **_entries(one.seq for one in again)},
    )


def _unknown(seen: Evidence) -> Judgement:
    """Handles that no pull of this application returned."""
    unknown, foreign = seen.refused_when(""), seen.refused_when("leased")
    if not unknown and not foreign:
        return "ok", "every confirmed handle came from a pull", {}
    facts = {
        "handles": _handles(unknown),
        "of_another_application": _handles(foreign),
        **ids(_events_of(foreign)),
        **_entries(one.seq for one in (*unknown, *foreign)),
    }
    if not unknown:
        message = (
            f"{count(foreign, 'handle was', 'handles were')} confirmed in another application than the one that it was "
            "pulled from: confirm with the SubAppId of the pull"
        )
        return "problem", message, facts
    forgotten = "" if seen.complete else " (or from one that the journal no longer has)"
    message = (
        f"{count(unknown, 'confirmed handle', 'confirmed handles')} did not come from a pull{forgotten}: send "
        "EventHandle unchanged. It is a text of digits; a floating-point number would round it"
    )
    return ("problem" if seen.complete else "warning"), message, facts


def _impatient(seen: Evidence) -> Judgement:
    hold = seen.settings.poll_hold
    everyone = [one for application in seen.applications for one in application.pulls.pullers()]
    pullers = [one for one in everyone if one.retried]
    polls = sum(one.pulls for one in everyone)
    if not pullers:
        return "ok", f"no client closed a poll before its {hold:g} s", {"polls": polls}
    cut = sum(one.retried for one in pullers)
    message = (
        f"{count(cut, 'poll', 'polls')} of {polls} closed by the client before the {hold:g} s for which PullEvents may "
        f"block, after at most {max(one.patience for one in pullers):.3g} s: set the read timeout of the HTTP client "
        f"to {hold + 5:g} s or more"
    )
    clients = [
        {**one.caller._asdict(), "polls": one.pulls, "given_up": one.retried, "patience": round(one.patience, 3)}
        for one in pullers[:SHOWN]
    ]
    return ("warning" if cut > 1 else "notice"), message, {"polls": polls, "given_up": cut, "clients": clients}


def _timeouts(seen: Evidence) -> Judgement:
    limit = seen.settings.callback_timeout
    good = f"every callback got a response within {limit:g} s"
    bad = f"got no response within {limit:g} s, so they are retried: respond with 200 first, and process afterwards"
    return _attempts(seen, timed_out, "problem", good, bad)


def _slow(seen: Evidence) -> Judgement:
    limit, late = seen.settings.callback_timeout, NEARLY_LATE * seen.settings.callback_timeout
    good = f"every response came within {late:g} of the {limit:g} s"
    bad = f"got a response only after {late:g} of the {limit:g} s: a little more load makes them time out"
    return _attempts(seen, lambda one: one.error is None and one.duration >= late, "warning", good, bad)


def _statuses(seen: Evidence) -> Judgement:
    good = "every response to a callback was 2xx"
    bad = (
        "got a status outside 2xx, so they count as not received, and by default they are not retried: respond with "
        "200 to everything that was stored"
    )
    return _attempts(seen, lambda one: one.error is None and not one.succeeded, "problem", good, bad)


def _unreached(seen: Evidence) -> Judgement:
    good = "every callback reached the application"
    bad = "got no HTTP response: GET /mockvod/v1/diagnosis says why"
    return _attempts(seen, lambda one: one.error is not None and not timed_out(one), "problem", good, bad)


def _attempts(seen: Evidence, bad: Callable[[Attempt], bool], severity: Severity, good: str, message: str) -> Judgement:
    attempts = [one for one in seen.attempts if not one.masked]
    found = [one for one in attempts if bad(one.attempt)]
    if not found:
        return "ok", good, {"attempts": len(attempts)}
    shown = [
        {"event": event_id(number), "entry": seq, "outcome": attempt.outcome, "duration": attempt.duration}
        for number, seq, attempt in [(one.event, one.entry.seq, one.attempt) for one in found[:SHOWN]]
    ]
    facts = {"attempts": len(attempts), "count": len(found), "shown": shown, **ids(one.event for one in found)}
    return severity, f"{count(found, 'callback', 'callbacks')} of {len(attempts)} {message}", facts


def _duplicates(seen: Evidence) -> Judgement:
    repeated = sum(one.repeated for one in seen.events.values())
    other = {n: one for n, one in seen.events.items() if one.rejected}
    if not other:
        repetitions = count(repeated, "duplicate was", "duplicates were")
        good = f"{repetitions} acknowledged like the first" if repeated else "no event was sent twice"
        return "ok", good, {"repetitions": repeated}
    number, one = next(iter(other.items()))
    timeout = one.content.taken == "timeout"
    first = "timed out and may have been stored" if timeout else f"was acknowledged ({one.content.taken})"
    message = (
        f"{_were(other)} sent again and not acknowledged like the first time, such as {event_id(number)}: it {first}, "
        f"then {one.rejected[0][1]}. Events may be delivered more than once: acknowledge one that you already have"
    )
    shown = [
        {
            "event": event_id(n),
            "first": one.content.taken,
            "then": [outcome for _, outcome in one.rejected[:SHOWN]],
        }
        for n, one in list(other.items())[:SHOWN]
    ]
    seqs = [seq for one in other.values() for seq, _ in one.rejected]
    return "problem", message, {"repetitions": repeated, "shown": shown, **ids(other), **_entries(seqs)}


def _unchecked(seen: Evidence) -> Judgement:
    taken = {n: one.unchecked for n, one in seen.events.items() if one.unchecked}
    if not taken:
        return "ok", "no forged or broken callback was acknowledged", {}
    faults = sorted({fault for found in taken.values() for _, fault in found})
    message = (
        f"{_were(taken)} acknowledged although a fault ({', '.join(faults)}) had made the callback invalid: check "
        "Sign, T and the body first, and respond with 4xx if they are wrong"
    )
    seqs = [seq for found in taken.values() for seq, _ in found]
    return "problem", message, {"faults": faults, **ids(taken), **_entries(seqs)}


def _given_up(seen: Evidence) -> Judgement:
    lost = {
        n: one.last
        for n, one in seen.events.items()
        if one.last and one.last.what in {"failed", "expired"} and not one.masked
    }
    ended = sum(one.last is not None and one.last.what in TERMINAL for one in seen.events.values())
    if not lost:
        return "ok", f"all of {count(ended, 'event', 'events')} that ended were acknowledged", {"ended": ended}
    message = (
        f"{_were(lost)} given up without being acknowledged: with the real service the application would never get "
        "them, unless it asks for the task's result itself (DescribeTaskDetail)"
    )
    shown = [
        {"event": event_id(n), "entry": entry.seq, "ended": entry.what, **(entry.detail or {})}
        for n, entry in list(lost.items())[:SHOWN]
        if isinstance(entry.detail, dict) or entry.detail is None
    ]
    return "problem", message, {"ended": ended, "shown": shown, **ids(lost)}


_CHECKS: Final[Mapping[str, Callable[[Evidence], Judgement]]] = {
    "never_confirmed": _never,
    "confirmed_late": _late,
    "not_confirmed_yet": _open,
    "confirmed_twice": _twice,
    "unknown_handles": _unknown,
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


# --- evidence and messages


def _entries(seqs: Iterable[int]) -> dict[str, Any]:
    """Journal entries that show it."""
    return {"entries": sorted(seqs)[:SHOWN]}


def _handles(refused: Sequence[RefusedHandle]) -> list[str]:
    return [one.handle for one in refused[:SHOWN]]


def _events_of(refused: Iterable[RefusedHandle]) -> list[int]:
    return [one.event for one in refused if one.event is not None]


def _were(numbers: Collection[int]) -> str:
    return count(numbers, "event was", "events were")

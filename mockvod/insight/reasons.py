"""Why a wait for events has not succeeded, in words."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from mockvod.engine.attempt import Attempt
from mockvod.engine.events import Event, State
from mockvod.engine.waiting import Pattern, Wait
from mockvod.service.world import Account

PUSHED: Final[frozenset[State]] = frozenset({"delivering", "delivered"})
PULLED: Final[frozenset[State]] = frozenset({"queued", "leased", "confirmed"})


def reasons(account: Account, wait: Wait, candidates: Sequence[Event]) -> Iterator[str]:
    """Why not enough events have come into one of the states, the likeliest reason first."""
    if candidates:
        yield _what_keeps(account, candidates[0], wait)
    elif wait.found:
        yield "there was no other event that fits"
    else:
        yield from _nothing_there(account, wait.pattern)


def _what_keeps(account: Account, event: Event, wait: Wait) -> str:
    """What keeps *event* from coming into one of the states."""
    application = account.application(event.sub_app_id)
    states, mode = wait.states, application.mode
    frozen = account.clock.rate == 0
    if event.state in states:
        return f"{event.id} was {event.state} before entry {wait.since} of the journal already"
    if event.state == "failed":
        return f"{event.id} failed: {_last_reason(event)}"
    if event.state == "scheduled":
        return f"{event.id} is scheduled for a later moment of the clock{', which is frozen' if frozen else ''}"
    if event.state == "delivering":
        stopped = "; no time-out or retry comes from a frozen clock" if frozen else ""
        return f"{event.id} is being delivered, {_attempts(event)}{stopped}"
    if mode == "PULL" and PUSHED & states:
        return f"the mode of {application.name} is PULL: give it a callback URL or mode PUSH to have events pushed"
    if mode == "PUSH" and PULLED & states:
        return f"the mode of {application.name} is PUSH: its events are pushed, and PullEvents finds none"
    if event.state == "queued":
        return f"{event.id} lies in the queue of {application.name}; {_who_pulled(event)}"
    if event.state == "leased":
        stopped = "; the clock is frozen, so its lease does not end" if frozen else ""
        return f"{event.id} was pulled but not confirmed{stopped}"
    return f"{event.id} is {event.state}"


def _nothing_there(account: Account, pattern: Pattern) -> Iterator[str]:
    if sum(account.events.counts.values()):
        yield f"no event of {account.name} fits {pattern.description()}"
        if account.events.evicted:
            yield f"{account.events.evicted} of its events were over and are forgotten (history-events, history-bytes)"
    else:
        yield f"{account.name} has had no event since it was made or reset"
    anywhere = replace(pattern, any_application=True)
    if not pattern.any_application:
        here = {account.application(event.sub_app_id).name for event in account.events if anywhere.fits(event)}
        if here:
            yield f"events that fit are in {_some(sorted(here))}: is the call meant for it (sub_app_id)?"
    others = [
        one.name for one in account.world.accounts() if one is not account and any(map(anywhere.fits, one.events))
    ]
    if others:
        yield f"events that fit are in {_some(others)}: is the call meant for another account (secret_id)?"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _attempts(event: Event) -> str:
    attempts = [entry.detail for entry in event.timeline() if isinstance(entry.detail, Attempt)]
    if not attempts:
        return "no attempt has ended"
    failed = "1 attempt" if len(attempts) == 1 else f"{len(attempts)} attempts"
    return f"{failed} failed so far, the last with {attempts[-1].outcome}"


def _last_reason(event: Event) -> str:
    detail = event.last.detail if event.last else None
    return str(detail.get("reason", "")) if isinstance(detail, dict) else ""


def _who_pulled(event: Event) -> str:
    leases = sum(entry.what == "leased" for entry in event.timeline())
    if not leases:
        return "nobody has pulled it"
    return f"it was pulled {'once' if leases == 1 else f'{leases} times'} and came back unconfirmed"

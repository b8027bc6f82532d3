"""Why a wait for events has not succeeded. The reasons are about one account only: others belong to other tests."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from mockvod.engine.attempt import Attempt
from mockvod.engine.events import Event
from mockvod.engine.waiting import Pattern, Wait
from mockvod.insight.plural import count
from mockvod.service.life import Life


def reasons(life: Life, wait: Wait, candidates: Sequence[Event]) -> Iterator[str]:
    """Why not enough events have reached one of the states, the most likely reason first.

    *candidates* match the pattern of *wait* but have not reached a state.
    """
    if candidates:
        yield _obstacle(life, candidates[0], wait)
    elif wait.found:
        yield "no other event matches"
    else:
        yield from _no_match(life, wait.pattern)


def _obstacle(life: Life, event: Event, wait: Wait) -> str:
    """What keeps *event* from reaching one of the states."""
    application = life.application(event.sub_app_id)
    frozen = life.clock.rate == 0
    if event.state in wait.states:
        return f"{event.id} was already {event.state} before journal entry {wait.since}"
    if event.state == "failed":
        detail = event.last.detail if event.last else None
        return f"{event.id} failed: {detail.get('reason', '') if isinstance(detail, dict) else ''}"
    if event.state == "scheduled":
        return f"{event.id} is scheduled for a later time{', and the clock is frozen' if frozen else ''}"
    if event.state == "delivering":
        return f"{event.id} is being delivered, {_attempts(event)}{'; a frozen clock stops retries' if frozen else ''}"
    if application.mode == "PULL" and wait.states & {"delivering", "delivered"}:
        return f"{application.name} is in PULL mode: set callback-url or mode PUSH to have events pushed"
    if application.mode == "PUSH" and wait.states & {"queued", "leased", "confirmed"}:
        return f"{application.name} is in PUSH mode: its events are pushed, and PullEvents finds none"
    if event.state == "queued":
        leases = sum(entry.what == "leased" for entry in event.timeline())
        pulled = (
            f"it was pulled {count(leases, 'time', 'times')} and not confirmed" if leases else "no client pulled it"
        )
        return f"{event.id} is in the queue of {application.name}; {pulled}"
    if event.state == "leased":
        return f"{event.id} was pulled but not confirmed{'; a frozen clock stops its lease' if frozen else ''}"
    return f"{event.id} is {event.state}"


def _attempts(event: Event) -> str:
    attempts = [entry.detail for entry in event.timeline() if isinstance(entry.detail, Attempt)]
    if not attempts:
        return "no attempt has ended"
    return f"{count(attempts, 'attempt', 'attempts')} failed so far, the last with {attempts[-1].outcome}"


def _no_match(life: Life, pattern: Pattern) -> Iterator[str]:
    if not life.events.counts.total():
        yield f"no event has happened in {life.name} since it was made or reset"
        return
    yield f"no event of {life.name} matches {pattern.description()}"
    if evicted := life.events.evicted:
        yield f"{count(evicted, 'event was', 'events were')} evicted after the end (history-events, history-bytes)"
    if not pattern.any_application:
        anywhere = replace(pattern, any_application=True)
        names = sorted({life.application(event.sub_app_id).name for event in life.events if anywhere.matches(event)})
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            yield f"matching events are in {', '.join(names[:3])}{more}: pass its sub_app_id"

"""What must hold after the storm: each counter of the server equals a recount of its events and its journal."""

from collections import Counter
from collections.abc import Iterator

from mockvod.engine.events import STATE_AFTER, TERMINAL, Event, event_id
from mockvod.engine.journal import Journal
from mockvod.service.application import Application
from mockvod.service.world import Account


def recounted(account: Account) -> Iterator[str]:
    """Every counter of *account* that differs from a recount. Its journal must be complete."""
    name, events = account.name, account.life.events
    by_journal = _states(account.life.journal)
    if (counts := +Counter(events.counts)) != (entries := Counter(by_journal.values())):
        yield f"{name}: the counters say {dict(counts)}, the journal {dict(entries)}"
    for event in events:
        if event.state != by_journal.pop(event.number, None):
            yield f"{name}: {event.id} is {event.state}, which is not what the journal says"
    for number, state in by_journal.items():
        if state not in TERMINAL:
            yield f"{name}: {event_id(number)} is {state} by the journal, but is lost"
    pending = sum(len(event.body) for event in events if event.state not in TERMINAL)
    if events.pending_bytes != pending:
        yield f"{name}: pending_bytes is {events.pending_bytes}, its events have {pending}"
    queues = [application.queue for application in account.life.applications()]
    queued, leased = sum(queue.visible for queue in queues), sum(queue.leased for queue in queues)
    if (queued, leased) != (events.counts["queued"], events.counts["leased"]):
        yield f"{name}: its queues have {queued} visible and {leased} leased events, the counters say {dict(counts)}"


def _states(journal: Journal) -> dict[int, str]:
    """The state of every event that the journal's entries lead to."""
    states: dict[int, str] = {}
    for entry in journal.since(0):
        if entry.event is not None:
            states[entry.event] = STATE_AFTER.get(entry.what, states.get(entry.event, "scheduled"))
    return states


def unfinished(account: Account) -> Iterator[str]:
    """What has not ended although everything was pulled, confirmed or given up."""
    for event in account.life.events:
        if event.state not in TERMINAL:
            yield f"{account.name}: {event.id} is {event.state} after {_what(event)}"
    for one in account.life.applications():
        if one.deliveries.under_way or one.queue.waiting or one.tasks.active:
            yield (
                f"{account.name}, {one.name}: {one.deliveries.under_way} deliveries, {one.queue.waiting} polls and "
                f"{one.tasks.active} tasks are under way"
            )
    if account.life.clock._busy or account.life.clock._calls:  # noqa: SLF001 - no request shows it
        yield f"{account.name}: its clock still waits for work"


def _what(event: Event) -> str:
    return ", ".join(entry.what for entry in event.timeline()[-4:])


def lost(application: Application, promised: set[int]) -> Iterator[str]:
    """Events whose emission was acknowledged, and which nobody discarded, but that the server does not know."""
    for number in promised:
        if application.life.events.find(number) is None:
            yield f"{application.life.name}, {application.name}: {event_id(number)} is lost"

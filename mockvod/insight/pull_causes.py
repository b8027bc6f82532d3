"""Why pulled events do not arrive: the causes on the side of PullEvents and ConfirmEvents."""

from collections.abc import Iterator
from typing import Any, Final

from mockvod.insight.callbacks import is_loopback
from mockvod.insight.evidence import Finding, ids
from mockvod.insight.plural import count
from mockvod.insight.view import SHOWN, Place, View, callers, of
from mockvod.redaction import redacted

SOON: Final = 3600.0
"""Seconds: what a frozen clock keeps from happening later than that, such as the end of retention, is not reported."""


TIMERS: Final = 100
"""Most timers that are counted."""


def pulled_in_push_mode(view: View) -> Iterator[Finding]:
    for application in view.applications:
        pullers = [one for one in view.pullers(application) if one.in_push_mode]
        if application.mode == "PUSH" and not view.account.life.settings.pull_in_push_mode and pullers:
            url = redacted(application.settings.callback_url)
            message = (
                f"{application.name} is in PUSH mode, so its events {f'are pushed to {url}' if url else 'fail'} and "
                f"PullEvents finds none, but {pullers[0].caller} polls it: set mode to PULL, or stop polling"
            )
            shown = callers(pullers, "in_push_mode")
            yield of(application, "pulled_in_push_mode", "problem", message, mode="PUSH", callback_url=url, **shown)


def elsewhere(view: View) -> Iterator[Finding]:
    """A client polls one application while the events wait in another."""
    for polled, holder in view.misdirected_polls:
        pullers = [one for one in view.pullers(polled.application) if one.empty]
        caller, waiting = pullers[0].caller, holder.application.queue.visible
        owner = holder.account.secret_id
        if polled.account is holder.account:
            number = holder.application.sub_app_id
            code, advice = "other_application", f"pull {f'with SubAppId {number}' if number else 'without a SubAppId'}"
        elif polled.account.identity.declared:
            code = "other_account"
            advice = "emit into the account that is polled, or pull with any undeclared SecretId"
        elif caller.secret_id:
            code = "other_account"
            advice = f"{caller.secret_id} is not declared, so it means the default account: sign with {owner}"
        else:
            code, advice = "unsigned", f"sign with the SecretId {owner}"
        message = (
            f"{caller} polls {_whose(polled)}, which has no event, while "
            f"{count(waiting, 'event waits', 'events wait')} in {_whose(holder)}: {advice}"
        )
        evidence = {"polled": _place(polled), "events_in": {**_place(holder), "queued": waiting}}
        yield Finding(code, "problem", message, {**evidence, **callers(pullers, "empty")})


def never_confirmed(view: View) -> Iterator[Finding]:
    limit = view.account.life.settings.visibility_timeout
    confirmed_late = {one.event for one in view.evidence.refused_when("lease_ended")}
    for application in view.applications:
        found = {n: one for n, one in view.events(application, "queued", "leased", "expired").items() if one.lapsed}
        if not found:
            continue
        leases = [seq for one in found.values() for seq in one.lapsed]
        by = [str(one) for one in application.pulls.by(leases)]
        pulled = (
            f"{count(found, 'event was', 'events were')} pulled from {application.name}{f' by {by[0]}' if by else ''}"
        )
        if confirmed_late.intersection(found):
            code = "confirmed_late"
            message = (
                f"{pulled} and confirmed only after the lease of {limit:g} s had ended. Such a confirm is refused, and "
                "the event is delivered again: confirm as soon as it is stored, and process it afterwards"
            )
        else:
            code = "never_confirmed"
            message = (
                f"{pulled} and not confirmed within {limit:g} s: the client that pulls must call ConfirmEvents with "
                "the handles of that pull. If it is another program than the one you test, its pulls hide the events"
            )
        facts = {"leases_ended": len(leases), "by": by[:SHOWN], **ids(found)}
        yield of(application, code, "problem", message, **facts)


def not_confirmed_yet(view: View) -> Iterator[Finding]:
    for application in view.applications:
        leased = {n: one for n, one in view.events(application, "leased").items() if not one.lapsed}
        if leased:
            by = application.pulls.by([seq for one in leased.values() for seq in one.leases])
            message = (
                f"{count(leased, 'event was', 'events were')} pulled from {application.name}"
                f"{f' by {by[0]}' if by else ''} and not confirmed yet: the client that pulls must call ConfirmEvents "
                f"within {view.account.life.settings.visibility_timeout:g} s, else they are delivered again"
            )
            yield of(application, "not_confirmed_yet", "notice", message, **ids(leased))


def frozen_clock(view: View) -> Iterator[Finding]:
    clock = view.clock
    if clock.rate != 0:
        return
    for application in view.applications:
        if blocked := [one for one in view.pullers(application) if one.blocked]:
            message = (
                f"PullEvents of {application.name} blocked {blocked[0].caller}, because the clock is frozen: it "
                "returns when an event arrives or the clock moves. Advance or release the clock (mockvod clock release)"
            )
            yield of(application, "poll_blocked", "problem", message, **callers(blocked, "blocked"))
    due = [one for one in clock.waiting(TIMERS) if one.when - clock.now() <= SOON]
    if due:
        within = due[0].when - clock.now()
        message = (
            f"the clock of {view.account.name} is frozen, and {count(due, 'timer waits', 'timers wait')} for it. The "
            f"first, {due[0].what}, is due in {within:g} s: advance the clock, or release it (mockvod clock release)"
        )
        shown = [{"what": one.what, "within": round(one.when - clock.now(), 6)} for one in due[:SHOWN]]
        yield Finding("frozen_clock", "warning", message, {"waiting": shown, "count": len(due)})


def polls_cut_short(view: View) -> Iterator[Finding]:
    hold = view.account.life.settings.poll_hold
    for application in view.applications:
        if pullers := [one for one in view.pullers(application) if one.retried]:
            one = pullers[0]
            message = (
                f"{one.caller} closes the connection after at most {one.patience:.3g} s, but PullEvents of "
                f"{application.name} blocks for up to {hold:g} s: set the read timeout of its HTTP client to "
                f"{hold + 5:g} s"
            )
            facts = {"hold": hold, "patience": round(one.patience, 3), **callers(pullers, "retried")}
            yield of(application, "polls_cut_short", "warning", message, **facts)


def nobody_pulls(view: View) -> Iterator[Finding]:
    host = view.world.settings.host
    held = [holder.application for _, holder in view.misdirected_polls]
    for application in view.applications:
        waiting = application.queue.visible
        pulled = application.mode == "PULL" and not application.settings.callback_url
        if pulled and waiting and application not in held and not view.pullers(application):
            hint = " (localhost may mean another address)" if is_loopback(host) else ""
            message = (
                f"{count(waiting, 'event waits', 'events wait')} in the queue of {application.name} of "
                f"{view.account.name}, and no client has called PullEvents: point the application's endpoint at "
                f"{view.world.url.partition('://')[2] or 'mockvod'}{hint}. To have events pushed instead, set "
                "callback-url (mockvod serve --callback-url)"
            )
            yield of(application, "nobody_pulls", "problem", message, mode="PULL", queued=waiting, host=host)


def expired(view: View) -> Iterator[Finding]:
    for application in view.applications:
        if expired := view.events(application, "expired"):
            message = (
                f"{count(expired, 'event', 'events')} of {application.name} expired: not confirmed within "
                f"{view.account.life.settings.retention:g} s (retention). Was the clock advanced that far?"
            )
            yield of(application, "expired", "warning", message, **ids(expired))


def _whose(place: Place) -> str:
    return f"{place.application.name} of {place.account.name}"


def _place(place: Place) -> dict[str, Any]:
    return {"secret_id": place.account.secret_id, "sub_app_id": place.application.sub_app_id}

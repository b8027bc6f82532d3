"""Explains why events do not arrive: findings about one account and its current life, the most likely cause first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

from yarl import URL

from mockvod.engine.clock import LoopShare
from mockvod.engine.consumers import Refusal
from mockvod.insight import pull_causes
from mockvod.insight.callbacks import Surroundings, explain, is_loopback
from mockvod.insight.evidence import Evidence, Finding, Tried, ids
from mockvod.insight.plural import count
from mockvod.insight.view import SHOWN, View, of
from mockvod.redaction import redacted
from mockvod.service.application import Application
from mockvod.service.world import Account

MOST_FINDINGS: Final = 100

_REDELIVER: Final = ". A later attempt succeeded: POST /mockvod/v1/events/{id}/redeliver sends an event again"


async def diagnose(
    account: Account, applications: Sequence[Application], surroundings: Surroundings | None = None
) -> list[Finding]:
    """What may keep events of *applications*, which belong to *account*, from arriving: at most MOST_FINDINGS."""
    view, share = View(await Evidence.read(account, applications), surroundings or Surroundings()), LoopShare()
    findings: list[Finding] = []
    for check in _CHECKS:
        findings += islice(check(view), MOST_FINDINGS - len(findings))
        await share.turn()
    return findings


async def refused_urls(account: Account) -> list[str]:
    """Callback URLs on the loopback interface whose last attempt did not get a connection."""
    evidence = await Evidence.read(account, account.life.applications())
    last = {tried.attempt.url: tried.attempt for tried in evidence.attempts}
    return [
        url
        for url, attempt in last.items()
        if is_loopback(URL(url).host) and attempt.outcome.startswith("cannot connect")
    ]


# --- the checks, each of one cause


def _error(view: View) -> Iterator[Finding]:
    if errors := view.evidence.errors:
        last = errors[-1].detail
        message = (
            f"{count(errors, 'unhandled exception', 'unhandled exceptions')} in mockvod, the last in a timer "
            f"({last['timer']}): {last['error']}. This is a bug in mockvod; its log has the traceback"
        )
        shown = [{"entry": entry.seq, **entry.detail} for entry in errors[-SHOWN:]]
        yield Finding("unhandled_exception", "problem", message, {"errors": shown, "count": len(errors)})


def _fault(view: View) -> Iterator[Finding]:
    faults = [{"id": one.id, "fault": one.fault.name, "fired": one.fired} for one in view.account.life.faults]
    if faults:
        message = (
            f"{count(faults, 'active fault', 'active faults')} in {view.account.name} may be the cause. "
            "DELETE /mockvod/v1/faults or a reset removes them"
        )
        yield Finding("fault_active", "warning", message, {"faults": faults[:SHOWN], "count": len(faults)})


def _no_callback_url(view: View) -> Iterator[Finding]:
    for application in view.applications:
        if application.mode == "PUSH" and not application.settings.callback_url:
            message = (
                f"{application.name} is in PUSH mode without a callback URL, so its events fail at once: set "
                "callback-url, or set mode to PULL if the application pulls"
            )
            lost = ids(view.events(application, "failed"))
            yield of(application, "no_callback_url", "problem", message, mode="PUSH", callback_url="", **lost)


def _https(view: View) -> Iterator[Finding]:
    rows = view.refusals("tls")
    if rows and not any(view.pullers(application) for application in view.applications):
        message = (
            f"a client at {rows[0].caller.address} speaks https to the http port: set the protocol of its SDK to http, "
            "or serve https with --tls"
        )
        yield Finding("https_on_http_port", "problem", message, _refused(rows))


def _refused_signature(view: View) -> Iterator[Finding]:
    if rows := view.refusals("signature"):
        one = rows[0]
        message = f"{_times(rows)} refused because of the signature. The last one, by {one.caller}: {one.message}"
        yield Finding("refused_signature", "problem", message, _refused(rows))


def _refused_calls(view: View) -> Iterator[Finding]:
    if rows := view.refusals("not_simulated"):
        actions = ", ".join(dict.fromkeys(one.action for one in rows[:SHOWN]))
        message = f"{_times(rows)} refused because mockvod does not simulate the action: {actions}"
        yield Finding("not_simulated", "warning", message, _refused(rows))
    if rows := view.refusals("call"):
        one = rows[0]
        message = (
            f"{_times(rows)} refused. The last one, {one.action or 'without an action'}: {one.code}: {one.message}"
        )
        yield Finding("refused_calls", "warning", message, _refused(rows))


def _url_in_pull_mode(view: View) -> Iterator[Finding]:
    for application in view.applications:
        url = redacted(application.settings.callback_url)
        if application.mode == "PULL" and url and not any(one.pulls > one.empty for one in view.pullers(application)):
            message = (
                f"{application.name} has the callback URL {url} but its mode is PULL, so events wait in the queue for "
                "PullEvents: set mode to PUSH to have them pushed"
            )
            facts = {"mode": "PULL", "callback_url": url, "queued": application.queue.visible}
            yield of(application, "url_in_pull_mode", "warning", message, **facts)


def _attempts(view: View) -> Iterator[Finding]:
    targets: dict[tuple[int | None, str], list[Tried]] = {}
    for tried in view.evidence.attempts:
        targets.setdefault((tried.entry.sub_app_id, tried.attempt.url), []).append(tried)
    for (sub_app_id, url), attempts in targets.items():
        failed = [tried for tried in attempts if not tried.attempt.succeeded]
        recovered = attempts[-1].attempt.succeeded
        if not failed or (recovered and all(view.state(one.event) == "delivered" for one in failed)):
            continue
        last = failed[-1].attempt
        facts = {"url": url, "attempts": len(attempts), "attempts_failed": len(failed), "last": last.as_json()}
        was_reached = any(not tried.attempt.outcome.startswith("cannot connect") for tried in attempts)
        for code, message in explain(url, last, view.surroundings, was_reached=was_reached):
            evidence = {"sub_app_id": sub_app_id, **facts, **ids(one.event for one in failed)}
            yield Finding(code, "problem", message + (_REDELIVER if recovered else ""), evidence)


def _scheduled(view: View) -> Iterator[Finding]:
    for application in view.applications:
        due = {n: one.due for n, one in view.events(application, "scheduled").items() if one.due}
        if due and view.clock.rate != 0:
            within = min(due.values()) - view.clock.epoch()
            message = (
                f"{count(due, 'event', 'events')} of {application.name} will happen later, the first in {within:.3g} s "
                f"on the clock: wait, or advance the clock (mockvod clock advance {within:.3g}s)"
            )
            yield of(application, "scheduled", "notice", message, within=round(within, 3), **ids(due))


def _nothing_happened(view: View) -> Iterator[Finding]:
    if view.evidence.events:
        return
    account, reset = view.account, view.evidence.reset
    discarded = count(reset.get("events", 0), "event", "events")
    since = f"since its reset, which discarded {discarded}" if reset else "so far"
    others = [one for one in view.world.accounts() if account is view.world.default and one is not account]
    names = [one.name for one in others if one.life.events.counts.total()][:3]
    advice = (
        f"events happened in {', '.join(names)}: pass its secret_id"
        if names
        else "emit one (mockvod emit), or start a job"
    )
    message = f"no event has happened in {account.name} {since}: {advice}"
    yield Finding("nothing_happened", "notice", message, {"reset": reset, "accounts_with_events": names})


_CHECKS: Final[tuple[Callable[[View], Iterator[Finding]], ...]] = (
    _error,
    _fault,
    _no_callback_url,
    _https,
    _refused_signature,
    pull_causes.pulled_in_push_mode,
    _url_in_pull_mode,
    _attempts,
    pull_causes.elsewhere,
    pull_causes.never_confirmed,
    pull_causes.frozen_clock,
    pull_causes.polls_cut_short,
    pull_causes.nobody_pulls,
    pull_causes.expired,
    _refused_calls,
    _scheduled,
    pull_causes.not_confirmed_yet,
    _nothing_happened,
)


def _times(rows: Sequence[Refusal]) -> str:
    return count(sum(one.count for one in rows), "call was", "calls were")


def _refused(rows: Sequence[Refusal]) -> Mapping[str, Any]:
    shown = [
        {**one.caller._asdict(), "action": one.action, "code": one.code, "message": one.message, "count": one.count}
        for one in rows[:SHOWN]
    ]
    return {"calls": shown, "count": sum(one.count for one in rows)}

"""Why did nothing arrive? What an account, its journal and its pollers say about it, the likeliest cause first."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from yarl import URL

from mockvod.engine.attempt import Attempt
from mockvod.engine.consumers import Puller
from mockvod.engine.events import event_id
from mockvod.engine.journal import Entry
from mockvod.service.application import Application
from mockvod.service.world import Account

SHOWN: Final = 5
"""Most events, callers and so on that one finding names; it counts the others."""

SOON: Final = 3600.0
"""Seconds within which something is due that a frozen clock keeps from happening; retention, of days, is not meant."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One cause: a name for programs, words for people (what is so, and what to do), and what shows it."""

    code: str
    words: str
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is to be known beside the account: of the machine that the server runs on."""

    in_container: bool = False
    listening: Mapping[str, str] = field(default_factory=dict)
    """Callback URLs that refuse connections: the loopback address that accepts them at the same port."""


def in_container(root: Path = Path("/")) -> bool:
    """Whether this process runs in a container, as the file system under *root* tells."""
    marks = (".dockerenv", "run/.containerenv", "var/run/secrets/kubernetes.io")
    if any((root / mark).exists() for mark in marks):
        return True
    try:
        groups = (root / "proc/1/cgroup").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return any(word in groups for word in ("docker", "containerd", "kubepods", "libpod"))


def is_loopback(host: str | None) -> bool:
    return host is not None and (host in {"localhost", "::1"} or host.startswith("127."))


def diagnose(
    account: Account, applications: Sequence[Application], surroundings: Surroundings | None = None
) -> list[Finding]:
    """What may keep events of *applications*, which are of *account*, from arriving; empty when nothing is found."""
    look = _Look(account, applications, surroundings or Surroundings())
    return [finding for check in _CHECKS for finding in check(look)]


def refused_urls(account: Account) -> list[str]:
    """Callback URLs on the loopback whose latest attempt did not get a connection: those worth a second look."""
    look = _Look(account, account.applications(), Surroundings())
    return [
        url
        for story in look.stories.values()
        for url, target in story.targets.items()
        if is_loopback(URL(url).host) and target.last.outcome.startswith("cannot connect")
    ]


# --- what the journal tells


@dataclass(slots=True)
class _Target:
    """What became of the attempts to one callback URL."""

    last: Attempt
    attempts: int = 0
    failed: list[tuple[int, Attempt]] = field(default_factory=list)


@dataclass(slots=True)
class _Story:
    """What the journal knows of one application."""

    events: set[int] = field(default_factory=set)
    targets: dict[str, _Target] = field(default_factory=dict)
    came_back: dict[int, list[int]] = field(default_factory=dict)
    """Events whose lease ended: the entries of the pulls that leased them."""
    expired: list[int] = field(default_factory=list)
    scheduled: dict[int, float] = field(default_factory=dict)


class _Look:
    """An account looked at once: what its journal says of each application, and who polls where."""

    def __init__(self, account: Account, applications: Sequence[Application], surroundings: Surroundings) -> None:
        self.account = account
        self.applications = applications
        self.surroundings = surroundings
        self.stories: dict[int | None, _Story] = {one.sub_app_id: _Story() for one in applications}
        self.reset: Mapping[str, Any] = {}
        for entry in account.journal.since(0):
            if entry.what == "reset":
                self.reset = {"at": entry.at, **(entry.detail or {})}
            if entry.event is None or (story := self.stories.get(entry.sub_app_id)) is None:
                continue
            story.events.add(entry.event)
            if isinstance(entry.detail, Attempt):
                target = story.targets.setdefault(entry.detail.url, _Target(entry.detail))
                target.last = entry.detail
                target.attempts += 1
                if not entry.detail.succeeded:
                    target.failed.append((entry.event, entry.detail))
            elif entry.what == "lease_ended":
                story.came_back.setdefault(entry.event, []).append(_leased_at(entry))
            elif entry.what == "expired":
                story.expired.append(entry.event)
            elif entry.what == "scheduled" and isinstance(entry.detail, dict):
                story.scheduled[entry.event] = entry.detail["due"]

    def story(self, application: Application) -> _Story:
        return self.stories[application.sub_app_id]

    def state(self, number: int) -> str | None:
        event = self.account.events.find(number)
        return None if event is None else event.state

    def pairs(self) -> Iterator[tuple[Application, Application]]:
        """Applications that are polled in vain, each with one where events wait that nobody polls."""
        everywhere = list(self.account.world.applications())
        holders = [one for one in everywhere if one.queue.visible and one.mode == "PULL" and not one.pulls.pullers()]
        mine = set(map(id, self.applications))
        for asked in everywhere:
            if asked.queue.visible or not any(puller.empty for puller in asked.pulls.pullers()):
                continue
            for holder in holders:
                if holder is not asked and (id(asked) in mine or id(holder) in mine):
                    yield asked, holder


def _leased_at(entry: Entry) -> int:
    """The number of the entry of the pull whose lease has ended at *entry*; 0 where it is forgotten."""
    before = entry.before
    while before is not None and before.what != "leased":
        before = before.before
    return 0 if before is None else before.seq


# --- the checks, each of one cause


def _fault(look: _Look) -> Iterator[Finding]:
    faults = [{"id": one.id, "fault": one.fault.name, "fired": one.fired} for one in look.account.faults]
    if faults:
        words = (
            f"{_number(faults, 'fault is', 'faults are')} in force in {look.account.name} and may be the cause: "
            "DELETE /mockvod/v1/faults removes them, as a reset does"
        )
        yield Finding("fault_in_force", words, {"faults": faults[:SHOWN], "count": len(faults)})


def _no_callback_url(look: _Look) -> Iterator[Finding]:
    for application in look.applications:
        if application.mode == "PUSH" and not application.settings.callback_url:
            lost = [number for number in look.story(application).events if look.state(number) == "failed"]
            words = (
                f"{application.name} is in PUSH mode and has no callback URL, so its events fail at once: set "
                "callback-url, or mode PULL if the application pulls"
            )
            yield Finding("no_callback_url", words, _of(application, mode="PUSH", callback_url="", **_ids(lost)))


def _pulled_in_push_mode(look: _Look) -> Iterator[Finding]:
    for application in look.applications:
        if application.mode != "PUSH" or application.life.settings.pull_in_push_mode:
            continue
        pullers = [one for one in application.pulls.pullers() if one.in_push_mode]
        if pullers:
            where = application.settings.callback_url or "nowhere"
            words = (
                f"{application.name} is in PUSH mode, so its events are pushed to {where} and PullEvents finds none; "
                f"{pullers[0].caller} polls it all the same: set the mode to PULL, or stop polling"
            )
            shown = _callers(pullers, "in_push_mode")
            yield Finding("pulled_in_push_mode", words, _of(application, mode="PUSH", callback_url=where, **shown))


def _url_in_pull_mode(look: _Look) -> Iterator[Finding]:
    for application in look.applications:
        url = application.settings.callback_url
        if application.mode == "PULL" and url and not any(one.pulls > one.empty for one in application.pulls.pullers()):
            words = (
                f"{application.name} has the callback URL {url}, but its mode is PULL: nothing is pushed, events wait "
                "in the queue for PullEvents. Set the mode to PUSH to have them pushed"
            )
            yield Finding(
                "url_in_pull_mode",
                words,
                _of(application, mode="PULL", callback_url=url, queued=application.queue.visible),
            )


def _attempts(look: _Look) -> Iterator[Finding]:
    for application in look.applications:
        for url, target in look.story(application).targets.items():
            still = [number for number, _ in target.failed if look.state(number) in {"failed", "delivering"}]
            if not target.failed or (target.last.succeeded and not still):
                continue
            last = target.failed[-1][1]
            code, words = _trouble(url, last, look.surroundings)
            if target.last.succeeded:
                words += ". A later attempt succeeded: POST /mockvod/v1/events/{id}/redeliver sends an event once more"
            evidence = {
                "url": url,
                "attempts": target.attempts,
                "attempts_failed": len(target.failed),
                "last": last.as_json(),
                **_ids([number for number, _ in target.failed]),
            }
            yield Finding(code, words, _of(application, **evidence))


def _trouble(url: str, attempt: Attempt, surroundings: Surroundings) -> tuple[str, str]:
    """The class of a failed attempt, and what to do about it."""
    kind = attempt.outcome.partition(":")[0]
    host, port = URL(url).host, URL(url).port
    if kind == "cannot connect":
        return _refused(url, surroundings)
    if kind == "name not found":
        return "name_not_found", (
            f"the name {host} is not found from where mockvod runs: mend the callback URL {url}. In Compose it is the "
            "service's name and both must be in one network; host.docker.internal is Docker Desktop's, and needs "
            "extra_hosts (host-gateway) on Linux"
        )
    if kind == "TLS":
        return "tls", (
            f"{url} could be reached, but not by TLS: let it show a certificate for {host} of an authority that "
            "mockvod trusts (callback-ca names a PEM file), or use http://"
        )
    if kind == "timeout":
        return "callback_timeout", (
            f"{url} accepts the connection and gives no complete answer in time: answer first and work afterwards; "
            "a firewall that swallows packets looks the same"
        )
    if attempt.error is None:
        return "callback_status", _about_status(url, attempt)
    if kind not in {"connection closed", "connection reset", "broken response", "invalid HTTP response"}:
        return "attempt_failed", f"no attempt to {url} could be made: {attempt.error}"
    return "broken_answer", (
        f"at {host}:{port} somebody listens, but the answer is no HTTP answer ({attempt.error}): is it another "
        "service's port, or does the application crash while it answers? Its log should say"
    )


def _refused(url: str, surroundings: Surroundings) -> tuple[str, str]:
    host, port = URL(url).host, URL(url).port
    other = surroundings.listening.get(url)
    if other is not None:
        return "other_loopback", (
            f"{url} refuses connections, but somebody listens at {other} port {port}: 127.0.0.1 and ::1 are different "
            f"addresses, and localhost may mean either. Put {other} into the callback URL, or let the application "
            "listen on both"
        )
    if surroundings.in_container and is_loopback(host):
        return "localhost_in_container", (
            f"mockvod runs in a container, where {host} is the container itself and not your machine: in Compose put "
            "the application's service name into the callback URL, for an application on the host "
            "host.docker.internal, or run mockvod with --network host"
        )
    return "refused", (
        f"nobody accepts connections at {host} port {port}: start the application before events happen, and let it "
        "listen on this port and on an address that is reached from here (0.0.0.0 in a container, not 127.0.0.1)"
    )


def _about_status(url: str, attempt: Attempt) -> str:
    status = attempt.status or 0
    advice = "anything but 2xx counts as not received"
    if 300 <= status < 400:
        advice = "a redirect is not followed: put the address that it leads to into the callback URL"
    elif status in {401, 403}:
        advice = "events carry no credentials: let the callback address through, and check Sign instead (sign-key)"
    elif status in {404, 405}:
        advice = "check the path of the callback URL, and that it takes POST"
    elif status >= 500:
        advice = "the application failed: its log should say why"
    return f"{url} answered with status {status}; {advice}"


def _elsewhere(look: _Look) -> Iterator[Finding]:
    """Somebody polls one application while the events wait in another."""
    for asked, holder in list(look.pairs())[:SHOWN]:
        pullers = [one for one in asked.pulls.pullers() if one.empty]
        who, waiting = pullers[0].caller, holder.queue.visible
        evidence = {
            "asked": _place(asked),
            "events_in": {**_place(holder), "queued": waiting},
            **_callers(pullers, "empty"),
        }
        there = f"{_number(waiting, 'event waits', 'events wait')} in {_whose(holder)}"
        if asked.life is holder.life:
            code = "other_application"
            advice = (
                f"pull {'without a SubAppId' if holder.sub_app_id is None else f'with SubAppId {holder.sub_app_id}'}"
            )
        elif asked.life.identity.declared or not who.secret_id:
            code = "other_account" if who.secret_id else "unsigned"
            advice = f"sign with the SecretId {holder.life.identity.secret_id or 'of no declared account'}"
            if not holder.life.identity.declared:
                advice = "emit into the account that is polled (?secret_id=), or pull with any other SecretId"
        else:
            code = "other_account"
            advice = (
                f"the SecretId {who.secret_id} was not declared and therefore means the default account: sign with "
                f"{holder.life.identity.secret_id}"
            )
        yield Finding(code, f"{who} polls {_whose(asked)}, which has no event, while {there}: {advice}", evidence)


def _never_confirmed(look: _Look) -> Iterator[Finding]:
    for application in look.applications:
        story = look.story(application)
        events = [one for one in story.came_back if look.state(one) in {"queued", "leased", "expired"}]
        if not events:
            continue
        leases = [seq for number in events for seq in story.came_back[number]]
        callers = [str(one) for one in application.pulls.by(leases)]
        words = (
            f"{_number(events, 'event was', 'events were')} pulled from {application.name} and not confirmed within "
            f"{look.account.settings.visibility_timeout:g} s"
            + (f", by {callers[0]}" if callers else "")
            + ": whoever pulls must call ConfirmEvents with the handles of that pull. Is it another program than the "
            "one that you are looking at? Its pulls hide the events from yours"
        )
        evidence = {"leases_ended": len(leases), "by": callers[:SHOWN], **_ids(events)}
        yield Finding("never_confirmed", words, _of(application, **evidence))


def _frozen_clock(look: _Look) -> Iterator[Finding]:
    clock = look.account.clock
    due = [one for one in clock.waiting() if one.when - clock.now() <= SOON]
    if clock.rate == 0 and due:
        within = due[0].when - clock.now()
        words = (
            f"the clock of {look.account.name} is frozen, and {_number(due, 'thing waits', 'things wait')} on it, "
            f"first: {due[0].what}, due in {within:g} s. Advance it by as much, or release it (mockvod clock release)"
        )
        shown = [{"what": one.what, "within": round(one.when - clock.now(), 6)} for one in due[:SHOWN]]
        yield Finding("frozen_clock", words, {"waiting": shown, "count": len(due)})


def _polls_cut_short(look: _Look) -> Iterator[Finding]:
    hold = look.account.settings.poll_hold
    for application in look.applications:
        pullers = [one for one in application.pulls.pullers() if one.came_back]
        if pullers:
            one = pullers[0]
            words = (
                f"{one.caller} hangs up on polls of {application.name} after {one.patience:.3g} s at most, but "
                f"PullEvents is held for up to {hold:g} s: give its HTTP client a read time-out of {hold + 5:g} s"
            )
            evidence = {"hold": hold, "patience": round(one.patience, 3), **_callers(pullers, "came_back")}
            yield Finding("polls_cut_short", words, _of(application, **evidence))


def _scheduled(look: _Look) -> Iterator[Finding]:
    now = look.account.clock.epoch()
    for application in look.applications:
        due = {n: at for n, at in look.story(application).scheduled.items() if look.state(n) == "scheduled"}
        if due and look.account.clock.rate != 0:
            within = min(due.values()) - now
            words = (
                f"{_number(due, 'event of', 'events of')} {application.name} will happen later, the first in "
                f"{within:.3g} s of the clock: wait, or advance the clock (mockvod clock advance {within:.3g}s)"
            )
            yield Finding("scheduled", words, _of(application, within=round(within, 3), **_ids(list(due))))


def _nobody_pulls(look: _Look) -> Iterator[Finding]:
    world = look.account.world
    held = {id(holder) for _, holder in look.pairs()}
    for application in look.applications:
        waiting = application.queue.visible
        if application.mode != "PULL" or application.settings.callback_url or not waiting or id(application) in held:
            continue
        if not application.pulls.pullers():
            host = world.settings.host
            hint = f"; mockvod listens on {host}, which localhost need not mean" if is_loopback(host) else ""
            words = (
                f"{_number(waiting, 'event waits', 'events wait')} in the queue of {_whose(application)}, and nobody "
                f"has called PullEvents: point the application's endpoint at mockvod{hint}. To have events pushed, "
                "set callback-url"
            )
            yield Finding("nobody_pulls", words, _of(application, mode="PULL", queued=waiting, host=host))


def _expired(look: _Look) -> Iterator[Finding]:
    for application in look.applications:
        if expired := look.story(application).expired:
            words = (
                f"{_number(expired, 'event', 'events')} of {application.name} expired: nobody confirmed them within "
                f"{look.account.settings.retention:g} s (retention). Was the clock advanced that far?"
            )
            yield Finding("expired", words, _of(application, **_ids(expired)))


def _nothing_happened(look: _Look) -> Iterator[Finding]:
    account = look.account
    if any(look.story(application).events for application in look.applications):
        return
    thrown = look.reset.get("events", 0)
    since = f"since its reset, which threw {_number(thrown, 'event', 'events')} away" if thrown else "so far"
    names = [one.name for one in account.world.accounts() if one is not account and one.events.counts.total()]
    hint = f"; events happened in {', '.join(names[:3])}: is it that one that you mean (secret_id)?" if names else ""
    words = (
        f"no event has happened in {account.name} {since}{hint or ': emit one (mockvod emit), or start a snapshot job'}"
    )
    evidence = {"reset": dict(look.reset), "accounts_with_events": names[:SHOWN]}
    yield Finding("nothing_happened", words, evidence)


_CHECKS: Final[tuple[Callable[[_Look], Iterator[Finding]], ...]] = (
    _fault,
    _no_callback_url,
    _pulled_in_push_mode,
    _url_in_pull_mode,
    _attempts,
    _elsewhere,
    _never_confirmed,
    _frozen_clock,
    _polls_cut_short,
    _scheduled,
    _nobody_pulls,
    _expired,
    _nothing_happened,
)


# --- words and evidence


def _of(application: Application, **evidence: Any) -> dict[str, Any]:
    return {"sub_app_id": application.sub_app_id, **evidence}


def _ids(numbers: Sequence[int]) -> dict[str, Any]:
    distinct = list(dict.fromkeys(numbers))
    return {"events": [event_id(number) for number in distinct[:SHOWN]], "events_count": len(distinct)}


def _callers(pullers: Sequence[Puller], count: str) -> dict[str, Any]:
    """Who polled, and how often in the way that *count* counts."""
    return {
        "callers": [{**one.caller._asdict(), "pulls": one.pulls, count: getattr(one, count)} for one in pullers[:SHOWN]]
    }


def _place(application: Application) -> dict[str, Any]:
    return {"secret_id": application.life.identity.secret_id, "sub_app_id": application.sub_app_id}


def _whose(application: Application) -> str:
    return f"{application.name} of {application.life.name}"


def _number(things: int | Sequence[Any] | Mapping[Any, Any], one: str, several: str) -> str:
    count = things if isinstance(things, int) else len(things)
    return f"{count} {one if count == 1 else several}"

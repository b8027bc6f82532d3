"""The calls of the control API and the table of them."""

import json
import secrets
from collections.abc import Callable, Coroutine, Iterator, Mapping
from importlib.util import find_spec
from itertools import islice, repeat
from typing import Any, Final, TypeVar

from aiohttp import web

from mockvod.engine.events import BacklogFull, Event, event_number
from mockvod.engine.journal import Entry
from mockvod.engine.lifetime import EndReason, LifeEnded
from mockvod.engine.waiting import Pattern, Wait
from mockvod.http.control import attempts, catalogue, inbox, models, queues, server
from mockvod.http.control.faults import FaultsAnswer, NewFault, clear_faults, list_faults, put_fault, remove_fault
from mockvod.http.control.insight import ConsumerReport, Diagnosis, DiagnosisQuery, get_diagnosis, get_report
from mockvod.http.control.request import ControlError, ControlRequest, Route, checking
from mockvod.http.control.scenario import ScenarioApplied, ScenarioBody, put_scenario
from mockvod.http.control.stream import follow
from mockvod.insight.reasons import reasons
from mockvod.pictures.video import UnsupportedVideo
from mockvod.service.application import StillPending
from mockvod.service.jobs.snapshot_by_time_offset import declare_procedure as declare_procedure_of
from mockvod.service.jobs.snapshot_by_time_offset import snapshots
from mockvod.service.life import Life
from mockvod.service.media import TooManyMedia, inspect_video
from mockvod.service.templates import TooManyTemplates
from mockvod.service.world import Account, AccountRefused, split
from mockvod.wire.events import CARRIERS, SNAPSHOT_COMPLETE, EventError, parse, render
from mockvod.wire.examples import example, with_changes

NOT_OF_THE_TASK: Final = {"count", "event", "event_type", "set", "delay"}

# --- events and settings


async def emit(asked: ControlRequest) -> models.Emitted:
    wish: models.Emit = asked.body
    _check(wish)
    application = asked.application
    happened: list[tuple[Event, Mapping[str, Any]]] = []
    try:
        with application.together():
            for event_type, structure in _wished(application.snapshot_task, wish):
                happened.append((application.emit(event_type, structure, delay=wish.delay), structure))
    except EventError as error:
        raise ControlError(400, "bad_event", str(error), _field_of(wish)) from None
    except BacklogFull as error:
        told = f"{error} ({len(happened)} of {wish.count} events have happened)"
        raise ControlError(429, "backlog_full", told) from None
    return models.Emitted(events=[models.view(event, structure) for event, structure in happened])


def _check(wish: models.Emit) -> None:
    """Refuse wishes that contradict each other."""
    given = {name for name in wish.model_fields_set if getattr(wish, name) is not None}
    if wish.event is not None and (extra := sorted(given - {"event", "count", "delay"})):
        raise ControlError(400, "contradiction", f"{extra[0]} cannot be given beside event, which is whole", extra[0])
    if wish.event_type is not None and (extra := sorted(given - {"event_type", "set", "count", "delay"})):
        message = f"{extra[0]} cannot be given beside event_type, whose example set changes"
        raise ControlError(400, "contradiction", message, extra[0])
    if wish.set is not None and wish.event_type is None:
        raise ControlError(400, "contradiction", "set changes an example: say which in event_type", "set")
    if wish.snapshots is not None and (extra := sorted(given & {"time_offsets", "failed", "err_code"})):
        message = f"{extra[0]} cannot be given beside snapshots, which is the whole list"
        raise ControlError(400, "contradiction", message, extra[0])
    if wish.err_code is not None and wish.snapshots is None and not wish.failed:
        message = f"err_code {wish.err_code} is for pictures that fail: name their offsets in failed"
        raise ControlError(400, "contradiction", message, "err_code")


def _field_of(wish: models.Emit) -> str:
    """What of *wish* an event that cannot be sent is about."""
    if wish.event_type is not None:
        return "set" if wish.event_type in CARRIERS else "event_type"
    return "snapshots" if wish.event is None else "event"


async def check_events(asked: ControlRequest) -> models.EmitPreview:
    wish: models.Emit = asked.body
    _check(wish)
    application = asked.application
    try:
        event_type, structure = next(_wished(application.preview_snapshot_task, wish))
        content = json.loads(render(event_type, structure, asked.account.settings.profile))
    except EventError as error:
        raise ControlError(400, "bad_event", str(error), _field_of(wish)) from None
    return models.EmitPreview(event_type=event_type, count=wish.count, content=content)


def _wished(snapshot_task: Callable[..., dict[str, Any]], wish: models.Emit) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """EventType and structure of each event; what can be checked for all of them is checked with the first."""
    whole = wish.event if wish.event_type is None else with_changes(example(wish.event_type), wish.set or {})
    if whole is not None:
        yield from repeat(parse(whole), wish.count)
        return
    told = wish.model_dump(exclude=NOT_OF_THE_TASK, exclude_none=True)
    for place in range(wish.count):
        try:
            task = snapshot_task(**told)
        except ValueError as error:  # its message begins with the wish that it is about
            raise ControlError(400, "contradiction", str(error), str(error).partition(" ")[0]) from None
        if wish.snapshots is not None and not place:
            parse({"EventType": SNAPSHOT_COMPLETE, "SnapshotByTimeOffsetCompleteEvent": task})
        yield SNAPSHOT_COMPLETE, task


async def list_events(asked: ControlRequest) -> models.EventsPage:
    query: models.EventsQuery = asked.query
    pattern = Pattern(
        sub_app_id=asked.sub_app_id,
        any_application=not asked.names_application,
        event_type=query.event_type,
        task_id=query.task_id,
        file_id=query.file_id,
    )
    start = event_number(query.cursor) if query.cursor else None
    events = asked.account.events
    found: list[Event] = []
    for event in events.before(start) if query.order == "newest" else events.after(start or 0):
        if (query.state is None or event.state in query.state) and pattern.fits(event):
            if len(found) == query.limit:
                return models.EventsPage(events=[models.row(one) for one in found], next=found[-1].id)
            found.append(event)
    return models.EventsPage(events=[models.row(one) for one in found], next=None)


async def one_event(asked: ControlRequest) -> models.EventDetail:
    return models.detail(asked.event())


async def redeliver(asked: ControlRequest) -> models.EventDetail:
    event = asked.event()
    try:
        asked.account.application(event.sub_app_id).redeliver(event)
    except StillPending as error:
        raise ControlError(409, "still_under_way", str(error), "id") from None
    return models.detail(event)


async def get_config(asked: ControlRequest) -> models.ConfigView:
    settings = {**asked.application.settings.model_dump(), **asked.account.settings.model_dump()}
    if settings["sign_key"]:
        settings["sign_key"] = "(set)"
    # Made without checks: a file that was there at the start may have gone since.
    return models.ConfigView.model_construct(**settings, mode_in_force=asked.application.settings.effective_mode)


async def change_config(asked: ControlRequest) -> models.ConfigView:
    wish: models.Config = asked.body
    of_account, of_application = split({name: getattr(wish, name) for name in wish.model_fields_set})
    # All is tried before anything is changed: what fits by itself may not fit beside what was there.
    with checking(models.Config, "the configuration"):
        asked.account.settings.changed(of_account)
        asked.application.settings.changed(of_application)
    if of_account:
        asked.account.configure(of_account)
    if of_application:
        asked.application.configure(of_application)
    return await get_config(asked)


async def stats(asked: ControlRequest) -> models.Stats:
    account = asked.account
    return models.Stats(
        counts=dict(account.events.counts),
        evicted=account.events.evicted,
        pending_bytes=account.events.pending_bytes,
        applications=[
            models.ApplicationStats(
                sub_app_id=application.sub_app_id,
                mode=application.settings.effective_mode,
                visible=application.queue.visible,
                leased=application.queue.leased,
                polls=application.queue.waiting,
                deliveries=application.deliveries.under_way,
                tasks=application.tasks.active,
            )
            for application in account.applications()
        ],
    )


async def reset(asked: ControlRequest) -> models.ResetAnswer:
    whose = asked.account if asked.names_account else asked.world
    return models.ResetAnswer(**await whose.reset())


async def openapi(_: ControlRequest) -> Mapping[str, Any]:
    from mockvod.http.control.openapi import document

    return document(ROUTES)


# --- media and procedures


async def declare_media(asked: ControlRequest) -> models.MediaView:
    wish: models.DeclareMedia = asked.body
    if wish.video is not None and find_spec("av") is None:
        message = "frames of a video need PyAV, which is not installed: pip install 'mockvod[video]'"
        raise ControlError(409, "no_video", message, "video")
    facts = wish.model_dump(exclude_none=True)
    if wish.video is not None:
        facts["inspection"] = inspection = await inspect_video(asked.world.worker, wish.video)
        if isinstance(inspection.error, UnsupportedVideo):
            raise ControlError(400, "bad_value", f"video: {inspection.error}", "video")
    try:
        return models.media_view(asked.application.declare_media(**facts))
    except TooManyMedia as error:
        raise ControlError(409, "too_many", str(error), "file_id") from None


async def list_media(asked: ControlRequest) -> models.MediaList:
    return models.MediaList(media=[models.media_view(one) for one in asked.application.media.declared()])


async def declare_procedure(asked: ControlRequest) -> models.ProcedureView:
    wish: models.Procedure = asked.body
    name = asked.request.match_info["name"]
    jobs = [snapshots(one.definition, tuple(one.ext_time_offsets)) for one in wish.snapshots]
    application = asked.application
    try:
        template = declare_procedure_of(application.templates, application.life.clock.epoch(), name, jobs)
    except TooManyTemplates as error:
        raise ControlError(409, "too_many", str(error), "name") from None
    return models.procedure_view(template)


async def list_procedures(asked: ControlRequest) -> models.Procedures:
    procedures = asked.application.templates.all("Procedure")
    return models.Procedures(procedures=[models.procedure_view(one) for one in procedures if not one.preset])


# --- clock, waiting, journal

Result = TypeVar("Result")
_ENDED: Final[dict[EndReason, tuple[int, str]]] = {
    "reset": (409, "account_reset"),
    "deleted": (409, "account_deleted"),
    "stopping": (503, "stopping"),
}


async def get_clock(asked: ControlRequest) -> models.ClockView:
    return models.ClockView(**_clock_facts(asked.life))


async def move_clock(asked: ControlRequest) -> models.ClockMoved:
    return await unless_ended(asked, _move_clock(asked.life, asked.body))


async def _move_clock(life: Life, change: models.ClockChange) -> models.ClockMoved:
    clock = life.clock
    before = life.journal.note("clock", detail=change.model_dump(exclude_unset=True)).seq
    if change.freeze is not None:
        await clock.freeze()
    elif change.advance is not None:
        await clock.advance(change.advance)
    elif change.set is not None:
        await clock.set(change.set)
    elif change.scale is not None:
        await clock.scale(change.scale)
    else:
        await clock.release()
    happened = [models.entry_view(entry) for entry in life.journal.since(before, 1001)]
    return models.ClockMoved(**_clock_facts(life), happened=happened[:1000], happened_more=len(happened) > 1000)


def _clock_facts(life: Life) -> dict[str, Any]:
    clock = life.clock
    waiting = models.due(life, 100)
    hint = None
    if clock.rate == 0 and waiting:
        hint = (
            f"the clock is frozen and {len(waiting)} wait on it, first: {waiting[0].what}, due in "
            f"{waiting[0].within:g} s; advance it by as many seconds, or release it"
        )
    return {"now": clock.epoch(), "rate": clock.rate, "frozen": clock.rate == 0, "waiting": waiting, "hint": hint}


async def wait(asked: ControlRequest) -> models.WaitAnswer:
    wish: models.WaitFor = asked.body
    return await unless_ended(asked, _settled(asked, wish) if wish.settled else _reached(asked, wish))


async def unless_ended(asked: ControlRequest, work: Coroutine[Any, Any, Result]) -> Result:
    """The result of *work*. A ControlError names what ended the account's life before."""
    try:
        return await asked.life.unless_ended(work)
    except LifeEnded as ended:
        status, code = _ENDED[ended.reason]
        message = f"{ended} while the call waited"
        raise ControlError(status, code, message, "secret_id" if asked.names_account else None) from None


async def _reached(asked: ControlRequest, wish: models.WaitFor) -> models.WaitAnswer:
    life = asked.life
    pattern = Pattern(
        number=event_number(wish.id) if wish.id else None,
        sub_app_id=asked.sub_app_id,
        any_application=not asked.names_application,
        event_type=wish.event_type,
        task_id=wish.task_id,
        file_id=wish.file_id,
    )
    states = wish.state or []
    waiting = Wait(life.events, life.journal, pattern, states, wish.count, wish.since)
    events = await waiting.reached(wish.timeout)
    if events is not None:
        return models.WaitAnswer(events=[models.view(event) for event in events], seq=life.journal.seq)
    candidates = waiting.candidates()
    why = list(reasons(asked.account, waiting, candidates))
    message = (
        f"{waiting.found} of {wish.count} events ({pattern.description()}) have been {' or '.join(states)} "
        f"within {wish.timeout:g} s: {'; '.join(why)}"
    )
    raise _timed_out(life, message, why, candidates)


async def _settled(asked: ControlRequest, wish: models.WaitFor) -> models.WaitAnswer:
    life = asked.life
    if await life.settled(quiet=wish.quiet, seconds=wish.timeout):
        return models.WaitAnswer(events=[], seq=life.journal.seq)
    under_way = sum(application.deliveries.under_way for application in life.applications())
    why = [f"{under_way} deliveries are under way"] if under_way else ["the journal goes on: something keeps happening"]
    message = f"{life.name} has not settled within {wish.timeout:g} s: {why[0]}"
    raise _timed_out(life, message, why, [event for event in life.events if event.state == "delivering"])


def _timed_out(life: Life, message: str, why: list[str], candidates: list[Event]) -> ControlError:
    seen = [
        models.Candidate(
            **models.view(event).model_dump(), timeline=[models.entry_view(e) for e in event.timeline()[-5:]]
        )
        for event in candidates[:20]
    ]
    error = models.ErrorBody(code="timeout", message=message, field=None)
    answer = models.WaitTimedOut(error=error, seen=seen, reasons=why, waiting=models.due(life, 20))
    return ControlError(408, "timeout", message, answer=answer)


async def read_journal(asked: ControlRequest) -> models.JournalPage | web.StreamResponse:
    query: models.JournalQuery = asked.query
    journal = asked.account.journal
    since = min(query.since, journal.seq)  # after a restart a client may know of more than there has been

    def is_meant(entry: Entry) -> bool:
        return not asked.names_application or entry.sub_app_id == asked.sub_app_id

    if "text/event-stream" in asked.request.headers.get("Accept", ""):
        return await follow(asked.request, asked.account, since, is_meant)
    entries = list(islice(filter(is_meant, journal.since(since)), query.limit))
    return models.JournalPage(
        entries=[models.entry_view(entry) for entry in entries],
        next=entries[-1].seq if len(entries) == query.limit else journal.seq,
        missed=max(0, journal.first - since - 1),
    )


# --- accounts


async def make_account(asked: ControlRequest) -> models.AccountMade:
    wish: models.NewAccount = asked.body
    world = asked.world
    secret_id = wish.secret_id or f"AKID{secrets.token_hex(16)}"
    changes = {name: getattr(wish.config, name) for name in wish.config.model_fields_set}
    try:
        account = world.add_account(
            secret_id=secret_id,
            secret_key=wish.secret_key or secrets.token_hex(16),
            sub_app_id=wish.sub_app_id or 1_500_000_000 + secrets.randbelow(500_000_000),
            seed=wish.seed,
            changes=changes,
            frozen=wish.frozen,
        )
    except AccountRefused as error:
        raise ControlError(409, "account_refused", str(error), "secret_id") from None
    return models.AccountMade(**_account_facts(account), secret_key=account.secret_key)


async def list_accounts(asked: ControlRequest) -> models.Accounts:
    return models.Accounts(accounts=[models.AccountView(**_account_facts(one)) for one in asked.world.accounts()])


async def delete_account(asked: ControlRequest) -> models.AccountView:
    secret_id = asked.request.match_info["secret_id"]
    account = asked.world.declared(secret_id)
    if account is None:
        raise ControlError(404, "no_such_account", f"no account {secret_id[:60]!r} was declared", "secret_id")
    if account is asked.world.default:
        message = "the default account stays as long as the server: reset it instead (POST /mockvod/v1/reset)"
        raise ControlError(409, "account_refused", message, "secret_id")
    facts = _account_facts(account)
    await asked.world.delete_account(account)
    return models.AccountView(**facts)


def _account_facts(account: Account) -> dict[str, Any]:
    return {
        "secret_id": account.secret_id,
        "sub_app_id": account.sub_app_id,
        "seed": account.seed,
        "default": account is account.world.default,
        "events": len(account.events),
    }


# --- the table


ROUTES: Final = (
    Route(
        "POST",
        "/events",
        emit,
        "Let events happen.",
        body=models.Emit,
        answer=models.Emitted,
        status=201,
        errors=(429,),
    ),
    Route(
        "POST",
        "/events/check",
        check_events,
        "Check an emit without emitting: the first event that it would send, or the error that it would get.",
        body=models.Emit,
        answer=models.EmitPreview,
    ),
    Route(
        "GET",
        "/events",
        list_events,
        "Events, oldest first or newest first: of one application, or of all.",
        query=models.EventsQuery,
        answer=models.EventsPage,
    ),
    Route("GET", "/events/{id}", one_event, "One event with its timeline.", answer=models.EventDetail, errors=(404,)),
    Route(
        "POST",
        "/events/{id}/redeliver",
        redeliver,
        "Send an event that is over once more.",
        answer=models.EventDetail,
        errors=(404, 409),
    ),
    Route(
        "POST",
        "/media",
        declare_media,
        "Declare a media file: its length, its size, how jobs on it fail.",
        body=models.DeclareMedia,
        answer=models.MediaView,
        status=201,
        errors=(409,),
    ),
    Route("GET", "/media", list_media, "The media files that were declared.", answer=models.MediaList),
    Route(
        "PUT",
        "/procedures/{name}",
        declare_procedure,
        "Declare what ProcessMediaByProcedure does under this name.",
        body=models.Procedure,
        answer=models.ProcedureView,
        errors=(409,),
    ),
    Route("GET", "/procedures", list_procedures, "The procedures that were declared.", answer=models.Procedures),
    Route("GET", "/config", get_config, "The settings of an application and its account.", answer=models.ConfigView),
    Route("PATCH", "/config", change_config, "Change some of them.", body=models.Config, answer=models.ConfigView),
    Route("GET", "/stats", stats, "Events by state, applications by what they hold.", answer=models.Stats),
    Route(
        "POST",
        "/reset",
        reset,
        "Begin anew, the account that secret_id names or all: polls and deliveries end, settings are as at the start.",
        answer=models.ResetAnswer,
    ),
    Route("GET", "/clock", get_clock, "The account's time, and what waits on it.", answer=models.ClockView),
    Route(
        "POST",
        "/clock",
        move_clock,
        "Freeze, advance, set, scale or release the clock; answers what happened meanwhile.",
        body=models.ClockChange,
        answer=models.ClockMoved,
    ),
    Route(
        "POST",
        "/wait",
        wait,
        "Wait until events have reached a state, or until nothing more happens. 408 says what was seen instead.",
        body=models.WaitFor,
        answer=models.WaitAnswer,
        errors=(408, 503),
    ),
    Route(
        "POST",
        "/faults",
        put_fault,
        "Put a fault in force, or the faults of a recipe.",
        body=NewFault,
        answer=FaultsAnswer,
        status=201,
        errors=(409,),
    ),
    Route("GET", "/faults", list_faults, "The faults in force, and the seed that they draw from.", answer=FaultsAnswer),
    Route("DELETE", "/faults", clear_faults, "Let all be orderly again.", answer=FaultsAnswer),
    Route("DELETE", "/faults/{id}", remove_fault, "Let one fault be over.", answer=FaultsAnswer, errors=(404,)),
    Route(
        "GET",
        "/journal",
        read_journal,
        "What happened, in order; with Accept: text/event-stream as it happens.",
        query=models.JournalQuery,
        answer=models.JournalPage,
        stream=True,
    ),
    Route(
        "GET",
        "/diagnosis",
        get_diagnosis,
        "Why nothing arrives: what is wrong in the account and on the way to its callback addresses, likeliest first.",
        query=DiagnosisQuery,
        answer=Diagnosis,
    ),
    Route(
        "GET",
        "/report",
        get_report,
        "How the consumer behaves: what it confirms, answers and gives up, each trait with a grade and what shows it.",
        answer=ConsumerReport,
    ),
    Route(
        "POST",
        "/accounts",
        make_account,
        "Make an account of its own: who signs with its SecretId lands there.",
        body=models.NewAccount,
        answer=models.AccountMade,
        status=201,
        errors=(409,),
        whom=False,
    ),
    Route("GET", "/accounts", list_accounts, "All accounts.", answer=models.Accounts, whom=False),
    Route(
        "DELETE",
        "/accounts/{secret_id}",
        delete_account,
        "End an account and all that it owns.",
        answer=models.AccountView,
        errors=(404, 409),
        whom=False,
    ),
    Route(
        "PUT",
        "/scenario",
        put_scenario,
        "Add a scenario to what there is: settings, accounts, applications, events to come. All of it, or nothing.",
        body=ScenarioBody,
        answer=ScenarioApplied,
        whom=False,
    ),
    *attempts.ROUTES,
    *catalogue.ROUTES,
    *server.ROUTES,
    *queues.ROUTES,
    *inbox.ROUTES,
    Route("GET", "/openapi.json", openapi, "This document.", whom=False),
)

"""Applies a scenario to a world."""

import logging
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Final

from pydantic.alias_generators import to_pascal

from mockvod.engine.clock import LoopShare
from mockvod.engine.events import BacklogFull
from mockvod.faults.registry import MODULES
from mockvod.problems import Problem
from mockvod.scenario.check import given, read
from mockvod.scenario.models import Scenario, ScenarioAccount, ScenarioApplication, ScenarioEvent
from mockvod.scenario.source import ScenarioError, Source
from mockvod.service.application import Application
from mockvod.service.definitions import Config
from mockvod.service.jobs.snapshot_by_time_offset import declare_procedure, snapshots
from mockvod.service.media import TITLES, inspect_video
from mockvod.service.world import Account, AccountRefused, World, split
from mockvod.wire.events import SNAPSHOT_COMPLETE, Content

log = logging.getLogger("mockvod.scenario")

_AT_A_TIME: Final = 200
"""Events emitted in one step; other tasks may run between two steps."""


async def apply(source: Source, world: World) -> Scenario:
    """Add what *source* describes to *world*. Raises ScenarioError, before anything has changed.

    Shares the event loop, so other tasks may see a part of a large scenario. If one of them takes the SecretId of a
    new account meanwhile, the scenario ends there with a ScenarioError.
    """
    scenario = await read(source, world)
    share = LoopShare()
    if any(config.faults for config in (scenario.config, *(part.config for part in scenario.accounts))):
        await world.load(*MODULES)
    _configure(world.default, scenario.config)
    for part in scenario.accounts:
        try:
            _add_account(world, part)
        except AccountRefused as error:
            raise ScenarioError(source, [Problem(("accounts",), "duplicate", str(error))]) from None
        await share.turn()
    if scenario.frozen:
        await world.default.life.clock.freeze()
    for application in scenario.applications:
        await _set_up(world, application, source.folder)
        await share.turn()
    for event in scenario.events:
        await _emit(world.account(event.account).life.application(event.sub_app_id), event, share)
    return scenario


def _configure(account: Account, config: Config) -> None:
    of_account, of_application = split(given(config))
    if of_account:
        account.life.configure(of_account)
    if of_application:
        account.life.application().configure(of_application)


def _add_account(world: World, part: ScenarioAccount) -> Account:
    generated = 1_500_000_000 + Random(part.secret_id).randrange(500_000_000)
    return world.add_account(
        secret_id=part.secret_id,
        secret_key=part.secret_key,
        sub_app_id=part.sub_app_id or generated,
        seed=part.seed,
        changes=given(part.config),
        frozen=part.frozen,
    )


async def _set_up(world: World, part: ScenarioApplication, folder: Path) -> None:
    application = world.account(part.account).life.application(part.sub_app_id)
    if changes := given(part.config):
        application.configure(changes)
    now = application.life.clock.epoch()
    for template in part.templates:
        content = {to_pascal(name): value for name, value in template.model_dump(exclude={"definition"}).items()}
        application.templates.add("SnapshotByTimeOffset", now, content, key=template.definition)
    for name, jobs in part.procedures.items():
        declare_procedure(
            application.templates,
            now,
            name,
            [snapshots(job.definition, job.ext_time_offsets, job.time_offsets) for job in jobs],
        )
    for media in part.media:
        facts = media.model_dump(exclude_none=True)
        if media.video is not None:
            facts["video"] = video = str(folder / media.video)
            facts["inspection"] = await inspect_video(world.worker, video)
        await world.load(TITLES)
        application.declare_media(**facts)


async def _emit(application: Application, event: ScenarioEvent, share: LoopShare) -> None:
    """Emit the events, or schedule them for their moment."""
    emit = _emission(application, event)
    if event.every is not None:
        what = f"every {event.every:g} s an event of the scenario happens"
        application.timetable.repeat(emit, what, first=event.at, every=event.every, times=event.count)
        return
    for start in range(0, event.count or 1, _AT_A_TIME):
        with application.batch():
            for _ in range(start, min(start + _AT_A_TIME, event.count or 1)):
                emit(event.at)
        await share.turn()


def _emission(application: Application, definition: ScenarioEvent) -> Callable[..., None]:
    content = definition.content()

    def emit(delay: float = 0.0) -> None:
        event = content or Content(SNAPSHOT_COMPLETE, application.snapshot_task(**definition.task()))
        try:
            application.emit_rendered(event.event_type, application.render(*event), delay=delay)
        except BacklogFull as error:
            log.warning("an event of the scenario was not emitted: %s", error)

    return emit

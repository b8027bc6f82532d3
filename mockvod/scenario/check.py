"""Checks a scenario before any of it is applied: its shape, its consistency, and whether it fits the world."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from mockvod.engine.clock import LoopShare
from mockvod.problems import MOST_FIELDS, MOST_PROBLEMS, Hints, Place, Problem, problems
from mockvod.scenario.models import ENTRIES, MOST_AT_ONCE, Scenario, ScenarioAccount, ScenarioApplication, ScenarioEvent
from mockvod.scenario.source import ScenarioError, Source
from mockvod.service.application import Application
from mockvod.service.definitions import Config
from mockvod.service.life import MAX_APPLICATIONS
from mockvod.service.media import MAX_DECLARED
from mockvod.service.snapshots import SnapshotGenerator
from mockvod.service.templates import FAMILIES, PRESET
from mockvod.service.world import MAX_ACCOUNTS, Account, World, split
from mockvod.settings import AccountSettings
from mockvod.wire.events import CARRIERS, SNAPSHOT_COMPLETE, EventError, Profile, parse, render
from mockvod.wire.examples import UnknownPath

Part = TypeVar("Part", bound=BaseModel)


async def read(source: Source, world: World) -> Scenario:
    """The scenario in *source*, valid for *world*. Raises ScenarioError with up to MOST_PROBLEMS problems."""
    check = _Check(source, world)
    scenario = await check.shapes()
    await check.contents()
    if check.problems:
        raise ScenarioError(source, check.problems)
    return scenario


def given(config: BaseModel) -> dict[str, Any]:
    """The settings that *config* sets explicitly."""
    return {name: getattr(config, name) for name in config.model_fields_set}


class _Check:
    """One check of a source against a world. Shares the event loop, since a scenario may have 10,000 entries."""

    def __init__(self, source: Source, world: World) -> None:
        self.problems = list(source.problems)
        self._source = source
        self._world = world
        self._share = LoopShare()
        self._hints = Hints()
        self._config = Config()
        self._accounts: dict[int, ScenarioAccount] = {}
        self._applications: dict[int, ScenarioApplication] = {}
        self._events: dict[int, ScenarioEvent] = {}
        self._new: dict[str, ScenarioAccount] = {}
        self._settings: dict[str | None, AccountSettings] = {}
        """Settings of accounts after the scenario is applied, by SecretId."""

    def _report(self, place: Place, code: str, message: str) -> None:
        self.problems.append(Problem(place, code, message))
        if len(self.problems) >= MOST_PROBLEMS:
            raise ScenarioError(self._source, self.problems)

    # --- shapes

    async def shapes(self) -> Scenario:
        """Validate every entry by itself, so that one mistake does not hide those in other entries."""
        data = self._source.data
        lists = {}
        if isinstance(data, dict):
            lists = {name: data[name] for name in ENTRIES if _is_list(data.get(name))}
            data = {name: value for name, value in data.items() if name not in lists}
        head = self._validated(Scenario, data, ()) or Scenario()
        self._config = head.config
        valid: dict[str, dict[int, Any]] = {name: {} for name in ENTRIES}
        for name, entries in lists.items():
            for number, entry in enumerate(entries):
                if part := self._validated(ENTRIES[name], entry, (name, number)):
                    valid[name][number] = part
                await self._share.turn()
        self._accounts, self._applications, self._events = valid.values()
        return head.model_copy(update={name: list(parts.values()) for name, parts in valid.items()})

    def _validated(self, model: type[Part], data: object, place: Place) -> Part | None:
        parts = (data, *data.values()) if isinstance(data, dict) else ()
        if any(isinstance(part, dict) and len(part) > MOST_FIELDS for part in parts):
            self._report(place, "limit", f"has an object with more than {MOST_FIELDS} keys")
            return None
        try:
            return model.model_validate(data, strict=True)
        except ValidationError as error:
            self._report_invalid(error, model, place)
        return None

    def _report_invalid(self, error: ValidationError, model: type[BaseModel], place: Place) -> None:
        for problem in problems(error, model, "key", self._hints):
            self._report((*place, *problem.place), problem.code, problem.message)

    # --- contents

    async def contents(self) -> None:
        """Check the valid entries against each other and against the world."""
        self._check_config(("config",), None, self._world.default.life.settings, self._config)
        for number, account in self._accounts.items():
            self._check_account(("accounts", number), account)
            await self._share.turn()
        if len(self._world.accounts()) + len(self._new) > MAX_ACCOUNTS:
            self._report(("accounts",), "limit", f"there would be more than {MAX_ACCOUNTS} accounts")
        seen: set[object] = set()
        for number, application in self._applications.items():
            self._check_application(("applications", number), application, seen)
            await self._share.turn()
        await self._check_events()
        self._check_number_of_applications()

    def _check_config(self, place: Place, secret_id: str | None, before: AccountSettings, config: Config) -> None:
        changes, _ = split(given(config))
        try:
            self._settings[secret_id] = before.changed(changes)
        except ValidationError as error:  # an unchanged setting is invalid by now, such as a file that was deleted
            self._report_invalid(error, AccountSettings, place)

    def _check_account(self, place: Place, account: ScenarioAccount) -> None:
        name = account.secret_id
        if name in self._new:
            self._report((*place, "secret_id"), "duplicate", f"{name!r} is given twice")
        elif self._world.declared(name):
            self._report((*place, "secret_id"), "duplicate", f"account {name!r} exists: delete it first")
        self._new[name] = account
        self._check_config((*place, "config"), name, self._world.settings.account(), account.config)

    def _check_application(self, place: Place, application: ScenarioApplication, seen: set[object]) -> None:
        owner = self._owner(place, application.account)
        existing: Application | None = None
        if owner is not None:
            own = owner.identity.sub_app_id if isinstance(owner, Account) else owner.sub_app_id
            key = None if application.sub_app_id == own else application.sub_app_id or None
            if (id(owner), key) in seen:
                self._report(place, "duplicate", "is the same application as an earlier entry: merge them")
            seen.add((id(owner), key))
            if isinstance(owner, Account):
                existing = owner.life.existing_application(key)
        known: set[int | str] = {PRESET}
        if existing:
            known = {one.key for one in existing.templates.all("SnapshotByTimeOffset")}
        self._check_templates(place, application, known)
        self._check_procedures(place, application, known)
        self._check_media(place, application, len(existing.media.declared()) if existing else 0)

    def _check_number_of_applications(self) -> None:
        named: dict[str | None, set[int | None]] = {}
        parts: list[ScenarioApplication | ScenarioEvent] = [*self._applications.values(), *self._events.values()]
        for part in parts:
            named.setdefault(part.account, set()).add(part.sub_app_id or None)
        for secret_id, sub_app_ids in named.items():
            if secret_id not in self._new:
                sub_app_ids |= {one.sub_app_id for one in self._world.account(secret_id).life.applications()}
            if len(sub_app_ids) > MAX_APPLICATIONS:
                self._report(("applications",), "limit", f"an account has at most {MAX_APPLICATIONS} applications")

    def _owner(self, place: Place, secret_id: str | None) -> Account | ScenarioAccount | None:
        """The account of an entry. None if it does not exist, which is reported."""
        if secret_id is None:
            return self._world.default
        owner = self._new.get(secret_id) or self._world.declared(secret_id)
        if owner is None and not self._is_in_an_invalid_entry(secret_id):
            hint = self._hints.did_you_mean(secret_id, self._new, "add it to accounts")
            self._report((*place, "account"), "not_found", f"no account {secret_id[:128]!r}{hint}")
        return owner

    def _is_in_an_invalid_entry(self, secret_id: str) -> bool:
        entries = self._source.data.get("accounts", ()) if isinstance(self._source.data, dict) else ()
        return any(isinstance(one, dict) and one.get("secret_id") == secret_id for one in entries)

    def _check_templates(self, place: Place, application: ScenarioApplication, known: set[int | str]) -> None:
        before, seen = len(known), set()
        for number, template in enumerate(application.templates):
            here = (*place, "templates", number, "definition")
            if template.definition == PRESET:
                self._report(here, "conflict", f"{PRESET} is the preset template: choose another ID, such as 10001")
            elif template.definition in seen:
                self._report(here, "duplicate", f"{template.definition} is given twice")
            seen.add(template.definition)
        known |= seen
        if len(known) > max(before, (limit := FAMILIES["SnapshotByTimeOffset"].limit) + 1):
            self._report((*place, "templates"), "limit", f"an application has at most {limit} templates")

    def _check_procedures(self, place: Place, application: ScenarioApplication, known: set[int | str]) -> None:
        if len(application.procedures) > (limit := FAMILIES["Procedure"].limit):
            self._report((*place, "procedures"), "limit", f"an application has at most {limit} procedures")
        for name, jobs in application.procedures.items():
            for number, job in enumerate(jobs):
                here = (*place, "procedures", name, number)
                if job.definition not in known:
                    there = ", ".join(map(str, sorted(known)[:20]))
                    message = f"the application has no template {job.definition}; it has {there}"
                    self._report((*here, "definition"), "not_found", message)
                if not job.ext_time_offsets and not job.time_offsets:
                    self._report(here, "missing", "has no time offsets: give ext_time_offsets or time_offsets")

    def _check_media(self, place: Place, application: ScenarioApplication, declared: int) -> None:
        seen: set[str] = set()
        for number, media in enumerate(application.media):
            here = (*place, "media", number)
            if media.file_id in seen:
                self._report((*here, "file_id"), "duplicate", f"{media.file_id!r} is given twice")
            seen.add(media.file_id)
            if media.video is not None and not (path := self._source.folder / media.video).is_file():
                self._report((*here, "video"), "not_found", f"no file {str(path)!r}")
        if len(seen) + declared > MAX_DECLARED:
            self._report((*place, "media"), "limit", f"an application has at most {MAX_DECLARED} media files")

    # --- events

    async def _check_events(self) -> None:
        sizes: dict[str | None, int] = {}
        at_once = 0
        for number, event in self._events.items():
            await self._share.turn()
            size = self._check_event(("events", number), event)
            if event.every is None:
                count = event.count or 1
                at_once += count
                sizes[event.account] = sizes.get(event.account, 0) + size * count
        if at_once > MOST_AT_ONCE:
            self._report(("events",), "limit", f"{at_once} events at once are more than {MOST_AT_ONCE}: use every")
        for secret_id, size in sizes.items():
            pending = 0 if secret_id in self._new else self._world.account(secret_id).life.events.pending_bytes
            if pending + size > (limit := self._settings_of(secret_id).pending_bytes):
                whose = "the default account" if secret_id is None else f"account {secret_id}"
                message = f"{pending + size} bytes of pending events in {whose} exceed its pending_bytes ({limit})"
                self._report(("events",), "limit", message)

    def _check_event(self, place: Place, event: ScenarioEvent) -> int:
        """Bytes of the event as it will approximately be; 0 if it is invalid."""
        self._owner(place, event.account)
        if conflicts := event.conflicts():
            for name, message in conflicts.items():
                self._report((*place, name), "conflict", message)
            return 0
        try:
            return _size(event, self._settings_of(event.account).profile)
        except EventError as error:
            message = error.short if isinstance(error, UnknownPath) and not self._hints.take() else str(error)
            self._report((*place, event.field_at_fault()), "invalid", message)
        return 0

    def _settings_of(self, secret_id: str | None) -> AccountSettings:
        return self._settings.get(secret_id) or self._world.account(secret_id).life.settings


def _is_list(value: object) -> bool:
    return isinstance(value, list) and len(value) <= MAX_ACCOUNTS


def _size(event: ScenarioEvent, profile: Profile) -> int:
    content = event.content()
    if content is None:
        plausible = SnapshotGenerator("").task(**event.task())
        content = parse({"EventType": SNAPSHOT_COMPLETE, CARRIERS[SNAPSHOT_COMPLETE]: plausible})
    return len(render(content.event_type, content.structure, profile, content.fields))

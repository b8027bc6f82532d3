"""A scenario: what a world is to be like, and what happens in it when. Checked as a whole before anything changes."""

import difflib
import logging
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    WithJsonSchema,
)

from mockvod.engine.events import BacklogFull
from mockvod.service.application import Application
from mockvod.service.media import MOST_DECLARED
from mockvod.service.snapshots import SnapshotGenerator
from mockvod.service.tasks import SnapshotJob
from mockvod.service.templates import MOST as MOST_TEMPLATES
from mockvod.service.templates import PRESET
from mockvod.service.world import MOST_ACCOUNTS, Account, World, split
from mockvod.settings import WHOLE, AccountSettings, ApplicationSettings, ErrCodeExt, Seconds
from mockvod.wire import processing as wire
from mockvod.wire.events import CARRIERS, SNAPSHOT_COMPLETE, EventError, Profile, parse, render
from mockvod.wire.examples import example, with_changes

log = logging.getLogger("mockvod.scenario")

Place = tuple[str | int, ...]
"""Where something stands in a scenario: keys, and from 0 the numbers of elements."""

# --- what a scenario says


def _text(value: object) -> object:
    """An id of digits is a number to YAML and JSON where nobody put it in quotes; both read it whole."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _not_at_once(value: float) -> float:
    # Moments closer together than a clock can tell apart would come again and again at the same one.
    if value < 0.001:
        raise ValueError("should be at least 1ms")
    return value


Id = Annotated[
    str,
    Field(min_length=1, max_length=200),
    BeforeValidator(_text),
    WithJsonSchema({"type": ["string", "integer"], "minLength": 1, "maxLength": 200}),
]
SecretId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$")]
SubAppId = Annotated[int, Field(ge=0, lt=2**63), WHOLE]
Whole = Annotated[int, Field(ge=0, lt=2**53), WHOLE]
Pixels = Annotated[int, Field(ge=1, le=16384), WHOLE]
Offsets = Annotated[list[Whole], Field(max_length=1000)]

MOST_EVENTS: Final = 100_000  # at once, so that nobody waits long for them
_OF_ACCOUNTS: Final = set(AccountSettings.model_fields)


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ScenarioConfig(ApplicationSettings, AccountSettings):
    """Settings of an account and its applications, with `_` for `-`. Those not named stay as they are."""


class ScenarioAccount(_Part):
    """An account of its own: who signs with its SecretId lands there."""

    secret_id: SecretId
    secret_key: Annotated[str, Field(min_length=1, max_length=128)]
    sub_app_id: Annotated[SubAppId, Field(gt=0)] | None = Field(
        None, description="Another name of its default application; else made up."
    )
    seed: Annotated[int, Field(ge=-(2**63), lt=2**64), WHOLE] | None = Field(
        None, description="Else one made of the server's seed and secret_id."
    )
    frozen: bool = Field(default=False, description="Whether its clock begins frozen.")
    config: ScenarioConfig = Field(
        default_factory=ScenarioConfig, description="Settings in which it differs from the server's."
    )


class ScenarioTemplate(_Part):
    """A template of snapshots at time offsets."""

    definition: Annotated[int, Field(ge=1, lt=2**53), WHOLE] = Field(
        description=f"Its number; {PRESET} is the preset, which stays as it is."
    )
    name: wire.Name = ""
    comment: wire.Comment = ""
    width: wire.PictureSide = Field(0, description="Pixels; 0 follows the media.")
    height: wire.PictureSide = Field(0, description="Pixels; 0 follows the media.")
    resolution_adaptive: wire.ResolutionAdaptive = "open"
    format: wire.Format = "jpg"
    fill_type: wire.FillType = "black"


class ScenarioSnapshots(_Part):
    """One job of a procedure: a template applied to time offsets."""

    definition: wire.Definition = PRESET
    ext_time_offsets: Annotated[list[wire.ExtTimeOffset], Field(max_length=wire.OFFSETS_MOST)] = Field(
        default_factory=list, description="Such as 3.5s or 10%; they win over time_offsets."
    )
    time_offsets: Annotated[list[wire.Milliseconds], Field(max_length=wire.OFFSETS_MOST)] = Field(
        default_factory=list, description="Milliseconds."
    )


class ScenarioMedia(_Part):
    """A media that exists. What is not given is made up from the seed."""

    file_id: Id
    name: Annotated[str, Field(max_length=200)] | None = None
    width: Pixels | None = Field(None, description="Pixels.")
    height: Pixels | None = Field(None, description="Pixels.")
    duration: Seconds | None = None
    size: Whole | None = Field(None, description="Bytes.")
    video: Annotated[str, Field(min_length=1, max_length=4096)] | None = Field(
        None, description="A video file whose frames its pictures are; its path begins at the scenario's own folder."
    )
    fails_with: ErrCodeExt | None = Field(
        None, description="ErrCodeExt that every job on it fails with, such as SourceFileError.ContentMalformed."
    )


class ScenarioApplication(_Part):
    """An application and what belongs to it."""

    account: str | None = Field(None, description="SecretId of its account; else the default account.")
    sub_app_id: SubAppId | None = Field(None, description="Else the account's default application.")
    config: ApplicationSettings = Field(
        default_factory=ApplicationSettings, description="Those not named stay as they are."
    )
    templates: list[ScenarioTemplate] = Field(default_factory=list)
    procedures: dict[
        Annotated[str, Field(min_length=1, max_length=200)],
        Annotated[list[ScenarioSnapshots], Field(min_length=1, max_length=100)],
    ] = Field(default_factory=dict, description="Jobs by the name that ProcessMediaByProcedure calls them by.")
    media: list[ScenarioMedia] = Field(default_factory=list)


_OF_A_TASK: Final = ("file_id", "task_id", "definition", "time_offsets", "failed", "err_code", "snapshots")


class ScenarioEvent(_Part):
    """Events at a moment, once or again and again; made up plausibly where nothing is given."""

    at: Seconds = Field(0.0, description="Seconds of the clock after the scenario is applied; 5m is 300.")
    every: Annotated[Seconds, AfterValidator(_not_at_once)] | None = Field(
        None, description="Seconds from one to the next, from `at` on."
    )
    count: Annotated[int, Field(ge=1, le=10_000), WHOLE] | None = Field(
        None, description="How many at once, else 1; with `every` how many one after another, else without end."
    )
    account: str | None = Field(None, description="SecretId of the account; else the default account.")
    sub_app_id: SubAppId | None = Field(None, description="Else the account's default application.")
    file_id: Id | None = Field(None, description="FileId of the media.")
    task_id: Id | None = Field(None, description="TaskId of the snapshot task.")
    definition: Whole | None = Field(None, description="Template of the snapshots.")
    time_offsets: Offsets | None = Field(None, description="Of the snapshots, in milliseconds.")
    failed: Offsets | None = Field(None, description="Those of the time_offsets that fail.")
    err_code: Annotated[int, Field(gt=-(2**53), lt=2**53), WHOLE] | None = Field(None, description="Their ErrCode.")
    snapshots: Annotated[list[dict[str, Any]], Field(max_length=1000)] | None = Field(
        None, description="The exact SnapshotInfoSet, in place of time_offsets and failed."
    )
    event: dict[str, Any] | None = Field(None, description="A whole EventContent of any EventType.")
    event_type: Id | None = Field(None, description="An EventType, whose example happens.")
    set: dict[str, Any] | None = Field(
        None, description="What differs from the example, by path: FileUploadEvent.FileId."
    )

    def given(self, *names: str) -> list[str]:
        return [name for name in names if getattr(self, name) is not None]

    def whole(self) -> tuple[str, Mapping[str, Any]] | None:
        """EventType and structure where they are given; None for a snapshot task that is made up when it is time.

        Raises EventError.
        """
        if self.event is not None:
            return parse(self.event)
        if self.event_type is not None:
            # Digits that nobody put in quotes: as text they become what the example has at their path.
            changes = {path: _text(value) for path, value in (self.set or {}).items()}
            return parse(with_changes(example(self.event_type), changes))
        return None

    def of_task(self) -> dict[str, Any]:
        """What is given of a snapshot task, as Application.snapshot_task takes it."""
        return {name: getattr(self, name) for name in self.given(*_OF_A_TASK)}


class Scenario(_Part):
    """What a world is to be like, and what happens in it when."""

    config: ScenarioConfig = Field(
        default_factory=ScenarioConfig, description="Of the default account and its default application."
    )
    frozen: bool = Field(default=False, description="Whether the default account's clock is frozen.")
    accounts: Annotated[list[ScenarioAccount], Field(max_length=MOST_ACCOUNTS)] = Field(default_factory=list)
    applications: Annotated[list[ScenarioApplication], Field(max_length=MOST_ACCOUNTS)] = Field(default_factory=list)
    events: Annotated[list[ScenarioEvent], Field(max_length=MOST_ACCOUNTS)] = Field(default_factory=list)

    def contents(self) -> dict[str, int]:
        """How many there are of each thing."""
        return {
            "accounts": len(self.accounts),
            "applications": len(self.applications),
            "templates": sum(len(one.templates) for one in self.applications),
            "procedures": sum(len(one.procedures) for one in self.applications),
            "media": sum(len(one.media) for one in self.applications),
            "events": len(self.events),
        }

    def summary(self) -> str:
        """Its contents in words."""
        there = {what: count for what, count in self.contents().items() if count}
        return ", ".join(f"{n} {what.removesuffix('s') if n == 1 else what}" for what, n in there.items()) or "settings"


def published_schema() -> dict[str, Any]:
    """The JSON Schema of a scenario file, for editors: what `fixtures/scenarios/schema.json` holds."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **Scenario.model_json_schema()}
    return {**_with_durations(schema, TypeAdapter(Seconds).json_schema()), "title": "mockvod scenario"}


def _with_durations(schema: Any, number: Mapping[str, Any]) -> Any:
    """*schema* in which every number of seconds may be a duration as people write it."""
    if isinstance(schema, list):
        return [_with_durations(one, number) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if number.items() <= schema.items():
        rest = {name: value for name, value in schema.items() if name not in number}
        return {"anyOf": [dict(number), {"type": "string", "pattern": r"^[0-9.]+ *(ms|s|m|h|d)?$"}], **rest}
    return {name: _with_durations(value, number) for name, value in schema.items()}


# --- where it comes from, and what is wrong with it


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not fit."""

    place: Place
    words: str

    @property
    def key(self) -> str:
        return ".".join(map(str, self.place))

    def __str__(self) -> str:
        return f"{self.key}: {self.words}" if self.place else self.words


@dataclass(frozen=True, slots=True)
class Source:
    """A scenario that nobody has looked at yet: what it says, and where each key of it stands."""

    data: object
    name: str = ""
    """The file's, as messages have it; empty where it is no file."""
    folder: Path = field(default_factory=Path)
    """Where paths in it begin."""
    lines: Mapping[Place, int] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    """Found already when it was read."""

    def line(self, place: Place) -> int:
        """The line, from 1, of the key at *place*, else of the nearest one around it; 0 where no line is known."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 0)

    def told(self, problem: Problem) -> str:
        """*problem* with file and line."""
        line = self.line(problem.place)
        where = [*filter(None, (self.name, str(line or "")))]
        return f"{':'.join(where)}: {problem}" if where else str(problem)


class ScenarioError(Exception):
    """A scenario cannot be applied; the message has a line for every problem."""

    def __init__(self, source: Source, problems: Iterable[Problem]) -> None:
        self.problems = sorted(problems, key=lambda one: source.line(one.place))
        super().__init__("\n".join(source.told(problem) for problem in self.problems))


def read(source: Source, world: World) -> Scenario:
    """The scenario of *source*, fit to be applied to *world*. Raises ScenarioError with all that is wrong with it."""
    problems = list(source.problems)
    scenario: Scenario | None = None
    try:
        scenario = Scenario.model_validate(source.data, strict=True)
    except ValidationError as error:
        mistakes = error.errors(include_url=False)
        problems += map(_shape_problem, mistakes)
        problems += _problems_of_the_rest(source, world, {mistake["loc"] for mistake in mistakes})
    else:
        problems += _Check(scenario, world, source).problems()
    if problems or scenario is None:
        raise ScenarioError(source, problems)
    return scenario


_SECTIONS: Final = ("accounts", "applications", "events")
_SECRETS: Final = {"secret_key", "sign_key"}


def _shape_problem(mistake: Mapping[str, Any]) -> Problem:
    place: Place = mistake["loc"]
    words = mistake["msg"].removeprefix("Value error, ").replace("Input should", "should")
    words = words[:1].lower() + words[1:]
    if mistake["type"] == "missing":
        return Problem(place, "is missing")
    if mistake["type"] in {"model_type", "dict_type"}:
        return Problem(place, f"should be a mapping of keys, not {repr(mistake['input'])[:100]}")
    if mistake["type"] == "extra_forbidden":
        known = _keys(place[:-1])
        close = difflib.get_close_matches(str(place[-1])[:60], known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        return Problem(place, f"is no key of a scenario here; {hint}")
    given = mistake["input"]
    if not isinstance(given, str) and (mistake["type"] == "string_type" or f"'{given}'" in words):
        words += ": put it in quotes"
    shown = "" if not place or place[-1] in _SECRETS else f"{repr(given)[:100]} "
    return Problem(place, shown + words)


_PARTS: Final[Mapping[Place, type[BaseModel]]] = {
    (): Scenario,
    ("config",): ScenarioConfig,
    ("accounts",): ScenarioAccount,
    ("accounts", "config"): ScenarioConfig,
    ("applications",): ScenarioApplication,
    ("applications", "config"): ApplicationSettings,
    ("applications", "templates"): ScenarioTemplate,
    ("applications", "procedures"): ScenarioSnapshots,
    ("applications", "media"): ScenarioMedia,
    ("events",): ScenarioEvent,
}


def _keys(place: Place) -> list[str]:
    """The keys that there are at *place*."""
    return list(_PARTS[tuple(step for step in place if isinstance(step, str))[:2]].model_fields)


def _problems_of_the_rest(source: Source, world: World, mistaken: set[Place]) -> Iterator[Problem]:
    """What is wrong with those entries that have the right shape; the mistaken ones are left out."""
    data = source.data
    if not isinstance(data, dict):
        return
    entries = {name: data[name] for name in _SECTIONS if isinstance(data.get(name), list)}
    kept = {
        name: [number for number in range(len(section)) if not any(place[:2] == (name, number) for place in mistaken)]
        for name, section in entries.items()
    }
    rest = {name: [section[number] for number in kept[name]] for name, section in entries.items()}
    try:
        scenario = Scenario.model_validate(rest, strict=True)
    except ValidationError:  # such as too many entries
        return
    named = {
        str(one["secret_id"]) for one in entries.get("accounts", ()) if isinstance(one, dict) and one.get("secret_id")
    }
    for problem in _Check(scenario, world, source, named).problems():
        match problem.place:
            case (str(section), int(number), *more):
                yield Problem((section, kept[section][number], *more), problem.words)
            case _:  # of a whole section
                yield problem


class _Check:
    """What does not fit about a scenario of the right shape: in itself, and in a world."""

    def __init__(self, scenario: Scenario, world: World, source: Source, named: AbstractSet[str] = frozenset()) -> None:
        self._scenario = scenario
        self._world = world
        self._folder = source.folder
        self._new = {one.secret_id: one for one in scenario.accounts}
        self._named = named
        """SecretIds of the accounts that the scenario has, mistaken ones included."""
        self._settings: dict[str | None, AccountSettings] = {}
        """What the settings of accounts will be, by SecretId."""

    def problems(self) -> Iterator[Problem]:
        yield from self._config_problems()
        yield from self._account_problems()
        yield from self._application_problems()
        yield from self._event_problems()

    def _config_problems(self) -> Iterator[Problem]:
        before = self._world.default.settings
        configs: list[tuple[Place, str | None, AccountSettings, ScenarioConfig]] = [
            (("config",), None, before, self._scenario.config)
        ]
        for number, account in enumerate(self._scenario.accounts):
            settings = AccountSettings.model_construct(**self._world.settings.model_dump(include=_OF_ACCOUNTS))
            configs.append((("accounts", number, "config"), account.secret_id, settings, account.config))
        for place, secret_id, settings, config in configs:
            of_account, _ = split(_changes(config))
            try:
                self._settings[secret_id] = settings.changed(of_account)
            except ValidationError as error:  # beside what was there, such as a file that has gone
                for mistake in error.errors(include_url=False):
                    yield _shape_problem({**mistake, "loc": (*place, *mistake["loc"])})

    def _account_problems(self) -> Iterator[Problem]:
        seen: set[str] = set()
        for number, account in enumerate(self._scenario.accounts):
            place = ("accounts", number, "secret_id")
            if account.secret_id in seen:
                yield Problem(place, f"{account.secret_id!r} is given twice")
            elif self._world.declared(account.secret_id):
                yield Problem(place, f"there is an account {account.secret_id!r} already: delete it first")
            seen.add(account.secret_id)
        if len(self._world.accounts()) + len(seen) > MOST_ACCOUNTS:
            yield Problem(("accounts",), f"with those that there are these are more than {MOST_ACCOUNTS} accounts")

    # --- applications

    def _application_problems(self) -> Iterator[Problem]:
        seen: set[object] = set()
        for number, application in enumerate(self._scenario.applications):
            place = ("applications", number)
            owner = self._owner(application)
            existing: Application | None = None
            if owner is None:
                yield from self._stranger(place, application)
            else:
                key = None if application.sub_app_id == owner.sub_app_id else application.sub_app_id or None
                if (id(owner), key) in seen:
                    yield Problem(place, "is the same application as an entry before it: put both into one")
                seen.add((id(owner), key))
                if isinstance(owner, Account):
                    existing = next((one for one in owner.applications() if one.sub_app_id == key), None)
            yield from self._template_problems(place, application, existing)
            yield from self._media_problems(place, application, existing)

    def _owner(self, part: ScenarioApplication | ScenarioEvent) -> Account | ScenarioAccount | None:
        """Whose it is."""
        if part.account is None:
            return self._world.default
        return self._new.get(part.account) or self._world.declared(part.account)

    def _stranger(self, place: Place, part: ScenarioApplication | ScenarioEvent) -> Iterator[Problem]:
        if part.account is not None and part.account not in self._named:
            close = difflib.get_close_matches(part.account[:128], self._new, n=1)
            hint = f"did you mean {close[0]!r}?" if close else "name it under accounts"
            yield Problem((*place, "account"), f"there is no account {part.account[:128]!r}; {hint}")

    def _template_problems(
        self, place: Place, application: ScenarioApplication, existing: Application | None
    ) -> Iterator[Problem]:
        known = {one.definition for one in existing.templates} if existing else {PRESET}
        before = len(known)
        seen: set[int] = set()
        for number, template in enumerate(application.templates):
            here = (*place, "templates", number, "definition")
            if template.definition == PRESET:
                yield Problem(here, f"{PRESET} is the preset, which stays as it is: choose another number, as 10001")
            elif template.definition in seen:
                yield Problem(here, f"{template.definition} is given twice")
            seen.add(template.definition)
        known |= seen
        if len(known) > max(before, MOST_TEMPLATES + 1):
            yield Problem((*place, "templates"), f"an application may have {MOST_TEMPLATES} templates")
        for name, jobs in application.procedures.items():
            for number, job in enumerate(jobs):
                here = (*place, "procedures", name, number)
                if job.definition not in known:
                    there = ", ".join(map(str, sorted(known)[:20]))
                    yield Problem(
                        (*here, "definition"), f"the application has no template {job.definition}, but {there}"
                    )
                if not job.ext_time_offsets and not job.time_offsets:
                    yield Problem(here, "has no time offsets: give ext_time_offsets or time_offsets")

    def _media_problems(
        self, place: Place, application: ScenarioApplication, existing: Application | None
    ) -> Iterator[Problem]:
        seen: set[str] = set()
        for number, media in enumerate(application.media):
            here = (*place, "media", number)
            if media.file_id in seen:
                yield Problem((*here, "file_id"), f"{media.file_id!r} is given twice")
            seen.add(media.file_id)
            if media.video is not None and not (self._folder / media.video).is_file():
                yield Problem((*here, "video"), f"there is no file {str(self._folder / media.video)!r}")
        if len(seen) + (len(existing.media.declared()) if existing else 0) > MOST_DECLARED:
            yield Problem((*place, "media"), f"an application may have {MOST_DECLARED} media")

    # --- events

    def _event_problems(self) -> Iterator[Problem]:
        sizes: dict[str | None, int] = {}
        at_once = 0
        for number, wish in enumerate(self._scenario.events):
            place = ("events", number)
            if self._owner(wish) is None:
                yield from self._stranger(place, wish)
            if wrong := [Problem((*place, key), words) for key, words in _contradictions(wish)]:
                yield from wrong
                continue
            try:
                size = _size(wish, self._settings_of(wish.account).profile)
            except EventError as error:
                yield Problem((*place, _content_key(wish)), str(error))
                continue
            if wish.every is None:
                at_once += wish.count or 1
                sizes[wish.account] = sizes.get(wish.account, 0) + size * (wish.count or 1)
        if at_once > MOST_EVENTS:
            yield Problem(("events",), f"{at_once} events are more than {MOST_EVENTS}: let them come with every")
        for secret_id, size in sizes.items():
            owed = 0 if secret_id in self._new else self._world.account(secret_id).events.pending_bytes
            if owed + size > self._settings_of(secret_id).pending_bytes:
                whose = "the default account" if secret_id is None else f"account {secret_id}"
                yield Problem(("events",), f"{owed + size} bytes of events in {whose} are more than its pending_bytes")

    def _settings_of(self, secret_id: str | None) -> AccountSettings:
        return self._settings.get(secret_id) or self._world.account(secret_id).settings


def _contradictions(wish: ScenarioEvent) -> Iterator[tuple[str, str]]:
    """Keys that do not go together, and why."""
    if wish.event is not None:
        for name in wish.given(*_OF_A_TASK, "event_type", "set"):
            yield name, "cannot be given beside event, which is whole"
    elif wish.event_type is not None:
        for name in wish.given(*_OF_A_TASK):
            yield name, "cannot be given beside event_type, whose example set changes"
    elif wish.set is not None:
        yield "set", "changes the example of an event_type: name that too"
    elif wish.snapshots is not None:
        for name in wish.given("time_offsets", "failed", "err_code"):
            yield name, "cannot be given beside snapshots, which is the whole list"
    elif wish.failed:
        if strange := sorted({*wish.failed}.difference(wish.time_offsets or ())):
            yield "failed", f"{strange} should be among the time_offsets"
        if wish.err_code == 0:
            yield "err_code", "0 means success: give the failed pictures another one"
    elif wish.err_code is not None:
        yield "err_code", f"{wish.err_code} is for pictures that fail: name their offsets in failed"


def _content_key(wish: ScenarioEvent) -> str:
    """The key that a mistake in the event's content is most likely about."""
    if wish.event_type is not None:
        return "set" if wish.event_type in CARRIERS else "event_type"
    return "snapshots" if wish.event is None else "event"


def _size(wish: ScenarioEvent, profile: Profile) -> int:
    """Bytes of the event, made up as it might be. Raises EventError where it cannot be sent."""
    event_type, structure = wish.whole() or (SNAPSHOT_COMPLETE, SnapshotGenerator("").task(**wish.of_task()))
    if event_type == SNAPSHOT_COMPLETE:
        parse({"EventType": event_type, CARRIERS[event_type]: structure})
    return len(render(event_type, structure, profile))


def _changes(config: BaseModel) -> dict[str, Any]:
    return {name: getattr(config, name) for name in config.model_fields_set}


# --- how it comes to be


async def apply(source: Source, world: World) -> Scenario:
    """Let *world* be as *source* says, too. Raises ScenarioError with all problems before anything has changed."""
    scenario = read(source, world)
    frozen = [world.default] if scenario.frozen else []
    # One step without a pause: nobody sees half a scenario.
    _configure(world.default, scenario.config)
    for wish in scenario.accounts:
        account = _add_account(world, wish)
        frozen += [account] if wish.frozen else []
    for part in scenario.applications:
        _furnish(_application(world, part), part, source.folder)
    for event in scenario.events:
        _arrange(_application(world, event), event)
    for account in frozen:
        await account.clock.freeze()
    return scenario


def _configure(account: Account, config: ScenarioConfig) -> None:
    of_account, of_application = split(_changes(config))
    if of_account:
        account.configure(of_account)
    if of_application:
        account.application().configure(of_application)


def _add_account(world: World, wish: ScenarioAccount) -> Account:
    made_up = 1_500_000_000 + Random(wish.secret_id).randrange(500_000_000)
    return world.add_account(
        secret_id=wish.secret_id,
        secret_key=wish.secret_key,
        sub_app_id=wish.sub_app_id or made_up,
        seed=f"{world.seed}/{wish.secret_id}" if wish.seed is None else wish.seed,
        changes=_changes(wish.config),
    )


def _application(world: World, part: ScenarioApplication | ScenarioEvent) -> Application:
    return world.account(part.account).application(part.sub_app_id)


def _furnish(application: Application, part: ScenarioApplication, folder: Path) -> None:
    if changes := _changes(part.config):
        application.configure(changes)
    now = application.account.clock.epoch()
    for template in part.templates:
        application.templates.add(now, **template.model_dump())
    for name, jobs in part.procedures.items():
        application.procedures[name] = tuple(
            SnapshotJob(job.definition, tuple(job.ext_time_offsets), tuple(job.time_offsets)) for job in jobs
        )
    for media in part.media:
        facts = media.model_dump(exclude_none=True)
        if media.video is not None:
            facts["video"] = str(folder / media.video)
        application.declare_media(**facts)


def _arrange(application: Application, wish: ScenarioEvent) -> None:
    """See to it that the events happen when it is time."""
    whole = wish.whole()

    def emit(delay: float = 0.0) -> None:
        event_type, structure = whole or (SNAPSHOT_COMPLETE, application.snapshot_task(**wish.of_task()))
        try:
            application.emit(event_type, structure, delay=delay)
        except BacklogFull as error:
            log.warning("no event this time: %s", error)

    if wish.every is None:
        with application.together():
            for _ in range(wish.count or 1):
                emit(wish.at)
    else:
        what = f"every {wish.every:g} s an event of the scenario happens"
        application.timetable.repeat(emit, what, first=wish.at, every=wish.every, times=wish.count)

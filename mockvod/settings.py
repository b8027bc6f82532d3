"""Every setting, once: its flag, ``MOCKVOD_…`` variable, key in ``mockvod.toml`` and row in docs/settings.md."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Self, TypeVar, Union, get_args, get_origin

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from mockvod.durations import seconds
from mockvod.problems import did_you_mean
from mockvod.redaction import REDACTED


def _seconds(value: object) -> object:
    if isinstance(value, bool):  # a subclass of int
        raise ValueError("must be seconds, not true or false")  # noqa: TRY004 - pydantic passes on this type only
    return seconds(value) if isinstance(value, str) else value


def _callback_url(value: str) -> str:
    from yarl import URL  # noqa: PLC0415 - 20 ms, which commands without a callback URL do not need

    if value:
        url = URL(value)
        if url.scheme not in {"http", "https"} or not url.host:
            raise ValueError("must be an http:// or https:// URL, or empty")
        if url.password == REDACTED:
            raise ValueError("has a redacted password: give the password itself")
    return value


def _origins(value: str) -> str:
    for origin in filter(None, value.split(",")):
        if not re.fullmatch(r" *https?://[^/ ]+ *", origin):
            raise ValueError("must be origins such as http://localhost:3000, with commas")
    return value


def _file(value: str) -> str:
    if value and not Path(value).is_file():
        raise ValueError("no such file")
    return value


def _interval(value: float) -> float:
    # A shorter interval can be less than the resolution of the clock: the next moment would be the same one.
    if 0 < value < 0.001:
        raise ValueError("must be 0 (never) or at least 1ms")
    return value


def _whole(value: object) -> object:
    """JSON has one kind of number: 16.0 is an integer."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
# Limits come before functions: what follows a function is missing from the OpenAPI document.
Seconds = Annotated[float, Field(ge=0, le=10 * 365 * 86400, allow_inf_nan=False), BeforeValidator(_seconds)]
LongText = Annotated[str, Field(max_length=4096)]
CallbackUrl = Annotated[str, Field(max_length=2048), AfterValidator(_callback_url)]
SignKey = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{0,32}$")]
Switch = Literal["ON", "OFF"]
ErrCodeExt = Annotated[str, Field(pattern=r"^([A-Z][A-Za-z]{0,60}(\.[A-Z][A-Za-z]{0,60})?)?$")]


class _Group(BaseModel):
    """Settings that are read and changed together. Immutable: `changed` makes a copy."""

    # Built when first used: most servers validate only the group that has all settings.
    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    def changed(self, changes: Mapping[str, Any]) -> Self:
        """A copy with *changes*. Raises pydantic's ValidationError."""
        return type(self).model_validate({**self.model_dump(), **changes})


RECIPES = ("duplicate-storm", "out-of-order", "flaky-network", "lost-confirm", "slow-vendor", "throttled")


def _recipes(value: str) -> str:
    for name in filter(None, value.split(",")):
        if name not in RECIPES:
            raise ValueError(f"{name[:60]!r} is not a recipe{did_you_mean(name, RECIPES)}")
    return value


class ApplicationSettings(_Group):
    """Settings of one application (SubAppId), as in ModifyEventConfig."""

    mode: Literal["PULL", "PUSH"] | None = Field(
        None,
        description="PULL: reliable callback. PUSH: normal callback. Not set: PUSH once there is a callback URL.",
    )
    callback_url: CallbackUrl = Field("", description="URL that events are pushed to in PUSH mode.")
    callback_url_v2: CallbackUrl = Field(
        "",
        description="URL for the 2.0 form if callback-format is `both`.",
    )
    sign_key: SignKey = Field(
        "",
        description="SignKey: adds Sign and T to pushed events. At most 32 letters and digits.",
        json_schema_extra={"secret": True},
    )
    upload_media_complete_event_switch: Switch = Field(
        "OFF",
        description="ON: an upload emits NewFileUpload. Events that are emitted explicitly are always sent.",
    )
    delete_media_complete_event_switch: Switch = Field("OFF", description="ON: DeleteMedia emits FileDeleted.")
    persistence_complete_event_switch: Switch = Field(
        "OFF", description="ON: a clip that SimpleHlsClip stores emits PersistenceComplete."
    )

    @property
    def effective_mode(self) -> Literal["PULL", "PUSH"]:
        return self.mode or ("PUSH" if self.callback_url else "PULL")


class AccountSettings(_Group):
    """Settings of an account: how the service behaves for it."""

    auth: Literal["off", "lenient", "strict"] = Field(
        "lenient",
        description="off: signatures are ignored. lenient: checked where the secret key is known. strict: required.",
    )
    strict_service: bool = Field(
        False, description="Whether a TC3 signature must be for the service `vod`, as in the real service."
    )
    profile: Literal["seed", "current", "sparse", "recorded"] = Field(
        "seed",
        description="Keys of an event. seed: 11 with nulls. current: 27 with nulls. sparse: only the one that is set. "
        "recorded: 13 with nulls, as pushes of 2020 and 2021.",
    )
    visibility_timeout: Seconds = Field(
        30.0, description="Seconds a pulled event stays leased; then it is visible again unless confirmed."
    )
    poll_hold: Seconds = Field(5.0, description="Seconds PullEvents blocks if there is no event.")
    pull_limit: Annotated[int, Field(ge=1, le=1000), WHOLE] = Field(
        16, description="Most events per PullEvents, and most handles per ConfirmEvents."
    )
    retention: Seconds = Field(4 * 86400.0, description="Seconds an event stays in the queue before it expires.")
    empty_reply: Literal["error", "null", "empty"] = Field(
        "error",
        description="Response of PullEvents without an event: ResourceNotFound, or an EventSet of null or [].",
    )
    empty_body: Literal["error", "accept"] = Field(
        "error", description="Whether an empty body of application/json is an error, as in the real service."
    )
    pull_in_push_mode: bool = Field(
        False, description="Whether PullEvents returns queued events although the mode is PUSH."
    )
    bad_handle: Literal["skip", "refuse"] = Field(
        "skip",
        description="A batch with an invalid handle: skip confirms the others, refuse none; both return an error.",
    )
    repeated_confirm: Literal["accept", "refuse"] = Field(
        "accept", description="Whether a handle may be confirmed again during its visibility timeout."
    )
    callback_format: Literal["3.0", "2.0", "both"] = Field(
        "3.0", description="Form of pushed events: 3.0, the legacy 2.0, or both (to callback-url and callback-url-v2)."
    )
    callback_timeout: Seconds = Field(5.0, description="Seconds in which a receiver must have responded.")
    callback_retries: Annotated[int, Field(ge=0, le=100), WHOLE] = Field(
        2, description="Retries after an attempt that timed out or got no response."
    )
    callback_pause: Seconds = Field(1.0, description="Seconds between two attempts.")
    callback_retry_on_status: bool = Field(False, description="Whether a status outside 2xx is retried too.")
    callback_concurrency: Annotated[int, Field(ge=1, le=1000), WHOLE] = Field(
        64, description="Most concurrent attempts of one application."
    )
    callback_ca: Annotated[LongText, AfterValidator(_file)] = Field(
        "", description="PEM file with the certificate authority of https receivers. Not set: the system's."
    )
    callback_user_agent: Annotated[str, Field(pattern=r"^[ -~]*$", max_length=256)] = Field(
        "mockvod", description="User-Agent of pushed events."
    )
    sign_in: Literal["body", "query"] = Field(
        "body", description="Where Sign and T go: keys of the body, or the query string of the callback URL."
    )
    failed_url: Literal["empty", "omit"] = Field(
        "empty", description="Url of a failed snapshot: an empty string, or no key."
    )
    task_duration: Seconds = Field(1.0, description="Seconds that a job takes.")
    task_error: ErrCodeExt = Field(
        "", description="ErrCodeExt that every job fails with, such as SourceFileError.ContentMalformed; empty: none."
    )
    strict_media: bool = Field(False, description="Whether only declared media files exist.")
    new_application_delay: Seconds = Field(
        0.0,
        description="Seconds for which calls of an application made by CreateSubAppId return `invalid vod user`.",
    )
    legacy_replay_window: Seconds = Field(
        0.0,
        description="API 2.0: seconds for which a request is valid and its Nonce is remembered; 0: not checked.",
    )
    public_url: LongText = Field(
        "",
        description="Start of every file's address; vendor: Tencent's host. Not set: as the caller reached mockvod.",
    )
    every: Annotated[Seconds, AfterValidator(_interval)] = Field(
        0.0, description="Seconds between events that are emitted automatically; 0: none."
    )
    settle_grace: Annotated[float, Field(ge=0, le=60, allow_inf_nan=False), BeforeValidator(_seconds)] = Field(
        1.0,
        description="Real seconds that a move of the clock waits for a receiver to respond; at most 60.",
    )
    faults: Annotated[str, Field(max_length=1000), AfterValidator(_recipes)] = Field(
        "",
        description="Fault recipes that are active from the start, separated by commas, such as flaky-network.",
        json_schema_extra={"pattern": rf"^(({'|'.join(RECIPES)})(,({'|'.join(RECIPES)}))*)?$"},
    )
    history_events: Annotated[int, Field(ge=0), WHOLE] = Field(
        10_000,
        description="Most events kept in a terminal state (confirmed, delivered, failed, expired, dropped).",
    )
    history_bytes: Annotated[int, Field(ge=0), WHOLE] = Field(
        32 * 1024 * 1024, description="Most bytes of events kept in a terminal state."
    )
    journal_entries: Annotated[int, Field(ge=100), WHOLE] = Field(
        100_000, description="Most entries of the journal, and of all timelines, that are kept."
    )
    journal_bytes: Annotated[int, Field(ge=1024), WHOLE] = Field(
        64 * 1024 * 1024, description="Most bytes of such entries, with 200 for each and its details."
    )
    upload_bytes: Annotated[int, Field(ge=0), WHOLE] = Field(
        1024**3, description="Most bytes of uploaded files that an account keeps on disk, until a reset."
    )
    pending_bytes: Annotated[int, Field(ge=1024), WHOLE] = Field(
        512 * 1024**2,
        description="Most bytes of pending events, which wait to be confirmed or delivered; more are refused.",
    )


Part = TypeVar("Part", ApplicationSettings, AccountSettings)


class Settings(ApplicationSettings, AccountSettings):
    """All settings of a server. New accounts and applications start with its account and application settings."""

    host: LongText = Field(
        "127.0.0.1", description="Address to listen on; 0.0.0.0 for every interface (default in the image)."
    )
    port: Annotated[int, Field(ge=0, le=65535), WHOLE] = Field(
        8266, description="Port to listen on; 0 for any free one."
    )
    secret_id: Annotated[str, Field(max_length=128)] = Field("", description="SecretId whose signatures are checked.")
    secret_key: LongText = Field("", description="Its SecretKey.", json_schema_extra={"secret": True})
    seed: Annotated[int, WHOLE] | None = Field(
        None,
        description="The same seed and calls give the same bytes. Not set: a random one, logged at start.",
    )
    scenario: LongText = Field("", description="Scenario to apply at start: a file, or the name of an example.")
    tls: bool = Field(False, description="Whether every port serves https too.")
    tls_port: Annotated[int, Field(ge=0, le=65535), WHOLE] | None = Field(
        None, description="A second port, such as 443 beside port 80; both serve http and https. Implies tls."
    )
    tls_dir: LongText = Field(
        "", description="Directory of the certificate authority. Not set: the user's state directory."
    )
    tls_names: Annotated[str, Field(max_length=8192)] = Field(
        "", description="Further names that the certificate is valid for, with commas."
    )
    tls_cert: Annotated[LongText, AfterValidator(_file)] = Field(
        "", description="A PEM file with a certificate of your own, in place of one by mockvod's authority."
    )
    tls_key: Annotated[LongText, AfterValidator(_file)] = Field("", description="The PEM file with its private key.")
    console: bool = Field(True, description="Whether to serve the console, a web page, at `/mockvod/`.")
    allowed_origins: Annotated[LongText, AfterValidator(_origins)] = Field(
        "", description="Origins of web pages that may call the server, separated by commas: http://localhost:3000."
    )
    allowed_hosts: LongText = Field(
        "", description="Host names accepted in addition to local ones, separated by commas; *: any."
    )
    allow_link_local: bool = Field(
        False, description="Whether callback URLs may lead to link-local addresses, such as 169.254.169.254."
    )
    log_format: Literal["text", "json"] = Field("text", description="Format of the log on standard error.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="Lowest level to log.")
    access_log: bool = Field(False, description="Whether to log a line for each request.")

    @model_validator(mode="after")
    def _pairs(self) -> Self:
        if bool(self.secret_id) != bool(self.secret_key):
            given, other = ("secret-id", "secret-key") if self.secret_id else ("secret-key", "secret-id")
            raise ValueError(f"{given} is given without {other}: give both, or neither")
        return self

    def account(self) -> AccountSettings:
        return self._part(AccountSettings)

    def application(self) -> ApplicationSettings:
        return self._part(ApplicationSettings)

    def _part(self, group: type[Part]) -> Part:
        # Not validated again: the models of the groups would have to be built first.
        return group.model_construct(**{name: getattr(self, name) for name in group.model_fields})


class Definition(NamedTuple):
    """One setting as documentation, `--help` and the control API show it."""

    name: str
    kind: str
    default: str
    description: str
    secret: bool

    @property
    def flag(self) -> str:
        return "--" + self.key

    @property
    def variable(self) -> str:
        return "MOCKVOD_" + self.name.upper()

    @property
    def key(self) -> str:
        return self.name.replace("_", "-")


def names() -> list[str]:
    """Names of all settings, the server's own first."""
    own = [name for name in Settings.__annotations__ if name in Settings.model_fields]
    return [*own, *ApplicationSettings.model_fields, *AccountSettings.model_fields]


def definitions() -> Iterator[Definition]:
    """Every setting, the server's own first."""
    for name in names():
        field = Settings.model_fields[name]
        extra = field.json_schema_extra
        default = "" if field.default is None else field.default
        yield Definition(
            name=name,
            kind=_kind(field.annotation),
            default=_plain(default),
            description=field.description or "",
            secret=isinstance(extra, dict) and bool(extra.get("secret")),
        )


def _kind(annotation: Any) -> str:
    """What a value looks like: `a|b|c`, `true|false`, `seconds`, `number`, `text`."""
    if get_origin(annotation) in {Union, UnionType}:  # … or None
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    if get_origin(annotation) is Literal:
        return "|".join(get_args(annotation))
    return {bool: "true|false", float: "seconds", int: "number"}.get(annotation, "text")


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)

"""Types of keyword arguments: settings, faults and their parameters. Made by `make docs`; do not edit."""

from typing import Literal, TypedDict

Duration = float | str
"""Seconds, or a duration such as `500ms`, `30s`, `5m`."""


class When(TypedDict, total=False):
    """When a fault applies, counting the items in its scope: exactly one of these."""

    always: Literal[True]
    probability: float
    """From 0 to 1."""
    nth: int
    first: int
    every: int
    until: Duration
    """For this long on the account's clock."""


class Scope(TypedDict, total=False):
    """What a fault applies to; docs/faults.md says which fault takes which."""

    sub_app_id: int
    """0 is the default application."""
    event_type: str
    action: str
    file_id: str


FaultName = Literal[
    "duplicate",
    "reorder",
    "delay",
    "drop",
    "early",
    "burst",
    "redeliver-early",
    "lose-confirm",
    "fail-confirm",
    "stale-handle",
    "empty-pull",
    "fewer",
    "swap-order",
    "error",
    "throttle",
    "http-status",
    "latency",
    "reset",
    "empty-answer",
    "truncated",
    "garbage",
    "dribble",
    "wrong-content-type",
    "wrong-sign",
    "expired-sign",
    "truncated-body",
    "malformed-body",
    "slow-sending",
    "close-midway",
    "repeat",
]
RecipeName = Literal[
    "duplicate-storm",
    "out-of-order",
    "flaky-network",
    "lost-confirm",
    "slow-vendor",
    "throttled",
]


class FaultParameters(TypedDict, total=False):
    """Parameters of faults; docs/faults.md says which fault has which."""

    after: Duration
    """Of duplicate, redeliver-early, repeat."""
    at_most: Duration | int
    """Of delay, latency, fewer."""
    code: str
    """Of fail-confirm, error."""
    content_type: str
    """Of wrong-content-type."""
    copies: int
    """Of duplicate."""
    count: int
    """Of reorder, burst."""
    distribution: Literal["fixed", "uniform", "lognormal"]
    """Of delay, latency."""
    done: bool
    """Of error, http-status, reset, empty-answer, garbage."""
    length: int
    """Of garbage."""
    message: str | None
    """Of error."""
    pieces: int
    """Of dribble."""
    rate: int
    """Of throttle."""
    seconds: Duration
    """Of reorder, delay, burst, latency, dribble, expired-sign, slow-sending."""
    share: float
    """Of truncated, truncated-body, close-midway."""
    sigma: float
    """Of delay, latency."""
    status: Literal[500, 502, 503, 504]
    """Of http-status."""
    times: int
    """Of repeat."""


class Config(TypedDict, total=False):
    """Settings of an account and its applications."""

    mode: Literal["PULL", "PUSH"] | None
    """PULL: reliable callback. PUSH: normal callback. Not set: PUSH once there is a callback URL."""
    callback_url: str
    """Where events are pushed to in PUSH mode."""
    callback_url_v2: str
    """Where the 2.0 form goes when callback-format is `both`."""
    sign_key: str
    """SignKey: adds Sign and T to pushed events. At most 32 letters and digits."""
    upload_media_complete_event_switch: Literal["ON", "OFF"]
    """Kept and answered; an event that is emitted by hand is notified all the same."""
    delete_media_complete_event_switch: Literal["ON", "OFF"]
    """As upload-media-complete-event-switch."""
    persistence_complete_event_switch: Literal["ON", "OFF"]
    """As upload-media-complete-event-switch."""
    auth: Literal["off", "lenient", "strict"]
    """off: signatures are ignored. lenient: checked where the secret key is known. strict: required."""
    strict_service: bool
    """Whether a TC3 signature must be made for the service `vod`, as the real service demands."""
    profile: Literal["seed", "current", "sparse", "recorded"]
    """Keys of an event. seed: 11 with nulls. current: 27 with nulls. sparse: only the one that is set. recorded: 13
    with nulls, as pushes of 2020 and 2021.
    """
    visibility_timeout: Duration
    """Seconds for which a pulled event is hidden until it must be confirmed."""
    poll_hold: Duration
    """Seconds for which PullEvents waits for an event."""
    pull_limit: int
    """Most events in one answer of PullEvents, and most handles in one ConfirmEvents."""
    retention: Duration
    """Seconds for which an event waits to be pulled before it expires."""
    empty_reply: Literal["error", "null", "empty"]
    """What PullEvents answers when there is nothing: ResourceNotFound, or an EventSet of null or []."""
    empty_body: Literal["error", "accept"]
    """Whether an empty body of application/json is an error, as in the real service."""
    pull_in_push_mode: bool
    """Whether PullEvents serves what is queued although the mode is PUSH."""
    bad_handle: Literal["skip", "refuse"]
    """A batch with a bad handle: skip confirms the others, refuse none; either is an error."""
    repeated_confirm: Literal["accept", "refuse"]
    """Whether a handle may be confirmed again while its 30 s last."""
    callback_format: Literal["3.0", "2.0", "both"]
    """Form of pushed events: 3.0, the legacy 2.0, or both (to callback-url and callback-url-v2)."""
    callback_timeout: Duration
    """Seconds in which a receiver must have answered."""
    callback_retries: int
    """Further attempts after one that timed out or could not connect."""
    callback_pause: Duration
    """Seconds between two attempts."""
    callback_retry_on_status: bool
    """Whether an answer outside 2xx is tried again too."""
    callback_concurrency: int
    """Most attempts of one application under way at once."""
    callback_ca: str
    """A PEM file with the certificate authority that https receivers are checked against."""
    callback_user_agent: str
    """User-Agent of pushed events."""
    sign_in: Literal["body", "query"]
    """Where Sign and T go: keys of the body, or the query string of the callback URL."""
    failed_url: Literal["empty", "omit"]
    """Url of a failed snapshot: an empty string, or no key."""
    task_duration: Duration
    """Seconds that a snapshot job takes."""
    task_error: str
    """ErrCodeExt that every job fails with, such as SourceFileError.ContentMalformed; empty: none."""
    strict_media: bool
    """Whether only media that were declared exist."""
    legacy_replay_window: Duration
    """API 2.0: how old a request may be, and for how long its Nonce is remembered; 0: not looked at."""
    public_url: str
    """Start of every file's address; vendor: Tencent's host. Not set: as the caller reached mockvod."""
    every: Duration
    """Emits one event every so many seconds; 0: none."""
    settle_grace: Duration
    """Real seconds that a moved clock grants a receiver under way before it moves past it."""
    faults: str
    """What misbehaves on purpose: recipes such as flaky-network, with commas. Empty: nothing."""
    history_events: int
    """Most events that are over (confirmed, delivered, failed, expired, dropped) kept to be looked up."""
    history_bytes: int
    """Most bytes of such events."""
    journal_entries: int
    """Most entries of the journal, and of all timelines, that are kept."""
    journal_bytes: int
    """Most bytes of such entries, with 200 for each and its details."""
    upload_bytes: int
    """Most bytes of uploaded files that one application keeps on disk, until a reset."""
    pending_bytes: int
    """Most bytes of pending events, which wait to be confirmed or delivered; more are refused."""


class ServerConfig(Config, total=False):
    """Settings of a server and of what is in it."""

    host: str
    """Address to listen on; 0.0.0.0 for every interface, as in the image."""
    port: int
    """Port to listen on; 0 for any free one."""
    secret_id: str
    """SecretId whose signatures are checked."""
    secret_key: str
    """Its SecretKey."""
    seed: int | None
    """The same seed and calls give the same bytes. Not set: a new one, logged at start."""
    scenario: str
    """Scenario to begin with: a file, or the name of an example."""
    tls: bool
    """Whether every port serves https too."""
    tls_port: int | None
    """A second port, such as 443 beside port 80; both serve http and https. Implies tls."""
    tls_dir: str
    """Directory of the certificate authority. Not set: the user's state directory."""
    tls_names: str
    """Further names that the certificate is valid for, with commas."""
    tls_cert: str
    """A PEM file with a certificate of your own, in place of one by mockvod's authority."""
    tls_key: str
    """The PEM file with its private key."""
    console: bool
    """Whether the console, a page for the browser, is served at `/mockvod/`."""
    allowed_origins: str
    """Origins of web pages that may call the server, with commas, such as http://localhost:3000."""
    allowed_hosts: str
    """Host names by which the server is called, with commas, beside local ones; *: any."""
    allow_link_local: bool
    """Whether callback URLs may lead to link-local addresses, such as 169.254.169.254."""
    log_format: Literal["text", "json"]
    """Form of the log on standard error."""
    log_level: Literal["debug", "info", "warning", "error"]
    """Least important lines to log."""
    access_log: bool
    """Whether to log a line for each request."""

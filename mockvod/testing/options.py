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
    """URL that events are pushed to in PUSH mode."""
    callback_url_v2: str
    """URL for the 2.0 form if callback-format is `both`."""
    sign_key: str
    """SignKey: adds Sign and T to pushed events. At most 32 letters and digits."""
    upload_media_complete_event_switch: Literal["ON", "OFF"]
    """ON: an upload emits NewFileUpload. Events that are emitted explicitly are always sent."""
    delete_media_complete_event_switch: Literal["ON", "OFF"]
    """ON: DeleteMedia emits FileDeleted."""
    persistence_complete_event_switch: Literal["ON", "OFF"]
    """ON: a clip that SimpleHlsClip stores emits PersistenceComplete."""
    auth: Literal["off", "lenient", "strict"]
    """off: signatures are ignored. lenient: checked where the secret key is known. strict: required."""
    strict_service: bool
    """Whether a TC3 signature must be for the service `vod`, as in the real service."""
    profile: Literal["seed", "current", "sparse", "recorded"]
    """Keys of an event. seed: 11 with nulls. current: 27 with nulls. sparse: only the one that is set. recorded: 13
    with nulls, as pushes of 2020 and 2021.
    """
    visibility_timeout: Duration
    """Seconds a pulled event stays leased; then it is visible again unless confirmed."""
    poll_hold: Duration
    """Seconds PullEvents blocks if there is no event."""
    pull_limit: int
    """Most events per PullEvents, and most handles per ConfirmEvents."""
    retention: Duration
    """Seconds an event stays in the queue before it expires."""
    empty_reply: Literal["error", "null", "empty"]
    """Response of PullEvents without an event: ResourceNotFound, or an EventSet of null or []."""
    empty_body: Literal["error", "accept"]
    """Whether an empty body of application/json is an error, as in the real service."""
    pull_in_push_mode: bool
    """Whether PullEvents returns queued events although the mode is PUSH."""
    bad_handle: Literal["skip", "refuse"]
    """A batch with an invalid handle: skip confirms the others, refuse none; both return an error."""
    repeated_confirm: Literal["accept", "refuse"]
    """Whether a handle may be confirmed again during its visibility timeout."""
    callback_format: Literal["3.0", "2.0", "both"]
    """Form of pushed events: 3.0, the legacy 2.0, or both (to callback-url and callback-url-v2)."""
    callback_timeout: Duration
    """Seconds in which a receiver must have responded."""
    callback_retries: int
    """Retries after an attempt that timed out or got no response."""
    callback_pause: Duration
    """Seconds between two attempts."""
    callback_retry_on_status: bool
    """Whether a status outside 2xx is retried too."""
    callback_concurrency: int
    """Most concurrent attempts of one application."""
    callback_ca: str
    """PEM file with the certificate authority of https receivers. Not set: the system's."""
    callback_user_agent: str
    """User-Agent of pushed events."""
    sign_in: Literal["body", "query"]
    """Where Sign and T go: keys of the body, or the query string of the callback URL."""
    failed_url: Literal["empty", "omit"]
    """Url of a failed snapshot: an empty string, or no key."""
    task_duration: Duration
    """Seconds that a job takes."""
    task_error: str
    """ErrCodeExt that every job fails with, such as SourceFileError.ContentMalformed; empty: none."""
    strict_media: bool
    """Whether only declared media files exist."""
    new_application_delay: Duration
    """Seconds for which calls of an application made by CreateSubAppId return `invalid vod user`."""
    legacy_replay_window: Duration
    """API 2.0: seconds for which a request is valid and its Nonce is remembered; 0: not checked."""
    public_url: str
    """Start of every file's address; vendor: Tencent's host. Not set: as the caller reached mockvod."""
    every: Duration
    """Seconds between events that are emitted automatically; 0: none."""
    settle_grace: float
    """Real seconds that a move of the clock waits for a receiver to respond; at most 60."""
    faults: str
    """Fault recipes that are active from the start, separated by commas, such as flaky-network."""
    history_events: int
    """Most events kept in a terminal state (confirmed, delivered, failed, expired, dropped)."""
    history_bytes: int
    """Most bytes of events kept in a terminal state."""
    journal_entries: int
    """Most entries of the journal, and of all timelines, that are kept."""
    journal_bytes: int
    """Most bytes of such entries, with 200 for each and its details."""
    upload_bytes: int
    """Most bytes of uploaded files that an account keeps on disk, until a reset."""
    pending_bytes: int
    """Most bytes of pending events, which wait to be confirmed or delivered; more are refused."""


class ServerConfig(Config, total=False):
    """Settings of a server and of what is in it."""

    host: str
    """Address to listen on; 0.0.0.0 for every interface (default in the image)."""
    port: int
    """Port to listen on; 0 for any free one."""
    secret_id: str
    """SecretId whose signatures are checked."""
    secret_key: str
    """Its SecretKey."""
    seed: int | None
    """The same seed and calls give the same bytes. Not set: a random one, logged at start."""
    scenario: str
    """Scenario to apply at start: a file, or the name of an example."""
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
    """Whether to serve the console, a web page, at `/mockvod/`."""
    allowed_origins: str
    """Origins of web pages that may call the server, separated by commas: http://localhost:3000."""
    allowed_hosts: str
    """Host names accepted in addition to local ones, separated by commas; *: any."""
    allow_link_local: bool
    """Whether callback URLs may lead to link-local addresses, such as 169.254.169.254."""
    log_format: Literal["text", "json"]
    """Format of the log on standard error."""
    log_level: Literal["debug", "info", "warning", "error"]
    """Lowest level to log."""
    access_log: bool
    """Whether to log a line for each request."""

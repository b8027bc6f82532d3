"""Commands that check whether a server is ready, and why nothing arrives."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from time import monotonic, sleep  # real time: how long a person or a container waits
from typing import Any

from mockvod.cli.command import ALL_APPLICATIONS, JSON, SERVER, Failure, Options, command, duration, option
from mockvod.cli.connection import client, server_url
from mockvod.cli.output import GREEN, RED, YELLOW, paint, progress, say, show
from mockvod.testing.client import Client
from mockvod.testing.shapes import Diagnosis, MockVodError, Unreachable

TITLE = "Health"


@command(
    "health",
    "Say whether a server is ready: exit code 0, or 1.",
    SERVER,
    option("--wait", action="store_true", help="wait until it is ready"),
    option("--timeout", type=duration, default=30.0, metavar="SECONDS", help="the limit for --wait (default 30)"),
    JSON,
)
def health(options: Options) -> None:
    url = options.url or server_url()
    deadline = monotonic() + (options.timeout if options.wait else 0.0)
    with progress(f"waiting for {url} …"):
        while (problem := _problem(url)) and monotonic() < deadline:
            sleep(0.05)
    if problem:
        raise Failure(problem)
    show(options, {"url": url, "status": "ready"}, ["ready"])


def _problem(url: str) -> str:
    try:
        with Client(url) as connected:
            connected.ready()
    except MockVodError as error:
        return f"the server at {url} is starting or stopping" if error.status == 503 else str(error)
    return ""


@command(
    "doctor",
    "Say why nothing arrives: exit code 0 if no problem was found, else 1.",
    ALL_APPLICATIONS,
    option("--callback-url", metavar="URL", help="connect to this callback URL from here; no event is sent"),
    option("--from-server", action="store_true", help="let the server connect to the application's callback URL"),
    JSON,
)
def doctor(options: Options) -> None:
    if options.callback_url and options.from_server:
        raise Failure("--callback-url and --from-server exclude each other", 2)
    probe = _probe(options.callback_url) if options.callback_url else None
    try:
        with client(options) as connected:
            diagnosis = connected.diagnosis(probe=options.from_server)
    except Failure as failure:
        if probe is None or not isinstance(failure.__context__, Unreachable):
            raise
        say(f"only the callback URL was checked: {failure}")
        diagnosis = Diagnosis([])
    probe = probe or diagnosis.probe
    causes = [asdict(one) for one in diagnosis.findings]
    show(options, {"findings": causes, "probe": probe}, [*_probe_lines(probe), *_cause_lines(diagnosis)])
    if causes or (probe is not None and not probe["ok"]):
        raise Failure("", 1)


def _cause_lines(diagnosis: Diagnosis) -> Iterator[str]:
    for cause in diagnosis.findings:
        yield f"{paint(cause.code, YELLOW)}: {cause.message}"
    if not diagnosis.findings:
        yield str(diagnosis)


def _probe(url: str) -> dict[str, Any]:
    import asyncio  # here and below: 300 ms that `health` does not need

    from mockvod.http.control.probe import probe

    try:
        return asyncio.run(probe(url)).as_json()
    except ValueError as error:
        raise Failure(str(error), code=2) from None


def _probe_lines(probe: Mapping[str, Any] | None) -> Iterator[str]:
    if probe is None:
        return
    for one in probe["addresses"]:
        outcome = paint(one["outcome"], GREEN if one["outcome"] == "connected" else RED)
        yield f"{one['address']} ({one['family']}): {outcome}, {one['seconds']:.3f} s"
    within = "" if probe["seconds"] is None else f", {probe['seconds']:.3f} s"
    yield f"{probe['url']}: {probe['message']}{within}"

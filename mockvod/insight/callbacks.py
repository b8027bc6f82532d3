"""Explains why a callback URL cannot be reached, or why it rejects events: for the diagnosis and for the probe."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from yarl import URL

from mockvod.engine.attempt import Attempt

Verdict = Literal["answers", "name_not_found", "refused", "other_loopback", "tls", "timeout", "broken_answer", "status"]
"""The result of checking a callback URL."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Facts about the machine that the server runs on."""

    in_container: bool = False
    requested_locally: bool = False
    """Whether the request for the diagnosis came over the loopback interface: its sender runs in the same container."""
    listening: Mapping[str, str] = field(default_factory=dict)
    """The loopback address that accepts connections at the port of a callback URL that refuses them."""


def in_container(root: Path = Path("/")) -> bool:
    """Whether this process runs in a container, by the file system under *root*."""
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


def explain(
    url: str, attempt: Attempt, surroundings: Surroundings, *, was_reached: bool = False
) -> Iterator[tuple[str, str]]:
    """The code and the explanation of a failed attempt, the most likely cause first.

    *was_reached* tells whether another attempt got a connection to the same URL.
    """
    kind = attempt.outcome.partition(":")[0]
    host = URL(url).host
    if kind == "cannot connect":
        yield from _refused(url, surroundings, was_reached=was_reached)
        return
    if kind == "name not found":
        code = "name_not_found"
        message = (
            f"the host name {host} of the callback URL cannot be resolved from where mockvod runs. In Compose use the "
            "service's name, and put both into one network; host.docker.internal needs extra_hosts (host-gateway) on "
            "Linux"
        )
    elif kind == "TLS":
        code = "tls"
        message = (
            f"the TLS handshake with {url} failed: use a certificate for {host} from an authority that mockvod trusts "
            "(callback-ca names a PEM file), or use http://"
        )
    elif kind == "timeout":
        code = "callback_timeout"
        message = (
            f"{url} accepts the connection but does not respond in time: respond first and process afterwards. A "
            "firewall that drops packets looks the same"
        )
    elif attempt.error is None:
        code = "callback_status"
        message = f"{url} responded with status {attempt.status}: {advice_on_status(attempt.status or 0)}"
    elif kind in {"connection closed", "connection reset", "broken response", "invalid HTTP response"}:
        code = "broken_answer"
        message = (
            f"the receiver at {url} accepts connections but does not respond with HTTP ({attempt.error}): is it "
            "another service's port, or does the application crash? See its log"
        )
    else:
        code, message = "attempt_failed", f"mockvod could not send to {url}: {attempt.error}"
    yield code, message


def _refused(url: str, surroundings: Surroundings, *, was_reached: bool) -> Iterator[tuple[str, str]]:
    host, port = URL(url).host, URL(url).port
    if other := surroundings.listening.get(url):
        yield "other_loopback", other_loopback(url, other)
        return
    not_running = (
        f"nothing listens on {host} port {port}: start the application before events happen, and let it listen on this "
        "port and on an address that mockvod can reach (in a container 0.0.0.0, not 127.0.0.1)"
    )
    other_container = (
        f"mockvod runs in a container, where {host} is that container and not your machine: use the application's "
        "service name in Compose, host.docker.internal for an application on the host, or run mockvod with "
        "--network host"
    )
    found = [("refused", not_running)]
    if surroundings.in_container and is_loopback(host) and not was_reached:
        # A caller in the same container has most likely started the application there too.
        found.insert(1 if surroundings.requested_locally else 0, ("localhost_in_container", other_container))
    yield from found


def other_loopback(url: str, other: str) -> str:
    return (
        f"{url} refuses connections, but {other} port {URL(url).port} accepts them: 127.0.0.1 and ::1 are different "
        f"addresses, and localhost may mean either. Use {other} in the URL, or let the application listen on both"
    )


def advice_on_status(status: int) -> str:
    """What a status outside 2xx usually means."""
    if 300 <= status < 400:
        return "redirects are not followed: use the address that it redirects to"
    if status in {401, 403}:
        return "events carry no credentials: let the callback path through, and check Sign instead (sign-key)"
    if status in {404, 405}:
        return "check the path of the callback URL, and that it accepts POST"
    if status >= 500:
        return "the application failed: see its log"
    return "only 2xx acknowledges an event"

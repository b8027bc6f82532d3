"""How commands reach a running server."""

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from inspect import signature
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

from mockvod.cli.command import Failure, Options
from mockvod.testing.client import Client
from mockvod.testing.shapes import MockVodError

Result = TypeVar("Result")


def server_url() -> str:
    """The variable MOCKVOD_URL, else where a server with the configured host and port listens.

    So `mockvod health` finds the server of its own container. It reads host and port without the settings' checks,
    which take 100 ms to import; an invalid value counts as not set.
    """
    if url := os.environ.get("MOCKVOD_URL"):
        return url
    file = _file()
    host = os.environ.get("MOCKVOD_HOST") or str(file.get("host", ""))
    host = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - where to reach it
    port = next((one for one in (os.environ.get("MOCKVOD_PORT"), file.get("port")) if _is_port(one)), "8266")
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _is_port(value: object) -> bool:
    """Kubernetes sets MOCKVOD_PORT to `tcp://…` for a service named mockvod. With port 0 the port is unknown."""
    return str(value).isdigit() and 0 < int(str(value)) < 65536


def _file() -> Mapping[str, Any]:
    path = Path(os.environ.get("MOCKVOD_CONFIG") or "mockvod.toml")
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        return {}


@contextmanager
def client(options: Options) -> Iterator[Client]:
    """A client for the account and application of *options*. In the block, a rejected call becomes a Failure."""
    scope = {name: getattr(options, name, None) for name in ("secret_id", "sub_app_id")}
    try:
        with Client(options.url or server_url(), **scope) as connected:
            yield connected
    except MockVodError as error:
        raise Failure(str(error)) from None


def ask(options: Options, call: Callable[[Client], Result]) -> Result:
    """The result of one call."""
    with client(options) as connected:
        return call(connected)


def console_link(connected: Client, event_id: str = "") -> str:
    """The address of the console that shows this event, or the list of events; empty if the server has no console."""
    path = connected.server_info().get("console")
    if not path:
        return ""
    scope = {"app": connected.sub_app_id, "account": connected.secret_id}
    query = urlencode({name: value for name, value in scope.items() if value is not None})
    place = f"/{event_id}" if event_id else ""
    return f"{connected.url}{path}#/events{place}{query and '?' + query}"


def arguments(options: Options, method: Callable[..., object]) -> dict[str, Any]:
    """The arguments of a client's *method* that *options* have, by the same names."""
    given = {name: getattr(options, name, None) for name in signature(method).parameters}
    return {name: value for name, value in given.items() if value is not None}

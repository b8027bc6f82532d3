"""The account of one test: what the application under test is given, and the calls of the control API."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack
from urllib.parse import urlsplit

from mockvod.testing.client import AsyncClient, Client, _Base
from mockvod.testing.options import Config
from mockvod.testing.shapes import BAD, AccountInfo, MockVodError

if TYPE_CHECKING:
    import pytest

    from mockvod.testing.server import MockVod, Server

MOST_EVENTS = 20
"""Events whose timelines a report shows."""


class _Account(_Base):
    """An application that signs with `secret_id` and `secret_key` uses the account."""

    secret_id: str
    sub_app_id: int
    """The SubAppId of the account's default application. Without a SubAppId it is meant, too."""

    def __init__(self, url: str, info: AccountInfo, server: "MockVod | Server | None" = None) -> None:
        super().__init__(url, secret_id=info.secret_id, sub_app_id=info.sub_app_id)
        self.server = server
        self.info = info
        self.secret_key = info.secret_key
        self.seed = info.seed

    @property
    def endpoint(self) -> str:
        """`host:port`, as SDKs expect it."""
        return urlsplit(self.url).netloc

    @property
    def https_endpoint(self) -> str:
        """`host:port` for https, which needs the setting `tls`: a port serves both."""
        return self.endpoint

    @property
    def ca_file(self) -> Path:
        """A PEM file with the certificate that clients of https must trust. Raises MockVodError without `tls`."""
        if self.server is None:
            raise RuntimeError("ca_file is known to the account of the fixture mockvod only")
        return self.server.ca_file

    @property
    def _scope(self) -> Mapping[str, Any]:
        return {"secret_id": self.secret_id}  # all applications


class Account(_Account, Client):
    """An account, and the calls of `Client` for it."""


class AsyncAccount(_Account, AsyncClient):
    """An account, and the calls of `AsyncClient` for it."""


class AccountOptions(Config, total=False):
    """How a test's account starts: arguments of the marker `mockvod`."""

    seed: int
    """The same seed gives the same ids."""
    frozen: bool
    """Whether the clock is frozen."""
    secret_id: str
    secret_key: str
    sub_app_id: int


def mark(**options: Unpack[AccountOptions]) -> "pytest.MarkDecorator":
    """`@mark(frozen=True)` is `@pytest.mark.mockvod(frozen=True)`, with types and completion."""
    import pytest  # `mockvod.testing` is used without pytest, too

    return pytest.mark.mockvod(**options)


class MarkError(Exception):
    """The marker has an unknown argument; the message names it."""


def account_options(marks: Iterable[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments of `make_account` for *settings* of all tests, overridden by each of *marks* in turn.

    Settings of the server alone (`port`, `log_level`, …) are left out. Raises MarkError.
    """
    config = {name: value for name, value in settings.items() if name in Config.__annotations__}
    options: dict[str, Any] = {}
    known = AccountOptions.__annotations__
    for mark in marks:
        for name, value in mark.items():
            if name not in known:
                from mockvod.problems import did_you_mean  # pydantic's 100 ms, for errors only

                raise MarkError(f"unknown argument {name!r}{did_you_mean(name, known)}")
            (config if name in Config.__annotations__ else options)[name] = value
    return {**options, "config": config}


def failure_report(account: Account) -> str:
    """What is wrong in the account and what happened, for the report of a failed test: the likely cause first."""
    try:
        findings = account.diagnosis().findings
        events, journal = account.events(), account.journal(limit=10_000)
    except MockVodError as error:
        return f"no report: {error}"
    bad = [one for one in findings if one.severity in BAD]
    lines = [f"{one.code}: {one.message}" for one in bad or findings]
    lines += [f"account {account.secret_id}; @pytest.mark.mockvod(seed={account.seed!r}) repeats its ids"]
    for event in events[:MOST_EVENTS]:
        timeline = [entry for entry in journal if entry.get("event") == event.id]
        lines += [str(replace(event, timeline=timeline))]
    if not events:
        lines.append("there were no events")
    if len(events) > MOST_EVENTS:
        lines.append(f"… and {len(events) - MOST_EVENTS} more events")
    return "\n".join(lines)

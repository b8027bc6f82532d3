"""An account of a test's own: what the application under test must be given, and the calls of the control API."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from mockvod.testing.client import AsyncClient, Client, _Base
from mockvod.testing.shapes import AccountInfo, Event, MockVodError

MOST_TOLD = 20
"""Events of one test whose timelines a report shows."""


class _Account(_Base):
    """What is the same for both: an application that signs with `secret_id` and `secret_key` lands in the account."""

    secret_id: str
    sub_app_id: int
    """Any SubAppId will do, and none; this one means the account's default application."""

    def __init__(self, url: str, info: AccountInfo) -> None:
        super().__init__(url, secret_id=info.secret_id, sub_app_id=info.sub_app_id)
        self.info = info
        self.secret_key = info.secret_key
        self.seed = info.seed

    @property
    def endpoint(self) -> str:
        """`host:port`, as SDKs want it."""
        return urlsplit(self.url).netloc

    @property
    def _scope(self) -> Mapping[str, Any]:
        return {"secret_id": self.secret_id}  # the calls are about all applications of the account


class Account(_Account, Client):
    """An account, and the calls of `Client` for it."""


class AsyncAccount(_Account, AsyncClient):
    """An account, and the calls of `AsyncClient` for it."""


class BadWish(Exception):
    """An account cannot be made as a test asks; the message says what to mend."""


def wishes(marks: list[Mapping[str, Any]], settings: Mapping[str, Any]) -> dict[str, Any]:
    """What POST /mockvod/v1/accounts is told: *settings* for all tests, then each of *marks*, the last one winning.

    Settings of the server itself (`port`, `log_level`, …) mean nothing to an account and are left out. Raises BadWish.
    """
    from mockvod.problems import did_you_mean
    from mockvod.settings import AccountSettings, ApplicationSettings

    own = ("seed", "frozen", "secret_id", "secret_key", "sub_app_id")
    configurable = [*ApplicationSettings.model_fields, *AccountSettings.model_fields]
    config = {name: value for name, value in settings.items() if name in configurable}
    asked: dict[str, Any] = {}
    for mark in marks:
        for name, value in mark.items():
            if name in own:
                asked[name] = value
            elif name in configurable:
                config[name] = value
            else:
                raise BadWish(
                    f"@pytest.mark.mockvod: unknown argument {name!r}{did_you_mean(name, [*own, *configurable])}"
                )
    return {**asked, "config": config}


def told(account: Account) -> str:
    """What happened to the account's events, for a person who asks why a test failed."""
    try:
        events, journal, clock = account.events(), account.journal(limit=10_000), account.clock()
    except MockVodError as error:
        return f"what happened cannot be told: {error}"
    lines = [f"account {account.secret_id}; the same ids come again with @pytest.mark.mockvod(seed={account.seed!r})"]
    lines += [str(_with_timeline(event, journal)) for event in events[:MOST_TOLD]]
    if not events:
        lines.append("no event has happened in it")
    if len(events) > MOST_TOLD:
        lines.append(f"… and {len(events) - MOST_TOLD} more events")
    if clock.hint:
        lines.append(clock.hint)
    return "\n".join(lines)


def _with_timeline(event: Event, journal: list[dict[str, Any]]) -> Event:
    return replace(event, timeline=[entry for entry in journal if entry.get("event") == event.id])

"""What test code imports: a server in a thread, clients of its control API, their results and errors.

Installing mockvod makes its pytest fixtures available (`mockvod.testing.plugin`). The container for Testcontainers is
`mockvod.testing.container.MockVodContainer`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockvod.testing.account import Account, AccountOptions, AsyncAccount, mark
    from mockvod.testing.client import AsyncClient, AsyncClock, Client, Clock
    from mockvod.testing.history import History, Oddity
    from mockvod.testing.options import Config, FaultName, FaultParameters, RecipeName, Scope, ServerConfig, When
    from mockvod.testing.server import MockVod, Server
    from mockvod.testing.shapes import (
        AccountInfo,
        ClockState,
        Diagnosis,
        Entry,
        Event,
        Fault,
        Finding,
        Media,
        MockVodError,
        Report,
        State,
        States,
        Unreachable,
        Upload,
        WaitTimeout,
    )

__all__ = [
    "Account", "AccountInfo", "AccountOptions", "AsyncAccount", "AsyncClient", "AsyncClock", "Client",
    "Clock", "ClockState", "Config", "Diagnosis", "Entry", "Event", "Fault", "FaultName", "FaultParameters",
    "Finding", "History", "Media", "MockVod", "MockVodError", "Oddity", "RecipeName", "Report", "Scope", "Server",
    "ServerConfig", "State", "States", "Unreachable", "Upload", "WaitTimeout", "When", "mark",
]  # fmt: skip

# Imported on first use: pytest imports this package in every run, even if no test uses it.
_HOMES = {
    "account": {"Account", "AccountOptions", "AsyncAccount", "mark"},
    "client": {"AsyncClient", "AsyncClock", "Client", "Clock"},
    "options": {"Config", "FaultName", "FaultParameters", "RecipeName", "Scope", "ServerConfig", "When"},
    "history": {"History", "Oddity"},
    "server": {"MockVod", "Server"},
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = next((home for home, names in _HOMES.items() if name in names), "shapes")
    return getattr(import_module(f"mockvod.testing.{home}"), name)


def __dir__() -> list[str]:
    return __all__

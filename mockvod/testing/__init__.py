"""What test code imports: a server in a thread, clients of its control API, and what they raise.

The pytest fixtures come by themselves once mockvod is installed (`mockvod.testing.plugin`). The container for
Testcontainers is `mockvod.testing.container.MockVodContainer`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mockvod.testing.account import Account, AsyncAccount
    from mockvod.testing.advice import Diagnosis, Report
    from mockvod.testing.calls import AccountInfo, ClockState, Event, Media, MockVodError, Unreachable, WaitTimeout
    from mockvod.testing.client import AsyncClient, Client
    from mockvod.testing.server import MockVod, Server

__all__ = [
    "Account",
    "AccountInfo",
    "AsyncAccount",
    "AsyncClient",
    "Client",
    "ClockState",
    "Diagnosis",
    "Event",
    "Media",
    "MockVod",
    "MockVodError",
    "Report",
    "Server",
    "Unreachable",
    "WaitTimeout",
]

# Imported when first asked for: pytest imports this package in every run, also in those that use nothing of it.
_HOMES = {
    "account": {"Account", "AsyncAccount"},
    "advice": {"Diagnosis", "Report"},
    "calls": {"AccountInfo", "ClockState", "Event", "Media", "MockVodError", "Unreachable", "WaitTimeout"},
    "client": {"AsyncClient", "Client"},
    "server": {"MockVod", "Server"},
}


def __getattr__(name: str) -> Any:
    for home, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"mockvod.testing.{home}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__

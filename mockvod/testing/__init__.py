"""What test code imports: a server in a thread, clients of its control API, and what they raise.

The pytest fixtures come by themselves once mockvod is installed (`mockvod.testing.plugin`).
"""

from mockvod.testing.calls import AccountInfo, ClockState, Event, MockVodError, Unreachable, WaitTimeout
from mockvod.testing.client import AsyncClient, Client

__all__ = [
    "AccountInfo",
    "AsyncClient",
    "Client",
    "ClockState",
    "Event",
    "MockVodError",
    "Unreachable",
    "WaitTimeout",
]

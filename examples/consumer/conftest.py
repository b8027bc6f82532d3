"""What the tests of both applications share."""

import socket
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session")
def mockvod_settings() -> dict[str, object]:
    return {"profile": "current"}  # the SDK warns of keys that its models do not know


@pytest.fixture
def address() -> Iterator[socket.socket]:
    """A port of ours, on which nobody listens until the application does."""
    with socket.socket() as address:
        address.bind(("127.0.0.1", 0))
        yield address


@pytest.fixture
def callback_url(address: socket.socket) -> str:
    return f"http://127.0.0.1:{address.getsockname()[1]}/callback"

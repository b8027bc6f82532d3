"""One server for all tests of a module, empty for each of them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mockvod.testing import Client
from tests.background import Background, in_background
from tests.cli.running import Mockvod


@pytest.fixture(scope="module")
def server() -> Iterator[Background]:
    with in_background() as server:
        yield server


@pytest.fixture(autouse=True)
def _fresh(server: Background, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Client(server.url) as client:
        for account in client.accounts():
            if not account.default:
                client.delete_account(account.secret_id)
        client.reset()
    for name in [name for name in os.environ if name.startswith("MOCKVOD_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOCKVOD_URL", server.url)


@pytest.fixture
def mockvod(capsys: pytest.CaptureFixture[str]) -> Mockvod:
    return Mockvod(capsys)

"""Clocks of the tests of this folder."""

import pytest

from mockvod.engine.clock import Clock
from tests.clocks import GRACE, Record, System


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> System:
    system = System()
    monkeypatch.setattr("mockvod.engine.clock._System", system)
    return system


@pytest.fixture
def clock() -> Clock:
    return Clock(grace=lambda: GRACE)


@pytest.fixture
async def frozen(clock: Clock) -> Clock:
    await clock.freeze()
    return clock


@pytest.fixture
def record(frozen: Clock) -> Record:
    return Record(frozen)

import pytest

from mockvod.app import Running
from tests.http.raw import Door


@pytest.fixture
async def door(running: Running) -> Door:
    door = Door(running)
    door.emit(2)
    return door

import pytest

from mockvod.app import Running
from tests.http.asking import Control
from tests.http.raw import Door
from tests.support import Caller


@pytest.fixture
async def door(running: Running) -> Door:
    door = Door(running)
    door.emit(2)
    return door


@pytest.fixture
def control(caller: Caller) -> Control:
    return Control(caller)

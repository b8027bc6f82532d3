import pytest

from mockvod.app import Running
from tests.http.asking import Control
from tests.http.raw import RawClient
from tests.support import Caller


@pytest.fixture
async def raw_client(running: Running) -> RawClient:
    raw_client = RawClient(running)
    raw_client.emit(2)
    return raw_client


@pytest.fixture
def control(caller: Caller) -> Control:
    return Control(caller)

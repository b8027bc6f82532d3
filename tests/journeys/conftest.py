"""What journeys share: Tencent's SDK, pointed at the server of a test."""

from collections.abc import AsyncIterator

import pytest

from tests.sdk.client import Sdk, Way, make_sdk
from tests.support import Caller


@pytest.fixture
async def sdk(frozen: Caller) -> AsyncIterator[Sdk]:
    """Talks to the server that the file's fixture `frozen` has started."""
    sdk = make_sdk(f"127.0.0.1:{frozen.running.port}", Way(), language="en-US")
    yield sdk
    await sdk.close()

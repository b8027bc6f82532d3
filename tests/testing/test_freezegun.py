"""An application's test freezes time with freezegun: mockvod's own time goes on."""

import http.client
import json
import sys

import freezegun
import pytest

from mockvod.testing import MockVod

HEADERS = {"X-TC-Action": "PullEvents", "X-TC-Version": "2018-07-17", "Content-Type": "application/json"}


@pytest.mark.parametrize("options", [{}, {"tick": True}, {"real_asyncio": True}, {"ignore": ["mockvod", "asyncio"]}])
@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_an_empty_poll_ends(loop: str, options: dict[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    if loop == "asyncio":
        monkeypatch.setitem(sys.modules, "uvloop", None)
    with MockVod(poll_hold=0.05) as vod, freezegun.freeze_time("2024-02-29", **options):  # type: ignore[arg-type]
        connection = http.client.HTTPConnection(vod.url.removeprefix("http://"), timeout=20)
        connection.request("POST", "/", b"{}", HEADERS)
        answer = json.load(connection.getresponse())
        connection.close()
    assert answer["Response"]["Error"]["Code"] == "ResourceNotFound"

"""Requests of foreign web pages and for foreign host names are rejected; those of SDKs, curl and containers are not."""

from collections.abc import Mapping
from itertools import product

import pytest
from aiohttp import ClientSession

from mockvod.app import Running
from tests.http.asking import Start

PATHS = ("/", "/v2/index.php", "/mockvod/v1/events", "/mockvod/inbox", "/mockvod/metrics")
OPEN = ("/mockvod/livez", "/mockvod/readyz", "/mockvod/", "/snapshots/1/10/0.jpg")
FOREIGN: list[Mapping[str, str]] = [
    {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    {"Sec-Fetch-Site": "cross-site"},  # an <img>
    {"Sec-Fetch-Site": "same-site", "Origin": "http://127.0.0.1:3000"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Referer": "https://evil.example/page"},
    {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe", "Accept": "text/html"},
    {"Host": "evil.example"},
    {"Host": "evil.example:8266", "Sec-Fetch-Site": "same-origin"},  # DNS rebinding
    {"Host": "tencentcloudapi.com.evil.example"},
]
LOCAL = [
    "localhost:8266",
    "127.0.0.1",
    "[::1]:8266",
    "mockvod:8266",
    "api.localhost",
    "host.docker.internal:8266",
    "printer.local",
    "vod.test",
    "mockvod.default.svc",
    "mockvod.default.svc.cluster.local.",
    "vod.tencentcloudapi.com",
    "vod.ap-guangzhou.tencentcloudapi.com",
    "vod.api.qcloud.com",
]


async def status(session: ClientSession, running: Running, path: str, method: str = "GET", **headers: str) -> int:
    async with session.request(method, running.url + path, headers=headers, allow_redirects=False) as response:
        return response.status


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_foreign_page_changes_nothing(
    session: ClientSession, running: Running, headers: Mapping[str, str]
) -> None:
    seq = running.world.default.life.journal.seq
    for path, method in product(PATHS, ("GET", "POST")):
        assert await status(session, running, path, method, **headers) == 403, (path, method)
    assert (running.world.default.life.journal.seq, running.world.default.life.applications()) == (seq, [])


async def test_pictures_health_and_the_console_stay_open(session: ClientSession, running: Running) -> None:
    for path, headers in product(OPEN, FOREIGN):
        assert await status(session, running, path, **headers) == 200, (path, headers)


async def test_local_hosts_and_those_of_the_vendor_are_allowed(session: ClientSession, running: Running) -> None:
    for path, host in product(PATHS, LOCAL):
        assert await status(session, running, path, Host=host) != 403, (path, host)


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "same-origin", "Origin": "https://proxy.example"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Host": "mockvod:8266", "Origin": "http://mockvod:8266"},
        {"Host": "mockvod:8266", "Referer": "http://mockvod:8266/mockvod/"},
    ],
)
async def test_own_pages_and_links_to_the_console_are_allowed(
    session: ClientSession, running: Running, headers: Mapping[str, str]
) -> None:
    assert await status(session, running, "/", Accept="text/html", **headers) == 302


async def test_the_message_names_the_setting(session: ClientSession, running: Running) -> None:
    messages = []
    for headers in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
        async with session.get(running.url + "/mockvod/v1/events", headers=headers) as response:
            error = (await response.json())["error"]
            messages.append((error["code"], error["message"]))
    host = (
        "Host 'evil.example' is neither local nor a host name of Tencent Cloud: list it in the setting "
        "allowed-hosts, or * for any"
    )
    origin = (
        "a web page of another site (https://evil.example) sent this request: list its origin in the setting "
        "allowed-origins if it may"
    )
    assert messages == [("forbidden", host), ("forbidden", origin)]


@pytest.mark.parametrize(("allowed", "expected"), [("vod.example.com, x", 200), ("*", 200), ("x.example", 403)])
async def test_hosts_can_be_allowed(start: Start, session: ClientSession, allowed: str, expected: int) -> None:
    running = await start(allowed_hosts=allowed)
    assert await status(session, running, "/mockvod/v1/events", Host="VOD.example.com:80") == expected


@pytest.mark.parametrize("path", ["/", "/mockvod/v1/events"])
async def test_pages_of_allowed_origins_may_call_and_read(start: Start, session: ClientSession, path: str) -> None:
    running = await start(allowed_origins="http://localhost:3000,https://app.test")
    headers = {"Origin": "https://app.test", "Sec-Fetch-Site": "cross-site"}
    async with session.post(running.url + path, json={}, headers=headers) as response:
        assert response.status in {200, 201}
        assert response.headers["Access-Control-Allow-Origin"] == "https://app.test"
    preflight = {**headers, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "x-tc-action"}
    async with session.options(running.url + path, headers=preflight) as response:
        assert response.status == 204
        assert response.headers["Access-Control-Allow-Methods"] == "PATCH"
        assert response.headers["Access-Control-Allow-Headers"] == "x-tc-action"
    assert await status(session, running, path, "POST", Origin="https://other.test") == 403


async def test_pictures_are_not_sniffed_or_framed(session: ClientSession, running: Running) -> None:
    for path in ("/snapshots/1/10/0.jpg", "/snapshots/1/10/x.jpg"):
        async with session.get(running.url + path) as response:
            assert response.headers["X-Content-Type-Options"] == "nosniff"
            assert "frame-ancestors 'none'" in response.headers["Content-Security-Policy"]

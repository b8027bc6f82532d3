"""Secrets that a user gives to mockvod come out of it nowhere."""

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout

from mockvod.cli.main import main
from mockvod.http.control.request import ROOT
from mockvod.http.control.routes import ROUTES
from tests.http.asking import Start
from tests.support import Caller, Receiver

CANARY = "canary"  # in every secret below


def secret_url(url: str, name: str) -> str:
    """*url* with a password and a token."""
    return url.replace("://", f"://me:{CANARY}{name}@") + f"?token={CANARY}token{name}"


def logged(caplog: pytest.LogCaptureFixture) -> str:
    ours = [record for record in caplog.records if record.name.startswith("mockvod")]
    return "\n".join([record.getMessage() + repr(vars(record)) for record in ours])


@pytest.fixture
def planted(caplog: pytest.LogCaptureFixture) -> Iterator[list[str]]:
    """What the server said so far; at the end no canary may be in it, nor in the log."""
    caplog.set_level(logging.DEBUG)
    said: list[str] = []
    yield said
    for text in (*said, logged(caplog)):
        assert CANARY not in text, text[max(0, text.index(CANARY) - 300) : text.index(CANARY) + 100]


async def everything(
    session: ClientSession, base: str, accounts: list[str | None], sub_app_ids: list[int]
) -> list[str]:
    """The responses of every GET of the control API, for all accounts and applications; the beginning of the stream."""
    said = []
    for account in accounts:
        for sub_app_id in (None, *sub_app_ids):
            query = {"secret_id": account, "sub_app_id": sub_app_id}
            for route in ROUTES:
                if route.method != "GET" or not (route.scoped or (account, sub_app_id) == (None, None)):
                    continue
                params: dict[str, Any] = {k: v for k, v in query.items() if v is not None} if route.scoped else {}
                if route.path == "/diagnosis":
                    params["probe"] = "true"
                for number in range(1, 6) if "{id}" in route.path else (0,):
                    path = route.path.format(id=f"evt_{number:06d}", name="NewFileUpload", secret_id="")
                    async with session.get(f"{base}{ROOT}{path}", params=params) as response:
                        said.append(await response.text())
            async with session.get(
                f"{base}{ROOT}/journal",
                params={k: v for k, v in query.items() if v is not None},
                headers={"Accept": "text/event-stream"},
                timeout=ClientTimeout(sock_read=0.2),
            ) as response:
                stream = b""
                try:
                    async for chunk in response.content.iter_any():
                        stream += chunk
                except TimeoutError:
                    pass
                said.append(stream.decode())
    return said


async def test_no_secret_is_in_any_output(
    start: Start, session: ClientSession, receiver: Receiver, planted: list[str]
) -> None:
    running = await start(
        access_log=True,
        secret_id="AKIDserver",
        secret_key=CANARY + "key",
        sign_key=CANARY + "sign",
        callback_url=secret_url(receiver.url, "first"),
        callback_url_v2=secret_url("http://127.0.0.1:9/v2", "second"),
        callback_format="both",
        callback_retries=0,
        auth="lenient",
    )
    caller = Caller(running, session)
    base = running.url
    await caller.emit()
    await receiver.wait_for(1)

    # Accounts and settings
    await caller.control("POST", "/accounts", {"secret_id": "AKIDone", "secret_key": CANARY + "account"})
    inbox = secret_url(f"{base}/mockvod/inbox", "inbox")
    changes = {"sign_key": CANARY + "patched", "callback_url": inbox, "mode": "PUSH"}
    planted.append(json.dumps(await caller.control("PATCH", "/config", changes, secret_id="AKIDone")))
    planted.append(json.dumps(await caller.control("POST", "/events", {}, secret_id="AKIDone")))
    planted.append(json.dumps(await caller.call("ModifyEventConfig", SignKey=CANARY + "api", SubAppId=5, Mode="PUSH")))
    url = secret_url("http://127.0.0.1:9/", "api")
    planted.append(json.dumps(await caller.call("ModifyEventConfig", NotificationUrl=url, SubAppId=5)))
    await caller.control("POST", "/events", {}, sub_app_id=5)
    await caller.call("PullEvents", SubAppId=5)

    # Rejected values
    configs: list[Any] = [
        {"sign_key": f"{CANARY} with spaces"},
        {"sign_key": {"value": CANARY}},
        {"sign_keys": CANARY},
        {"callback_url": secret_url("ftp://x/", "refused")},
        {"callback_url": f"http://me:{CANARY}@x/" + 3000 * "y"},
    ]
    planted += [json.dumps(await caller.control("PATCH", "/config", config)) for config in configs]
    scenarios: list[Any] = [
        {"secret_key": CANARY},
        {"accounts": [{"secret_id": "A", "secret_key": {"value": CANARY}}]},
        {"accounts": [["A", CANARY]]},
        {"accounts": {"A": CANARY}},
        {"config": [{"sign_key": CANARY}]},
        {"config": {"callback_url": secret_url("ftp://x/", "scenario")}},
    ]
    planted += [json.dumps(await caller.control("PUT", "/scenario", scenario)) for scenario in scenarios]
    calls: list[dict[str, Any]] = [
        {"SignKey": f"{CANARY}!"},
        {"NotificationUrl": secret_url("ftp://x/", "bad")},
        {"SignKey": [CANARY]},
    ]
    planted += [json.dumps(await caller.call("ModifyEventConfig", **call)) for call in calls]

    # Requests that carry secrets
    credential = "TC3-HMAC-SHA256 Credential=AKIDserver/2026-01-01/vod/tc3_request, SignedHeaders=host"
    signed = {"Authorization": f"{credential}, Signature={CANARY}"}
    token = {"X-TC-Action": "PullEvents", "X-TC-Version": "2018-07-17", "X-TC-Token": CANARY, "X-TC-Timestamp": "1"}
    async with session.post(f"{base}/", json={}, headers=signed | token) as response:
        planted.append(await response.text())
    for path in ("/", "/v2/index.php", ROOT + "/events"):
        query = f"Action=PullEvents&Token={CANARY}&Signature={CANARY}&SecretKey={CANARY}&sign_key={CANARY}"
        async with session.get(f"{base}{path}?{query}&Version=2018-07-17&SecretId=AKIDserver") as response:
            planted.append(await response.text())

    planted += await everything(session, base, [None, "AKIDone"], [5])
    assert sum("***" in text for text in planted) > 10


def test_no_secret_is_shown_by_the_config_command(capsys: pytest.CaptureFixture[str]) -> None:
    flags = [
        f"--secret-key={CANARY}",
        "--secret-id=AKIDme",
        f"--sign-key={CANARY}",
        f"--callback-url={secret_url('http://x/', 'flag')}",
    ]
    for form in ([], ["--json"]):
        with pytest.raises(SystemExit):
            main(["config", *form, *flags])
        printed = "".join(capsys.readouterr())
        assert CANARY not in printed
        assert "http://me:***@x/?token=***" in printed


@pytest.mark.parametrize("flag", [f"--sign-key={CANARY}!", f"--callback-url=ftp://me:{CANARY}@x/"])
def test_no_secret_is_shown_by_a_settings_error(flag: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["config", flag])
    assert ended.value.code == 2
    assert CANARY not in "".join(capsys.readouterr())

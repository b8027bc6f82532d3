"""Tencent's SDK over https, with Tencent's host names: nothing is configured but the authority."""

import asyncio
import json
import os
import shutil
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vod.v20180717 import models
from tencentcloud.vod.v20180717.vod_client import VodClient

from mockvod.app import Running
from mockvod.engine.clock import real_time
from mockvod.wire.signing import v1_signature, v1_string_to_sign
from tests.sdk.client import SECRET_ID, SECRET_KEY

pytestmark = pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # of the SDK

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def secure(start: Start, tmp_path: Path) -> Running:
    return await start(
        tls=True,
        tls_dir=str(tmp_path),
        auth="strict",
        profile="sparse",
        secret_id=SECRET_ID,
        secret_key=SECRET_KEY,
        poll_hold=0,
    )


@pytest.fixture
def resolver(secure: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every host name in this process leads to the server, as a DNS entry and port 443 would."""
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda _host, _port, *args, **kwargs: real("127.0.0.1", secure.port, *args, **kwargs)
    )


def sdk(ca_file: Path, **profile: Any) -> VodClient:
    http = HttpProfile(certification=str(ca_file), reqTimeout=20)
    return VodClient(Credential(SECRET_ID, SECRET_KEY), "ap-guangzhou", ClientProfile(httpProfile=http, **profile))


def ca_file(running: Running) -> Path:
    assert running.tls is not None
    assert running.tls.ca_file is not None
    return running.tls.ca_file


@pytest.mark.usefixtures("resolver")
@pytest.mark.parametrize("sign_method", ["TC3-HMAC-SHA256", "HmacSHA256", "HmacSHA1"])
async def test_an_unchanged_client_is_served_under_the_vendor_s_name(secure: Running, sign_method: str) -> None:
    secure.world.default.life.application().emit("FileDeleted", {"FileIdSet": ["1"]})
    client = sdk(ca_file(secure), signMethod=sign_method)
    [event] = (await asyncio.to_thread(client.PullEvents, models.PullEventsRequest())).EventSet
    request = models.ConfirmEventsRequest()
    request.EventHandles = [event.EventHandle]
    await asyncio.to_thread(client.ConfirmEvents, request)
    assert secure.world.default.life.events.counts["confirmed"] == 1


@pytest.mark.usefixtures("resolver")
async def test_a_wrong_key_is_refused_over_https_too(secure: Running) -> None:
    client = sdk(ca_file(secure))
    client.credential = Credential(SECRET_ID, "wrong")
    with pytest.raises(TencentCloudSDKException, match=r"AuthFailure\.SignatureFailure"):
        await asyncio.to_thread(client.PullEvents, models.PullEventsRequest())


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize(
    ("key", "code"), [(SECRET_KEY, ""), ("wrong", "AuthFailure.SignatureFailure")], ids=["right key", "wrong key"]
)
async def test_curl_connects_by_the_vendor_s_name(secure: Running, key: str, code: str) -> None:
    host = "vod.tencentcloudapi.com"
    params = {"Action": "DescribeEventsState", "Version": "2018-07-17", "Timestamp": str(int(real_time())),
              "Nonce": "1", "SecretId": SECRET_ID}  # fmt: skip
    params["Signature"] = v1_signature(key, v1_string_to_sign("GET", host, "/", params.items()))
    arguments = ["--silent", "--connect-to", f"{host}:443:127.0.0.1:{secure.port}", "--cacert", str(ca_file(secure))]
    process = await asyncio.create_subprocess_exec(
        "curl",
        *arguments,
        f"https://{host}/?{urlencode(params)}",
        stdout=asyncio.subprocess.PIPE,
        env={name: value for name, value in os.environ.items() if "proxy" not in name.lower()},
    )
    out, _ = await process.communicate()
    assert json.loads(out)["Response"].get("Error", {}).get("Code", "") == code


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
async def test_node_trusts_the_authority_by_its_variable(secure: Running) -> None:
    program = """
    const https = require('https');
    const request = {host: '127.0.0.1', port: process.argv[1], servername: 'vod.tencentcloudapi.com',
                     headers: {Host: 'vod.tencentcloudapi.com'}, path: '/mockvod/livez'};
    https.get(request, (response) => { console.log(response.statusCode); response.resume(); });
    """
    process = await asyncio.create_subprocess_exec(
        "node",
        "-e",
        program,
        str(secure.port),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "NODE_EXTRA_CA_CERTS": str(ca_file(secure))},
    )
    out, _ = await process.communicate()
    assert out.strip() == b"200"

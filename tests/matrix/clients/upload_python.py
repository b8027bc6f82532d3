"""Uploads a file with Tencent's Python upload SDK. See tests/matrix/uploads.py for the plan and the result."""

import json
import os
import socket
import sys
from typing import Any

import certifi

plan = json.loads(sys.argv[1])
for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):  # they would come before certifi's file
    os.environ.pop(name, None)
certifi.where = lambda: os.environ["NODE_EXTRA_CA_CERTS"]  # before anything reads it
resolve = socket.getaddrinfo
socket.getaddrinfo = lambda _host, _port, *args, **kwargs: resolve("127.0.0.1", plan["port"], *args, **kwargs)

import requests  # noqa: E402 - reads certifi's file at its import
from qcloud_vod.model import VodUploadRequest  # noqa: E402
from qcloud_vod.vod_upload_client import VodUploadClient  # noqa: E402

sent, broken = 0, not plan["break_once"]
send = requests.Session.send


def counted(session: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
    """Sends a request. Breaks the first part if the plan says so, and ends this process once enough were uploaded."""
    global sent, broken  # noqa: PLW0603 - of a program of one file
    part = request.method == "PUT" and "partNumber=" in str(request.url)
    if part and not broken:
        broken = True
        raise requests.ConnectionError("broken by the test")
    response = send(session, request, **options)
    if part and response.ok:
        sent += 1
        if sent == plan["stop_after"]:
            os._exit(plan["stopped"])
    return response


requests.Session.send = counted  # type: ignore[method-assign, assignment]  # named as here

upload = VodUploadRequest()
upload.MediaFilePath = plan["media"]
if plan["cover"]:
    upload.CoverFilePath = plan["cover"]
if plan["path"]:
    upload.MediaStoragePath = plan["path"]
try:
    done = VodUploadClient(plan["secret_id"], plan["secret_key"]).upload("ap-guangzhou", upload)
    result = {"file_id": done.FileId, "media_url": done.MediaUrl, "cover_url": done.CoverUrl, "sent": sent}
except Exception as error:  # noqa: BLE001 - whatever it is, the table shows it
    result = {"error": str(error)}
print(f"\n{json.dumps(result)}")

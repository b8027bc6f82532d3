"""A worker that pulls events from Tencent Cloud VOD. It knows nothing of mockvod: host and scheme are the vendor's."""

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.request import Request, urlopen

HOST = "vod.tencentcloudapi.com"
SECRET_ID, SECRET_KEY = "AKIDexample", "example"


def call(action: str, params: dict[str, Any]) -> dict[str, Any]:
    """One call of API 3.0, signed with TC3-HMAC-SHA256."""
    body = json.dumps(params).encode()
    timestamp = int(time.time())
    day = datetime.fromtimestamp(timestamp, UTC).date().isoformat()
    signed = f"content-type:application/json\nhost:{HOST}\n"
    request = f"POST\n/\n\n{signed}\ncontent-type;host\n{hashlib.sha256(body).hexdigest()}"
    scope = f"{day}/vod/tc3_request"
    text = f"TC3-HMAC-SHA256\n{timestamp}\n{scope}\n{hashlib.sha256(request.encode()).hexdigest()}"
    key = f"TC3{SECRET_KEY}".encode()
    for part in (day, "vod", "tc3_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.new(key, text.encode(), "sha256").hexdigest()
    headers = {
        "Authorization": (
            f"TC3-HMAC-SHA256 Credential={SECRET_ID}/{scope}, SignedHeaders=content-type;host, Signature={signature}"
        ),
        "Content-Type": "application/json",
        "X-TC-Action": action,
        "X-TC-Version": "2018-07-17",
        "X-TC-Timestamp": str(timestamp),
    }
    with urlopen(Request(f"https://{HOST}", data=body, headers=headers)) as response:
        reply: dict[str, Any] = json.load(response)["Response"]
        return reply


if __name__ == "__main__":
    job = {"Definition": 10, "ExtTimeOffsetSet": ["1s"]}
    task = {"SnapshotByTimeOffsetTaskSet": [job]}
    print("started", call("ProcessMedia", {"FileId": "387702299", "MediaProcessTask": task})["TaskId"])
    while not (events := call("PullEvents", {}).get("EventSet")):
        pass  # each call waits for an event
    call("ConfirmEvents", {"EventHandles": [event["EventHandle"] for event in events]})
    print("confirmed", *(event["EventType"] for event in events))

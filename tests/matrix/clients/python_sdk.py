"""Makes the calls of a plan with Tencent's Python SDK, any version; see `tests.matrix.plan`."""

import asyncio
import json
import re
import sys
import warnings
from typing import Any

from tencentcloud.common.credential import Credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vod.v20180717 import models

if sys.argv[2:] == ["async"]:
    from tencentcloud.vod.v20180717.vod_client_async import VodClient
else:
    from tencentcloud.vod.v20180717.vod_client import VodClient


async def main(plan: dict[str, Any]) -> None:
    results = []
    for signature, method in plan["ways"]:
        http = HttpProfile(protocol=plan["scheme"], endpoint=plan["endpoint"] or None, reqMethod=method, reqTimeout=20)
        if sys.argv[2:] != ["async"]:  # that half reads SSL_CERT_FILE
            http.certification = plan["authority"] or None
        profile = ClientProfile(httpProfile=http, signMethod=signature)
        client = VodClient(Credential(plan["secret_id"], plan["secret_key"]), "", profile)
        seen: dict[str, str] = {}
        for action, params in plan["calls"]:
            results.append([signature, method, action, await outcome(client, seen, action, params)])
    print(json.dumps(results))


async def outcome(client: Any, seen: dict[str, str], action: str, params: dict[str, Any]) -> str | None:
    """`ok`, an error code, or None for an action that this version does not have."""
    if not hasattr(client, action):
        return None
    request = getattr(models, action + "Request")()
    filled = re.sub(r"\$(\w+)", lambda found: seen.get(found[1], ""), json.dumps(params))
    try:
        request.from_json_string(filled)
        response = getattr(client, action)(request)
        if asyncio.iscoroutine(response):
            response = await response
    except TencentCloudSDKException as error:
        return f"{error.code}: {error.message}"
    seen.update(re.findall(r'"(EventHandle|TaskId)": ?"([^"]+)"', response.to_json_string()))
    return "ok"


warnings.simplefilter("ignore")
asyncio.run(main(json.loads(sys.argv[1])))

"""Makes the calls of a plan with the Python SDK of API 2.0, which speaks https only."""

import json
import re
import sys
from typing import Any

from QcloudApi.modules.vod import Vod
from QcloudApi.qcloudapi import QcloudApi


def outcome(module: Any, seen: dict[str, str], action: str, params: dict[str, Any]) -> str:
    filled = re.sub(r"\$(\w+)", lambda found: seen.get(found[1], ""), json.dumps(params))
    try:
        response = module.call(action, json.loads(filled)).decode()
    except Exception as error:  # noqa: BLE001 - of any kind: it is the result
        return type(error).__name__ + ": " + str(error)
    seen.update(re.findall(r'"(msgHandle)": ?"([^"]+)"', response))
    answer = json.loads(response)
    return "ok" if answer["code"] == 0 else "{code}: {message}".format(**answer)


def main(plan: dict[str, Any]) -> None:
    Vod.requestHost = plan["endpoint"] or Vod.requestHost
    results = []
    for signature, method in plan["ways"]:
        config = {"secretId": plan["secret_id"], "secretKey": plan["secret_key"], "Region": "gz"}
        module = QcloudApi("vod", {**config, "method": method, "SignatureMethod": signature})
        seen: dict[str, str] = {}
        for action, params in plan["calls"]:
            results.append([signature, method, action, outcome(module, seen, action, params)])
    print(json.dumps(results))


main(json.loads(sys.argv[1]))

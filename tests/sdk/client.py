"""Tencent's own SDK for Python, in every way that it can be used."""

import asyncio
import itertools
from dataclasses import dataclass
from typing import Any

from tencentcloud.common.credential import Credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.vod.v20180717 import models
from tencentcloud.vod.v20180717.vod_client import VodClient
from tencentcloud.vod.v20180717.vod_client_async import VodClient as AsyncVodClient

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"


@dataclass(frozen=True)
class Way:
    """One way to use the SDK."""

    sign_method: str = "TC3-HMAC-SHA256"
    method: str = "POST"
    asynchronous: bool = False

    def __str__(self) -> str:
        return f"{'async' if self.asynchronous else 'sync'}-{self.sign_method}-{self.method}"


WAYS = [
    Way(*way)
    for way in itertools.product(("TC3-HMAC-SHA256", "HmacSHA1", "HmacSHA256"), ("POST", "GET"), (False, True))
]


class Sdk:
    """The SDK's client, synchronous or not; its calls are awaited either way."""

    def __init__(self, client: Any, way: Way) -> None:
        self.client = client
        self.way = way

    async def call(self, action: str, /, **params: Any) -> Any:
        """The model of the answer; raises what the SDK raises."""
        request = getattr(models, f"{action}Request")()
        for name, value in params.items():
            setattr(request, name, value)
        method = getattr(self.client, action)
        return await method(request) if self.way.asynchronous else await asyncio.to_thread(method, request)

    async def call_with(self, options: dict[str, Any], action: str, /, **params: Any) -> Any:
        """The answer as a plain dict, of a call with *options* that the models have no place for."""
        if self.way.asynchronous:
            answer = await self.client.call_and_deserialize(action, params, opts=options)
        else:
            answer = await asyncio.to_thread(self.client.call_json, action, params, options=options)
        return answer["Response"]

    async def pull(self, **params: Any) -> list[Any]:
        return list((await self.call("PullEvents", **params)).EventSet)

    async def close(self) -> None:
        if self.way.asynchronous:
            await self.client.close()
        else:
            self.client.request.conn._session.close()


def make_sdk(
    endpoint: str,
    way: Way,
    *,
    secret_id: str = SECRET_ID,
    secret_key: str = SECRET_KEY,
    timeout: float = 20,
    unsigned_payload: bool = False,
    **profile: Any,
) -> Sdk:
    """A client of the server at *endpoint*; *profile* as ClientProfile takes it, *timeout* in real seconds."""
    http = HttpProfile(protocol="http", endpoint=endpoint, reqMethod=way.method, reqTimeout=timeout)
    client_profile = ClientProfile(signMethod=way.sign_method, httpProfile=http, **profile)
    client_profile.unsignedPayload = unsigned_payload
    kind = AsyncVodClient if way.asynchronous else VodClient
    return Sdk(kind(Credential(secret_id, secret_key), "ap-guangzhou", client_profile), way)

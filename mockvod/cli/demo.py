"""`mockvod demo`: a server, a client that pulls events, and a receiver that they are pushed to."""

import asyncio
import json
import textwrap
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import ClientSession, web

from mockvod.app import Running, loop_factory, serving, stop_signal
from mockvod.engine.clock import real_time
from mockvod.settings import Settings
from mockvod.testing.client import AsyncClient
from mockvod.testing.shapes import Event
from mockvod.wire.signing import tc3_headers

SECRET_ID, SECRET_KEY = "AKIDdemo", "demo"
PUSHED_TO = 1500000001  # the application whose events are pushed


def run(settings: Settings, announce: Callable[[Running], None], origins: Mapping[str, str]) -> None:
    """Show both kinds of delivery, call *announce*, then serve until SIGTERM or Ctrl-C.

    Raises CannotListen, WrongScenario.
    """
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        runner.run(_main(settings, announce, origins))


async def _main(settings: Settings, announce: Callable[[Running], None], origins: Mapping[str, str]) -> None:
    stopped = stop_signal()
    # The demo needs a default application in PULL mode, events of API 3.0 and a known secret key.
    changes = {"mode": "PULL", "callback_format": "3.0"}
    if not settings.secret_id:
        changes |= {"secret_id": SECRET_ID, "secret_key": SECRET_KEY}
    origins = {**origins, **dict.fromkeys(changes, "demo")}
    lines = asyncio.Lock()  # an event is shown before the receiver shows that it got it
    async with serving(settings.changed(changes), origins) as running, _receiver(lines) as callback_url:
        steps = asyncio.create_task(_show_steps(running, callback_url, lines))
        stop = asyncio.create_task(stopped.wait())
        try:
            await asyncio.wait({steps, stop}, return_when=asyncio.FIRST_COMPLETED)
            if steps.done():
                steps.result()
                _say_how_to_go_on(running)
                announce(running)
                await stop
            _say("\nstopping")
        finally:
            steps.cancel()
            stop.cancel()
            await asyncio.gather(steps, stop, return_exceptions=True)


@asynccontextmanager
async def _receiver(lines: asyncio.Lock) -> AsyncIterator[str]:
    """The URL of a receiver that shows the first event, and breaks off its first response to every second event."""
    seen: dict[str, int] = {}

    async def receive(request: web.Request) -> web.Response:
        event = await request.json()
        task = _task_id(event)
        seen[task] = seen.get(task, 0) + 1
        async with lines:
            return respond(request, event, task)

    def respond(request: web.Request, event: dict[str, Any], task: str) -> web.Response:
        if len(seen) % 2 == 0 and seen[task] == 1 and request.transport is not None:
            _say(f"  receiver  got {_short(task)}, breaks off its response")
            request.transport.write(b"HTTP/1.1 ")  # without a byte, mockvod would repeat the request, uncounted
            request.transport.close()
        else:
            _say(f"  receiver  got {_short(task)}, responds 200")
            if sum(seen.values()) == 1:
                _say(textwrap.indent(json.dumps(event, indent=2, ensure_ascii=False), " " * 12))
        return web.json_response({"code": 0})

    app = web.Application()
    app.router.add_post("/callback", receive)
    runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}/callback"
    finally:
        await runner.cleanup()


async def _show_steps(running: Running, callback_url: str, lines: asyncio.Lock) -> None:
    def show(application: int | None, event: Event, note: str = "") -> None:
        media = running.world.default.life.application(application).find_media(event.file_id or "")
        title = f"“{media.name}”, " if media else ""
        _say(f"  event     {event.id}  {title}{note}{_short(event.task_id)}")

    async with AsyncClient(running.url) as tester, ClientSession() as session:
        _say(f"mockvod serves {running.url}; a callback receiver listens on {callback_url}\n")
        _say("Reliable callback: a client pulls events and confirms them.")
        for offsets, failed in (([10000, 20000], []), ([5000, 15000, 25000], [15000])):
            [event] = await tester.emit(time_offsets=offsets, failed=failed)
            show(None, event, f"{len(offsets) - len(failed)} of {len(offsets)} snapshots taken, ")
        pulled = await _call(session, running, "PullEvents", {})
        handles = []
        for content in pulled["EventSet"]:
            handles.append(content["EventHandle"])
            _say(f"  pulled    {_short(_task_id(content))} with handle {content['EventHandle']}")
        await _call(session, running, "ConfirmEvents", {"EventHandles": handles})
        for event in await tester.wait_for("confirmed", count=len(handles)):
            _say(f"  confirmed {event.id}")

        _say(f"\nNormal callback: the events of application {PUSHED_TO} are pushed.")
        change = {"SubAppId": PUSHED_TO, "Mode": "PUSH", "NotificationUrl": callback_url}
        await _call(session, running, "ModifyEventConfig", change)
        pushed = AsyncClient(running.url, sub_app_id=PUSHED_TO)
        async with pushed:
            for _ in range(2):
                async with lines:
                    [event] = await pushed.emit(time_offsets=[10000, 20000])
                    show(PUSHED_TO, event)
                await pushed.wait_for(["delivered", "failed"], event_id=event.id, timeout=30)
                done = await pushed.event(event.id)
                for attempt in done.attempts:
                    outcome = attempt["error"] or f"status {attempt['status']}"
                    _say(
                        f"  attempt   {attempt['number']} of {done.id}: {outcome} ({attempt['duration'] * 1000:.0f} ms)"
                    )
                _say(f"  {done.state:<9} {done.id}")


async def _call(session: ClientSession, running: Running, action: str, params: dict[str, Any]) -> dict[str, Any]:
    """One signed call of API 3.0."""
    body = json.dumps(params).encode()
    account = running.world.default
    headers = tc3_headers(
        secret_id=account.secret_id,
        secret_key=account.secret_key,
        host=running.url.removeprefix("http://"),
        action=action,
        body=body,
        timestamp=int(real_time()),
    )
    async with session.post(running.url + "/", data=body, headers=headers) as response:
        inside: dict[str, Any] = (await response.json())["Response"]
        return inside


def _say_how_to_go_on(running: Running) -> None:
    endpoint = running.url.removeprefix("http://")
    command = ".venv/bin/mockvod" if running.port == 8266 else f"MOCKVOD_URL={running.url} .venv/bin/mockvod"
    _say(f"""
The server keeps running, and logs what happens. Ctrl-C stops it.

  Emit:         curl -X POST {running.url}/mockvod/v1/events -d '{{"time_offsets": [10000, 20000]}}'
                or, in this directory: {command} emit, then {command} events evt_000001
  Control API:  {running.url}/mockvod/v1/openapi.json

  From Tencent's Python SDK (pip install tencentcloud-sdk-python-vod):
    from tencentcloud.common import credential
    from tencentcloud.common.profile import client_profile, http_profile
    from tencentcloud.vod.v20180717 import models, vod_client
    profile = client_profile.ClientProfile(httpProfile=http_profile.HttpProfile("http", "{endpoint}"))
    client = vod_client.VodClient(credential.Credential("any", "any"), "", profile)
    print(client.PullEvents(models.PullEventsRequest()))
""")


def _task_id(event: dict[str, Any]) -> str:
    task_id: str = event["SnapshotByTimeOffsetCompleteEvent"]["TaskId"]
    return task_id


def _short(task_id: str | None) -> str:
    """A TaskId, shortened."""
    kind, _, number = (task_id or "").rpartition("-")
    return f"{kind}-{number[:6]}…"


def _say(line: str) -> None:
    print(line, flush=True)

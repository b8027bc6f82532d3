"""The journal of a running server as lines, as it happens."""

import http.client
import json
from collections.abc import Iterator
from typing import Any

from mockvod.testing.calls import ROOT, Call
from mockvod.testing.client import Client, connect
from mockvod.testing.shapes import Unreachable, entry_line

_COLOURS = {
    "confirmed": 32, "delivered": 32, "failed": 31, "expired": 31, "dropped": 31, "attempt": 33, "lease_ended": 33,
    "queued": 36, "delivering": 36, "scheduled": 36,
}  # fmt: skip


def follow(client: Client, *, as_json: bool = False, colour: bool = False, from_start: bool = False) -> Iterator[str]:
    """A line for each entry of the journal, until the server or the account ends. Raises as the client's calls do."""
    since = 0 if from_start else client.journal_end()
    connection = connect(client.url)
    scope = {"secret_id": client.secret_id, "sub_app_id": client.sub_app_id}
    call = Call("GET", f"{ROOT}/journal", lambda _: None, query={"since": since})
    try:
        connection.request(call.method, call.target(scope), headers={"Accept": "text/event-stream"})
        response = connection.getresponse()
        if response.status != 200:
            call.result(response.status, response.read())
        for raw in response:
            if raw.startswith(b"data: "):
                data = raw[6:].decode().strip()
                yield data if as_json else _readable(json.loads(data), colour=colour)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(client.url, error) from None
    finally:
        connection.close()


def _readable(entry: dict[str, Any], *, colour: bool) -> str:
    if "missed" in entry:
        return f"… {entry['missed']} entries are no longer kept"
    line = f"{entry.get('event') or '':<11}{entry_line(entry).strip()}"
    code = _COLOURS.get(entry["what"]) if colour else None
    return f"\x1b[{code}m{line}\x1b[0m" if code else line

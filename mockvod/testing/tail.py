"""The journal of a running server, entry by entry."""

import http.client
import json
from collections.abc import Iterator

from mockvod.testing.calls import ROOT, Call
from mockvod.testing.client import Client, connect
from mockvod.testing.shapes import Entry, Unreachable, entry_line


def follow(client: Client, since: int = 0) -> Iterator[Entry]:
    """The entries after *since*, until the server stops or the account is deleted. Raises as the client's calls do.

    An entry with only `missed` counts those that were evicted before they could be read.
    """
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
                yield json.loads(raw[6:])
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(client.url, error) from None
    finally:
        connection.close()


def readable(entry: Entry) -> str:
    """An entry as a line for people."""
    if "missed" in entry:
        return f"… {entry['missed']} entries have been evicted"
    return f"{entry.get('event') or '':<11}{entry_line(entry).strip()}"

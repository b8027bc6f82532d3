"""Loaded by Python at its start: every host name leads to mockvod, as DNS entries for Tencent's names would."""

import os
import socket
from typing import Any

_getaddrinfo, _connect = socket.getaddrinfo, socket.socket.connect
_server = ("127.0.0.1", int(os.environ["MATRIX_PORT"]))


def _redirected(connecting: socket.socket, address: Any) -> None:
    _connect(connecting, _server if address[1] in {80, 443} else address)


socket.getaddrinfo = lambda _host, service, *args, **kwargs: _getaddrinfo("127.0.0.1", service, *args, **kwargs)
socket.socket.connect = _redirected  # type: ignore[assignment,method-assign] # the asyncio half asks no resolver for the port

"""Keeps web pages of other sites from driving the server: checks which site a request comes from, and its Host."""

import ipaddress
import json
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final

from aiohttp import web
from yarl import URL

from mockvod.settings import Settings
from mockvod.wire.signing import DEFAULT_HOSTS, LEGACY_HOSTS

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

NOT_EMBEDDED: Final = {
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}
"""Headers of responses that browsers show but that are not pages, such as pictures."""

# Names that only the local network resolves, so no web site can have them.
_LOCAL_SUFFIXES: Final = (".localhost", ".internal", ".local", ".test", ".svc", ".cluster.local")
_VENDOR_SUFFIXES: Final = tuple("." + host.partition(".")[2] for host in (*DEFAULT_HOSTS, *LEGACY_HOSTS))


class Guard:
    """Rejects (403) requests that a browser sends for a page of another site, and requests for unknown host names.

    SDKs, curl and containers send none of the headers that are checked but Host. A page whose host name resolves to
    this server (DNS rebinding) is of the same site to the browser; its Host gives it away.
    """

    def __init__(self, settings: Settings) -> None:
        self._origins = frozenset(_listed(settings.allowed_origins))
        self._hosts = frozenset(host.lower() for host in _listed(settings.allowed_hosts))

    def protect(self, handler: Handler) -> Handler:
        """*handler*, for those requests that are not rejected."""

        async def handle(request: web.Request) -> web.StreamResponse:
            headers = request.headers
            if (host := headers.get("Host")) is not None and not self._allows_host(host):
                return _forbidden(
                    f"Host {host[:100]!r} is neither local nor a host name of Tencent Cloud: list it in the setting "
                    "allowed-hosts, or * for any"
                )
            if (origin := headers.get("Origin")) in self._origins:
                if request.method == "OPTIONS" and "Access-Control-Request-Method" in headers:
                    return web.Response(status=204)
            elif (page := _foreign_page(request, origin)) is not None:
                return _forbidden(
                    f"a web page of another site ({page[:100]}) sent this request: list its origin in the setting "
                    "allowed-origins if it may"
                )
            return await handler(request)

        return handle

    def _allows_host(self, host: str) -> bool:
        return "*" in self._hosts or is_local(host) or _host_name(host) in self._hosts

    async def add_cors_headers(self, request: web.Request, response: web.StreamResponse) -> None:
        """A signal handler (on_response_prepare): lets the page of an allowed origin read the response."""
        headers = request.headers
        origin = headers.get("Origin")
        if origin is not None and origin in self._origins:
            response.headers["Access-Control-Allow-Origin"] = origin
            response.headers["Vary"] = "Origin"
            if request.method == "OPTIONS":
                response.headers["Access-Control-Allow-Methods"] = headers.get("Access-Control-Request-Method", "*")
                response.headers["Access-Control-Allow-Headers"] = headers.get("Access-Control-Request-Headers", "*")


def _foreign_page(request: web.Request, origin: str | None) -> str | None:
    """The origin of the page of another site that sent the request, as far as the browser tells; else None."""
    headers = request.headers
    site = headers.get("Sec-Fetch-Site")
    if site in {"same-origin", "none"}:  # only browsers send it, and pages cannot set it
        return None
    sender = origin or headers.get("Referer")
    if site is None and (sender is None or _is_of(sender, request.host)):
        return None
    if site is not None and _only_opens_the_console(request):
        return None
    return sender or f"Sec-Fetch-Site: {site}"


def _only_opens_the_console(request: web.Request) -> bool:
    """Whether a person follows a link to `/`, which redirects to the console and has no other effect."""
    return (
        request.method == "GET"
        and request.raw_path == "/"
        and request.headers.get("Sec-Fetch-Mode") == "navigate"
        and request.headers.get("Sec-Fetch-Dest") == "document"
    )


def _is_of(url: str, host: str) -> bool:
    try:
        return URL(url).authority.lower() == host.lower()
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def is_local(host: str) -> bool:
    """Whether the value of a Host header is an address, a local name, or a host name of Tencent Cloud."""
    name = _host_name(host)
    if "." not in name or name.endswith((*_LOCAL_SUFFIXES, *_VENDOR_SUFFIXES)):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _host_name(host: str) -> str:
    """The value of a Host header without port and final dot. Of an IPv6 address, what is in brackets."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].removesuffix(".").lower()


def _listed(setting: str) -> list[str]:
    return [part for part in (part.strip() for part in setting.split(",")) if part]


def _forbidden(message: str) -> web.Response:
    body = {"error": {"code": "forbidden", "message": message, "field": None}}
    return web.Response(status=403, body=json.dumps(body).encode(), content_type="application/json")

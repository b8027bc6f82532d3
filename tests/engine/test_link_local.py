"""Callback URLs do not reach link-local and metadata addresses, unless that is allowed."""

import socket
from typing import Any

import pytest
from yarl import URL

from mockvod.engine.push_client import PushClient, Request, Response
from mockvod.engine.resolver import LinkLocalAddress, Resolver

LINK_LOCAL = ["169.254.169.254", "169.254.0.23", "fe80::1", "fe80::1%lo", "fd00:ec2::254", "::ffff:169.254.169.254"]


@pytest.mark.parametrize("address", LINK_LOCAL)
def test_a_link_local_address_is_not_allowed(address: str) -> None:
    with pytest.raises(LinkLocalAddress):
        Resolver().check(address)
    Resolver(allow_link_local=True).check(address)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "fd00::1", "8.8.8.8", "receiver"])
def test_loopback_private_and_public_addresses_are_allowed(host: str) -> None:
    Resolver().check(host)


async def test_a_callback_to_a_link_local_address_is_not_sent() -> None:
    async with PushClient() as client:
        response = Response()
        await client.post(Request(URL("http://169.254.169.254/latest"), b"{}", {}), response)
    assert response.error == (
        "address not allowed: 169.254.169.254 is a link-local address, which only allow-link-local permits"
    )


async def test_a_name_that_resolves_to_a_link_local_address_is_not_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def getaddrinfo(_host: str, port: int, *_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", port))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    async with PushClient() as client:
        response = Response()
        await client.post(Request(URL("http://metadata.example/"), b"{}", {}), response)
    assert response.error is not None
    assert response.error.startswith("address not allowed: 169.254.169.254")

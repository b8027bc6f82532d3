"""https beside http on the same ports, with an authority of mockvod's own or the user's certificate."""

import asyncio
import logging
import os
import re
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import trustme
from aiohttp import ClientConnectorCertificateError, ClientSession

from mockvod import tls
from mockvod.app import CannotListen, Running, loop_factory, serving
from mockvod.settings import Settings

Start = Callable[..., Awaitable[Running]]


@pytest.fixture
async def secure(start: Start, tmp_path: Path) -> Running:
    return await start(tls=True, tls_port=0, tls_dir=str(tmp_path / "ca"), tls_names="video.example, other.test")


def trusting(running: Running) -> ssl.SSLContext:
    assert running.tls is not None
    return ssl.create_default_context(cadata=running.tls.ca_pem.decode())


async def status_of(session: ClientSession, url: str, **options: Any) -> int:
    async with session.get(f"{url}/mockvod/livez", **options) as response:
        return response.status


async def test_both_ports_serve_http_and_https(secure: Running, session: ClientSession) -> None:
    context = trusting(secure)
    assert secure.port != secure.tls_port
    for port in (secure.port, secure.tls_port):
        for scheme in ("http", "https"):
            assert await status_of(session, f"{scheme}://127.0.0.1:{port}", ssl=context) == 200


@pytest.mark.parametrize(
    "name",
    [
        "localhost",
        "vod.tencentcloudapi.com",
        "vod.ap-guangzhou.tencentcloudapi.com",
        "vod.intl.tencentcloudapi.com",
        "vod.api.qcloud.com",
        "vod2.qcloud.com",
        "1250000000.vod2.myqcloud.com",
        "bucket-1250000000.cos.ap-chongqing.myqcloud.com",
        "video.example",
        "other.test",
    ],
)
async def test_the_certificate_is_valid_for(secure: Running, session: ClientSession, name: str) -> None:
    url = f"https://127.0.0.1:{secure.port}"
    assert await status_of(session, url, ssl=trusting(secure), server_hostname=name) == 200


async def test_only_configured_names_are_in_the_certificate(secure: Running, session: ClientSession) -> None:
    with pytest.raises(ClientConnectorCertificateError):
        await status_of(session, f"https://127.0.0.1:{secure.port}", ssl=trusting(secure), server_hostname="bank.test")


async def test_a_client_that_does_not_trust_the_authority_is_named_in_the_log(
    secure: Running, session: ClientSession, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "mockvod.connections")
    with pytest.raises(ClientConnectorCertificateError):
        await status_of(session, secure.https_url)
    assert await status_of(session, secure.https_url, ssl=trusting(secure)) == 200
    [line] = [record.getMessage() for record in caplog.records]
    assert line.startswith("127.0.0.1 ended the TLS handshake")
    assert line.endswith("See `mockvod tls`")


async def test_the_certificate_to_trust_can_be_fetched(secure: Running, session: ClientSession) -> None:
    async with session.get(f"{secure.url}/mockvod/ca.pem") as response:
        assert secure.tls is not None
        assert (response.content_type, await response.read()) == ("application/x-pem-file", secure.tls.ca_pem)


async def test_without_https_there_is_no_certificate(running: Running, session: ClientSession) -> None:
    async with session.get(f"{running.url}/mockvod/ca.pem") as response:
        assert response.status == 404
    assert (running.tls, running.https_url) == (None, "")


async def test_a_silent_connection_delays_no_other(secure: Running, session: ClientSession) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", secure.port)
    assert await status_of(session, secure.https_url, ssl=trusting(secure)) == 200
    writer.close()


def test_it_works_on_the_faster_event_loop(tmp_path: Path) -> None:
    async def main() -> list[int]:
        async with (
            serving(Settings(port=0, tls=True, tls_dir=str(tmp_path))) as running,
            ClientSession() as session,
        ):
            urls = (running.url, running.https_url)
            return [await status_of(session, url, ssl=trusting(running)) for url in urls]

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        assert runner.run(main()) == [200, 200]


# --- the authority


def load(**settings: Any) -> tls.Tls:
    return tls.load(Settings(tls=True, **settings))


def test_the_authority_is_made_once_and_kept(tmp_path: Path) -> None:
    first, second = load(tls_dir=str(tmp_path / "a" / "b")), load(tls_dir=str(tmp_path / "a" / "b"))
    assert first.ca_pem == second.ca_pem
    assert first.ca_file == tmp_path / "a" / "b" / "ca.pem"
    assert (first.ca_file.read_bytes(), first.ca_file.with_name("ca-key.pem").stat().st_mode & 0o077) == (
        first.ca_pem,
        0,
    )


@pytest.mark.parametrize("name", ["ca.pem", "ca-key.pem"])
def test_a_file_of_the_authority_that_is_missing_leaves_no_pair_that_does_not_match(tmp_path: Path, name: str) -> None:
    first = load(tls_dir=str(tmp_path))
    (tmp_path / name).unlink()
    again = load(tls_dir=str(tmp_path))  # checks the key against the certificate
    assert again.ca_file is not None
    assert again.ca_file.read_bytes() == again.ca_pem
    assert (again.ca_pem == first.ca_pem) == (name == "ca.pem")  # the key has the certificate beside it


def test_a_key_without_its_certificate_beside_it_belongs_to_the_one_in_ca_pem(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.private_key_pem.write_to_path(tmp_path / "ca-key.pem")
    assert load(tls_dir=str(tmp_path)).ca_pem == authority.cert_pem.bytes()


def test_its_directory_is_the_user_s_state_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert load().ca_file == tmp_path / "mockvod" / "ca.pem"


def test_where_nothing_can_be_written_it_is_kept_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").touch()
    made = load(tls_dir=str(tmp_path / "file"))
    assert made.ca_pem.startswith(b"-----BEGIN CERTIFICATE-----")
    assert made.ca_file is None
    assert "tls-dir" in caplog.text


def test_an_authority_for_a_test_is_kept_in_memory() -> None:
    assert load(tls_dir=os.devnull).ca_file is None


def test_a_damaged_authority_is_named(tmp_path: Path) -> None:
    for name in ("ca.pem", "ca-key.pem"):
        (tmp_path / name).write_text("no certificate")
    with pytest.raises(tls.TlsError, match=r"ca\.pem .* delete both"):
        load(tls_dir=str(tmp_path))


async def test_the_user_s_own_certificate_is_served(start: Start, session: ClientSession, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.issue_cert("own.example").private_key_and_cert_chain_pem.write_to_path(tmp_path / "own.pem")
    running = await start(tls=True, tls_cert=str(tmp_path / "own.pem"))
    context = ssl.create_default_context(cadata=authority.cert_pem.bytes().decode())
    url = f"https://127.0.0.1:{running.port}"
    assert await status_of(session, url, ssl=context, server_hostname="own.example") == 200


@pytest.mark.parametrize("name", ["foo..bar", "*", "a b", "http://x", "my_host"])
async def test_a_name_that_no_certificate_can_have_is_rejected(start: Start, tmp_path: Path, name: str) -> None:
    with pytest.raises(CannotListen, match=re.escape(f"tls-names: '{name}' must be an IP address or a host name")):
        await start(tls=True, tls_dir=str(tmp_path), tls_names=f"video.example,{name}")


async def test_the_machine_may_have_a_name_that_no_certificate_can_have(
    start: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, session: ClientSession
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "my_host")
    running = await start(tls=True, tls_port=0, tls_dir=str(tmp_path), tls_names="::2,*.b.example,例え.jp")
    assert await status_of(session, f"https://127.0.0.1:{running.tls_port}", ssl=trusting(running)) == 200


async def test_a_certificate_that_cannot_be_loaded_is_named(start: Start, tmp_path: Path) -> None:
    (tmp_path / "own.pem").write_text("no certificate")
    with pytest.raises(CannotListen, match=r"tls-cert .*own\.pem"):
        await start(tls=True, tls_cert=str(tmp_path / "own.pem"))


def test_the_document_lists_the_names_of_the_certificate() -> None:
    document = (Path(__file__).parent.parent / "docs" / "tls.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`([^`\s]+)`", document))
    names = [
        re.sub("|".join(sorted(tls.REGIONS, reverse=True)), "<region>", name)
        for name in (*tls.LOCAL_NAMES, *tls.VENDOR_NAMES)
    ]
    assert sorted(set(names) - listed) == []

"""`mockvod tls`: where the certificate to trust is, and how each client trusts it."""

import re
from pathlib import Path

from mockvod.cli.tls import CLIENTS
from mockvod.testing import MockVod
from tests.cli.running import Mockvod


def test_it_names_the_certificate_and_a_line_for_each_client(mockvod: Mockvod, tmp_path: Path) -> None:
    shown = mockvod.json("tls", "--tls-dir", str(tmp_path))
    file = tmp_path / "ca.pem"
    assert shown["ca_file"] == str(file)
    assert file.read_text().startswith("-----BEGIN CERTIFICATE-----")
    assert shown["clients"]["Node"] == f"export NODE_EXTRA_CA_CERTS={file}"
    printed = mockvod.done("tls", "--tls-dir", str(tmp_path))
    assert all(f"  {line}\n" in printed for line in shown["clients"].values())


def test_the_document_lists_the_same_clients() -> None:
    document = (Path(__file__).parents[2] / "docs" / "tls.md").read_text(encoding="utf-8")
    table = document.partition("| client | what to set |")[2].partition("\n\n")[0]
    assert re.findall(r"(?m)^\| (\w[^|]*) \|", table) == list(CLIENTS)


def test_it_prints_commands_for_the_shell(mockvod: Mockvod, tmp_path: Path) -> None:
    lines = mockvod.done("tls", "--tls-dir", str(tmp_path), "--env").splitlines()
    assert lines[0] == f"export SSL_CERT_FILE='{tmp_path / 'ca.pem'}'"
    assert len(lines) == 3


def test_it_fetches_the_certificate_of_a_server(mockvod: Mockvod, tmp_path: Path) -> None:
    with MockVod(tls=True, tls_dir=str(tmp_path / "server")) as server:
        code, _, err = mockvod.run("tls", "--url", server.url, "--output", "mine.pem")
    assert (code, err) == (0, f"mockvod: certificate written to {tmp_path / 'mine.pem'}\n")
    assert (tmp_path / "mine.pem").read_bytes() == (tmp_path / "server" / "ca.pem").read_bytes()


def test_a_server_without_https_is_named(mockvod: Mockvod) -> None:
    with MockVod() as server:
        url = server.url
        code, message = mockvod.failed("tls", "--url", url, "--output", "mine.pem")
    assert (code, message) == (
        1,
        f"{url} serves no certificate (status 404): is https on, as by --tls?",
    )


def test_a_url_needs_a_file_to_write_to(mockvod: Mockvod) -> None:
    assert mockvod.failed("tls", "--url", "http://127.0.0.1:1")[0] == 2

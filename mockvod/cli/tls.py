"""The command that shows how clients trust the certificate of a server."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mockvod.cli.command import JSON, SERVER, Failure, Options, command, option
from mockvod.cli.output import say, show

TITLE = "TLS"

TIMEOUT = 10.0


@command(
    "tls",
    "Print where the certificate authority of https is, and how each client trusts it.",
    SERVER,
    option("--tls-dir", metavar="DIR", help="directory of the authority (default: the user's state directory)"),
    option("--output", metavar="FILE", help="copy the certificate to FILE; with --url, that of the server there"),
    option("--env", action="store_true", help='print shell commands: eval "$(mockvod tls --env)"'),
    JSON,
)
def tls(options: Options) -> None:
    if options.url and not options.output:
        raise Failure("--url needs --output FILE, where the certificate is written to", 2)
    file = _fetched(options) if options.url else _local(options)
    if options.env:
        for name in ("SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"):
            print(f"export {name}='{file}'")
        return
    lines = {client: line.format(file=file) for client, line in CLIENTS.items()}
    show(options, {"ca_file": str(file), "clients": lines}, _text(file, lines))


CLIENTS: Mapping[str, str] = {
    "Python SDK from 3.0.571": 'HttpProfile(certification="{file}")',
    "Python SDK before 3.0.567, its asynchronous client, Go, Ruby": "export SSL_CERT_FILE={file}",
    "tccli": 'cat {file} >> "$(python -m certifi)"',
    "Node": "export NODE_EXTRA_CA_CERTS={file}",
    "Java": (
        "keytool -importcert -noprompt -alias mockvod -file {file} -keystore mockvod.p12 -storepass changeit; "
        "java -Djavax.net.ssl.trustStore=mockvod.p12 -Djavax.net.ssl.trustStorePassword=changeit …"
    ),
    "PHP": "php -d openssl.cafile={file} -d curl.cainfo={file} …",
    "curl": "curl --cacert {file} …",
    "requests (Python), Python SDK 3.0.567 to 3.0.570": "export REQUESTS_CA_BUNDLE={file}",
}
"""How each client trusts *file*."""


def _text(file: Path, lines: Mapping[str, str]) -> Iterator[str]:
    yield f"certificate to trust: {file}"
    for client, line in lines.items():
        yield ""
        yield f"{client}:"
        yield f"  {line}"


def _local(options: Options) -> Path:
    from mockvod.settings import Settings  # 100 ms of pydantic, which --url does not need
    from mockvod.tls import TlsError, load

    try:
        made = load(Settings(tls=True, tls_dir=options.tls_dir or ""))
    except TlsError as error:
        raise Failure(str(error)) from None
    if made.ca_file is None:
        raise Failure("the authority cannot be kept: choose a directory that can be written to with --tls-dir")
    return _write(made.ca_pem, options.output) if options.output else made.ca_file


def _fetched(options: Options) -> Path:
    from urllib.error import HTTPError, URLError  # 30 ms that the local way does not need
    from urllib.request import urlopen

    url = f"{options.url.rstrip('/')}/mockvod/ca.pem"
    try:
        with urlopen(url, timeout=TIMEOUT) as response:  # noqa: S310 - `--url` is an http URL
            return _write(response.read(), options.output)
    except HTTPError as error:
        error.close()
        raise Failure(f"{options.url} serves no certificate (status {error.code}): is https on, as by --tls?") from None
    except URLError as error:
        raise Failure(f"cannot reach {options.url}: {error.reason}") from None


def _write(pem: bytes, name: str) -> Path:
    file = Path(name).absolute()
    try:
        file.write_bytes(pem)
    except OSError as error:
        raise Failure(f"cannot write {name}: {error.strerror}") from None
    say(f"certificate written to {file}")
    return file

"""Certificates for https: from mockvod's own certificate authority, or the user's files."""

import ipaddress
import logging
import os
import socket
import ssl
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from mockvod.settings import Settings

log = logging.getLogger("mockvod.tls")

CA_FILE: Final = "ca.pem"
KEY_FILE: Final = "ca-key.pem"

REGIONS: Final = tuple(
    "ap-bangkok ap-beijing ap-beijing-1 ap-chengdu ap-chongqing ap-guangzhou ap-hongkong ap-jakarta ap-mumbai "
    "ap-nanjing ap-seoul ap-shanghai ap-singapore ap-taipei ap-tokyo eu-frankfurt eu-moscow na-ashburn "
    "na-siliconvalley na-toronto sa-saopaulo".split()
)
"""Regions of Tencent Cloud that have the API or the storage of uploads."""
LOCAL_NAMES: Final = ("localhost", "127.0.0.1", "::1", "host.docker.internal", "mockvod")
VENDOR_NAMES: Final = (
    "vod.tencentcloudapi.com",
    "vod.intl.tencentcloudapi.com",
    "vod.api.qcloud.com",
    "vod2.qcloud.com",
    "vod2.dnsv1.com",
    "vodreport.qcloud.com",
    "*.vod2.myqcloud.com",
    "*.vod-qcloud.com",
    *(f"vod.{region}.tencentcloudapi.com" for region in REGIONS),
    *(f"*.cos.{region}.myqcloud.com" for region in REGIONS),
)
"""Host names that Tencent's SDKs, upload SDKs and players connect to."""


class TlsError(Exception):
    """https cannot be served with these settings; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Tls:
    """What a server needs for https."""

    context: ssl.SSLContext
    ca_pem: bytes = b""
    """The certificate that clients must trust; empty when the user's own certificate is served."""
    ca_file: Path | None = None
    """Where that certificate is; None when it is kept in memory."""


def default_directory() -> Path:
    """Where the certificate authority is kept unless `tls-dir` names another directory."""
    if sys.platform == "win32":
        state = os.environ.get("LOCALAPPDATA", "")
        return (Path(state) if state else Path.home() / "AppData" / "Local") / "mockvod"
    state = os.environ.get("XDG_STATE_HOME", "")
    return (Path(state) if state else Path.home() / ".local" / "state") / "mockvod"


def server_names(more: str = "") -> list[str]:
    """Every name that the certificate is valid for; *more* are the names of `tls-names`, separated by commas.

    The machine's own name is left out if no certificate can have it. Raises TlsError if one of *more* is no host name.
    """
    extra = [name.strip() for name in more.split(",") if name.strip()]
    for name in extra:
        if not _can_be_certified(name):
            example = "name, such as mockvod.example or *.mockvod.example"
            raise TlsError(f"tls-names: {name[:100]!r} must be an IP address or a host {example}")
    own = [name for name in [socket.gethostname()] if _can_be_certified(name)]
    return list(dict.fromkeys([*LOCAL_NAMES, *own, *extra, *VENDOR_NAMES]))


def _can_be_certified(name: str) -> bool:
    import idna  # noqa: PLC0415 - 10 ms, for https only

    with suppress(ValueError):
        ipaddress.ip_address(name)
        return True
    try:
        idna.encode(name.removeprefix("*."), uts46=True)
    except ValueError:
        return False
    return True


def load(settings: Settings) -> Tls:
    """The TLS context that *settings* describe. Makes the certificate authority if there is none. Raises TlsError."""
    if settings.tls_cert:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            context.load_cert_chain(settings.tls_cert, settings.tls_key or None)
        except (OSError, ssl.SSLError) as error:
            reason = error.strerror or str(error)
            raise TlsError(f"tls-cert {settings.tls_cert} and tls-key cannot be loaded: {reason}") from None
        return Tls(context)
    try:
        import trustme  # noqa: PLC0415 - the extra `tls`
    except ImportError:
        raise TlsError("https needs the package trustme: pip install 'mockvod[tls]', or set tls-cert") from None

    ca_pem, key_pem, file = _authority(Path(settings.tls_dir) if settings.tls_dir else default_directory())
    try:
        authority = trustme.CA.from_pem(ca_pem, key_pem)
    except (ValueError, TypeError) as error:
        raise TlsError(f"{file} and {KEY_FILE} beside it are no valid authority ({error}): delete both") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*server_names(settings.tls_names), common_name="mockvod").configure_cert(context)
    return Tls(context, ca_pem, file)


def _authority(directory: Path) -> tuple[bytes, bytes, Path | None]:
    """Certificate and key of the authority in *directory*, made now if it has none, and the certificate's file.

    Where the directory cannot be written to, the authority is kept in memory and the file is None.
    """
    if str(directory) == os.devnull:
        return (*_new_authority(), None)
    ca_file, key_file = directory / CA_FILE, directory / KEY_FILE
    try:
        if not key_file.exists():
            _keep(key_file, *_new_authority())
        key_pem, begin, rest = key_file.read_bytes().partition(b"-----BEGIN CERTIFICATE-----")
        ca_pem = begin + rest or ca_file.read_bytes()
        if not ca_file.exists() or ca_file.read_bytes() != ca_pem:
            with _beside(ca_file) as made:
                made.write_bytes(ca_pem)
                made.replace(ca_file)
    except OSError as error:
        log.warning(
            "the certificate authority cannot be kept in %s (%s): it changes with every start; set tls-dir to a "
            "directory that can be written to, or get it from /mockvod/ca.pem",
            directory,
            error.strerror,
        )
        return (*_new_authority(), None)
    return ca_pem, key_pem, ca_file


def _new_authority() -> tuple[bytes, bytes]:
    import trustme  # noqa: PLC0415 - the extra `tls`

    authority = trustme.CA(organization_name="mockvod", organization_unit_name=f"on {socket.gethostname()}"[:64])
    return authority.cert_pem.bytes(), authority.private_key_pem.bytes()


def _keep(key_file: Path, ca_pem: bytes, key_pem: bytes) -> None:
    """Write the key with its certificate in one step; of two servers that do so at the same time, the first wins.

    The certificate alone, which clients read, is written from this file, so the two always match.
    """
    key_file.parent.mkdir(parents=True, exist_ok=True)
    with _beside(key_file) as made, suppress(FileExistsError):
        made.touch(mode=0o600)
        made.write_bytes(key_pem + ca_pem)
        os.link(made, key_file)


@contextmanager
def _beside(file: Path) -> Iterator[Path]:
    """A path for a temporary file in the directory of *file*, which is removed at the end."""
    with tempfile.TemporaryDirectory(dir=file.parent) as folder:
        yield Path(folder, file.name)

"""Where the files of one application are: one APPID and one folder per media file, as recorded addresses have it."""

from contextvars import ContextVar
from random import Random
from typing import Final, NamedTuple
from urllib.parse import quote
from zlib import crc32

VENDOR: Final = "vendor"
"""The `public-url` that stands for the vendor's own host names."""
REGION: Final = "gzp"
REACHED: Final[ContextVar[str]] = ContextVar("REACHED", default="")
"""Scheme, host and port under which the caller of the present request reached the server; empty without a request."""


class Addresses(NamedTuple):
    """The addresses of an application's files, the same for the same seed.

    Every file lies at `<base>/<bucket>/<8 hex><FileId>/<name>`. The bucket names the application: an original file and
    the files made from it have one each.
    """

    app_id: int
    originals: str
    """Bucket of uploaded files: `<8 hex>vod<region><APPID>`."""
    products: str
    """Bucket of the files made from them: `<8 hex>vodtrans<region><APPID>`."""
    seed: str
    owner: str
    """Query that names account and application, for the addresses under /snapshots."""
    base: str = VENDOR
    """Scheme, host and port of every address; VENDOR for Tencent's host name."""

    def at(self, base: str) -> "Addresses":
        return self._replace(base=base)

    @property
    def bucket(self) -> str:
        """The storage's name for the bucket of uploaded files: with the APPID behind a hyphen."""
        return f"{self.originals}-{self.app_id}"

    @property
    def host(self) -> str:
        return f"http://{self.app_id}.vod2.myqcloud.com" if self.base == VENDOR else self.base.rstrip("/")

    def original(self, file_id: str, name: str) -> str:
        """Address of an uploaded file or of what an edit made, such as `f0.mp4`."""
        return f"{self.host}/{self.originals}/{self.folder(file_id)}/{name}"

    def product(self, file_id: str, name: str) -> str:
        """Address of a file made from a media file, such as `v.f100020.mp4`."""
        return f"{self.host}/{self.products}/{self.folder(file_id)}/{name}"

    def snapshot(self, file_id: str, definition: int, number: int, offset: int, form: str) -> str:
        """Address of the picture at *offset* milliseconds, the one with *number* in its set, from 0 on."""
        if self.base == VENDOR:
            return self.product(file_id, f"snapshotByTimeOffset/snapshotByTimeOffset_{definition}_{number}.{form}")
        return f"{self.host}/snapshots/{_segment(file_id)}/{definition}/{offset}.{form}{self.owner}"

    def watermark(self, definition: int | str) -> str:
        """Address of the picture of a watermark template."""
        return f"{self.host}/{self.originals}/watermark/{definition}"

    def folder(self, file_id: str) -> str:
        return f"{crc32(f'{self.seed}/folder/{file_id}'.encode()):08x}{_segment(file_id)}"


def addresses(seed: int | str, owner: str = "", twin: int = 0) -> Addresses:
    """The addresses of the application with *seed*. *twin* tells accounts with equal seeds apart by their buckets."""
    random = Random(f"{seed}/addresses")
    app_id = 1_250_000_000 + random.getrandbits(26)
    if twin:
        random = Random(f"{seed}/addresses/{twin}")
    originals, products = (f"{random.getrandbits(32):08x}{name}{REGION}{app_id}" for name in ("vod", "vodtrans"))
    return Addresses(app_id, originals, products, str(seed), owner)


def _segment(file_id: str) -> str:
    return file_id if file_id.isascii() and file_id.isalnum() else quote(file_id, safe="")

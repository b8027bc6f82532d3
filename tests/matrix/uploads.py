"""`make upload-sdks`: uploads with Tencent's upload SDKs, unmodified, and writes the table in docs/compatibility.md.

Each SDK uploads over https, to Tencent's host names, with strict authentication. Those of npm are installed into a
temporary directory. Needs npm. Exit code 1 when something failed.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urljoin, urlsplit

from mockvod.testing import MockVod
from mockvod.wire.uploads import sign_upload
from tests.matrix.__main__ import PAGE, SECRET_ID, SECRET_KEY

BEGIN, END = "<!-- upload SDKs: made by `make upload-sdks` -->\n", "<!-- end of upload SDKs -->\n"
CLIENTS: Final = Path(__file__).parent / "clients"
SMALL, COVER = bytes([1]) * 50_000, bytes([2]) * 3_000
PLAYLIST, SEGMENT = b"#EXTM3U\n#EXTINF:4,\nparts/seg0.ts\n#EXT-X-ENDLIST\n", bytes([3]) * 20_000
STOPPED: Final = 3
"""Exit code of a program that was to stop in the middle of its upload."""


class Tested(NamedTuple):
    """An upload SDK."""

    name: str
    packages: tuple[str, ...]
    """What npm installs; the SDK first. None for the SDK for Python, which is installed with the tests."""
    program: str
    part: int
    """Bytes of the parts that it sends."""
    refusal: str
    """What the error of a wrong key contains."""
    playlists: bool = True
    """Whether it uploads the segments of a playlist."""
    resumes: bool = True
    """Whether a further upload of the same file continues one that was interrupted."""


TESTED: Final = (
    Tested("Python upload SDK", (), "upload_python.py", 1024**2, "AuthFailure.SignatureFailure"),
    Tested(
        "Node upload SDK", ("vod-node-sdk",), "upload_node.cjs", 1024**2, "AuthFailure.SignatureFailure", resumes=False
    ),
    Tested(
        "Web upload SDK, in jsdom",
        ("vod-js-sdk-v6", "jsdom@22"),
        "upload_web.cjs",
        8 * 1024**2,
        "invalid signature",
        playlists=False,
    ),
)
COLUMNS: Final = ("small file", "cover", "several parts", "broken connection", "resumed", "playlist", "wrong key")


class Row(NamedTuple):
    """What became of one SDK: by column, `ok` or an error; empty for what the SDK cannot do."""

    tested: Tested
    version: str
    outcomes: dict[str, str]


class Upload(NamedTuple):
    """What a program is to upload, and what must be served then."""

    media: Path
    cover: Path | None = None
    path: str = ""
    """MediaStoragePath, for SDKs that have it."""

    def served(self) -> dict[str, bytes]:
        """The bytes by address, relative to MediaUrl; the address of the cover is `cover`."""
        found = {"": self.media.read_bytes()}
        if self.cover is not None:
            found["cover"] = self.cover.read_bytes()
        if self.media.suffix == ".m3u8":
            found["parts/seg0.ts"] = SEGMENT
        return found


def main() -> int:
    if shutil.which("npm") is None:
        print("make upload-sdks needs npm", file=sys.stderr)
        return 1
    rows = []
    for tested in TESTED:
        with TemporaryDirectory(prefix="mockvod-upload-sdk-") as folder:
            rows.append(Row(tested, install(tested, Path(folder)), run(tested, Path(folder))))
        print(f"{tested.name} {rows[-1].version}: {rows[-1].outcomes}", flush=True)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text("".join((before, BEGIN, *table(rows), END, rest.partition(END)[2])), encoding="utf-8")
    return 1 if any(outcome not in {"", "ok"} for row in rows for outcome in row.outcomes.values()) else 0


def install(tested: Tested, folder: Path) -> str:
    """Install the packages of *tested* in *folder*; return the version of the SDK."""
    if not tested.packages:
        return version("vod-python-sdk")
    options = ["--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", str(folder)]
    subprocess.run(["npm", "install", *options, *tested.packages], check=True)
    manifest = folder / "node_modules" / tested.packages[0] / "package.json"
    found: str = json.loads(manifest.read_text(encoding="utf-8"))["version"]
    return found


def run(tested: Tested, folder: Path) -> dict[str, str]:
    """Upload to a fresh server; return the outcome of each column."""
    small, cover, large = (folder / name for name in ("small.mp4", "cover.jpg", "large.mp4"))
    small.write_bytes(SMALL)
    cover.write_bytes(COVER)
    large.write_bytes(os.urandom(tested.part * 5 // 2))
    playlist = folder / "hls" / "list.m3u8"
    (playlist.parent / "parts").mkdir(parents=True)
    playlist.write_bytes(PLAYLIST)
    (playlist.parent / "parts" / "seg0.ts").write_bytes(SEGMENT)
    with MockVod(
        tls=True,
        auth="strict",
        secret_id=SECRET_ID,
        secret_key=SECRET_KEY,
        upload_media_complete_event_switch="ON",
    ) as server:
        session = Session(server, tested, folder)
        return {
            "small file": session.outcome(Upload(small)),
            "cover": session.outcome(Upload(small, cover)),
            "several parts": session.outcome(Upload(large)),
            "broken connection": session.outcome(Upload(large), break_once=True),
            "resumed": session.resumed(Upload(large, path="/resumed/large.mp4")) if tested.resumes else "",
            "playlist": session.outcome(Upload(playlist)) if tested.playlists else "",
            "wrong key": session.refused(Upload(small)),
        }


class Session:
    """Uploads with one SDK to one server."""

    def __init__(self, server: MockVod, tested: Tested, folder: Path) -> None:
        self._server = server
        self._tested = tested
        self._folder = folder

    def outcome(self, upload: Upload, *, break_once: bool = False) -> str:
        """`ok`, or what is wrong with an upload; *break_once* breaks the connection of its first part."""
        return problem(self._server, self._program(upload, break_once=break_once), upload.served())

    def refused(self, upload: Upload) -> str:
        """`ok` if an upload with a wrong key is refused."""
        result = self._program(upload, secret_key="wrong")
        return "ok" if self._tested.refusal in result.get("error", "") else f"not refused: {result}"

    def resumed(self, upload: Upload) -> str:
        """`ok` if an upload whose program ends after its first part is continued with the others."""
        stopped = self._program(upload, stop_after=1)
        if stopped != {"stopped": True}:
            return f"not stopped: {stopped}"
        result = self._program(upload)
        if result.get("sent", 0) > 2:
            return f"{result['sent']} parts were sent, of which one was there"
        return problem(self._server, result, upload.served())

    def _program(
        self, upload: Upload, *, secret_key: str = SECRET_KEY, stop_after: int = 0, break_once: bool = False
    ) -> dict[str, Any]:
        """What the SDK returned: `file_id`, `media_url`, `cover_url` and `sent` (parts); or `error`, or `stopped`."""
        plan = {
            "port": int(self._server.endpoint.rpartition(":")[2]),
            "secret_id": SECRET_ID,
            "secret_key": secret_key,
            "signature": sign_upload(SECRET_ID, secret_key, now=int(time.time())),
            "media": str(upload.media),
            "cover": "" if upload.cover is None else str(upload.cover),
            "path": upload.path,
            "memory": str(self._folder / "memory.json"),
            "stop_after": stop_after,
            "break_once": break_once,
            "stopped": STOPPED,
        }
        environment = {
            **os.environ,
            "NODE_PATH": str(self._folder / "node_modules"),
            "NODE_EXTRA_CA_CERTS": str(self._server.ca_file),
            "NODE_NO_WARNINGS": "1",
        }
        language = sys.executable if self._tested.program.endswith(".py") else "node"
        command = [language, str(CLIENTS / self._tested.program), json.dumps(plan)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
        if done.returncode == STOPPED:
            return {"stopped": True}
        if done.returncode != 0:
            return {"error": done.stderr.strip().rpartition("\n")[2]}
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found


def problem(server: MockVod, result: Mapping[str, Any], served: Mapping[str, bytes]) -> str:
    """`ok`, or what is wrong with the *result* of an upload of which *served* is expected, as `Upload.served`."""
    if "error" in result:
        return str(result["error"])
    if not server.client.events(event_type="NewFileUpload", file_id=result["file_id"]):
        return "no NewFileUpload"
    for name, expected in served.items():
        url = result["cover_url"] if name == "cover" else urljoin(result["media_url"], name)
        local = f"{server.url}{urlsplit(url).path}"
        try:
            with urllib.request.urlopen(local, timeout=20) as response:  # noqa: S310 - the server's own address
                content = response.read()
        except HTTPError as error:
            return f"{url}: status {error.code}"
        if content != expected:
            return f"{url} does not have the bytes that were uploaded"
    return "ok"


def table(rows: list[Row]) -> Iterator[str]:
    yield f"| upload SDK | version | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 2)}\n"
    for row in rows:
        yield f"| {row.tested.name} | {row.version} | {' | '.join(row.outcomes[name] for name in COLUMNS)} |\n"


if __name__ == "__main__":
    sys.exit(main())

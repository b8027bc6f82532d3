"""`make upload-sdks`: uploads with Tencent's upload SDKs, unmodified, and writes the table in docs/compatibility.md.

Each SDK is installed into a temporary directory and uploads over https, to Tencent's host names, with strict
authentication: a small file with its cover, and one of several parts. Then it uses a wrong key, which must be refused.
Needs npm. Exit code 1 when something failed.
"""

import json
import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from mockvod.testing import MockVod
from mockvod.wire.uploads import sign_upload
from tests.matrix.__main__ import PAGE, SECRET_ID, SECRET_KEY

BEGIN, END = "<!-- upload SDKs: made by `make upload-sdks` -->\n", "<!-- end of upload SDKs -->\n"
CLIENTS = Path(__file__).parent / "clients"
SMALL, COVER = 50_000, 3_000


class Tested(NamedTuple):
    """An upload SDK."""

    name: str
    packages: tuple[str, ...]
    """What npm installs; the SDK first."""
    program: str
    parts: int
    """Bytes of a file that this SDK sends in parts."""
    refusal: str
    """What the error of a wrong key contains."""


TESTED = (
    Tested("Node upload SDK", ("vod-node-sdk",), "upload_node.cjs", 2_500_000, "AuthFailure.SignatureFailure"),
    Tested("Web upload SDK, in jsdom", ("vod-js-sdk-v6", "jsdom@22"), "upload_web.cjs", 9_000_000, "invalid signature"),
)
COLUMNS = ("small file with cover", "several parts", "wrong key")


class Row(NamedTuple):
    """What became of one SDK: by column, `ok` or an error."""

    tested: Tested
    version: str
    outcomes: dict[str, str]


def main() -> int:
    if shutil.which("npm") is None:
        print("make upload-sdks needs npm", file=sys.stderr)
        return 1
    rows = []
    for tested in TESTED:
        with TemporaryDirectory(prefix="mockvod-upload-sdk-") as folder:
            version = install(tested, Path(folder))
            rows.append(Row(tested, version, run(tested, Path(folder))))
        print(f"{tested.name} {version}: {rows[-1].outcomes}", flush=True)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text("".join((before, BEGIN, *table(rows), END, rest.partition(END)[2])), encoding="utf-8")
    return 1 if any(outcome != "ok" for row in rows for outcome in row.outcomes.values()) else 0


def install(tested: Tested, folder: Path) -> str:
    """Install the packages of *tested* in *folder*; return the version of the SDK."""
    options = ["--silent", "--no-audit", "--no-fund", "--no-package-lock", "--prefix", str(folder)]
    subprocess.run(["npm", "install", *options, *tested.packages], check=True)
    manifest = folder / "node_modules" / tested.packages[0] / "package.json"
    version: str = json.loads(manifest.read_text(encoding="utf-8"))["version"]
    return version


def run(tested: Tested, folder: Path) -> dict[str, str]:
    """Upload to a fresh server; return the outcome of each column."""
    with MockVod(
        tls=True,
        auth="strict",
        secret_id=SECRET_ID,
        secret_key=SECRET_KEY,
        upload_media_complete_event_switch="ON",
    ) as server:
        small, large = uploads(server, tested, folder, SECRET_KEY)
        [refused, _] = uploads(server, tested, folder, "wrong")
        notified = {event.file_id for event in server.client.events(event_type="NewFileUpload")}
        return dict(
            zip(
                COLUMNS,
                (
                    problem(server, small, SMALL, notified),
                    problem(server, large, tested.parts, notified),
                    "ok" if tested.refusal in refused.get("error", "") else f"not refused: {refused}",
                ),
                strict=True,
            )
        )


def uploads(server: MockVod, tested: Tested, folder: Path, secret_key: str) -> list[dict[str, Any]]:
    """What the SDK returned for a small and a large file: `file_id`, `media_url` and `cover_url`, or `error`.

    The file has bytes 1, its cover bytes 2.
    """
    plan = {
        "port": int(server.endpoint.rpartition(":")[2]),
        "secret_id": SECRET_ID,
        "secret_key": secret_key,
        "signature": sign_upload(SECRET_ID, secret_key, now=int(time.time())),
        "sizes": [SMALL, tested.parts],
        "cover": COVER,
        "folder": str(folder),
    }
    environment = {
        **os.environ,
        "NODE_PATH": str(folder / "node_modules"),
        "NODE_EXTRA_CA_CERTS": str(server.ca_file),
        "NODE_NO_WARNINGS": "1",
    }
    command = ["node", str(CLIENTS / tested.program), json.dumps(plan)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode != 0:
        return [{"error": done.stderr.strip().rpartition("\n")[2]}] * 2
    found: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
    return found


def problem(server: MockVod, upload: dict[str, Any], size: int, notified: set[str | None]) -> str:
    """`ok`, or what is wrong with an upload of *size* bytes."""
    if "error" in upload:
        return str(upload["error"])
    if upload["file_id"] not in notified:
        return "no NewFileUpload"
    for url, fill, expected in ((upload["media_url"], 1, size), (upload["cover_url"], 2, COVER)):
        local = f"{server.url}{urlsplit(url).path}"
        with urllib.request.urlopen(local, timeout=20) as response:  # noqa: S310 - the server's own address
            if response.read() != bytes([fill]) * expected:
                return f"{url} does not have the bytes that were uploaded"
    return "ok"


def table(rows: list[Row]) -> Iterator[str]:
    yield f"| upload SDK | version | {' | '.join(COLUMNS)} |\n|{'---|' * (len(COLUMNS) + 2)}\n"
    for row in rows:
        yield f"| {row.tested.name} | {row.version} | {' | '.join(row.outcomes[name] for name in COLUMNS)} |\n"


if __name__ == "__main__":
    sys.exit(main())

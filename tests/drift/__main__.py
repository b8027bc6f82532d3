"""`python -m tests.drift [VERSION] [--write]`: what a version of Tencent's Python SDK of VOD and of their CLI changes.

Both are fetched. VERSION is that of the SDK, by default the newest; the CLI is the newest that is not newer than it.
What differs from `surface.json` is printed with what it means for mockvod, as is what mockvod does not know of it. Exit
code 1 when there is something to print, 0 when there is nothing, 2 when a version cannot be installed. With `--write`,
the version becomes the new `surface.json`.
"""

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import distributions
from pathlib import Path

from tests.drift.compare import changes, gaps
from tests.drift.surface import COMMITTED, Surface, read

SDK = "tencentcloud-sdk-python-vod"
CLI = "tccli"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.drift", description=(__doc__ or "").partition(": ")[2])
    parser.add_argument("version", nargs="?", help="version of the SDK (default: the newest)")
    parser.add_argument("--write", action="store_true", help=f"make it the committed {COMMITTED.name}")
    options = parser.parse_args()
    committed = Surface.model_validate_json(COMMITTED.read_bytes()) if COMMITTED.exists() else None
    with tempfile.TemporaryDirectory() as name:
        new = fetched(Path(name), options.version, committed)
    if options.write:
        new.save(COMMITTED)
        committed = new
    if committed is None:
        parser.error(f"there is no {COMMITTED}: write it with --write")
    found = [*changes(committed, new), *gaps(new)]
    if found:
        print(f"{SDK} {committed.sdk} → {new.sdk}, {CLI} {committed.cli} → {new.cli}\n")
        print("\n\n".join(map(str, found)))
    return 1 if found else 0


def fetched(place: Path, version: str | None, committed: Surface | None) -> Surface:
    """The surface of *version* of the SDK and of a CLI to go with it, unpacked below *place*."""
    sdk = install(place / "sdk", SDK, f"=={version}" if version else "")
    pinned = committed is not None and committed.sdk == sdk
    cli = install(place / "cli", CLI, f"=={committed.cli}" if committed and pinned else f"<={sdk}.999")
    return read(place / "sdk", place / "cli").model_copy(update={"sdk": sdk, "cli": cli})


def install(place: Path, package: str, wanted: str) -> str:
    """Unpacks *package* below *place*, without what it depends on; returns its version. Exits with 2 when it cannot."""
    command = [sys.executable, "-m", "uv", "--quiet", "pip", "install", "--no-deps", "--target", str(place)]
    if subprocess.run([*command, package + wanted], check=False).returncode != 0:
        print(f"cannot install {package}{wanted}", file=sys.stderr)
        raise SystemExit(2)
    [found] = distributions(path=[str(place)])
    return found.version


if __name__ == "__main__":
    sys.exit(main())

"""Copies what the image has into a folder: Python, mockvod with its packages, the shared libraries of both.

`python rootfs.py FOLDER`, run by the interpreter of mockvod's environment. Paths stay as they are. There is no shell,
no package manager and nothing of Python that a server does not need. Sources other than mockvod's are replaced by
bytecode. `/sbom.cdx.json` lists what was copied (CycloneDX).
"""

import compileall
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from py_compile import PycInvalidationMode
from urllib.parse import quote

STDLIB = Path(sysconfig.get_path("stdlib"))
ENVIRONMENT = Path(sys.prefix)
USER = 10001

# Names of files and folders that are left out; of Faker, every language but English.
LEFT_OUT = re.compile(
    r"__pycache__|.*\.pyi|.*\.pyx|.*\.pxd|.*\.c|.*\.a|tests?|idlelib|tkinter|_tkinter.*|turtle.*|ensurepip|pydoc_data"
    r"|lib2to3|config-3.*|site-packages|dist-packages|_test.*\.so|_ctypes_test.*|xxlimited.*"
    r"|_sqlite3.*|_g?dbm.*|_avif.*|libavif.*|_imagingtk.*"
)
LANGUAGE = re.compile(r"(?!en(_|$))[a-z]{2,3}(_[A-Z]\w+)?")
# Of the package whose certificates are in the file that is copied; the file itself is in no package.
AUTHORITIES = Path("/usr/share/ca-certificates")
FILES = ("/etc/nsswitch.conf", "/etc/ld.so.cache", "/etc/ssl/certs/ca-certificates.crt")


def main(root: Path) -> None:
    shutil.copytree(STDLIB, inside(root, STDLIB), ignore=_ignored)
    packages = Path(sysconfig.get_path("purelib"))
    shutil.copytree(packages, inside(root, packages), ignore=_ignored)
    for path in (ENVIRONMENT / "pyvenv.cfg", ENVIRONMENT / "bin" / "mockvod", *map(Path, FILES)):
        copy(root, path)
    python = ENVIRONMENT / "bin" / "python"
    while python.is_symlink():
        copy(root, python)
        python = python.parent / python.readlink()
    copy(root, python)
    libraries = sorted(set(needed(root, [python, *root.rglob("*.so*")])))
    for library in libraries:
        copy(root, library)
    strip = ["strip", "--strip-unneeded", *inside(root, packages).rglob("*.so")]
    subprocess.run(strip, check=True)
    for folder, mode in (("tmp", 0o1777), ("mockvod", 0o755)):
        (root / folder).mkdir()
        (root / folder).chmod(mode)
    os.chown(root / "mockvod", USER, USER)
    (root / "etc" / "passwd").write_text(f"mockvod:x:{USER}:{USER}::/mockvod:/nonexistent\n", encoding="ascii")
    own = re.compile(re.escape(str(inside(root, packages / "mockvod"))))
    _compile(root, legacy=True, rx=own)  # beside its source, where it can replace it
    for source in root.rglob("*.py"):
        if source.with_suffix(".pyc").exists():
            source.unlink()
    _compile(root)
    (root / "sbom.cdx.json").write_text(json.dumps(sbom([*libraries, AUTHORITIES]), indent=1), encoding="utf-8")


def _ignored(folder: str, names: list[str]) -> set[str]:
    languages = "faker/providers/" in folder + "/" and not folder.endswith("faker/providers")
    return {name for name in names if LEFT_OUT.fullmatch(name) or (languages and LANGUAGE.fullmatch(name))}


def _compile(root: Path, *, legacy: bool = False, rx: re.Pattern[str] | None = None) -> None:
    # Never compared with its source: nothing is written at run time, and dates do not matter.
    compileall.compile_dir(
        root, maxlevels=20, quiet=1, stripdir=str(root), prependdir="/", workers=0, legacy=legacy, rx=rx,
        invalidation_mode=PycInvalidationMode.UNCHECKED_HASH,
    )  # fmt: skip


def inside(root: Path, path: Path) -> Path:
    return root / path.relative_to("/")


def copy(root: Path, path: Path) -> None:
    """Copies a file or a link of the file system to the same place below *root*. A library's link becomes the file."""
    target = inside(root, path)
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(path, target, follow_symlinks=".so" in path.name)


def needed(root: Path, binaries: list[Path]) -> Iterator[Path]:
    """The shared libraries outside of *root* that *binaries* are linked with, the loader among them."""
    for binary in binaries:
        command = ["ldd", str(binary)]
        for library in linked(subprocess.run(command, capture_output=True, text=True, check=False).stdout):
            if not library.is_relative_to(root):
                yield library


def linked(listed: str) -> list[Path]:
    """The libraries in the output of ldd. It ends the build if one was not found."""
    if missing := re.findall(r"(\S+) => not found", listed):
        raise SystemExit(f"not found: {', '.join(missing)}")
    return [Path(os.path.normpath(found)) for found in re.findall(r"(?:=> |^\s+)(/\S+) \(", listed, re.MULTILINE)]


def sbom(paths: list[Path]) -> dict[str, object]:
    """A bill of materials: Python, the packages of the environment, the Debian packages that *paths* are from."""
    version = platform.python_version()
    python = {
        "type": "application",
        "name": "cpython",
        "version": version,
        "cpe": f"cpe:2.3:a:python:python:{version}:*:*:*:*:*:*:*",
    }
    packages = [
        _library(f"pypi/{one.name.lower().replace('_', '-')}", one.name, one.version)
        for one in sorted(distributions(), key=lambda one: one.name.lower())
    ]
    debian = [_library(f"deb/debian/{name}", name, version) for name, version in sorted(set(_debian(paths)))]
    return {"bomFormat": "CycloneDX", "specVersion": "1.5", "version": 1, "components": [python, *packages, *debian]}


def _library(place: str, name: str, version: str) -> dict[str, str]:
    return {"type": "library", "name": name, "version": version, "purl": f"pkg:{place}@{quote(version)}"}


def _debian(paths: list[Path]) -> Iterator[tuple[str, str]]:
    for one in paths:
        # dpkg knows files by the path of their package, which may be without the link /lib → /usr/lib.
        for path in (one, Path("/usr", *one.parts[1:]), one.resolve()):
            command = ["dpkg-query", "--search", str(path)]
            found = subprocess.run(command, capture_output=True, text=True, check=False).stdout
            if names := re.findall(r"^([a-z0-9][a-z0-9.+-]+)(?::\w+)?: /", found, re.MULTILINE):
                show = ["dpkg-query", "--show", "--showformat", "${Version}\n", names[0]]
                yield names[0], subprocess.run(show, capture_output=True, text=True, check=True).stdout.split()[0]
                break


if __name__ == "__main__":
    main(Path(sys.argv[1]))

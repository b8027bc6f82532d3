"""`make test-all`: builds the wheel and runs the tests against it on every supported Python that is installed.

`python -m tests.pythons [--lowest | --newer] [PYTEST ARGUMENT …]`. Supported versions are those of the classifiers in
pyproject.toml; the next one is tried too. An interpreter is `pythonX.Y` on PATH, or the newest X.Y that pyenv has. Each
has an environment in `.venv/pythons/X.Y`. The tests run in a copy of the checkout without `mockvod/`, so that only the
installed wheel can be imported.

`--lowest` (`make test-lowest`): only the oldest of these, with the lowest versions of the packages that pyproject.toml
declares for running mockvod. `--newer`: all but the oldest, for after `--lowest`.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
ENVIRONMENTS = ROOT / ".venv" / "pythons"
EXTRAS = "server,video,testcontainers"
UV = (sys.executable, "-m", "uv", "--quiet")


def main(arguments: Sequence[str]) -> int:
    """0 when the tests pass on every interpreter found, else 1. Raises CalledProcessError when an install fails."""
    lowest = "--lowest" in arguments
    oldest, *newer = [*supported(), _next(supported()[-1])]
    versions = [oldest] if lowest else newer if "--newer" in arguments else [oldest, *newer]
    arguments = [one for one in arguments if one not in {"--lowest", "--newer"}]
    found = {version: path for version in versions if (path := interpreter(version))}
    for version in versions:
        print(f"Python {version}: {found.get(version, 'not found, skipped')}", flush=True)
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        wheel = build_wheel(place)
        copy_without_package(place / "checkout")
        (place / "constraints.txt").write_text("\n".join(lowest_versions() if lowest else []), encoding="utf-8")
        failed = [
            version
            for version, path in found.items()
            if not passes(install(version, path, wheel, place / "constraints.txt"), place / "checkout", arguments)
        ]
    print("failed on Python " + ", ".join(failed) if failed else "passed on Python " + ", ".join(found))
    return 1 if failed or not found else 0


def supported() -> list[str]:
    """The minor versions of Python that the package declares, such as "3.11", oldest first."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return re.findall(r"^Programming Language :: Python :: (3\.\d+)$", "\n".join(project["classifiers"]), re.MULTILINE)


def _next(version: str) -> str:
    major, minor = version.split(".")
    return f"{major}.{int(minor) + 1}"


def lowest_versions() -> list[str]:
    """Requirements such as `aiohttp==3.12`: the lowest versions that the package and its extras admit."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [one for wanted in project["optional-dependencies"].values() for one in wanted]
    wanted = (re.match(r"([\w-]+)>=([\d.]+)", one) for one in [*project["dependencies"], *extras])
    return sorted({f"{one[1]}=={one[2]}" for one in wanted if one})


def interpreter(version: str) -> str | None:
    """A working interpreter of *version*, or None."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    patches = sorted(pyenv.glob(f"{version}.*"), key=lambda path: int(path.name.rpartition(".")[2]), reverse=True)
    for candidate in (shutil.which(f"python{version}"), *(str(path / "bin" / "python") for path in patches)):
        if candidate and _version_of(candidate) == version:
            return candidate
    return None


def _version_of(path: str) -> str:
    """Empty for one that does not start: pyenv's stand-ins for versions that are not selected fail."""
    program = "import sys, venv; print('%d.%d' % sys.version_info[:2])"
    try:
        return subprocess.run([path, "-c", program], capture_output=True, text=True, check=False).stdout.strip()
    except OSError:
        return ""


def build_wheel(place: Path) -> Path:
    """The wheel of this checkout, in the directory *place*."""
    subprocess.run([*UV, "build", "--wheel", "--out-dir", str(place), str(ROOT)], check=True)
    [wheel] = place.glob("*.whl")
    return wheel


def copy_without_package(place: Path) -> None:
    """Copies what git tracks, or would, to *place*; not `mockvod/`."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if not name.startswith("mockvod/") and (ROOT / name).is_file():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, place / name)


def install(version: str, path: str, wheel: Path, constraints: Path) -> Path:
    """The interpreter of an environment with *wheel* and what the tests need, in versions that *constraints* admit."""
    python = ENVIRONMENTS / version / "bin" / "python"
    subprocess.run([*UV, "venv", "--allow-existing", "--python", path, str(ENVIRONMENTS / version)], check=True)
    wanted = ["--group", f"{ROOT / 'pyproject.toml'}:test", f"mockvod[{EXTRAS}] @ {wheel.as_uri()}"]
    options = ["--upgrade", "--reinstall-package", "mockvod", "--python", str(python), "--constraint", str(constraints)]
    subprocess.run([*UV, "pip", "install", *options, *wanted], check=True)
    return python


def passes(python: Path, checkout: Path, arguments: Sequence[str]) -> bool:
    """Whether the tests in *checkout* pass with *python*."""
    print(f"\n{python}", flush=True)
    # Old versions of aiohttp leave sockets to the garbage collector, which warns in whatever test runs then.
    command = [str(python), "-P", "-m", "pytest", "-q", "-W", "ignore:unclosed:ResourceWarning", *arguments]
    command += ["-W", "ignore::pytest.PytestUnraisableExceptionWarning"]
    # `mockvod` and other commands are those of the environment.
    environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
    # Failed tests run once more, one at a time: a shared machine may have been too busy.
    return any(
        subprocess.run([*command, *how], cwd=checkout, env=environment, check=False).returncode == 0
        for how in (["-n", "2", "--dist", "worksteal"], ["--last-failed", "--last-failed-no-failures", "none"])
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

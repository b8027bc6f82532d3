"""`make sdk-matrix`: installs Tencent's clients, makes every call with each, writes docs/compatibility.md.

Each client gets a server of its own per setup. With `lenient` the client signs with a key that the server does not
know, with `strict` with the right one, and once more with a wrong one. With `host names` nothing is configured but the
certificate authority: the client connects to Tencent's host names, which lead to the server. Python packages are
installed below `.venv/matrix`, those of Node too, where npm is found. Exit code 1 when a call failed.
"""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from mockvod.testing import MockVod
from tests.matrix.plan import FILE, TESTED, Tested

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".venv" / "matrix"
PAGE = ROOT / "docs" / "compatibility.md"
BEGIN, END = "<!-- clients: made by `make sdk-matrix` -->\n", "<!-- end of clients -->\n"

SECRET_ID = "AKIDz8krbsJ5yKBZQpn74WFkmLPx3EXAMPLE"
SECRET_KEY = "Gu5t9xGARNpq86cd98joQYCN3EXAMPLE"
REFUSED = ("AuthFailure.SignatureFailure", "4100")  # of API 3.0 and of 2.0
HOSTS = Path(__file__).parent / "hosts"


class Setup(NamedTuple):
    """How a client reaches its server, and how that checks signatures."""

    scheme: str
    auth: str
    names: bool = False
    """Whether the client connects to Tencent's host names, not to the address of the server."""

    def __str__(self) -> str:
        return f"{self.scheme}, {self.auth}{', host names' * self.names}"


SETUPS = [
    Setup("http", "lenient"),
    Setup("http", "strict"),
    Setup("https", "lenient"),
    Setup("https", "strict"),
    Setup("https", "strict", names=True),
]


class Outcome(NamedTuple):
    """One call: `error` is empty for one that went as it should."""

    signature: str
    method: str
    action: str
    error: str


class Row(NamedTuple):
    """What became of one client: outcomes by setup."""

    tested: Tested
    version: str
    outcomes: dict[Setup, list[Outcome]]


def main() -> int:
    rows = []
    for tested in TESTED:
        if tested.node and shutil.which("npm") is None:
            print(f"{tested.name} {tested.version}: skipped, npm is not installed", flush=True)
            continue
        folder, version = install(tested)
        outcomes = {setup: run(tested, folder, setup) for setup in SETUPS if setup.scheme in tested.schemes}
        rows.append(Row(tested, version, outcomes))
        print(" | ".join(cells(rows[-1])), flush=True)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text("".join((before, BEGIN, *table(rows), END, rest.partition(END)[2])), encoding="utf-8")
    return 1 if any(one.error for row in rows for found in row.outcomes.values() for one in found) else 0


# --- the clients


def install(tested: Tested) -> tuple[Path, str]:
    """The folder that *tested* is installed in, and its version."""
    folder = ENVIRONMENTS / f"{tested.package}-{tested.version}"
    if tested.node:
        version = "latest" if tested.version == "newest" else tested.version
        subprocess.run(
            [
                "npm",
                "install",
                "--silent",
                "--no-audit",
                "--no-fund",
                "--prefix",
                str(folder),
                f"{tested.package}@{version}",
            ],
            check=True,
        )
        manifest = folder / "node_modules" / tested.package / "package.json"
        return folder, json.loads(manifest.read_text(encoding="utf-8"))["version"]
    uv = [sys.executable, "-m", "uv", "--quiet"]
    subprocess.run([*uv, "venv", "--allow-existing", "--python", sys.executable, str(folder)], check=True)
    wanted = tested.package if tested.version == "newest" else f"{tested.package}=={tested.version}"
    packages = [wanted, "httpx", *tested.beside]  # httpx is for the asynchronous half
    subprocess.run([*uv, "pip", "install", "--upgrade", "--python", str(python(folder)), *packages], check=True)
    ask = f"from importlib.metadata import version; print(version({tested.package!r}))"
    return folder, subprocess.run(
        [python(folder), "-c", ask], check=True, capture_output=True, text=True
    ).stdout.strip()


def python(folder: Path) -> Path:
    return folder / "bin" / "python"


# --- the calls


def run(tested: Tested, folder: Path, setup: Setup) -> list[Outcome]:
    """Makes the calls of *tested* against a fresh server. With `strict`, a call with a wrong key must be refused."""
    settings: dict[str, Any] = {"pull_limit": 1, "poll_hold": 0, "task_duration": 0, "tls": setup.scheme == "https"}
    if setup.auth == "strict":
        settings |= {"auth": "strict", "secret_id": SECRET_ID, "secret_key": SECRET_KEY}
    with MockVod(**settings) as server:
        server.client.declare_media(file_id=FILE)
        server.client.emit(count=len(tested.ways))
        plan = {
            "scheme": setup.scheme,
            "authority": str(server.ca_file) if setup.scheme == "https" else "",
            "endpoint": "" if setup.names else server.endpoint,
            "secret_id": SECRET_ID,
            "secret_key": SECRET_KEY,
            "ways": tested.ways,
            "calls": tested.calls,
        }
        environment = redirected(server.endpoint) if setup.names else {}
        found = list(outcomes_of(tested, folder, plan, environment))
        if setup.auth == "strict":
            pulls = [call for call in tested.calls if call[0].startswith("PullEvent")]  # which every version has
            wrong = plan | {"secret_key": "wrong", "calls": pulls}
            for one in outcomes_of(tested, folder, wrong, environment):
                refused = one.error.startswith(REFUSED)
                found.append(one._replace(action="wrong key", error="" if refused else f"not refused: {one.error}"))
    return found


def redirected(endpoint: str) -> dict[str, str]:
    """The environment in which every host name leads a client to *endpoint*."""
    port = endpoint.rpartition(":")[2]
    return {"MATRIX_PORT": port, "PYTHONPATH": str(HOSTS), "NODE_OPTIONS": f"--require={HOSTS / 'hosts.cjs'}"}


def outcomes_of(tested: Tested, folder: Path, plan: dict[str, Any], redirection: dict[str, str]) -> Iterator[Outcome]:
    program = Path(__file__).parent / "clients" / tested.program
    runtime = "node" if tested.node else str(python(folder))
    command = [runtime, str(program), json.dumps(plan), *filter(None, [tested.option])]
    environment = {**os.environ, "NODE_PATH": str(folder / "node_modules"), "NODE_NO_WARNINGS": "1", **redirection}
    for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"):
        if plan["authority"]:
            environment[name] = plan["authority"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300, env=environment)
    if done.returncode != 0:
        yield Outcome("", "", "start", done.stderr.strip().rpartition("\n")[2])
        return
    for signature, method, action, outcome in json.loads(done.stdout.splitlines()[-1]):
        if outcome is not None:
            yield Outcome(signature, method, action, "" if outcome == "ok" else outcome)


# --- the page


def table(rows: list[Row]) -> Iterator[str]:
    columns = ["client", "version", "signatures", "HTTP methods", *map(str, SETUPS)]
    yield f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
    for row in rows:
        yield f"| {' | '.join(cells(row))} |\n"
    failures = Counter(
        f"{row.tested.name} {row.version}: {one.action}: {one.error}"
        for row in rows
        for found in row.outcomes.values()
        for one in found
        if one.error
    )
    if failures:
        yield "\nFailures:\n\n"
        yield from (f"- {count} × {failure}\n" for failure, count in failures.items())


def cells(row: Row) -> list[str]:
    signatures = dict.fromkeys(signature for signature, _ in row.tested.ways)
    methods = dict.fromkeys(method for _, method in row.tested.ways)
    return [
        row.tested.name,
        row.version,
        ", ".join(signatures),
        ", ".join(methods),
        *(_cell(row.outcomes.get(setup)) for setup in SETUPS),
    ]


def _cell(found: list[Outcome] | None) -> str:
    return "" if found is None else f"{sum(not one.error for one in found)} of {len(found)}"


if __name__ == "__main__":
    sys.exit(main())

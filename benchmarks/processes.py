"""Servers in processes of their own, and what the system says of them."""

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
PATIENCE = 30.0  # seconds that a server may take to answer, or to go
GLANCE = 0.001  # seconds between two looks whether it answers
MIB = 1024.0 * 1024.0

# What stands in for the command until there is one.
RUN = "from mockvod.app import run; from mockvod.settings_load import load; run(load().settings, lambda running: None)"


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes in memory: all (*rss*), and with shared pages divided among who shares them (*pss*)."""

    rss: int
    pss: int


@dataclass(frozen=True, slots=True)
class Server:
    """A server process that answers."""

    pid: int
    port: int
    started_in: float
    """Seconds from the start of the process to its first answer."""
    memory: Memory
    """What it took then."""

    def cpu(self) -> float:
        return cpu(self.pid)


def cpu(pid: int) -> float:
    """Seconds of CPU that all threads of a process have had; to the nanosecond, unlike its `stat`."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(one.read_text().split()[0]) for one in threads) / 1e9


def memory(pid: int | str = "self") -> Memory:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    kib = {name: int(rest.split()[0]) for name, rest in (line.split(":", 1) for line in lines)}
    return Memory(kib["Rss"] * 1024, kib["Pss"] * 1024)


def has_uvloop() -> bool:
    return importlib.util.find_spec("uvloop") is not None


@contextmanager
def ours(**settings: object) -> Iterator[Server]:
    """Mockvod with *settings*, started as people start it."""
    has_command = importlib.util.find_spec("mockvod.__main__") is not None
    command = ["-m", "mockvod", "serve"] if has_command else ["-c", RUN]
    port = _free_port()
    variables = {f"MOCKVOD_{name.upper()}": str(value) for name, value in settings.items()}
    with _server(command, port, "/mockvod/readyz", {"MOCKVOD_PORT": str(port), "MOCKVOD_SEED": "1", **variables}) as it:
        yield it


@contextmanager
def bare(*, plainest: bool = False) -> Iterator[Server]:
    """The bare application on the event loop that mockvod takes; *plainest*: on asyncio's own, the least to start."""
    port = _free_port()
    flags = [] if plainest or not has_uvloop() else ["--uvloop"]
    with _server([str(ROOT / "benchmarks" / "bare.py"), str(port), *flags], port, "/", {}) as it:
        yield it


@dataclass(frozen=True, slots=True)
class Program:
    """A program that prints a line of JSON when it is ready, and one for each line that it is sent."""

    process: subprocess.Popen[str]

    def read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.process.args!r} broke off")
        return json.loads(line)

    def ask(self) -> Any:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.read()


@contextmanager
def program(module: str, *arguments: object) -> Iterator[Program]:
    process = subprocess.Popen(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=_environment({}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Program(process)
        finally:
            _end(process)


@contextmanager
def _server(arguments: list[str], port: int, path: str, variables: Mapping[str, str]) -> Iterator[Server]:
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryFile() as words:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env=_environment(variables),
            cwd=directory,  # where no settings file lies
            stdin=subprocess.DEVNULL,
            stdout=words,
            stderr=words,
        )
        try:
            while not _answers(port, path):
                if process.poll() is not None or time.monotonic() > began + PATIENCE:
                    words.seek(0)
                    raise RuntimeError(f"{arguments} does not answer:\n{words.read().decode(errors='replace')}")
                time.sleep(GLANCE)
            yield Server(process.pid, port, time.monotonic() - began, memory(process.pid))
        finally:
            _end(process)


def _end(process: subprocess.Popen[Any]) -> None:
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _environment(variables: Mapping[str, str]) -> dict[str, str]:
    """This process's, less what would be a setting, with our packages in reach."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("MOCKVOD_")}
    inherited.pop("PYTHONDONTWRITEBYTECODE", None)  # pip and the image keep bytecode: ours is not to be compiled anew
    return {**inherited, "PYTHONPATH": str(ROOT), **variables}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def _answers(port: int, path: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as one:
            one.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
            return one.recv(64).startswith(b"HTTP/1.1 200 ")
    except ConnectionError:
        return False

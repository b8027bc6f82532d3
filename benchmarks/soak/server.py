"""A server in a process of its own, and a probe of its event loop and memory."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any, Final, Self

PERIOD: Final = 0.02  # seconds between two probes


class Server:
    """`mockvod serve` on a free port of this machine. A context manager."""

    def __init__(self, *flags: str) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="mockvod-soak-"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.log = self.directory / "log"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("MOCKVOD_")}
        command = [sys.executable, "-m", "mockvod", "serve", "--port", str(self.port), "--log-level", "warning", *flags]
        with self.log.open("wb") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
        while not self.ready():
            if self.process.poll() is not None:
                raise RuntimeError(self.log.read_text())
            time.sleep(0.05)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def ready(self) -> bool:
        try:
            return self.call("GET", "/mockvod/readyz", timeout=5)[0] == 200
        except (OSError, HTTPException):
            return False

    def call(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] = {}, *, timeout: float = 60
    ) -> tuple[int, bytes]:
        """Status and body of a response; *body* is bytes, or is sent as JSON."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, {"Content-Type": "application/json", **headers})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def control(self, method: str, path: str, body: Any = None) -> tuple[int, bytes]:
        return self.call(method, f"/mockvod/v1{path}", body)

    def raw(self, data: bytes) -> socket.socket:
        """A connection that has sent *data*; the caller closes it."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        connection.sendall(data)
        return connection

    def memory(self) -> float:
        """Resident memory in MiB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0

    def busy(self) -> float:
        """Seconds of CPU time that the event loop's thread has had."""
        schedule = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/schedstat")
        return int(schedule.read_text().split()[0]) / 1e9

    def stop(self) -> float:
        """Seconds from SIGTERM to the end of the process."""
        began = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=30)
        return time.perf_counter() - began


class Probe:
    """Asks for `/mockvod/livez` again and again; what the event loop does in between delays the response.

    Only the CPU time of the loop's thread counts, so that other programs of a busy machine do not.
    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.lag = 0.0
        """The most CPU time for which a response had to wait since `restart`, in seconds."""
        self.memory = 0.0
        """The most resident memory since `restart`, in MiB."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def restart(self) -> None:
        self.lag = self.memory = 0.0

    def _run(self) -> None:
        connection = HTTPConnection("127.0.0.1", self._server.port, timeout=60)
        while not self._stop.wait(PERIOD):
            try:
                began = self._server.busy()
                try:
                    connection.request("GET", "/mockvod/livez")
                    connection.getresponse().read()
                finally:
                    self.lag = max(self.lag, self._server.busy() - began)
                self.memory = max(self.memory, self._server.memory())
            except (OSError, HTTPException):
                connection.close()
                if self._server.process.poll() is not None:
                    return

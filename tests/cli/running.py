"""Running the command, in this process or in one of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from mockvod.cli import main as cli


class Mockvod:
    """Runs the command in this process."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self.capsys = capsys

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        with pytest.raises(SystemExit) as ended:
            cli.main(arguments)
        code = ended.value.code or 0
        assert isinstance(code, int)
        return code, *self.capsys.readouterr()

    def done(self, *arguments: str) -> str:
        """What was printed by a command that succeeded, and said nothing but where the console is."""
        code, out, err = self.run(*arguments)
        assert code == 0
        assert [line for line in err.splitlines() if not line.startswith("mockvod: console: http")] == []
        return out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.done(*arguments, "--json"))

    def failed(self, *arguments: str) -> tuple[int, str]:
        """Exit code and message of a command that failed, and printed no data."""
        code, out, err = self.run(*arguments)
        assert out == ""
        assert err.startswith("mockvod: ")
        return code, err.removeprefix("mockvod: ").removesuffix("\n")


@contextmanager
def process(
    *arguments: str | bytes, stdout: int = subprocess.PIPE, **environ: str
) -> Iterator["subprocess.Popen[str]"]:
    """A process of its own that runs the command."""
    command = [sys.executable, "-m", "mockvod", *arguments]
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    with subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
        command, stdout=stdout, stderr=subprocess.PIPE, text=True, env={**inherited, **environ}
    ) as running:
        try:
            yield running
        finally:
            running.kill()

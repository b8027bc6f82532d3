"""`mockvod demo`: what it shows, and how it ends."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mockvod.testing import Client

STEPS = [
    r"mockvod serves http://127\.0\.0\.1:\d+; a callback receiver listens on http://127\.0\.0\.1:\d+/callback",
    r"Reliable callback",
    r"  event     evt_000001  “.+”, 2 of 2 snapshots taken",
    r"  event     evt_000002  “.+”, 2 of 3 snapshots taken",
    r"  pulled    CreateSnapshotByTimeOffset-\w+… with handle \d{18}",
    r"  confirmed evt_000001",
    r"  confirmed evt_000002",
    r"Normal callback",
    r"  event     evt_000003",
    r"  receiver  got .*, responds 200",
    r"            \{",
    r'"TaskId": "CreateSnapshotByTimeOffset-\w+"',
    r"            \}",
    r"  attempt   1 of evt_000003: status 200",
    r"  delivered evt_000003",
    r"  event     evt_000004",
    r"  receiver  got .*, breaks off its response",
    r"  attempt   1 of evt_000004: connection closed: the response was incomplete",
    r"  attempt   2 of evt_000004: status 200",
    r"  delivered evt_000004",
    r"The server keeps running",
    r"  Emit:         curl -X POST http://127\.0\.0\.1:\d+/mockvod/v1/events",
    r"  Control API:  http://127\.0\.0\.1:\d+/mockvod/v1/openapi\.json",
    r"    print\(client\.PullEvents",
]


@contextmanager
def demo(*flags: str) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "mockvod", "demo", "--port", "0", "--callback-pause", "1ms", *flags]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:  # noqa: S603
        yield running
        if running.poll() is None:
            running.kill()


def shown_until(running: "subprocess.Popen[str]", last: str) -> str:
    """What was printed up to the line with *last* in it."""
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line)
        if last in line:
            break
    return "".join(lines)


@pytest.mark.parametrize(
    "flags",
    [
        (),
        # Whatever is set, the steps are the same.
        ("--auth", "strict", "--profile", "sparse", "--callback-format", "2.0", "--mode", "PUSH", "--sign-key", "k"),
    ],
)
def test_every_step_is_shown_and_ctrl_c_ends_it(flags: tuple[str, ...]) -> None:
    with demo(*flags) as running:
        shown = shown_until(running, "print(client.PullEvents")
        position = 0
        for step in STEPS:
            found = re.compile(step, re.MULTILINE).search(shown, position)
            assert found is not None, f"{step} is not after {shown[:position][-200:]!r} in:\n{shown}"
            position = found.end()
        assert running.poll() is None, "it does not stay up"

        [url] = re.findall(r"serves (http://\S+);", shown)
        with Client(url) as client:
            [event] = client.emit()
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
        assert (running.returncode, out.strip()) == (0, "stopping")
        assert f"serves {url}" in err
        assert f"emitted {event.id}" in err
        assert "Traceback" not in err


def test_ctrl_c_ends_it_at_any_step() -> None:
    with demo("--callback-pause", "60s") as running:
        shown_until(running, "breaks off its response")
        running.send_signal(signal.SIGINT)
        out, err = running.communicate(timeout=30)
        assert running.returncode == 0
        assert "stopping" in out
        assert "Traceback" not in err

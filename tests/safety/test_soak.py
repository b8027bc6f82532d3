"""A short soak: every attack once, and some random requests."""

import subprocess
import sys
from pathlib import Path

import pytest

SCHEDULE = Path("/proc/self/schedstat")


@pytest.mark.timeout(300)
@pytest.mark.skipif(not SCHEDULE.exists(), reason="CPU time is read from /proc")
def test_no_attack_blocks_the_server_takes_its_memory_or_delays_its_end() -> None:
    """Blocking is measured in CPU time; the factor is for slow processors."""
    command = [sys.executable, "-m", "benchmarks.soak", "0.02", "--factor", "3"]
    soak = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    assert soak.returncode == 0, soak.stdout + soak.stderr
    assert "after SIGTERM" in soak.stdout

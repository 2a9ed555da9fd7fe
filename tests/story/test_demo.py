"""The course's evening, as `make demo` plays it: every statement on the screen holds."""

import subprocess
import sys

import pytest

from benchmarks.bench_demo import MOST_MEMORY, closing
from sandbox.deploy import PATIENCE
from sandbox.stage import Stage
from tests.paths import PROJECT

pytestmark = pytest.mark.story

ACTS = 3


def test_the_demo_holds(stage: Stage) -> None:
    # The demo moves days ahead in time, so it has a sandbox of its own.
    command = [sys.executable, "-m", "sandbox", "demo"]
    played = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=ACTS * PATIENCE, check=False)
    assert played.returncode == 0, played.stdout + played.stderr
    assert played.stdout.endswith("Everything held.\n")
    assert sys.platform != "linux" or 0 < (closing(played.stdout).memory or 0) <= MOST_MEMORY

"""The tests as a contributor runs them: seconds of `make test` and `make quick`, by the wall and of all cores."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Iterator

from benchmarks.results import PROJECT, Peer, Row, keep

#: The most seconds of each on two cores.
MOST_SECONDS = {"make test": 600, "make quick": 60}
_PASSED = re.compile(r"(\d+) passed")


def main() -> None:
    """Run, and keep."""
    keep("tests", [row for command in MOST_SECONDS for row in _rows(command)], Peer.NONE)


def _rows(command: str) -> Iterator[Row]:
    began, before = time.monotonic(), os.times()
    done = subprocess.run(command.split(), cwd=PROJECT, capture_output=True, text=True, check=False)
    took, after = time.monotonic() - began, os.times()
    passed = _PASSED.search(done.stdout)
    if done.returncode or passed is None:
        raise SystemExit(done.stdout[-5000:] + done.stderr[-1000:])
    cores = after.children_user + after.children_system - before.children_user - before.children_system
    yield Row(command, round(took), "s", limit=MOST_SECONDS[command])
    yield Row(f"{command}, all cores", round(cores), "s of CPU")
    yield Row(f"{command}, passed", int(passed[1]), "tests")


if __name__ == "__main__":
    main()

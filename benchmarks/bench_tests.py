"""The tests as a contributor runs them: seconds of `make test` and `make quick`, by the wall and of all cores.

They run on the committed code, in a clone of its own: the benchmarks' own results are not committed yet.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.results import PROJECT, Peer, Row, keep

#: The most seconds of each on two cores.
MOST_SECONDS = {"test": 600, "quick": 60}
_ENVIRONMENTS = (".venv", ".venv-checkov", ".venv-kubectl")
_PASSED = re.compile(r"(\d+) passed")


def main() -> None:
    """Run, and keep."""
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "ekslab"
        subprocess.run(("git", "clone", "--quiet", PROJECT, clone), check=True)
        for name in _ENVIRONMENTS:
            (clone / name).symlink_to(PROJECT / name)
        keep("tests", [row for target in MOST_SECONDS for row in _rows(clone, target)], Peer.NONE)


def _rows(clone: Path, target: str) -> Iterator[Row]:
    installed = (word for name in _ENVIRONMENTS for word in ("-o", f"{name}/.installed"))
    began, before = time.monotonic(), os.times()
    done = subprocess.run(("make", *installed, target), cwd=clone, capture_output=True, text=True, check=False)
    took, after = time.monotonic() - began, os.times()
    passed = _PASSED.search(done.stdout)
    if done.returncode or passed is None:
        raise SystemExit(done.stdout[-5000:] + done.stderr[-1000:])
    cores = after.children_user + after.children_system - before.children_user - before.children_system
    yield Row(f"make {target}", round(took), "s", limit=MOST_SECONDS[target])
    yield Row(f"make {target}, all cores", round(cores), "s of CPU")
    yield Row(f"make {target}, passed", int(passed[1]), "tests")


if __name__ == "__main__":
    main()

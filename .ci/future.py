"""Runs a command as if the machine's date were another one: `python .ci/future.py 2029-01-01 python -m pytest`.

The clock is shifted in the command's processes and their children, by a library that is built here (a C compiler is needed).
`make future` runs the suite and the demo so: nothing may depend on the day it is tried. Only pip, which looks at the
certificate of a package index as it is today, keeps today's date.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

SOURCE = Path(__file__).with_name("shifted_clock.c")


def main(arguments: list[str]) -> int:
    """The exit status of the command on that date."""
    day, *command = arguments
    shift = int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() - time.time())
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "shifted_clock.so"
        build = ["cc", "-shared", "-fPIC", "-O2", "-o", str(library), str(SOURCE), "-ldl"]
        subprocess.run(build, check=True)
        shifted = ["env", f"LD_PRELOAD={library}", f"CLOCK_SHIFT_SECONDS={shift}"]
        return subprocess.run([*shifted, *command]).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))

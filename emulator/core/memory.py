"""The memory of a process and of all that descend from it: the proportional set size (PSS), which counts a shared page once.

Only Linux reports it; on other systems it is unknown.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_INTERVAL = 1.0


def tree(root: int) -> list[int]:
    """A process and all its descendants."""
    found = [root]
    for pid in found:
        with suppress(OSError):
            for task in Path(f"/proc/{pid}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
    return found


def resident(pids: Iterable[int]) -> int:
    """Resident pages, with shared ones counted for each process: quick to read, and never less than the PSS."""
    pages = 0
    for pid in pids:
        with suppress(OSError):
            pages += int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages


def pss(pids: Iterable[int]) -> float:
    """Megabytes."""
    kilobytes = 0
    for pid in pids:
        with suppress(OSError):  # It may have ended meanwhile.
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            kilobytes += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return kilobytes / 1024


class Peak:
    """The highest measurement, in megabytes, and its number of processes; 0 if unknown."""

    def __init__(self) -> None:
        self.megabytes, self.processes = 0.0, 0
        self._resident = 0

    def measure(self, root: int) -> None:
        """Measure once; read the PSS, which is slow, only if more pages are resident than ever before."""
        pids = tree(root)
        if (pages := resident(pids)) <= self._resident:
            return
        self._resident = pages
        if (found := pss(pids)) > self.megabytes:
            self.megabytes, self.processes = found, len(pids)


@contextmanager
def measured(root: int) -> Iterator[Peak]:
    """Look at a process and its descendants each second of the block, on another thread."""
    peak, ended = Peak(), threading.Event()

    def look() -> None:
        while not ended.wait(_INTERVAL):
            peak.measure(root)

    watcher = threading.Thread(target=look, name="memory", daemon=True)
    watcher.start()
    try:
        yield peak
    finally:
        ended.set()
        watcher.join()

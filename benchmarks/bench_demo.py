"""The demo as a learner runs it: seconds of the installation and of its acts, and memory, as its closing lines say.

It has a process of its own. Memory is the proportional set size of all its processes at most, which Linux alone tells.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.results import PROJECT, Peer, Row, keep, measured

COMMAND = (sys.executable, "-m", "sandbox", "demo")
INSTALLATION = "the installation"
#: Seconds of all acts, and MiB: a learner's laptop has 8 GB, and a browser beside it.
MOST_SECONDS, MOST_MEMORY = 60, 1536
_MEMORY = re.compile(r"It took (\d+) MiB of memory at most")
_SECONDS = re.compile(r"Seconds: (.+)\.$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Played:
    """The figures of a demo's closing lines. `memory`: MiB, None where it is not known; `seconds`: of each part."""

    memory: int | None
    seconds: Mapping[str, int]

    @property
    def acts(self) -> int:
        """Seconds of all acts, after the installation."""
        return sum(self.seconds.values()) - self.seconds[INSTALLATION]


def closing(output: str) -> Played:
    """Read the closing lines of a demo. Raises ValueError if there are none."""
    memory, told = _MEMORY.search(output), _SECONDS.search(output)
    if told is None:
        raise ValueError(output)
    parts = (part.rpartition(" ") for part in told[1].split(", "))
    return Played(int(memory[1]) if memory else None, {what: int(seconds) for what, _, seconds in parts})


def main() -> None:
    """Play, and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=3)
    options = parser.parse_args()
    keep("demo", _rows([_play() for _ in range(options.runs)]), Peer.NONE)


def _play() -> Played:
    done = subprocess.run(COMMAND, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return closing(done.stdout)


def _rows(played: Sequence[Played]) -> Iterator[Row]:
    for what in played[0].seconds:
        yield measured(what, [each.seconds[what] for each in played], "s")
    yield measured("all acts", [each.acts for each in played], "s", limit=MOST_SECONDS)
    if memory := [each.memory for each in played if each.memory is not None]:
        yield measured("memory of all processes at most", memory, "MiB", limit=MOST_MEMORY)


if __name__ == "__main__":
    main()

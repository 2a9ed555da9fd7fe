"""Load: 10 and 50 labs requested within five seconds, then 200 within a minute, each polled until it is ready.

The installed service in a sandbox on this machine. Requests are sent at fixed times, independent of earlier answers. An answer
waits for a place among the concurrent functions (`emulator/lambdas/gate.py`), and for a core. `--waves 5:5` only requests five
within five seconds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.results import Peer, Row, keep
from emulator.core.memory import measured
from emulator.core.settings import Settings
from sandbox.people import Person, make_person
from sandbox.stage import Stage, installed

#: The most labs of one person.
_EACH = 2
#: Labs and seconds of a wave -> the most seconds of an answer, but for one in a hundred. AWS's API Gateway waits 29.
MOST_SECONDS = {(10, 5): 12, (50, 5): 12, (200, 60): 60}
#: MiB, of all processes.
MOST_MEMORY = 5_700


@dataclass
class Wave:
    """A number of labs within a number of seconds, and the results: seconds of each route, and errors by status and first words.

    `busy`: the share of the machine's cores that worked, 0 to 1.
    """

    stage: Stage
    name: str
    count: int
    within: int
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    unready: int = 0
    busy: float = 0.0

    def run(self, people: list[Person]) -> None:
        """Request all, and wait until each is ready."""
        began, before = time.monotonic(), os_times()
        with ThreadPoolExecutor(self.count) as pool:
            list(pool.map(lambda number: self._one(people[number // _EACH], number, began), range(self.count)))
        worked, idle = (now - then for now, then in zip(os_times(), before, strict=True))
        self.busy = worked / (worked + idle)

    def _one(self, who: Person, number: int, began: float) -> None:
        time.sleep(max(0.0, began + number * self.within / self.count - time.monotonic()))
        body = {"name": f"{self.name}-{number}", "nodegroups": [], "leaseHours": 8}
        lab = self._call(who, "POST", "/labs", "/labs", body)
        if lab is None:
            return
        for look in range(1, 400):
            self._call(who, "GET", "/labs", "/labs") if look % 5 == 0 else None
            found = self._call(who, "GET", "/labs/{id}", f"/labs/{lab['id']}") or lab
            if found["phase"] in ("ready", "failed"):
                self.unready += found["phase"] != "ready"
                return
            time.sleep(2)
        self.unready += 1

    def _call(self, who: Person, method: str, route: str, path: str, body: dict[str, Any] | None = None) -> Any:
        began = time.monotonic()
        answer = self.stage.call(who, method, path, body)
        self.seconds.setdefault(f"{method} {route}", []).append(time.monotonic() - began)
        if answer.status >= 400:
            self.errors.append(f"{answer.status} {_first_words(answer.body)}".strip())
            return None
        return answer.json

    def rows(self) -> Iterator[Row]:
        """The median and the extremes of each route's seconds, and the errors."""
        title = f"{self.count} labs in {self.within} s"
        for route, taken in sorted(self.seconds.items()):
            cuts = statistics.quantiles(taken, n=100, method="inclusive") if len(taken) > 1 else taken * 99
            for part in (50, 95, 99):
                limit = MOST_SECONDS.get((self.count, self.within)) if part == 99 else None
                yield Row(f"{title}, {route}, p{part}", round(cuts[part - 1], 3), "s", limit=limit)
        for what, count in sorted(Counter(self.errors).items()):
            yield Row(f"{title}, answers {what}", count, "answers")
        yield Row(f"{title}, errors", len(self.errors), "answers", limit=0)
        yield Row(f"{title}, not ready", self.unready, "labs", limit=0)
        yield Row(f"{title}, cores busy", round(self.busy * 100), "%")


def _first_words(body: bytes) -> str:
    """The beginning of an error's answer, for one line of a table."""
    return " ".join(body.decode(errors="replace").replace("|", " ").split())[:80]


def os_times() -> tuple[int, int]:
    """Ticks that this machine's cores worked, and were idle, since it started (Linux's /proc/stat, first line)."""
    ticks = [int(each) for each in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
    idle = ticks[3] + ticks[4]
    return sum(ticks) - idle, idle


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--waves", nargs="*", default=["10:5", "50:5", "200:60"], help="labs:seconds, one after another"
    )
    parser.add_argument("--scale", type=float, default=0.05, help="wall seconds per AWS second")
    options = parser.parse_args()
    rows: list[Row] = []
    with measured(os.getpid()) as peak, installed(Settings(scale=options.scale)) as stage:
        for number, (count, within) in enumerate(map(int, wave.split(":")) for wave in options.waves):
            people = [make_person(stage.sandbox, f"wave-{number}-{each}") for each in range(count // _EACH + 1)]
            wave = Wave(stage, f"wave-{number}", count, within)
            wave.run(people)
            rows += wave.rows()
    memory = Row("memory of all processes at most", round(peak.megabytes), "MiB", limit=MOST_MEMORY)
    keep("load", [*rows, memory], Peer.NONE)


if __name__ == "__main__":
    main()

"""Load: 50 labs asked for within five seconds, then 200 within a minute, each followed until it is ready; latencies and memory.

The installed service in a sandbox on this machine. People ask at their times whether or not others have been answered. What an
answer waits for is a place among the functions that run at once (`emulator/lambdas/gate.py`). `--first 5 --then 20` asks for less.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from benchmarks.results import Row, keep
from emulator.core.memory import measured
from emulator.core.settings import Settings
from sandbox.people import Person, make_person
from sandbox.stage import Stage, installed

#: Labs of one person; more would be refused.
_EACH = 2


@dataclass
class Wave:
    """So many labs within so many seconds, and what became of the calls: seconds of each route, and statuses that were errors."""

    stage: Stage
    name: str
    count: int
    within: float
    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: list[int] = field(default_factory=list)
    unready: int = 0

    def run(self, people: list[Person]) -> None:
        """Ask for all, and wait until each is ready."""
        began = time.monotonic()
        with ThreadPoolExecutor(self.count) as pool:
            list(pool.map(lambda number: self._one(people[number // _EACH], number, began), range(self.count)))

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
            self.errors.append(answer.status)
            return None
        return answer.json

    def rows(self) -> Iterator[Row]:
        """The middle and the ends of each route's seconds, and what went wrong."""
        title = f"{self.count} labs in {self.within:.0f} s"
        for route, taken in sorted(self.seconds.items()):
            cuts = statistics.quantiles(taken, n=100, method="inclusive") if len(taken) > 1 else taken * 99
            for part in (50, 95, 99):
                yield Row(f"{title}, {route}, p{part}", round(cuts[part - 1], 3), "s")
        yield Row(f"{title}, errors", len(self.errors), "answers", limit=0)
        yield Row(f"{title}, not ready", self.unready, "labs", limit=0)


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--first", type=int, default=50, help="labs within five seconds")
    parser.add_argument("--then", type=int, default=200, help="labs within the minute after")
    parser.add_argument("--scale", type=float, default=0.05, help="wall seconds per AWS second")
    options = parser.parse_args()
    rows: list[Row] = []
    with measured(os.getpid()) as peak, installed(Settings(scale=options.scale)) as stage:
        for name, count, within in (("first", options.first, 5.0), ("then", options.then, 60.0)):
            if not count:
                continue
            people = [make_person(stage.sandbox, f"{name}-{number}") for number in range(count // _EACH + 1)]
            wave = Wave(stage, name, count, within)
            wave.run(people)
            rows += wave.rows()
    keep("load", [*rows, Row("memory of all processes at most", round(peak.megabytes), "MiB")])


if __name__ == "__main__":
    main()

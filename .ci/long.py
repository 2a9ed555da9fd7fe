"""Runs the parts of `make long`, and prints a table of their times, closing lines and slowest tests.

A part that passed is not run again until the code changes: after an interruption, `make long` runs the parts that are left. Results
and outputs are in build/long.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.paths import PROJECT
from tests.proof.page import code_state

#: The parts' minutes together: a long run that takes longer fails.
MOST_MINUTES = 180
RESULTS = PROJECT / "build" / "long"
#: Hours of the day in which nights, reports and wake-ups are due in other zones than in a run by day.
DAYS = ("2027-12-15T15:30", "2029-01-01T00:00")
SLOWEST = 10
_CLOSING = re.compile(r"^=*\s?(\d+ (?:passed|failed).* in [\d.]+s.*?)=*$", re.MULTILINE)
_DURATION = re.compile(r"^([\d.]+)s (?:call|setup|teardown) +(\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Part:
    """A command of the long run."""

    name: str
    command: Sequence[str]


@dataclass(frozen=True, slots=True)
class Result:
    """What a part printed. `code`: the state of the code that it ran on; `slowest`: seconds and name of its slowest tests."""

    code: str
    passed: bool
    seconds: float
    closing: str
    slowest: Sequence[tuple[float, str]]


def parts() -> list[Part]:
    """In the order of their run: the shortest first."""
    return [
        Part("many at once", ("make", "crowds")),
        Part("hostile requests", ("make", "hostile")),
        *(Part(f"stories, seed {seed}", ("env", f"EKSLAB_LAG_SEED={seed}", "make", "stories")) for seed in "234"),
        Part("faults and races", ("make", "prove")),
        *(Part(f"everything on {day}", ("make", f"DAY={day}", "future")) for day in DAYS),
    ]


def result_of(part: Part, code: str) -> Result:
    """Its result on this state of the code: the kept one if it passed, else that of a new run."""
    kept = RESULTS / f"{re.sub(r'[^a-z0-9]+', '-', part.name)}.json"
    if kept.exists():
        found = Result(**json.loads(kept.read_text()))
        if found.passed and found.code == code:
            return found
    result = run(part, code, kept.with_suffix(".log"))
    kept.write_text(json.dumps(asdict(result), indent=1))
    return result


def run(part: Part, code: str, log: Path) -> Result:
    """Run it, showing and keeping its output."""
    print(f"== {part.name}", flush=True)
    log.parent.mkdir(parents=True, exist_ok=True)
    began, said = time.monotonic(), list[str]()
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with log.open("w") as kept, subprocess.Popen(part.command, cwd=PROJECT, text=True, **output) as process:
        for line in process.stdout or ():
            said.append(line)
            kept.write(line)
            print(line, end="", flush=True)
    return result_from("".join(said), code, process.returncode == 0, time.monotonic() - began)


def result_from(output: str, code: str, passed: bool, seconds: float) -> Result:
    """A result by what pytest printed; a part may run it several times."""
    closing = "; ".join(found.strip() for found in _CLOSING.findall(output))
    slowest = sorted(((float(number), name) for number, name in _DURATION.findall(output)), reverse=True)
    return Result(code, passed, round(seconds), closing, slowest[:SLOWEST])


def table(results: Mapping[str, Result]) -> Iterable[str]:
    """Each part's minutes and closing lines, the sum, and the slowest tests of all."""
    for name, result in results.items():
        yield f"{'passed' if result.passed else 'FAILED'}  {result.seconds / 60:6.1f} min  {name}: {result.closing}"
    minutes = minutes_of(results)
    late = f": more than {MOST_MINUTES} min" if minutes > MOST_MINUTES else ""
    yield f"{'FAILED' if late else '      '}  {minutes:6.1f} min  all{late}"
    slowest = ((seconds, name, test) for name, result in results.items() for seconds, test in result.slowest)
    for seconds, name, test in sorted(slowest, reverse=True)[:SLOWEST]:
        yield f"{seconds:8.1f} s  {test} ({name})"


def minutes_of(results: Mapping[str, Result]) -> float:
    """Of all parts together."""
    return sum(result.seconds for result in results.values()) / 60


def status(results: Mapping[str, Result]) -> int:
    """The exit status: 0 if all passed, in time."""
    passed = all(result.passed for result in results.values())
    return 0 if passed and minutes_of(results) <= MOST_MINUTES else 1


def main() -> int:
    """Run all parts, also after one failed."""
    code, results = code_state(), dict[str, Result]()
    try:
        for part in parts():
            results[part.name] = result_of(part, code)
    finally:
        print("\n".join(table(results)), flush=True)
    return status(results)


if __name__ == "__main__":
    sys.exit(main())

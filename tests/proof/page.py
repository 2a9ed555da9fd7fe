"""Writes docs/reference/proof.md from the results that the parts of `make prove` leave in build/proof.

A part that is missing, or from other code, is an error.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.paths import PROJECT

#: All but docs, changes, and what long runs write.
_FILES = ("--", ".", ":!docs", ":!CHANGELOG.md", ":!benchmarks/results.json")
LEFT = PROJECT / "build" / "proof"
PAGE = PROJECT / "docs" / "reference" / "proof.md"
WORDS = {
    "cut": "The connection ends before the call has an effect",
    "failed": "500 before the effect",
    "failed-after": "500 after the effect",
    "killed": "The function dies after the effect (`Runtime.ExitError`)",
    "lost": "The answer is lost after the effect",
    "throttled": "The call is throttled",
}
#: Lifecycles and schedules with cells, and scenes of two acts at once.
CELLS_OF = (
    "curfew", "hibernate", "provision", "teardown", "update", "verify_deletion", "wake", "watch_support",
)  # fmt: skip
SCENES = ("ends", "hibernates", "plans", "wakes")
PARTS = (*WORDS, *(f"cells-{name}" for name in CELLS_OF), *(f"races-the-sweep-{name}" for name in SCENES))
HEAD = """# Interrupted lives

`make prove` writes this page. Each row is a lab's whole life in the sandbox: request, ready, PATCH, hibernate, wake, DELETE.
Each pair of function and AWS action that the life meets is interrupted once, all of them in the same life. A row is here only
if the lab reached each phase, its receipt is clean and nothing of it is left. A function dies only in the steps of workflows,
after calls that change something: one step reads more often than its workflow tries again.

| what happens, once for each pair | pairs | functions | actions |
|---|---|---|---|
"""


CELLS = """
## One fault per life

Each row is a lifecycle, each cell how many of its pairs of function and call met the fault, in a lifecycle that had no other.
They are lived in one process, on the fakes that the adapters' contracts hold to AWS, with time: waits and retries move the
clock, and the five-minute run comes by. After each: the lab is in a phase that is true, and goes on as if nothing had
been or gives its reason in AWS's words; nothing is there twice; its ledger or its receipt names all that is there; work went on
within ten minutes of a stopped execution; and the lab can be ended without a trace. `make prove ONLY=update-check_endpoint` runs
the cells whose names have this prefix, and ends with the rows that fail.

"""
RACES = """
## Concurrent actions

Each row is an hour of a lab's day on the same fakes; the name is the curfew run's action in it. Ten actions run in pairs: extend,
keep, protect, a new schedule, PATCH, hibernate, wake, DELETE, the five-minute run, and the curfew run. One action runs between any
two port calls of the other. A row is here only if each result equals that of some order of the two actions' steps: the labs, the
started workflows, and each mail once. `tests/proof/test_races.py` also runs the curfew run, the watch, the five-minute run and a
teardown three times at once: the result is that of one run. `tests/aws/dynamodb` sends 64 parallel requests for a quota's last lab
and for a budget's last dollar.

| the curfew run | pairs of actions | moments |
|---|---|---|
"""
DAYS = """
## Random days

`tests/proof/service.py` is a stateful model of the whole service: up to 50 labs, people with several names, subscriptions that come
and go, and watched clusters of others in two accounts. Owners request, change, hibernate, extend and delete labs. Others delete and
create clusters of the same name, or block a teardown. Calls fail, functions die, AWS has no machines, moves its dates, and forces
upgrades. The invariants: nothing of others is deleted; a ledger or receipt names each resource of a lab; no lab ends without a plan
and a warning; an agreed end happens within two hours or is called off; a message that counts as sent was delivered; versions and
clusters are known within a day; each phase is reached and left; receipts are true.
"""


def code_state(project: Path = PROJECT) -> str:
    """A digest of all files but docs, changes, `results.json` and what git ignores, those that git does not know yet included."""
    asked = (("ls-files", "-s", *_FILES), ("diff", *_FILES))
    said = [_git(project, *command) for command in asked]
    for name in sorted(_git(project, "ls-files", "-z", "--others", "--exclude-standard", *_FILES).split(b"\0")):
        if (file := project / name.decode()).is_file():
            said += [name, file.read_bytes()]
    return hashlib.sha256(b"\0".join(said)).hexdigest()


def _git(project: Path, *command: str) -> bytes:
    return subprocess.run(("git", *command), cwd=project, check=True, stdout=subprocess.PIPE).stdout


def keep(part: str, found: object) -> None:
    """Keep the result of a part of the proof, with its day and the state of the code."""
    kept = {"code": code_state(), "day": f"{datetime.now(UTC):%Y-%m-%d}", "found": found}
    LEFT.mkdir(parents=True, exist_ok=True)
    (LEFT / f"{part}.json").write_text(json.dumps(kept))


def main() -> None:
    """Write the page."""
    parts, code = _parts(LEFT), code_state()
    if missing := [part for part in PARTS if part not in parts]:
        raise SystemExit(f"`make prove` has not told these yet: {', '.join(missing)}.")
    if old := [part for part in PARTS if parts[part]["code"] != code]:
        raise SystemExit(f"The code has changed since `make prove` told these: {', '.join(old)}.")
    PAGE.write_text(page({part: kept["found"] for part, kept in parts.items()}, _days(parts), code))
    print(PAGE.read_text())


def page(found: Mapping[str, Any], days: str, code: str) -> str:
    """The page from the results (`found`) of all parts."""
    state = f"\nProved on {days}, with the code whose digest (`tests/proof/page.py`) begins with `{code[:12]}`.\n"
    rows = "".join(_row(effect, found[effect]) for effect in sorted(WORDS))
    return HEAD + rows + state + CELLS + _cells(found) + RACES + _races(found) + DAYS


def _parts(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Each kept part; a file of an older version counts as missing."""
    read = {path.stem: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    return {part: kept for part, kept in read.items() if isinstance(kept, dict) and "code" in kept}


def _days(parts: Mapping[str, Mapping[str, Any]]) -> str:
    days = sorted({str(parts[part]["day"]) for part in PARTS})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _cells(found: Mapping[str, Any]) -> str:
    counts = {name: found[f"cells-{name}"] for name in CELLS_OF}
    faults = sorted({fault for each in counts.values() for fault in each})
    head = f"| lifecycle | {' | '.join(faults)} |\n|---|{'---|' * len(faults)}\n"
    rows = (
        f"| {name} | {' | '.join(str(each.get(fault, 0)) for fault in faults)} |\n" for name, each in counts.items()
    )
    return head + "".join(rows)


def _races(found: Mapping[str, Any]) -> str:
    told = {name: found[f"races-the-sweep-{name}"] for name in SCENES}
    return "".join(f"| {name} | {pairs} | {moments} |\n" for name, (pairs, moments) in told.items())


def _row(effect: str, struck: Sequence[Mapping[str, Any]]) -> str:
    functions, actions = {each["role"] for each in struck}, {each["action"] for each in struck}
    return f"| {WORDS[effect]} | {len(struck)} | {len(functions)} | {len(actions)} |\n"


if __name__ == "__main__":
    main()

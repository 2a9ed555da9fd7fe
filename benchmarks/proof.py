"""Writes docs/reference/proof.md from the results of the stories of interrupted lives in build/proof: `make prove` does both."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
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


def main() -> None:
    """Write the page."""
    lives = [path for path in sorted(LEFT.glob("*.json")) if path.stem in WORDS]
    if len(lives) < len(WORDS):
        raise SystemExit("`make prove` tells the lives first; what they leave is in build/proof.")
    rows = [_row(path.stem, json.loads(path.read_text())) for path in lives]
    PAGE.write_text(HEAD + "".join(rows) + CELLS + _cells() + RACES + _races() + DAYS)
    print(PAGE.read_text())


def _cells() -> str:
    counts = {
        path.stem.removeprefix("cells-"): json.loads(path.read_text()) for path in sorted(LEFT.glob("cells-*.json"))
    }
    faults = sorted({fault for each in counts.values() for fault in each})
    head = f"| lifecycle | {' | '.join(faults)} |\n|---|{'---|' * len(faults)}\n"
    rows = (
        f"| {name} | {' | '.join(str(each.get(fault, 0)) for fault in faults)} |\n" for name, each in counts.items()
    )
    return head + "".join(rows)


def _races() -> str:
    told = {path.stem: json.loads(path.read_text()) for path in sorted(LEFT.glob("races-*.json"))}
    return "".join(
        f"| {name.removeprefix('races-the-sweep-')} | {pairs} | {moments} |\n"
        for name, (pairs, moments) in told.items()
    )


def _row(effect: str, struck: Sequence[Mapping[str, Any]]) -> str:
    functions, actions = {each["role"] for each in struck}, {each["action"] for each in struck}
    return f"| {WORDS[effect]} | {len(struck)} | {len(functions)} | {len(actions)} |\n"


if __name__ == "__main__":
    main()

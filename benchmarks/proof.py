"""Write docs/reference/proof.md from what the stories of interrupted lives left in build/proof: `make prove` does both."""

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
HEAD = """# Lives that are interrupted

`make prove` writes this page. Each row is a lab's whole life in the sandbox: request, ready, PATCH, hibernate, wake, DELETE.
Each pair of function and AWS action that the life meets is interrupted once, all of them in the same life. A row is here only
if the lab reached each phase, its receipt is clean and nothing of it is left. A function dies only in the steps of workflows,
after calls that change something: one step reads more often than its workflow tries again.

| what happens, once for each pair | pairs | functions | actions |
|---|---|---|---|
"""


def main() -> None:
    """Write the page."""
    rows = [_row(path.stem, json.loads(path.read_text())) for path in sorted(LEFT.glob("*.json"))]
    PAGE.write_text(HEAD + "".join(rows))
    print(PAGE.read_text())


def _row(effect: str, struck: Sequence[Mapping[str, Any]]) -> str:
    functions, actions = {each["role"] for each in struck}, {each["action"] for each in struck}
    return f"| {WORDS[effect]} | {len(struck)} | {len(functions)} | {len(actions)} |\n"


if __name__ == "__main__":
    main()

"""Writes docs/reference/permissions.md: every permission of every function and role, its resources, holders and reason.

It is generated from `.chalice/statements.json` and `.chalice/grants.json`, which the policies are composed from; `make compose`
runs it, and tests/deployment/test_permissions.py fails when the page is stale.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from deployment.packaging import PROJECT
from deployment.permissions_roles import conditions, listed, sections

PAGE = PROJECT / "docs/reference/permissions.md"
_OPENING = """# Permissions

Every right that a function of the service has, why, what it is about, and who has it; after them the roles, policies and
keys beside the functions', and what can't be bound to things of ours. Written by `make compose`; the rights themselves are
in `.chalice/statements.json` and `.chalice/grants.json`. `*` as what a right is about stands beside reads that AWS cannot
scope, and where the reason says so. `<stack>` is the stack's name.

Roles of labs lie under the path `/ekslab/`; no other can be handed to EKS or EC2. What they can do is bounded by the policy
`/ekslab/<stack>-labs`: without it no role can be made, and nothing can take it off again.

No right is unneeded: `tests/story/test_rights.py` takes each away from each function in turn, puts again to IAM's
evaluator what was asked of it while all stories were told, and wants something to be refused. Rights that only AWS
itself, or a fault, asks for are in `tests/data/rights-unasked.json`, each with its reason; single actions of rights that are
needed otherwise, in `tests/data/rights-unasked-actions.json`.
"""


def page() -> str:
    """The whole page."""
    chalice = PROJECT / ".chalice"
    statements = json.loads((chalice / "statements.json").read_text())
    grants = json.loads((chalice / "grants.json").read_text())
    return "\n".join(
        [
            _OPENING,
            *(line for name in sorted(statements) for line in _right(name, statements[name], grants)),
            *sections(),
        ]
    )


def _right(name: str, said: Mapping[str, Any], grants: Mapping[str, Sequence[str]]) -> Iterator[str]:
    who = [function for function, names in grants.items() if name in names]
    yield f"## {name}\n"
    yield f"{said['why']}\n"
    yield f"- may: {listed(said['Action'])}"
    yield f"- on: {listed(said['Resource'])}"
    if "Condition" in said:
        yield f"- if: {listed(conditions(said['Condition']))}"
    yield f"- who: {', '.join(_holder(function) for function in sorted(who))}\n"


def _holder(function: str) -> str:
    return {"*": "every function", "event handlers": "all handlers of schedules and events"}.get(
        function, f"`{function}`"
    )


def main() -> None:
    """Write the page."""
    PAGE.write_text(page())


if __name__ == "__main__":
    main()

"""Change sets that notice resources added or removed by a condition; ministack compares the templates' texts only."""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services.cloudformation import changesets
from ministack.services.cloudformation.engine import _evaluate_conditions

Resolve = Callable[[Mapping[str, Any], Mapping[str, Any], str, str], Any]


def install() -> None:
    """Make change sets of this process's emulator compare the existing resources under the parameters."""
    changesets._resolve_props_for_diff = _of_what_is_there(changesets._resolve_props_for_diff)


def _of_what_is_there(resolve: Resolve) -> Resolve:
    def resolved(template: Mapping[str, Any], params: Mapping[str, Any], stack_name: str, stack_id: str) -> Any:
        if not template:
            return resolve(template, params, stack_name, stack_id)
        conditions = _evaluate_conditions(template, params)
        there = {
            name: made
            for name, made in template.get("Resources", {}).items()
            if conditions.get(made.get("Condition", ""), True)
        }
        return resolve({**template, "Resources": there}, params, stack_name, stack_id)

    return resolved

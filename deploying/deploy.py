"""Deploy a package: upload it, make a change set, show it, execute it. The sandbox's deployment is this, too."""

from collections.abc import Callable, Mapping, Sequence

from deploying.artifacts import ClientFactory, uploaded
from deploying.packaging import Package
from deploying.stacks import Change, ChangeSet, NotDeployed, Pace, find_stack, outputs_of

Ask = Callable[[Sequence[Change]], bool]
"""Shown what would change; tells whether to go on."""

_NEVER_CAME_UP = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}


class Refused(Exception):
    """Whoever was asked did not want it; nothing was changed."""


def without_asking(_changes: Sequence[Change]) -> bool:
    """Go on whatever would change."""
    return True


def deploy(
    client: ClientFactory,
    package: Package,
    stack: str,
    parameters: Mapping[str, str] | None = None,
    *,
    ask: Ask = without_asking,
    pace: Pace | None = None,
    bucket: str | None = None,
) -> dict[str, str]:
    """Create the stack, or update it, and return its outputs. Raises NotDeployed, and Refused if `ask` says no."""
    cloudformation = client("cloudformation")
    there = find_stack(cloudformation, stack)
    if there and there["StackStatus"] in _NEVER_CAME_UP:
        raise NotDeployed(f"{stack} is {there['StackStatus']}: it never came up. Destroy it, then deploy again.")
    url = uploaded(client, package, bucket)
    change_set = ChangeSet.create(cloudformation, stack, url, parameters or {}, pace or Pace())
    if change_set is None:
        return outputs_of(there)
    if not ask(change_set.changes()):
        change_set.discard()
        raise Refused(stack)
    return outputs_of(change_set.execute())

"""Deploy a package: upload it, make a change set, show it, execute it. The sandbox is deployed by it, too."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from deployment.artifacts import ClientFactory, uploaded
from deployment.packaging import Package
from deployment.refusals import refuse_a_second_region, refuse_to_lose
from deployment.stacks import Change, ChangeSet, NotDeployed, Pace, find_stack, outputs_of, protect, wait_for_names

Ask = Callable[[Sequence[Change]], bool]
"""Takes the changes; returns whether to go on."""

_NEVER_CAME_UP = {"ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED"}


class Refused(Exception):
    """The operator did not agree to the changes; nothing was changed."""


def without_asking(_changes: Sequence[Change]) -> bool:
    """Agree to all changes."""
    return True


@dataclass(frozen=True, slots=True)
class Consent:
    """An operator's consent: `ask` gets the changes; `lose` has logical ids of tables and secrets that may be lost."""

    ask: Ask = without_asking
    lose: Collection[str] = ()


AGREED = Consent()


def deploy(
    client: ClientFactory,
    package: Package,
    stack: str,
    parameters: Mapping[str, str] | None = None,
    *,
    consent: Consent = AGREED,
    pace: Pace | None = None,
    bucket: str | None = None,
) -> dict[str, str]:
    """Create the stack, or update it, and return its outputs; it is protected against deletion then.

    Raises NotDeployed, and Refused if the changes lack consent.
    """
    cloudformation = client("cloudformation")
    there = find_stack(cloudformation, stack)
    if there and there["StackStatus"] in _NEVER_CAME_UP:
        raise NotDeployed(f"{stack} is {there['StackStatus']}: it never came up. Destroy it, then deploy again.")
    if there is None:
        refuse_a_second_region(client, stack)
        wait_for_names(client, package.template, stack, pace or Pace())
    url = uploaded(client, package, bucket)
    change_set = ChangeSet.create(cloudformation, stack, url, parameters or {}, pace or Pace())
    if change_set is not None:
        _agree(change_set, stack, consent)
        there = change_set.execute()
    protect(cloudformation, stack)
    return outputs_of(there)


def _agree(change_set: ChangeSet, stack: str, consent: Consent) -> None:
    """Return if the operator agrees, else discard the change set and raise the reason."""
    changes = change_set.changes()
    try:
        refuse_to_lose(changes, consent.lose)
        if not consent.ask(changes):
            raise Refused(stack)
    except BaseException:
        change_set.discard()
        raise

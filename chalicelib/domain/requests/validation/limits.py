"""How long lists may be where nothing else says so: each item is a call of EKS, a question to AWS, or work for a check.

The bounds are our own, well above what a lab has ever needed; nodes, groups, taints, tags and CIDRs have theirs elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chalicelib.domain.errors.findings import Finding, error
from chalicelib.domain.requests.draft import Draft
from chalicelib.domain.requests.validation.context import Case

_MOST = 50
#: Namespaces of one access policy: a class has one for each learner.
_MOST_NAMESPACES = 200


def judge_lists(case: Case) -> Iterator[Finding]:
    """No list is longer than anyone could mean."""
    for path, items in _lists(case.draft):
        most = _MOST_NAMESPACES if path.endswith(".namespaces") else _MOST
        if len(items) > most:
            yield error(path, "too-many", f"At most {most} are taken here; these are {len(items)}.")


def _lists(draft: Draft) -> Iterator[tuple[str, Sequence[object]]]:
    yield "addons", draft.addons
    yield "podIdentities", draft.pod_identities
    yield "logTypes", draft.log_types
    yield "network.publicSubnetIds", draft.network.public_subnet_ids
    yield "network.privateSubnetIds", draft.network.private_subnet_ids
    for index, group in enumerate(draft.nodegroups or ()):
        yield f"nodegroups[{index}].instanceTypes", group.instance_types or ()
    yield "access", draft.access or ()
    for index, entry in enumerate(draft.access or ()):
        yield f"access[{index}].groups", entry.groups
        yield f"access[{index}].policies", entry.policies
        for place, policy in enumerate(entry.policies):
            yield f"access[{index}].policies[{place}].namespaces", policy.namespaces

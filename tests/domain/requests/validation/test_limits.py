"""The maximum length of each list in a request; a list of exactly that length is accepted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.domain.errors.findings import Finding
from chalicelib.domain.labs.spec import AccessPolicySpec, AccessSpec, AddonSpec, Limits, PodIdentitySpec
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.requests.draft import Draft, NetworkDraft, NodegroupDraft
from chalicelib.domain.requests.validation.validate import complete
from tests.fakes import NOW, a_caller
from tests.fakes.builders import ACCOUNT, CLUSTER_ADMIN, a_calendar

ROLE = f"arn:aws:iam::{ACCOUNT}:role/r"


def too_many(fields: dict[str, Any]) -> list[Finding]:
    draft = Draft(**{"name": "a", **fields})
    _, findings = complete(ValidationContext(draft, a_calendar(), a_caller(), Limits(), NOW))
    return [finding for finding in findings if finding.code == "too-many"]


def entry(**fields: Any) -> dict[str, Any]:
    return {"access": (AccessSpec(ROLE, **fields),)}


LISTS: dict[str, tuple[int, Callable[[int], dict[str, Any]]]] = {
    "addons": (50, lambda n: {"addons": tuple(AddonSpec(f"a{i}") for i in range(n))}),
    "access": (50, lambda n: {"access": tuple(AccessSpec(f"{ROLE}{i}") for i in range(n))}),
    "access[0].groups": (50, lambda n: entry(groups=tuple(f"g{i}" for i in range(n)))),
    "access[0].policies": (50, lambda n: entry(policies=(AccessPolicySpec(CLUSTER_ADMIN),) * n)),
    "access[0].policies[0].namespaces": (
        200,
        lambda n: entry(policies=(AccessPolicySpec(CLUSTER_ADMIN, tuple(f"n{i}" for i in range(n))),)),
    ),
    "podIdentities": (
        50,
        lambda n: {"pod_identities": tuple(PodIdentitySpec("default", f"s{i}", ROLE) for i in range(n))},
    ),
    "logTypes": (50, lambda n: {"log_types": ("api",) * n}),
    "nodegroups[0].instanceTypes": (
        50,
        lambda n: {"nodegroups": (NodegroupDraft(instance_types=tuple(f"m{i}.large" for i in range(n))),)},
    ),
    "network.publicSubnetIds": (
        50,
        lambda n: {"network": NetworkDraft(public_subnet_ids=tuple(f"subnet-{i:08x}" for i in range(n)))},
    ),
    "network.privateSubnetIds": (
        50,
        lambda n: {"network": NetworkDraft(private_subnet_ids=tuple(f"subnet-{i:08x}" for i in range(n)))},
    ),
}


@pytest.mark.parametrize("path", LISTS)
def test_a_list_is_taken_up_to_its_bound_and_refused_beyond_it(path: str) -> None:
    most, fields = LISTS[path]
    assert [finding.path for finding in too_many(fields(most))] == []
    assert [finding.path for finding in too_many(fields(most + 1))] == [path]

"""Checks principals, access policies and pod roles of a request against IAM and EKS.

Pure; `services/labs/preflight.py` fetches the facts. A principal of an unreadable account is not refused: EKS
may accept it, and the lab becomes ready without it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from chalicelib.domain.core.names import same_principal
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.labs.spec import LabSpec


def check_principals(spec: LabSpec, known: Mapping[str, str | None]) -> Iterator[Finding]:
    """Judge the access list: `known` maps each principal that could be looked up to its whole ARN, None if there is none."""
    for index, entry in enumerate(spec.access):
        path, arn = f"access[{index}].principalArn", entry.principal_arn
        if arn not in known:
            message = Sentence(
                "{arn} is of another account, which is not looked at: if EKS refuses it, the lab is ready without it.",
                arn=arn,
            )
            yield warning(path, "principal-not-checked", message)
        elif known[arn] is None:
            yield error(path, "principal-missing", "IAM has no {arn}. Make it first, or leave it out.", arn=arn)


def with_principals(spec: LabSpec, known: Mapping[str, str | None]) -> LabSpec:
    """The spec with the whole ARNs of principals: a role named without its path gets it."""
    access = (
        replace(entry, principal_arn=known.get(entry.principal_arn) or entry.principal_arn) for entry in spec.access
    )
    return replace(spec, access=tuple(access))


def check_same_principals(spec: LabSpec, known: Mapping[str, str | None]) -> Iterator[Finding]:
    """Refuse a principal that is listed twice, once with the path and once without."""
    seen: list[str] = []
    for index, entry in enumerate(spec.access):
        whole = known.get(entry.principal_arn)
        if whole is not None and any(same_principal(whole, other) for other in seen):
            yield error(f"access[{index}].principalArn", "duplicate", "{whole} is listed already.", whole=whole)
        seen.append(whole or entry.principal_arn)


def check_access_policies(spec: LabSpec, known: Collection[str]) -> Iterator[Finding]:
    """Judge the access policies by EKS's list; an empty list judges nothing."""
    for index, entry in enumerate(spec.access):
        for number, policy in enumerate(entry.policies):
            if known and policy.policy_arn not in known:
                names = ", ".join(sorted(arn.rpartition("/")[2] for arn in known))
                message = Sentence(
                    "EKS has no access policy {name}. It has {names}.",
                    name=policy.policy_arn.rpartition("/")[2],
                    names=names,
                )
                yield error(f"access[{index}].policies[{number}].policyArn", "policy-missing", message)


def check_pod_roles(spec: LabSpec, known: Mapping[str, str | None]) -> Iterator[Finding]:
    """Judge the roles for pods: each must exist, under the given path."""
    for index, asked in enumerate(spec.pod_identities):
        if known.get(asked.role_arn) != asked.role_arn:
            message = Sentence(
                "IAM has no role {role_arn}. Make it first: EKS takes no association without its role.",
                role_arn=asked.role_arn,
            )
            yield error(f"podIdentities[{index}].roleArn", "role-missing", message)

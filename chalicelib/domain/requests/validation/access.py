"""Rules for access entries and for the roles of pods (Pod Identity)."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator

from chalicelib.domain.core import names
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, error, warning
from chalicelib.domain.identity.user_pools import pool_user
from chalicelib.domain.labs.spec import AccessSpec
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.stack.addon_roles import ADDON_ROLES

#: Access entry types (model: CreateAccessEntryRequest.type); all but STANDARD are for nodes.
_NODE_TYPES = ("EC2_LINUX", "EC2_WINDOWS", "EC2", "FARGATE_LINUX", "HYBRID_LINUX", "HYPERPOD_LINUX")
#: EKS refuses groups with these prefixes: they would be Kubernetes' or AWS's own.
_RESERVED_GROUPS = ("system:", "eks:", "aws:", "amazon:", "iam:")
#: Without these no node becomes ready, or no pod finds another.
_VITAL = ("vpc-cni", "kube-proxy", "coredns")


def judge_access(case: ValidationContext) -> Iterator[Finding]:
    """Somebody has access; each principal once, a user or a role, with well-formed policies."""
    requester = names.principal_of(case.caller.arn)
    asked = case.draft.access
    if requester is None and (asked is None or case.draft.requester_too):
        yield _without_principal(case)
    elif case.spec.access_role and not case.caller.in_directory:
        message = Sentence(
            "Only people of IAM Identity Center get in by a role of the lab's own: IAM vouches for "
            "their names. Leave accessRole out, and list who gets in."
        )
        yield error("accessRole", "not-in-directory", message)
    elif requester and not case.spec.access_role and not _lists(case, requester):
        yield warning("access", "not-yourself", "You are not on this list: you will not get into the cluster yourself.")
    seen: set[str] = set()
    for index, entry in enumerate(asked or ()):
        path = f"access[{index}]"
        if entry.principal_arn in seen:
            yield error(
                f"{path}.principalArn", "duplicate", "This principal is listed already: EKS makes one entry for each."
            )
        seen.add(entry.principal_arn)
        yield from _judge_principal(path, entry.principal_arn)
        yield from _judge_entry(path, entry)


def _without_principal(case: ValidationContext) -> Finding:
    """Labs of root and federated users would lock everybody out by mistake; browser users have no other way to ask."""
    if pool_user(case.caller.arn) is None:
        message = Sentence(
            "No access entry can be made for {arn}: call as an IAM user or role, or name who gets in.",
            arn=case.caller.arn,
        )
        return error("access", "no-principal", message)
    message = Sentence(
        "Nobody gets into the cluster: EKS knows IAM users and roles, and you signed in by browser. Name who gets in."
    )
    return warning("access", "nobody-gets-in", message)


def _lists(case: ValidationContext, principal: str) -> bool:
    return any(names.same_principal(entry.principal_arn, principal) for entry in case.spec.access)


def _judge_principal(path: str, arn: str) -> Iterator[Finding]:
    if names.PRINCIPAL_ARN.fullmatch(arn):
        return
    role = names.principal_of(arn)
    if role:
        message = Sentence(
            "This is a session of a role; EKS takes the role itself: {role} (with its path, if it has one).", role=role
        )
    else:
        message = Sentence("Not the ARN of an IAM user or role: they look like arn:aws:iam::111122223333:role/student.")
    yield error(f"{path}.principalArn", "invalid-principal", message)


def _judge_entry(path: str, entry: AccessSpec) -> Iterator[Finding]:
    if entry.type not in ("STANDARD", *_NODE_TYPES):
        yield error(f"{path}.type", "unknown-type", "Types are STANDARD, {names}.", names=", ".join(_NODE_TYPES))
    elif entry.type != "STANDARD" and (entry.policies or entry.groups):
        yield error(
            f"{path}.type",
            "node-entry",
            "An entry of type {type} is for nodes: no policies, no groups.",
            type=entry.type,
        )
    elif entry.type != "STANDARD" and ":user/" in entry.principal_arn:
        yield error(
            f"{path}.type", "node-entry", "An entry of type {type} is for a role, not for a user.", type=entry.type
        )
    elif entry.type == "STANDARD" and not entry.policies and not entry.groups:
        yield warning(path, "no-rights", "Without policies or groups this principal gets in, but may do nothing.")
    yield from _judge_groups(path, entry)
    yield from _judge_policies(path, entry)


def _judge_groups(path: str, entry: AccessSpec) -> Iterator[Finding]:
    for index, group in enumerate(entry.groups):
        if group.startswith(_RESERVED_GROUPS) or not group:
            message = Sentence(
                "EKS refuses groups that begin with {names}: give an access policy instead.",
                names=", ".join(_RESERVED_GROUPS),
            )
            yield error(f"{path}.groups[{index}]", "reserved", message)


def _judge_policies(path: str, entry: AccessSpec) -> Iterator[Finding]:
    for index, policy in enumerate(entry.policies):
        here = f"{path}.policies[{index}]"
        if not names.ACCESS_POLICY_ARN.fullmatch(policy.policy_arn):
            message = Sentence(
                "Not an EKS access policy: `arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy` is one."
            )
            yield error(f"{here}.policyArn", "invalid-policy", message)
        for position, namespace in enumerate(policy.namespaces):
            if not names.NAMESPACE_PATTERN.fullmatch(namespace):
                yield error(
                    f"{here}.namespaces[{position}]",
                    "invalid-name",
                    "{namespace} is no namespace.",
                    namespace=f"{namespace!r}",
                )


def judge_pod_identities(case: ValidationContext) -> Iterator[Finding]:
    """Pods get roles under /ekslab/ of the lab's own account only: a learner must not gain permissions by a lab."""
    given = (ADDON_ROLES[addon.name] for addon in case.spec.addons if addon.name in ADDON_ROLES)
    seen = {(role.namespace, role.service_account) for role in given}
    for index, asked in enumerate(case.spec.pod_identities):
        path = f"podIdentities[{index}]"
        if not names.DNS_LABEL.fullmatch(asked.namespace):
            yield error(
                f"{path}.namespace", "invalid-name", "{namespace} is no namespace.", namespace=f"{asked.namespace!r}"
            )
        if not names.SERVICE_ACCOUNT.fullmatch(asked.service_account):
            yield error(
                f"{path}.serviceAccount",
                "invalid-name",
                "{service_account} is no service account's name.",
                service_account=f"{asked.service_account!r}",
            )
        role = names.LAB_ROLE_ARN.fullmatch(asked.role_arn)
        if role is None or role[1] != case.account:
            message = Sentence(
                "Only roles of account {account} under the path /ekslab/ are given to pods: a lab makes "
                "no role with rights you name, for a learner must not gain rights by it.",
                account=case.account,
            )
            yield error(f"{path}.roleArn", "role-not-allowed", message)
        if (asked.namespace, asked.service_account) in seen:
            yield error(path, "duplicate", "This service account has a role already.")
        seen.add((asked.namespace, asked.service_account))


def judge_addons(case: ValidationContext) -> Iterator[Finding]:
    """Each add-on once, with a configuration that is an object; external-dns only together with a hosted zone."""
    seen: set[str] = set()
    for index, addon in enumerate(case.draft.addons):
        path = f"addons[{index}]"
        if not names.ADDON.fullmatch(addon.name):
            yield error(
                f"{path}.name",
                "invalid-name",
                "{name} is no add-on's name: they look like vpc-cni.",
                name=f"{addon.name!r}",
            )
        if addon.name in seen:
            yield error(f"{path}.name", "duplicate", "{name} is listed already.", name=addon.name)
        seen.add(addon.name)
        if addon.configuration is not None and not _is_json_object(addon.configuration):
            yield error(
                f"{path}.configuration",
                "invalid-configuration",
                "The configuration is no object, neither in JSON nor in YAML.",
            )
        if addon.name == "external-dns" and case.draft.external_dns is None:
            message = Sentence(
                "external-dns gets rights on one hosted zone only: name it, with ekslab's own body, in externalDns."
            )
            yield error(f"{path}.name", "no-hosted-zone", message)
    missing = [name for name in _VITAL if name not in {addon.name for addon in case.spec.addons}]
    if missing:
        yield warning(
            "addons",
            "vital-addons",
            "Without {names} nodes do not become ready, or pods find nothing.",
            names=", ".join(missing),
        )


def judge_external_dns(case: ValidationContext) -> Iterator[Finding]:
    """A hosted zone is named, by id or by domain."""
    asked = case.draft.external_dns
    if asked is None:
        return
    if not asked.hosted_zone_id and not asked.domain and not case.draft.is_partly_broken("externalDns"):
        yield error("externalDns", "no-hosted-zone", "Name the hosted zone: hostedZoneId, domain, or both.")
    if asked.hosted_zone_id and not names.HOSTED_ZONE_ID.fullmatch(asked.hosted_zone_id):
        yield error(
            "externalDns.hostedZoneId", "invalid-id", "Not a hosted zone's id: they look like Z0123456789ABCDEFGHIJ."
        )
    if asked.domain and not names.DOMAIN.fullmatch(asked.domain):
        yield error("externalDns.domain", "invalid-domain", "Not a domain name: they look like lab.example.com.")


def _is_json_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text, parse_constant=_no_number, parse_float=_finite), dict)
    except (ValueError, RecursionError):
        return False


def _no_number(name: str) -> float:
    raise ValueError(name)


def _finite(text: str) -> float:
    """Raises ValueError for what JSON allows and no float holds."""
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)

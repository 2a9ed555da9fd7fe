"""Derives the search target from a lab and its ledger alone. It calls no AWS: the cluster may be gone.

`with_cluster`, `with_roles` and `with_groups` add the present facts: the cluster of the name, its roles, members of groups.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.proof import Proof
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Target
from chalicelib.domain.labs.aws_states import ClusterState, GroupState, RoleState, is_own_cluster
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import ExistingNetwork


def target_of(lab: Lab, ledger: Sequence[LedgerEntry], before: frozenset[str] | None = None) -> Target:
    """The target by the lab, its ledger, and the resources `before` it; None: nobody listed those."""
    dns = lab.spec.external_dns
    cluster = [entry for entry in ledger if entry.resource.kind is Kind.CLUSTER and entry.grounds is not None]
    vpc_id = _vpc_id(lab, ledger)
    return Target(
        lab_id=lab.id,
        cluster_name=lab.name,
        account=lab.account,
        region=lab.region,
        created_at=lab.created_at,
        stack_name=lab.stack_name,
        txt_owner_id=lab.txt_owner_id,
        vpc_id=vpc_id,
        vpc_is_ours=vpc_id is not None and vpc_id in _made_vpcs(ledger),
        subnet_ids=_subnet_ids(lab),
        hosted_zone_id=dns.hosted_zone_id if dns is not None else None,
        oidc_issuer=lab.facts.oidc_issuer,
        cluster_security_group_id=lab.facts.cluster_security_group_id,
        role_names=_role_names(lab.facts.stack_outputs, ledger),
        known_ids=tuple(entry.resource.id for entry in ledger if not entry.guest),
        had_cluster=bool(cluster) or lab.facts.arn is not None,
        cluster_gone_at=_gone_at(cluster),
        stack_id=stack_id_of(lab, ledger),
        cluster_created_at=lab.facts.created_at,
        role_ids=frozenset(lab.facts.role_ids.values()),
        own_ids=_own_ids(ledger),
        before=before,
        subdomain=lab.facts.subdomain,
    )


def with_cluster(target: Target, lab: Lab, cluster: ClusterState | None) -> Target:
    """Add EKS's present cluster of this name; None: there is none. Another cluster may have taken the name."""
    if cluster is None:
        return target
    if not is_own_cluster(lab, cluster):
        return replace(target, name_taken_over=True)
    return replace(
        target,
        vpc_id=target.vpc_id or cluster.vpc_id,
        oidc_issuer=target.oidc_issuer or cluster.oidc_issuer,
        cluster_security_group_id=target.cluster_security_group_id or cluster.cluster_security_group_id,
        own_cluster_arn=cluster.arn,
        cluster_created_at=cluster.created_at,
        had_cluster=True,
        cluster_gone_at=None,
    )


def with_roles(target: Target, roles: Sequence[RoleState]) -> Target:
    """Add the stack's roles that still have their ids, and the instance profiles that hold one of those."""
    ours = [role for role in roles if role.id in target.role_ids]
    return replace(
        target,
        true_role_names=frozenset(role.name for role in ours),
        profile_ids=frozenset(profile for role in ours for profile in role.profile_ids),
    )


def with_groups(target: Target, groups: Sequence[GroupState], ledger: Sequence[LedgerEntry]) -> Target:
    """Add the Auto Scaling groups of the lab's node groups, and their members.

    A group is known by its ARN, which holds a unique id, from the ledger, or because a node group of the present cluster names it.
    """
    known = {entry.resource.arn for entry in ledger if entry.resource.kind is Kind.AUTO_SCALING_GROUP and entry.grounds}
    ours = [group for group in groups if group.arn in known or (group.named and target.own_cluster_arn is not None)]
    members = frozenset(member for group in ours for member in group.member_ids)
    arns = frozenset(group.arn for group in ours) | known
    return replace(target, group_arns=arns, member_ids=members, own_ids=target.own_ids | arns | members)


def _made_vpcs(ledger: Sequence[LedgerEntry]) -> frozenset[str]:
    """The VPCs of the lab's own stack."""
    vpcs = (entry for entry in ledger if entry.resource.kind is Kind.VPC)
    return frozenset(entry.resource.id for entry in vpcs if entry.grounds in (Proof.STACK, Proof.ANSWER))


def stack_id_of(lab: Lab, ledger: Sequence[LedgerEntry]) -> str | None:
    """The id that CreateStack returned; None if that answer was lost."""
    listed = next((e.resource.arn for e in ledger if e.resource.kind is Kind.STACK and e.grounds is not None), None)
    return lab.facts.stack_id or listed


def _own_ids(ledger: Sequence[LedgerEntry]) -> frozenset[str]:
    proved = [entry.resource for entry in ledger if entry.grounds is not None]
    return frozenset(thing.id for thing in proved) | frozenset(thing.arn for thing in proved)


def _vpc_id(lab: Lab, ledger: Sequence[LedgerEntry]) -> str | None:
    network = lab.spec.network
    if isinstance(network, ExistingNetwork) and network.vpc_id is not None:
        return network.vpc_id
    on_ledger = next((entry.resource.id for entry in ledger if entry.resource.kind is Kind.VPC), None)
    return lab.facts.vpc_id or lab.facts.stack_outputs.get("VpcId") or on_ledger


def _subnet_ids(lab: Lab) -> tuple[str, ...]:
    network = lab.spec.network
    if isinstance(network, ExistingNetwork):
        return (*network.public_subnet_ids, *network.private_subnet_ids)
    outputs = lab.facts.stack_outputs
    joined = ",".join(outputs.get(name, "") for name in ("PublicSubnetIds", "PrivateSubnetIds"))
    return tuple(subnet for subnet in joined.split(",") if subnet)


def _role_names(outputs: Mapping[str, str], ledger: Sequence[LedgerEntry]) -> tuple[str, ...]:
    """The lab's own roles, by its stack and its ledger."""
    made = {value.rpartition("/")[2] for name, value in outputs.items() if name.endswith("RoleArn") and value}
    listed = {e.resource.id for e in ledger if e.resource.kind is Kind.ROLE and e.grounds is not None}
    return tuple(sorted(made | listed))


def _gone_at(cluster: Sequence[LedgerEntry]) -> datetime | None:
    """The time since when every cluster entry is deleted; None while a cluster may exist, or if there never was one."""
    if not cluster or any(entry.state is not EntryState.DELETED for entry in cluster):
        return None
    return max(entry.changed_at for entry in cluster)

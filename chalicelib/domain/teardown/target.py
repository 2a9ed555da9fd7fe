"""Derives, from a lab and its ledger alone, whose things to look for. Nothing here asks the cluster: it may be gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Target
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import ExistingNetwork, NewNetwork
from chalicelib.domain.teardown.evidence import LAB_TAG


def target_of(lab: Lab, ledger: Sequence[LedgerEntry]) -> Target:
    """The target as far as the lab and its ledger tell. What AWS says of the name now is added by `with_cluster`."""
    dns = lab.spec.external_dns
    cluster = [entry for entry in ledger if entry.resource.kind is Kind.CLUSTER and not entry.guest]
    return Target(
        lab_id=lab.id,
        cluster_name=lab.name,
        account=lab.account,
        region=lab.region,
        created_at=lab.created_at,
        stack_name=lab.stack_name,
        txt_owner_id=lab.txt_owner_id,
        vpc_id=_vpc_id(lab, ledger),
        vpc_is_ours=isinstance(lab.spec.network, NewNetwork),
        subnet_ids=_subnet_ids(lab),
        hosted_zone_id=dns.hosted_zone_id if dns is not None else None,
        oidc_issuer=lab.facts.oidc_issuer,
        cluster_security_group_id=lab.facts.cluster_security_group_id,
        role_names=_role_names(lab.facts.stack_outputs, ledger),
        known_ids=tuple(entry.resource.id for entry in ledger if not entry.guest),
        had_cluster=bool(cluster) or lab.facts.arn is not None,
        cluster_gone_at=_gone_at(cluster),
    )


def with_cluster(target: Target, cluster: ClusterState | None) -> Target:
    """Add what EKS says of the cluster of this name now; None: there is none. Without our tag it is someone else's."""
    if cluster is None:
        return target
    if cluster.tags.get(LAB_TAG) != target.lab_id:
        return replace(target, name_taken_over=True)
    return replace(
        target,
        vpc_id=target.vpc_id or cluster.vpc_id,
        oidc_issuer=target.oidc_issuer or cluster.oidc_issuer,
        cluster_security_group_id=target.cluster_security_group_id or cluster.cluster_security_group_id,
        had_cluster=True,
        cluster_gone_at=None,
    )


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
    """The lab's own roles: what the stack says it made, and what the ledger lists."""
    made = {value.rpartition("/")[2] for name, value in outputs.items() if name.endswith("RoleArn") and value}
    listed = {entry.resource.id for entry in ledger if entry.resource.kind is Kind.ROLE and not entry.guest}
    return tuple(sorted(made | listed))


def _gone_at(cluster: Sequence[LedgerEntry]) -> datetime | None:
    """Since when every cluster entry has been deleted; None while one may be there, or there never was one."""
    if not cluster or any(entry.state is not EntryState.DELETED for entry in cluster):
        return None
    return max(entry.changed_at for entry in cluster)

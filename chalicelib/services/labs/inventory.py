"""A lab's parts for learners: read from AWS part by part, so that a refusal costs one part only.

Every unreadable part is named in `unreadable` with AWS's words; nothing is dropped silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TypeVar

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AwsRefused, Transient
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.aws_states import (
    AccessEntryState,
    AddonState,
    ClusterState,
    EndpointProbe,
    NodegroupState,
    PodIdentityState,
    SubnetFacts,
    WorkHostState,
)
from chalicelib.domain.labs.lab import OVER, Lab, phase_said
from chalicelib.domain.stack.policy_explanations import endpoint_in_words, why_group, why_policy
from chalicelib.domain.support.calendar import VersionSupport
from chalicelib.ports.deps import Cloud, Deps
from chalicelib.services.labs.commands import seen_lab

Part = TypeVar("Part")


@dataclass(frozen=True)
class Policy:
    """A policy of a role, and why it is there."""

    name: str
    arn: str
    why: str


@dataclass(frozen=True)
class Group:
    """A security group in its role in the lab: `cluster`, `control-plane`, `nodes`, `remote-access`, `work-host`."""

    role: str
    why: str
    group: Mapping[str, object]


@dataclass(frozen=True)
class Inventory:
    """All parts. None, or empty with a line in `unreadable`, for an unreadable part.

    `told`: the reason for an empty inventory of an ended lab.
    """

    lab: Lab
    ledger: tuple[LedgerEntry, ...]
    endpoint_means: str
    control_plane: ClusterState | None = None
    support: VersionSupport | None = None
    support_source: str | None = None
    zones: tuple[str, ...] = ()
    endpoint: EndpointProbe | None = None
    node_role_arn: str | None = None
    node_policies: tuple[Policy, ...] = ()
    security_groups: tuple[Group, ...] = ()
    subnets: tuple[SubnetFacts, ...] = ()
    nodegroups: tuple[NodegroupState, ...] = ()
    addons: tuple[AddonState, ...] = ()
    access_entries: tuple[AccessEntryState, ...] = ()
    pod_identities: tuple[PodIdentityState, ...] = ()
    work_host: WorkHostState | None = None
    unreadable: Mapping[str, str] = field(default_factory=dict)
    message: str | None = None


class _Asked:
    """Reads part by part and records refusals."""

    def __init__(self) -> None:
        self.unreadable: dict[str, str] = {}

    def part(self, name: str, ask: Callable[[], Part], otherwise: Part) -> Part:
        try:
            return ask()
        except (AwsRefused, Transient) as refusal:
            self.unreadable[name] = str(refusal)
            return otherwise


def inventory(deps: Deps, caller: Caller, lab_id: str) -> Inventory:
    """Read everything that the lab consists of. Raises LabNotFound."""
    lab = seen_lab(deps, caller, lab_id)
    ledger = deps.store.ledger(lab_id)
    if lab.phase in OVER:
        return _of_nothing(lab, ledger)
    cloud, asked = deps.cloud(lab.place), _Asked()
    clusters, name = cloud.clusters, lab.name
    cluster = asked.part("controlPlane", lambda: clusters.describe(name), None)
    calendar = asked.part("support", clusters.versions, None)
    unknown: tuple[SubnetFacts, ...] = ()
    subnets = asked.part("subnets", lambda: cloud.network.subnets(_subnet_ids(lab, cluster)), unknown)
    return Inventory(
        lab=lab,
        control_plane=cluster,
        support=calendar.get(cluster.version if cluster else lab.kubernetes_version) if calendar else None,
        support_source=calendar.source if calendar else None,
        zones=tuple(sorted({subnet.zone for subnet in subnets})),
        endpoint=_endpoint(cloud, lab),
        endpoint_means=endpoint_in_words(lab.spec.endpoint.access),
        node_role_arn=lab.facts.stack_outputs.get("NodeRoleArn"),
        node_policies=asked.part("nodeRole", lambda: _policies(cloud, lab), ()),
        security_groups=asked.part("securityGroups", lambda: _groups(cloud, lab), ()),
        subnets=subnets,
        nodegroups=asked.part(
            "nodegroups", lambda: tuple(clusters.nodegroup(name, group) for group in clusters.nodegroups(name)), ()
        ),
        addons=asked.part("addons", lambda: tuple(clusters.addon(name, addon) for addon in clusters.addons(name)), ()),
        access_entries=asked.part("accessEntries", lambda: clusters.access_entries(name), ()),
        pod_identities=asked.part("podIdentities", lambda: clusters.pod_identities(name), ()),
        work_host=asked.part("workHost", lambda: _work_host(cloud, lab, ledger), None),
        ledger=ledger,
        unreadable=asked.unreadable,
    )


def _of_nothing(lab: Lab, ledger: tuple[LedgerEntry, ...]) -> Inventory:
    """AWS is not asked about deleted parts: each would be an error, and its name may be another cluster's by now."""
    message = Sentence(
        "The lab is {phase}, and nothing of it is there to look at: its receipt says what was removed.",
        phase=phase_said(lab.phase),
    )
    return Inventory(lab, ledger, Sentence("It answers no more."), message=message)


def _endpoint(cloud: Cloud, lab: Lab) -> EndpointProbe | None:
    if lab.facts.endpoint is None:
        return None
    return cloud.kubernetes.probe(lab.facts.endpoint, lab.facts.certificate_authority)


def _subnet_ids(lab: Lab, cluster: ClusterState | None) -> tuple[str, ...]:
    outputs = lab.facts.stack_outputs
    listed = ",".join((outputs.get("PublicSubnetIds", ""), outputs.get("PrivateSubnetIds", ""))).split(",")
    return tuple(dict.fromkeys([*filter(None, listed), *(cluster.subnet_ids if cluster else ())]))


def _policies(cloud: Cloud, lab: Lab) -> tuple[Policy, ...]:
    role = lab.facts.stack_outputs.get("NodeRoleName")
    return tuple(Policy(name, arn, why_policy(name)) for name, arn in cloud.roles.policies(role)) if role else ()


def _groups(cloud: Cloud, lab: Lab) -> tuple[Group, ...]:
    outputs = lab.facts.stack_outputs
    roles = {
        "cluster": lab.facts.cluster_security_group_id,
        "control-plane": outputs.get("ControlPlaneSecurityGroupId"),
        "nodes": outputs.get("NodeSecurityGroupId"),
        "remote-access": outputs.get("RemoteAccessSecurityGroupId"),
        "work-host": outputs.get("WorkHostSecurityGroupId"),
    }
    known = {group_id: role for role, group_id in roles.items() if group_id}
    found = {str(group["id"]): group for group in cloud.network.security_groups(tuple(known))}
    return tuple(Group(role, why_group(role), found[i]) for i, role in known.items() if i in found)


def _work_host(cloud: Cloud, lab: Lab, ledger: tuple[LedgerEntry, ...]) -> WorkHostState | None:
    if lab.spec.work_host is None:
        return None
    for entry in ledger:
        asked_for = entry.how.startswith("asked for") and entry.state is not EntryState.DELETED
        if entry.resource.kind is Kind.INSTANCE and asked_for:
            return cloud.network.work_host(entry.resource.id)
    return None

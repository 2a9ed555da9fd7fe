"""The commands that upgrade a cluster by one minor version, with the AWS CLI and with eksctl, in a safe order.

Called by the digest and the API. Flags are the AWS CLI's of `eks` and eksctl's of `upgrade` and `update`; names are shell-quoted.
"""

from __future__ import annotations

from collections.abc import Iterator
from shlex import quote

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.support.fleet import AddonAtNext, FleetCluster, NodeKind, Nodes
from chalicelib.domain.support.readiness import behind, next_version


@dataclass(frozen=True)
class UpgradeStep:
    """One step. `aws` and `eksctl` are alternatives; both are empty if there is no command."""

    title: str
    aws: tuple[str, ...] = ()
    eksctl: tuple[str, ...] = ()


def upgrade_steps(cluster: FleetCluster) -> tuple[UpgradeStep, ...]:
    """Control plane, add-ons, then nodes to the next minor; nodes that would fall too far behind come first."""
    target = next_version(cluster.version)
    if target is None:
        return ()
    too_old = [b.nodes for b in behind(target, cluster.nodes) if not b.within]
    first = [_nodes(cluster, nodes, cluster.version) for nodes in too_old if nodes.version != cluster.version]
    addons = [_addon(cluster, addon) for addon in cluster.addons if not addon.runs_on_next and addon.compatible_version]
    if not cluster.addons:
        addons = [_look_at_addons(cluster, target)]
    nodes = [_nodes(cluster, nodes, target) for nodes in cluster.nodes]
    return (*first, _control_plane(cluster, target), *addons, *nodes)


def follow_steps(cluster: FleetCluster) -> tuple[UpgradeStep, ...]:
    """The steps that bring the remaining nodes to the control plane's version."""
    lagging = [b.nodes for b in behind(cluster.version, cluster.nodes) if b.minors > 0]
    return tuple(_nodes(cluster, nodes, cluster.version) for nodes in lagging)


def _control_plane(cluster: FleetCluster, target: str) -> UpgradeStep:
    name, region = _name(cluster), _region(cluster)
    return UpgradeStep(
        Sentence("Control plane to {version}", version=target),
        (
            f"aws eks update-cluster-version --name {name} --kubernetes-version {target} {region}",
            f"aws eks wait cluster-active --name {name} {region}",
        ),
        (f"eksctl upgrade cluster --name {name} --version {target} {region} --approve",),
    )


def _addon(cluster: FleetCluster, addon: AddonAtNext) -> UpgradeStep:
    name, region, called = _name(cluster), _region(cluster), quote(addon.name)
    version = quote(addon.compatible_version or "")
    return UpgradeStep(
        Sentence("Add-on {name} to {version}", name=addon.name, version=addon.compatible_version or ""),
        (
            f"aws eks update-addon --cluster-name {name} --addon-name {called} --addon-version {version} "
            f"--resolve-conflicts PRESERVE {region}",
            f"aws eks wait addon-active --cluster-name {name} --addon-name {called} {region}",
        ),
        (f"eksctl update addon --cluster {name} --name {called} --version {version} {region}",),
    )


def _look_at_addons(cluster: FleetCluster, target: str) -> UpgradeStep:
    name, region = _name(cluster), _region(cluster)
    return UpgradeStep(
        Sentence("Add-ons: update those whose version is not among the ones for {version}", version=target),
        (
            f"aws eks list-addons --cluster-name {name} {region}",
            f"aws eks describe-addon-versions --kubernetes-version {target} {region}",
        ),
        (f"eksctl get addon --cluster {name} {region}",),
    )


def _nodes(cluster: FleetCluster, nodes: Nodes, target: str) -> UpgradeStep:
    match nodes.kind:
        case NodeKind.MANAGED:
            return UpgradeStep(
                Sentence("Node group {name} to {version}", name=nodes.name, version=target),
                *_managed(cluster, nodes.name, target),
            )
        case NodeKind.SELF_MANAGED:
            return UpgradeStep(
                Sentence(
                    "Self-managed nodes {name} to {version}: replace the instances with ones of an image for {version}",
                    name=nodes.name,
                    version=target,
                )
            )
        case NodeKind.FARGATE:
            return UpgradeStep(
                Sentence(
                    "Fargate profile {name} to {version}: restart its pods (`kubectl rollout restart`)",
                    name=nodes.name,
                    version=target,
                )
            )


def _managed(cluster: FleetCluster, group: str, target: str) -> Iterator[tuple[str, ...]]:
    name, region, called = _name(cluster), _region(cluster), quote(group)
    yield (
        f"aws eks update-nodegroup-version --cluster-name {name} --nodegroup-name {called} "
        f"--kubernetes-version {target} {region}",
        f"aws eks wait nodegroup-active --cluster-name {name} --nodegroup-name {called} {region}",
    )
    yield (f"eksctl upgrade nodegroup --cluster {name} --name {called} --kubernetes-version {target} {region}",)


def _name(cluster: FleetCluster) -> str:
    return quote(cluster.key.name)


def _region(cluster: FleetCluster) -> str:
    return f"--region {quote(cluster.key.region)}"

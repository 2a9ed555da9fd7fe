"""EKS, one region: the port `Clusters`. The control plane is here; node groups, add-ons and access in sibling modules.

Every request carries a client token derived from the lab's id, so that a repeated request is the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from chalicelib.aws.clients.calls import call, create
from chalicelib.aws.clients.errors import translate
from chalicelib.aws.eks.access import AccessCalls
from chalicelib.aws.eks.addons import AddonCalls
from chalicelib.aws.eks.calls import check_ours, state_of
from chalicelib.aws.eks.nodegroups import NodegroupCalls
from chalicelib.aws.eks.versions import live_or_bundled
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AlreadyExists
from chalicelib.domain.labs.aws_states import ClusterState, UpdateState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec
from chalicelib.domain.support.calendar import Calendar


class EksClusters(NodegroupCalls, AddonCalls, AccessCalls):
    """`now`: the date of a calendar read from EKS."""

    def __init__(self, eks: Any, now: Callable[[], datetime]) -> None:
        super().__init__(eks)
        self._now = now

    def versions(self) -> Calendar:
        """The support calendar, with its source."""
        return live_or_bundled(self._eks, self._now)

    def create(
        self, lab: Lab, role_arn: str, subnet_ids: Sequence[str], security_group_ids: Sequence[str]
    ) -> ClusterState:
        request = _creation(lab, role_arn, subnet_ids, security_group_ids)
        try:
            return state_of(create(self._eks, "eks:CreateCluster", **request)["cluster"])
        except AlreadyExists:
            known = self.describe(lab.name)
            if known.role_arn != role_arn:
                told = Sentence("{name} exists and was not made for lab {id}.", name=lab.name, id=lab.id)
                raise AlreadyExists("eks:CreateCluster", "ResourceInUseException", told) from None
            check_ours(lab, "eks:CreateCluster", lab.name, {"tags": known.tags, "createdAt": known.created_at})
            return known

    def update_endpoint(self, name: str, endpoint: EndpointSpec, token: str) -> str | None:
        """Request another endpoint mode; return the update's id, None if it has that mode. Raises StillInUse during another."""
        wanted = _endpoint(endpoint)
        if _has(self.describe(name), wanted):
            return None
        try:
            asked = call(
                self._eks, "eks:UpdateClusterConfig", name=name, resourcesVpcConfig=wanted, clientRequestToken=token
            )
        except AlreadyExists:
            return None
        return str(asked["update"]["id"])

    def update_state(self, name: str, update_id: str) -> UpdateState:
        """The state of that update of the cluster. Raises ResourceGone."""
        return self.update(name=name, updateId=update_id)

    def allow_deletion(self, name: str, token: str) -> None:
        """Switch deletion protection off if it is on. Raises ResourceGone, StillInUse while an update runs."""
        if not self.describe(name).deletion_protection:
            return
        with suppress(AlreadyExists), translate("eks:UpdateClusterConfig"):
            self._eks.update_cluster_config(name=name, deletionProtection=False, clientRequestToken=token)

    def delete(self, name: str) -> None:
        call(self._eks, "eks:DeleteCluster", name=name)


def _creation(lab: Lab, role_arn: str, subnet_ids: Sequence[str], security_group_ids: Sequence[str]) -> dict[str, Any]:
    """CreateCluster's request. The creator does not become administrator: access entries decide."""
    spec = lab.spec
    request: dict[str, Any] = {
        "name": spec.name,
        "version": spec.version,
        "roleArn": role_arn,
        "resourcesVpcConfig": {
            "subnetIds": list(subnet_ids),
            "securityGroupIds": list(security_group_ids),
            **_endpoint(spec.endpoint),
        },
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
        "bootstrapSelfManagedAddons": False,
        "upgradePolicy": {"supportType": str(spec.support_policy)},
        "tags": lab.tags,
        "clientRequestToken": lab.token("cluster"),
    }
    if spec.log_types:
        request["logging"] = {"clusterLogging": [{"types": list(spec.log_types), "enabled": True}]}
    return request


def _endpoint(endpoint: EndpointSpec) -> dict[str, Any]:
    """The VPC configuration's part for the endpoint; a private one has no CIDRs."""
    public = endpoint.access is not EndpointAccess.PRIVATE
    config: dict[str, Any] = {
        "endpointPublicAccess": public,
        "endpointPrivateAccess": endpoint.access is not EndpointAccess.PUBLIC,
    }
    if public and endpoint.allowed_cidrs:
        config["publicAccessCidrs"] = list(endpoint.allowed_cidrs)
    return config


def _has(cluster: ClusterState, wanted: Mapping[str, Any]) -> bool:
    """Whether the endpoint has that configuration. CIDRs have no order."""
    modes = {"endpointPublicAccess": cluster.public_access, "endpointPrivateAccess": cluster.private_access}
    cidrs = sorted(wanted.get("publicAccessCidrs", cluster.allowed_cidrs)) == sorted(cluster.allowed_cidrs)
    return cidrs and all(wanted[mode] == now for mode, now in modes.items())

"""Network interfaces that the VPC CNI left behind. They keep the subnets and the cluster's security group in use."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.clients.calls import call, every
from chalicelib.aws.leftovers.finder import Finder, by_ledger, by_vpc
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import StillInUse

_DELETE = "ec2:DeleteNetworkInterface"


class NetworkInterfaces(Finder):
    """Interfaces by VPC, lab tag and ledger. Those of instances, balancers and the control plane are deleted with their owner."""

    def find(self, target: Target) -> Iterator[Resource]:
        """Unused ones, and those of an instance. Interfaces that AWS manages for a service are left out."""
        for filters in (*by_vpc(target), *by_ledger(target, "eni-", "network-interface-id")):
            rows = every(self._client, "ec2:DescribeNetworkInterfaces", "NetworkInterfaces", Filters=filters)
            for row in rows:
                if row["Status"] == "available" or (row.get("Attachment") or {}).get("InstanceId"):
                    yield self._resource(target, row)

    def delete(self, resource: Resource) -> None:
        """Only an available one can be deleted; EC2 has no code of its own for the others, so they are not requested."""
        if resource.attributes.get("status") != "available":
            holder = resource.attributes.get("attached-to", "something")
            raise StillInUse(_DELETE, "InUse", Sentence("{id} is attached to {holder}.", id=resource.id, holder=holder))
        call(self._client, _DELETE, NetworkInterfaceId=resource.id)

    def _resource(self, target: Target, row: dict[str, Any]) -> Resource:
        return self._in_ec2(
            target,
            Kind.NETWORK_INTERFACE,
            row["NetworkInterfaceId"],
            {"Tags": row.get("TagSet")},
            vpc_id=row.get("VpcId"),
            subnet_id=row.get("SubnetId"),
            status=row["Status"],
            attached_to=(row.get("Attachment") or {}).get("InstanceId"),
            description=row.get("Description"),
            requester_id=row.get("RequesterId"),
        )

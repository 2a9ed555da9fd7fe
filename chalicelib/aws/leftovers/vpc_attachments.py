"""VPC endpoints that GuardDuty creates in every VPC it watches; with their group they keep the VPC from being deleted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.clients.calls import call, every, tags_of
from chalicelib.aws.clients.errors import domain_error
from chalicelib.aws.leftovers.finder import Finder, arn, attributes, by_ledger, by_vpc
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import StillInUse


class VpcEndpoints(Finder):
    """Endpoints; a deletion takes minutes and shows as `deleting`."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By VPC, lab tag and ledger."""
        for filters in (*by_vpc(target), *by_ledger(target, "vpce-", "vpc-endpoint-id")):
            rows = every(self._client, "ec2:DescribeVpcEndpoints", "VpcEndpoints", Filters=filters)
            for row in rows:
                status = row.get("State", "").lower()
                if status != "deleted":
                    facts = {"vpc_id": row.get("VpcId"), "service_name": row.get("ServiceName"), "status": status}
                    yield self._in_ec2(
                        target, Kind.VPC_ENDPOINT, row["VpcEndpointId"], row, "CreationTimestamp", **facts
                    )

    def delete(self, resource: Resource) -> None:
        """EC2 returns refusals inside a success: they are raised all the same."""
        action = "ec2:DeleteVpcEndpoints"
        if resource.attributes.get("status") == "deleting":
            raise StillInUse(action, "Deleting", Sentence("{id} is being deleted.", id=resource.id))
        answer = call(self._client, action, VpcEndpointIds=[resource.id])
        for row in answer.get("Unsuccessful", []):
            raise refusal(action, row.get("Error", {}))


def refusal(action: str, error: dict[str, Any]) -> Exception:
    """The domain's error for a refusal inside an answer."""
    facts = {"Code": error.get("Code", "Unknown"), "Message": error.get("Message", "")}
    return domain_error(action, ClientError({"Error": facts}, action))


class MountTargets(Finder):
    """Mount targets have no tags: they get their file system's here."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By VPC or subnet. EFS can only be listed file system by file system."""
        if target.vpc_id is None:
            return
        systems = every(self._client, "elasticfilesystem:DescribeFileSystems", "FileSystems")
        for system in systems:
            for row in self._of(system["FileSystemId"]):
                near = row.get("VpcId") == target.vpc_id or row.get("SubnetId") in target.subnet_ids
                if near and row.get("LifeCycleState") != "deleted":
                    yield Resource(
                        Kind.MOUNT_TARGET,
                        row["MountTargetId"],
                        arn(self._client, target, "elasticfilesystem", f"mount-target/{row['MountTargetId']}"),
                        tags_of(system),
                        attributes(
                            vpc_id=row.get("VpcId") or target.vpc_id,
                            subnet_id=row.get("SubnetId"),
                            status=row.get("LifeCycleState"),
                            file_system_id=system["FileSystemId"],
                        ),
                    )

    def delete(self, resource: Resource) -> None:
        """Takes a minute; repeating it meanwhile is fine."""
        call(self._client, "elasticfilesystem:DeleteMountTarget", MountTargetId=resource.id)

    def _of(self, file_system_id: str) -> list[dict[str, Any]]:
        return every(
            self._client, "elasticfilesystem:DescribeMountTargets", "MountTargets", FileSystemId=file_system_id
        )

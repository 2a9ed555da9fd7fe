"""EFS mount targets in the lab's VPC: they hold its subnets. The file system behind them is nobody's business here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.leftovers.finder import arn, attributes, every, tags_of
from chalicelib.domain.core.resources import Kind, Resource, Target


class MountTargets:
    """Mount targets have no tags: they carry their file system's here."""

    def __init__(self, efs: Any) -> None:
        self._efs = efs

    def find(self, target: Target) -> Iterator[Resource]:
        """By VPC or subnet. EFS can only be asked file system by file system."""
        if target.vpc_id is None:
            return
        systems = every(self._efs, "elasticfilesystem:DescribeFileSystems", "describe_file_systems", "FileSystems")
        for system in systems:
            for row in self._of(system["FileSystemId"]):
                near = row.get("VpcId") == target.vpc_id or row.get("SubnetId") in target.subnet_ids
                if near and row.get("LifeCycleState") != "deleted":
                    yield Resource(
                        Kind.MOUNT_TARGET,
                        row["MountTargetId"],
                        arn(self._efs, target, "elasticfilesystem", f"mount-target/{row['MountTargetId']}"),
                        tags_of(system),
                        attributes(
                            vpc_id=row.get("VpcId") or target.vpc_id,
                            subnet_id=row.get("SubnetId"),
                            status=row.get("LifeCycleState"),
                            file_system_id=system["FileSystemId"],
                        ),
                    )

    def delete(self, resource: Resource) -> None:
        """Takes a minute; asking again meanwhile is fine."""
        with translate("elasticfilesystem:DeleteMountTarget"):
            self._efs.delete_mount_target(MountTargetId=resource.id)

    def _of(self, file_system_id: str) -> list[dict[str, Any]]:
        return every(
            self._efs,
            "elasticfilesystem:DescribeMountTargets",
            "describe_mount_targets",
            "MountTargets",
            FileSystemId=file_system_id,
        )

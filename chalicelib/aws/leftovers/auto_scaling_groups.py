"""EC2 Auto Scaling groups: an existing one replaces every terminated instance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.clients.calls import call, every, tags_of
from chalicelib.aws.leftovers.finder import Finder, attributes
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import StillInUse

_DELETE = "autoscaling:DeleteAutoScalingGroup"


class AutoScalingGroups(Finder):
    """Groups with the lab's or the cluster's tags, or in the lab's subnets. A group's id is its name."""

    def find(self, target: Target) -> Iterator[Resource]:
        """Reads all groups: there is no filter by VPC, and a node group's has no tag of ours."""
        rows = every(self._client, "autoscaling:DescribeAutoScalingGroups", "AutoScalingGroups")
        for row in rows:
            tags, subnets = tags_of(row), set(row.get("VPCZoneIdentifier", "").split(","))
            here = bool(subnets & set(target.subnet_ids))
            if here or _points_to(tags, target) or row["AutoScalingGroupARN"] in target.group_arns:
                yield self._resource(row, tags, target.vpc_id if here else None)

    def delete(self, resource: Resource) -> None:
        """With its instances, which EC2 Auto Scaling would otherwise replace."""
        if resource.attributes.get("status"):
            raise StillInUse(_DELETE, "Deleting", Sentence("{id} is being deleted.", id=resource.id))
        call(self._client, _DELETE, AutoScalingGroupName=resource.id, ForceDelete=True)

    def _resource(self, row: dict[str, Any], tags: dict[str, str], vpc_id: str | None) -> Resource:
        facts = attributes(vpc_id=vpc_id, status=row.get("Status"))
        arn, name = row["AutoScalingGroupARN"], row["AutoScalingGroupName"]
        return Resource(Kind.AUTO_SCALING_GROUP, name, arn, tags, facts, row.get("CreatedTime"))


def _points_to(tags: dict[str, str], target: Target) -> bool:
    """Whether any tag has the lab's id or the cluster's name, as a value or at the end of its key."""
    words = {target.lab_id, target.cluster_name}
    return any(value in words or key.rpartition("/")[2] in words for key, value in tags.items())

"""EC2 instances outside node groups: Karpenter's, self-managed ones, the work host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.clients.calls import call, instances_of
from chalicelib.aws.leftovers.finder import Finder, by_ledger, by_vpc, chunks
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import StillInUse

_ALIVE = {"Name": "instance-state-name", "Values": ["pending", "running", "shutting-down", "stopping", "stopped"]}
_DELETE = "ec2:TerminateInstances"


class Instances(Finder):
    """Instances that are not terminated yet; termination takes a while and shows as `shutting-down`."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By VPC, lab tag, ledger and Auto Scaling group, without terminated instances, which EC2 lists for an hour."""
        for filters in (*by_vpc(target), *by_ledger(target, "i-", "instance-id"), *_members(target)):
            for row in instances_of(self._client, [*filters, _ALIVE]):
                if row["State"]["Name"] != "terminated":
                    yield self._resource(target, row)

    def delete(self, resource: Resource) -> None:
        """Request termination; an instance that is shutting down is still in use."""
        if resource.attributes.get("status") == "shutting-down":
            raise StillInUse(_DELETE, "ShuttingDown", Sentence("{id} is shutting down.", id=resource.id))
        call(self._client, _DELETE, InstanceIds=[resource.id])

    def _resource(self, target: Target, row: dict[str, Any]) -> Resource:
        return self._in_ec2(
            target,
            Kind.INSTANCE,
            row["InstanceId"],
            row,
            "LaunchTime",
            vpc_id=row.get("VpcId"),
            subnet_id=row.get("SubnetId"),
            status=row["State"]["Name"],
            instance_type=row.get("InstanceType"),
            profile_id=(row.get("IamInstanceProfile") or {}).get("Id"),
        )


def _members(target: Target) -> Iterator[list[dict[str, Any]]]:
    for ids in chunks(sorted(target.member_ids), 200):
        yield [{"Name": "instance-id", "Values": list(ids)}]

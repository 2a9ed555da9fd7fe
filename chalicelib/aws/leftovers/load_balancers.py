"""Application and network load balancers with their target groups: the AWS Load Balancer Controller's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.clients.calls import call, every, tags_of
from chalicelib.aws.leftovers.finder import Finder, arn, attributes, chunks
from chalicelib.domain.core.resources import Kind, Resource, Target

#: DescribeTags takes at most this many ARNs, or names.
_PER_CALL = 20


class LoadBalancers(Finder):
    """Load balancers of the lab's VPC, and those on its ledger."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By VPC and ledger: one elsewhere can't be a balancer of this cluster."""
        rows = every(self._client, "elasticloadbalancing:DescribeLoadBalancers", "LoadBalancers")
        near = [row for row in rows if _is_near(row, row["LoadBalancerArn"], target)]
        tags = tags_by_arn(self._client, [row["LoadBalancerArn"] for row in near])
        for row in near:
            arn = row["LoadBalancerArn"]
            facts = attributes(vpc_id=row.get("VpcId"), name=row["LoadBalancerName"])
            yield Resource(Kind.LOAD_BALANCER, arn, arn, tags.get(arn, {}), facts, row.get("CreatedTime"))

    def delete(self, resource: Resource) -> None:
        """Delete it with its listeners; its interfaces follow within minutes. Deletion protection makes AWS refuse."""
        call(self._client, "elasticloadbalancing:DeleteLoadBalancer", LoadBalancerArn=resource.id)


class TargetGroups(Finder):
    """Target groups of the lab's VPC, and those on its ledger. AWS does not return a creation time."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By VPC and ledger."""
        rows = every(self._client, "elasticloadbalancing:DescribeTargetGroups", "TargetGroups")
        near = [row for row in rows if _is_near(row, row["TargetGroupArn"], target)]
        tags = tags_by_arn(self._client, [row["TargetGroupArn"] for row in near])
        for row in near:
            arn = row["TargetGroupArn"]
            users = " ".join(row.get("LoadBalancerArns", []))
            facts = attributes(vpc_id=row.get("VpcId"), name=row["TargetGroupName"], used_by=users)
            yield Resource(Kind.TARGET_GROUP, arn, arn, tags.get(arn, {}), facts)

    def delete(self, resource: Resource) -> None:
        """Refused as in use while a listener forwards to it."""
        call(self._client, "elasticloadbalancing:DeleteTargetGroup", TargetGroupArn=resource.id)


def tags_by_arn(elbv2: Any, arns: list[str]) -> dict[str, dict[str, str]]:
    """The tags of load balancers or target groups. A missing one makes AWS refuse its whole batch."""
    tags: dict[str, dict[str, str]] = {}
    for some in chunks(arns, _PER_CALL):
        answer = call(elbv2, "elasticloadbalancing:DescribeTags", ResourceArns=list(some))
        tags.update({row["ResourceArn"]: tags_of(row) for row in answer["TagDescriptions"]})
    return tags


def _is_near(row: dict[str, Any], arn: str, target: Target) -> bool:
    return arn in target.known_ids or (target.vpc_id is not None and row.get("VpcId") == target.vpc_id)


class ClassicLoadBalancers(Finder):
    """Classic load balancers of the lab's VPC. Their id is their name."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By VPC: one elsewhere can't be a balancer of this cluster."""
        rows = every(self._client, "elasticloadbalancing:DescribeLoadBalancers", "LoadBalancerDescriptions")
        near = {row["LoadBalancerName"]: row for row in rows if row.get("VPCId") and row["VPCId"] == target.vpc_id}
        tags = self._tags(list(near))
        for name, row in near.items():
            yield Resource(
                Kind.CLASSIC_LOAD_BALANCER,
                name,
                arn(self._client, target, "elasticloadbalancing", f"loadbalancer/{name}"),
                tags.get(name, {}),
                attributes(vpc_id=row["VPCId"], name=name, dns_name=row.get("DNSName")),
                row.get("CreatedTime"),
            )

    def delete(self, resource: Resource) -> None:
        """AWS answers success for a missing one, too."""
        call(self._client, "elasticloadbalancing:DeleteLoadBalancer", LoadBalancerName=resource.id)

    def _tags(self, names: list[str]) -> dict[str, dict[str, str]]:
        tags: dict[str, dict[str, str]] = {}
        for some in chunks(names, _PER_CALL):
            answer = call(self._client, "elasticloadbalancing:DescribeTags", LoadBalancerNames=list(some))
            tags.update({row["LoadBalancerName"]: tags_of(row) for row in answer["TagDescriptions"]})
        return tags

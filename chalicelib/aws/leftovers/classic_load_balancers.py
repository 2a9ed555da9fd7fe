"""Classic load balancers of Services of type LoadBalancer, made by the in-tree cloud provider."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.leftovers.finder import arn, attributes, chunks, every, tags_of
from chalicelib.domain.core.resources import Kind, Resource, Target

#: DescribeTags takes at most this many names.
_NAMES_PER_CALL = 20


class ClassicLoadBalancers:
    """Classic load balancers of the lab's VPC. Their id is their name."""

    def __init__(self, elb: Any) -> None:
        self._elb = elb

    def find(self, target: Target) -> Iterator[Resource]:
        """By VPC: one elsewhere can't be a balancer of this cluster."""
        rows = every(
            self._elb,
            "elasticloadbalancing:DescribeLoadBalancers",
            "describe_load_balancers",
            "LoadBalancerDescriptions",
        )
        near = {row["LoadBalancerName"]: row for row in rows if row.get("VPCId") and row["VPCId"] == target.vpc_id}
        tags = self._tags(list(near))
        for name, row in near.items():
            yield Resource(
                Kind.CLASSIC_LOAD_BALANCER,
                name,
                arn(self._elb, target, "elasticloadbalancing", f"loadbalancer/{name}"),
                tags.get(name, {}),
                attributes(vpc_id=row["VPCId"], name=name),
                row.get("CreatedTime"),
            )

    def delete(self, resource: Resource) -> None:
        """AWS answers success for one that is gone, too."""
        with translate("elasticloadbalancing:DeleteLoadBalancer"):
            self._elb.delete_load_balancer(LoadBalancerName=resource.id)

    def _tags(self, names: list[str]) -> dict[str, dict[str, str]]:
        tags: dict[str, dict[str, str]] = {}
        for some in chunks(names, _NAMES_PER_CALL):
            with translate("elasticloadbalancing:DescribeTags"):
                answer = self._elb.describe_tags(LoadBalancerNames=list(some))
            tags.update({row["LoadBalancerName"]: tags_of(row) for row in answer["TagDescriptions"]})
        return tags

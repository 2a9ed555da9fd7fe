"""Helpers of all finders: ARNs, resources of EC2, and the filters of EC2's queries.

ARNs that AWS does not return whole are built here and nowhere else in the finders.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.aws.clients.calls import tags_of
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.teardown.evidence import CLUSTER_PREFIX, CSI_TAG, LAB_TAG, OWNING_KEYS

#: EC2 takes at most this many values in one filter.
_VALUES_PER_FILTER = 200


class Finder:
    """Finds and deletes resources of one kind, with a boto3 client. `find` is generous: `domain/teardown/ownership.py` decides."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def find(self, target: Target) -> Iterable[Resource]:
        """Every resource of this kind that relates to the target, each with all its tags."""
        raise NotImplementedError

    def delete(self, resource: Resource) -> None:
        """Delete this one. Raises ResourceGone, StillInUse, AwsRefused."""
        raise NotImplementedError

    def _in_ec2(
        self, target: Target, kind: Kind, id: str, row: Mapping[str, Any], born: str = "", **facts: str | None
    ) -> Resource:
        """A row of EC2, in whose ARNs a kind has the name that it has here. `born`: the field of its creation time, if any."""
        own_arn = arn(self._client, target, "ec2", f"{kind}/{id}")
        return Resource(kind, id, own_arn, tags_of(row), attributes(**facts), row.get(born))


def attributes(**values: str | None) -> dict[str, str]:
    """Keyword names with dashes, without missing values."""
    return {name.replace("_", "-"): value for name, value in values.items() if value}


def arn(client: Any, target: Target, service: str, rest: str) -> str:
    """The ARN of a regional resource in the target's account."""
    return f"arn:{client.meta.partition}:{service}:{target.region}:{target.account}:{rest}"


def by_vpc(target: Target) -> Iterator[list[dict[str, Any]]]:
    """The EC2 filters, one query each, for kinds in a VPC: in the lab's, or with the lab's tag."""
    if target.vpc_id is not None:
        yield [{"Name": "vpc-id", "Values": [target.vpc_id]}]
    yield [{"Name": f"tag:{LAB_TAG}", "Values": [target.lab_id]}]


def by_tag(target: Target) -> Iterator[list[dict[str, Any]]]:
    """The EC2 filters, one query each, for kinds outside VPCs: any tag ties them to the lab or to its cluster."""
    yield [{"Name": f"tag:{LAB_TAG}", "Values": [target.lab_id]}]
    yield [{"Name": "tag-key", "Values": [CLUSTER_PREFIX + target.cluster_name]}]
    for key in OWNING_KEYS:
        yield [{"Name": f"tag:{key}", "Values": [target.cluster_name]}]


def by_driver() -> Iterator[list[dict[str, Any]]]:
    """The EC2 filter for resources of any cluster's EBS CSI driver, which need not name it. CloudTrail gives their creator."""
    yield [{"Name": "tag-key", "Values": [CSI_TAG]}]


def by_ledger(target: Target, prefix: str, filter_name: str) -> Iterator[list[dict[str, Any]]]:
    """The EC2 filters for ids on the ledger with the prefix `prefix`, also of resources without the lab's tags."""
    for ids in chunks([known for known in target.known_ids if known.startswith(prefix)], _VALUES_PER_FILTER):
        yield [{"Name": filter_name, "Values": list(ids)}]


def chunks(values: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    """`values` in pieces of at most `size`."""
    return (values[start : start + size] for start in range(0, len(values), size))

"""Elastic IP addresses: each costs money by the hour, used or not."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.aws.clients.calls import call
from chalicelib.aws.leftovers.finder import Finder, by_ledger, by_tag
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import StillInUse

_DELETE = "ec2:ReleaseAddress"


class ElasticIps(Finder):
    """Addresses by their allocation id. EC2 lists them in one page and does not return an allocation time."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By any tag that ties them to the cluster, and by ledger."""
        for filters in (*by_tag(target), *by_ledger(target, "eipalloc-", "allocation-id")):
            rows = call(self._client, "ec2:DescribeAddresses", Filters=filters)["Addresses"]
            for row in rows:
                facts = {"attached_to": row.get("NetworkInterfaceId"), "address": row.get("PublicIp")}
                yield self._in_ec2(target, Kind.ELASTIC_IP, row["AllocationId"], row, **facts)

    def delete(self, resource: Resource) -> None:
        """Refused while its user exists."""
        if holder := resource.attributes.get("attached-to"):
            raise StillInUse(_DELETE, "InUse", Sentence("{id} is used by {holder}.", id=resource.id, holder=holder))
        call(self._client, _DELETE, AllocationId=resource.id)

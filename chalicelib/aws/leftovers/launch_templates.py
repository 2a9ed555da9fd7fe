"""Launch templates of Karpenter and of EKS' node groups, and the lab's imported key pair."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from chalicelib.aws.clients.calls import call, every
from chalicelib.aws.leftovers.finder import Finder, by_tag
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.teardown.evidence import LAB_TAG


class LaunchTemplates(Finder):
    """Launch templates."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By any tag that ties them to the cluster, and by ledger (EC2 has no filter for their ids)."""
        for filters in by_tag(target):
            yield from self._described(target, Filters=filters)
        for known in target.known_ids:
            if known.startswith("lt-"):
                with suppress(ResourceGone):
                    yield from self._described(target, LaunchTemplateIds=[known])

    def delete(self, resource: Resource) -> None:
        """With all its versions."""
        call(self._client, "ec2:DeleteLaunchTemplate", LaunchTemplateId=resource.id)

    def _described(self, target: Target, **query: Any) -> Iterator[Resource]:
        rows = every(self._client, "ec2:DescribeLaunchTemplates", "LaunchTemplates", **query)
        for row in rows:
            facts = {"created_by": row.get("CreatedBy")}
            yield self._in_ec2(target, Kind.LAUNCH_TEMPLATE, row["LaunchTemplateId"], row, "CreateTime", **facts)


class KeyPairs(Finder):
    """Key pairs. EC2 lists them in one page."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By lab tag and by ledger."""
        yield from self._described(target, {"Name": f"tag:{LAB_TAG}", "Values": [target.lab_id]})
        known = [key for key in target.known_ids if key.startswith("key-")]
        if known:
            yield from self._described(target, {"Name": "key-pair-id", "Values": known})

    def delete(self, resource: Resource) -> None:
        """Delete it by the name just found: some implementations of EC2 ignore the id."""
        call(self._client, "ec2:DeleteKeyPair", KeyName=resource.attributes["name"])

    def _described(self, target: Target, condition: dict[str, Any]) -> Iterator[Resource]:
        rows = call(self._client, "ec2:DescribeKeyPairs", Filters=[condition])["KeyPairs"]
        for row in rows:
            yield self._in_ec2(target, Kind.KEY_PAIR, row["KeyPairId"], row, "CreateTime", name=row["KeyName"])

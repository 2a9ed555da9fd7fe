"""The log group of the control plane. Late log lines recreate it after its deletion: look more than once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chalicelib.aws.clients.calls import call, every
from chalicelib.aws.leftovers.finder import Finder, arn, attributes
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import ResourceGone


class LogGroups(Finder):
    """Log groups that EKS names after the cluster."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By the names' prefixes, with tags: the control plane's, and Container Insights'."""
        prefixes = (f"/aws/{service}/{target.cluster_name}/" for service in ("eks", "containerinsights"))
        for row in (row for prefix in prefixes for row in self._rows(prefix)):
            name = row["logGroupName"]
            group_arn = arn(self._client, target, "logs", f"log-group:{name}")
            try:
                tags = self._tags(group_arn)
            except ResourceGone:
                continue
            created_at = datetime.fromtimestamp(row["creationTime"] / 1000, UTC)
            kept = row.get("retentionInDays")
            facts = attributes(retention=str(kept) if kept else None)
            yield Resource(Kind.LOG_GROUP, name, group_arn, tags, facts, created_at)

    def delete(self, resource: Resource) -> None:
        """With all its log streams."""
        call(self._client, "logs:DeleteLogGroup", logGroupName=resource.id)

    def _rows(self, prefix: str) -> list[dict[str, Any]]:
        return every(self._client, "logs:DescribeLogGroups", "logGroups", logGroupNamePrefix=prefix)

    def _tags(self, group_arn: str) -> dict[str, str]:
        return dict(call(self._client, "logs:ListTagsForResource", resourceArn=group_arn).get("tags", {}))

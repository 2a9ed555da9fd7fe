"""The log group of the control plane. Late lines make it again after it was deleted: look more than once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.leftovers.finder import arn, attributes, every
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import ResourceGone


class LogGroups:
    """Log groups that EKS names after the cluster."""

    def __init__(self, logs: Any) -> None:
        self._logs = logs

    def find(self, target: Target) -> Iterator[Resource]:
        """By the names' beginnings, with tags: the control plane's, and Container Insights'."""
        for row in (row for prefix in ("eks", "containerinsights") for row in self._rows(f"/aws/{prefix}/", target)):
            name = row["logGroupName"]
            group_arn = arn(self._logs, target, "logs", f"log-group:{name}")
            try:
                tags = self._tags(group_arn)
            except ResourceGone:
                continue
            created_at = datetime.fromtimestamp(row["creationTime"] / 1000, UTC)
            kept = row.get("retentionInDays")
            facts = attributes(retention=str(kept) if kept else None)
            yield Resource(Kind.LOG_GROUP, name, group_arn, tags, facts, created_at)

    def delete(self, resource: Resource) -> None:
        """With all that is in it."""
        with translate("logs:DeleteLogGroup"):
            self._logs.delete_log_group(logGroupName=resource.id)

    def _rows(self, beginning: str, target: Target) -> list[dict[str, Any]]:
        prefix = f"{beginning}{target.cluster_name}/"
        return every(
            self._logs, "logs:DescribeLogGroups", "describe_log_groups", "logGroups", logGroupNamePrefix=prefix
        )

    def _tags(self, group_arn: str) -> dict[str, str]:
        with translate("logs:ListTagsForResource"):
            return dict(self._logs.list_tags_for_resource(resourceArn=group_arn).get("tags", {}))

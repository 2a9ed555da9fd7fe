"""EBS volumes of PersistentVolumeClaims, left-over disks of nodes, and snapshots of either."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.aws.clients.calls import call, every, tags_of
from chalicelib.aws.leftovers.finder import Finder, attributes, by_driver, by_ledger, by_tag
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.teardown.evidence import LAB_TAG

#: The tag that marks the backup we requested among a volume's snapshots.
TOKEN_TAG = "ekslab:backup-token"


class Volumes(Finder):
    """Volumes; one that is being deleted counts as deleted."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By any tag that ties them to the cluster, by the CSI driver's tag, and by ledger."""
        for filters in (*by_tag(target), *by_driver(), *by_ledger(target, "vol-", "volume-id")):
            for row in every(self._client, "ec2:DescribeVolumes", "Volumes", Filters=filters):
                if row["State"] not in ("deleting", "deleted"):
                    facts = {
                        "status": row["State"],
                        "zone": row.get("AvailabilityZone"),
                        "size_gib": str(row["Size"]) if "Size" in row else None,
                        "used_by": " ".join(
                            filter(None, (held.get("InstanceId") for held in row.get("Attachments", [])))
                        ),
                    }
                    yield self._in_ec2(target, Kind.VOLUME, row["VolumeId"], row, "CreateTime", **facts)

    def delete(self, resource: Resource) -> None:
        """Refused as in use while attached."""
        call(self._client, "ec2:DeleteVolume", VolumeId=resource.id)


class Snapshots(Finder):
    """Snapshots of this account."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By any tag that ties them to the cluster, by the CSI driver's tag, and by ledger."""
        for filters in (*by_tag(target), *by_driver(), *by_ledger(target, "snap-", "snapshot-id")):
            for row in self._snapshots(filters):
                yield self._resource(row, target.region)

    def delete(self, resource: Resource) -> None:
        """Refused while an image uses it."""
        call(self._client, "ec2:DeleteSnapshot", SnapshotId=resource.id)

    def make(self, volume: Resource, tags: Mapping[str, str], token: str) -> Resource:
        """Request a snapshot of the volume, unless the one requested with this token exists.

        EC2 takes no client token here: ours is a tag that nobody could know before, so the oldest snapshot with it is ours.
        """
        region, born = volume.arn.split(":")[3], {**tags, TOKEN_TAG: token}
        mine = [{"Name": "volume-id", "Values": [volume.id]}, {"Name": f"tag:{TOKEN_TAG}", "Values": [token]}]
        for row in sorted(self._snapshots(mine), key=lambda row: row["StartTime"])[:1]:
            return self._resource(row, region)
        row = call(
            self._client,
            "ec2:CreateSnapshot",
            VolumeId=volume.id,
            Description=f"Kept for {tags[LAB_TAG]}",
            TagSpecifications=[{"ResourceType": "snapshot", "Tags": [{"Key": k, "Value": v} for k, v in born.items()]}],
        )
        return self._resource(row, region)

    def state(self, snapshot_id: str) -> str | None:
        """In EC2's words; None if it is gone."""
        rows = self._snapshots([{"Name": "snapshot-id", "Values": [snapshot_id]}])
        return str(rows[0]["State"]) if rows else None

    def _snapshots(self, filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return every(self._client, "ec2:DescribeSnapshots", "Snapshots", OwnerIds=["self"], Filters=filters)

    def _resource(self, row: dict[str, Any], region: str) -> Resource:
        """A snapshot's ARN has no account in it."""
        snapshot_arn = f"arn:{self._client.meta.partition}:ec2:{region}::snapshot/{row['SnapshotId']}"
        size = row.get("VolumeSize")
        facts = attributes(
            status=row.get("State"), volume_id=row.get("VolumeId"), size_gib=str(size) if size is not None else None
        )
        return Resource(Kind.SNAPSHOT, row["SnapshotId"], snapshot_arn, tags_of(row), facts, row.get("StartTime"))

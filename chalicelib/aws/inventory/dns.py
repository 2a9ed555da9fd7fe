"""Inventory of the hosted zone: records with the lab's TXT owner id, and the records that these describe."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.clients.calls import every
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.teardown.external_dns import ZoneRecord, is_below, owners, record_arn, record_id


class ZoneReader:
    """Reads whole zones, once each: Route 53 allows five calls a second."""

    def __init__(self, route53: Any) -> None:
        self._route53 = route53
        self._zones: dict[str, dict[str, Resource]] = {}

    def owned(self, target: Target) -> list[Resource]:
        """The records of the lab's zone whose owner is the lab, and all below its own subdomain."""
        if target.hosted_zone_id is None:
            return []
        mine = target.txt_owner_id
        return [
            record
            for record in self._records(target.hosted_zone_id, target).values()
            if record.attributes.get("txt-owner") == mine or is_below(record.id.split("|")[1], target.subdomain)
        ]

    def record(self, record: Resource, target: Target) -> Resource | None:
        """The present record of this id."""
        return self._records(record.id.partition("|")[0], target).get(record.id)

    def _records(self, zone_id: str, target: Target) -> dict[str, Resource]:
        if zone_id not in self._zones:
            self._zones[zone_id] = self._read(zone_id, target)
        return self._zones[zone_id]

    def _read(self, zone_id: str, target: Target) -> dict[str, Resource]:
        try:
            action, key = "route53:ListResourceRecordSets", "ResourceRecordSets"
            rows = every(self._route53, action, key, HostedZoneId=zone_id)
        except ResourceGone:
            return {}
        records = [_record(row) for row in rows]
        owner_of = dict(owners(records))
        for record in records:
            if record.type == "TXT" and _mentions(record, target.txt_owner_id):
                owner_of[record] = target.txt_owner_id
        return {found.id: found for found in (self._resource(zone_id, r, owner_of.get(r)) for r in records)}

    def _resource(self, zone_id: str, record: ZoneRecord, owner: str | None) -> Resource:
        id = record_id(zone_id, record)
        facts = {"txt-owner": owner} if owner is not None else {}
        return Resource(Kind.DNS_RECORD, id, record_arn(self._route53.meta.partition, id), {}, facts)


def _record(row: dict[str, Any]) -> ZoneRecord:
    values = tuple(value["Value"] for value in row.get("ResourceRecords", []))
    return ZoneRecord(row["Name"], row["Type"], row.get("SetIdentifier", ""), values, "AliasTarget" in row)


def _mentions(txt: ZoneRecord, owner: str) -> bool:
    """Whether the values name the owner anywhere, in any quoting: coarser than the registry's own grammar."""
    return any(f"/owner={owner}," in value.replace('"', "") + "," for value in txt.values)

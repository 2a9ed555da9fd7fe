"""Route 53 records of external-dns, recognised by the TXT owner id beside them. Other people's records are never touched."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from chalicelib.aws.clients.calls import call, every
from chalicelib.aws.leftovers.finder import Finder, attributes
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone, StillInUse
from chalicelib.domain.teardown.external_dns import ZoneRecord, is_below, owners, record_arn, record_id, spoken_for

_CHANGE = "route53:ChangeResourceRecordSets"


class DnsRecords(Finder):
    """Record sets of the lab's hosted zone. A record's id is `<zone id>|<name>|<type>`, with `|<set id>` if it has one."""

    def find(self, target: Target) -> Iterator[Resource]:
        """The records of any external-dns, and all below the lab's own subdomain; TXT records last, as they are the registry."""
        if target.hosted_zone_id is None:
            return
        rows = {_zone_record(row): row for row in self._rows(target.hosted_zone_id)}
        owned = owners(rows)
        found = [record for record in rows if record in owned or is_below(record.name, target.subdomain)]
        for record in sorted(found, key=lambda record: (record.type == "TXT", record.name, record.type)):
            yield self._resource(target.hosted_zone_id, record, rows[record], owned.get(record))

    def delete(self, resource: Resource) -> None:
        """Delete it as it was found: one that was changed since is left (StillInUse: look again), and so is its TXT."""
        zone_id = resource.id.partition("|")[0]
        row = json.loads(resource.attributes["record"])
        if row["Type"] == "TXT":
            self._refuse_while_needed(zone_id, _zone_record(row))
        change = {"Action": "DELETE", "ResourceRecordSet": row}
        try:
            call(self._client, _CHANGE, HostedZoneId=zone_id, ChangeBatch={"Changes": [change]})
        except AwsRefused as error:
            raise _clearer(error) from error

    def _refuse_while_needed(self, zone_id: str, txt: ZoneRecord) -> None:
        left = spoken_for(txt, [_zone_record(row) for row in self._rows(zone_id)])
        if left:
            names = ", ".join(sorted(f"{record.name} {record.type}" for record in left))
            raise StillInUse(
                _CHANGE, "RecordsLeft", Sentence("It is the proof of {names}, which must go first.", names=names)
            )

    def _rows(self, zone_id: str) -> list[dict[str, Any]]:
        """Every record of the zone; none if its owner has deleted the zone meanwhile."""
        try:
            return every(self._client, "route53:ListResourceRecordSets", "ResourceRecordSets", HostedZoneId=zone_id)
        except ResourceGone:
            return []

    def _resource(self, zone_id: str, record: ZoneRecord, row: dict[str, Any], owner: str | None) -> Resource:
        name = record_id(zone_id, record)
        return Resource(
            Kind.DNS_RECORD,
            name,
            record_arn(self._client.meta.partition, name),
            {},
            attributes(txt_owner=owner, record=json.dumps(row, sort_keys=True)),
        )


def _zone_record(row: dict[str, Any]) -> ZoneRecord:
    values = tuple(record["Value"] for record in row.get("ResourceRecords", []))
    return ZoneRecord(row["Name"], row["Type"], row.get("SetIdentifier", ""), values, "AliasTarget" in row)


def _clearer(error: AwsRefused) -> AwsRefused:
    """Route 53 has one code for every bad batch: the message has the meaning."""
    if error.code != "InvalidChangeBatch":
        return error
    if "not found" in error.message:
        return ResourceGone(error.operation, error.code, error.message)
    if "do not match" in error.message:
        return StillInUse(error.operation, error.code, error.message)
    return error

"""Route 53: the port `Dns`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.domain.core.deferred import pattern
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone
from chalicelib.domain.labs.aws_states import HostedZone

_ID = pattern(r"^(/hostedzone/)?Z[A-Z0-9]{1,31}$")


class Route53Dns:
    """Holds the boto3 `route53` client."""

    def __init__(self, route53: Any) -> None:
        self._route53 = route53

    def zone(self, name_or_id: str) -> HostedZone | None:
        if _ID.match(name_or_id):
            return self._by_id(name_or_id.rpartition("/")[2])
        wanted = name_or_id.lower().rstrip(".")
        listed = call(self._route53, "route53:ListHostedZonesByName", DNSName=wanted)["HostedZones"]
        zones = [zone for zone in map(_zone, listed) if zone.name == wanted]
        return min(zones, key=lambda zone: zone.private, default=None)

    def _by_id(self, id: str) -> HostedZone | None:
        try:
            return _zone(call(self._route53, "route53:GetHostedZone", Id=id)["HostedZone"])
        except ResourceGone:
            return None
        except AwsRefused as error:
            if error.code == "InvalidInput":
                return None
            raise


def _zone(row: Mapping[str, Any]) -> HostedZone:
    private = bool(row.get("Config", {}).get("PrivateZone", False))
    return HostedZone(row["Id"].rpartition("/")[2], row["Name"].lower().rstrip("."), private)

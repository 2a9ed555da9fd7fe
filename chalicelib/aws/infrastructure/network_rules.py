"""Security group rules, from our words into EC2's and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def permission(source: str, protocol: str, port: int | None, description: str) -> dict[str, Any]:
    """EC2's IpPermission for one source: a group id, an IPv4 or an IPv6 CIDR."""
    rule: dict[str, Any] = {"IpProtocol": protocol}
    if port is not None:
        rule |= {"FromPort": port, "ToPort": port}
    if source.startswith("sg-"):
        return rule | {"UserIdGroupPairs": [{"GroupId": source, "Description": description}]}
    if ":" in source:
        return rule | {"Ipv6Ranges": [{"CidrIpv6": source, "Description": description}]}
    return rule | {"IpRanges": [{"CidrIp": source, "Description": description}]}


def shown_group(group: Mapping[str, Any]) -> Mapping[str, object]:
    """A security group for a person to read: one row per source."""
    return {
        "id": group["GroupId"],
        "name": group["GroupName"],
        "description": group.get("Description", ""),
        "ingress": [row for rule in group.get("IpPermissions", []) for row in _shown(rule)],
        "egress": [row for rule in group.get("IpPermissionsEgress", []) for row in _shown(rule)],
    }


def _shown(rule: Mapping[str, Any]) -> list[dict[str, str]]:
    protocol = str(rule["IpProtocol"])
    sources = [(str(one["CidrIp"]), one) for one in rule.get("IpRanges", [])]
    sources += [(str(one["CidrIpv6"]), one) for one in rule.get("Ipv6Ranges", [])]
    sources += [(str(one["PrefixListId"]), one) for one in rule.get("PrefixListIds", [])]
    sources += [(str(one["GroupId"]), one) for one in rule.get("UserIdGroupPairs", [])]
    return [
        {
            "protocol": "all" if protocol == "-1" else protocol,
            "ports": _ports(rule, protocol),
            "source": source,
            "description": str(one.get("Description", "")),
        }
        for source, one in sources
    ]


def _ports(rule: Mapping[str, Any], protocol: str) -> str:
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if protocol == "-1" or first is None or first == -1:
        return "all"
    return str(first) if first == last else f"{first}-{last}"

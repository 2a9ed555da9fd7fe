"""Security groups: the cluster's own, the load balancers', GuardDuty's. Rules that refer to a group are deleted before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from chalicelib.aws.clients.calls import call, every
from chalicelib.aws.leftovers.finder import Finder, by_ledger, by_vpc
from chalicelib.domain.core.resources import Kind, Resource, Target
from chalicelib.domain.errors.tree import ResourceGone


class SecurityGroups(Finder):
    """Security groups. AWS does not return a creation time."""

    def find(self, target: Target) -> Iterator[Resource]:
        """By VPC, lab tag and ledger."""
        for filters in (*by_vpc(target), *by_ledger(target, "sg-", "group-id")):
            for row in self._groups(filters):
                facts = {"vpc_id": row.get("VpcId"), "group_name": row["GroupName"]}
                yield self._in_ec2(target, Kind.SECURITY_GROUP, row["GroupId"], row, **facts)

    def delete(self, resource: Resource) -> None:
        """Revoke the rules with which the groups in `may-revoke-from` refer to it, then delete it.

        Nobody else's group is touched: one that refers to this group makes AWS refuse (StillInUse).
        """
        ours = set(resource.attributes.get("may-revoke-from", "").split())
        for direction, name in (("ingress", "ip-permission.group-id"), ("egress", "egress.ip-permission.group-id")):
            for row in self._groups([{"Name": name, "Values": [resource.id]}]):
                if row["GroupId"] in ours and row["GroupId"] != resource.id:
                    self._revoke(direction, row, resource.id)
        call(self._client, "ec2:DeleteSecurityGroup", GroupId=resource.id)

    def _groups(self, filters: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return every(self._client, "ec2:DescribeSecurityGroups", "SecurityGroups", Filters=filters)

    def _revoke(self, direction: str, row: dict[str, Any], group_id: str) -> None:
        rules = row["IpPermissions" if direction == "ingress" else "IpPermissionsEgress"]
        referring = [narrowed for rule in rules if (narrowed := _only(rule, group_id)) is not None]
        if not referring:
            return
        action = f"ec2:RevokeSecurityGroup{direction.capitalize()}"
        with suppress(ResourceGone):  # Somebody else revoked the rule first.
            call(self._client, action, GroupId=row["GroupId"], IpPermissions=referring)


def _only(rule: dict[str, Any], group_id: str) -> dict[str, Any] | None:
    """The part of a rule that refers to this group: its addresses and other groups stay."""
    pairs = [{"GroupId": group_id} for pair in rule.get("UserIdGroupPairs", []) if pair.get("GroupId") == group_id]
    if not pairs:
        return None
    ports: dict[str, Any] = {key: rule[key] for key in ("IpProtocol", "FromPort", "ToPort") if key in rule}
    return {**ports, "UserIdGroupPairs": pairs[:1]}

"""EKS in one place for the support watch: the port `Fleet`. Nodes, and readiness for an upgrade, are in sibling modules.

Real answers lack fields: a missing one is None or empty here. Create a new one for each run; its clients may be
older. All methods may be called from several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from chalicelib.aws.clients.calls import call
from chalicelib.aws.eks.versions import live_or_bundled
from chalicelib.aws.eks.watched.nodes import InstanceReading, NodeReading
from chalicelib.aws.eks.watched.readiness import ReadinessCalls
from chalicelib.domain.core.place import ClusterKey, Place
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.support.fleet import FleetCluster

#: EKS's maximum.
_PAGE = 100


class EksFleet(ReadinessCalls):
    """`eks` and `ec2` are clients of the place; `now`: the date of a calendar read from EKS."""

    def __init__(self, eks: Any, ec2: Any, place: Place, now: Callable[[], datetime]) -> None:
        super().__init__(eks)
        self._ec2, self._place, self._now = ec2, place, now
        self._instances = InstanceReading(ec2)

    def calendar(self) -> Calendar:
        """The support calendar, with its source."""
        return live_or_bundled(self._eks, self._now)

    def names(self, cursor: str | None) -> tuple[tuple[str, ...], str | None]:
        """Up to a hundred cluster names, and the next page's cursor."""
        answer = call(self._eks, "eks:ListClusters", maxResults=_PAGE, **({"nextToken": cursor} if cursor else {}))
        return tuple(answer["clusters"]), answer.get("nextToken") or None

    def expect(self, names: Sequence[str]) -> None:
        """The first read among them reads the instances of all."""
        self._instances.expect(names)

    def read(self, name: str) -> FleetCluster:
        """The cluster with its nodes. Raises ResourceGone; `unread` lists denied parts."""
        cluster = self.describe(name)
        nodes, unread = NodeReading(self._eks, self._ec2, self._instances, name).run()
        return FleetCluster(
            key=ClusterKey(self._place.account, self._place.region, name),
            nodes=nodes,
            unread=unread,
            arn=cluster.arn,
            version=cluster.version,
            status=cluster.status,
            support_type=cluster.support_type,
            platform_version=cluster.platform_version,
            created_at=cluster.created_at,
            tags=cluster.tags,
            deletion_protection=cluster.deletion_protection,
        )

    def set_support_policy(self, name: str, support_type: str) -> str:
        asked = call(self._eks, "eks:UpdateClusterConfig", name=name, upgradePolicy={"supportType": support_type})
        return str(asked["update"]["id"])

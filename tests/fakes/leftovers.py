"""Finding, deleting and counting in memory, over the shared account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.domain.core.resources import InventoryAnswer, Kind, LedgerEntry, Resource, Target
from chalicelib.domain.teardown.evidence import CSI_TAG
from tests.fakes.account import Account, port


@dataclass
class FakeLeftovers:
    """Finds all resources of a kind, of any owner: the rule must decide, so the fake does not filter.

    `backups` are the initial states of the next snapshots.
    """

    account: Account
    backups: list[str] = field(default_factory=list)
    port_name: str = "leftovers"

    @port
    def find(self, kind: Kind, target: Target) -> tuple[Resource, ...]:
        return self.account.of(kind)

    @port
    def delete(self, resource: Resource) -> None:
        self.account.remove(resource)

    @port
    def snapshot(self, volume: Resource, tags: Mapping[str, str], token: str) -> Resource:
        for known in self.account.of(Kind.SNAPSHOT):
            if known.attributes.get("volume-id") == volume.id and known.attributes.get("token") == token:
                return known
        status = self.backups.pop(0) if self.backups else "completed"
        return self.account.add(Kind.SNAPSHOT, tags=tags, volume_id=volume.id, status=status, token=token)

    @port
    def snapshot_state(self, snapshot_id: str) -> str | None:
        found = [known for known in self.account.of(Kind.SNAPSHOT) if known.id == snapshot_id]
        return found[0].attributes["status"] if found else None


@dataclass
class FakeCensus:
    """Lists everything that could be the target's. `blind` names unreadable sources."""

    account: Account
    blind: tuple[str, ...] = ()
    hidden: set[str] = field(default_factory=set)
    port_name: str = "inventory"

    @port
    def take(self, target: Target, ledger: Sequence[LedgerEntry]) -> InventoryAnswer:
        listed = {entry.resource.arn for entry in ledger}
        seen = tuple(
            resource
            for arn, resource in self.account.resources.items()
            if arn not in self.hidden and (arn in listed or _concerns(resource, target))
        )
        return InventoryAnswer(seen, ("tags", "network", "names", "ledger"), self.blind)

    @port
    def bearing_name(self, cluster: str) -> tuple[tuple[Kind, str], ...]:
        kinds = [thing for kind in _NAMED for thing in self.account.of(kind)]
        marks = {f"kubernetes.io/cluster/{cluster}", f"/aws/eks/{cluster}/cluster"}
        return tuple(
            (thing.kind, thing.id)
            for thing in kinds
            if marks & {*thing.tags, thing.id} or cluster in thing.tags.values()
        )


_NAMED = (Kind.LOG_GROUP, Kind.SECURITY_GROUP, Kind.LOAD_BALANCER, Kind.TARGET_GROUP)


def _concerns(resource: Resource, target: Target) -> bool:
    words = {target.lab_id, target.cluster_name, target.txt_owner_id, target.stack_name}
    tags = set(resource.tags.values()) | {key.rpartition("/")[2] for key in resource.tags}
    in_vpc = target.vpc_id is not None and resource.attributes.get("vpc-id") == target.vpc_id
    named = resource.id in words or resource.id == f"/aws/eks/{target.cluster_name}/cluster"
    issued = target.oidc_issuer is not None and resource.attributes.get("issuer") == target.oidc_issuer
    by_dns = resource.attributes.get("txt-owner") == target.txt_owner_id
    driven = CSI_TAG in resource.tags
    return bool(words & tags) or in_vpc or named or issued or by_dns or driven

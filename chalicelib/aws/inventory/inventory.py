"""The independent inventory: it uses other queries than the sweeps. The adapter of the port `AccountInventory`.

An unreadable source is named with AWS's words, and never hides the others. It shares neither code nor lists
with `leftovers.py`; domain/teardown/ownership.py judges its results like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import field, replace
from functools import partial

from chalicelib.aws.clients.calls import RegionClients
from chalicelib.aws.inventory import sources
from chalicelib.aws.inventory.describe import DescribeCalls
from chalicelib.aws.inventory.dns import ZoneReader
from chalicelib.aws.inventory.eks import EksDescribeCalls
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.resources import InventoryAnswer, Kind, LedgerEntry, Resource, Target
from chalicelib.domain.core.sentence import Sentence, reason_of
from chalicelib.domain.errors.tree import AwsRefused, Transient
from chalicelib.domain.teardown.evidence import PARTS_OF_CLUSTER, insights_groups, log_group_name
from chalicelib.domain.teardown.reconcile import describe_call


class AwsInventory:
    """Takes inventories in one region."""

    def __init__(self, clients: RegionClients) -> None:
        self._clients = clients
        self._eks = EksDescribeCalls(clients.eks)

    def take(self, target: Target, ledger: Sequence[LedgerEntry]) -> InventoryAnswer:
        clients = self._clients
        zone, looks, count = ZoneReader(clients.route53), DescribeCalls(clients), _Count()
        count.ask("tags (Resource Groups Tagging API)", partial(sources.tagged, clients.tagging, looks, target))
        count.ask("tags (EC2)", partial(sources.tagged_in_ec2, clients.ec2, looks, target))
        count.ask("the network, by VPC", partial(sources.in_vpc, clients.ec2, target))
        count.ask(
            "load balancers, by VPC",
            partial(sources.balancers_in_vpc, clients.elbv2, clients.elb, looks, target),
        )
        count.ask("IAM roles, profiles and OIDC providers", partial(sources.identities, clients.iam, looks, target))
        count.ask("DNS records, by TXT owner and subdomain", partial(zone.owned, target))
        count.ask(
            "Auto Scaling groups, by tag, subnet and node group",
            partial(sources.groups, clients.autoscaling, target),
        )
        count.ask("names (cluster, log group, stack)", partial(self._named, looks, target))
        count.sources.append("every entry of the ledger, by direct look")
        for entry in ledger:
            count.check(entry.resource, partial(self._still_there, entry.resource, target, zone, looks))
        return InventoryAnswer(tuple(count.found.values()), tuple(count.sources), tuple(count.unreadable))

    def bearing_name(self, cluster: str) -> tuple[tuple[Kind, str], ...]:
        """Kind and id of existing resources with a cluster's name, of the kinds that make a teardown doubtful."""
        clients = self._clients
        logs, groups = sources.log_groups_named(clients.logs, cluster), sources.groups_named(clients.ec2, cluster)
        return (*logs, *groups, *sources.balancing_named(clients.tagging, DescribeCalls(clients), cluster))

    def _named(self, looks: DescribeCalls, target: Target) -> Iterator[Resource]:
        """Resources with the cluster's or the stack's name; a cluster of the name that is not ours has no parts of ours."""
        partition, name = self._clients.ec2.meta.partition, target.cluster_name
        here = f"{target.region}:{target.account}"
        cluster = self._eks.cluster(name)
        if cluster is not None:
            yield cluster.as_resource(Kind.CLUSTER, name, f"arn:{partition}:eks:{here}:cluster/{name}")
            if target.own_cluster_arn is not None:
                yield from self._eks.nodegroups(target)
                yield from self._eks.fargate_profiles(target)
        for group in (log_group_name(name), *insights_groups(name)):
            lines = looks.look(Kind.LOG_GROUP, group)
            if lines is not None:
                yield lines.as_resource(Kind.LOG_GROUP, group, f"arn:{partition}:logs:{here}:log-group:{group}")
        stack = looks.look(Kind.STACK, target.stack_name)
        if stack is not None:
            yield stack.as_resource(Kind.STACK, target.stack_name, stack.attributes["stack-id"])

    def _still_there(
        self, resource: Resource, target: Target, zone: ZoneReader, looks: DescribeCalls
    ) -> Resource | None:
        """The present resource under its ledger ARN."""
        if resource.kind is Kind.DNS_RECORD:
            return zone.record(resource, target)
        if resource.kind in PARTS_OF_CLUSTER:
            ours = target.own_cluster_arn is not None
            seen = self._eks.part(target.cluster_name, resource) if ours else None
        elif resource.kind is Kind.CLUSTER:
            seen = self._eks.cluster(resource.id)
        else:
            seen = looks.look(resource.kind, resource.id)
        return seen.as_resource(resource.kind, resource.id, resource.arn) if seen is not None else None


@dataclass
class _Count:
    """The results so far, and the unreadable sources."""

    found: dict[str, Resource] = field(default_factory=dict)
    sources: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def ask(self, source: str, look: Callable[[], Iterable[Resource | str]]) -> None:
        """Add a source's results, up to its first failure."""
        self.sources.append(source)
        try:
            for hit in look():
                if isinstance(hit, str):
                    self.unreadable.append(Sentence("{what}: {reason}", what=source, reason=hit))
                else:
                    self._take_in(hit)
        except (AwsRefused, Transient) as error:
            self.unreadable.append(Sentence("{what}: {reason}", what=source, reason=reason_of(error)))

    def _take_in(self, hit: Resource) -> None:
        """Merge facts of a resource from several sources."""
        known = self.found.get(hit.arn)
        facts = {**hit.attributes, **known.attributes} if known is not None else hit.attributes
        self.found[hit.arn] = replace(known or hit, attributes=facts)

    def check(self, resource: Resource, look: Callable[[], Resource | None]) -> None:
        """Add a ledger entry's resource if it exists and no source listed it."""
        if resource.arn in self.found:
            return
        try:
            there = look()
        except (AwsRefused, Transient) as error:
            self.unreadable.append(f"{describe_call(resource.arn)}: {error}")
            return
        if there is not None:
            self.found[resource.arn] = there

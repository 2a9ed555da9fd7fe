"""Receipt lines of unproved resources: creator, monthly cost, and the command that deletes the resource by hand."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import PROTECTED
from chalicelib.domain.core.proof import Creator, Proof
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import HOURS_A_MONTH, Prices
from chalicelib.domain.teardown.receipt import ReceiptLine, ReceiptOutcome

#: USD an hour, for kinds that our price list lacks, from AWS's price pages for most regions.
_BALANCER_HOUR, _ENDPOINT_HOUR = 0.0225, 0.01
_SNAPSHOT_GIB_MONTH = 0.05
#: Kinds that cost nothing by themselves.
FREE = frozenset(
    {
        Kind.TARGET_GROUP,
        Kind.SECURITY_GROUP,
        Kind.NETWORK_INTERFACE,
        Kind.LAUNCH_TEMPLATE,
        Kind.KEY_PAIR,
        Kind.OIDC_PROVIDER,
        Kind.INSTANCE_PROFILE,
        Kind.ROLE,
        Kind.DNS_RECORD,
        Kind.MOUNT_TARGET,
        Kind.STACK,
        Kind.SUBNET,
        Kind.VPC,
        Kind.ROUTE_TABLE,
        Kind.INTERNET_GATEWAY,
        Kind.ADDON,
        Kind.ACCESS_ENTRY,
        Kind.POD_IDENTITY,
        Kind.NODEGROUP,
        Kind.FARGATE_PROFILE,
        Kind.AUTO_SCALING_GROUP,
    }
)


def left_line(resource: Resource, how: str, creator: Creator | None, why: str, prices: Prices | None) -> ReceiptLine:
    """`how`: the claim on the lab; `why`: why its creator is unknown."""
    unknown = Sentence("unknown ({why})", why=why) if why else Sentence("unknown")
    made = creator.principal if creator is not None else unknown
    return ReceiptLine(
        resource.arn,
        str(resource.kind),
        ReceiptOutcome.LEFT,
        Sentence("looks like the lab's; created by {who}", who=made),
        how,
        creator.principal if creator is not None else "",
        usd_month(resource, prices) if prices is not None else None,
        delete_command(resource),
    )


def is_billable(line: ReceiptLine) -> bool:
    """Whether the resource costs money, or may."""
    return line.kind not in FREE and line.usd_month != 0


def usd_month(resource: Resource, prices: Prices) -> float | None:
    """The monthly cost in USD; None if unknown."""
    facts = resource.attributes
    match resource.kind:
        case kind if kind in FREE:
            return 0.0
        case Kind.VOLUME | Kind.SNAPSHOT:
            rate = prices.gp3_gib_month if resource.kind is Kind.VOLUME else _SNAPSHOT_GIB_MONTH
            return round(float(facts["size-gib"]) * rate, 2) if "size-gib" in facts else None
        case Kind.INSTANCE:
            hour = prices.instances.get(facts.get("instance-type", ""))
            return round(hour * HOURS_A_MONTH, 2) if hour is not None else None
        case Kind.CLUSTER:
            return round(prices.control_plane * HOURS_A_MONTH, 2)
        case Kind.LOAD_BALANCER | Kind.CLASSIC_LOAD_BALANCER:
            return round(_BALANCER_HOUR * HOURS_A_MONTH, 2)
        case Kind.ELASTIC_IP:
            return round(prices.public_ipv4_hour * HOURS_A_MONTH, 2)
        case Kind.NAT_GATEWAY:
            return round(prices.nat_hour * HOURS_A_MONTH, 2)
        case Kind.VPC_ENDPOINT:
            return round(_ENDPOINT_HOUR * HOURS_A_MONTH, 2)
        case _:
            return None


def delete_command(resource: Resource, refusal: str = "") -> str:
    """The `aws` command that deletes it; empty if there is none in one line. If AWS's `refusal` says that the resource is
    protected, the command first switches the protection off."""
    off = unprotect_command(resource) if PROTECTED.search(refusal) else ""
    return " && ".join(command for command in (off, _command(_COMMANDS, resource)) if command)


def unprotect_command(resource: Resource) -> str:
    """The `aws` command that switches off its deletion protection; empty for a kind without one."""
    return _command(_UNPROTECT, resource)


def _command(commands: Mapping[Kind, Callable[[Resource], str]], resource: Resource) -> str:
    words = commands.get(resource.kind)
    if words is None:
        return ""
    region = next(iter(resource.arn.split(":")[3:4]), "")
    place = f" --region {region}" if region else ""
    return f"aws {words(resource)}{place}"


def _by_id(command: str, *more: str) -> Callable[[Resource], str]:
    return lambda resource: " ".join((command, shlex.quote(resource.id), *more))


def _record(resource: Resource) -> str:
    zone = resource.id.partition("|")[0]
    change = f'{{"Changes":[{{"Action":"DELETE","ResourceRecordSet":{resource.attributes.get("record", "{}")}}}]}}'
    return f"route53 change-resource-record-sets --hosted-zone-id {zone} --change-batch {shlex.quote(change)}"


_COMMANDS: Mapping[Kind, Callable[[Resource], str]] = {
    Kind.CLUSTER: _by_id("eks delete-cluster --name"),
    Kind.INSTANCE: _by_id("ec2 terminate-instances --instance-ids"),
    Kind.KEY_PAIR: _by_id("ec2 delete-key-pair --key-pair-id"),
    Kind.LAUNCH_TEMPLATE: _by_id("ec2 delete-launch-template --launch-template-id"),
    Kind.LOAD_BALANCER: _by_id("elbv2 delete-load-balancer --load-balancer-arn"),
    Kind.CLASSIC_LOAD_BALANCER: _by_id("elb delete-load-balancer --load-balancer-name"),
    Kind.TARGET_GROUP: _by_id("elbv2 delete-target-group --target-group-arn"),
    Kind.SECURITY_GROUP: _by_id("ec2 delete-security-group --group-id"),
    Kind.NETWORK_INTERFACE: _by_id("ec2 delete-network-interface --network-interface-id"),
    Kind.VOLUME: _by_id("ec2 delete-volume --volume-id"),
    Kind.SNAPSHOT: _by_id("ec2 delete-snapshot --snapshot-id"),
    Kind.MOUNT_TARGET: _by_id("efs delete-mount-target --mount-target-id"),
    Kind.DNS_RECORD: _record,
    Kind.LOG_GROUP: _by_id("logs delete-log-group --log-group-name"),
    Kind.OIDC_PROVIDER: _by_id("iam delete-open-id-connect-provider --open-id-connect-provider-arn"),
    Kind.INSTANCE_PROFILE: _by_id("iam delete-instance-profile --instance-profile-name"),
    Kind.ROLE: _by_id("iam delete-role --role-name"),
    Kind.STACK: _by_id("cloudformation delete-stack --stack-name"),
    Kind.VPC_ENDPOINT: _by_id("ec2 delete-vpc-endpoints --vpc-endpoint-ids"),
    Kind.NAT_GATEWAY: _by_id("ec2 delete-nat-gateway --nat-gateway-id"),
    Kind.ELASTIC_IP: _by_id("ec2 release-address --allocation-id"),
    Kind.AUTO_SCALING_GROUP: _by_id("autoscaling delete-auto-scaling-group --force-delete --auto-scaling-group-name"),
    Kind.INTERNET_GATEWAY: _by_id("ec2 delete-internet-gateway --internet-gateway-id"),
    Kind.ROUTE_TABLE: _by_id("ec2 delete-route-table --route-table-id"),
    Kind.SUBNET: _by_id("ec2 delete-subnet --subnet-id"),
    Kind.VPC: _by_id("ec2 delete-vpc --vpc-id"),
}
#: By kind, the commands of AWS's guides.
_UNPROTECT: Mapping[Kind, Callable[[Resource], str]] = {
    Kind.CLUSTER: _by_id("eks update-cluster-config --no-deletion-protection --name"),
    Kind.INSTANCE: _by_id("ec2 modify-instance-attribute --no-disable-api-termination --instance-id"),
    Kind.LOAD_BALANCER: _by_id(
        "elbv2 modify-load-balancer-attributes --load-balancer-arn",
        "--attributes Key=deletion_protection.enabled,Value=false",
    ),
    Kind.LOG_GROUP: _by_id(
        "logs put-log-group-deletion-protection --no-deletion-protection-enabled --log-group-identifier"
    ),
    Kind.STACK: _by_id("cloudformation update-termination-protection --no-enable-termination-protection --stack-name"),
    Kind.AUTO_SCALING_GROUP: _by_id(
        "autoscaling update-auto-scaling-group --deletion-protection none --auto-scaling-group-name"
    ),
}


#: Proofs of resources that the lab requested: its own price contains them.
_ITS_OWN = frozenset({Proof.ANSWER, Proof.STACK, Proof.AWS})


@dataclass(frozen=True)
class FoundCost:
    """A resource that Kubernetes made in a lab. `since`: when the inventory found it; it may be older. USD, None: unknown."""

    arn: str
    kind: str
    since: datetime
    hour: float | None
    so_far: float | None


def is_found(entry: LedgerEntry) -> bool:
    """Whether a workload of the cluster created it: it is proved the lab's, and the lab did not request it."""
    return entry.state is EntryState.PRESENT and entry.grounds is not None and entry.grounds not in _ITS_OWN


def found_costs(ledger: Iterable[LedgerEntry], prices: Prices, now: datetime) -> Iterator[FoundCost]:
    """The cost of each resource that costs money."""
    for entry in filter(is_found, ledger):
        month = usd_month(entry.resource, prices)
        if month == 0:
            continue
        hour = None if month is None else month / HOURS_A_MONTH
        hours = (now - entry.recorded_at).total_seconds() / 3600
        so_far = None if hour is None else hour * hours
        yield FoundCost(entry.resource.arn, str(entry.resource.kind), entry.recorded_at, hour, so_far)

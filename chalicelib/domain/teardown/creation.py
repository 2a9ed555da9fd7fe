"""Finds the creator of a resource in CloudTrail's event history: which events create a kind, and where the answer holds its id.

Pure: `workflows/shared/evidence.py` passes events that an adapter read. An event that only mentions the resource, that failed, or
that repeats an idempotent create is not its creation (ADR 12).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.proof import Creator
from chalicelib.domain.core.resources import Kind, Resource

#: The most that a create event's time may differ from the creation time that the resource's own service returns.
NEAR = timedelta(minutes=2)
#: How far around the birth date the history is read.
AROUND = timedelta(minutes=5)
#: CloudTrail delivers most events within 15 minutes: a younger resource may still get a creator.
SETTLED = timedelta(minutes=20)
#: How long CloudTrail's event history remembers.
REMEMBERED = timedelta(days=90)

Event = Mapping[str, Any]


@dataclass(frozen=True)
class Making:
    """How resources of a kind are created: the events, and where their answer holds the id (`a.b[].c`).

    `named`: no answer holds a unique id; the request names the resource, and only its creation time tells namesakes apart.
    `repeatable`: the create call returns an existing resource, too, so that only the oldest event counts.
    """

    source: str
    events: tuple[str, ...]
    paths: tuple[str, ...] = ()
    named: str = ""
    repeatable: bool = False


_EC2, _ELB, _IAM = "ec2.amazonaws.com", "elasticloadbalancing.amazonaws.com", "iam.amazonaws.com"
_MAKINGS: Mapping[Kind, Making] = {
    Kind.VOLUME: Making(_EC2, ("CreateVolume", "CopyVolumes"), ("volumeId", "volumes[].volumeId")),
    Kind.SNAPSHOT: Making(
        _EC2, ("CreateSnapshot", "CreateSnapshots", "CopySnapshot"), ("snapshotId", "snapshotSet.items[].snapshotId")
    ),
    Kind.NETWORK_INTERFACE: Making(_EC2, ("CreateNetworkInterface",), ("networkInterface.networkInterfaceId",)),
    Kind.INSTANCE: Making(_EC2, ("RunInstances",), ("instancesSet.items[].instanceId",)),
    Kind.SECURITY_GROUP: Making(_EC2, ("CreateSecurityGroup",), ("groupId",)),
    Kind.ELASTIC_IP: Making(_EC2, ("AllocateAddress",), ("allocationId",)),
    Kind.KEY_PAIR: Making(_EC2, ("CreateKeyPair", "ImportKeyPair"), ("keyPairId",)),
    Kind.LAUNCH_TEMPLATE: Making(
        _EC2,
        ("CreateLaunchTemplate",),
        ("launchTemplate.launchTemplateId", "CreateLaunchTemplateResponse.launchTemplate.launchTemplateId"),
    ),
    Kind.VPC_ENDPOINT: Making(
        _EC2,
        ("CreateVpcEndpoint",),
        ("vpcEndpoint.vpcEndpointId", "CreateVpcEndpointResponse.vpcEndpoint.vpcEndpointId"),
    ),
    Kind.LOAD_BALANCER: Making(_ELB, ("CreateLoadBalancer",), ("loadBalancers[].loadBalancerArn",), repeatable=True),
    Kind.TARGET_GROUP: Making(_ELB, ("CreateTargetGroup",), ("targetGroups[].targetGroupArn",), repeatable=True),
    Kind.CLASSIC_LOAD_BALANCER: Making(_ELB, ("CreateLoadBalancer",), named="loadBalancerName", repeatable=True),
    Kind.MOUNT_TARGET: Making("elasticfilesystem.amazonaws.com", ("CreateMountTarget",), ("mountTargetId",)),
    Kind.AUTO_SCALING_GROUP: Making(
        "autoscaling.amazonaws.com", ("CreateAutoScalingGroup",), named="autoScalingGroupName"
    ),
    Kind.LOG_GROUP: Making("logs.amazonaws.com", ("CreateLogGroup",), named="logGroupName"),
    Kind.INSTANCE_PROFILE: Making(_IAM, ("CreateInstanceProfile",), named="instanceProfileName"),
}
#: Kinds that too many events mention, or (log groups) none that CloudTrail finds by name: all creations of their
#: kind are searched.
_BY_EVENT = frozenset({Kind.SECURITY_GROUP, Kind.TARGET_GROUP, Kind.LOG_GROUP})
#: Kinds whose name in CloudTrail is their ARN.
_BY_ARN = frozenset({Kind.LOAD_BALANCER, Kind.TARGET_GROUP})
#: IAM is global, and so are its events.
GLOBAL = frozenset({Kind.INSTANCE_PROFILE})


@dataclass(frozen=True)
class Lookup:
    """One query of the event history: one attribute, a time span, and whether to ask the region of IAM."""

    attribute: str
    value: str
    since: datetime
    until: datetime
    global_: bool = False


def lookup_for(resource: Resource, since: datetime, now: datetime) -> Lookup | None:
    """How to look for the creation, not before `since`; None for kinds that CloudTrail can't be queried for.

    A resource with a creation time is looked up by its name, around that time. Where a name would return every event with
    with it, or none, all creations of the kind are read; two such resources without a creation time share one query.
    """
    making = _MAKINGS.get(resource.kind)
    if making is None:
        return None
    by_event, born = resource.kind in _BY_EVENT, resource.created_at
    attribute, value = ("EventName", making.events[0]) if by_event else ("ResourceName", _name(resource))
    if born is None:
        return Lookup(attribute, value, since, now)
    return Lookup(attribute, value, born - AROUND, min(born + AROUND, now), resource.kind in GLOBAL)


def _name(resource: Resource) -> str:
    """The name of the resource in CloudTrail: a key pair's name, a balancer's ARN, else the id."""
    if resource.kind is Kind.KEY_PAIR:
        return resource.attributes.get("key-name") or resource.id
    return resource.arn if resource.kind in _BY_ARN else resource.id


def creator_of(resource: Resource, events: Iterable[Event], now: datetime) -> Creator | None:
    """The creator: the caller of the oldest create event whose answer holds the id, near the creation time; None if unknown.

    An answer of an idempotent create counts only when every older event has arrived and was readable. An event of another form
    proves nothing, and does not hide others.
    """
    making = _MAKINGS.get(resource.kind)
    if making is None:
        return None
    told, broken = _creations(resource, making, events)
    found = sorted(told, key=lambda creator: creator.at)
    if not found or (making.repeatable and broken):
        return None
    oldest = found[0]
    if making.repeatable and now - oldest.at < SETTLED:
        return None
    born = resource.created_at
    return oldest if born is None or abs(oldest.at - born) <= NEAR else None


def is_young(resource: Resource, first_seen: datetime, now: datetime) -> bool:
    """Whether CloudTrail may still deliver the create event."""
    return resource.kind in _MAKINGS and now - (resource.created_at or first_seen) < SETTLED


def unreadable(events: Iterable[Event]) -> int:
    """How many events do not have CloudTrail's form."""
    return sum(1 for event in events if is_broken(event))


def _creations(resource: Resource, making: Making, events: Iterable[Event]) -> tuple[list[Creator], int]:
    """The callers of events that return the resource, and the number of unreadable events."""
    readable, broken = [], 0
    for event in events:
        if is_broken(event):
            broken += 1
        else:
            readable.append(event)
    return [creator for event in readable if (creator := _creation(resource, making, event)) is not None], broken


def is_broken(event: Any) -> bool:
    """Whether the event has no time, or a part of it is not the object that CloudTrail writes."""
    if not isinstance(event, Mapping) or _time(event) is None:
        return True
    identity = event.get("userIdentity") or {}
    context = (identity.get("sessionContext") or {}) if isinstance(identity, Mapping) else {}
    parts = [identity, context, event.get("requestParameters") or {}, event.get("responseElements") or {}]
    if isinstance(context, Mapping):
        parts += [context.get("sessionIssuer") or {}, context.get("webIdFederationData") or {}]
    return not all(isinstance(part, Mapping) for part in parts)


def _creation(resource: Resource, making: Making, event: Event) -> Creator | None:
    if event.get("eventSource") != making.source or event.get("eventName") not in making.events:
        return None
    if event.get("errorCode") or event.get("errorMessage"):
        return None
    creator = _creator(event)
    return creator if creator is not None and _answers_with(resource, making, event, creator.at) else None


def _answers_with(resource: Resource, making: Making, event: Event, at: datetime) -> bool:
    """Whether the event's answer holds this resource."""
    answer = event.get("responseElements") or {}
    if not making.named:
        wanted = resource.arn if resource.kind in _BY_ARN else resource.id
        return any(wanted in _at(answer, path) for path in making.paths)
    if (event.get("requestParameters") or {}).get(making.named) != resource.id or resource.created_at is None:
        return False
    host = resource.attributes.get("dns-name", "")
    if resource.kind is Kind.CLASSIC_LOAD_BALANCER and (not host or answer.get("dNSName") != host):
        return False
    return abs(at - resource.created_at) <= NEAR


def _at(answer: Any, path: str) -> list[Any]:
    """The values at a path; `name[]` stands for each element of a list."""
    found = [answer]
    for part in path.split("."):
        key, many = part.removesuffix("[]"), part.endswith("[]")
        values = [each.get(key) for each in found if isinstance(each, Mapping)]
        found = [item for value in values for item in (value if many and isinstance(value, list) else [value])]
    return found


def _creator(event: Event) -> Creator | None:
    """The caller, by unique ids: a role can be recreated under its name, never under its id."""
    identity = event.get("userIdentity") or {}
    context = identity.get("sessionContext") or {}
    issuer = context.get("sessionIssuer") or {}
    at = _time(event)
    if at is None:
        return None
    arn = str(issuer.get("arn", ""))
    return Creator(
        principal=str(identity.get("arn") or identity.get("invokedBy") or identity.get("type") or "unknown"),
        at=at,
        role_id=str(issuer.get("principalId", "")),
        issuer=_issuer(context),
        linked=":role/aws-service-role/" in arn,
    )


def _time(event: Event) -> datetime | None:
    try:
        return datetime.fromisoformat(str(event.get("eventTime", "")).replace("Z", "+00:00")).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _issuer(context: Mapping[str, Any]) -> str:
    """The issuer of the session's web identity, without the scheme, if it has one."""
    told = str((context.get("webIdFederationData") or {}).get("federatedProvider", ""))
    return told.partition(":oidc-provider/")[2] if ":oidc-provider/" in told else told.removeprefix("https://")

"""CloudTrail events in AWS's format: the creator, and the answer to the creation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from chalicelib.domain.core.resources import Kind, Resource

#: kind -> (event source, event name).
CREATIONS: Mapping[Kind, tuple[str, str]] = {
    Kind.VOLUME: ("ec2", "CreateVolume"),
    Kind.SNAPSHOT: ("ec2", "CreateSnapshot"),
    Kind.NETWORK_INTERFACE: ("ec2", "CreateNetworkInterface"),
    Kind.INSTANCE: ("ec2", "RunInstances"),
    Kind.SECURITY_GROUP: ("ec2", "CreateSecurityGroup"),
    Kind.ELASTIC_IP: ("ec2", "AllocateAddress"),
    Kind.KEY_PAIR: ("ec2", "ImportKeyPair"),
    Kind.LAUNCH_TEMPLATE: ("ec2", "CreateLaunchTemplate"),
    Kind.VPC_ENDPOINT: ("ec2", "CreateVpcEndpoint"),
    Kind.LOAD_BALANCER: ("elasticloadbalancing", "CreateLoadBalancer"),
    Kind.TARGET_GROUP: ("elasticloadbalancing", "CreateTargetGroup"),
    Kind.CLASSIC_LOAD_BALANCER: ("elasticloadbalancing", "CreateLoadBalancer"),
    Kind.MOUNT_TARGET: ("elasticfilesystem", "CreateMountTarget"),
    Kind.AUTO_SCALING_GROUP: ("autoscaling", "CreateAutoScalingGroup"),
    Kind.LOG_GROUP: ("logs", "CreateLogGroup"),
    Kind.INSTANCE_PROFILE: ("iam", "CreateInstanceProfile"),
}


def created(thing: Resource, at: datetime, identity: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """The event of a resource's creation."""
    source, name = CREATIONS[thing.kind]
    asked, answered = _elements(thing)
    told = {
        "eventSource": f"{source}.amazonaws.com",
        "eventName": name,
        "eventTime": f"{at:%Y-%m-%dT%H:%M:%SZ}",
        "userIdentity": dict(identity),
        "requestParameters": asked,
        "responseElements": answered,
    }
    return told | changes


def session(role_id: str, role: str = "role/ekslab/csi", **context: Any) -> dict[str, Any]:
    """A person in a session of a role."""
    issuer = {"type": "Role", "principalId": role_id, "arn": f"arn:aws:iam::111122223333:{role}"}
    arn = f"arn:aws:sts::111122223333:assumed-role/{role.rpartition('/')[2]}/session"
    return {"type": "AssumedRole", "arn": arn, "sessionContext": {"sessionIssuer": issuer, **context}}


def _elements(thing: Resource) -> tuple[dict[str, Any], dict[str, Any]]:
    """The queries and their answers."""
    if thing.kind in _NAMED:
        answer = {"dNSName": thing.attributes["dns-name"]} if "dns-name" in thing.attributes else {}
        return {_NAMED[thing.kind]: thing.id}, answer
    asked = {"volumeId": thing.attributes.get("volume-id", "vol-1")} if thing.kind is Kind.SNAPSHOT else {}
    return asked, _ANSWERS[thing.kind](thing)


#: The request's field with the name, for answers without an id.
_NAMED = {
    Kind.CLASSIC_LOAD_BALANCER: "loadBalancerName",
    Kind.AUTO_SCALING_GROUP: "autoScalingGroupName",
    Kind.LOG_GROUP: "logGroupName",
    Kind.INSTANCE_PROFILE: "instanceProfileName",
}
_ANSWERS: Mapping[Kind, Callable[[Resource], dict[str, Any]]] = {
    Kind.VOLUME: lambda thing: {"volumeId": thing.id},
    Kind.SNAPSHOT: lambda thing: {"snapshotId": thing.id},
    Kind.NETWORK_INTERFACE: lambda thing: {"networkInterface": {"networkInterfaceId": thing.id, "vpcId": "vpc-1"}},
    Kind.INSTANCE: lambda thing: {"instancesSet": {"items": [{"instanceId": "i-another"}, {"instanceId": thing.id}]}},
    Kind.SECURITY_GROUP: lambda thing: {"groupId": thing.id},
    Kind.ELASTIC_IP: lambda thing: {"allocationId": thing.id},
    Kind.KEY_PAIR: lambda thing: {"keyPairId": thing.id},
    Kind.LAUNCH_TEMPLATE: lambda thing: {
        "CreateLaunchTemplateResponse": {"launchTemplate": {"launchTemplateId": thing.id}}
    },
    Kind.VPC_ENDPOINT: lambda thing: {"CreateVpcEndpointResponse": {"vpcEndpoint": {"vpcEndpointId": thing.id}}},
    Kind.LOAD_BALANCER: lambda thing: {"loadBalancers": [{"loadBalancerArn": thing.arn}]},
    Kind.TARGET_GROUP: lambda thing: {"targetGroups": [{"targetGroupArn": thing.arn}]},
    Kind.MOUNT_TARGET: lambda thing: {"mountTargetId": thing.id},
}

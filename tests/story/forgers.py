"""People with a single permission, and the resources they leave in an account: the actors of the rows of proof.

A forger is an IAM user with one policy that allows only the named actions. Whether a resource exists is checked as root.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from sandbox.people import Person, make_person
from sandbox.scenarios.just_made import patient
from sandbox.stage import Stage
from tests.story.account import clients
from tests.story.steps import Json, Lab

Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Forger:
    """A person, and clients with their credentials."""

    person: Person
    client: Clients


@dataclass(frozen=True)
class Told:
    """Results by label: the lab's last receipt, the resources' ids, and those that still exist."""

    lab: Lab
    receipt: Json
    ids: Mapping[str, str]
    there: frozenset[str]
    blocked: Json = None

    def line(self, label: str) -> Json:
        """The receipt's line of a resource; fails if it has none."""
        found = [line for line in self.receipt["looks"][-1]["lines"] if _names(line, self.ids[label])]
        assert len(found) == 1, f"{label} {self.ids[label]}: {len(found)} lines"
        return found[0]

    def outcome(self, label: str) -> str:
        """The outcome that the receipt states."""
        return str(self.line(label)["outcome"])


def a_forger(stage: Stage, name: str, *actions: str) -> Forger:
    """A user with these permissions only."""
    person = make_person(stage.sandbox, name)
    iam = stage.sandbox.client("iam")
    for policy in iam.list_user_policies(UserName=name)["PolicyNames"]:
        iam.delete_user_policy(UserName=name, PolicyName=policy)
    allowed = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
    iam.put_user_policy(UserName=name, PolicyName="only", PolicyDocument=document)
    return Forger(person, lambda service: patient(stage.sandbox.client(service, credentials=person.credentials)))


def told(lab: Lab, ids: Mapping[str, str], blocked: Json = None) -> Told:
    """The result: the current receipt and the existing resources. Fails if a step died on the way."""
    assert [step["title"] for step in lab.shown()["steps"] if "ended before this step did" in step["detail"]] == []
    client = clients(lab)
    return Told(lab, lab.receipt(), ids, frozenset(label for label, id in ids.items() if is_there(client, id)), blocked)


def is_there(client: Clients, id: str) -> bool:
    """Whether the owning AWS service has it: by id, ARN, or (log groups, records, Auto Scaling groups) name."""
    _, look = next((each for each in _LOOKS if id.startswith(each[0])), ("", _auto_scaling_group))
    try:
        return look(client, id)
    except ClientError as error:
        if "NotFound" in error.response["Error"]["Code"]:
            return False
        raise


def zone_of(client: Clients, subnet: str) -> str:
    """The subnet's availability zone."""
    return str(client("ec2").describe_subnets(SubnetIds=[subnet])["Subnets"][0]["AvailabilityZone"])


def born_with(kind: str, **tags: str) -> list[Json]:
    """EC2's TagSpecifications."""
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def _names(line: Json, id: str) -> bool:
    if "|" in id:
        return str(line["arn"]).endswith(id.replace("|", "/"))
    return line["arn"] == id or str(line["arn"]).endswith((f"/{id}", f":{id}"))


def _auto_scaling_group(client: Clients, id: str) -> bool:
    found = client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[id])["AutoScalingGroups"]
    return any(not group.get("Status") for group in found)


def _instance(client: Clients, id: str) -> bool:
    found = client("ec2").describe_instances(InstanceIds=[id])["Reservations"]
    return any(i["State"]["Name"] not in ("shutting-down", "terminated") for each in found for i in each["Instances"])


def _volume(client: Clients, id: str) -> bool:
    found = client("ec2").describe_volumes(VolumeIds=[id])["Volumes"]
    return any(each["State"] not in ("deleting", "deleted") for each in found)


def _log_group(client: Clients, id: str) -> bool:
    found = client("logs").describe_log_groups(logGroupNamePrefix=id)["logGroups"]
    return any(each["logGroupName"] == id for each in found)


def _record(client: Clients, id: str) -> bool:
    zone, name, kind = id.split("|")
    pages = client("route53").get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    return (name, kind) in {(each["Name"], each["Type"]) for page in pages for each in page["ResourceRecordSets"]}


def _by_id(operation: str, argument: str) -> Callable[[Clients, str], bool]:
    return lambda client, id: _lists_any(getattr(client("ec2"), operation)(**{argument: [id]}))


def _lists_any(answer: Json) -> bool:
    """Whether the list in the answer is non-empty."""
    return any(isinstance(each, list) and each for each in answer.values())


def _balancing(client: Clients, id: str) -> bool:
    if ":targetgroup/" in id:
        return _lists_any(client("elbv2").describe_target_groups(TargetGroupArns=[id]))
    return _lists_any(client("elbv2").describe_load_balancers(LoadBalancerArns=[id]))


_LOOKS: tuple[tuple[str, Callable[[Clients, str], bool]], ...] = (
    ("arn:aws:elasticloadbalancing:", _balancing),
    ("vol-", _volume),
    ("i-", _instance),
    ("/aws/", _log_group),
    ("Z", _record),
    ("snap-", _by_id("describe_snapshots", "SnapshotIds")),
    ("sg-", _by_id("describe_security_groups", "GroupIds")),
    ("lt-", _by_id("describe_launch_templates", "LaunchTemplateIds")),
    ("key-", _by_id("describe_key_pairs", "KeyPairIds")),
    ("eni-", _by_id("describe_network_interfaces", "NetworkInterfaceIds")),
    ("rtb-", _by_id("describe_route_tables", "RouteTableIds")),
    ("eipalloc-", _by_id("describe_addresses", "AllocationIds")),
)

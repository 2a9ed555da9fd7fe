"""Reads AWS resources as the account's root, without the service's code.

`left_of` is a story's check that nothing is left; every story that relies on it has seen it non-empty before.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from emulator.core.settings import ACCOUNT
from sandbox.scenarios.controllers import controllers_of
from sandbox.scenarios.fleet import root_of
from sandbox.stage import Stage
from tests.story.steps import Lab, the_schedule_comes, until

Json = Any


def left_of(lab: Lab) -> list[str]:
    """The ids of all resources with the lab's tag or name, sorted, without terminated instances."""
    client = clients(lab)
    return sorted({*_tagged(client, lab), *_named(client, lab)})


def nothing_is_left_of(lab: Lab) -> None:
    """Wait until nothing is left of a lab with logging: late log lines recreate its log group until the later check."""
    if left_of(lab):
        the_schedule_comes(lab.learner.stage, later=timedelta(minutes=16))
    until(lambda: left_of(lab), lambda left: left == [], f"nothing is left of {lab.name}")


def clients(lab: Lab) -> Any:
    """A factory of clients as root of the lab's account, in its region."""
    return clients_in(lab.learner.stage, lab.region, lab.account)


def pods_of(lab: Lab, *actions: str) -> Any:
    """A factory of clients with the identity of controllers in the lab's cluster: CloudTrail names the lab's role as the
    creator.

    `actions`: the only permitted actions; the default is those that controllers commonly have.
    """
    found = cluster(clients(lab), lab.name)
    return controllers_of(lab.learner.stage.sandbox, found["identity"]["oidc"]["issuer"], lab.region, actions or None)


def clients_in(stage: Stage, region: str, account: str = ACCOUNT) -> Any:
    """A factory of clients as root of an account in a region."""
    return lambda service: stage.sandbox.client(service, credentials=root_of(account), region=region)


def cluster(client: Any, name: str) -> Json:
    """The cluster of this name, None when there is none."""
    eks = client("eks")
    try:
        return eks.describe_cluster(name=name)["cluster"]
    except eks.exceptions.ResourceNotFoundException:
        return None


def _tagged(client: Any, lab: Lab) -> Iterator[str]:
    mine = [{"Name": "tag:ekslab:lab-id", "Values": [lab.id]}]
    ec2 = client("ec2")
    yield from (vpc["VpcId"] for vpc in ec2.describe_vpcs(Filters=mine)["Vpcs"])
    yield from (subnet["SubnetId"] for subnet in ec2.describe_subnets(Filters=mine)["Subnets"])
    yield from (group["GroupId"] for group in ec2.describe_security_groups(Filters=mine)["SecurityGroups"])
    yield from (key["KeyPairId"] for key in ec2.describe_key_pairs(Filters=mine)["KeyPairs"])
    yield from (volume["VolumeId"] for volume in ec2.describe_volumes(Filters=mine)["Volumes"])
    for reservation in ec2.describe_instances(Filters=mine)["Reservations"]:
        alive = [i for i in reservation["Instances"] if i["State"]["Name"] not in ("shutting-down", "terminated")]
        yield from (instance["InstanceId"] for instance in alive)


def _named(client: Any, lab: Lab) -> Iterator[str]:
    stacks = client("cloudformation").describe_stacks()["Stacks"]
    yield from (s["StackName"] for s in stacks if lab.id in s["StackName"] and s["StackStatus"] != "DELETE_COMPLETE")
    yield from (role["RoleName"] for role in client("iam").list_roles()["Roles"] if lab.id in role["RoleName"])
    found = cluster(client, lab.name)
    if found and found["tags"].get("ekslab:lab-id") != lab.id:
        return  # A later cluster of this name is somebody else's.
    if found:
        yield found["arn"]
    groups = client("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
    yield from (g["AutoScalingGroupName"] for g in groups if _tag(g, "eks:cluster-name") == lab.name)
    logs = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/eks/{lab.name}/cluster")["logGroups"]
    yield from (group["logGroupName"] for group in logs)


def _tag(thing: Json, key: str) -> str | None:
    return next((tag["Value"] for tag in thing["Tags"] if tag["Key"] == key), None)

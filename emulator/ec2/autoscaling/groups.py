"""Keeps a group at its desired size: launches, replaces and terminates instances, with a record of each.

It acts over EC2's API as the service-linked role, so its instances are ordinary ones; EKS manages the group of a managed node
group, and is notified of lost instances.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError
from ministack.services import autoscaling

from emulator.core.actors import AUTO_SCALING
from emulator.core.clients import AwsClients

Group = dict[str, Any]
Lost = Callable[[str, str, str], None]
"""Takes the account, region and id of a lost instance of an EKS group."""
_GONE = ("shutting-down", "terminated", "stopping", "stopped")
_MOST_ACTIVITIES = 100


class Groups:
    """The groups of every account and region."""

    def __init__(self, aws: AwsClients, lost: Lost) -> None:
        self._aws, self._lost = aws, lost
        self._lock = threading.RLock()

    def settle(self, account: str, region: str, name: str) -> None:
        """Launch or terminate until the group has its desired size, as far as it can."""
        with self._lock:
            group = autoscaling._asgs.get_scoped(account, region, name)
            if group is None:
                return
            ec2 = self._aws.client("ec2", account, region, AUTO_SCALING)
            self._drop_lost(account, region, group, ec2)
            if group.get("KeptByEks"):
                return
            while len(group["Instances"]) > group["DesiredCapacity"]:
                self._terminate(ec2, group, group["Instances"].pop()["InstanceId"], "a difference in capacity")
            while len(group["Instances"]) < group["DesiredCapacity"] and self._launch(ec2, group):
                pass

    def empty(self, account: str, region: str, group: Group) -> None:
        """Terminate every instance of a group that is deleted by force."""
        ec2 = self._aws.client("ec2", account, region, AUTO_SCALING)
        with self._lock:
            for member in [] if group.get("KeptByEks") else group["Instances"]:
                self._terminate(ec2, group, member["InstanceId"], "the deletion of the group")

    def _drop_lost(self, account: str, region: str, group: Group, ec2: Any) -> None:
        states = _states(ec2, [member["InstanceId"] for member in group["Instances"]])
        for member in list(group["Instances"]):
            if states.get(member["InstanceId"], "terminated") in _GONE:
                group["Instances"].remove(member)
                cause = "an instance was taken out of service in response to an EC2 health check"
                _note(group, f"Terminating EC2 instance: {member['InstanceId']}", cause)
                if group.get("KeptByEks"):
                    self._lost(account, region, member["InstanceId"])

    def _launch(self, ec2: Any, group: Group) -> bool:
        """Launch one instance; False if EC2 refused, which is recorded in the activity."""
        subnets = [each for each in group["VPCZoneIdentifier"].split(",") if each]
        try:
            request = _request(ec2, group, subnets[len(group["Instances"]) % len(subnets)] if subnets else "")
            made = ec2.run_instances(MinCount=1, MaxCount=1, **request)["Instances"][0]
        except ClientError as refused:
            message = refused.response["Error"]["Message"]
            _note(group, "Launching a new EC2 instance", "a difference in capacity", f"{message} Launching EC2 failed.")
            return False
        member = {
            "InstanceId": made["InstanceId"],
            "LifecycleState": "InService",
            "HealthStatus": "Healthy",
            "AvailabilityZone": made["Placement"]["AvailabilityZone"],
            "ProtectedFromScaleIn": group["NewInstancesProtectedFromScaleIn"],
            "LaunchTemplate": group["LaunchTemplate"],
            "LaunchConfigurationName": group["LaunchConfigurationName"],
        }
        group["Instances"].append(member)
        _note(group, f"Launching a new EC2 instance: {made['InstanceId']}", "a difference in capacity")
        return True

    def _terminate(self, ec2: Any, group: Group, instance_id: str, cause: str) -> None:
        ec2.terminate_instances(InstanceIds=[instance_id])
        _note(group, f"Terminating EC2 instance: {instance_id}", cause)


def _states(ec2: Any, ids: list[str]) -> dict[str, str]:
    if not ids:
        return {}
    found = ec2.describe_instances(Filters=[{"Name": "instance-id", "Values": ids}])["Reservations"]
    return {each["InstanceId"]: each["State"]["Name"] for some in found for each in some["Instances"]}


def _request(ec2: Any, group: Group, subnet: str) -> dict[str, Any]:
    data = _launch_data(ec2, group)
    tags = {tag["Key"]: tag["Value"] for tag in group["Tags"] if tag.get("PropagateAtLaunch")}
    tags["aws:autoscaling:groupName"] = group["AutoScalingGroupName"]
    named = ("ImageId", "InstanceType", "KeyName", "SecurityGroupIds", "IamInstanceProfile", "UserData")
    request = {name: data[name] for name in (*named, "BlockDeviceMappings") if data.get(name)}
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    request["TagSpecifications"] = [{"ResourceType": "instance", "Tags": listed}]
    return request | ({"SubnetId": subnet} if subnet else {})


def _launch_data(ec2: Any, group: Group) -> dict[str, Any]:
    template = group["LaunchTemplate"]
    if not template:
        found = autoscaling._launch_configs.get(group["LaunchConfigurationName"]) or {}
        return {name: found.get(name) for name in ("ImageId", "InstanceType", "KeyName")}
    versions = ec2.describe_launch_template_versions(
        LaunchTemplateId=template["LaunchTemplateId"], Versions=[template.get("Version") or "$Default"]
    )["LaunchTemplateVersions"]
    data: dict[str, Any] = versions[0]["LaunchTemplateData"]
    return data


def _note(group: Group, what: str, cause: str, failure: str = "") -> None:
    """Keep an activity, newest first."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    activity = {"ActivityId": str(uuid.uuid4()), "Description": what, "Cause": f"At {now} {cause}.", "StartTime": now}
    activity |= {"EndTime": now, "StatusCode": "Failed" if failure else "Successful", "StatusMessage": failure}
    activities = group.setdefault("Activities", [])
    activities.insert(0, activity | {"Progress": "100", "Details": "{}"})
    del activities[_MOST_ACTIVITIES:]

"""Actions on Auto Scaling groups: `groups.py` carries them out a little later; groups in use cannot be deleted.

Sources: API reference of DeleteAutoScalingGroup (force) and the message that AWS answers with, as users quote it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import autoscaling
from ministack.services.cloudformation import provisioners

from emulator.core.clients import AwsClients
from emulator.core.clock import EmulatorClock
from emulator.core.identities import current
from emulator.core.later import later
from emulator.core.scope import scope
from emulator.ec2.actions import ACTIONS as EC2_ACTIONS
from emulator.ec2.actions import Action, Params, members, param, records
from emulator.ec2.autoscaling.groups import Group, Groups, Lost

SETTLES = 20.0
"""Seconds of AWS until a group acts on what changed."""
REPLACES = 60.0
"""Seconds of AWS until a group notices that an instance is gone."""
_TYPE = "AWS::AutoScaling::AutoScalingGroup"
_EKS = "eks-nodegroup.amazonaws.com"


def install(clock: EmulatorClock, aws: AwsClients, lost: Lost) -> None:
    """Make the groups of this process's emulator act; `lost` is called with lost instances of EKS's groups."""
    groups, actions = Groups(aws, lost), autoscaling._ACTION_MAP
    autoscaling._reconcile_instances = _leave_alone
    for action in ("CreateAutoScalingGroup", "UpdateAutoScalingGroup", "SetDesiredCapacity"):
        actions[action] = _changing(clock, groups, actions[action])
    actions["DeleteAutoScalingGroup"] = _deleting(groups, actions["DeleteAutoScalingGroup"])
    actions["DescribeScalingActivities"] = _describe_activities
    made = provisioners._RESOURCE_HANDLERS[_TYPE]
    provisioners._RESOURCE_HANDLERS[_TYPE] = {**made, "create": _creating(clock, groups, made["create"])}
    EC2_ACTIONS["TerminateInstances"] = _watching(clock, groups, EC2_ACTIONS["TerminateInstances"])


def _leave_alone(_group: Group) -> None:
    """Do nothing: ministack would invent instances here."""


def _changing(clock: EmulatorClock, groups: Groups, change: Action) -> Action:
    def change_and_settle(params: Params) -> Any:
        name = param(params, "AutoScalingGroupName")
        is_new = name not in autoscaling._asgs
        answer = change(params)
        if answer[0] == 200:
            group = autoscaling._asgs[name]
            if is_new:
                group["KeptByEks"] = current().service == _EKS
            _name_template(group)
            place = scope()
            later(clock, SETTLES, lambda: groups.settle(*place, name))
        return answer

    return change_and_settle


def _creating(clock: EmulatorClock, groups: Groups, create: Callable[..., Any]) -> Callable[..., Any]:
    def create_and_settle(logical_id: str, properties: Any, stack_name: str) -> Any:
        made, place = create(logical_id, properties, stack_name), scope()
        later(clock, SETTLES, lambda: groups.settle(*place, made[0]))
        return made

    return create_and_settle


def _name_template(group: Group) -> None:
    """A template has an id and a name; ministack keeps the given one for both."""
    given = group["LaunchTemplate"].get("LaunchTemplateId")
    for template in records("launch_templates"):
        if given in (template["LaunchTemplateId"], template["LaunchTemplateName"]):
            names = {key: template[key] for key in ("LaunchTemplateId", "LaunchTemplateName")}
            group["LaunchTemplate"] = group["LaunchTemplate"] | names


def _deleting(groups: Groups, delete: Action) -> Action:
    def delete_empty(params: Params) -> Any:
        group = autoscaling._asgs.get(param(params, "AutoScalingGroupName"))
        forced = param(params, "ForceDelete") == "true"
        if group and group["Instances"] and not forced:
            message = (
                "You cannot delete an AutoScalingGroup while there are instances or pending Spot instance request(s) "
                "still in the group."
            )
            return autoscaling._error("ResourceInUse", message)
        if group and group["Instances"]:
            place = scope()
            later(EmulatorClock(0), 0, lambda: groups.empty(*place, group))
        return delete(params)

    return delete_empty


def _watching(clock: EmulatorClock, groups: Groups, terminate: Action) -> Action:
    def terminate_and_tell(params: Params) -> Any:
        answer = terminate(params)
        gone, place = set(members(params, "InstanceId")), scope()
        for name, group in list(autoscaling._asgs.items()):
            if gone & {member["InstanceId"] for member in group["Instances"]}:
                later(clock, REPLACES, lambda name=name: groups.settle(*place, name))  # type: ignore[misc]
        return answer

    return terminate_and_tell


def _describe_activities(params: Params) -> Any:
    wanted = param(params, "AutoScalingGroupName")
    groups = [group for name, group in autoscaling._asgs.items() if wanted in ("", name)]
    found = [(group, activity) for group in groups for activity in group.get("Activities", ())]
    inner = "".join(_activity_xml(group, activity) for group, activity in found)
    result = f"<DescribeScalingActivitiesResult><Activities>{inner}</Activities></DescribeScalingActivitiesResult>"
    return autoscaling._xml(200, "DescribeScalingActivitiesResponse", result)


def _activity_xml(group: Group, activity: dict[str, str]) -> str:
    named = {"AutoScalingGroupName": group["AutoScalingGroupName"], "AutoScalingGroupARN": group["AutoScalingGroupARN"]}
    fields = {**named, **activity}
    return f"<member>{''.join(f'<{key}>{escape(value)}</{key}>' for key, value in fields.items() if value)}</member>"

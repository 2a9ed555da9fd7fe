"""Application and network load balancers: their interfaces hold on to subnets and groups, a while past their deletion.

CreateLoadBalancer and CreateTargetGroup with the same settings answer with the thing that is there (API reference); other settings
are refused in the words that aws-load-balancer-controller#3173 and fortigate-terraform-deploy#21 quote. A protected balancer is not
deleted (aws-cloudformation/rain#187).
"""

from collections.abc import Callable, MutableMapping
from typing import Any

from ministack.services import alb

from emulator.core.clock import EmulatorClock
from emulator.core.later import later
from emulator.ec2 import interfaces
from emulator.ec2.actions import Action, Params, Record, Refused, members, param, records, store

Settings = tuple[tuple[str, str], ...]

_settings: dict[str, Settings] = {}
"""The request of each balancer and target group, by ARN."""
_LONGEST_NAME, _FEWEST_ZONES = 32, 2
_PROTECTED = {"Key": "deletion_protection.enabled", "Value": "true"}
_IN_ARN = {"network": "net", "gateway": "gwy"}
interface_observers: list[Callable[[Record], None]] = []
"""Called with each interface that Elastic Load Balancing makes."""
INTERFACES_LINGER = 30.0
"""Seconds for which the interfaces of a deleted load balancer stay."""

ACTIONS: MutableMapping[str, Action] = alb._ACTION_MAP


def install(clock: EmulatorClock) -> None:
    """Correct the load balancers of this process's emulator."""
    ACTIONS["CreateLoadBalancer"] = _answering(_create(ACTIONS["CreateLoadBalancer"]))
    ACTIONS["DeleteLoadBalancer"] = _answering(_delete(clock, ACTIONS["DeleteLoadBalancer"]))
    ACTIONS["CreateTargetGroup"] = _answering(_create_target_group(ACTIONS["CreateTargetGroup"]))
    ACTIONS["DeleteTargetGroup"] = _answering(_delete_target_group(ACTIONS["DeleteTargetGroup"]))


def take_interfaces(subnets: list[str], groups: list[str], description: str, kind: str = "interface") -> None:
    """Make one load balancer's interface in each subnet. Raises Refused."""
    for subnet in subnets:
        made = interfaces.make(
            subnet,
            groups,
            description,
            Status="in-use",
            InterfaceType=kind,
            RequesterId="amazon-elb",
            Attachment=interfaces.attachment(index=1),
        )
        for observe in interface_observers:
            observe(made)


def give_back_interfaces(description: str) -> None:
    """Remove the interfaces of a load balancer, known by their description."""
    for interface in records("network_interfaces"):
        if interface["Description"] == description:
            interfaces.remove(interface["NetworkInterfaceId"])


def _create(create: Action) -> Action:
    def create_with_interfaces(params: Params) -> Any:
        subnets = members(params, "Subnets.member")
        _check_name("The load balancer", param(params, "Name"))
        if missing := [subnet for subnet in subnets if subnet not in store("subnets")]:
            raise Refused("SubnetNotFound", f"The subnet ID '{missing[0]}' does not exist")
        zones = {store("subnets")[subnet]["AvailabilityZone"] for subnet in subnets}
        if subnets and len(zones) < _FEWEST_ZONES and param(params, "Type") in ("", "application"):
            raise Refused(
                "ValidationError", "At least two subnets in two different Availability Zones must be specified"
            )
        if same := _same_again(params, "load balancer", "LoadBalancerName", alb._lbs):
            return alb._xml(200, "CreateLoadBalancer", f"<LoadBalancers>{alb._lb_xml(same)}</LoadBalancers>")
        if subnets:
            params["VpcId"] = [store("subnets")[subnets[0]]["VpcId"]]
        answer = create(params)
        balancer = next((b for b in alb._lbs.values() if b["LoadBalancerName"] == param(params, "Name")), None)
        if answer[0] != 200 or balancer is None:
            return answer
        _settings[_arn_by_type(balancer)] = _asked(params)
        kind = "network_load_balancer" if balancer["Type"] == "network" else "interface"
        take_interfaces(subnets, balancer["SecurityGroups"], _description(balancer), kind)
        return alb._xml(200, "CreateLoadBalancer", f"<LoadBalancers>{alb._lb_xml(balancer)}</LoadBalancers>")

    return create_with_interfaces


def _delete(clock: EmulatorClock, delete: Action) -> Action:
    def delete_with_parts(params: Params) -> Any:
        arn = param(params, "LoadBalancerArn")
        balancer = alb._lbs.get(arn)
        if any(each == _PROTECTED for each in alb._lb_attrs.get(arn, [])):
            message = f"Load balancer '{arn}' cannot be deleted because deletion protection is enabled"
            raise Refused("OperationNotPermitted", message)
        if balancer:
            for listener in [key for key, value in alb._listeners.items() if value["LoadBalancerArn"] == arn]:
                ACTIONS["DeleteListener"]({"ListenerArn": [listener]})
            later(clock, INTERFACES_LINGER, lambda: give_back_interfaces(_description(balancer)))
        return delete(params)

    return delete_with_parts


def _create_target_group(create: Action) -> Action:
    def create_once(params: Params) -> Any:
        _check_name("Target group", param(params, "Name"))
        if same := _same_again(params, "target group", "TargetGroupName", alb._tgs):
            return alb._xml(200, "CreateTargetGroup", f"<TargetGroups>{alb._tg_xml(same)}</TargetGroups>")
        answer = create(params)
        for group in alb._tgs.values():
            if answer[0] == 200 and group["TargetGroupName"] == param(params, "Name"):
                _settings[group["TargetGroupArn"]] = _asked(params)
        return answer

    return create_once


def _check_name(what: str, name: str) -> None:
    if len(name) > _LONGEST_NAME:
        raise Refused("ValidationError", f"{what} name '{name}' cannot be longer than '{_LONGEST_NAME}' characters")


def _same_again(params: Params, what: str, key: str, known: Any) -> Record | None:
    """The existing resource of this name, if its request had the same settings; Refused if it had others."""
    name = param(params, "Name")
    found = next((each for each in known.values() if each[key] == name), None)
    if found is None:
        return None
    if _settings.get(found[key.replace("Name", "Arn")]) != _asked(params):
        code = "DuplicateLoadBalancerName" if key == "LoadBalancerName" else "DuplicateTargetGroupName"
        raise Refused(code, f"A {what} with the same name '{name}' exists, but with different settings")
    result: Record = found
    return result


def _asked(params: Params) -> Settings:
    """A request's settings without tags: whether AWS compares tags is unknown, so they are ignored here."""
    rest = ((name, param(params, name)) for name in params if not name.startswith(("Tags.", "VpcId")))
    vpc = [] if members(params, "Subnets.member") else [("VpcId", param(params, "VpcId"))]
    return tuple(sorted((*rest, *vpc)))


def _arn_by_type(balancer: Record) -> str:
    """A network load balancer's ARN says `net/`; ministack calls each of them an application load balancer."""
    before = balancer["LoadBalancerArn"]
    arn = before.replace("loadbalancer/app/", f"loadbalancer/{_IN_ARN.get(balancer['Type'], 'app')}/")
    balancer["LoadBalancerArn"] = arn
    for kept in (alb._lbs, alb._lb_attrs, alb._tags):
        if arn != before and before in kept:
            kept[arn] = kept.pop(before)
    return str(arn)


def _delete_target_group(delete: Action) -> Action:
    def delete_unused(params: Params) -> Any:
        arn = param(params, "TargetGroupArn")
        if any(arn in str(used["DefaultActions"]) for used in alb._listeners.values()) or any(
            arn in str(rule.get("Actions")) for rule in alb._rules.values()
        ):
            raise Refused("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
        if (
            arn not in alb._tgs
        ):  # Deleting is fine then: the model of DeleteTargetGroup has no other error than ResourceInUse.
            return alb._xml(200, "DeleteTargetGroup", "")
        return delete(params)

    return delete_unused


def _description(balancer: Record) -> str:
    kind = "net" if balancer["Type"] == "network" else "app"
    name, identifier = balancer["LoadBalancerArn"].split("/")[-2:]
    return f"ELB {kind}/{name}/{identifier}"


def _answering(function: Action) -> Action:
    def act(params: Params) -> Any:
        try:
            return function(params)
        except Refused as refused:
            return alb._error(refused.code, refused.message, refused.status)

    return act

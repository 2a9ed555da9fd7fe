"""Application and network load balancers: their interfaces hold on to subnets and groups, a while past their deletion."""

from collections.abc import MutableMapping
from typing import Any

from ministack.services import alb

from emulator.core.clock import EmulatorClock
from emulator.core.later import later
from emulator.ec2 import interfaces
from emulator.ec2.actions import Action, Params, Record, Refused, members, param, records, store

INTERFACES_LINGER = 30.0
"""Seconds for which the interfaces of a deleted load balancer stay."""

ACTIONS: MutableMapping[str, Action] = alb._ACTION_MAP


def install(clock: EmulatorClock) -> None:
    """Correct the load balancers of this process's emulator."""
    ACTIONS["CreateLoadBalancer"] = _answering(_create(ACTIONS["CreateLoadBalancer"]))
    ACTIONS["DeleteLoadBalancer"] = _delete(clock, ACTIONS["DeleteLoadBalancer"])
    ACTIONS["DeleteTargetGroup"] = _answering(_delete_target_group(ACTIONS["DeleteTargetGroup"]))


def take_interfaces(subnets: list[str], groups: list[str], description: str, kind: str = "interface") -> None:
    """Make one load balancer's interface in each subnet. Raises Refused."""
    for subnet in subnets:
        interfaces.make(
            subnet,
            groups,
            description,
            Status="in-use",
            InterfaceType=kind,
            RequesterId="amazon-elb",
            Attachment=interfaces.attachment(index=1),
        )


def give_back_interfaces(description: str) -> None:
    """Remove the interfaces of a load balancer, known by their description."""
    for interface in records("network_interfaces"):
        if interface["Description"] == description:
            interfaces.remove(interface["NetworkInterfaceId"])


def _create(create: Action) -> Action:
    def create_with_interfaces(params: Params) -> Any:
        subnets = members(params, "Subnets.member")
        if missing := [subnet for subnet in subnets if subnet not in store("subnets")]:
            raise Refused("SubnetNotFound", f"The subnet ID '{missing[0]}' does not exist")
        if subnets:
            params["VpcId"] = [store("subnets")[subnets[0]]["VpcId"]]
        answer = create(params)
        balancer = next((b for b in alb._lbs.values() if b["LoadBalancerName"] == param(params, "Name")), None)
        if answer[0] != 200 or balancer is None:
            return answer
        kind = "network_load_balancer" if balancer["Type"] == "network" else "interface"
        take_interfaces(subnets, balancer["SecurityGroups"], _description(balancer), kind)
        return answer

    return create_with_interfaces


def _delete(clock: EmulatorClock, delete: Action) -> Action:
    def delete_with_parts(params: Params) -> Any:
        arn = param(params, "LoadBalancerArn")
        balancer = alb._lbs.get(arn)
        if balancer:
            for listener in [key for key, value in alb._listeners.items() if value["LoadBalancerArn"] == arn]:
                ACTIONS["DeleteListener"]({"ListenerArn": [listener]})
            later(clock, INTERFACES_LINGER, lambda: give_back_interfaces(_description(balancer)))
        return delete(params)

    return delete_with_parts


def _delete_target_group(delete: Action) -> Action:
    def delete_unused(params: Params) -> Any:
        arn = param(params, "TargetGroupArn")
        if any(arn in str(used["DefaultActions"]) for used in alb._listeners.values()) or any(
            arn in str(rule.get("Actions")) for rule in alb._rules.values()
        ):
            raise Refused("ResourceInUse", f"Target group '{arn}' is currently in use by a listener or a rule")
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

"""Instances: each comes with a primary interface and a root volume, and takes both along when it is terminated.

A request with a client token that was seen before gives the instances of the first request.
"""

import re
from typing import Any

from ministack.services import ec2

from emulator.core.scope import scope
from emulator.ec2 import interfaces
from emulator.ec2.actions import (
    ACTIONS,
    Action,
    Params,
    Record,
    Refused,
    members,
    param,
    records,
    store,
    success,
    tag_specification,
    tags,
)

_by_token: dict[tuple[tuple[str, str], str], tuple[dict[str, Any], list[str]]] = {}


def install() -> None:
    """Correct RunInstances and TerminateInstances."""
    print_instance = ec2._instance_xml
    ec2._instance_xml = lambda instance: _with_cpus(_with_interfaces(str(print_instance(instance)), instance), instance)
    ACTIONS["RunInstances"] = _once(_run(ACTIONS["RunInstances"]))
    ACTIONS["TerminateInstances"] = _terminate(ACTIONS["TerminateInstances"])


def _with_cpus(xml: str, instance: Record) -> str:
    """The instance with its CPU options: two threads a core, one on Graviton; derived from the size, as in most EC2 families."""
    family, _, size = str(instance["InstanceType"]).partition(".")
    times = re.fullmatch(r"(\d*)xlarge", size)
    vcpus = 4 * int(times[1] or 1) if times else 2
    threads = 1 if re.match(r"[a-z]+\d+g", family) else 2
    options = (
        f"<cpuOptions><coreCount>{vcpus // threads}</coreCount><threadsPerCore>{threads}</threadsPerCore></cpuOptions>"
    )
    head, end, tail = xml.rpartition("</item>")
    return f"{head}{options}{end}{tail}"


def _once(run: Action) -> Action:
    def run_once(params: Params) -> Any:
        key = (scope(), param(params, "ClientToken"))
        if key not in _by_token:
            answer = run(params)
            if key[1] and answer[0] == 200:
                _by_token[key] = (dict(params), _instance_ids(answer[2]))
            return answer
        first, instance_ids = _by_token[key]
        if first != dict(params):
            raise Refused("IdempotentParameterMismatch", "The request uses a client token of another request.")
        inner = "".join(ec2._instance_xml(store("instances")[i]) for i in instance_ids if i in store("instances"))
        return success("RunInstances", f"<instancesSet>{inner}</instancesSet>")

    return run_once


def _run(run: Action) -> Action:
    def run_with_parts(params: Params) -> Any:
        if not any(name == "ImageId" or name.startswith("LaunchTemplate.") for name in params):
            raise Refused("MissingParameter", "The request must contain the parameter ImageId")
        plain = _without_interface_specification(params)
        answer = run(plain)
        if answer[0] != 200:
            return answer
        made = [store("instances")[instance_id] for instance_id in _instance_ids(answer[2])]
        try:
            for instance in made:
                _give_parts(instance, plain)
        except Refused:
            for instance in made:
                store("instances").pop(instance["InstanceId"])
                _release_parts(instance["InstanceId"])
            raise
        instances_xml = "".join(ec2._instance_xml(instance) for instance in made)
        return success("RunInstances", f"<instancesSet>{instances_xml}</instancesSet>")

    return run_with_parts


def _terminate(terminate: Action) -> Action:
    def terminate_with_parts(params: Params) -> Any:
        answer = terminate(params)
        if answer[0] == 200:
            for instance_id in members(params, "InstanceId"):
                _release_parts(instance_id)
        return answer

    return terminate_with_parts


def _without_interface_specification(params: Params) -> Params:
    prefix = "NetworkInterface.1."
    plain = {name: value for name, value in params.items() if not name.startswith("NetworkInterface.")}
    if subnet := param(params, f"{prefix}SubnetId"):
        plain["SubnetId"] = [subnet]
    for number, group in enumerate(members(params, f"{prefix}SecurityGroupId"), 1):
        plain[f"SecurityGroupId.{number}"] = [group]
    if public := param(params, f"{prefix}AssociatePublicIpAddress"):
        plain["AssociatePublicIpAddress"] = [public]
    return plain


def _give_parts(instance: Record, params: Params) -> None:
    subnet = store("subnets").get(instance["SubnetId"], {})
    public = param(params, "AssociatePublicIpAddress") or str(bool(subnet.get("MapPublicIpOnLaunch"))).lower()
    instance["PublicIpAddress"] = instance["PublicIpAddress"] if public == "true" else ""
    interface = interfaces.make(
        instance["SubnetId"],
        members(params, "SecurityGroupId"),
        address=param(params, "PrivateIpAddress"),
        Status="in-use",
        Attachment=interfaces.attachment(instance["InstanceId"]),
        PublicIp=instance["PublicIpAddress"],
    )
    tags()[interface["NetworkInterfaceId"]] = tag_specification(params, "network-interface")
    instance["PrivateIpAddress"] = interface["PrivateIpAddress"]
    instance["SecurityGroups"] = interface["Groups"]
    instance["Placement"]["AvailabilityZone"] = subnet["AvailabilityZone"]
    for volume in _volumes_of(instance["InstanceId"]):
        volume["AvailabilityZone"] = subnet["AvailabilityZone"]
        volume["Size"] = int(param(params, "BlockDeviceMapping.1.Ebs.VolumeSize") or volume["Size"])
        tags()[volume["VolumeId"]] = tag_specification(params, "volume")


def _with_interfaces(text: str, instance: Record) -> str:
    attached = [
        interface
        for interface in records("network_interfaces")
        if (interface.get("Attachment") or {}).get("InstanceId") == instance["InstanceId"]
    ]
    inner = "".join(ec2._eni_fields_xml(interface) for interface in attached)
    head, end, tail = text.rpartition("</item>")
    return f"{head}<networkInterfaceSet>{inner}</networkInterfaceSet>{end}{tail}"


def _release_parts(instance_id: str) -> None:
    for interface in records("network_interfaces"):
        attached = interface.get("Attachment") or {}
        if attached.get("InstanceId") != instance_id:
            continue
        if attached.get("DeleteOnTermination"):
            interfaces.remove(interface["NetworkInterfaceId"])
        else:
            interface |= {"Status": "available", "Attachment": None}
    for volume in _volumes_of(instance_id):
        if volume["Attachments"][0].get("DeleteOnTermination"):
            store("volumes").pop(volume["VolumeId"])
            tags().pop(volume["VolumeId"], None)
        else:
            volume |= {"State": "available", "Attachments": []}


def _volumes_of(instance_id: str) -> list[Record]:
    return [v for v in records("volumes") if any(a["InstanceId"] == instance_id for a in v["Attachments"])]


def _instance_ids(body: bytes) -> list[str]:
    return re.findall(r"<instanceId>(i-[0-9a-f]+)</instanceId>", body.decode())

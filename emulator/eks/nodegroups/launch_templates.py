"""Launch templates of node groups: looked up in EC2, reduced to the members that EKS uses."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import ClientError

from emulator.eks.http.call import Call
from emulator.eks.http.errors import invalid_parameter
from emulator.eks.state.world import World


def find_template(world: World, call: Call) -> tuple[dict[str, str], dict[str, Any]]:
    """Return the launch template that the request names as EKS shows it (id, name, version), and its data.

    Both are empty if it names none. Raises InvalidParameterException if the template does not exist.
    """
    asked = call.given.get("launchTemplate")
    if not asked:
        return {}, {}
    if bool(asked.get("id")) == bool(asked.get("name")):
        raise invalid_parameter("You must specify either the launch template ID or the launch template name, not both")
    key = {"LaunchTemplateId": asked["id"]} if asked.get("id") else {"LaunchTemplateName": asked["name"]}
    ec2 = world.aws.client("ec2", call.caller.account, call.caller.region)
    try:
        answer = ec2.describe_launch_template_versions(**key, Versions=[asked.get("version", "$Default")])
    except ClientError as refused:
        raise invalid_parameter(refused.response["Error"]["Message"]) from refused
    if not answer["LaunchTemplateVersions"]:
        raise invalid_parameter(f"Launch template version {asked.get('version')} does not exist")
    found = answer["LaunchTemplateVersions"][0]
    named = {"id": found["LaunchTemplateId"], "name": found["LaunchTemplateName"]}
    return {**named, "version": str(found["VersionNumber"])}, found["LaunchTemplateData"]


def template_groups(template: dict[str, Any]) -> list[str]:
    """Return the security groups a template gives its instances."""
    interfaces = template.get("NetworkInterfaces") or [{}]
    groups: list[str] = template.get("SecurityGroupIds") or interfaces[0].get("Groups") or []
    return groups


def gives_public_address(template: dict[str, Any]) -> bool:
    """Whether a template requests a public address itself, independent of the subnet."""
    interfaces = template.get("NetworkInterfaces") or [{}]
    return bool(interfaces[0].get("AssociatePublicIpAddress"))


def template_tags(template: dict[str, Any], kind: str) -> dict[str, str]:
    """Return the tags a template puts on resources of a kind, e.g. `instance` or `volume`."""
    specifications = template.get("TagSpecifications") or []
    tags = [tag for each in specifications if each.get("ResourceType") == kind for tag in each.get("Tags", [])]
    return {tag["Key"]: tag["Value"] for tag in tags}

"""The CloudFormation template of one lab: all static resources before and beside the cluster (ADR 4).

`lab_template(lab)` is the template's JSON text, `lab_parameters(lab, zones)` its parameters; the same lab gives the same text.

Outputs, which workflows rely on by these names:
  always             VpcId PublicSubnetIds PrivateSubnetIds (comma-joined, may be empty) ClusterRoleArn NodeRoleArn NodeRoleName
                     ControlPlaneSecurityGroupId NodeSecurityGroupId LaunchTemplate<n>Id LaunchTemplate<n>Version (n counts
                     spec.nodegroups from 0)
  with ssh           RemoteAccessSecurityGroupId
  with a work host   WorkHostSecurityGroupId WorkHostProfileName WorkHostRoleArn
  with external-dns  ExternalDnsRoleArn
  with the add-on vpc-cni             CniRoleArn
  with the owner's access role        AccessRoleArn
  with the add-on aws-ebs-csi-driver  EbsCsiRoleArn
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import ExistingNetwork
from chalicelib.domain.stack.intrinsics import Json, ref, resource, tag_list
from chalicelib.domain.stack.launch_templates import launch_template_outputs, launch_templates
from chalicelib.domain.stack.network import existing_network_outputs, network_outputs, new_network
from chalicelib.domain.stack.roles import role_outputs, roles
from chalicelib.domain.stack.security_groups import group_outputs, security_groups

#: The retention of the control plane's log: as long as somebody may ask about the lab.
_LOG_DAYS = 30
_ZONE = "AWS::EC2::AvailabilityZone::Name"


def lab_template(lab: Lab) -> str:
    """The template as compact JSON, far below CloudFormation's 51,200 bytes for a template sent inline."""
    return json.dumps(lab_stack(lab), separators=(",", ":"), sort_keys=True)


def lab_parameters(lab: Lab, zones: Sequence[str] = ()) -> dict[str, str]:
    """The template's parameters: `ZoneA`, `ZoneB` of a new network (the spec's own, else the first two of `zones`), `VpcId` of
    an existing one (`lab.facts.vpc_id` if the spec names subnets only). Raises ValueError if they are unknown.
    """
    network = lab.spec.network
    if isinstance(network, ExistingNetwork):
        vpc_id = network.vpc_id or lab.facts.vpc_id
        if vpc_id is None:
            raise ValueError("The VPC of an existing network must be looked up before its stack is made.")
        return {"VpcId": vpc_id}
    chosen = network.zones or tuple(zones)
    if len(chosen) < 2:
        raise ValueError("A new network needs two availability zones.")
    return {"ZoneA": chosen[0], "ZoneB": chosen[1]}


def lab_stack(lab: Lab) -> Json:
    """The template as a document."""
    existing = isinstance(lab.spec.network, ExistingNetwork)
    kinds = {"VpcId": "AWS::EC2::VPC::Id"} if existing else dict.fromkeys(("ZoneA", "ZoneB"), _ZONE)
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": f"ekslab: network, security groups, roles and launch templates of lab {lab.id}",
        "Parameters": {name: {"Type": kind} for name, kind in kinds.items()},
        "Resources": {
            **new_network(lab),
            **security_groups(lab, _vpc(lab)),
            **roles(lab),
            **launch_templates(lab),
            **_log_groups(lab),
        },
        "Outputs": {
            name: {"Value": value}
            for name, value in {
                "VpcId": _vpc(lab),
                **(existing_network_outputs(lab) if existing else network_outputs()),
                **group_outputs(lab),
                **role_outputs(lab),
                **launch_template_outputs(lab),
            }.items()
        },
    }


def _vpc(lab: Lab) -> Json:
    return ref("VpcId" if isinstance(lab.spec.network, ExistingNetwork) else "Vpc")


def _log_groups(lab: Lab) -> Json:
    """The control plane's log group, created before the cluster so that EKS uses it and the stack deletes it.

    None without control-plane logs, and none if a log group of that name existed before: EKS writes into that one.
    """
    if not lab.spec.log_types or lab.facts.logs_were_there:
        return {}
    properties = {
        "LogGroupName": f"/aws/eks/{lab.name}/cluster",
        "RetentionInDays": _LOG_DAYS,
        "Tags": tag_list({"Name": lab.stack_name}),
    }
    return {"ControlPlaneLogs": resource("Logs::LogGroup", properties)}

"""The lab's IAM roles in its stack, each with least privilege, all under the path `/ekslab/`.

The path lets the service's own policies name `role/ekslab/*` and nothing else. Its permissions boundary, a policy of the
installation's, limits them all: without it none can be created. Pods get their permissions by EKS Pod Identity,
never through the node role, which every pod of the node could use.
"""

from __future__ import annotations

from typing import Any

from chalicelib.domain.labs.access_role import (
    ACCESS_ROLE_ARN,
    access_role_name,
    access_trust,
    owner_by_access_role,
)
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import ExternalDnsSpec
from chalicelib.domain.stack.addon_roles import ADDON_ROLES, EBS_CSI, EXTERNAL_DNS, VPC_CNI
from chalicelib.domain.stack.cni_policy import cni_policy
from chalicelib.domain.stack.intrinsics import Json, attribute, filled, ref, resource

ROLE_PATH = "/ekslab/"

_CLUSTER_POLICIES = ("AmazonEKSClusterPolicy", "AmazonEKSVPCResourceController")
_NODE_POLICIES = (
    "AmazonEKSWorkerNodePolicy",
    "AmazonEC2ContainerRegistryPullOnly",
    "AmazonSSMManagedInstanceCore",
)
#: Source: Service Authorization Reference, condition keys of Route 53.
_CHANGES = "route53:ChangeResourceRecordSets"
_CLUSTER_ARN = "arn:${AWS::Partition}:eks:${AWS::Region}:${AWS::AccountId}:cluster/%s"


def roles(lab: Lab) -> Json:
    """Cluster, nodes; the access role, work host, external-dns, CNI and EBS CSI driver if the lab has them."""
    made: Json = {
        "ClusterRole": _role(lab, _trusting("eks.amazonaws.com", tags=True), _CLUSTER_POLICIES),
        "NodeRole": _role(lab, _trusting("ec2.amazonaws.com"), _NODE_POLICIES),
    }
    person = owner_by_access_role(lab)
    if person is not None:
        made["AccessRole"] = _role(lab, access_trust(person), (), name=access_role_name(lab))
    if lab.spec.work_host is not None:
        made["WorkHostRole"] = _role(
            lab, _trusting("ec2.amazonaws.com"), ("AmazonSSMManagedInstanceCore",), _allow_describing(lab)
        )
        made["WorkHostProfile"] = resource("IAM::InstanceProfile", {"Path": ROLE_PATH, "Roles": [ref("WorkHostRole")]})
    if lab.spec.external_dns is not None:
        records = _allow_records(lab.spec.external_dns)
        made["ExternalDnsRole"] = _role(lab, _trusting_pods(lab, EXTERNAL_DNS), (), records)
    if has_addon(lab, VPC_CNI):
        made["CniRole"] = _role(lab, _trusting_pods(lab, VPC_CNI), (), cni_policy(lab))
    if has_addon(lab, EBS_CSI):
        made["EbsCsiRole"] = _role(lab, _trusting_pods(lab, EBS_CSI), ("AmazonEBSCSIDriverEKSClusterScopedPolicy",))
    return made


def role_outputs(lab: Lab) -> dict[str, Any]:
    """The roles' ARNs, and the names for later calls."""
    outputs: dict[str, Any] = {
        "ClusterRoleArn": attribute("ClusterRole", "Arn"),
        "NodeRoleArn": attribute("NodeRole", "Arn"),
        "NodeRoleName": ref("NodeRole"),
    }
    if owner_by_access_role(lab) is not None:
        outputs[ACCESS_ROLE_ARN] = attribute("AccessRole", "Arn")
    if lab.spec.work_host is not None:
        outputs["WorkHostProfileName"] = ref("WorkHostProfile")
        outputs["WorkHostRoleArn"] = attribute("WorkHostRole", "Arn")
    if lab.spec.external_dns is not None:
        outputs["ExternalDnsRoleArn"] = attribute("ExternalDnsRole", "Arn")
    if has_addon(lab, VPC_CNI):
        outputs["CniRoleArn"] = attribute("CniRole", "Arn")
    if has_addon(lab, EBS_CSI):
        outputs["EbsCsiRoleArn"] = attribute("EbsCsiRole", "Arn")
    return outputs


def has_addon(lab: Lab, name: str) -> bool:
    """Whether the lab requested the add-on."""
    return any(addon.name == name for addon in lab.spec.addons)


def boundary_name(installation: str) -> str:
    """The path and name of the policy that limits the roles of an installation's labs, as in `.chalice/template.json`."""
    return f"{ROLE_PATH}{installation}-labs"


def _role(lab: Lab, trust: Json, managed: tuple[str, ...], inline: Json | None = None, name: str = "") -> Json:
    properties: Json = {"Path": ROLE_PATH, "AssumeRolePolicyDocument": trust} | ({"RoleName": name} if name else {})
    if lab.installation:
        policy = f"policy{boundary_name(lab.installation)}"
        properties["PermissionsBoundary"] = filled(f"arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:{policy}")
    if managed:
        properties["ManagedPolicyArns"] = [
            filled(f"arn:${{AWS::Partition}}:iam::aws:policy/{name}") for name in managed
        ]
    if inline is not None:
        properties["Policies"] = [inline]
    return resource("IAM::Role", properties)


def _trusting(service: str, tags: bool = False, condition: Json | None = None) -> Json:
    statement: Json = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": ["sts:AssumeRole", "sts:TagSession"] if tags else ["sts:AssumeRole"],
    }
    if condition is not None:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


def _trusting_pods(lab: Lab, addon: str) -> Json:
    """Pods of the add-on's service account in this cluster only: Pod Identity puts both into session tags."""
    return _trusting(
        "pods.eks.amazonaws.com",
        tags=True,
        condition={
            "StringEquals": {
                "aws:RequestTag/eks-cluster-arn": filled(_CLUSTER_ARN % lab.name),
                "aws:RequestTag/kubernetes-service-account": ADDON_ROLES[addon].service_account,
            }
        },
    )


def _allow_describing(lab: Lab) -> Json:
    """The call of `aws eks update-kubeconfig`."""
    return _policy("describe-cluster", [("eks:DescribeCluster",)], [filled(_CLUSTER_ARN % lab.name)])


def _allow_records(dns: ExternalDnsSpec) -> Json:
    """Records below the lab's own subdomain, of external-dns's types; it may read the whole zone.

    Listing zones has no narrower resource than all. AWS compares names in lower case and without the last dot; its
    condition also holds for a request without a name, so that a second condition requires one.
    """
    zone = filled(f"arn:${{AWS::Partition}}:route53:::hostedzone/{dns.hosted_zone_id}")
    read = ("route53:ListResourceRecordSets", "route53:ListTagsForResource")
    policy = _policy("records-of-one-subdomain", [read, ("route53:ListHostedZones",)], [zone, "*"])
    names, types = f"{_CHANGES}NormalizedRecordNames", f"{_CHANGES}RecordTypes"
    policy["PolicyDocument"]["Statement"].append(
        {
            "Effect": "Allow",
            "Action": ["route53:ChangeResourceRecordSets"],
            "Resource": zone,
            "Condition": {
                "ForAllValues:StringLike": {names: [f"*.{dns.domain.lower()}"]},
                "ForAllValues:StringEquals": {types: ["A", "AAAA", "CNAME", "TXT"]},
                "Null": {names: "false", types: "false"},
            },
        }
    )
    return policy


def _policy(name: str, actions: list[tuple[str, ...]], resources: list[Any]) -> Json:
    statements = [
        {"Effect": "Allow", "Action": list(some), "Resource": where}
        for some, where in zip(actions, resources, strict=True)
    ]
    return {"PolicyName": name, "PolicyDocument": {"Version": "2012-10-17", "Statement": statements}}

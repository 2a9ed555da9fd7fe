"""The lab's stack: its resources for each kind of lab, and CloudFormation's own rules for all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chalicelib.domain.labs.lab import ClusterFacts, Lab
from chalicelib.domain.labs.spec import (
    AddonSpec,
    ExistingNetwork,
    ExternalDnsSpec,
    NatMode,
    NewNetwork,
    NodegroupSpec,
    SshSpec,
    WorkHostSpec,
)
from chalicelib.domain.stack.template import lab_parameters, lab_stack, lab_template
from tests.aws.given import a_lab

SSH = SshSpec(key_name="my-key", public_key=None, cidrs=("203.0.113.7/32", "2001:db8::/64"))
EVERYTHING: dict[str, Any] = {
    "network": NewNetwork(nat=NatMode.SINGLE),
    "ssh": SSH,
    "external_dns": ExternalDnsSpec("Z0123456789", "lab.example.com"),
    "work_host": WorkHostSpec(),
    "addons": (AddonSpec("aws-ebs-csi-driver"), AddonSpec("vpc-cni")),
    "nodegroups": (NodegroupSpec("a"), NodegroupSpec("b", ami_type="BOTTLEROCKET_x86_64", tags={"team": "blue"})),
    "tags": {"course": "eks", "odd": "a b+c=d"},
}
SSO = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs/jane@example.com"
GUEST = ExistingNetwork("vpc-0123456789abcdef0", ("subnet-0a", "subnet-0b"), ())
LABS = {
    "the least": a_lab(),
    "everything": a_lab(**EVERYTHING),
    "a guest": a_lab(network=GUEST),
    "a guest with everything": a_lab(**{**EVERYTHING, "network": GUEST}),
    "a person of the directory": replace(a_lab(access_role=True), owner=SSO),
    "no node groups": a_lab(nodegroups=()),
    "a small network": a_lab(network=NewNetwork("10.0.0.0/24", ("ap-northeast-2a", "ap-northeast-2c"))),
    "an imported key": a_lab(ssh=SshSpec(None, "ssh-ed25519 AAAA me", ("0.0.0.0/0",))),
    "ssh for nobody": a_lab(ssh=SshSpec("my-key", None, ()), work_host=WorkHostSpec()),
}


def resources(lab: Lab) -> dict[str, Any]:
    made: dict[str, Any] = lab_stack(lab)["Resources"]
    return made


def properties(lab: Lab, name: str) -> dict[str, Any]:
    wanted: dict[str, Any] = resources(lab)[name]["Properties"]
    return wanted


@pytest.mark.slow
def test_cfn_lint_has_nothing_to_say_about_any_of_them(tmp_path: Path) -> None:
    files = []
    for name, lab in LABS.items():
        file = tmp_path / f"{name.replace(' ', '-')}.json"
        file.write_text(lab_template(lab))
        files.append(str(file))
    command = [str(Path(sys.executable).with_name("cfn-lint")), "--region", "ap-northeast-2", "--", *files]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, ""), checked.stdout + checked.stderr


@pytest.mark.parametrize("name", LABS)
def test_the_same_lab_gives_the_same_text_below_the_limit(name: str) -> None:
    text = lab_template(LABS[name])
    assert text == lab_template(LABS[name])
    assert len(text.encode()) < 51_200


def test_ten_node_groups_still_fit() -> None:
    many = a_lab(**{**EVERYTHING, "nodegroups": tuple(NodegroupSpec(f"group-{n}") for n in range(10))})
    assert len(lab_template(many).encode()) < 51_200


def test_outputs_are_the_documented_ones() -> None:
    least = {
        "VpcId", "PublicSubnetIds", "PrivateSubnetIds", "ClusterRoleArn", "NodeRoleArn", "NodeRoleName",
        "ControlPlaneSecurityGroupId", "NodeSecurityGroupId", "LaunchTemplate0Id", "LaunchTemplate0Version", "CniRoleArn",
    }  # fmt: skip
    more = {
        "RemoteAccessSecurityGroupId", "WorkHostSecurityGroupId", "WorkHostProfileName", "WorkHostRoleArn",
        "ExternalDnsRoleArn", "EbsCsiRoleArn", "LaunchTemplate1Id", "LaunchTemplate1Version",
    }  # fmt: skip
    for name, expected in {"the least": least, "a guest": least, "everything": least | more}.items():
        assert set(lab_stack(LABS[name])["Outputs"]) == expected


def test_a_guest_makes_no_network_and_touches_none() -> None:
    kinds = {made["Type"] for made in resources(LABS["a guest with everything"]).values()}
    assert kinds == {
        "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::LaunchTemplate",
        "AWS::IAM::Role", "AWS::IAM::InstanceProfile",
    }  # fmt: skip


def test_a_new_network_is_cut_into_quarters_public_ones_first() -> None:
    lab = LABS["a small network"]
    cut = {
        name: (properties(lab, name)["CidrBlock"], properties(lab, name)["MapPublicIpOnLaunch"])
        for name in ("PublicSubnet1", "PublicSubnet2", "PrivateSubnet1", "PrivateSubnet2")
    }
    assert cut == {
        "PublicSubnet1": ("10.0.0.0/26", True),
        "PublicSubnet2": ("10.0.0.64/26", True),
        "PrivateSubnet1": ("10.0.0.128/26", False),
        "PrivateSubnet2": ("10.0.0.192/26", False),
    }
    zones = [properties(lab, name)["AvailabilityZone"]["Ref"] for name in cut]
    assert zones == ["ZoneA", "ZoneB", "ZoneA", "ZoneB"]


def test_there_is_no_nat_unless_it_is_asked_for() -> None:
    assert "NatGateway" not in resources(LABS["the least"])
    assert {"NatGateway", "NatAddress", "PrivateRoute"} <= set(resources(LABS["everything"]))


def test_every_role_and_profile_is_under_the_service_s_own_path() -> None:
    made = [one for one in resources(LABS["everything"]).values() if one["Type"].startswith("AWS::IAM::")]
    assert len(made) == 7
    assert {one["Properties"]["Path"] for one in made} == {"/ekslab/"}


def test_a_lab_without_the_add_on_vpc_cni_has_no_role_for_it() -> None:
    for lab in (a_lab(addons=()), a_lab(addons=(AddonSpec("kube-proxy"),))):
        assert "CniRole" not in resources(lab)
        assert "CniRoleArn" not in lab_stack(lab)["Outputs"]


@pytest.mark.parametrize(("lab", "vpc"), [("everything", "${Vpc}"), ("a guest with everything", "${VpcId}")])
def test_the_cni_role_is_bound_to_the_vpc_that_the_lab_is_in(lab: str, vpc: str) -> None:
    [policy] = properties(LABS[lab], "CniRole")["Policies"]
    said = [
        each["Condition"] for each in policy["PolicyDocument"]["Statement"] if "ArnLike" in each.get("Condition", {})
    ]
    assert said == [{"ArnLike": {"ec2:Vpc": {"Fn::Sub": f"arn:${{AWS::Partition}}:ec2:${{AWS::Region}}:*:vpc/{vpc}"}}}]


def test_the_csi_role_is_bound_to_its_own_cluster() -> None:
    """Issue 11, row 3: the first policy clones and snapshots any volume of the account."""
    policies = properties(LABS["everything"], "EbsCsiRole")["ManagedPolicyArns"]
    name = "AmazonEBSCSIDriverEKSClusterScopedPolicy"
    assert policies == [{"Fn::Sub": f"arn:${{AWS::Partition}}:iam::aws:policy/{name}"}]


def test_the_node_role_has_no_rights_on_dns() -> None:
    assert "route53" not in json.dumps(resources(LABS["everything"])["NodeRole"])


def test_external_dns_may_change_records_of_its_one_zone_only() -> None:
    (policy,) = properties(LABS["everything"], "ExternalDnsRole")["Policies"]
    changing = [s for s in policy["PolicyDocument"]["Statement"] if "route53:ChangeResourceRecordSets" in s["Action"]]
    assert [s["Resource"] for s in changing] == [{"Fn::Sub": "arn:${AWS::Partition}:route53:::hostedzone/Z0123456789"}]
    names = "route53:ChangeResourceRecordSetsNormalizedRecordNames"
    domain = LABS["everything"].spec.external_dns.domain if LABS["everything"].spec.external_dns else ""
    assert [s["Condition"]["ForAllValues:StringLike"] for s in changing] == [{names: [f"*.{domain}"]}]
    assert changing[0]["Condition"]["Null"][names] == "false"


def test_ssh_comes_from_the_named_addresses_only() -> None:
    for group in ("RemoteAccess", "WorkHost"):
        rules = [properties(LABS["everything"], f"{group}Ssh{n}") for n in range(2)]
        assert [(r["FromPort"], r.get("CidrIp") or r.get("CidrIpv6")) for r in rules] == [
            (22, "203.0.113.7/32"),
            (22, "2001:db8::/64"),
        ]
        assert {r["GroupId"]["Fn::GetAtt"][0] for r in rules} == {f"{group}SecurityGroup"}
        assert f"{group}Ssh2" not in resources(LABS["everything"])
    assert not [name for name in resources(LABS["the least"]) if "Ssh" in name or name.startswith("RemoteAccess")]


def test_groups_are_made_without_rules_for_they_are_tagged_after_they_are_made() -> None:
    groups = [made["Properties"] for made in resources(LABS["everything"]).values() if made["Type"].endswith("Group")]
    assert len(groups) == 4
    assert {key for group in groups for key in group} == {"GroupDescription", "VpcId", "Tags"}


def test_nodes_carry_the_shared_group_and_with_ssh_the_remote_access_group() -> None:
    def groups(lab: Lab) -> list[str]:
        data = properties(lab, "LaunchTemplate0")["LaunchTemplateData"]
        return [group["Fn::GetAtt"][0] for group in data["SecurityGroupIds"]]

    assert groups(LABS["the least"]) == ["NodeSecurityGroup"]
    assert groups(LABS["everything"]) == ["NodeSecurityGroup", "RemoteAccessSecurityGroup"]


def test_instances_require_imdsv2_on_an_encrypted_gp3_disk_of_the_size_asked() -> None:
    data = properties(a_lab(nodegroups=(NodegroupSpec("n", volume_gib=77),)), "LaunchTemplate0")["LaunchTemplateData"]
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["MetadataOptions"]["HttpPutResponseHopLimit"] == 1
    asked = properties(a_lab(nodegroups=(NodegroupSpec("n", disable_pod_imds=False),)), "LaunchTemplate0")
    assert asked["LaunchTemplateData"]["MetadataOptions"]["HttpPutResponseHopLimit"] == 2
    (disk,) = data["BlockDeviceMappings"]
    assert (disk["Ebs"]["VolumeSize"], disk["Ebs"]["VolumeType"], disk["Ebs"]["Encrypted"]) == (77, "gp3", True)


def test_what_ec2_makes_from_a_template_carries_the_lab_s_tags_whatever_the_node_group_s_say() -> None:
    group = NodegroupSpec("n", tags={"team": "blue", "ekslab:lab-id": "another"})
    for tagged in properties(a_lab(nodegroups=(group,)), "LaunchTemplate0")["LaunchTemplateData"]["TagSpecifications"]:
        tags = {tag["Key"]: tag["Value"] for tag in tagged["Tags"]}
        assert tags["ekslab:lab-id"] == a_lab().id
        assert tags["team"] == "blue"


def test_a_public_key_gets_the_lab_s_own_key_pair() -> None:
    lab = LABS["an imported key"]
    assert properties(lab, "LaunchTemplate0")["LaunchTemplateData"]["KeyName"] == f"ekslab-{lab.id}"


def test_parameters_are_the_zones_of_a_new_network() -> None:
    offered = ("ap-northeast-2a", "ap-northeast-2b", "ap-northeast-2c")
    assert lab_parameters(LABS["the least"], offered) == {"ZoneA": "ap-northeast-2a", "ZoneB": "ap-northeast-2b"}
    assert lab_parameters(LABS["a small network"], offered) == {"ZoneA": "ap-northeast-2a", "ZoneB": "ap-northeast-2c"}


def test_parameters_are_the_vpc_of_an_existing_network_named_or_looked_up() -> None:
    assert lab_parameters(LABS["a guest"]) == {"VpcId": "vpc-0123456789abcdef0"}
    unnamed = a_lab(network=replace(GUEST, vpc_id=None))
    assert lab_parameters(replace(unnamed, facts=ClusterFacts(vpc_id="vpc-9"))) == {"VpcId": "vpc-9"}


def test_what_is_not_known_is_not_guessed() -> None:
    with pytest.raises(ValueError):
        lab_parameters(LABS["the least"], ("only-one",))
    with pytest.raises(ValueError):
        lab_parameters(a_lab(network=replace(GUEST, vpc_id=None)))


@pytest.mark.parametrize("name", LABS)
def test_parameters_are_exactly_the_template_s(name: str) -> None:
    given = lab_parameters(LABS[name], ("ap-northeast-2a", "ap-northeast-2c"))
    assert set(given) == set(lab_stack(LABS[name])["Parameters"])

"""Add-ons wait for instances; access entries, policies and pod identities work at once; all support tags."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests import versions
from tests.emulator.eks.conftest import Bench, code_of, make_role

ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"


def addon(bench: Bench, name: str) -> dict[str, Any]:
    return bench.client("eks").describe_addon(clusterName="myeks", addonName=name)["addon"]


def test_coredns_waits_for_machines_and_vpc_cni_does_not(bench: Bench) -> None:
    bench.active_cluster()
    eks = bench.client("eks")
    for name in ("vpc-cni", "coredns"):
        assert eks.create_addon(clusterName="myeks", addonName=name)["addon"]["status"] == "CREATING"
    bench.until(lambda: addon(bench, "vpc-cni"), lambda seen: seen["status"] == "ACTIVE")
    assert addon(bench, "coredns")["status"] in ("CREATING", "DEGRADED")
    bench.ready_nodegroup()
    bench.until(lambda: addon(bench, "coredns"), lambda seen: seen["status"] == "ACTIVE")
    bench.delete_nodegroup()
    assert addon(bench, "coredns")["health"]["issues"][0]["code"] == "InsufficientNumberOfReplicas"


def test_unknown_add_ons_and_versions_are_refused(bench: Bench) -> None:
    bench.active_cluster()
    for wrong in ({"addonName": "nope"}, {"addonName": "vpc-cni", "addonVersion": "v0.0.1-eksbuild.1"}):
        with pytest.raises(ClientError) as refused:
            bench.client("eks").create_addon(clusterName="myeks", **wrong)
        assert code_of(refused) == "InvalidParameterException"


@pytest.mark.parametrize(
    ("name", "values", "finding"),
    [
        (
            "vpc-cni",
            '{"enablePrefixDelegation": "true"}',
            "$.enablePrefixDelegation: is not defined in the schema and the",
        ),
        (
            "vpc-cni",
            '{"env": {"WARM_ENI": "1"}}',
            "$.env.WARM_ENI: is not defined in the schema and the schema does not",
        ),
        ("vpc-cni", '{"enableNetworkPolicy": true}', "$.enableNetworkPolicy: boolean found, string expected"),
        ("coredns", "replicaCount: two", "$.replicaCount: string found, integer expected"),
        ("coredns", "autoScaling: {}", "$.autoScaling.enabled: is missing but it is required"),
        ("coredns", "null", "$: null found, object expected"),
        ("kube-proxy", "mode: nftables", "$.mode: does not have a value in the enumeration [iptables, ipvs]"),
    ],
)
def test_settings_that_an_add_on_s_schema_does_not_take_are_refused(
    bench: Bench, name: str, values: str, finding: str
) -> None:
    bench.active_cluster()
    with pytest.raises(ClientError) as refused:
        bench.client("eks").create_addon(clusterName="myeks", addonName=name, configurationValues=values)
    error = refused.value.response["Error"]
    start = "ConfigurationValue provided in request is not supported: Json schema validation failed with error: ["
    assert (error["Code"], error["Message"].startswith(start + finding)) == ("InvalidParameterException", True), error


def test_an_add_on_s_schema_takes_what_it_describes_in_json_and_yaml(bench: Bench) -> None:
    bench.active_cluster()
    eks = bench.client("eks")
    described = eks.describe_addon_configuration(addonName="vpc-cni", addonVersion="v1.21.1-eksbuild.3")
    assert "ENABLE_PREFIX_DELEGATION" in json.loads(described["configurationSchema"])["properties"]["env"]["properties"]
    values = '{"env": {"ENABLE_PREFIX_DELEGATION": "true"}, "resources": {"limits": {"cpu": "1"}}, "tolerations": [{}]}'
    eks.create_addon(clusterName="myeks", addonName="vpc-cni", configurationValues=values)
    eks.create_addon(clusterName="myeks", addonName="coredns", configurationValues="replicaCount: 3\naffinity: null\n")


def test_every_add_on_has_exactly_one_default_version_for_a_kubernetes_version(bench: Bench) -> None:
    infos = bench.client("eks").describe_addon_versions(kubernetesVersion=versions.standard())["addons"]
    assert {"vpc-cni", "coredns", "kube-proxy", "metrics-server", "external-dns"} <= {
        each["addonName"] for each in infos
    }
    for info in infos:
        matches = [pair for version in info["addonVersions"] for pair in version["compatibilities"]]
        assert [pair["defaultVersion"] for pair in matches].count(True) == 1


def test_an_add_on_is_updated_and_deleted(bench: Bench) -> None:
    bench.active_cluster()
    eks = bench.client("eks")
    info = eks.describe_addon_versions(addonName="vpc-cni", kubernetesVersion=bench.describe()["version"])["addons"][0]
    newer, older = (version["addonVersion"] for version in info["addonVersions"])
    eks.create_addon(clusterName="myeks", addonName="vpc-cni", addonVersion=older)
    bench.until(lambda: addon(bench, "vpc-cni"), lambda seen: seen["status"] == "ACTIVE")
    update = eks.update_addon(clusterName="myeks", addonName="vpc-cni", addonVersion=newer)["update"]
    assert bench.finished(update, addonName="vpc-cni")["status"] == "Successful"
    assert addon(bench, "vpc-cni")["addonVersion"] == newer
    eks.delete_addon(clusterName="myeks", addonName="vpc-cni")
    bench.until(lambda: eks.list_addons(clusterName="myeks")["addons"], lambda names: not names)


def test_an_add_on_owns_its_pod_identities(bench: Bench) -> None:
    bench.active_cluster()
    eks = bench.client("eks")
    role = make_role(bench, "dns", "pods.eks.amazonaws.com")
    identity = {"serviceAccount": "external-dns", "roleArn": role}
    made = eks.create_addon(clusterName="myeks", addonName="external-dns", podIdentityAssociations=[identity])["addon"]
    listed = eks.list_pod_identity_associations(clusterName="myeks")["associations"]
    assert [each["associationArn"] for each in listed] == made["podIdentityAssociations"]
    assert listed[0]["ownerArn"] == made["addonArn"]
    assert listed[0]["namespace"] == "external-dns"
    with pytest.raises(ClientError) as taken:
        eks.create_pod_identity_association(clusterName="myeks", namespace="external-dns", **identity)
    assert code_of(taken) == "ResourceInUseException"
    bench.client("iam").delete_role(RoleName="dns")


def test_a_cluster_without_access_entries_says_so(bench: Bench) -> None:
    bench.active_cluster()
    with pytest.raises(ClientError) as refused:
        bench.client("eks").list_access_entries(clusterName="myeks")
    assert code_of(refused) == "InvalidRequestException"


def test_the_creator_is_admin_and_others_are_let_in_and_shut_out(bench: Bench) -> None:
    bench.active_cluster(accessConfig={"authenticationMode": "API"})
    eks = bench.client("eks")
    assert eks.list_access_entries(clusterName="myeks", associatedPolicyArn=ADMIN)["accessEntries"] == [
        "arn:aws:iam::111122223333:root"
    ]
    learner = make_role(bench, "learner", "ec2.amazonaws.com")
    who = {"clusterName": "myeks", "principalArn": learner}
    entry = eks.create_access_entry(**who, tags={"lab": "one"})["accessEntry"]
    assert entry["type"] == "STANDARD"
    eks.associate_access_policy(**who, policyArn=ADMIN, accessScope={"type": "cluster"})
    policies = eks.list_associated_access_policies(**who)["associatedAccessPolicies"]
    assert [policy["policyArn"] for policy in policies] == [ADMIN]
    eks.disassociate_access_policy(**who, policyArn=ADMIN)
    assert eks.list_associated_access_policies(**who)["associatedAccessPolicies"] == []
    assert eks.list_tags_for_resource(resourceArn=entry["accessEntryArn"])["tags"] == {"lab": "one"}
    eks.delete_access_entry(**who)
    with pytest.raises(ClientError) as gone:
        eks.describe_access_entry(**who)
    assert code_of(gone) == "ResourceNotFoundException"
    bench.client("iam").delete_role(RoleName="learner")


def test_a_principal_that_is_not_there_is_refused(bench: Bench) -> None:
    bench.active_cluster(accessConfig={"authenticationMode": "API"})
    with pytest.raises(ClientError) as refused:
        bench.client("eks").create_access_entry(
            clusterName="myeks", principalArn="arn:aws:iam::111122223333:role/nobody"
        )
    assert code_of(refused) == "InvalidParameterException"


def test_nodes_get_an_access_entry_by_themselves(bench: Bench) -> None:
    bench.active_cluster(accessConfig={"authenticationMode": "API"})
    bench.ready_nodegroup()
    entry = bench.client("eks").describe_access_entry(clusterName="myeks", principalArn=bench.node_role)["accessEntry"]
    assert entry["type"] == "EC2_LINUX"


def test_tags_change(bench: Bench) -> None:
    arn = bench.create_cluster(tags={"a": "1"})["arn"]
    eks = bench.client("eks")
    eks.tag_resource(resourceArn=arn, tags={"b": "2"})
    eks.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert bench.describe()["tags"] == {"b": "2"}
    with pytest.raises(ClientError) as refused:
        eks.list_tags_for_resource(resourceArn=f"{arn}-other")
    assert code_of(refused) == "NotFoundException"


def test_fargate_profiles_go_one_at_a_time(bench: Bench) -> None:
    bench.active_cluster()
    eks = bench.client("eks")
    role = make_role(bench, "fargate", "eks-fargate-pods.amazonaws.com")
    request = {"clusterName": "myeks", "podExecutionRoleArn": role, "selectors": [{"namespace": "default"}]}
    with pytest.raises(ClientError, match="not a private subnet"):
        eks.create_fargate_profile(fargateProfileName="one", subnets=[bench.public[0]], **request)
    for name in ("one", "two"):
        eks.create_fargate_profile(fargateProfileName=name, subnets=list(bench.private), **request)
        bench.until(
            lambda name=name: eks.describe_fargate_profile(clusterName="myeks", fargateProfileName=name),
            lambda seen: seen["fargateProfile"]["status"] == "ACTIVE",
        )
    bench.freeze()
    eks.delete_fargate_profile(clusterName="myeks", fargateProfileName="one")
    with pytest.raises(ClientError) as busy:
        eks.delete_fargate_profile(clusterName="myeks", fargateProfileName="two")
    assert code_of(busy) == "ResourceInUseException"
    bench.client("iam").delete_role(RoleName="fargate")

"""Node groups start instances, refuse requests as EKS does, and leave the CNI's interfaces behind."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.emulator.eks.conftest import NODE_POLICIES, SCALE, Bench, code_of, make_role


def test_an_active_node_group_has_tagged_machines_and_an_auto_scaling_group(bench: Bench) -> None:
    bench.active_cluster()
    group = bench.ready_nodegroup(labels={"lab": "one"})
    assert group["status"] == "ACTIVE"
    assert group["amiType"] == "AL2023_x86_64_STANDARD"
    name = group["resources"]["autoScalingGroups"][0]["name"]
    found = bench.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])
    assert found["AutoScalingGroups"][0]["DesiredCapacity"] == 2
    instances = machines(bench, name)
    members = [member["InstanceId"] for member in found["AutoScalingGroups"][0]["Instances"]]
    assert sorted(members) == sorted(instance["InstanceId"] for instance in instances)
    assert len(instances) == 2
    assert {instance["SubnetId"] for instance in instances} == set(bench.public)
    tags = {tag["Key"]: tag["Value"] for tag in instances[0]["Tags"]}
    assert tags["kubernetes.io/cluster/myeks"] == "owned"
    assert tags["eks:nodegroup-name"] == "workers"


def test_deleting_a_node_group_leaves_the_interfaces_of_the_cni(bench: Bench) -> None:
    cluster = bench.active_cluster()
    name = bench.ready_nodegroup()["resources"]["autoScalingGroups"][0]["name"]
    bench.delete_nodegroup()
    assert machines(bench, name) == []
    assert (
        bench.client("autoscaling").describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
        == []
    )
    profiles = bench.client("iam").list_instance_profiles_for_role(RoleName="node-role")["InstanceProfiles"]
    assert name not in [profile["InstanceProfileName"] for profile in profiles]
    leaked = cni_interfaces(bench, cluster["resourcesVpcConfig"]["clusterSecurityGroupId"])
    assert [each["Status"] for each in leaked] == ["available", "available"]
    assert {"Key": "cluster.k8s.amazonaws.com/name", "Value": "myeks"} in leaked[0]["TagSet"]


def test_a_cluster_with_a_node_group_is_not_deleted(bench: Bench) -> None:
    bench.active_cluster()
    bench.create_nodegroup()
    with pytest.raises(ClientError) as refused:
        bench.client("eks").delete_cluster(name="myeks")
    assert code_of(refused) == "ResourceInUseException"
    assert refused.value.response["nodegroupName"] == "workers"


def test_a_cluster_that_is_not_up_takes_no_node_group(bench: Bench) -> None:
    bench.freeze()
    bench.create_cluster()
    with pytest.raises(ClientError) as refused:
        bench.create_nodegroup()
    assert code_of(refused) == "InvalidRequestException"


def test_a_public_subnet_without_addresses_fails_the_node_group(bench: Bench) -> None:
    ec2 = bench.client("ec2")
    bench.active_cluster()
    ec2.modify_subnet_attribute(SubnetId=bench.public[0], MapPublicIpOnLaunch={"Value": False})
    group = bench.ready_nodegroup()
    ec2.modify_subnet_attribute(SubnetId=bench.public[0], MapPublicIpOnLaunch={"Value": True})
    assert group["status"] == "CREATE_FAILED"
    assert group["health"]["issues"][0]["code"] == "Ec2SubnetInvalidConfiguration"
    assert group["health"]["issues"][0]["resourceIds"] == [bench.public[0]]
    bench.delete_nodegroup()


def test_machines_whose_role_lacks_its_policy_do_not_join(bench: Bench) -> None:
    bench.active_cluster()
    group = bench.ready_nodegroup(nodeRole=make_role(bench, "bare", "ec2.amazonaws.com"))
    assert group["status"] == "CREATE_FAILED"
    issue = group["health"]["issues"][0]
    assert issue["code"] == "NodeCreationFailure"
    assert len(issue["resourceIds"]) == 2
    bench.delete_nodegroup()
    bench.client("iam").delete_role(RoleName="bare")


def test_nodes_whose_cni_can_make_no_interface_are_unhealthy(bench: Bench) -> None:
    """The CNI has its own role by Pod Identity, or else the node's; without its add-on there is none."""
    eks, iam = bench.client("eks"), bench.client("iam")
    role = make_role(bench, "no-cni", "ec2.amazonaws.com")
    iam.attach_role_policy(RoleName="no-cni", PolicyArn=NODE_POLICIES[0])
    own = make_role(bench, "cni", "pods.eks.amazonaws.com")
    bench.active_cluster(bootstrapSelfManagedAddons=False)
    tags = json.dumps({"env": {"ADDITIONAL_ENI_TAGS": json.dumps({"team": "blue"})}})
    asked = {"podIdentityAssociations": [{"serviceAccount": "aws-node", "roleArn": own}], "configurationValues": tags}
    for step in ("no add-on", "no agent", "no rights"):
        if step == "no agent":
            eks.create_addon(clusterName="myeks", addonName="vpc-cni", **asked)
        if step == "no rights":
            eks.create_addon(clusterName="myeks", addonName="eks-pod-identity-agent")
        group = bench.ready_nodegroup(nodeRole=role)
        assert (group["status"], group["health"]["issues"][0]["message"]) == (
            "CREATE_FAILED",
            "Unhealthy nodes in the kubernetes cluster",
        )
        bench.delete_nodegroup()

    said = {"Effect": "Allow", "Action": "ec2:CreateNetworkInterface", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [said]})
    iam.put_role_policy(RoleName="cni", PolicyName="interfaces", PolicyDocument=document)
    assert bench.ready_nodegroup(nodeRole=role)["status"] == "ACTIVE"
    [mine, _] = cni_interfaces(bench, bench.describe()["resourcesVpcConfig"]["clusterSecurityGroupId"])
    assert {"Key": "team", "Value": "blue"} in mine["TagSet"]
    bench.delete_nodegroup()


def test_private_subnets_need_no_addresses(bench: Bench) -> None:
    bench.active_cluster()
    assert bench.ready_nodegroup(subnets=list(bench.private))["status"] == "ACTIVE"


@pytest.mark.parametrize(
    "change",
    [
        {"scalingConfig": {"minSize": 3, "maxSize": 2, "desiredSize": 2}},
        {"scalingConfig": {"minSize": 0, "maxSize": 2, "desiredSize": 3}},
        {"version": "1.28"},
        {"nodeRole": "arn:aws:iam::111122223333:role/nobody"},
        {"subnets": ["subnet-00000000000000000"]},
        {"instanceTypes": ["huge"]},
        {"nodegroupName": "-no"},
        {"launchTemplate": {"name": "nowhere"}},
        {"amiType": "AL2_x86_64"},
    ],
)
def test_what_eks_refuses(bench: Bench, change: dict[str, Any]) -> None:
    bench.active_cluster()
    with pytest.raises(ClientError) as refused:
        bench.create_nodegroup(**change)
    assert code_of(refused) == "InvalidParameterException"


def test_a_launch_template_decides_what_it_decides(bench: Bench) -> None:
    bench.active_cluster()
    data = {"InstanceType": "t3.large"}
    template = bench.client("ec2").create_launch_template(LaunchTemplateName="lab", LaunchTemplateData=data)
    named = {"id": template["LaunchTemplate"]["LaunchTemplateId"]}
    for given in ({"diskSize": 30}, {"remoteAccess": {"ec2SshKey": "k"}}, {"instanceTypes": ["t3.medium"]}):
        with pytest.raises(ClientError) as refused:
            bench.create_nodegroup(launchTemplate=named, **given)
        assert code_of(refused) == "InvalidParameterException"
    request = {"launchTemplate": named, "clientRequestToken": "once"}
    group = bench.create_nodegroup(**request)
    assert group["launchTemplate"] == {**named, "name": "lab", "version": "1"}
    assert bench.create_nodegroup(**request)["nodegroupArn"] == group["nodegroupArn"]
    ready = bench.until(bench.describe_nodegroup, lambda seen: seen["status"] == "ACTIVE")
    assert "diskSize" not in ready
    name = ready["resources"]["autoScalingGroups"][0]["name"]
    assert {instance["InstanceType"] for instance in machines(bench, name)} == {"t3.large"}
    bench.client("ec2").delete_launch_template(LaunchTemplateName="lab")


def test_remote_access_opens_port_22_in_a_group_of_its_own(bench: Bench) -> None:
    bench.active_cluster()
    bench.client("ec2").create_key_pair(KeyName="lab-key")
    group = bench.ready_nodegroup(remoteAccess={"ec2SshKey": "lab-key"})
    security_group = group["resources"]["remoteAccessSecurityGroup"]
    found = bench.client("ec2").describe_security_groups(GroupIds=[security_group])["SecurityGroups"][0]
    assert found["IpPermissions"][0]["FromPort"] == 22


def test_deletion_ends_even_if_somebody_tidied_up_before(bench: Bench) -> None:
    bench.active_cluster()
    name = bench.ready_nodegroup()["resources"]["autoScalingGroups"][0]["name"]
    ec2, iam = bench.client("ec2"), bench.client("iam")
    ec2.terminate_instances(InstanceIds=[machine["InstanceId"] for machine in machines(bench, name)])
    ec2.delete_launch_template(LaunchTemplateName=name)
    iam.remove_role_from_instance_profile(InstanceProfileName=name, RoleName="node-role")
    iam.delete_instance_profile(InstanceProfileName=name)
    bench.delete_nodegroup()
    assert bench.client("eks").list_nodegroups(clusterName="myeks")["nodegroups"] == []


def test_a_node_group_is_deleted_while_it_is_made(bench: Bench) -> None:
    bench.active_cluster()
    bench.freeze()
    bench.create_nodegroup()
    bench.clock.scale = SCALE
    bench.delete_nodegroup()
    assert bench.client("eks").delete_cluster(name="myeks")["cluster"]["status"] == "DELETING"


def test_scaling_launches_and_terminates_machines(bench: Bench) -> None:
    bench.active_cluster()
    name = bench.ready_nodegroup()["resources"]["autoScalingGroups"][0]["name"]
    for wanted in (3, 1):
        update = bench.client("eks").update_nodegroup_config(
            clusterName="myeks", nodegroupName="workers", scalingConfig={"desiredSize": wanted}
        )["update"]
        assert bench.finished(update, nodegroupName="workers")["status"] == "Successful"
        assert len(machines(bench, name)) == wanted
        assert bench.describe_nodegroup()["scalingConfig"]["desiredSize"] == wanted


def machines(bench: Bench, auto_scaling_group: str) -> list[dict[str, Any]]:
    reservations = bench.client("ec2").describe_instances()["Reservations"]
    found = [instance for each in reservations for instance in each["Instances"]]
    tag = {"Key": "aws:autoscaling:groupName", "Value": auto_scaling_group}
    return [one for one in found if tag in one.get("Tags", []) and one["State"]["Name"] == "running"]


def cni_interfaces(bench: Bench, group: str) -> list[dict[str, Any]]:
    found = bench.client("ec2").describe_network_interfaces()["NetworkInterfaces"]
    ours = [each for each in found if any(one["GroupId"] == group for one in each["Groups"])]
    return [each for each in ours if each["Description"].startswith("aws-K8S-")]


@pytest.mark.parametrize(
    ("kind", "image"), [("t4g.small", "AL2023_x86_64_STANDARD"), ("t3.small", "AL2023_ARM_64_STANDARD")]
)
def test_an_instance_type_fits_the_image_type(bench: Bench, kind: str, image: str) -> None:
    bench.active_cluster()
    with pytest.raises(ClientError) as refused:
        bench.create_nodegroup(instanceTypes=[kind], amiType=image)
    assert refused.value.response["Error"]["Message"] == (
        f"[{kind}] is not a valid instance type for requested amiType {image}"
    )


def test_aws_s_own_tags_are_refused(bench: Bench) -> None:
    with pytest.raises(ClientError) as refused:
        bench.create_cluster(tags={"aws:eks:cluster-name": "other"})
    assert code_of(refused) == "InvalidParameterException"

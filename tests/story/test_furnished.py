"""A lab with every option: changed, planned for the evening, watched, and ended while full of other people's resources."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.scenarios.leftover import Kind, Leftover, still_there
from sandbox.scenarios.leftovers import (
    Cluster,
    drop_classic_balancer,
    drop_guard_duty,
    drop_karpenter_node,
    drop_load_balancer,
    drop_tagged_balancer,
    tag_specification,
)
from sandbox.schedules import run_watch
from sandbox.stage import Stage
from tests.story.account import clients, cluster, nothing_is_left_of, pods_of
from tests.story.nights import Night, a_night, all_ready
from tests.story.steps import Lab, signed_in, until

# An evening is planned here, so it has a sandbox of its own.
pytestmark = pytest.mark.story

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGmyIJjyZqq8vmYwm9Pu3NTXEGfLHZ6wfsIxTbZVrsJP learner"


def test_a_lab_with_everything_goes_without_a_trace(stage: Stage) -> None:
    with a_night() as night:
        # Given a lab with every option, of an Identity Center user
        owner = signed_in(night.stage, "AWSReservedSSO_Stories_0123456789abcdef", "learner@example.com")
        lab = night.lab(owner, "furnished", **furniture(night.stage))
        all_ready(lab)

        # When its node count and its endpoint are changed, then they match the request
        change = {"nodegroups": [{"name": "workers", "desired": 2}], "endpoint": {"access": "private"}}
        assert owner.sends("PATCH", lab.path, change).status == 202
        lab.becomes("ready")
        eks = clients(lab)("eks")
        group = eks.describe_nodegroup(clusterName=lab.name, nodegroupName="workers")["nodegroup"]
        assert group["scalingConfig"]["desiredSize"] == 2
        assert not cluster(clients(lab), lab.name)["resourcesVpcConfig"]["endpointPublicAccess"]

        # When its evening is near, then its audit log is read, and it is on the plan
        night.strikes(night.planning)
        assert "nobody in the audit log" in owner.sends("GET", f"{lab.path}/verdict").body.decode()
        assert set(night.plan(night.evening)) == {lab.name}

        # When the watch runs, then it sees its nodes, may change its support type, and receives AWS Health events
        drop_karpenter_node(pods_of(lab), there(lab))
        watched(night, lab)

        # When others have put their resources into it, and it is ended, then all are deleted
        left = furnished_by_others(lab)
        balancers = owner.sends("GET", f"{lab.path}/verdict").json["evidence"]["balancers"]
        assert {balancer["kind"] for balancer in balancers} >= {"application", "classic"}
        lab.is_let_go()
        lab.becomes("deleted")
        assert lab.receipt()["clean"], lab.receipt()["verdict"]
        assert [step["title"] for step in lab.shown()["steps"] if "ended before this step did" in step["detail"]] == []
        nothing_is_left_of(lab)
        assert [thing for thing in left if still_there(clients(lab), thing)] == []
        groups = clients(lab)("autoscaling").describe_auto_scaling_groups()["AutoScalingGroups"]
        assert "self-managed" not in [group["AutoScalingGroupName"] for group in groups]
        marked = [{"Name": "tag:ekslab:lab-id", "Values": [lab.id]}]
        assert clients(lab)("ec2").describe_addresses(Filters=marked)["Addresses"] == []

        # And functions that schedules and events invoke leave an unreadable event in their dead-letter queue
        left_for_dead(night.stage)


def furniture(stage: Stage) -> dict[str, Any]:
    """Private nodes behind a NAT gateway, a work host, a key pair, the audit log, a role for pods."""
    trust = {"Effect": "Allow", "Principal": {"Service": "pods.eks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    pod_role = role(stage, "/ekslab/", trust)
    stage.offer({"podRoles": [{"roleArn": pod_role, "owners": ["*"]}]})
    return {
        "nodegroups": [{"name": "workers", "desired": 1, "min": 1, "max": 2, "placement": "private"}],
        "network": {"nat": "single"},
        "workHost": True,
        "ssh": {"publicKey": KEY},
        "logTypes": ["audit"],
        "podIdentities": [{"namespace": "shop", "serviceAccount": "web", "roleArn": pod_role}],
    }


def watched(night: Night, lab: Lab) -> None:
    run_watch(night.stage, datetime.now(UTC))
    path = f"/clusters/{lab.account}/{lab.region}/{lab.name}"
    seen = night.administrator.sends("GET", path).json
    assert {nodes["kind"] for nodes in seen["nodes"]} >= {"managed"}, seen
    assert night.administrator.sends("PUT", f"{path}/support-policy", {"supportType": "EXTENDED"}).status == 202
    until(lambda: cluster(clients(lab), lab.name)["status"], lambda status: status == "ACTIVE", "its support type")
    answer = call(night.stage, "TakeHealthEvent", health_event(lab), "RequestResponse")
    assert json.load(answer["Payload"]) == {"taken": True, "clusters": 1, "unknown": 0}


def furnished_by_others(lab: Lab) -> list[Leftover]:
    """Create the resources of Kubernetes, GuardDuty, Karpenter and people; return those that can be read by kind."""
    client, cluster = pods_of(lab), there(lab)
    left = [*drop_guard_duty(client, cluster), *drop_load_balancer(client, cluster)]
    left += drop_classic_balancer(client, cluster)
    refer_to_each_other(lab, left[4].id, left[5].id)
    for tags in ({"ekslab:lab-id": lab.id, "ekslab:installation": "ekslab"}, {"eks:eks-cluster-name": lab.name}):
        left += one_of_each(lab, cluster, tags)
    for key in ("karpenter.k8s.aws/cluster", "eks:cluster-name"):
        made = tag_specification("launch-template", {key: lab.name})
        client("ec2").create_launch_template(
            LaunchTemplateName=key.replace(":", "."),
            LaunchTemplateData={"InstanceType": "m7i.large"},
            TagSpecifications=made,
        )
    a_node_of_their_own(lab, cluster)
    left += self_managed(lab, cluster)
    client("efs").create_file_system(CreationToken="theirs")
    rules_and_profile_of_people(lab, left[4].id)
    return left


def one_of_each(lab: Lab, cluster: Cluster, tags: dict[str, str]) -> list[Leftover]:
    """One of each kind that an owner may have tagged as the lab's, or Karpenter as the cluster's."""
    ec2, key = pods_of(lab)("ec2"), next(iter(tags)).replace(":", "-")
    zone = ec2.describe_subnets(SubnetIds=[cluster.subnets[0]])["Subnets"][0]["AvailabilityZone"]
    disk, kept = tag_specification("volume", tags), tag_specification("snapshot", tags)
    volume = ec2.create_volume(Size=1, AvailabilityZone=zone, TagSpecifications=disk)["VolumeId"]
    ec2.create_snapshot(VolumeId=volume, TagSpecifications=kept)
    interface = tag_specification("network-interface", tags)
    ec2.create_network_interface(SubnetId=cluster.subnets[0], TagSpecifications=interface)
    template, data = tag_specification("launch-template", tags), {"InstanceType": "m7i.large"}
    ec2.create_launch_template(LaunchTemplateName=key, LaunchTemplateData=data, TagSpecifications=template)
    if lab.id in tags.values():
        endpoint, service = tag_specification("vpc-endpoint", tags), f"com.amazonaws.{lab.region}.sts"
        ec2.create_vpc_endpoint(
            VpcId=cluster.vpc,
            VpcEndpointType="Interface",
            ServiceName=service,
            SubnetIds=list(cluster.subnets),
            TagSpecifications=endpoint,
        )
        made = tag_specification("security-group", tags)
        asked = {"Description": "theirs", "VpcId": cluster.vpc, "TagSpecifications": made}
        refer_to_each_other(lab, *(ec2.create_security_group(GroupName=name, **asked)["GroupId"] for name in "ab"))
    return [Leftover(Kind.VOLUME, volume), *drop_tagged_balancer(clients(lab), cluster, key, tags, None)]


def refer_to_each_other(lab: Lab, one: str, other: str) -> None:
    """Rules by which each of two security groups blocks the other's deletion."""
    ec2 = clients(lab)("ec2")
    for group, named in ((one, other), (other, one)):
        rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": named}]}
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[rule])


def a_node_of_their_own(lab: Lab, cluster: Cluster) -> None:
    """An instance started by Karpenter in the cluster, and an instance profile under Karpenter's path."""
    tags = {f"kubernetes.io/cluster/{lab.name}": "owned", "eks:eks-cluster-name": lab.name}
    pods_of(lab)("ec2").run_instances(
        ImageId="ami-0123456789abcdef0",
        InstanceType="m7i.large",
        MinCount=1,
        MaxCount=1,
        SubnetId=cluster.subnets[0],
        TagSpecifications=tag_specification("instance", tags),
    )
    iam = clients(lab)("iam")
    [node_role] = [r["RoleName"] for r in iam.list_roles()["Roles"] if f"{lab.id}-NodeRole" in r["RoleName"]]
    iam.create_instance_profile(InstanceProfileName="theirs", Path=f"/karpenter/{lab.region}/{lab.name}/default/")
    iam.add_role_to_instance_profile(InstanceProfileName="theirs", RoleName=node_role)


def self_managed(lab: Lab, cluster: Cluster) -> list[Leftover]:
    """A node with the lab's profile and no Auto Scaling group, a group without nodes, and an address: all the lab's."""
    group_tag = {"aws:autoscaling:groupName": "self-managed"}  # Reserved tag: root writes it here for EC2 Auto Scaling.
    made = clients(lab)("ec2").run_instances(
        ImageId="ami-0123456789abcdef0",
        InstanceType="m7i.large",
        MinCount=1,
        MaxCount=1,
        SubnetId=cluster.subnets[0],
        IamInstanceProfile={"Name": "theirs"},
        TagSpecifications=tag_specification("instance", group_tag),
    )
    pods, own = pods_of(lab), {"ekslab:lab-id": lab.id, "ekslab:installation": "ekslab"}
    template = pods("ec2").create_launch_template(
        LaunchTemplateName="self-managed",
        LaunchTemplateData={"InstanceType": "m7i.large", "ImageId": "ami-0123456789abcdef0"},
        TagSpecifications=tag_specification("launch-template", own),
    )["LaunchTemplate"]
    tag = {"Key": "eks:cluster-name", "Value": lab.name, "PropagateAtLaunch": False}
    pods("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName="self-managed",
        LaunchTemplate={"LaunchTemplateId": template["LaunchTemplateId"], "Version": "$Latest"},
        MinSize=0,
        MaxSize=1,
        VPCZoneIdentifier=cluster.subnets[0],
        Tags=[{**tag, "ResourceId": "self-managed", "ResourceType": "auto-scaling-group"}],
    )
    mine = tag_specification("elastic-ip", own)
    pods("ec2").allocate_address(Domain="vpc", TagSpecifications=mine)
    return [Leftover(Kind.INSTANCE, made["Instances"][0]["InstanceId"])]


def rules_and_profile_of_people(lab: Lab, group: str) -> None:
    """Rules between the cluster's group and another, a Fargate profile, and deletion protection."""
    ec2, eks, plane = clients(lab)("ec2"), clients(lab)("eks"), lab.inventory()["controlPlane"]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80, "UserIdGroupPairs": [{"GroupId": group}]}
    ours = plane["clusterSecurityGroupId"]
    ec2.authorize_security_group_ingress(GroupId=ours, IpPermissions=[rule])
    ec2.authorize_security_group_egress(GroupId=ours, IpPermissions=[rule])
    trust = {"Effect": "Allow", "Principal": {"Service": "eks-fargate-pods.amazonaws.com"}, "Action": "sts:AssumeRole"}
    eks.create_fargate_profile(
        clusterName=lab.name,
        fargateProfileName="theirs",
        podExecutionRoleArn=role(lab.learner.stage, "/", trust),
        subnets=plane["subnetIds"][2:],
        selectors=[{"namespace": "jobs"}],
    )
    eks.update_cluster_config(name=lab.name, deletionProtection=True)


def left_for_dead(stage: Stage) -> None:
    """A function invoked with an invalid event fails for good, and the event is in the queue."""
    called = [call(stage, name, "nonsense", "Event")["FunctionArn"] for name in EVENT_HANDLERS]
    sqs, found = stage.sandbox.client("sqs"), set()

    def letters() -> set[str]:
        queue = stage.outputs["DeadLettersQueueUrl"]
        for letter in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            found.add(json.loads(letter["Body"])["requestContext"]["functionArn"])
        return found

    until(letters, lambda seen: seen >= set(called), "letters of all that failed", 60)


EVENT_HANDLERS = ("StartCurfew", "StartWatchSupport", "TakeHealthEvent", "RecoverLabs")


def call(stage: Stage, name: str, event: Any, how: str) -> Any:
    """Invoke the function of this name; return the answer and its ARN."""
    functions = stage.sandbox.client("lambda")
    [arn] = [f["FunctionArn"] for f in functions.list_functions()["Functions"] if name in f["FunctionName"]]
    return functions.invoke(FunctionName=arn, InvocationType=how, Payload=json.dumps(event)) | {"FunctionArn": arn}


def health_event(lab: Lab) -> dict[str, Any]:
    """AWS Health's event about the end of the cluster's version."""
    message = {
        "eventArn": f"arn:aws:health:{lab.region}::event/EKS/AWS_EKS_PLANNED_LIFECYCLE_EVENT/1",
        "service": "EKS",
        "eventTypeCode": "AWS_EKS_PLANNED_LIFECYCLE_EVENT",
        "statusCode": "open",
        "affectedEntities": [{"entityValue": lab.inventory()["controlPlane"]["arn"], "status": "PENDING"}],
    }
    return {"source": "aws.health", "detail-type": "AWS Health Event", "account": lab.account, "detail": message}


def there(lab: Lab) -> Cluster:
    """The lab's cluster, as seen by its controllers."""
    plane = lab.inventory()["controlPlane"]
    roles = clients(lab)("iam").list_roles()["Roles"]
    [node_role] = [r["RoleName"] for r in roles if f"{lab.id}-NodeRole" in r["RoleName"]]
    return Cluster(lab.name, plane["vpcId"], tuple(plane["subnetIds"][:2]), f"ekslab-{lab.id}", node_role=node_role)


def role(stage: Stage, path: str, trust: dict[str, Any]) -> str:
    """The ARN of a new role for pods."""
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    name = f"pods{path.replace('/', '-')}"
    iam = stage.sandbox.client("iam")
    return str(iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=document)["Role"]["Arn"])

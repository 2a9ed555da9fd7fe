"""Creates the leftovers of Kubernetes and its controllers in an account, with their tags.

Each function creates one kind and returns it. They take a cluster rather than a lab: with
somebody else's cluster they create resources that a teardown must not touch (see `look_alikes.py`).
"""

import secrets
from dataclasses import dataclass

from sandbox.scenarios.leftover import ClientFactory, Kind, Leftover


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster of the leftovers, as its controllers know it. `subnets` lie in `vpc`, in two zones."""

    name: str
    vpc: str
    subnets: tuple[str, ...]
    txt_owner: str
    hosted_zone: str | None = None
    domain: str | None = None
    node_role: str | None = None
    oidc_issuer: str | None = None


def drop_all(client: ClientFactory, cluster: Cluster) -> list[Leftover]:
    """Drop one of every kind that the cluster's facts allow: without a hosted zone, for example, no DNS records."""
    dropped = [
        *drop_load_balancer(client, cluster),
        *drop_network_balancer(client, cluster),
        *drop_classic_balancer(client, cluster),
        *drop_interfaces(client, cluster, count=2),
        *drop_volume(client, cluster),
    ]
    if cluster.hosted_zone and cluster.domain:
        dropped += drop_records(client, cluster)
    if cluster.oidc_issuer:
        dropped += drop_oidc_provider(client, cluster)
    if cluster.node_role:
        dropped += drop_karpenter_node(client, cluster)
    return dropped


def drop_load_balancer(client: ClientFactory, cluster: Cluster, namespace: str = "shop") -> list[Leftover]:
    """Drop an Ingress of the AWS Load Balancer Controller: an ALB, its target group, its frontend and backend groups."""
    unique = secrets.token_hex(5)
    stack = {"elbv2.k8s.aws/cluster": cluster.name, "ingress.k8s.aws/stack": f"{namespace}/web"}
    frontend = _group(client, cluster, f"k8s-{namespace}-web-{unique}", stack)
    backend_tags = {"elbv2.k8s.aws/cluster": cluster.name, "elbv2.k8s.aws/resource": "backend-sg"}
    backend = _group(client, cluster, f"k8s-traffic-{cluster.name}-{unique}", backend_tags)
    groups = [frontend.id, backend.id]
    return [
        *drop_tagged_balancer(client, cluster, f"k8s-{namespace}-web-{unique}"[:32], stack, groups),
        frontend,
        backend,
    ]


def drop_network_balancer(client: ClientFactory, cluster: Cluster, service: str = "game/udp") -> list[Leftover]:
    """Drop a Service that asked the in-tree controller for an NLB: the balancer and its target group."""
    tags = {f"kubernetes.io/cluster/{cluster.name}": "owned", "kubernetes.io/service-name": service}
    return drop_tagged_balancer(client, cluster, f"n{secrets.token_hex(15)}", tags, None)


def drop_classic_balancer(client: ClientFactory, cluster: Cluster, ownership: str = "owned") -> list[Leftover]:
    """Drop a Service of type LoadBalancer: a classic balancer and its `k8s-elb-` group."""
    name = f"a{secrets.token_hex(15)}"
    tags = {f"kubernetes.io/cluster/{cluster.name}": ownership, "kubernetes.io/service-name": "shop/cart"}
    group = _group(client, cluster, f"k8s-elb-{name}", {f"kubernetes.io/cluster/{cluster.name}": ownership})
    client("elb").create_load_balancer(
        LoadBalancerName=name,
        Listeners=[{"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}],
        Subnets=list(cluster.subnets),
        SecurityGroups=[group.id],
        Tags=as_tags(tags),
    )
    return [Leftover(Kind.CLASSIC_BALANCER, name), group]


def drop_tagged_balancer(
    client: ClientFactory, cluster: Cluster, name: str, tags: dict[str, str], groups: list[str] | None
) -> list[Leftover]:
    """Drop a balancer, an ALB with `groups` and an NLB without, and its target group, both with these tags."""
    elbv2, protocol = client("elbv2"), "HTTP" if groups else "TCP"
    kind = {"Type": "application", "SecurityGroups": groups} if groups else {"Type": "network"}
    balancer = elbv2.create_load_balancer(Name=name, Subnets=list(cluster.subnets), Tags=as_tags(tags), **kind)
    balancer_arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    target = elbv2.create_target_group(
        Name=name, Protocol=protocol, Port=80, VpcId=cluster.vpc, TargetType="ip", Tags=as_tags(tags)
    )["TargetGroups"][0]["TargetGroupArn"]
    forward = [{"Type": "forward", "TargetGroupArn": target}]
    elbv2.create_listener(LoadBalancerArn=balancer_arn, Protocol=protocol, Port=80, DefaultActions=forward)
    return [Leftover(Kind.LOAD_BALANCER, balancer_arn), Leftover(Kind.TARGET_GROUP, target)]


def drop_interfaces(client: ClientFactory, cluster: Cluster, count: int = 1) -> list[Leftover]:
    """Drop secondary interfaces of the VPC CNI whose instance is gone: `available` and unused."""
    tags = {
        "cluster.k8s.amazonaws.com/name": cluster.name,
        "node.k8s.amazonaws.com/instance_id": "i-" + secrets.token_hex(9)[:17],
        "node.k8s.amazonaws.com/createdAt": "2026-11-23T09:00:00Z",
    }
    made = [
        client("ec2").create_network_interface(
            SubnetId=cluster.subnets[number % len(cluster.subnets)],
            Description=f"aws-K8S-{tags['node.k8s.amazonaws.com/instance_id']}",
            TagSpecifications=tag_specification("network-interface", tags),
        )
        for number in range(count)
    ]
    return [Leftover(Kind.INTERFACE, answer["NetworkInterface"]["NetworkInterfaceId"]) for answer in made]


def drop_volume(client: ClientFactory, cluster: Cluster, *, snapshot: bool = True) -> list[Leftover]:
    """Drop the volume of a PersistentVolumeClaim, and a VolumeSnapshot of it."""
    ec2 = client("ec2")
    tags = {
        f"kubernetes.io/cluster/{cluster.name}": "owned",
        "kubernetes.io/created-for/pvc/name": "data",
        "kubernetes.io/created-for/pvc/namespace": "shop",
        "ebs.csi.aws.com/cluster": "true",
    }
    zone = ec2.describe_subnets(SubnetIds=[cluster.subnets[0]])["Subnets"][0]["AvailabilityZone"]
    volume = ec2.create_volume(
        Size=8, VolumeType="gp3", AvailabilityZone=zone, TagSpecifications=tag_specification("volume", tags)
    )["VolumeId"]
    dropped = [Leftover(Kind.VOLUME, volume)]
    if snapshot:
        made = ec2.create_snapshot(VolumeId=volume, TagSpecifications=tag_specification("snapshot", tags))
        dropped.append(Leftover(Kind.SNAPSHOT, made["SnapshotId"]))
    return dropped


def drop_karpenter_node(client: ClientFactory, cluster: Cluster) -> list[Leftover]:
    """Drop a node that Karpenter started, and the profile around the node role that it runs with."""
    profile = drop_instance_profile(client, cluster)
    return [*profile, *drop_karpenter_instance(client, cluster, profile[0].id)]


def drop_karpenter_instance(client: ClientFactory, cluster: Cluster, profile: str | None = None) -> list[Leftover]:
    """Drop an instance with Karpenter's tags; without a profile of the node role, its owner is unknown."""
    tags = {
        "eks:eks-cluster-name": cluster.name,
        f"kubernetes.io/cluster/{cluster.name}": "owned",
        "karpenter.sh/nodepool": "default",
        "karpenter.sh/nodeclaim": f"default-{secrets.token_hex(3)}",
    }
    made = client("ec2").run_instances(
        ImageId="ami-0123456789abcdef0",
        InstanceType="m7i.large",
        MinCount=1,
        MaxCount=1,
        SubnetId=cluster.subnets[0],
        TagSpecifications=[*tag_specification("instance", tags), *tag_specification("volume", tags)],
        **({"IamInstanceProfile": {"Name": profile}} if profile is not None else {}),
    )
    return [Leftover(Kind.INSTANCE, made["Instances"][0]["InstanceId"])]


def drop_records(client: ClientFactory, cluster: Cluster, host: str = "shop") -> list[Leftover]:
    """Create external-dns's records for one host name: an A record and, beside it, the TXT records of its registry."""
    name = f"{host}.{cluster.domain}"
    registry = f"heritage=external-dns,external-dns/owner={cluster.txt_owner},external-dns/resource=service/shop/web"
    records = [(name, "A", "192.0.2.10"), (name, "TXT", f'"{registry}"'), (f"a-{name}", "TXT", f'"{registry}"')]
    return write_records(client, str(cluster.hosted_zone), records)


def drop_oidc_provider(client: ClientFactory, cluster: Cluster) -> list[Leftover]:
    """Drop the IAM identity provider that somebody made for the cluster's issuer."""
    made = client("iam").create_open_id_connect_provider(Url=cluster.oidc_issuer, ClientIDList=["sts.amazonaws.com"])
    return [Leftover(Kind.OIDC_PROVIDER, made["OpenIDConnectProviderArn"])]


def drop_instance_profile(client: ClientFactory, cluster: Cluster) -> list[Leftover]:
    """Drop the instance profile that Karpenter makes around the node role."""
    name, region = f"{cluster.name}_{secrets.token_hex(6)}", client("ec2").meta.region_name
    tags = {
        "eks:eks-cluster-name": cluster.name,
        f"kubernetes.io/cluster/{cluster.name}": "owned",
        "karpenter.k8s.aws/ec2nodeclass": "default",
        "topology.kubernetes.io/region": region,
    }
    client("iam").create_instance_profile(InstanceProfileName=name, Tags=as_tags(tags))
    client("iam").add_role_to_instance_profile(InstanceProfileName=name, RoleName=cluster.node_role)
    return [Leftover(Kind.INSTANCE_PROFILE, name)]


def drop_log_group(client: ClientFactory, cluster: Cluster) -> list[Leftover]:
    """Drop the control plane's log group; EKS itself makes the lab's own when logging is on."""
    name = f"/aws/eks/{cluster.name}/cluster"
    client("logs").create_log_group(logGroupName=name)
    return [Leftover(Kind.LOG_GROUP, name)]


def drop_guard_duty(client: ClientFactory, cluster: Cluster) -> list[Leftover]:
    """Create the endpoint and group of GuardDuty's runtime monitoring in a VPC with a cluster."""
    group = _group(client, cluster, f"GuardDutyManagedSecurityGroup-{cluster.vpc}", {"GuardDutyManaged": "true"})
    made = client("ec2").create_vpc_endpoint(
        VpcId=cluster.vpc,
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{client('ec2').meta.region_name}.guardduty-data",
        SubnetIds=list(cluster.subnets),
        SecurityGroupIds=[group.id],
        TagSpecifications=tag_specification("vpc-endpoint", {"GuardDutyManaged": "true"}),
    )
    return [Leftover(Kind.ENDPOINT, made["VpcEndpoint"]["VpcEndpointId"]), group]


def write_records(client: ClientFactory, zone: str, records: list[tuple[str, str, str]]) -> list[Leftover]:
    """Write DNS records, each (name, type, value), into a hosted zone."""
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {"Name": name, "Type": kind, "TTL": 300, "ResourceRecords": [{"Value": value}]},
        }
        for name, kind, value in records
    ]
    client("route53").change_resource_record_sets(HostedZoneId=zone, ChangeBatch={"Changes": changes})
    return [Leftover(Kind.RECORD, f"{zone} {name} {kind}") for name, kind, _ in records]


def as_tags(tags: dict[str, str]) -> list[dict[str, str]]:
    """Return tags in the list form of most AWS APIs."""
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tag_specification(kind: str, tags: dict[str, str]) -> list[dict[str, object]]:
    """Return tags in the form in which EC2 takes them at creation; an empty list without tags."""
    return [{"ResourceType": kind, "Tags": as_tags(tags)}] if tags else []


def _group(client: ClientFactory, cluster: Cluster, name: str, tags: dict[str, str]) -> Leftover:
    made = client("ec2").create_security_group(
        GroupName=name,
        Description=f"[k8s] {name}",
        VpcId=cluster.vpc,
        TagSpecifications=tag_specification("security-group", tags),
    )
    return Leftover(Kind.SECURITY_GROUP, made["GroupId"])

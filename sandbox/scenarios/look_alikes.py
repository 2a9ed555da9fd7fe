"""Creates resources that only look like a lab's: a teardown must leave them unchanged.

Three sorts: resources of a neighbour whose name begins with the lab's; resources with marks of the lab that prove nothing (a
`shared` tag, a name without tags, external-dns's default owner); and a neighbour's resources with the lab's own tag.
"""

import json
import secrets
from collections.abc import Iterator

from sandbox.scenarios.leftover import ClientFactory, Kind, Leftover
from sandbox.scenarios.leftovers import (
    Cluster,
    drop_all,
    drop_classic_balancer,
    drop_load_balancer,
    drop_log_group,
    drop_volume,
    tag_specification,
    write_records,
)


def drop_look_alikes(client: ClientFactory, cluster: Cluster) -> list[Leftover]:
    """Create a neighbour with one of everything, and every misleading resource; return those that must stay."""
    neighbour = make_neighbour(client, cluster)
    return [
        *drop_all(client, neighbour),
        *drop_log_group(client, neighbour),
        *drop_shared_balancer(client, cluster, neighbour),
        *drop_untagged_group(client, neighbour),
        *drop_other_volumes(client, cluster, neighbour),
        *drop_other_records(client, cluster),
    ]


def drop_forged(client: ClientFactory, cluster: Cluster, lab_id: str) -> list[Leftover]:
    """Create a neighbour's resources that somebody tagged as the lab's: a tag alone, which anybody can write.

    They stay, and the receipt names each of them as left until somebody names its owner.
    """
    neighbour = make_neighbour(client, cluster, "-forged", "172.21.0.0/16")
    made = [
        *drop_volume(client, neighbour),
        *drop_load_balancer(client, neighbour),
        *drop_untagged_group(client, neighbour),
    ]
    forged = [
        each for each in made if each.kind in (Kind.VOLUME, Kind.SNAPSHOT, Kind.SECURITY_GROUP, Kind.LOAD_BALANCER)
    ]
    mark = [{"Key": "ekslab:lab-id", "Value": lab_id}]
    client("ec2").create_tags(Resources=[each.id for each in forged if not each.id.startswith("arn:")], Tags=mark)
    client("elbv2").add_tags(ResourceArns=[each.id for each in forged if each.id.startswith("arn:")], Tags=mark)
    return made


def make_neighbour(client: ClientFactory, cluster: Cluster, suffix: str = "2", cidr: str = "172.20.0.0/16") -> Cluster:
    """Make another cluster's surroundings: its own VPC and node role, in the same hosted zone, with a longer name."""
    ec2, name = client("ec2"), f"{cluster.name}{suffix}"
    vpc = ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"][:2]]
    subnets = tuple(
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"{cidr[:-7]}.{n}.0/24", AvailabilityZone=zone)["Subnet"]["SubnetId"]
        for n, zone in enumerate(zones)
    )
    return Cluster(
        name=name,
        vpc=vpc,
        subnets=subnets,
        txt_owner=f"{cluster.txt_owner}{suffix}",
        hosted_zone=cluster.hosted_zone,
        domain=f"neighbour.{cluster.domain}" if cluster.domain else None,
        node_role=_node_role(client, f"{name}-node-{secrets.token_hex(3)}"),
        oidc_issuer=f"https://oidc.eks.{ec2.meta.region_name}.amazonaws.com/id/{secrets.token_hex(16).upper()}",
    )


def drop_shared_balancer(client: ClientFactory, cluster: Cluster, place: Cluster) -> list[Leftover]:
    """Drop a classic balancer, in the neighbour's VPC, that the lab's cluster only shares."""
    there = Cluster(cluster.name, place.vpc, place.subnets, cluster.txt_owner)
    return drop_classic_balancer(client, there, ownership="shared")


def drop_untagged_group(client: ClientFactory, place: Cluster) -> list[Leftover]:
    """Drop a group with a name like a controller's, and without tags."""
    name = f"k8s-elb-a{secrets.token_hex(15)}"
    made = client("ec2").create_security_group(GroupName=name, Description="by hand", VpcId=place.vpc)
    return [Leftover(Kind.SECURITY_GROUP, made["GroupId"])]


def drop_other_volumes(client: ClientFactory, cluster: Cluster, place: Cluster) -> list[Leftover]:
    """Drop a volume tagged by the driver of an unnamed cluster, one that the lab's cluster shares, and one named after it."""
    ec2 = client("ec2")
    zone = ec2.describe_subnets(SubnetIds=[place.subnets[0]])["Subnets"][0]["AvailabilityZone"]
    markings: tuple[dict[str, str], ...] = (
        {"ebs.csi.aws.com/cluster": "true", "CSIVolumeName": f"pvc-{secrets.token_hex(4)}"},
        {f"kubernetes.io/cluster/{cluster.name}": "shared", "kubernetes.io/created-for/pvc/name": "data"},
        {"Name": f"{cluster.name}-dynamic-pvc-1"},
    )
    made = [
        ec2.create_volume(Size=8, AvailabilityZone=zone, TagSpecifications=tag_specification("volume", tags))
        for tags in markings
    ]
    return [Leftover(Kind.VOLUME, volume["VolumeId"]) for volume in made]


def drop_other_records(client: ClientFactory, cluster: Cluster) -> list[Leftover]:
    """Drop, into the lab's hosted zone, records by hand, of external-dns's default owner, and of a longer owner id."""
    if not (cluster.hosted_zone and cluster.domain):
        return []
    return write_records(client, cluster.hosted_zone, list(_other_records(cluster)))


def _other_records(cluster: Cluster) -> Iterator[tuple[str, str, str]]:
    yield f"by-hand.{cluster.domain}", "A", "192.0.2.20"
    yield f"mail.{cluster.domain}", "TXT", '"v=spf1 -all"'
    for host, owner in (("default", "default"), ("longer", f"{cluster.txt_owner}-b")):
        name = f"{host}.{cluster.domain}"
        yield name, "A", "192.0.2.30"
        yield name, "TXT", f'"heritage=external-dns,external-dns/owner={owner}"'


def _node_role(client: ClientFactory, name: str) -> str:
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return name

"""EC2 of one region for creating labs: the ports `Network` and `Groups` (EC2 Auto Scaling's groups)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.aws.clients.calls import call, create, every, instances_of, tags_of
from chalicelib.domain.core.instance_types import architecture_of
from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.errors.tree import AlreadyExists, ResourceGone
from chalicelib.domain.labs.aws_states import GroupState, InstanceTypeFacts, SubnetFacts, WorkHostState
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.stack.launch_templates import key_pair_name
from chalicelib.domain.teardown.evidence import CLUSTER_PREFIX, LAB_TAG

#: Instances in one DescribeInstanceStatus.
_STATUSES = 100
#: Zones in which EKS creates no control planes, by id: a zone's name means another place in each account.
WITHOUT_EKS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
#: Without these, nodes do not find the cluster's endpoint, and a private one not at all (EKS user guide, VPC requirements).
_DNS = {"enableDnsSupport": Sentence("DNS support"), "enableDnsHostnames": Sentence("DNS host names")}
#: The newest Amazon Linux 2023 image, as EC2 resolves it at the moment of the start.
_IMAGE = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"


class Ec2Network:
    """Holds the boto3 `ec2` client."""

    def __init__(self, ec2: Any) -> None:
        self._ec2 = ec2

    def zones(self, instance_types: Sequence[str]) -> tuple[str, ...]:
        """Names of the available zones that EKS supports, sorted; those that offer all these instance types come first."""
        wanted = [{"Name": "zone-type", "Values": ["availability-zone"]}, {"Name": "state", "Values": ["available"]}]
        zones = call(self._ec2, "ec2:DescribeAvailabilityZones", Filters=wanted)["AvailabilityZones"]
        usable = sorted(zone["ZoneName"] for zone in zones if zone.get("ZoneId") not in WITHOUT_EKS)
        offers = self.offers(instance_types)
        return tuple(sorted(usable, key=lambda zone: not all((zone, kind) in offers for kind in instance_types)))

    def offers(self, instance_types: Sequence[str]) -> frozenset[tuple[str, str]]:
        """(zone, instance type) of every offer: an old zone lacks new types, a new one old types."""
        if not instance_types:
            return frozenset()
        wanted = [{"Name": "instance-type", "Values": list(instance_types)}]
        action, key = "ec2:DescribeInstanceTypeOfferings", "InstanceTypeOfferings"
        rows = every(self._ec2, action, key, LocationType="availability-zone", Filters=wanted)
        return frozenset((row["Location"], row["InstanceType"]) for row in rows)

    def instance_types(self, names: Sequence[str]) -> Mapping[str, InstanceTypeFacts]:
        """The processors (`x86_64`, `arm64`, `arm64_mac`) and vCPUs of each type, without unknown types."""
        if not names:
            return {}
        wanted = [{"Name": "instance-type", "Values": list(names)}]
        rows = every(self._ec2, "ec2:DescribeInstanceTypes", "InstanceTypes", Filters=wanted)
        return {
            row["InstanceType"]: InstanceTypeFacts(
                tuple(row.get("ProcessorInfo", {}).get("SupportedArchitectures", ())),
                int(row.get("VCpuInfo", {}).get("DefaultVCpus", 0)),
            )
            for row in rows
        }

    def regions(self) -> Mapping[str, str]:
        rows = call(self._ec2, "ec2:DescribeRegions", AllRegions=True)["Regions"]
        return {row["RegionName"]: row.get("OptInStatus", "") for row in rows}

    def subnets(self, ids: Sequence[str]) -> tuple[SubnetFacts, ...]:
        """Facts of the existing ones, in the order of `ids`."""
        if not ids:
            return ()
        known = {row["SubnetId"]: row for row in self._filtered("ec2:DescribeSubnets", "Subnets", "subnet-id", ids)}
        vpcs = sorted({row["VpcId"] for row in known.values()})
        tables = self._filtered("ec2:DescribeRouteTables", "RouteTables", "vpc-id", vpcs) if vpcs else []
        return tuple(_facts(known[id], tables) for id in dict.fromkeys(ids) if id in known)

    def without_dns(self, vpc_ids: Sequence[str]) -> Mapping[str, str]:
        off = {id: [what for name, what in _DNS.items() if not self._has(id, name)] for id in vpc_ids}
        return {id: Listed(missing) for id, missing in off.items() if missing}

    def _has(self, vpc_id: str, attribute: str) -> bool:
        told = call(self._ec2, "ec2:DescribeVpcAttribute", VpcId=vpc_id, Attribute=attribute)
        return bool(told[attribute[0].upper() + attribute[1:]]["Value"])

    def key_pair_exists(self, name: str) -> bool:
        return self._key_pair(name) is not None

    def import_key_pair(self, name: str, public_key: str, tags: Mapping[str, str]) -> str:
        """Import an OpenSSH public key; return its id. An existing one counts with the same lab tag, else AlreadyExists.

        One that exists and can't be seen, or shows no tags, may be the lab's own, just created: the error's code says so.
        """
        if (known := self._key_pair(name)) is not None:
            return _own_pair(known, tags)
        try:
            request = {"KeyName": name, "PublicKeyMaterial": public_key.encode()}
            made = create(self._ec2, "ec2:ImportKeyPair", **request, TagSpecifications=[_tagged("key-pair", tags)])
        except AlreadyExists as error:
            raise AlreadyExists(
                error.operation, "NotSeenYet", Sentence("{name} exists, and can't be seen so far.", name=name)
            ) from error
        return str(made["KeyPairId"])

    def allow_ingress(self, group_id: str, source: str, protocol: str, port: int | None, description: str) -> None:
        """Allow ingress from a CIDR or a group. An existing rule is success. Raises ResourceGone."""
        wanted = [permission(source, protocol, port, description)]
        try:
            create(self._ec2, "ec2:AuthorizeSecurityGroupIngress", GroupId=group_id, IpPermissions=wanted)
        except AlreadyExists:
            return

    def run_work_host(self, lab: Lab, subnet_id: str, security_group_id: str, profile: str, user_data: str) -> str:
        assert lab.spec.work_host is not None
        key = key_pair_name(lab)
        started = call(
            self._ec2,
            "ec2:RunInstances",
            ImageId=_IMAGE.format(architecture=architecture_of(lab.spec.work_host.instance_type)),
            InstanceType=lab.spec.work_host.instance_type,
            MinCount=1,
            MaxCount=1,
            ClientToken=lab.token("work-host"),
            IamInstanceProfile={"Name": profile},
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": subnet_id,
                    "Groups": [security_group_id],
                    "AssociatePublicIpAddress": True,
                    "DeleteOnTermination": True,
                }
            ],
            MetadataOptions={"HttpTokens": "required", "HttpEndpoint": "enabled"},
            UserData=user_data,
            TagSpecifications=[
                _tagged(made, lab.tags_with({"Name": f"{lab.name}-work-host"}))
                for made in ("instance", "volume", "network-interface")
            ],
            **({"KeyName": key} if key else {}),
        )
        return str(started["Instances"][0]["InstanceId"])

    def work_host(self, instance_id: str) -> WorkHostState:
        """The work host's state. Raises ResourceGone."""
        found = call(self._ec2, "ec2:DescribeInstances", InstanceIds=[instance_id])["Reservations"]
        instances = [instance for reservation in found for instance in reservation["Instances"]]
        if not instances:
            raise ResourceGone(
                "ec2:DescribeInstances",
                "InvalidInstanceID.NotFound",
                Sentence("{instance_id} is not there", instance_id=instance_id),
            )
        return WorkHostState(instance_id, str(instances[0]["State"]["Name"]))

    def running_nodes(self, cluster: str) -> Mapping[str, int]:
        filters = [
            {"Name": "tag:eks:cluster-name", "Values": [cluster]},
            {"Name": "tag-key", "Values": ["eks:nodegroup-name"]},
            {"Name": "instance-state-name", "Values": ["running"]},
        ]
        hosts = instances_of(self._ec2, filters)
        groups = {str(host["InstanceId"]): tags_of(host)["eks:nodegroup-name"] for host in hosts}
        return Counter(groups[id] for id in self._answering(sorted(groups)))

    def instances(self, cluster: str) -> Mapping[str, int]:
        named = {"Name": "tag:eks:eks-cluster-name", "Values": [cluster]}
        owned = {"Name": f"tag:{CLUSTER_PREFIX}{cluster}", "Values": ["owned"]}
        found: dict[str, str] = {}
        for by_tag in (owned, named):
            filters = [by_tag, {"Name": "instance-state-name", "Values": ["pending", "running"]}]
            hosts = instances_of(self._ec2, filters)
            found |= {str(host["InstanceId"]): tags_of(host).get("eks:nodegroup-name", "") for host in hosts}
        return Counter(found.values())

    def _answering(self, instance_ids: Sequence[str]) -> Iterator[str]:
        """The instances with EC2's status `ok`: started and reachable, not just billed. Deleted ones are omitted."""
        for start in range(0, len(instance_ids), _STATUSES):
            asked = list(instance_ids[start : start + _STATUSES])
            try:
                rows = call(self._ec2, "ec2:DescribeInstanceStatus", InstanceIds=asked)["InstanceStatuses"]
            except ResourceGone:
                continue
            yield from (row["InstanceId"] for row in rows if row["InstanceStatus"]["Status"] == "ok")

    def security_groups(self, ids: Sequence[str]) -> tuple[Mapping[str, object], ...]:
        """The existing ones, in the order of `ids`: id, name, description and rules, for display."""
        if not ids:
            return ()
        rows = self._filtered("ec2:DescribeSecurityGroups", "SecurityGroups", "group-id", ids)
        known = {row["GroupId"]: row for row in rows}
        return tuple(shown_group(known[id]) for id in dict.fromkeys(ids) if id in known)

    def _key_pair(self, name: str) -> Mapping[str, Any] | None:
        filters = [{"Name": "key-name", "Values": [name]}]
        found = call(self._ec2, "ec2:DescribeKeyPairs", Filters=filters)["KeyPairs"]
        return next((pair for pair in found if pair["KeyName"] == name), None)

    def _filtered(self, action: str, key: str, name: str, values: Sequence[str]) -> list[dict[str, Any]]:
        """Everything whose `name` is one of `values`. A filter omits missing resources; ids of missing resources are refused."""
        return every(self._ec2, action, key, Filters=[{"Name": name, "Values": list(values)}])


def _facts(subnet: Mapping[str, Any], tables: Sequence[Mapping[str, Any]]) -> SubnetFacts:
    tags = tags_of(subnet)
    return SubnetFacts(
        id=subnet["SubnetId"],
        vpc_id=subnet["VpcId"],
        zone=subnet["AvailabilityZone"],
        cidr=subnet["CidrBlock"],
        free_addresses=subnet["AvailableIpAddressCount"],
        public=_leads_outside(subnet, tables),
        maps_public_ip=subnet.get("MapPublicIpOnLaunch", False),
        arn=subnet.get("SubnetArn", ""),
        stack_id=tags.get("aws:cloudformation:stack-id", ""),
        lab_id=tags.get(LAB_TAG, ""),
    )


def _leads_outside(subnet: Mapping[str, Any], tables: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the default route of the subnet's own table, or else of its VPC's main one, is an internet gateway."""
    own = [t for t in tables if any(a.get("SubnetId") == subnet["SubnetId"] for a in t.get("Associations", []))]
    of_vpc = [t for t in tables if t["VpcId"] == subnet["VpcId"]]
    main = [t for t in of_vpc if any(a.get("Main") for a in t.get("Associations", []))]
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0" and str(route.get("GatewayId", "")).startswith("igw-")
        for table in (own or main)
        for route in table.get("Routes", [])
    )


def _own_pair(known: Mapping[str, Any], wanted: Mapping[str, str]) -> str:
    name, tags = known["KeyName"], tags_of(known)
    if not tags:
        raise AlreadyExists(
            "ec2:ImportKeyPair",
            "TagsNotYetKnown",
            Sentence("{name} exists, and shows no tags so far.", name=name),
        )
    if tags.get(LAB_TAG) != wanted[LAB_TAG]:
        raise AlreadyExists(
            "ec2:ImportKeyPair",
            "InvalidKeyPair.Duplicate",
            Sentence("{name} is not this lab's", name=name),
        )
    return str(known["KeyPairId"])


def _tagged(what: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {"ResourceType": what, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


def permission(source: str, protocol: str, port: int | None, description: str) -> dict[str, Any]:
    """EC2's IpPermission for one source: a group id, an IPv4 or an IPv6 CIDR."""
    rule: dict[str, Any] = {"IpProtocol": protocol}
    if port is not None:
        rule |= {"FromPort": port, "ToPort": port}
    if source.startswith("sg-"):
        return rule | {"UserIdGroupPairs": [{"GroupId": source, "Description": description}]}
    if ":" in source:
        return rule | {"Ipv6Ranges": [{"CidrIpv6": source, "Description": description}]}
    return rule | {"IpRanges": [{"CidrIp": source, "Description": description}]}


def shown_group(group: Mapping[str, Any]) -> Mapping[str, object]:
    """A security group for people: one row per source."""
    return {
        "id": group["GroupId"],
        "name": group["GroupName"],
        "description": group.get("Description", ""),
        "ingress": [row for rule in group.get("IpPermissions", []) for row in _shown(rule)],
        "egress": [row for rule in group.get("IpPermissionsEgress", []) for row in _shown(rule)],
    }


def _shown(rule: Mapping[str, Any]) -> list[dict[str, str]]:
    protocol = str(rule["IpProtocol"])
    sources = [(str(one["CidrIp"]), one) for one in rule.get("IpRanges", [])]
    sources += [(str(one["CidrIpv6"]), one) for one in rule.get("Ipv6Ranges", [])]
    sources += [(str(one["PrefixListId"]), one) for one in rule.get("PrefixListIds", [])]
    sources += [(str(one["GroupId"]), one) for one in rule.get("UserIdGroupPairs", [])]
    return [
        {
            "protocol": "all" if protocol == "-1" else protocol,
            "ports": _ports(rule, protocol),
            "source": source,
            "description": str(one.get("Description", "")),
        }
        for source, one in sources
    ]


def _ports(rule: Mapping[str, Any], protocol: str) -> str:
    first, last = rule.get("FromPort"), rule.get("ToPort")
    if protocol == "-1" or first is None or first == -1:
        return "all"
    return str(first) if first == last else f"{first}-{last}"


#: DescribeAutoScalingGroups takes at most this many names.
_NAMES_PER_CALL = 50


class AutoScaling:
    """Groups of one region."""

    def __init__(self, autoscaling: Any) -> None:
        self._autoscaling = autoscaling

    def states(self, names: Sequence[str]) -> tuple[GroupState, ...]:
        found: list[GroupState] = []
        for start in range(0, len(names), _NAMES_PER_CALL):
            some = list(names[start : start + _NAMES_PER_CALL])
            action, key = "autoscaling:DescribeAutoScalingGroups", "AutoScalingGroups"
            found += map(_state, every(self._autoscaling, action, key, AutoScalingGroupNames=some))
        return tuple(found)


def _state(row: dict[str, Any]) -> GroupState:
    members = tuple(member["InstanceId"] for member in row.get("Instances", []))
    return GroupState(
        row["AutoScalingGroupName"], row["AutoScalingGroupARN"], members, created_at=row.get("CreatedTime")
    )

"""A realistic fleet: clusters of all ages, owners named in every way or not at all, one that can't be read.

Dates are the real calendar's, seen from `TODAY`: 1.31 is three days from its forced upgrade, 1.34 nine days from the
end of its standard support, 1.28 a year past everything. This service did not create these clusters.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from deployment.packaging import PROJECT
from emulator.core.settings import ACCOUNT, REGION, ROOT_SECRET
from emulator.process import Credentials, Sandbox

TODAY = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
"""The day of the fleet's first watch."""

OTHER_ACCOUNT, OTHER_REGION = "444455556666", "us-east-1"
"""An account of another department, with one cluster in one region."""

SHUT_ACCOUNT = "777788889999"
"""A registered account whose role can't be assumed."""

MEMBER_ROLE = "ekslab-member"
MEMBER_TEMPLATE = PROJECT / "deployment" / "member-account.json"
EXTERNAL_ID = "ekslab"
"""The default of the service's template."""


@dataclass(frozen=True, slots=True)
class Machines:
    """Instances that run as nodes of a cluster: of a managed node group of EKS's, or of a group of their own."""

    cluster: str
    group: str
    count: int
    managed: bool = False
    kind: str = "t3.medium"
    account: str = ACCOUNT
    region: str = REGION


CLUSTERS: tuple[Mapping[str, Any], ...] = (
    {
        "name": "payments",
        "version": "1.31",
        "supportType": "EXTENDED",
        "createdAt": "2024-10-15T10:00:00+09:00",
        "tags": {"Owner": "shop@example.com", "Team": "payments@example.com"},
        "nodegroups": [{"name": "general", "count": 3}],
        "addons": {"vpc-cni": "v1.20.5-eksbuild.1", "coredns": "v1.11.3-eksbuild.1"},
    },
    {
        "name": "storefront",
        "version": "1.34",
        "supportType": "STANDARD",
        "createdAt": "2025-11-03T09:00:00+09:00",
        "tags": {"owner": "shop@example.com"},
        "nodegroups": [{"name": "web", "count": 4}],
        "addons": {"vpc-cni": "v1.21.1-eksbuild.3"},
    },
    {
        "name": "search",
        "version": "1.34",
        "supportType": "EXTENDED",
        "createdAt": "2025-12-01T09:00:00+09:00",
        "tags": {"OwnerContact": "search@example.com"},
        "nodegroups": [{"name": "index", "count": 2}],
    },
    {
        "name": "museum",
        "version": "1.28",
        "supportType": "EXTENDED",
        "createdAt": "2023-10-20T09:00:00+09:00",
        "tags": {"owner": "search@example.com"},
        "omitted": ["platformVersion", "logging", "deletionProtection"],
        "sparedUntil": "2028-01-01T00:00:00Z",
    },
    {
        "name": "nobodys",
        "version": "1.33",
        "createdAt": "2025-06-10T09:00:00-07:00",
        "omitted": ["tags", "upgradePolicy"],
        "nodegroups": [{"name": "workers", "count": 1}],
    },
    {
        "name": "fresh",
        "version": "1.36",
        "supportType": "STANDARD",
        "createdAt": "2026-09-01T09:00:00+09:00",
        "tags": {"owner": "games@example.com"},
        "nodegroups": [{"name": "workers", "count": 2}],
    },
    {"name": "vault", "version": "1.33", "tags": {"owner": "security@example.com"}},
    {
        "name": "reports",
        "version": "1.32",
        "supportType": "EXTENDED",
        "account": OTHER_ACCOUNT,
        "region": OTHER_REGION,
        "createdAt": "2025-02-20T09:00:00-05:00",
        "tags": {"Owner": "net@example.com"},
        "nodegroups": [{"name": "etl", "version": "1.31", "count": 2}],
    },
)
MACHINES = (Machines("payments", "batch", 2),)
UNREADABLE = {"operation": "DescribeCluster", "cluster": "vault", "error": {"code": "AccessDeniedException"}}


def put_fleet(sandbox: Sandbox) -> None:
    """Put all of it into the sandbox, set its calendar to `TODAY`, and let the other account be read."""
    sandbox.admin("POST", "clock", {"now": TODAY.isoformat()})
    put_clusters(sandbox, CLUSTERS)
    for machines in MACHINES:
        launch(sandbox, machines)
    sandbox.admin("PATCH", "faults", [UNREADABLE])


def put_clusters(sandbox: Sandbox, clusters: Iterable[Mapping[str, Any]]) -> None:
    """Put clusters, in place of those of the same names; see `emulator/eks/clusters/found.py`."""
    sandbox.admin("POST", "fleet", [dict(cluster) for cluster in clusters])


def launch(sandbox: Sandbox, machines: Machines) -> list[str]:
    """Launch nodes, tagged as kubelet needs it and as EKS and Auto Scaling tag their own; return the ids of the instances."""
    ec2, eks = (
        sandbox.client(each, credentials=root_of(machines.account), region=machines.region) for each in ("ec2", "eks")
    )
    group = machines.group
    if machines.managed:
        known = eks.describe_nodegroup(clusterName=machines.cluster, nodegroupName=machines.group)["nodegroup"]
        group = known["resources"]["autoScalingGroups"][0]["name"]
    tags = {
        f"kubernetes.io/cluster/{machines.cluster}": "owned",
        "aws:autoscaling:groupName": group,
        "Name": f"{machines.cluster}-{machines.group}",
        **({"eks:nodegroup-name": machines.group} if machines.managed else {}),
    }
    made = ec2.run_instances(
        ImageId="ami-0e5a1b2c3d4e5f607",
        InstanceType=machines.kind,
        MinCount=machines.count,
        MaxCount=machines.count,
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        ],
    )
    return [instance["InstanceId"] for instance in made["Instances"]]


def root_of(account: str) -> Credentials:
    """The root of another account of this sandbox."""
    return Credentials(account, ROOT_SECRET)


def join(sandbox: Sandbox, account: str, labs: bool = False, change_support: bool = False) -> str:
    """Make `account` a member, with the template that production deploys into it; return the role's ARN.

    It may be watched, with `labs` used for labs, and with `change_support` its clusters' support type may be set, by a
    service that was deployed with the usual external id.
    """
    cloudformation = sandbox.client("cloudformation", credentials=root_of(account))
    given = {
        "ServiceAccount": sandbox.account,
        "ServiceStack": "ekslab",
        "ExternalId": EXTERNAL_ID,
        "Labs": "true" if labs else "false",
        "ChangeSupport": "true" if change_support else "false",
    }
    cloudformation.create_stack(
        StackName=MEMBER_ROLE,
        TemplateBody=MEMBER_TEMPLATE.read_text(),
        Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in given.items()],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.get_waiter("stack_create_complete").wait(StackName=MEMBER_ROLE, WaiterConfig={"Delay": 1})
    stack = cloudformation.describe_stacks(StackName=MEMBER_ROLE)["Stacks"][0]
    return next(str(output["OutputValue"]) for output in stack["Outputs"] if output["OutputKey"] == "RoleArn")

"""The same promise on the sandbox's AWS, which refuses to delete resources in use: leftovers are deleted, look-alikes stay.

It sweeps with exactly the rights of the sweeping function.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.aws.clients.calls import RegionClients
from chalicelib.aws.cloudtrail.event_history import CloudTrailHistory
from chalicelib.aws.infrastructure.roles import IamRoles
from chalicelib.aws.inventory.inventory import AwsInventory
from chalicelib.aws.leftovers.leftovers import AwsLeftovers
from chalicelib.domain.core.resources import ASKED_FOR, BY_STACK, EntryState, Kind, LedgerEntry
from chalicelib.domain.labs.arns import cluster_of, ec2_thing
from chalicelib.domain.labs.lab import ClusterFacts, Lab
from chalicelib.domain.labs.spec import ExternalDnsSpec
from chalicelib.domain.teardown.deletion_order import STRAGGLERS
from chalicelib.domain.teardown.receipt import ReceiptOutcome
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.leftovers import sweep, take_receipt
from emulator.process import Credentials, Sandbox, running_sandbox
from sandbox.scenarios.controllers import controllers_of
from sandbox.scenarios.leftover import Leftover, still_there
from sandbox.scenarios.leftovers import Cluster, drop_all, drop_guard_duty
from sandbox.scenarios.look_alikes import drop_forged, drop_look_alikes
from tests.deployment import rights
from tests.fakes.builders import a_lab, a_spec
from tests.fakes.world import make_deps

#: The function that sweeps all kinds of resources.
SWEEPER = "verify_deletion_remove_leftovers"
ISSUER = "https://oidc.eks.ap-northeast-2.amazonaws.com/id/0123ABCD"
ROLE = "ekslab-sweep-node"


@pytest.fixture(scope="module")
def aws() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


def place(aws: Sandbox) -> Cluster:
    """A lab's own network, hosted zone and node role."""
    ec2, route53 = aws.client("ec2"), aws.client("route53")
    vpc = ec2.create_vpc(CidrBlock="192.168.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"192.168.{n}.0/24", AvailabilityZone=f"ap-northeast-2{zone}")
        for n, zone in enumerate("ac")
    ]
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    aws.client("iam").create_role(RoleName=ROLE, Path="/ekslab/", AssumeRolePolicyDocument="{}")
    return Cluster(
        name="myeks",
        vpc=vpc,
        subnets=tuple(subnet["Subnet"]["SubnetId"] for subnet in subnets),
        txt_owner=a_lab().txt_owner_id,
        hosted_zone=zone.removeprefix("/hostedzone/"),
        domain="lab.example.com",
        node_role=ROLE,
        oidc_issuer=ISSUER,
    )


def a_sweeper(aws: Sandbox) -> Credentials:
    """A user with the function's rights."""
    iam, document = aws.client("iam"), json.loads((rights.CHALICE / f"policies/{SWEEPER}.json").read_text())
    iam.create_user(UserName=SWEEPER)
    iam.put_user_policy(
        UserName=SWEEPER, PolicyName="of-the-function", PolicyDocument=json.dumps(rights.filled(document))
    )
    return aws.credentials_for(SWEEPER)


def a_world(aws: Sandbox, cluster: Cluster, now: datetime) -> tuple[Deps, Lab]:
    """A lab in a VPC that its stack created, two hours before `now`."""
    spec = a_spec(external_dns=ExternalDnsSpec(str(cluster.hosted_zone), "example.com"))
    role_id = aws.client("iam").get_role(RoleName=ROLE)["Role"]["RoleId"]
    lab = a_lab(spec=spec, account=aws.account)
    facts = ClusterFacts(
        oidc_issuer=ISSUER,
        vpc_id=cluster.vpc,
        stack_outputs={"NodeRoleArn": f"arn:aws:iam::{aws.account}:role/ekslab/{ROLE}"},
        role_ids={ROLE: role_id},
        subdomain="lab.example.com",
        arn=cluster_of(lab).arn,
    )
    lab = replace(lab, created_at=now - timedelta(hours=2), facts=facts)
    sweeper, names = a_sweeper(aws), ("ec2", "elbv2", "elb", "efs", "route53", "logs", "iam", "autoscaling")
    shared = {name: aws.client(name) for name in (*names, "eks", "cloudformation")}
    shared["tagging"] = aws.client("resourcegroupstaggingapi")
    sweeping = {name: aws.client(name, credentials=sweeper) for name in names}
    inventory = AwsInventory(RegionClients(**shared))
    trail, world = aws.client("cloudtrail"), make_deps()
    cloud = replace(
        world.places.cloud,
        leftovers=AwsLeftovers(RegionClients(**{**shared, **sweeping})),
        inventory=inventory,
        roles=IamRoles(aws.client("iam")),
        history=CloudTrailHistory(trail, aws.client("cloudtrail", region="us-east-1")),
    )
    deps = replace(world.deps, cloud=lambda place: cloud)
    deps.store.create_lab(lab, None, "digest", now)
    deps.store.note_before(lab.id, frozenset())
    for resource, how in ((cluster_of(lab), ASKED_FOR), (ec2_thing(lab, Kind.VPC, cluster.vpc), BY_STACK)):
        deps.store.record(lab.id, LedgerEntry(resource, EntryState.PRESENT, how, now, now))
    return deps, lab


def test_what_kubernetes_leaves_goes_and_every_look_alike_stays(aws: Sandbox) -> None:
    cluster, now = place(aws), datetime.now(UTC) + timedelta(minutes=30)
    pods = controllers_of(aws, ISSUER)
    mine: list[Leftover] = [*drop_all(pods, cluster), *drop_guard_duty(pods, cluster)]
    theirs = drop_look_alikes(aws.client, replace(cluster, domain="example.com"))
    deps, lab = a_world(aws, cluster, now)
    theirs += drop_forged(aws.client, cluster, lab.id)
    assert not take_receipt(deps, lab, "now", now).clean
    for _ in range(6):
        outcome = sweep(deps, lab, STRAGGLERS, now)
    assert (outcome.remaining, outcome.blocked, outcome.unread) == ([], [], [])
    assert [thing for thing in mine if still_there(aws.client, thing)] == []
    assert [thing for thing in theirs if not still_there(aws.client, thing)] == []
    receipt = take_receipt(deps, lab, "now", now)
    assert receipt.unreadable == ()
    # Its stack deletes the VPC, and no stack is deleted here.
    assert [line.kind for line in receipt.lines if line.outcome is ReceiptOutcome.PRESENT] == ["vpc"]

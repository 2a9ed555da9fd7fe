"""The same promise on the sandbox's AWS, which refuses what is in use: what its droppers leave goes, its look-alikes stay.

It sweeps with the rights of a function that sweeps, not with more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from chalicelib.aws.inventory.inventory import AwsInventory, InventoryClients
from chalicelib.aws.leftovers.leftovers import AwsLeftovers
from chalicelib.domain.core.resources import EntryState, LedgerEntry
from chalicelib.domain.labs.arns import cluster_of
from chalicelib.domain.labs.lab import ClusterFacts, Lab
from chalicelib.domain.labs.spec import ExternalDnsSpec
from chalicelib.domain.teardown.receipt import ReceiptOutcome
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.leftovers import STRAGGLERS, sweep, take_receipt
from emulator.process import Credentials, Sandbox, running_sandbox
from sandbox.scenarios.leftover import Leftover, still_there
from sandbox.scenarios.leftovers import Cluster, drop_all, drop_guard_duty, drop_log_group
from sandbox.scenarios.look_alikes import drop_look_alikes
from tests.deployment import rights
from tests.fakes.builders import a_lab, a_spec
from tests.fakes.world import make_deps

#: The function that sweeps all kinds of things.
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
        domain="example.com",
        node_role=ROLE,
        oidc_issuer=ISSUER,
    )


def a_sweeper(aws: Sandbox) -> Credentials:
    """Somebody with the function's rights."""
    iam, document = aws.client("iam"), json.loads((rights.CHALICE / f"policies/{SWEEPER}.json").read_text())
    iam.create_user(UserName=SWEEPER)
    iam.put_user_policy(
        UserName=SWEEPER, PolicyName="of-the-function", PolicyDocument=json.dumps(rights.filled(document))
    )
    return aws.credentials_for(SWEEPER)


def a_world(aws: Sandbox, cluster: Cluster) -> tuple[Deps, Lab]:
    now = datetime.now(UTC)
    spec = a_spec(external_dns=ExternalDnsSpec(str(cluster.hosted_zone), "example.com"))
    facts = ClusterFacts(
        oidc_issuer=ISSUER, vpc_id=cluster.vpc, stack_outputs={"NodeRoleArn": f"arn:aws:iam::1:role/ekslab/{ROLE}"}
    )
    lab = replace(a_lab(spec=spec, account=aws.account), created_at=now - timedelta(hours=1), facts=facts)
    sweeper, names = a_sweeper(aws), ("ec2", "elbv2", "elb", "efs", "route53", "logs", "iam")
    shared = {name: aws.client(name) for name in names}
    sweeping = {name: aws.client(name, credentials=sweeper) for name in names}
    more = {name: aws.client(name) for name in ("eks", "cloudformation", "autoscaling")}
    inventory = AwsInventory(InventoryClients(**shared, **more, tagging=aws.client("resourcegroupstaggingapi")))
    world = make_deps()
    cloud = replace(world.places.cloud, leftovers=AwsLeftovers(**sweeping), inventory=inventory)
    deps = replace(world.deps, cloud=lambda place: cloud)
    deps.store.create_lab(lab, None, "digest", now)
    deps.store.record(lab.id, LedgerEntry(cluster_of(lab), EntryState.PRESENT, "asked for", now, now))
    return deps, lab


def test_what_kubernetes_leaves_goes_and_every_look_alike_stays(aws: Sandbox) -> None:
    cluster = place(aws)
    mine: list[Leftover] = [
        *drop_all(aws.client, cluster),
        *drop_guard_duty(aws.client, cluster),
        *drop_log_group(aws.client, cluster),
    ]
    theirs = drop_look_alikes(aws.client, cluster)
    deps, lab = a_world(aws, cluster)
    assert not take_receipt(deps, lab, "now", datetime.now(UTC)).clean
    for _ in range(6):
        outcome = sweep(deps, lab, STRAGGLERS, datetime.now(UTC))
    assert (outcome.remaining, outcome.blocked, outcome.unread) == ([], [], [])
    assert [thing for thing in mine if still_there(aws.client, thing)] == []
    assert [thing for thing in theirs if not still_there(aws.client, thing)] == []
    receipt = take_receipt(deps, lab, "now", datetime.now(UTC))
    assert receipt.unreadable == ()
    assert [line for line in receipt.lines if line.outcome is ReceiptOutcome.PRESENT] == []

"""The second path finds the sweeps' resources by itself, checks tags twice, and reports every unreadable source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from chalicelib.aws.inventory.arns import identify, is_part, stays
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.teardown.receipt import ReceiptOutcome
from chalicelib.workflows.shared.leftovers import take_receipt
from tests.aws.leftovers.accounts import ACCOUNT
from tests.aws.leftovers.given import a_lab_on_moto
from tests.aws.leftovers.test_lookalikes import ANYWHERE, IN_A_VPC, Drop, others_special, ours_special

EVERYTHING = [Drop(kind, 0, True) for kind in IN_A_VPC + ANYWHERE]


def test_a_census_finds_by_itself_what_nobody_put_on_the_ledger() -> None:
    with mock_aws():
        given = a_lab_on_moto()
        mine = {drop.into(given).id for drop in EVERYTHING} | {thing.id for thing in ours_special(given)}
        found, sources, unreadable = given.account.inventory().take(given.target(), ())
        assert unreadable == ()
        assert len(sources) == 9
        # moto's tag services list neither launch templates nor mount targets without a tag of their own.
        unseen = mine - {resource.id for resource in found}
        assert {id.partition("-")[0] for id in unseen} <= {"fsmt"}


def test_before_the_sweep_all_is_there_and_after_it_all_is_deleted() -> None:
    with mock_aws():
        given = a_lab_on_moto()
        for drop in EVERYTHING:
            drop.into(given)
        ours_special(given)
        before = take_receipt(given.deps, given.lab, "now", given.now)
        assert not before.clean
        given.sweep_to_the_end()
        after = take_receipt(given.deps, given.lab, "now", given.now)
        mine = {line.arn for line in before.lines if line.how and line.kind != "vpc"}
        assert len(mine) >= 18
        assert {line.outcome for line in after.lines if line.arn in mine} == {ReceiptOutcome.DELETED}
        # Resources without proof stay: the network, which this test put on no ledger, and those that moto fails to delete.
        assert {line.kind for line in after.lines if line.outcome is ReceiptOutcome.PRESENT} <= {"vpc"}
        assert mine <= {line.arn for line in after.lines}


def test_other_peoples_things_are_not_on_the_receipt() -> None:
    with mock_aws():
        given = a_lab_on_moto()
        others = {thing.id for thing in others_special(given.account)}
        receipt = take_receipt(given.deps, given.lab, "now", given.now)
        named = [line for line in receipt.lines if any(id in line.arn for id in others)]
    assert {line.outcome for line in named} == {ReceiptOutcome.LEFT}
    assert {line.how for line in named} == {"name /aws/eks/myeks/cluster", "tag kubernetes.io/cluster/myeks"}


class Refusing:
    """A client whose every call is refused."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*args: Any, **kwargs: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, name)

        return refuse


@pytest.mark.parametrize("blind", ["tagging", "elbv2", "iam", "route53", "logs", "eks"])
def test_a_source_that_refuses_is_named_and_hides_no_other(blind: str) -> None:
    with mock_aws():
        given = a_lab_on_moto()
        volume = Drop(Kind.VOLUME, 0, True).into(given)
        interface = Drop(Kind.NETWORK_INTERFACE, 0, True).into(given)
        found, _, unreadable = given.account.inventory(**{blind: Refusing()}).take(given.target(), ())
        assert len(unreadable) >= 1
        assert {volume.id, interface.id} <= {resource.id for resource in found}


def test_one_hit_that_can_not_be_looked_at_is_told_and_hides_no_other() -> None:
    with mock_aws():
        given = a_lab_on_moto()
        queue = "arn:aws:sqs:ap-northeast-2:123456789012:queue-of-the-lab"
        given.account.tagging.listed.append((queue, {"ekslab:lab-id": given.lab.id}))
        volume = Drop(Kind.VOLUME, 0, True).into(given)
        found, _, unreadable = given.account.inventory(ec2=given.account.ec2).take(given.target(), ())
        assert [line for line in unreadable if queue in line] == list(unreadable) != []
        assert volume.id in {resource.id for resource in found}


def test_a_file_system_that_bears_the_lab_s_tag_blocks_nothing() -> None:
    with mock_aws():
        given = a_lab_on_moto()
        system = "arn:aws:elasticfilesystem:ap-northeast-2:123456789012:file-system/fs-1"
        given.account.tagging.listed.append((system, {"ekslab:lab-id": given.lab.id}))
        _, _, unreadable = given.account.inventory(ec2=given.account.ec2).take(given.target(), ())
        assert unreadable == ()


def test_a_ledger_entry_that_may_not_be_looked_at_is_never_called_deleted() -> None:
    with mock_aws():
        given = a_lab_on_moto()
        cloud = replace(given.deps.cloud(given.lab.place), inventory=given.account.inventory(iam=Refusing()))
        deps = replace(given.deps, cloud=lambda place: cloud)
        role = Resource(Kind.ROLE, "node", f"arn:aws:iam::{ACCOUNT}:role/ekslab/node")
        deps.store.record(given.lab.id, LedgerEntry(role, EntryState.DELETED, "by the stack", given.now, given.now))
        receipt = take_receipt(deps, given.lab, "now", given.now)
        assert [line.outcome for line in receipt.lines if line.arn == role.arn] == [ReceiptOutcome.PRESENT]
        assert not receipt.clean


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_on_a_ledger_can_be_looked_at(kind: Kind) -> None:
    with mock_aws():
        given = a_lab_on_moto()
        zone = given.account.zone_id
        ids = {
            Kind.DNS_RECORD: f"{zone}|gone.example.com.|A",
            Kind.OIDC_PROVIDER: f"arn:aws:iam::{ACCOUNT}:oidc-provider/x",
        }
        balancer = f"arn:aws:elasticloadbalancing:ap-northeast-2:{ACCOUNT}"
        ids |= {Kind.LOAD_BALANCER: f"{balancer}:loadbalancer/app/x/0123456789abcdef"}
        ids |= {Kind.TARGET_GROUP: f"{balancer}:targetgroup/x/0123456789abcdef"}
        resource = Resource(kind, ids.get(kind, f"{kind}-0123456789abcdef0"), f"arn:aws:x:::{kind}/gone")
        entry = LedgerEntry(resource, EntryState.PRESENT, "asked for", given.now, given.now)
        found, _, unreadable = given.account.inventory().take(given.target(), (entry,))
        assert unreadable == ()
        assert resource.arn not in {there.arn for there in found}


@pytest.mark.parametrize(
    ("arn", "known"),
    [
        ("arn:aws:ec2:r:a:instance/i-1", (Kind.INSTANCE, "i-1")),
        ("arn:aws:elasticloadbalancing:r:a:loadbalancer/net/x/1", (Kind.LOAD_BALANCER, None)),
        ("arn:aws:elasticloadbalancing:r:a:loadbalancer/a0b1", (Kind.CLASSIC_LOAD_BALANCER, "a0b1")),
        ("arn:aws:eks:r:a:nodegroup/myeks/ng/uuid", (Kind.NODEGROUP, "ng")),
        ("arn:aws:eks:r:a:cluster/myeks", (Kind.CLUSTER, "myeks")),
        ("arn:aws:logs:r:a:log-group:/aws/eks/myeks/cluster:*", (Kind.LOG_GROUP, "/aws/eks/myeks/cluster")),
        ("arn:aws:iam::a:role/ekslab/node", (Kind.ROLE, "node")),
        ("arn:aws:s3:::bucket", None),
    ],
)
def test_arns_are_read_as_kinds(arn: str, known: tuple[Kind, str | None] | None) -> None:
    read = identify(arn)
    assert read == (known and (known[0], known[1] or arn))


def test_a_file_system_stays_whatever_its_tags_and_its_mount_targets_do_not() -> None:
    assert stays("arn:aws:elasticfilesystem:r:a:file-system/fs-1")
    assert not stays("arn:aws:elasticfilesystem:r:a:mount-target/fsmt-1")


def test_listeners_and_rules_are_parts_of_other_things() -> None:
    assert is_part("arn:aws:elasticloadbalancing:r:a:listener/app/x/1/2")
    assert not is_part("arn:aws:s3:::bucket")

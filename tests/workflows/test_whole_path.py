"""A lab's whole life on fakes: created, ready, ended, deleted, proved; with deaths, losses and duplicates on the way."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.domain.core.resources import EntryState, Kind, Resource
from chalicelib.domain.errors.tree import AwsUnavailable, StaleLab, Throttled
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.spec import ExternalDnsSpec, SshSpec, WorkHostSpec
from chalicelib.domain.teardown.receipt import ReceiptOutcome
from tests.examples import examples
from tests.fakes import Account, a_lab, a_nodegroup, a_spec
from tests.workflows.machine import LambdaDied
from tests.workflows.theatre import Theatre

#: Every call of provision or teardown that changes something, or reads before a decision.
OPERATIONS = (
    "stacks.create", "stacks.describe", "stacks.delete", "stacks.resources",
    "clusters.create", "clusters.describe", "clusters.delete", "clusters.allow_deletion",
    "create_nodegroup", "nodegroup", "delete_nodegroup", "create_addon", "addon", "grant_access",
    "allow_ingress", "run_work_host", "import_key_pair", "associate_pod_identity",
    "leftovers.find", "leftovers.delete", "census.take",
    "workflows.start", "record", "change_lab", "record_step", "add_event", "put_receipt",
)  # fmt: skip
ALIVE_THEN_GONE = (Phase.DELETED, Phase.FAILED)


def a_rich_theatre() -> Theatre:
    """A lab with every option, beside a neighbour's resources."""
    spec = a_spec(
        nodegroups=(a_nodegroup(), a_nodegroup(name="second", desired=1)),
        ssh=SshSpec(None, "ssh-ed25519 AAAA", ("15.230.39.7/32",)),
        external_dns=ExternalDnsSpec("Z1", "example.org"),
        work_host=WorkHostSpec(),
        log_types=("api",),
    )
    theatre = Theatre()
    put_neighbours(theatre.world.account)
    theatre.request(a_lab(spec=spec))
    return theatre


def put_neighbours(account: Account) -> None:
    """Others' resources in the account, some of them much like a lab's."""
    vpc = account.add(Kind.VPC, vpc_id="vpc-theirs")
    account.add(
        Kind.SECURITY_GROUP,
        vpc_id=vpc.id,
        group_name="eks-cluster-sg-myeks2-1",
        tags={"kubernetes.io/cluster/myeks2": "owned"},
    )
    account.add(Kind.VOLUME, tags={"kubernetes.io/cluster/myeks": "shared"})
    account.add(Kind.VOLUME, tags={"ebs.csi.aws.com/cluster": "true"})
    account.add(Kind.INSTANCE, tags={"ekslab:lab-id": "lab-other"}, vpc_id=vpc.id)
    account.add(Kind.LOG_GROUP, "/aws/eks/myeks2/cluster")
    account.add(Kind.DNS_RECORD, txt_owner="default")


def everything(theatre: Theatre) -> dict[str, Resource]:
    return dict(theatre.world.account.resources)


def test_a_lab_is_born_used_released_and_proved_gone() -> None:
    theatre = a_rich_theatre()
    theirs = {r.arn: r for r in everything(theatre).values()}
    assert theatre.play() == "Ready"
    account = theatre.world.account
    made = {
        kind: len(account.of(kind))
        for kind in (Kind.STACK, Kind.CLUSTER, Kind.NODEGROUP, Kind.KEY_PAIR, Kind.AUTO_SCALING_GROUP)
    }
    assert made == {Kind.STACK: 1, Kind.CLUSTER: 1, Kind.NODEGROUP: 2, Kind.KEY_PAIR: 1, Kind.AUTO_SCALING_GROUP: 2}
    assert theatre.lab.due_at == theatre.lab.phase_since

    theatre.release()
    assert theatre.play() == "Gone"
    assert everything(theatre) == theirs
    theatre.later(minutes=15)
    theatre.later(hours=24)
    ended = theatre.lab
    assert (str(ended.phase), str(ended.due_at)) == ("deleted", "None")
    receipts = theatre.world.store.receipts(theatre.lab_id)
    assert [(r.look, r.clean) for r in receipts] == [
        ("now", True),
        ("after 15 minutes", True),
        ("after 24 hours", True),
    ]
    kept = [line.arn for line in receipts[-1].lines if line.outcome is not ReceiptOutcome.DELETED]
    assert kept == [arn for arn, thing in theirs.items() if "shared" in thing.tags.values()]
    assert everything(theatre) == theirs


def test_everything_made_for_a_lab_is_on_its_ledger_before_the_teardown_begins() -> None:
    theatre = a_rich_theatre()
    before = set(everything(theatre))
    theatre.play()
    listed = {entry.resource.arn for entry in theatre.world.store.ledger(theatre.lab_id)}
    unlisted = {r.kind for arn, r in everything(theatre).items() if arn not in before | listed}
    by_name = {Kind.AUTO_SCALING_GROUP, Kind.INSTANCE, Kind.NETWORK_INTERFACE}
    assert unlisted <= by_name, "these come with a node group, whose entry names its Auto Scaling groups"


def test_the_owner_sees_every_step_with_its_start_and_end() -> None:
    theatre = a_rich_theatre()
    theatre.play()
    steps = theatre.world.store.steps(theatre.lab_id)
    assert {step.name for step in steps} >= {
        "create_stack",
        "create_cluster",
        "create_nodegroups",
        "create_addons",
        "verify",
    }
    assert all(step.ended_at is not None for step in steps)


trouble = st.tuples(
    st.sampled_from(OPERATIONS),
    st.sampled_from([AwsUnavailable("no answer"), Throttled("slow down"), StaleLab("someone was faster")]),
    st.booleans(),
)


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    troubles=st.lists(trouble, max_size=6),
    deaths=st.lists(st.tuples(st.integers(0, 60), st.booleans()), max_size=6),
    released_at=st.none() | st.integers(0, 30),
)
def test_whatever_dies_or_gets_lost_nothing_is_made_twice_and_nothing_is_left(
    troubles: list[tuple[str, Exception, bool]], deaths: list[tuple[int, bool]], released_at: int | None
) -> None:
    theatre = a_rich_theatre()
    theirs = everything(theatre)
    for operation, error, after in troubles:
        theatre.world.fail(operation, error, after=after)
    count = 0

    def before(function: str) -> None:
        nonlocal count
        count += 1
        assert_nothing_twice(theatre.world.account)
        if count == released_at and theatre.lab.phase in (Phase.REQUESTED, Phase.PROVISIONING, Phase.READY):
            theatre.world.account.troubles.clear()
            theatre.release()
        if (count, False) in deaths:
            raise LambdaDied

    def after_it(function: str) -> None:
        if (count, True) in deaths:
            raise LambdaDied

    theatre.before, theatre.after = before, after_it
    theatre.play()
    for _ in range(4):
        theatre.later(minutes=6)
    assert_nothing_twice(theatre.world.account)
    theatre.world.account.troubles.clear()
    theatre.before = theatre.after = lambda function: None
    if theatre.lab.phase not in ALIVE_THEN_GONE:
        assert theatre.lab.phase is Phase.READY, theatre.lab.reason
        theatre.release()
        theatre.play()
    for _ in range(3):
        theatre.later(minutes=16)
    assert theatre.lab.phase in ALIVE_THEN_GONE, theatre.lab.reason
    assert everything(theatre) == theirs
    assert theatre.world.store.receipts(theatre.lab_id)[-1].clean


def test_a_promise_that_breaks_between_two_steps_fails_the_test_and_is_no_failed_step() -> None:
    theatre = a_rich_theatre()

    def twice(function: str) -> None:
        if function == "create_stack":
            theatre.world.account.add(Kind.STACK)
            theatre.world.account.add(Kind.STACK)
            assert_nothing_twice(theatre.world.account)

    theatre.after = twice
    with pytest.raises(AssertionError):
        theatre.play()


def assert_nothing_twice(account: Account) -> None:
    for kind, most in (
        (Kind.STACK, 1),
        (Kind.CLUSTER, 1),
        (Kind.NODEGROUP, 2),
        (Kind.KEY_PAIR, 1),
        (Kind.ACCESS_ENTRY, 3),
    ):
        assert len(account.of(kind)) <= most
    assert len([r for r in account.of(Kind.INSTANCE) if "token" in r.attributes]) <= 1


def test_a_ledger_says_of_everything_what_became_of_it() -> None:
    theatre = a_rich_theatre()
    theatre.play()
    theatre.release()
    theatre.play()
    ledger = theatre.world.store.ledger(theatre.lab_id)
    assert {entry.state for entry in ledger if not entry.guest} == {EntryState.DELETED}
    assert {entry.state for entry in ledger if entry.guest} == {EntryState.KEPT}

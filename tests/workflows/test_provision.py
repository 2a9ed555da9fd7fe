"""Failed provisioning: a reason in words, with the responsible party; all created resources deleted, others' unchanged."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.core.failure import HealthIssue, Responsible
from chalicelib.domain.core.resources import EntryState, Kind
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused
from chalicelib.domain.labs.aws_states import ClusterState, SubnetFacts
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.spec import AddonSpec, ExistingNetwork, NodegroupSpec, WorkHostSpec
from chalicelib.domain.requests.defaults import DEFAULT_ADDONS
from tests.fakes import a_lab, a_network, a_nodegroup, a_spec
from tests.fakes.cluster_record import ClusterRecord
from tests.workflows.theatre import Theatre


def test_a_failed_stack_ends_the_lab_with_its_real_cause() -> None:
    theatre = Theatre()
    theatre.world.stacks.fail_next("The maximum number of VPCs has been reached.")
    theatre.request()
    assert theatre.play() == "Gone"
    assert theatre.ends == ["RolledBack", "Gone"]
    assert theatre.lab.phase is Phase.FAILED
    assert "quota of VPCs" in str(theatre.lab.reason)
    assert theatre.lab.responsible is Responsible.OURS
    assert theatre.world.account.resources == {}


THROTTLED = "Rate exceeded (Service: Ec2, Status Code: 503, Request ID: 5a6)"


@pytest.mark.parametrize(
    "reason", [THROTTLED, "Throttling: Rate exceeded", "Request limit exceeded. (RequestLimitExceeded)"]
)
def test_a_stack_that_aws_throttled_is_made_anew_and_ends_no_lab(reason: str) -> None:
    theatre = Theatre()
    theatre.world.stacks.fail_next(reason)
    theatre.request()
    theatre.play()
    assert theatre.lab.phase is Phase.READY
    stacks = [entry for entry in theatre.world.store.ledger(theatre.lab.id) if entry.resource.kind is Kind.STACK]
    assert len(stacks) == 2
    assert theatre.lab.facts.stack_id in {entry.resource.arn for entry in stacks}


def test_one_that_is_throttled_each_time_ends_the_lab_with_that_and_leaves_nothing() -> None:
    theatre = Theatre()
    fail = theatre.world.stacks.fail_next

    def again() -> None:
        fail(THROTTLED)
        theatre.world.account.hooks["create"] = again

    again()
    theatre.request()
    assert theatre.play() == "Gone"
    assert theatre.lab.phase is Phase.FAILED
    assert "slow down" in str(theatre.lab.reason)
    assert theatre.lab.responsible is Responsible.OURS
    assert theatre.world.account.resources == {}


@pytest.mark.parametrize(
    ("issue", "words", "responsible"),
    [
        (HealthIssue("NodeCreationFailure", "Instances failed to join the kubernetes cluster"), "did not join", Responsible.YOURS),
        (HealthIssue("AsgInstanceLaunchFailures", "VcpuLimitExceeded - more vCPU capacity than"), "vCPUs", Responsible.YOURS),
        (HealthIssue("Ec2SubnetInvalidConfiguration", "does not automatically assign public IP"), "MapPublicIp", Responsible.YOURS),
        (HealthIssue("InternalFailure", "oops"), "AWS failed on its side", Responsible.OURS),
    ],
)  # fmt: skip
def test_a_failed_node_group_takes_everything_with_it_and_says_why(
    issue: HealthIssue, words: str, responsible: Responsible
) -> None:
    theatre = Theatre()
    theatre.world.clusters.issues[("nodegroup", "myeks-nodegroup")] = issue
    theatre.request()
    theatre.play()
    assert theatre.lab.phase is Phase.FAILED
    assert words in str(theatre.lab.reason)
    assert theatre.lab.responsible is responsible
    assert theatre.world.account.resources == {}


@pytest.mark.parametrize("what", [("cluster", "myeks"), ("addon", "coredns")])
def test_other_parts_that_fail_roll_back_too(what: tuple[str, str]) -> None:
    theatre = Theatre()
    theatre.world.clusters.issues[what] = HealthIssue("AccessDenied", "no")
    theatre.request()
    theatre.play()
    assert (theatre.lab.phase, theatre.lab.responsible) == (Phase.FAILED, Responsible.OURS)
    assert theatre.world.account.resources == {}


@pytest.mark.parametrize(
    ("operation", "code", "message", "words"),
    [
        ("clusters.create", "ResourceLimitExceededException", "maximum number of clusters", "EKS clusters"),
        (
            "create_nodegroup",
            "AccessDeniedException",
            "with an explicit deny in a service control policy",
            "organization",
        ),
        ("run_work_host", "VcpuLimitExceeded", "You have requested more vCPU capacity than allowed", "vCPUs"),
        ("grant_access", "InvalidParameterException", "The principal is invalid", "don't know this answer"),
    ],
)
def test_a_refusal_by_aws_is_told_in_words(operation: str, code: str, message: str, words: str) -> None:
    theatre = Theatre()
    theatre.world.fail(operation, AwsRefused("SomeOperation", code, message))
    theatre.request(a_lab(spec=a_spec(work_host=WorkHostSpec())))
    theatre.play()
    assert theatre.lab.phase is Phase.FAILED
    assert words in str(theatre.lab.reason)
    assert theatre.world.account.resources == {}


def test_this_service_is_let_in_to_look_and_no_more_and_it_is_on_the_ledger() -> None:
    theatre = Theatre()
    theatre.request()
    assert theatre.play() == "Ready"
    role = theatre.world.kubernetes.view_role()
    entry = theatre.world.clusters.clusters["myeks"].entries[role]
    assert entry.policies == ("arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",)
    [noted] = [one for one in theatre.world.store.ledger(theatre.lab_id) if one.resource.id == role]
    assert (noted.resource.kind, noted.state) == (Kind.ACCESS_ENTRY, EntryState.PRESENT)
    [step] = [step for step in theatre.world.store.steps(theatre.lab_id) if step.name == "grant_access"]
    assert step.detail.endswith(f"What runs is seen by this service ({role}).")


def test_a_lab_that_can_not_be_looked_into_is_a_lab_all_the_same() -> None:
    theatre = Theatre()
    refusal = AwsRefused("CreateAccessEntry", "InvalidParameterException", "invalid principal")
    theatre.world.fail("grant_access", refusal, times=90)
    theatre.request(a_lab(spec=a_spec(access=())))
    assert theatre.play() == "Ready"
    assert theatre.lab.facts.view_role_arn is None
    [step] = [step for step in theatre.world.store.steps(theatre.lab_id) if step.name == "grant_access"]
    assert "invalid principal" in step.detail


@pytest.mark.parametrize("addons", [DEFAULT_ADDONS, ("vpc-cni",)])
def test_the_agent_and_the_cni_with_its_role_are_there_before_the_first_node_group(addons: tuple[str, ...]) -> None:
    """Issue 11: the node role has none of the CNI's rights, and a node whose CNI has no role never becomes Ready."""
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(addons=tuple(AddonSpec(name) for name in addons))))
    assert theatre.play() == "Ready"
    calls = theatre.world.account.calls
    asked = [args[1].name for name, args in calls if name in ("create_addon", "create_nodegroup")]
    before = asked[: asked.index(theatre.lab.spec.nodegroups[0].name)]
    assert sorted(before) == ["eks-pod-identity-agent", "vpc-cni"]
    roles = [args[2] for name, args in calls if name == "create_addon" and args[1].name == "vpc-cni"]
    assert roles[0] == {"aws-node": theatre.lab.facts.stack_outputs["CniRoleArn"]}
    steps = [step.name for step in theatre.world.store.steps(theatre.lab_id)]
    assert steps.count("create_nodegroups") == 1, "nobody waits for them there"


def test_a_lab_without_the_cni_gets_no_role_and_no_agent_for_it() -> None:
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(addons=(AddonSpec("kube-proxy"),))))
    assert theatre.play() == "Ready"
    assert [args[1].name for name, args in theatre.world.account.calls if name == "create_addon"] == ["kube-proxy"]
    assert "CniRoleArn" not in theatre.lab.facts.stack_outputs


def test_a_role_that_is_not_known_yet_is_waited_for() -> None:
    theatre = Theatre()
    slow = AwsRefused("CreateCluster", "InvalidParameterException", "Role with arn: x, could not be assumed")
    theatre.world.fail("clusters.create", slow, times=3)
    theatre.request()
    assert theatre.play() == "Ready"


def test_what_never_settles_fails_after_a_bounded_number_of_looks() -> None:
    theatre = Theatre()
    theatre.world.clusters.looks.nodegroup = 10_000
    theatre.request()
    theatre.play()
    assert theatre.lab.phase is Phase.FAILED
    assert "longer than we wait" in str(theatre.lab.reason)
    assert theatre.machines[0].waited > timedelta(minutes=30).total_seconds()


def test_an_endpoint_that_never_resolves_is_not_called_ready() -> None:
    theatre = Theatre()
    theatre.world.kubernetes.resolves = False
    theatre.request()
    theatre.play()
    assert theatre.lab.phase is Phase.FAILED
    assert "does not resolve" in str(theatre.lab.reason)


def test_an_api_server_that_answers_is_asked_and_told() -> None:
    theatre = Theatre()
    theatre.world.kubernetes.answers = True
    theatre.request()
    assert theatre.play() == "Ready"
    [verify] = [step for step in theatre.world.store.steps(theatre.lab_id) if step.name == "verify"]
    assert "v1.36" in verify.detail


def test_a_cluster_of_the_same_name_that_is_not_ours_survives_our_failure() -> None:
    theatre = Theatre()
    world = theatre.world
    theirs = world.account.add(Kind.CLUSTER, "myeks", tags={"team": "theirs"})
    volume = world.account.add(Kind.VOLUME, tags={"kubernetes.io/cluster/myeks": "owned"})
    state = ClusterState("myeks", theirs.arn, "ACTIVE", "1.35", tags=theirs.tags)
    world.clusters.clusters["myeks"] = ClusterRecord(state, 0)
    theatre.request()
    theatre.play()
    assert theatre.lab.phase is Phase.FAILED
    assert "another name" in str(theatre.lab.reason)
    assert theatre.lab.responsible is Responsible.YOURS
    assert world.account.resources == {theirs.arn: theirs, volume.arn: volume}
    assert world.clusters.clusters["myeks"].state == state


def test_existing_subnets_are_used_as_a_guest_and_kept() -> None:
    theatre, lab = Theatre(), a_lab(spec=a_spec(network=ExistingNetwork(None, ("subnet-a", "subnet-b"))))
    put_subnets(theatre)
    theatre.request(lab)
    assert theatre.play() == "Ready"
    guests = {entry.resource.id: entry.state for entry in theatre.world.store.ledger(lab.id) if entry.guest}
    assert guests == dict.fromkeys(("vpc-school", "subnet-a", "subnet-b"), EntryState.KEPT)
    theatre.release()
    assert theatre.play() == "Gone"
    assert {r.id for r in theatre.world.account.resources.values()} == {"vpc-school", "subnet-a", "subnet-b"}


def test_subnets_that_are_not_there_are_the_owners_to_fix() -> None:
    theatre = Theatre()
    put_subnets(theatre)
    theatre.request(a_lab(spec=a_spec(network=ExistingNetwork(None, ("subnet-a", "subnet-x")))))
    theatre.play()
    assert (theatre.lab.phase, theatre.lab.responsible) == (Phase.FAILED, Responsible.YOURS)


def test_zones_left_open_are_settled_before_anything_is_made() -> None:
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(network=a_network(zones=()))))
    theatre.play()
    assert theatre.lab.spec.network == a_network(zones=("ap-northeast-2a", "ap-northeast-2b"))


@pytest.mark.parametrize("groups", [(), (a_nodegroup(desired=0, min=0),)])
def test_a_lab_asked_for_without_nodes_is_ready_though_add_ons_wait_for_some(groups: tuple[NodegroupSpec, ...]) -> None:
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(nodegroups=groups)))
    theatre.play()
    assert theatre.lab.phase is Phase.READY
    text = {step.name: step.detail for step in theatre.world.store.steps(theatre.lab.id)}
    assert "coredns waits for nodes, of which the lab has none" in text["verify"]


def test_a_zone_without_the_nodes_instance_type_is_passed_over() -> None:
    theatre = Theatre()
    theatre.world.network.without = {"ap-northeast-2b": {"t3.medium"}}
    theatre.request(a_lab(spec=a_spec(network=a_network(zones=()))))
    theatre.play()
    assert theatre.lab.spec.network == a_network(zones=("ap-northeast-2a", "ap-northeast-2c"))


def test_a_lab_released_while_it_is_made_ends_without_another_act() -> None:
    theatre = Theatre()

    def before(function: str) -> None:
        if function == "check_cluster" and theatre.lab.phase is Phase.PROVISIONING:
            theatre.release()

    theatre.before = before
    theatre.request()
    theatre.play()
    assert theatre.ends == ["Superseded", "Gone"]
    assert theatre.lab.phase is Phase.DELETED
    assert theatre.world.account.resources == {}
    assert "create_nodegroup" not in {name for name, _ in theatre.world.account.calls}


def test_a_teardown_that_could_not_be_started_is_started_by_the_schedule() -> None:
    theatre = Theatre()
    theatre.world.stacks.fail_next("no")
    theatre.request()
    theatre.world.fail("workflows.start", AccessDenied("StartExecution", "AccessDeniedException", "no"))
    theatre.play()
    assert str(theatre.lab.phase) == "rolling-back"
    theatre.later(minutes=2)
    assert str(theatre.lab.phase) == "failed"


def put_subnets(theatre: Theatre) -> None:
    """An existing network of the school's: a VPC and two public subnets."""
    theatre.world.account.add(Kind.VPC, "vpc-school")
    for name, zone in (("subnet-a", "ap-northeast-2a"), ("subnet-b", "ap-northeast-2b")):
        own = theatre.world.account.add(Kind.SUBNET, name, vpc_id="vpc-school", zone=zone, public="true")
        facts = SubnetFacts(name, "vpc-school", zone, "10.0.0.0/24", 200, True, True, own.arn)
        theatre.world.network.given_subnets[name] = replace(facts)

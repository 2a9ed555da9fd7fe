"""Every workflow survives each "not yet" answer (tests/data/aws/retries.json), and throttling."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.errors.tree import AccessDenied, AlreadyExists, AwsRefused, ResourceGone, Throttled
from chalicelib.domain.labs.lab import Change, Hibernation, NodegroupSize, Phase
from chalicelib.domain.labs.spec import PodIdentitySpec, SshSpec, WorkHostSpec
from chalicelib.domain.labs.steps import StepStatus, execution_name
from tests.domain.errors.test_retries import ROWS, as_raised
from tests.fakes import NOW, a_lab
from tests.fakes.builders import in_phase
from tests.workflows.test_teardown import drop_leftovers
from tests.workflows.theatre import Theatre

#: AWS's operation -> the port's method that calls it.
METHODS = {
    "eks:CreateCluster": "clusters.create",
    "eks:DescribeCluster": "clusters.describe",
    "eks:CreateNodegroup": "create_nodegroup",
    "eks:DescribeNodegroup": "nodegroup",
    "eks:CreateAddon": "create_addon",
    "eks:DescribeAddon": "addon",
    "eks:CreateAccessEntry": "grant_access",
    "eks:AssociateAccessPolicy": "grant_access",
    "eks:DescribeAccessEntry": "grant_access",
    "eks:CreatePodIdentityAssociation": "associate_pod_identity",
    "cloudformation:CreateStack": "stacks.create",
    "ec2:ImportKeyPair": "import_key_pair",
    "eks:DescribeUpdate": "nodegroup_update_state",
    "eks:UpdateNodegroupConfig": "scale_nodegroup",
    "eks:UpdateClusterConfig": "update_endpoint",
    "cloudformation:DescribeStacks": "stacks.describe",
    "ec2:RunInstances": "run_work_host",
    "ec2:AuthorizeSecurityGroupIngress": "allow_ingress",
    "ec2:DescribeInstances": "running_nodes",
}
#: The API, schedules and the ends of workflows request starts: tests/aws/test_step_functions.py runs their rows.
PASSING = [
    row
    for row in ROWS
    if row["do"] in ("wait", "throttled") and row["workflow"] != "teardown" and row["operation"] in METHODS
]


def test_each_row_is_driven_through_a_workflow_or_is_of_the_start_of_one() -> None:
    asked = {row["operation"] for row in ROWS if row["do"] in ("wait", "throttled") and row["workflow"] != "teardown"}
    assert {operation for operation in asked - METHODS.keys() if not operation.startswith("states:")} == set()


def made() -> Theatre:
    theatre = Theatre()
    lab = a_lab()
    app = PodIdentitySpec("default", "app", "arn:aws:iam::111122223333:role/app")
    ssh = SshSpec(None, "ssh-ed25519 AAAA learner", ("203.0.113.7/32",))
    theatre.request(replace(lab, spec=replace(lab.spec, work_host=WorkHostSpec(), pod_identities=(app,), ssh=ssh)))
    return theatre


def ready_for(workflow: str) -> Theatre:
    """A lab at the beginning of `workflow`."""
    theatre = made()
    if workflow == "provision":
        return theatre
    theatre.play()

    def begun(stored: Any) -> Any:
        again = replace(stored, run=stored.run + 1)
        if workflow == "wake":
            sizes = tuple(NodegroupSize(g.name, g.min, g.desired, g.max) for g in stored.spec.nodegroups)
            asleep = Hibernation(sizes, NOW, "night")
            return replace(in_phase(again, Phase.WAKING, NOW), hibernation=asleep)
        change = Change(endpoint_access="private", nodes={stored.spec.nodegroups[0].name: 3})
        return replace(in_phase(again, Phase.UPDATING, NOW), change=change)

    lab = theatre.world.store.change_lab(theatre.lab_id, begun)
    theatre.world.workflows.start(workflow, execution_name(lab, workflow), {"lab_id": lab.id})
    return theatre


@pytest.mark.parametrize("row", PASSING, ids=lambda row: f"{row['workflow']} {row['operation']} {row['message'][:20]}")
def test_a_workflow_gets_through_an_answer_that_will_be_another_one(row: dict[str, str]) -> None:
    theatre = ready_for(row["workflow"])
    theatre.world.fail(METHODS[row["operation"]], as_raised(row), times=8)
    theatre.play()
    assert theatre.lab.phase is Phase.READY
    assert theatre.lab.reason is None
    assert not [step for step in theatre.world.store.steps(theatre.lab_id) if step.status is StepStatus.RUNNING]
    assert sum(machine.waited for machine in theatre.machines) > 60
    assert not theatre.world.account.troubles.get(METHODS[row["operation"]]), "it was asked"


#: AWS's operation in a teardown -> the port's method that calls it.
IN_TEARDOWN = {
    "eks:DescribeCluster": "clusters.describe",
    "eks:DeleteCluster": "clusters.delete",
    "eks:DescribeNodegroup": "nodegroup",
    "eks:DeleteNodegroup": "delete_nodegroup",
    "cloudformation:DescribeStacks": "stacks.describe",
    "cloudformation:DeleteStack": "stacks.delete",
}
#: The sweep calls all others.
SWEEP = "leftovers.delete"


@pytest.mark.parametrize(
    "row",
    [row for row in ROWS if row["workflow"] == "teardown"],
    ids=lambda row: f"{row['do']} {row['operation']} {row['message'][:30]}",
)
def test_a_teardown_gets_through_each_answer_and_leaves_nothing(row: dict[str, str]) -> None:
    theatre = Theatre()
    theatre.request()
    theatre.play()
    drop_leftovers(theatre)
    theatre.release()
    # A resource is deleted once; other calls may repeat.
    method = IN_TEARDOWN.get(row["operation"], SWEEP)
    theatre.world.fail(method, as_raised(row), times=1 if row["do"] == "gone" else 6)
    theatre.play()
    assert theatre.lab.phase is Phase.DELETED, theatre.lab.reason
    assert theatre.world.account.resources == {}
    assert not theatre.world.account.troubles.get(method), "it was asked"


@pytest.mark.parametrize(
    "method", ["clusters.describe", "store.load_lab", "store.record_step", "nodegroup", "stacks.describe"]
)
def test_an_hour_of_throttling_fails_no_lab(method: str) -> None:
    theatre = made()
    theatre.world.fail(method, Throttled("Rate exceeded"), times=60)
    theatre.play()
    assert theatre.lab.phase is Phase.READY


def lags(monkeypatch: pytest.MonkeyPatch, port: Any, method: str, looks: int, early: Callable[[Any], Any]) -> None:
    """Replace the first answers of a port's method with the result of `early` on the true one."""
    real, asked = getattr(port, method), itertools.count()
    monkeypatch.setattr(port, method, lambda *given: early(real(*given)) if next(asked) < looks else real(*given))


@pytest.mark.parametrize(("looks", "known"), [(4, True), (500, False)])
def test_roles_that_iam_does_not_know_yet_are_waited_for_and_no_lab_fails_for_them(
    monkeypatch: pytest.MonkeyPatch, looks: int, known: bool
) -> None:
    theatre = made()
    lags(monkeypatch, theatre.world.roles, "states", looks, lambda states: states[1:])
    theatre.play()
    assert theatre.lab.phase is Phase.READY
    roles = {thing.id for thing in theatre.world.account.of(Kind.ROLE)}
    assert (set(theatre.lab.facts.role_ids) == roles) is known


@pytest.mark.parametrize(("looks", "known"), [(4, True), (500, False)])
def test_what_the_stack_made_and_cloudformation_does_not_list_yet_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, looks: int, known: bool
) -> None:
    theatre = made()
    lags(monkeypatch, theatre.world.stacks, "resources", looks, lambda _: ())
    theatre.play()
    assert theatre.lab.phase is Phase.READY
    noted = {entry.resource.kind for entry in theatre.world.store.ledger(theatre.lab_id)}
    assert (Kind.ROLE in noted) is known


def test_a_cluster_that_stays_unknown_is_gone_in_the_end() -> None:
    theatre = made()
    gone = ResourceGone("eks:DescribeCluster", "ResourceNotFoundException", "No cluster found for name: myeks.")
    theatre.world.fail("clusters.describe", gone, times=90)
    theatre.play()
    assert theatre.lab.phase is Phase.FAILED


def test_a_cluster_without_tags_may_be_ours_for_a_while_and_is_somebody_else_s_in_the_end() -> None:
    theatre = made()
    untagged = AlreadyExists("eks:CreateCluster", "TagsNotYetKnown", "myeks exists, and shows no tags so far.")
    theatre.world.fail("clusters.create", untagged, times=5)
    theatre.play()
    assert theatre.lab.phase is Phase.READY
    another = made()
    another.world.fail("clusters.create", untagged, times=90)
    another.play()
    assert another.lab.phase is Phase.FAILED
    assert "Choose another name" in str(another.lab.reason)


def test_a_denial_that_stays_is_believed_after_a_quarter_of_an_hour() -> None:
    theatre = made()
    theatre.world.fail("clusters.create", AccessDenied("eks:CreateCluster", "AccessDeniedException", "no"), times=90)
    theatre.play()
    assert theatre.lab.phase is Phase.FAILED
    assert 900 <= theatre.machines[0].waited < 1000


def test_an_entry_of_another_account_that_eks_does_not_take_leaves_a_ready_lab_that_names_it() -> None:
    theatre = Theatre()
    theirs = "arn:aws:iam::444455556666:role/gone"
    lab = a_lab()
    foreign = replace(lab.spec.access[0], principal_arn=theirs)
    theatre.request(replace(lab, spec=replace(lab.spec, access=(*lab.spec.access, foreign))))
    refusal = AwsRefused("eks:CreateAccessEntry", "InvalidParameterException", "The principalArn is invalid")
    real = theatre.world.clusters.grant_access

    def grant(lab: Any, access: Any) -> str:
        if access.principal_arn == theirs:
            raise refusal
        return real(lab, access)

    theatre.world.clusters.grant_access = grant  # type: ignore[method-assign]
    theatre.play()
    assert theatre.lab.phase is Phase.READY
    [step] = [s for s in theatre.world.store.steps(theatre.lab_id) if s.name == "grant_access"]
    assert theirs in step.detail

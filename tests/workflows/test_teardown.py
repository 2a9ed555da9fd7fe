"""A teardown deletes everything possible, in a safe order, from any state of the lab; and reports the rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.core.failure import HealthIssue
from chalicelib.domain.core.resources import EntryState, Kind, Resource
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, AwsUnavailable, ResourceGone, StillInUse
from chalicelib.domain.labs.aws_states import KubernetesSweep
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.spec import NodegroupSpec
from chalicelib.domain.labs.steps import StepStatus
from chalicelib.domain.teardown.adoption import PROTECTED_TAG
from chalicelib.domain.teardown.receipt import ReceiptOutcome
from chalicelib.services.labs import commands, queries
from tests.fakes import NOW, a_caller, a_lab, a_spec
from tests.workflows.theatre import Theatre


def a_ready_lab(theatre: Theatre | None = None) -> Theatre:
    theatre = theatre or Theatre()
    theatre.request()
    assert theatre.play() == "Ready"
    return theatre


def drop_leftovers(theatre: Theatre) -> None:
    """Resources that Kubernetes creates in the lab's VPC and account."""
    account, vpc = theatre.world.account, theatre.lab.facts.vpc_id
    owned = {"kubernetes.io/cluster/myeks": "owned"}
    group = account.add(
        Kind.SECURITY_GROUP, tags={"elbv2.k8s.aws/cluster": "myeks"}, vpc_id=vpc, group_name="k8s-traffic-myeks-1"
    )
    account.add(Kind.LOAD_BALANCER, tags={"elbv2.k8s.aws/cluster": "myeks"}, vpc_id=vpc, groups=group.id)
    account.add(Kind.CLASSIC_LOAD_BALANCER, tags={**owned, "kubernetes.io/service-name": "default/web"}, vpc_id=vpc)
    volume = account.add(Kind.VOLUME, tags={**owned, "kubernetes.io/created-for/pvc/name": "data"})
    theatre.world.history.made(volume, account.get(Kind.ROLE, f"{theatre.lab.stack_name}-NodeRole"))


def set_cluster(theatre: Theatre, **changes: object) -> None:
    record = theatre.world.clusters.clusters["myeks"]
    record.state = replace(record.state, **changes)  # type: ignore[arg-type]  # fields of ClusterState by name


def test_what_kubernetes_left_behind_is_swept_with_a_private_endpoint() -> None:
    theatre = a_ready_lab()
    drop_leftovers(theatre)
    set_cluster(theatre, public_access=False, private_access=True)
    theatre.release()
    assert theatre.play() == "Gone"
    assert theatre.world.account.resources == {}
    calls = [name for name, _ in theatre.world.account.calls]
    assert "sweep" not in calls


def test_a_reachable_api_server_is_asked_first_and_left_after_a_bounded_wait() -> None:
    theatre = a_ready_lab()
    theatre.world.kubernetes.answers = True
    theatre.world.kubernetes.sweeps = [KubernetesSweep(True, deleted=("Service a",), remaining=("Service a",))]
    drop_leftovers(theatre)
    theatre.release()
    assert theatre.play() == "Gone"
    assert 2 < [name for name, _ in theatre.world.account.calls].count("sweep") <= 20


def test_a_stack_that_cloudformation_is_still_at_is_waited_for() -> None:
    theatre = a_ready_lab()
    words = (
        f"Stack [{theatre.lab.facts.stack_id}] cannot be deleted while in status UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
    )
    busy = StillInUse("cloudformation:DeleteStack", "ValidationError", words)
    theatre.world.fail("stacks.delete", busy, times=3)
    theatre.release()
    assert theatre.play() == "Gone"
    assert theatre.world.account.resources == {}


@pytest.mark.parametrize("kind", [Kind.SECURITY_GROUP, Kind.NETWORK_INTERFACE], ids=str)
def test_what_somebody_put_into_the_network_ends_the_wait_for_the_stack(kind: Kind) -> None:
    theatre = a_ready_lab()
    theirs = theatre.world.account.add(kind, vpc_id=theatre.lab.facts.vpc_id, group_name="by-hand")
    theatre.release()
    assert theatre.play() == "Blocked"
    assert theatre.machines[-1].path.count("DeleteStack") <= 8
    assert theirs.arn in theatre.world.account.resources
    assert theirs.arn in str(theatre.lab.reason)

    # Once its owner has removed it, the lab ends.
    theatre.world.account.remove(theirs)
    theatre.release()
    assert theatre.play() == "Gone"


@pytest.mark.parametrize(("refusals", "sweeps"), [(2, 3), (99, 5)], ids=["passes", "stays"])
def test_a_refusal_of_aws_is_asked_again_a_few_times_before_the_api_server_is_passed_over(
    refusals: int, sweeps: int
) -> None:
    theatre = a_ready_lab()
    theatre.world.kubernetes.answers = True
    refused = KubernetesSweep(False, "eks:AssociateAccessPolicy: AccessDeniedException", refused_by_aws=True)
    theatre.world.kubernetes.sweeps = [*[refused] * refusals, KubernetesSweep(True)]
    theatre.release()
    assert theatre.play() == "Gone"
    assert [name for name, _ in theatre.world.account.calls].count("sweep") == sweeps


def test_the_order_is_the_safe_one() -> None:
    theatre = a_ready_lab()
    drop_leftovers(theatre)
    theatre.release()
    theatre.play()
    kinds = [resource.kind for resource in theatre.world.account.deleted]
    assert kinds.index(Kind.NETWORK_INTERFACE) < kinds.index(Kind.VPC)
    calls = [name for name, _ in theatre.world.account.calls]
    first = {name: calls.index(name) for name in ("delete_nodegroup", "allow_deletion")}
    assert first["delete_nodegroup"] < first["allow_deletion"]
    interfaces_gone = max(n for n, (name, args) in enumerate(theatre.world.account.calls)
                          if name == "delete" and getattr(args[0], "kind", None) is Kind.NETWORK_INTERFACE)  # fmt: skip
    assert interfaces_gone < first["allow_deletion"]


@pytest.mark.parametrize(
    ("changes", "shield"),
    [
        ({"deletion_protection": True}, "EKS deletion protection is switched on for its cluster."),
        ({"tags": {PROTECTED_TAG: "yes"}}, f"Its cluster carries the tag {PROTECTED_TAG}."),
    ],
)
def test_row_7_a_delete_says_first_that_it_lifts_protection_and_the_receipt_says_so(
    changes: dict[str, Any], shield: str
) -> None:
    """Issue 12: "A person's DELETE lifts them at once and says so first"."""
    theatre = a_ready_lab()
    tags = {**theatre.world.clusters.clusters["myeks"].state.tags, **changes.get("tags", {})}
    set_cluster(theatre, **{**changes, "tags": tags})
    accepted = commands.release_lab(theatre.world.deps, a_caller(), theatre.lab_id, theatre.world.clock.now())
    assert next(finding.message for finding in accepted.findings) == f"{shield} That is lifted."
    events = [event.message for event in theatre.world.store.events(theatre.lab_id, 100, None).items]
    assert events[-1].endswith(f"{shield} That is lifted.")
    assert theatre.play() == "Gone"
    verdict = queries.receipt(theatre.world.deps, a_caller(), theatre.lab_id).verdict
    assert f"When it was deleted: {shield} That was lifted." in verdict


def test_a_delete_of_a_lab_without_protection_says_nothing_of_it_and_one_that_cant_look_says_that() -> None:
    theatre = a_ready_lab()
    theatre.world.fail("clusters.describe", AwsRefused("DescribeCluster", "AccessDeniedException", "no"))
    now = theatre.world.clock.now()
    unseen, asked_again = (
        commands.release_lab(theatre.world.deps, a_caller(), theatre.lab_id, now).findings for _ in range(2)
    )
    assert [finding.code for finding in unseen] == ["protection-unknown", "volumes"]
    assert [finding.code for finding in asked_again] == ["volumes"]
    assert theatre.play() == "Gone"
    assert "lifted" not in queries.receipt(theatre.world.deps, a_caller(), theatre.lab_id).verdict


def test_fargate_profiles_go_one_at_a_time_and_deletion_protection_is_no_obstacle() -> None:
    theatre = a_ready_lab()
    record = theatre.world.clusters.clusters["myeks"]
    record.fargate = {"one": None, "two": None}
    record.protected = True
    theatre.release()
    assert theatre.play() == "Gone"
    assert theatre.world.account.resources == {}


@pytest.mark.parametrize(
    "stage", ["create_stack", "check_stack", "create_cluster", "check_cluster", "create_nodegroups", "verify"]
)
def test_a_lab_half_made_is_taken_away_whole(stage: str) -> None:
    theatre = Theatre()

    def before(function: str) -> None:
        if function == stage and theatre.lab.phase in (Phase.REQUESTED, Phase.PROVISIONING):
            theatre.release()

    theatre.before = before
    theatre.request()
    theatre.play()
    assert theatre.lab.phase is Phase.DELETED
    assert theatre.world.account.resources == {}


@pytest.mark.parametrize(("times", "waited"), [(5, range(50, 300)), (500, range(900, 4000))])
def test_a_control_plane_that_eks_does_not_know_yet_is_waited_for_before_it_is_believed_gone(
    times: int, waited: range
) -> None:
    theatre = Theatre()

    def before(function: str) -> None:
        if function == "check_cluster" and theatre.lab.phase is Phase.PROVISIONING:
            theatre.release()
        if function == "delete_cluster" and not asked:
            unknown = ResourceGone("eks:DescribeCluster", "ResourceNotFoundException", "No cluster found: myeks.")
            theatre.world.fail("clusters.describe", unknown, times)
            asked.append(function)

    asked: list[str] = []
    theatre.before = before
    theatre.request()
    theatre.play()
    assert theatre.machines[-1].waited in waited
    if times == 5:
        assert theatre.lab.phase is Phase.DELETED
        assert theatre.world.account.resources == {}


def test_a_step_that_was_given_up_is_not_told_as_running_for_ever() -> None:
    theatre = Theatre()

    def let_go(function: str) -> None:
        if function == "create_cluster":
            theatre.release()

    theatre.after = let_go
    theatre.request()
    theatre.play()
    given_up = next(step for step in theatre.world.store.steps(theatre.lab_id) if step.name == "create_cluster")
    assert theatre.lab.phase is Phase.DELETED
    assert (given_up.status, given_up.ended_at) == (StepStatus.SKIPPED, theatre.lab.phase_since)


def test_a_node_group_that_failed_while_deleting_is_asked_again() -> None:
    theatre = a_ready_lab()
    group = theatre.world.clusters.clusters["myeks"].nodegroups["myeks-nodegroup"]
    group.state = replace(
        group.state, status="DELETE_FAILED", issues=(HealthIssue("Ec2SecurityGroupDeletionFailure", "x"),)
    )
    theatre.release()
    assert theatre.play() == "Gone"


def test_what_may_not_be_deleted_blocks_the_lab_by_name_and_releasing_it_again_goes_on() -> None:
    theatre = a_ready_lab()
    drop_leftovers(theatre)
    [volume] = theatre.world.account.of(Kind.VOLUME)
    theatre.world.account.forbid(volume)
    theatre.release()
    assert theatre.play() == "Blocked"
    assert theatre.lab.phase is Phase.BLOCKED
    assert volume.arn in str(theatre.lab.reason)
    assert list(theatre.world.account.resources.values()) == [volume], "one bad thing loses nothing else"
    [line] = [
        line
        for line in theatre.world.store.receipts(theatre.lab_id)[-1].lines
        if line.outcome is not ReceiptOutcome.DELETED
    ]
    assert (line.arn, line.outcome) == (volume.arn, ReceiptOutcome.BLOCKED)
    theatre.world.account.forbidden.clear()
    theatre.release()
    assert theatre.play() == "Gone"
    assert theatre.world.account.resources == {}


def test_a_balancer_with_deletion_protection_is_told_as_that_with_its_arn_and_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theatre = a_ready_lab()
    drop_leftovers(theatre)
    [balancer] = theatre.world.account.of(Kind.LOAD_BALANCER)
    refusal = f"Load balancer '{balancer.arn}' cannot be deleted because deletion protection is enabled"
    delete = theatre.world.leftovers.delete

    def protected(resource: Resource) -> None:
        if resource.arn == balancer.arn:
            raise AwsRefused("elasticloadbalancing:DeleteLoadBalancer", "OperationNotPermitted", refusal)
        delete(resource)

    monkeypatch.setattr(theatre.world.leftovers, "delete", protected)
    theatre.release()
    assert theatre.play() == "Blocked"
    reason = str(theatre.lab.reason)
    off = f"--load-balancer-arn {balancer.id} --attributes Key=deletion_protection.enabled,Value=false"
    assert refusal in reason
    assert off in reason
    assert "may not" not in reason
    assert "right" not in reason
    [line] = [one for one in theatre.world.store.receipts(theatre.lab_id)[-1].lines if one.arn == balancer.arn]
    assert off in line.command.partition(" && ")[0]
    monkeypatch.undo()  # Its protection is off.
    theatre.release()
    assert theatre.play() == "Gone"


def test_what_someone_else_put_into_the_labs_vpc_is_not_deleted_but_named() -> None:
    theatre = a_ready_lab()
    theirs = theatre.world.account.add(Kind.NETWORK_INTERFACE, vpc_id=theatre.lab.facts.vpc_id, status="in-use")
    theatre.release()
    assert theatre.play() == "Blocked"
    assert theirs.arn in theatre.world.account.resources
    assert theirs.arn in str(theatre.lab.reason)


def test_a_receipt_with_a_source_that_could_not_be_read_is_no_proof() -> None:
    theatre = a_ready_lab()
    theatre.world.inventory.blind = ("tags: AccessDenied",)
    theatre.release()
    assert theatre.play() == "Blocked"
    assert "Could not be looked at" in str(theatre.lab.reason)


def test_a_control_plane_that_does_not_go_keeps_the_role_it_needs() -> None:
    theatre = a_ready_lab()
    theatre.world.fail("clusters.delete", StillInUse("DeleteCluster", "ResourceInUseException", "busy"), times=100_000)
    theatre.release()
    assert theatre.play() == "Blocked"
    assert "myeks" in theatre.world.clusters.clusters
    assert theatre.world.account.of(Kind.ROLE)


def test_a_step_that_breaks_does_not_stop_the_next() -> None:
    theatre = a_ready_lab()
    theatre.world.fail("stacks.resources", AwsUnavailable("no"), times=9)
    theatre.release()
    assert theatre.play() == "Gone"
    assert theatre.world.account.resources == {}


def test_a_lab_that_was_never_made_is_deleted_at_once() -> None:
    theatre = Theatre()
    theatre.request(a_lab())
    theatre.release()
    theatre.play()
    assert theatre.ends == ["Superseded", "Gone"]


def test_the_name_may_be_taken_again_before_the_last_look() -> None:
    theatre = a_ready_lab()
    theatre.release()
    theatre.play()
    first = theatre.lab_id
    theatre.world.clock.advance(minutes=5)
    later = replace(a_lab(id="lab-second", spec=a_spec(log_types=("api",))), created_at=theatre.world.clock.now())
    theatre.request(replace(later, lease_ends_at=later.created_at.replace(day=30)))
    assert theatre.play() == "Ready"
    drop_leftovers(theatre)
    alive = dict(theatre.world.account.resources)
    theatre.later(minutes=11)
    theatre.later(hours=24)
    assert theatre.world.account.resources == alive
    assert theatre.world.store.load_lab(first).phase is Phase.DELETED
    assert all(receipt.clean for receipt in theatre.world.store.receipts(first))


def blocked_by(theatre: Theatre, operation: str) -> str:
    """End a lab whose `operation` AWS always refuses; return the lab's reason."""
    denied = AccessDenied("eks:" + operation, "AccessDeniedException", f"not authorized to perform: eks:{operation}")
    theatre.world.fail(operation, denied, times=100_000)
    theatre.release()
    assert theatre.play() == "Blocked"
    return str(theatre.lab.reason)


def test_a_control_plane_that_aws_refuses_to_delete_is_the_first_thing_the_reason_names() -> None:
    theatre = a_ready_lab()
    reason = blocked_by(theatre, "clusters.delete")
    cluster = theatre.world.clusters.clusters["myeks"].state.arn
    assert reason.startswith(f"{cluster}: eks:clusters.delete: AccessDeniedException")
    assert "AccessDeniedException" in reason
    lines = {line.arn: line for line in theatre.world.store.receipts(theatre.lab_id)[-1].lines}
    assert lines[cluster].outcome is ReceiptOutcome.BLOCKED
    waiting = {line.reason for line in lines.values() if line.outcome is ReceiptOutcome.PRESENT}
    assert {"It goes with the control plane.", "It goes with the lab's stack."} <= waiting


def test_a_node_group_that_aws_refuses_to_delete_loses_no_other_and_is_named() -> None:
    theatre = Theatre()
    theatre.request(a_lab(spec=a_spec(nodegroups=(NodegroupSpec("one"), NodegroupSpec("two")))))
    assert theatre.play() == "Ready"
    clusters, delete = theatre.world.clusters, theatre.world.clusters.delete_nodegroup

    def deny_one(cluster: str, name: str) -> None:
        if name == "one":
            raise AccessDenied("eks:DeleteNodegroup", "AccessDeniedException", "no")
        delete(cluster, name)

    clusters.delete_nodegroup = deny_one  # type: ignore[method-assign]  # the fake has no trouble for one name only
    theatre.release()
    assert theatre.play() == "Blocked"
    assert list(clusters.clusters["myeks"].nodegroups) == ["one"]
    assert "nodegroup/myeks/one" in str(theatre.lab.reason)
    assert "AccessDeniedException" in str(theatre.lab.reason)


def test_a_node_group_that_appears_after_the_others_went_is_taken_away_too() -> None:
    theatre = a_ready_lab()
    late = theatre.world.clusters.clusters["myeks"].nodegroups["myeks-nodegroup"]

    def appear(function: str) -> None:
        record = theatre.world.clusters.clusters.get("myeks")
        if function == "delete_cluster" and record is not None and not appeared:
            record.nodegroups["late"] = replace(late, state=replace(late.state, name="late", status="ACTIVE"))
            appeared.append("late")

    appeared: list[str] = []
    theatre.before = appear
    theatre.release()
    assert theatre.play() == "Gone"
    assert appeared
    assert theatre.world.account.resources == {}


def test_people_are_locked_out_before_anything_is_taken_away() -> None:
    theatre = a_ready_lab()
    theatre.release()
    theatre.play()
    calls = [name for name, _ in theatre.world.account.calls]
    assert calls.index("revoke_access") < calls.index("delete_nodegroup")
    ledger = theatre.world.store.ledger(theatre.lab_id)
    message = {entry.state for entry in ledger if entry.resource.kind is Kind.ACCESS_ENTRY}
    assert message == {EntryState.DELETED}


@pytest.mark.parametrize(
    "error", [AwsUnavailable("no answer"), AccessDenied("eks:DeleteAccessEntry", "AccessDenied", "no")]
)
def test_people_who_cannot_be_locked_out_hold_no_teardown_up(error: Exception) -> None:
    theatre = a_ready_lab()
    theatre.world.fail("revoke_access", error, times=100)
    theatre.release()
    assert theatre.play() == "Gone"
    assert theatre.world.account.resources == {}


def test_nobody_is_locked_out_of_a_namesake_of_the_lab_s_cluster() -> None:
    theatre = a_ready_lab()
    set_cluster(theatre, created_at=NOW + timedelta(hours=9))
    before = set(theatre.world.clusters.clusters["myeks"].entries)
    theatre.release()
    theatre.play()
    assert set(theatre.world.clusters.clusters["myeks"].entries) == before

"""Deletes a lab's resources and proves it. One function per Task state of teardown.asl.json, in a safe order (ADR 2).

Works without the Kubernetes API, with a half-made or missing cluster, and with a rolled-back stack. Touches a cluster only if
it carries the lab's tag: a cluster of the same name may be someone else's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.resources import BY_STACK, Kind
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.errors.explain import explain_execution
from chalicelib.domain.errors.patience import pause_for
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone, StillInUse
from chalicelib.domain.labs.arns import cluster_of
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.steps import Result, StepResult
from chalicelib.domain.teardown.causes import why_left
from chalicelib.domain.teardown.deletion_order import INSTANCES, LEFTOVERS, REMAINS
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared import deletion
from chalicelib.workflows.shared.access import not_taken_back, revoke_all
from chalicelib.workflows.shared.cluster import not_seen_yet, own_cluster, own_stack
from chalicelib.workflows.shared.leftovers import sweep, take_receipt, what_is_left
from chalicelib.workflows.shared.records import WATCH, again_or_stuck, close_steps, move, settle
from chalicelib.workflows.shared.runner import StepInput

#: After this many refusals a resource is left to the inventory; a resource in use is waited for longer.
_REFUSALS = 4
_ENDING = (Phase.RELEASING, Phase.ROLLING_BACK)
#: Kinds that go with the node groups, and with the cluster. Auto Scaling groups are searched: not all are node groups'.
_WITH_NODEGROUPS = (Kind.NODEGROUP, Kind.FARGATE_PROFILE)
_WITH_CLUSTER = (*_WITH_NODEGROUPS, Kind.CLUSTER, Kind.ADDON, Kind.ACCESS_ENTRY, Kind.POD_IDENTITY)


def begin(deps: Deps, at: StepInput) -> StepResult:
    """Wait until the superseded workflow has ended, so that it creates nothing more."""
    move(deps, at.lab, _ENDING, lambda stored: replace(stored, due_at=at.now + WATCH), at.now, "")
    if at.lab.phase is Phase.RELEASING and deletion.is_superseded_run_alive(deps, at.lab):
        return again_or_stuck("begin", at.attempt, Sentence("The workflow before this one is still at a step."))
    close_steps(deps, at.lab, at.now, Sentence("the lab is being deleted"), before=at.lab.run)
    return StepResult(Result.DONE)


def revoke_access(deps: Deps, at: StepInput) -> StepResult:
    """Delete the access entries that the lab granted. A refusal does not stop the teardown."""
    if own_cluster(deps, at.lab) is None:
        return StepResult(Result.SKIPPED, Sentence("There is no control plane of the lab's."))
    refused = revoke_all(deps, at.lab, at.now)
    return StepResult(Result.DONE, not_taken_back(refused) if refused else Sentence("Nobody gets in any more."))


def take_stock(deps: Deps, at: StepInput) -> StepResult:
    """Write every resource of the lab on the ledger: half of them can't be found once the cluster is gone."""
    count, unreadable = deletion.take_stock_of(deps, at.lab, at.now)
    unread = Sentence("Could not be looked at: {what}.", what=joined(unreadable, "; ")) if unreadable else ""
    return StepResult(Result.DONE, joined((Sentence("{count} things are on the ledger.", count=count), unread)))


def sweep_kubernetes(deps: Deps, at: StepInput) -> StepResult:
    """Delete Kubernetes objects, so that their controllers delete their AWS resources; without access, give the reason."""
    lab, cluster = at.lab, own_cluster(deps, at.lab)
    if cluster is None or cluster.status != "ACTIVE":
        return StepResult(Result.SKIPPED, Sentence("There is no working control plane to ask."))
    if not cluster.public_access:
        return StepResult(
            Result.SKIPPED, Sentence("The endpoint is private: swept by tag after the node groups instead.")
        )
    swept = deps.cloud(lab.place).kubernetes.sweep(lab)
    if swept.refused_by_aws and at.attempt < _REFUSALS:
        return again_or_stuck(
            "sweep_kubernetes", at.attempt, Sentence("Asked again: {problem}.", problem=swept.problem or "")
        )
    if not swept.reachable:
        return StepResult(
            Result.SKIPPED,
            Sentence("The API server can't be asked ({problem}): swept by tag instead.", problem=swept.problem or ""),
        )
    if not swept.remaining:
        return StepResult(
            Result.DONE, Sentence("{count} objects were still to be deleted; none is left.", count=len(swept.deleted))
        )
    return again_or_stuck(
        "sweep_kubernetes", at.attempt, Sentence("Going: {what}.", what=", ".join(swept.remaining[:5]))
    )


def delete_nodegroups(deps: Deps, at: StepInput) -> StepResult:
    """Delete all node groups at once, and Fargate profiles one at a time."""
    lab = at.lab
    if own_cluster(deps, lab) is None:
        settle(deps, lab, _WITH_NODEGROUPS, at.now)
        return StepResult(Result.SKIPPED, Sentence("There is no control plane of the lab's."))
    if left := deletion.ask_to_delete_nodes(deps, lab, at.now):
        return again_or_stuck("delete_nodegroups", at.attempt, joined(left, "; "))
    settle(deps, lab, _WITH_NODEGROUPS, at.now)
    return StepResult(Result.DONE, Sentence("None is left."))


def terminate_instances(deps: Deps, at: StepInput) -> StepResult:
    """Terminate the instances outside node groups: the work host, Karpenter's, self-managed ones."""
    return _swept(deps, at, "terminate_instances", INSTANCES)


def sweep_leftovers(deps: Deps, at: StepInput) -> StepResult:
    """Delete the AWS resources that Kubernetes made, the CNI's interfaces included, before the cluster."""
    return _swept(deps, at, "sweep_leftovers", LEFTOVERS)


def delete_cluster(deps: Deps, at: StepInput) -> StepResult:
    """Delete the control plane, its deletion protection first, and wait until EKS no longer knows it.

    Node groups and Fargate profiles that were still being created when the others were deleted keep the cluster: delete them here.
    EKS may not know a control plane that was requested a moment ago: wait for it.
    """
    lab, cluster = at.lab, own_cluster(deps, at.lab)
    if cluster is None:
        unknown = not_seen_yet(deps, lab) if at.attempt == 0 else None
        if unknown is not None and pause_for(unknown, "teardown", lab.id, at.waited) is not None:
            raise unknown
        settle(deps, lab, _WITH_CLUSTER, at.now)
        return StepResult(Result.DONE, Sentence("There is no control plane of the lab's any more."))
    clusters = deps.cloud(lab.place).clusters
    try:
        if cluster.status != "DELETING":
            deletion.note_lifted(deps, lab, cluster)
            clusters.allow_deletion(lab.name, lab.token(f"allow-deletion-{lab.run}"))
            clusters.delete(lab.name)
    except ResourceGone:
        settle(deps, lab, _WITH_CLUSTER, at.now)
        return StepResult(Result.DONE, Sentence("There is no control plane any more."))
    except StillInUse as error:
        late = deletion.ask_to_delete_nodes(deps, lab, at.now)
        return again_or_stuck("delete_cluster", at.attempt, joined((error.message, *late), "; "))
    except AwsRefused as error:
        deletion.note_refusal(deps, lab, [cluster_of(lab)], error, at.now)
        raise
    return again_or_stuck("delete_cluster", at.attempt, Sentence("EKS is deleting it."))


def sweep_remains(deps: Deps, at: StepInput) -> StepResult:
    """Delete resources that become free, or come back, once the cluster is gone."""
    return _swept(deps, at, "sweep_remains", REMAINS)


def delete_stack(deps: Deps, at: StepInput) -> StepResult:
    """Delete the lab's stack; if it fails, sweep the resources that block it and ask again.

    A resource that somebody else put into the lab's network fails every attempt: the inventory names it, and the next teardown
    tries again.
    """
    lab = at.lab
    if own_cluster(deps, lab) is not None:
        return StepResult(Result.STUCK, Sentence("The control plane is still there, and needs its role to go."))
    state = own_stack(deps, lab)
    if state is None:
        settle(deps, lab, (Kind.STACK,), at.now, how=BY_STACK)
        return StepResult(Result.DONE, Sentence("There is no stack of the lab's any more."))
    if state.status == "DELETE_IN_PROGRESS":
        return again_or_stuck("delete_stack", at.attempt, Sentence("CloudFormation is deleting it."))
    if state.status == "DELETE_FAILED":
        swept = sweep(deps, lab, (*LEFTOVERS, *REMAINS), at.now)
        if swept.in_the_way and not swept.remaining:
            deletion.note_failed_stack(deps, lab, state, at.now)
            return StepResult(
                Result.STUCK,
                Sentence("{failure} In the way: {things}.", failure=state.failure or "", things=swept.told_in_the_way),
            )
    busy = deletion.ask_to_delete_stack(deps, lab, state, lab.token(f"delete-stack-{lab.run}-{at.attempt}"), at.now)
    return again_or_stuck("delete_stack", at.attempt, busy or state.failure or Sentence("Its deletion is asked for."))


def take_inventory(deps: Deps, at: StepInput) -> StepResult:
    """Take the receipt from the independent inventory. Remaining resources are deleted again, a bounded number of times."""
    receipt = take_receipt(deps, at.lab, "now", at.now)
    if receipt.done:
        return StepResult(Result.DONE, what_is_left(receipt))
    return again_or_stuck("take_inventory", at.attempt, why_left(receipt))


def finish(deps: Deps, at: StepInput) -> StepResult:
    """End the lab: deleted, or failed after a rollback. The account is looked at again in 15 minutes."""

    def over(stored: Lab) -> Lab:
        failed = stored.phase is Phase.ROLLING_BACK
        phase, reason, responsible = (
            (Phase.FAILED, stored.reason, stored.responsible) if failed else (Phase.DELETED, None, None)
        )
        return replace(stored.moved_to(phase, at.now, reason, responsible), due_at=at.now + timedelta(minutes=15))

    move(deps, at.lab, _ENDING, over, at.now, Sentence("Everything of the lab's is gone."))
    return StepResult(Result.DONE)


def block(deps: Deps, at: StepInput) -> StepResult:
    """Block the lab, with the remaining resources and the reasons. A release tries again, and the scheduled run does for a while.

    A lab that this teardown has proved empty is over, also after later failures.
    """
    taken = [receipt for receipt in deps.store.receipts(at.lab.id) if receipt.taken_at >= at.lab.phase_since]
    if taken and taken[-1].clean:
        return finish(deps, at)
    failure = at.event.get("failure")
    why = deletion.why_blocked(deps, at.lab, failure)

    def blocked(stored: Lab) -> Lab:
        rolling = stored.phase is Phase.ROLLING_BACK
        before = Sentence("It was being rolled back: {reason}", reason=stored.reason or "") if rolling else ""
        return replace(stored.moved_to(Phase.BLOCKED, at.now, joined((why, before)), Responsible.OURS), due_at=None)

    caught = explain_execution(failure) if isinstance(failure, Mapping) else None
    move(deps, at.lab, _ENDING, blocked, at.now, why, caught)
    return StepResult(Result.STUCK, why)


def _swept(deps: Deps, at: StepInput, step: str, kinds: Iterable[Kind]) -> StepResult:
    outcome = sweep(deps, at.lab, kinds, at.now)
    count = len(outcome.deleted)
    gone = Sentence("{count} deleted.", count=count) if count else Sentence("Nothing to delete.")
    if outcome.done:
        return StepResult(Result.DONE, gone)
    left = [resource.arn for resource in outcome.remaining]
    left += [Sentence("{what}: {reason}", what=entry.resource.arn, reason=entry.reason) for entry in outcome.blocked]
    text = Sentence("{gone} Left: {things}.", gone=gone, things=joined([*left, *outcome.unread][:5], "; "))
    if not outcome.remaining and at.attempt >= _REFUSALS:
        return StepResult(Result.STUCK, text)
    return again_or_stuck(step, at.attempt, text)

"""Wakes a hibernated lab: restores the sizes of its node groups, waits for nodes, and grants access again.

One function per Task state of statemachine/wake.asl.json. The sizes stay on the lab until its nodes are Ready. A failed wake leaves
the lab hibernated, with the reason; its owner can ask again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.failure import Failure, HealthIssue, Responsible
from chalicelib.domain.core.sentence import Listed, Sentence, ended, joined
from chalicelib.domain.curfew.messages.wake_failed import KIND, wake_failed_message
from chalicelib.domain.curfew.messages.warning import NOBODY, recipient_of
from chalicelib.domain.errors.explain import explain_execution, explain_issues
from chalicelib.domain.errors.tree import AwsRefused, ProvisioningFailed, StillInUse
from chalicelib.domain.labs.aws_states import NodegroupState
from chalicelib.domain.labs.hibernation import asleep, sleeps_not, wanted_awake
from chalicelib.domain.labs.lab import Hibernation, Lab, NodegroupSize, Phase
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.schedule import next_wake
from chalicelib.domain.labs.steps import Result, StepResult
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.access import first_to_wait_for, grant_all, grant_own, in_words, people_of
from chalicelib.workflows.shared.cluster import own_cluster
from chalicelib.workflows.shared.posts import drop_post, post
from chalicelib.workflows.shared.records import WATCH, again, detail_of, move
from chalicelib.workflows.shared.runner import StepInput
from chalicelib.workflows.shared.scaling import again_or_late, ask_for_size, nodegroups_of, resize_all, why_not_now

_COMING = (Phase.WAKING,)
#: Earlier runs of a lab whose untold failures are dropped once it is awake; a hibernation counts as a run, too.
_RUNS = 5


def begin(deps: Deps, at: StepInput) -> StepResult:
    """Set the next look of the scheduled run."""
    _save(deps, at, lambda stored: replace(stored, due_at=at.now + WATCH))
    return StepResult(Result.DONE)


def restore_nodegroups(deps: Deps, at: StepInput) -> StepResult:
    """Restore the size of every node group, but not of one that has nodes already, or is deleted."""
    if why := why_not_now(deps, at.lab):
        return again_or_late("restore_nodegroups", at, why)
    sizes = _sizes(at.lab)
    known = {size.name for size in sizes}
    states = [state for state in nodegroups_of(deps, at.lab) if state.name in known]
    return resize_all(deps, at, "restore_nodegroups", states, lambda now_is: wanted_awake(now_is, sizes))


def verify_nodes(deps: Deps, at: StepInput) -> StepResult:
    """Wait until every node group has as many Ready nodes as it should."""
    seen = _nodes_of(deps, at.lab, _sizes(at.lab))
    if not seen.missing:
        return StepResult(Result.DONE, ended(seen.note))
    if POLL_POLICIES["verify_nodes"].is_out(at.attempt):
        raise ProvisioningFailed(seen.failure(POLL_POLICIES["verify_nodes"].minutes))
    return again("verify_nodes", Sentence("Not yet: {missing}.", missing=joined(seen.missing, "; ")))


def grant_access(deps: Deps, at: StepInput) -> StepResult:
    """Create the access entries again. The detail lists principals that EKS refuses; they keep nobody else out."""
    refused = grant_all(deps, at.lab, people_of(at.lab), at.now)
    if (waiting := first_to_wait_for(refused, "wake", at.waited)) is not None:
        raise waiting
    own = grant_own(deps, at.lab, at.now, "wake", at.waited)
    if not refused:
        people = joined((in_words(at.lab, one) for one in people_of(at.lab)), ", ") or Sentence("Nobody asked for")
        return StepResult(Result.DONE, joined((ended(people), ended(own))))
    each = (Sentence("{what}: {reason}", what=who, reason=error.message) for who, error in refused.items())
    why = Sentence("Not let in again: {who}.", who=joined(each, "; "))
    _save(
        deps, at, lambda stored: stored if stored.reason else replace(stored, reason=why, responsible=Responsible.YOURS)
    )
    return StepResult(Result.DONE, joined((why, ended(own))))


def finish(deps: Deps, at: StepInput) -> StepResult:
    """Move the lab to READY with a note on its nodes; the curfew run looks at it next. An earlier reason stays."""
    seen = detail_of(deps, at.lab, "wake", "verify_nodes") or Sentence("Its nodes were not looked at.")

    def awake(stored: Lab) -> Lab:
        ready = stored.moved_to(Phase.READY, at.now, stored.reason, stored.responsible)
        return replace(ready, hibernation=None, due_at=at.now)

    for run in range(max(at.lab.run - _RUNS, 0), at.lab.run):
        drop_post(deps, KIND, _occasion(at.lab, run))
    move(deps, at.lab, _COMING, awake, at.now, joined((Sentence("The lab is awake."), seen)))
    return StepResult(Result.DONE)


def give_up(deps: Deps, at: StepInput) -> StepResult:
    """Leave the lab hibernated, with the reason, and scale its nodes down again; without a cluster there is nothing to wake.

    Wait for a node group that EKS is still changing at this workflow's request: it would get its nodes, and cost money.
    """
    message = explain_execution(at.event.get("failure"))
    gone = own_cluster(deps, at.lab) is None
    busy, left = ([], []) if gone else _sent_away(deps, at.lab)
    if busy and not POLL_POLICIES["give_up"].is_out(at.attempt):
        return again("give_up", Sentence("It is to have no nodes again: {names}.", names=", ".join(busy)))

    def as_before(stored: Lab) -> Lab:
        awake = gone or sleeps_not(stored)
        phase, kept = (Phase.READY, None) if awake else (Phase.HIBERNATED, _later(deps, stored, at))
        reason = Listed([stored.reason or message.reason, *left], between=" ")
        responsible = stored.responsible or message.responsible
        return replace(stored.moved_to(phase, at.now, reason, responsible), hibernation=kept, due_at=at.now)

    _tell(deps, as_before(_save(deps, at, lambda stored: stored)))
    lab = move(
        deps, at.lab, _COMING, as_before, at.now, Sentence("The lab could not be woken. Ask to wake it again."), message
    )
    return StepResult(Result.DONE, lab.reason or "")


def _tell(deps: Deps, lab: Lab) -> None:
    """Notify the owner before the lab hibernates again: a killed step repeats safely."""
    recipient = recipient_of(lab, deps.watch.administrators or NOBODY)
    post(deps, [wake_failed_message(lab, recipient)], _occasion(lab, lab.run), lab_id=lab.id)


def _occasion(lab: Lab, run: int) -> str:
    """The name of the post about a run that could not wake the lab."""
    return f"{lab.id} woken in run {run}"


def _sizes(lab: Lab) -> tuple[NodegroupSize, ...]:
    return lab.hibernation.sizes if lab.hibernation else ()


def _sent_away(deps: Deps, lab: Lab) -> tuple[list[str], list[str]]:
    """Scale node groups of known size to zero; return the busy ones, and the refusals as a sentence."""
    known, busy, left = {size.name for size in _sizes(lab)}, [], []
    for state in nodegroups_of(deps, lab):
        if state.name not in known:
            continue
        try:
            if state.size != asleep(state.size):
                ask_for_size(deps, lab, asleep(state.size))
        except StillInUse as error:
            busy.append(state.name)
            left.append(Sentence("{name} ({reason})", name=state.name, reason=error.message))
        except AwsRefused as error:
            left.append(Sentence("{name} ({reason})", name=state.name, reason=error.message))
    return busy, [Sentence("These may have nodes that cost: {groups}.", groups=joined(left, "; "))] if left else []


def _later(deps: Deps, lab: Lab, at: StepInput) -> Hibernation | None:
    """The lab's next scheduled wake: next morning, not again this morning."""
    if lab.hibernation is None:
        return None
    return replace(lab.hibernation, wake_at=next_wake(lab.spec.schedule, at.now, deps.curfew.holidays))


def _save(deps: Deps, at: StepInput, change: Callable[[Lab], Lab]) -> Lab:
    return move(deps, at.lab, _COMING, change, at.now, "")


@dataclass(frozen=True)
class _NodesSeen:
    """`missing` keeps the lab from being awake; `issues`: EKS's own words; `note`: which nodes were checked."""

    missing: tuple[str, ...]
    issues: tuple[HealthIssue, ...]
    note: str

    def failure(self, minutes: int) -> Failure:
        """Why the lab did not wake."""
        words = joined(self.missing, "; ")
        if self.issues:
            return explain_issues(self.issues, words)
        why = Sentence("After {minutes} minutes nodes are missing: {words}.", minutes=minutes, words=words)
        return Failure("nodes-not-ready", why, Responsible.OURS, words)


def _nodes_of(deps: Deps, lab: Lab, sizes: Sequence[NodegroupSize]) -> _NodesSeen:
    """Look at the node groups that get their nodes back."""
    known = {size.name for size in sizes if size.desired}
    states = [state for state in nodegroups_of(deps, lab) if state.name in known]
    cloud = deps.cloud(lab.place)
    running, asked = cloud.network.running_nodes(lab.name), cloud.kubernetes.nodes(lab)
    ready = asked.ready if asked.reachable else None
    missing = [message for state in states for message in _missing(state, running, ready)]
    issues = tuple(issue for state in states for issue in state.issues)
    return _NodesSeen(
        tuple(missing),
        issues,
        _note(sum(state.desired for state in states), None if ready is not None else asked.problem or ""),
    )


def _note(nodes: int, unasked: str | None) -> str:
    """`unasked`: why Kubernetes can't be asked."""
    if not nodes:
        return Sentence("There are no nodes to wait for")
    if unasked is None:
        return Sentence("{nodes} of {nodes} nodes say Ready", nodes=nodes)
    said = Sentence("{nodes} of {nodes} nodes run, and EKS finds no fault (Kubernetes can't be asked: {problem})")
    return said.with_slots(nodes=nodes, problem=unasked)


def _missing(state: NodegroupState, running: Mapping[str, int], ready: Mapping[str, int] | None) -> Iterator[str]:
    if state.status != "ACTIVE":
        yield Sentence("{name} is {status}", name=state.name, status=state.status)
    for issue in state.issues:
        yield Sentence("{what}: {reason}", what=state.name, reason=f"{issue.code}: {issue.message}")
    if running.get(state.name, 0) < state.desired:
        slots: dict[str, str | int] = {"name": state.name, "of": state.desired, "number": running.get(state.name, 0)}
        yield Sentence("{name}: {number} of {of} nodes run", **slots)
    elif ready is not None and ready.get(state.name, 0) < state.desired:
        slots = {"name": state.name, "of": state.desired, "number": ready.get(state.name, 0)}
        yield Sentence("{name}: {number} of {of} nodes are Ready", **slots)

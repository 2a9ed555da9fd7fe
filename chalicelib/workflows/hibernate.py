"""Hibernates a lab: revokes its owner's access, scales all node groups to zero, and keeps the control plane.

One function per Task state of statemachine/hibernate.asl.json. A node group's size is on the lab before it shrinks. A lab that
can't hibernate is woken by `wake`, so that a failure takes nothing away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.core.wording import counted
from chalicelib.domain.errors.explain import explain_execution
from chalicelib.domain.labs.hibernation import asleep, awakened, remembered
from chalicelib.domain.labs.lab import Hibernation, Lab, NodegroupSize, Phase
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.schedule import next_wake
from chalicelib.domain.labs.steps import Result, StepResult, execution_name
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.access import not_taken_back, people_of, revoke_all
from chalicelib.workflows.shared.records import WATCH, again, detail_of, move
from chalicelib.workflows.shared.runner import StepInput
from chalicelib.workflows.shared.scaling import again_or_late, is_busy, nodegroups_of, resize_all, why_not_now

_GOING = (Phase.HIBERNATING,)
_KEPT = Sentence("(see whether Auto Scaling protects them from scale-in, or has its processes suspended)")


def begin(deps: Deps, at: StepInput) -> StepResult:
    """Set the next look of the scheduled run, and make sure that the cluster exists and is the lab's."""

    def begun(stored: Lab) -> Lab:
        kept = stored.hibernation or _usual(deps, stored, at)
        return replace(stored, hibernation=kept, reason=None, responsible=None, due_at=at.now + WATCH)

    lab = _save(deps, at, begun)
    return StepResult(Result.DONE, why_not_now(deps, lab))


def revoke_access(deps: Deps, at: StepInput) -> StepResult:
    """Delete the access entries that the lab granted: without nodes there is nothing to work on."""
    refused = revoke_all(deps, at.lab, at.now)
    if refused:
        return StepResult(Result.DONE, not_taken_back(refused))
    people = ", ".join(one.principal_arn for one in people_of(at.lab))
    return StepResult(Result.DONE, Sentence("Taken back: {who}.", who=people or Sentence("none")))


def shrink_nodegroups(deps: Deps, at: StepInput) -> StepResult:
    """Scale every node group to zero, each after its size is written down."""
    if why := why_not_now(deps, at.lab):
        return again_or_late("shrink_nodegroups", at, why)
    states = list(nodegroups_of(deps, at.lab))
    _remember(deps, at, [state.size for state in states if not is_busy(state)])
    resized = resize_all(deps, at, "shrink_nodegroups", states, asleep)
    return _when_gone(deps, at, resized.detail) if resized.outcome is Result.DONE else resized


def _when_gone(deps: Deps, at: StepInput, sizes: str) -> StepResult:
    """A node group of size zero may still have instances: EC2 Auto Scaling keeps protected ones, and all while it is suspended."""
    running = deps.cloud(at.lab.place).network.instances(at.lab.name)
    inside = {name: number for name, number in running.items() if name}
    outside = counted(running[""], "instance") if running.get("") else ""
    if inside and not POLL_POLICIES["shrink_nodegroups"].is_out(at.attempt):
        return again("shrink_nodegroups", Sentence("No nodes are wanted; still there: {what}.", what=_listed(inside)))
    left = [
        joined((_listed(inside), _KEPT)) if inside else "",
        Sentence("{what} in no managed node group (Karpenter's, or somebody's own)", what=outside) if outside else "",
    ]
    if not any(left):
        return StepResult(Result.DONE, Sentence("{sizes} No instance is left.", sizes=sizes))
    why = Sentence("Instances go on running, and cost: {what}.", what=joined(left, "; "))
    _save(deps, at, lambda stored: replace(stored, reason=why, responsible=Responsible.YOURS))
    return StepResult(Result.DONE, why)


def _listed(running: Mapping[str, int]) -> str:
    each = (
        Sentence("{instances} of {name}", instances=counted(number, "instance"), name=name)
        for name, number in sorted(running.items())
    )
    return joined(each, ", ")


def finish(deps: Deps, at: StepInput) -> StepResult:
    """Move the lab to HIBERNATED with a note on its instances; the curfew run looks at it next, and computes its waking."""
    seen = detail_of(deps, at.lab, "hibernate", "shrink_nodegroups")

    def sleeping(stored: Lab) -> Lab:
        return replace(stored.moved_to(Phase.HIBERNATED, at.now, stored.reason, stored.responsible), due_at=at.now)

    move(
        deps,
        at.lab,
        _GOING,
        sleeping,
        at.now,
        joined((Sentence("The lab is hibernated; the control plane stays."), seen)),
    )
    return StepResult(Result.DONE)


def give_up(deps: Deps, at: StepInput) -> StepResult:
    """Wake the lab, with the reason why it could not hibernate. If the start gets lost, the scheduled run does it."""
    message = explain_execution(at.event.get("failure"))

    def waking(stored: Lab) -> Lab:
        reason, responsible = stored.reason or message.reason, stored.responsible or message.responsible
        return replace(
            awakened(stored, at.now), reason=reason, responsible=responsible, due_at=at.now + timedelta(minutes=1)
        )

    lab = move(
        deps, at.lab, _GOING, waking, at.now, Sentence("The lab could not be hibernated; it is woken again."), message
    )
    deps.workflows.start("wake", execution_name(lab, "wake"), {"lab_id": lab.id})
    return StepResult(Result.DONE, lab.reason or "")


def _remember(deps: Deps, at: StepInput, sizes: Iterable[NodegroupSize]) -> None:
    """Write down sizes that are not on the lab yet, before any group shrinks."""
    known = tuple(sizes)

    def with_sizes(stored: Lab) -> Lab:
        return replace(stored, hibernation=remembered(stored.hibernation or _usual(deps, stored, at), known))

    _save(deps, at, with_sizes)


def _usual(deps: Deps, lab: Lab, at: StepInput) -> Hibernation:
    """The record of a hibernation that names no reason and no waking."""
    wake_at = next_wake(lab.spec.schedule, max(at.now, lab.phase_since), deps.curfew.holidays)
    return Hibernation((), lab.phase_since, lab.reason or Sentence("It was put to sleep."), wake_at)


def _save(deps: Deps, at: StepInput, change: Callable[[Lab], Lab]) -> Lab:
    return move(deps, at.lab, _GOING, change, at.now, "")

"""Changes a ready lab: its endpoint access, then its node counts. One function per Task state of update.asl.json.

A change is written into the lab's spec as soon as EKS has made it, so that the record is true when the rest fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import field, replace

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence, joined, reason_of
from chalicelib.domain.errors.explain import explain_execution
from chalicelib.domain.errors.not_yet_known import is_not_yet_known
from chalicelib.domain.errors.tree import AwsRefused, ProvisioningFailed, StillInUse, Transient
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import Change, Lab, Phase
from chalicelib.domain.labs.polling import POLL_POLICIES
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec, LabSpec, NodegroupSpec
from chalicelib.domain.labs.steps import Result, StepResult
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.cluster import own_cluster
from chalicelib.workflows.shared.records import WATCH, again, again_or_failed, move
from chalicelib.workflows.shared.runner import StepInput
from chalicelib.workflows.shared.scaling import is_busy, is_over, nodegroups_of

_CHANGING = (Phase.UPDATING,)


def begin(deps: Deps, at: StepInput) -> StepResult:
    """Set the next look of the scheduled run."""
    _save(deps, at, lambda stored: replace(stored, due_at=at.now + WATCH))
    return StepResult(Result.DONE)


def change_endpoint(deps: Deps, at: StepInput) -> StepResult:
    """Request the new endpoint access, if any. Returns `update_id`, empty if there is nothing to wait for."""
    lab, wanted = at.lab, _wanted_endpoint(at.lab)
    if wanted is None:
        return StepResult(Result.SKIPPED, Sentence("Not part of the change."), facts={"update_id": ""})
    update_id = _ask(
        lambda: deps.cloud(lab.place).clusters.update_endpoint(lab.name, wanted, lab.token(f"endpoint-{lab.run}"))
    )
    return StepResult(
        Result.ASKED,
        Sentence("Endpoint access {access} is asked for.", access=wanted.access),
        facts={"update_id": update_id or ""},
    )


def check_endpoint(deps: Deps, at: StepInput) -> StepResult:
    """Wait for the endpoint's update, then write it into the lab's spec."""
    lab, wanted, update_id = at.lab, _wanted_endpoint(at.lab), str(at.event.get("update_id") or "")
    if wanted is None:
        return StepResult(Result.SKIPPED, Sentence("Not part of the change."))
    if update_id:
        state = deps.cloud(lab.place).clusters.update_state(lab.name, update_id)
        if not is_over(state):
            return again_or_failed("change_endpoint", at, "The endpoint's update", Sentence("EKS is at work."))
    _save(deps, at, lambda stored: replace(stored, spec=replace(stored.spec, endpoint=wanted)))
    return StepResult(Result.DONE, Sentence("Endpoint access is {access}.", access=wanted.access))


def scale_nodegroups(deps: Deps, at: StepInput) -> StepResult:
    """Request all new node counts. Returns `update_ids`: JSON of node group -> update id, or [code, message] of a refusal.

    Refusals fail the step only if EKS accepted nothing: accepted changes must be followed to their end first.
    """
    lab, nodes = at.lab, _change(at.lab).nodes
    refused: dict[str, AwsRefused] = {}
    update_ids: dict[str, str | list[str]] = {}
    for name, desired in nodes.items():
        try:
            update_id = _scale(deps, lab, name, desired)
        except AwsRefused as error:
            refused[name] = error
        else:
            update_ids |= {name: update_id} if update_id else {}
    if refused and len(refused) == len(nodes):
        raise next(iter(refused.values()))
    update_ids |= {name: [error.code, error.message] for name, error in refused.items()}
    result = Result.ASKED if nodes else Result.SKIPPED
    asked = [f"{name}: {count}" for name, count in nodes.items() if name not in refused]
    text = ", ".join(asked) or Sentence("Not part of the change.")
    return StepResult(result, text, facts={"update_ids": json.dumps(update_ids)})


def check_nodegroups(deps: Deps, at: StepInput) -> StepResult:
    """Wait for all updates. Each count enters the lab's spec as soon as it is reached; failures are reported last."""
    lab, nodes = at.lab, _change(at.lab).nodes
    if not nodes:
        return StepResult(Result.SKIPPED, Sentence("Not part of the change."))
    asked: dict[str, str | list[str]] = json.loads(str(at.event.get("update_ids") or "{}"))
    looks = {name: _look(deps, lab, name, update_id) for name, update_id in asked.items()}
    done = {name: count for name, count in nodes.items() if looks.get(name, True) is True}
    _save(deps, at, lambda stored: replace(stored, spec=_scaled(stored.spec, done)))
    waiting = [name for name, look in looks.items() if look is False]
    if waiting:
        return again_or_failed(
            "scale_nodegroups",
            at,
            "A node group",
            Sentence("{names}: EKS is at work.", names=", ".join(waiting)),
        )
    for look in looks.values():
        if isinstance(look, Exception):
            raise look
    return StepResult(Result.DONE, ", ".join(f"{name}: {count}" for name, count in nodes.items()))


def finish(deps: Deps, at: StepInput) -> StepResult:
    """Move the lab back to READY."""
    move(
        deps,
        at.lab,
        _CHANGING,
        lambda stored: _ready(stored, at),
        at.now,
        Sentence("The change is made; the lab is ready."),
    )
    return StepResult(Result.DONE)


def give_up(deps: Deps, at: StepInput) -> StepResult:
    """Move the lab back to READY, with the reason for which the change, or the rest of it, was not made.

    Requests to EKS go on without this workflow: wait for them, and write their results into the spec.
    """
    text = explain_execution(at.event.get("failure"))
    made = _made(deps, at.lab)
    if made.busy and not POLL_POLICIES["give_up"].is_out(at.attempt):
        return again("give_up", Sentence("{busy}: it is seen through.", busy=made.busy))

    def as_it_is(stored: Lab) -> Lab:
        ready = replace(_ready(stored, at), spec=_scaled(stored.spec, made.nodes))
        if made.endpoint is not None:
            ready = replace(ready, spec=replace(ready.spec, endpoint=made.endpoint))
        reason = joined((stored.reason or text.reason, made.unread))
        return replace(ready, reason=reason, responsible=stored.responsible or text.responsible)

    message = Sentence("The change, or the rest of it, could not be made; the lab is ready.")
    lab = move(deps, at.lab, _CHANGING, as_it_is, at.now, message, text)
    return StepResult(Result.DONE, lab.reason or "")


@dataclass(frozen=True)
class _Made:
    """EKS's state of a change: the endpoint and counts that are as wanted. `busy`, `unread`: unfinished, or unreadable."""

    endpoint: EndpointSpec | None = None
    nodes: Mapping[str, int] = field(default_factory=dict)
    busy: str = ""
    unread: str = ""


def _made(deps: Deps, lab: Lab) -> _Made:
    wanted, nodes = _wanted_endpoint(lab), _change(lab).nodes
    try:
        cluster = own_cluster(deps, lab)
        if cluster is None:
            return _Made()
        states = list(nodegroups_of(deps, lab)) if nodes else []
    except AwsRefused as error:
        return _Made(unread=Sentence("What EKS has made of it could not be read: {reason}", reason=reason_of(error)))
    busy = [Sentence("{name} is {status}", name=s.name, status=s.status) for s in states if is_busy(s)]
    if cluster.status == "UPDATING":
        busy.append(Sentence("the control plane is {status}", status=cluster.status))
    return _Made(
        wanted if wanted is not None and _is_so(cluster, wanted) else None,
        {state.name: state.desired for state in states if nodes.get(state.name) == state.desired},
        joined(busy, ", "),
    )


def _is_so(cluster: ClusterState, wanted: EndpointSpec) -> bool:
    """Whether EKS has the requested endpoint; the CIDRs matter only for a public one."""
    public, private = wanted.access is not EndpointAccess.PRIVATE, wanted.access is not EndpointAccess.PUBLIC
    everyone = set(cluster.allowed_cidrs) == set(wanted.allowed_cidrs)
    return (cluster.public_access, cluster.private_access) == (public, private) and (everyone or not public)


def _ask(ask: Callable[[], str | None]) -> str | None:
    """EKS takes one update at a time: ASL retries while another one runs."""
    try:
        return ask()
    except StillInUse as error:
        raise Transient(str(error)) from error


def _scale(deps: Deps, lab: Lab, name: str, desired: int) -> str | None:
    """The client token has the group's number, not its name: tokens are cut at 64 characters, and long names may begin alike."""
    number = [group.name for group in lab.spec.nodegroups].index(name)
    clusters, token = deps.cloud(lab.place).clusters, lab.token(f"scale-{lab.run}-{number}")
    return _ask(lambda: clusters.scale_nodegroup(lab.name, name, desired, token))


def _look(deps: Deps, lab: Lab, name: str, asked: str | list[str]) -> bool | ProvisioningFailed | AwsRefused:
    """Whether a node group's update succeeded; its error is returned, not raised, so that the other groups are read as well."""
    if not isinstance(asked, str):
        return AwsRefused("eks:UpdateNodegroupConfig", *asked)
    try:
        return is_over(deps.cloud(lab.place).clusters.nodegroup_update_state(lab.name, name, asked))
    except AwsRefused as refusal:
        return False if is_not_yet_known(refusal, "update") else refusal
    except ProvisioningFailed as failure:
        return failure


def _change(lab: Lab) -> Change:
    return lab.change or Change()


def _wanted_endpoint(lab: Lab) -> EndpointSpec | None:
    change, now = _change(lab), lab.spec.endpoint
    if change.endpoint_access is None and change.allowed_cidrs is None:
        return None
    access = EndpointAccess(change.endpoint_access) if change.endpoint_access is not None else now.access
    return EndpointSpec(access, now.allowed_cidrs if change.allowed_cidrs is None else change.allowed_cidrs)


def _scaled(spec: LabSpec, nodes: Mapping[str, int]) -> LabSpec:
    def one(group: NodegroupSpec) -> NodegroupSpec:
        count = nodes.get(group.name, group.desired)
        return replace(group, desired=count, min=min(group.min, count), max=max(group.max, count))

    return replace(spec, nodegroups=tuple(one(group) for group in spec.nodegroups))


def _ready(stored: Lab, at: StepInput) -> Lab:
    return replace(stored.moved_to(Phase.READY, at.now), change=None, due_at=at.now)


def _save(deps: Deps, at: StepInput, change: Callable[[Lab], Lab]) -> None:
    move(deps, at.lab, _CHANGING, change, at.now, "")

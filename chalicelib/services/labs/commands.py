"""What a person may ask that changes something: request a lab, change it, release it. Reading is in `queries.py`.

The order is always: judge, store, start (`transitions.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.costs import most_hourly
from chalicelib.domain.curfew.decision import shield_of
from chalicelib.domain.errors.findings import Finding, has_errors, warning
from chalicelib.domain.errors.tree import (
    AwsRefused,
    InvalidRequest,
    LabNotFound,
    NameTaken,
    NotYours,
    ResourceGone,
    Transient,
    WrongPhase,
)
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.cluster_identity import is_own_cluster
from chalicelib.domain.labs.lab import ENDING, OVER, Change, Lab, Phase
from chalicelib.domain.labs.spec import LabSpec, SupportPolicy
from chalicelib.domain.requests.changes import changes_nothing, completed, describe_change, judge_change
from chalicelib.domain.requests.offers import judge_price, with_own_subdomain
from chalicelib.domain.requests.validation.limits import judge_size
from chalicelib.domain.teardown.volumes import describe_volumes
from chalicelib.ports.deps import Deps
from chalicelib.services.labs.preflight import preflight
from chalicelib.services.labs.transitions import START_CHECK, Accepted, apply_transition, start_workflow, with_new_run

#: Characters; ours have 16, and no store takes a key of any length.
_LONGEST_ID = 64


@dataclass(frozen=True)
class ValidatedRequest:
    """A request that was read: its spec, the findings so far, and how to tell more findings by the caller's own paths.

    `account`: where the lab is to be made; None: in the service's own.
    """

    spec: LabSpec
    findings: tuple[Finding, ...] = ()
    in_callers_words: Callable[[Iterable[Finding]], tuple[Finding, ...]] = tuple
    account: str | None = None


def requested_before(deps: Deps, caller: Caller, key: str | None, digest: str, now: datetime) -> Accepted | None:
    """The lab that this caller's idempotency key stands for, started if it never was. Raises IdempotencyConflict."""
    lab = deps.store.lab_of_key(caller.identity, key, digest, now) if key else None
    return None if lab is None else Accepted(lab, start_workflow(deps, lab))


def request_lab(
    deps: Deps, caller: Caller, asking: ValidatedRequest, key: str | None, digest: str, now: datetime
) -> Accepted:
    """Store a new lab and start making it. Raises InvalidRequest, NameTaken, TooManyLabs, IdempotencyConflict."""
    judged = plan_lab(deps, caller, asking, now)
    stored = _stored(deps, caller, judged.lab, key, digest, now)
    return Accepted(stored, (*judged.findings, *start_workflow(deps, stored)))


def plan_lab(deps: Deps, caller: Caller, asking: ValidatedRequest, now: datetime) -> Accepted:
    """The lab as it would be stored, with every warning; nothing is stored. Raises InvalidRequest.

    Whether its name is free and the caller may have one more lab is known only when it is stored.
    """
    account = deps.watch.home if asking.account is None else asking.account
    spec, found = preflight(deps, caller, asking.spec, account)
    findings = (*asking.findings, *asking.in_callers_words(found))
    if has_errors(findings):
        raise InvalidRequest(findings)
    lab = _asked_for(deps, caller, spec, account, now)
    if refused := (*judge_size(lab), *_too_dear(deps, lab)):
        raise InvalidRequest((*findings, *asking.in_callers_words(refused)))
    return Accepted(lab, (*findings, _about_volumes(lab)))


def change_lab(deps: Deps, caller: Caller, lab_id: str, asked: Change, now: datetime) -> Accepted:
    """Start changing a ready lab. The same change again while it is being made is the same answer. Raises WrongPhase."""
    lab = own_lab(deps, caller, lab_id)
    change = completed(asked, lab, caller)
    findings = judge_change(asked, change, lab, deps.limits, deps.store.offers())
    if has_errors(findings):
        raise InvalidRequest(findings)
    if lab.phase is Phase.READY and changes_nothing(change, lab):
        return Accepted(lab, (*findings, warning("", "already-so", "The lab is so already: nothing was changed.")))

    def updating(stored: Lab) -> Lab:
        if stored.phase is Phase.UPDATING and stored.change == change:
            return stored
        if stored.phase is not Phase.READY:
            message = f"A lab can be changed when it is ready; this one is {stored.phase}."
            raise WrongPhase(lab_id, stored.phase, message)
        return replace(with_new_run(stored, Phase.UPDATING, now), change=change)

    return apply_transition(
        deps, caller, lab, updating, findings, now, f"A change was asked for: {describe_change(change)}."
    )


def release_lab(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> Accepted:
    """Start deleting a lab and everything of it. Again is the same answer; a blocked one is tried again."""
    lab = own_lab(deps, caller, lab_id)

    def releasing(stored: Lab) -> Lab:
        ended = stored.phase in OVER or (stored.phase in ENDING and stored.phase is not Phase.BLOCKED)
        return stored if ended else replace(with_new_run(stored, Phase.RELEASING, now), change=None)

    if lab.phase in OVER:
        return apply_transition(deps, caller, lab, releasing, (), now, "")
    lifted = _about_protection(deps, lab)
    message = " ".join((f"The lab was released by {caller.arn}.", *(finding.message for finding in lifted)))
    return apply_transition(deps, caller, lab, releasing, (*lifted, _about_volumes(lab)), now, message)


def seen_lab(deps: Deps, caller: Caller, lab_id: str) -> Lab:
    """A lab that this caller may see. Raises LabNotFound for one that is not there and for one that is not theirs to see."""
    if len(lab_id) > _LONGEST_ID:
        raise LabNotFound(lab_id)
    lab = deps.store.load_lab(lab_id)
    if not lab.may_be_seen_by(caller):
        raise LabNotFound(lab_id)
    return lab


def own_lab(deps: Deps, caller: Caller, lab_id: str) -> Lab:
    """A lab that this caller may change. Raises LabNotFound as `seen_lab` does, NotYours for one they may only look at."""
    lab = seen_lab(deps, caller, lab_id)
    if not lab.may_be_changed_by(caller):
        raise NotYours(f"{lab.name} is for its owner and for administrators to change.")
    return lab


def _asked_for(deps: Deps, caller: Caller, spec: LabSpec, account: str, now: datetime) -> Lab:
    ends_by = now + timedelta(hours=deps.curfew.store.rules(deps.curfew.usual).max_total_hours)
    lab_id = deps.new_id()
    return Lab(
        id=lab_id,
        owner=caller.identity,
        account=account,
        spec=with_own_subdomain(spec, lab_id),
        phase=Phase.REQUESTED,
        created_at=now,
        phase_since=now,
        lease_ends_at=min(now + timedelta(hours=spec.lease_hours), ends_by),
        due_at=now + START_CHECK,
        ends_by=ends_by,
        installation=deps.curfew.installation,
    )


def _too_dear(deps: Deps, lab: Lab) -> tuple[Finding, ...]:
    extended = lab.spec.support_policy is SupportPolicy.EXTENDED
    return tuple(judge_price(most_hourly(lab.spec, deps.curfew.prices(lab.region), extended), deps.store.offers()))


def _stored(deps: Deps, caller: Caller, lab: Lab, key: str | None, digest: str, now: datetime) -> Lab:
    try:
        limits = deps.limits
        return deps.store.create_lab(lab, key, digest, now, limits.max_labs_per_owner, limits.max_labs_per_role)
    except NameTaken as taken:
        seen = taken.lab_id is not None and _may_see(deps, caller, taken.lab_id)
        raise NameTaken(lab.name, taken.lab_id if seen else None) from taken


def _may_see(deps: Deps, caller: Caller, lab_id: str) -> bool:
    try:
        return deps.store.load_lab(lab_id).may_be_seen_by(caller)
    except LabNotFound:
        return False


def _about_protection(deps: Deps, lab: Lab) -> tuple[Finding, ...]:
    """What somebody put on the cluster against its end: the word of who may delete the lab goes over it, and says so first."""
    try:
        cluster = deps.cloud(lab.place).clusters.describe(lab.name)
    except ResourceGone:
        return ()
    except (AwsRefused, Transient) as error:
        message = (
            f"Whether its cluster has EKS deletion protection could not be seen ({error}); if it has, that is lifted."
        )
        return (warning("", "protection-unknown", message),)
    shield = shield_of(cluster.tags, cluster.deletion_protection) if is_own_cluster(lab, cluster) else ""
    return (warning("", "protection-lifted", f"{shield} That is lifted."),) if shield else ()


def _about_volumes(lab: Lab) -> Finding:
    return warning("volumes", "volumes", f"When the lab ends, {describe_volumes(lab.spec.volumes)}.")

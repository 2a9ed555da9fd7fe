"""Use cases that change a lab: request it, change it, release it. `queries.py` has the reads.

The order is always: judge, store, start. A change is stored with a new run, recorded in the lab's history, and its workflow
started. A start that fails after the store loses nothing: the scheduled run finds the lab by its `due_at` and starts it, under
the same execution name, so never twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import Place
from chalicelib.domain.core.sentence import Sentence, joined, reason_of
from chalicelib.domain.curfew.decision import shield_of
from chalicelib.domain.errors.findings import Finding, has_errors, warning
from chalicelib.domain.errors.tree import (
    AwsRefused,
    EkslabError,
    InvalidRequest,
    LabNotFound,
    NameTaken,
    NotYours,
    OverBudget,
    ResourceGone,
    Transient,
    WrongPhase,
)
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.identity.person import Person, joined_name
from chalicelib.domain.labs.approval import over
from chalicelib.domain.labs.aws_states import is_own_cluster
from chalicelib.domain.labs.lab import ENDING, OVER, Change, Lab, Phase, phase_said
from chalicelib.domain.labs.spec import LabSpec
from chalicelib.domain.labs.spending import MonthCeilings
from chalicelib.domain.labs.steps import Event, execution_name
from chalicelib.domain.requests.changes import changes_nothing, completed, describe_change, judge_change
from chalicelib.domain.requests.months import judge_months
from chalicelib.domain.requests.offers import cost_tags_of, with_own_subdomain
from chalicelib.domain.requests.validation.limits import judge_size
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.teardown.volumes import describe_volumes
from chalicelib.ports.deps import Ahead, Deps, NewLabLimits
from chalicelib.services.labs.budget import Budget, judge_price, meter_for, with_approval
from chalicelib.services.labs.preflight import judge_more_nodes, preflight

#: When the scheduled run checks that a stored lab was also started.
START_CHECK = timedelta(seconds=60)
_WORKFLOWS = {
    Phase.REQUESTED: "provision",
    Phase.UPDATING: "update",
    Phase.HIBERNATING: "hibernate",
    Phase.WAKING: "wake",
    Phase.RELEASING: "teardown",
}


@dataclass(frozen=True)
class Accepted:
    """The present lab, and warnings for the caller."""

    lab: Lab
    findings: tuple[Finding, ...] = ()


def with_new_run(lab: Lab, phase: Phase, now: datetime) -> Lab:
    """The lab in another phase, with a new run, checked by the scheduled run."""
    return replace(lab.moved_to(phase, now), run=lab.run + 1, due_at=now + START_CHECK)


@dataclass(frozen=True)
class Transition:
    """A person's change of a lab: the function, the line in its history, warnings, and the months' ceilings."""

    change: Callable[[Lab], Lab]
    message: str
    findings: tuple[Finding, ...] = ()
    ceilings: MonthCeilings | None = None


def apply_transition(deps: Deps, caller: Caller, lab: Lab, asked: Transition, now: datetime) -> Accepted:
    """Save the change, record it if it began a run, and start the workflow. Raises the errors of `change`, and OverBudget."""
    stored = deps.store.change_lab(lab.id, asked.change, ceilings=asked.ceilings)
    if stored.run != lab.run:
        facts = {"phase": str(stored.phase), "by": caller.arn}
        deps.store.add_event(lab.id, Event(now, "phase-changed", asked.message, facts))
    return Accepted(stored, (*asked.findings, *start_workflow(deps, stored)))


def start_workflow(deps: Deps, lab: Lab) -> tuple[Finding, ...]:
    """Start the workflow of the lab's phase; a failed start is a warning, because the scheduled run repeats it."""
    workflow = _WORKFLOWS.get(lab.phase)
    if workflow is None:
        return ()
    try:
        deps.workflows.start(workflow, execution_name(lab, workflow), {"lab_id": lab.id})
    except EkslabError:
        message = Sentence(
            "It is stored, but its start was not confirmed; a scheduled run makes up for that within minutes."
        )
        return (warning("", "start-delayed", message),)
    return ()


#: Characters; ours have 16, and every store limits its keys.
LONGEST_ID = 64


@dataclass(frozen=True)
class ValidatedRequest:
    """A request that was read: its spec, the findings so far, and the translation of findings to the caller's own paths.

    `account`: the lab's account; None: the service's own. `calendar`, `ahead`: the region's calendar, the records, if read.
    """

    spec: LabSpec
    findings: tuple[Finding, ...] = ()
    in_callers_words: Callable[[Iterable[Finding]], tuple[Finding, ...]] = tuple
    account: str | None = None
    calendar: Calendar | None = None
    ahead: Ahead | None = None


def requested_before(deps: Deps, ahead: Ahead) -> Accepted | None:
    """The lab of the request's idempotency key, started if it never was."""
    return None if ahead.before is None else Accepted(ahead.before, start_workflow(deps, ahead.before))


@dataclass(frozen=True)
class PricedRequest:
    """The lab to store, every warning, its ceilings, and the requester, if known."""

    lab: Lab
    findings: tuple[Finding, ...]
    budget: Budget
    person: Person | None


def request_lab(
    deps: Deps, caller: Caller, asking: ValidatedRequest, key: str | None, digest: str, now: datetime
) -> Accepted:
    """Store a new lab and start creating it. Raises InvalidRequest, OverBudget, NameTaken, TooManyLabs, IdempotencyConflict."""
    plan = _plan(deps, caller, asking, now)
    about = _about_mail(deps, plan.person)
    stored = _stored(deps, caller, plan, key, digest, now)
    return Accepted(stored, (*plan.findings, *about, *start_workflow(deps, stored)))


def plan_lab(deps: Deps, caller: Caller, asking: ValidatedRequest, now: datetime) -> Accepted:
    """The lab as it would be stored, with every warning; nothing is stored. Raises InvalidRequest, OverBudget.

    Only storing shows whether its name is free and the caller may have one more lab.
    """
    plan = _plan(deps, caller, asking, now)
    judge_months(plan.lab, plan.budget.months, deps.store)
    return Accepted(plan.lab, plan.findings)


def _plan(deps: Deps, caller: Caller, asking: ValidatedRequest, now: datetime) -> PricedRequest:
    """Money is judged first: the refusal of a lab that is too dear has its sum, and all other findings."""
    account = deps.watch.home if asking.account is None else asking.account
    ahead = asking.ahead or deps.store.look_ahead(caller.identity, None, "", now)
    offers = ahead.offers
    spec, found = preflight(deps, caller, asking.spec, account, offers, now)
    lab = _asked_for(deps, caller, spec, account, asking.calendar, ahead, now)
    findings = (*asking.findings, *asking.in_callers_words((*found, *judge_size(lab))))
    try:
        budget = judge_price(deps, caller, lab, offers, person=ahead.person)
    except OverBudget as dear:
        dear.findings = findings
        raise
    if has_errors(findings):
        raise InvalidRequest(findings)
    lab, about = with_approval(deps, caller, lab, budget, now)
    return PricedRequest(lab, (*findings, *about, _about_volumes(lab)), budget, ahead.person)


def change_lab(deps: Deps, caller: Caller, lab_id: str, asked: Change, now: datetime) -> Accepted:
    """Start changing a ready lab. Repeating the change while it runs gives the same answer. Raises WrongPhase."""
    lab = own_lab(deps, caller, lab_id)
    change = completed(asked, lab, caller)
    offers = deps.store.offers()
    findings = judge_change(asked, change, lab, deps.limits, offers)
    if has_errors(findings):
        raise InvalidRequest(findings)
    if lab.phase is Phase.READY and changes_nothing(change, lab):
        return Accepted(lab, (*findings, warning("", "already-so", "The lab is so already: nothing was changed.")))
    if lab.phase is Phase.READY:
        findings = (*findings, *_about_quotas(deps, lab, change))
    if has_errors(findings):
        raise InvalidRequest(findings)

    def updating(stored: Lab) -> Lab:
        if stored.phase is Phase.UPDATING and stored.change == change:
            return stored
        if stored.phase is not Phase.READY:
            message = Sentence(
                "A lab can be changed when it is ready; this one is {phase}.", phase=phase_said(stored.phase)
            )
            raise WrongPhase(lab_id, stored.phase, message)
        return with_new_run(replace(stored, change=change), Phase.UPDATING, now)

    dearer = replace(lab, change=change) if change.nodes else None
    ceilings = judge_price(deps, caller, dearer, offers, before=lab).months if dearer else None
    message = Sentence("A change was asked for: {change}.", change=describe_change(change))
    return apply_transition(deps, caller, lab, Transition(updating, message, findings, ceilings), now)


def _about_quotas(deps: Deps, lab: Lab, change: Change) -> tuple[Finding, ...]:
    """Findings of AWS's quotas about the nodes that it adds."""
    now = {group.name: group.desired for group in lab.spec.nodegroups}
    more = {name: count - now[name] for name, count in change.nodes.items()}
    paths = {name: f"nodegroups[{index}].desired" for index, name in enumerate(change.nodes)}
    return judge_more_nodes(deps, lab, more, paths)


def release_lab(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> Accepted:
    """Start deleting a lab and all its resources. Repeating it gives the same answer; a blocked lab is tried again."""
    lab = own_lab(deps, caller, lab_id)

    def releasing(stored: Lab) -> Lab:
        ended = stored.phase in OVER or (stored.phase in ENDING and stored.phase is not Phase.BLOCKED)
        if stored.phase is Phase.AWAITING_APPROVAL:
            return over(stored, Sentence("Withdrawn by {who}.", who=caller.arn), now)
        return stored if ended else replace(with_new_run(stored, Phase.RELEASING, now), change=None)

    if lab.phase in OVER:
        return apply_transition(deps, caller, lab, Transition(releasing, ""), now)
    lifted = _about_protection(deps, lab)
    message = joined(
        (Sentence("The lab was released by {who}.", who=caller.arn), *(finding.message for finding in lifted))
    )
    asked = Transition(releasing, message, (*lifted, _about_volumes(lab)))
    return apply_transition(deps, caller, lab, asked, now)


def seen_lab(deps: Deps, caller: Caller, lab_id: str) -> Lab:
    """A lab that this caller may see. Raises LabNotFound for a missing lab, and for one that the caller may not see."""
    if len(lab_id) > LONGEST_ID:
        raise LabNotFound(lab_id)
    lab = deps.store.load_lab(lab_id)
    if not lab.may_be_seen_by(caller):
        raise LabNotFound(lab_id)
    return lab


def own_lab(deps: Deps, caller: Caller, lab_id: str) -> Lab:
    """A lab that this caller may change. Raises LabNotFound like `seen_lab`, NotYours for a lab that they may only see."""
    lab = seen_lab(deps, caller, lab_id)
    if not lab.may_be_changed_by(caller):
        raise NotYours("{name} is for its owner and for administrators to change.", name=lab.name)
    return lab


def _asked_for(
    deps: Deps, caller: Caller, spec: LabSpec, account: str, known: Calendar | None, ahead: Ahead, now: datetime
) -> Lab:
    calendar = known or deps.cloud(Place(account, spec.region)).clusters.versions()
    ends_by = now + timedelta(hours=(ahead.rules or deps.curfew.usual).max_total_hours)
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
        meter=meter_for(deps, spec, calendar),
        cost_tags=cost_tags_of(ahead.offers, spec),
        person=joined_name(ahead.person) if ahead.person else "",
    )


def _stored(deps: Deps, caller: Caller, plan: PricedRequest, key: str | None, digest: str, now: datetime) -> Lab:
    lab, most = plan.lab, deps.limits
    limits = NewLabLimits(most.max_labs_per_owner, most.max_labs_per_role, plan.budget.months)
    try:
        return deps.store.create_lab(lab, key, digest, now, limits, _known(caller, plan.person))
    except NameTaken as taken:
        seen = taken.owner is not None and caller.may_see(taken.owner)
        raise NameTaken(lab.name, taken.lab_id if seen else None) from taken


def _known(caller: Caller, person: Person | None) -> tuple[Person, Person] | None:
    """A known person keeps the identity of this request, for their calendar."""
    if person is None or person.address is None or (known := person.known_as(caller.identity)) == person:
        return None
    return person, known


def _about_protection(deps: Deps, lab: Lab) -> tuple[Finding, ...]:
    """A warning of the cluster's deletion protection: a release by somebody who may delete the lab lifts it."""
    try:
        cluster = deps.cloud(lab.place).clusters.describe(lab.name)
    except ResourceGone:
        return ()
    except (AwsRefused, Transient) as error:
        message = Sentence(
            "Whether its cluster has EKS deletion protection could not be seen ({reason}); if it has, that is lifted.",
            reason=reason_of(error),
        )
        return (warning("", "protection-unknown", message),)
    shield = shield_of(cluster.tags, cluster.deletion_protection) if is_own_cluster(lab, cluster) else ""
    return (warning("", "protection-lifted", "{shield} That is lifted.", shield=shield),) if shield else ()


def _about_volumes(lab: Lab) -> Finding:
    return warning("volumes", "volumes", "When the lab ends, {what}.", what=describe_volumes(lab.spec.volumes))


def _about_mail(deps: Deps, person: Person | None) -> tuple[Finding, ...]:
    """A warning that no mail reaches the person."""
    if person is not None and person.address is not None:
        why = deps.mail.store.bounced_address(person.address) if deps.mail is not None else None
        if why is None:
            return ()
        message = Sentence("Mail to {address} came back: {why}. `ekslab me --address` names another address.")
        return (warning("", "mail-came-back", message.with_slots(address=person.address, why=why)),)
    if person is not None and person.asked is not None and person.invite_at is not None:
        message = Sentence(
            "No mail about it reaches you yet: a mail with a link is still to go to {address}.", address=person.asked
        )
    elif person is not None and person.asked is not None:
        message = Sentence(
            "No mail about it reaches you before you press the button behind the link that was sent to {address}.",
            address=person.asked,
        )
    else:
        message = Sentence("No mail about it reaches you: `ekslab me --address` says where it shall.")
    return (warning("", "no-address", message),)

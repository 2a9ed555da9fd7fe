"""Use cases of approvers: approve or refuse a waiting lab, by name or with a link of their mail."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.signed_links import read_decision
from chalicelib.domain.errors.tree import LabNotFound, LinkInvalid, NotYours
from chalicelib.domain.identity.callers import Caller, counted_as
from chalicelib.domain.labs.approval import Decision, decided
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.steps import Event
from chalicelib.ports.deps import Deps
from chalicelib.services.labs.budget import judge_approved
from chalicelib.services.labs.commands import START_CHECK, Accepted, seen_lab, start_workflow

#: The name of an approver who answered with a link.
BY_LINK = Sentence("an approver, with the link in the mail")


@dataclass(frozen=True)
class DecisionView:
    """The subject of a link. `done`: it was answered already."""

    lab: Lab
    decision: Decision
    done: bool


def decide(deps: Deps, caller: Caller, lab_id: str, decision: Decision, why: str, now: datetime) -> Accepted:
    """Approve or refuse a lab. Repeating it is the same. Raises NotYours, LabNotFound, WrongPhase, OverBudget."""
    lab = seen_lab(deps, caller, lab_id)
    if not caller.is_admin:
        raise NotYours("Administrators approve labs.")
    _refuse_own(deps, caller, lab)
    return _decide(deps, lab, decision, caller.arn, why, now)


def _refuse_own(deps: Deps, caller: Caller, lab: Lab) -> None:
    """Raise NotYours if the caller is the lab's owner, is known to be the same person, or has the same name."""
    known = deps.people.people_of((caller.identity, lab.owner))
    joined = len(known) == 2 and len({person.id for person in known.values()}) == 1
    if joined or caller.person in (lab.counted_as, counted_as(lab.owner)):
        raise NotYours("Nobody approves or refuses their own lab: another administrator does. Its owner can delete it.")
    if caller.may_be(lab.owner):
        raise NotYours(
            "You may be who asked for this lab: {owner} has your role or your name. Nobody approves "
            "or refuses their own, so another administrator does.",
            owner=lab.owner,
        )


def look_at_decision(deps: Deps, token: str, now: datetime) -> DecisionView:
    """The effect of the button; changes nothing. Raises LinkInvalid, LinkExpired, WrongPhase, OverBudget."""
    lab, decision = _named(deps, token, now)
    after = decided(lab, decision, BY_LINK, "", now)
    judge_approved(deps, after, lab)
    return DecisionView(lab, decision, done=after == lab)


def decide_by_link(deps: Deps, token: str, now: datetime) -> DecisionView:
    """Give the link's answer; repeating it is the same. Raises LinkInvalid, LinkExpired, WrongPhase, OverBudget."""
    lab, decision = _named(deps, token, now)
    accepted = _decide(deps, lab, decision, BY_LINK, Sentence("no reason was given"), now)
    return DecisionView(accepted.lab, decision, done=True)


def _decide(deps: Deps, lab: Lab, decision: Decision, by: str, why: str, now: datetime) -> Accepted:
    def answered(stored: Lab) -> Lab:
        after = decided(stored, decision, by, why, now)
        return replace(after, due_at=now + START_CHECK) if after != stored and after.phase is Phase.REQUESTED else after

    stored = deps.store.change_lab(lab.id, answered, ceilings=judge_approved(deps, answered(lab), lab))
    if stored.version != lab.version:
        said = "approved" if decision is Decision.APPROVE else "refused"
        yes = Sentence("The lab was approved by {who}: {why}", who=by, why=why)
        no = Sentence("The lab was refused by {who}: {why}", who=by, why=why)
        message = yes if decision is Decision.APPROVE else no
        deps.store.add_event(lab.id, Event(now, said, message, {"phase": str(stored.phase), "by": by}))
    return Accepted(stored, start_workflow(deps, stored))


def _named(deps: Deps, token: str, now: datetime) -> tuple[Lab, Decision]:
    """Only for a lab that no approver requested: nobody knows who holds the link."""
    lab_id, decision = read_decision(token, deps.curfew.known_keys(), now)
    try:
        lab = deps.store.load_lab(lab_id)
    except LabNotFound as gone:
        raise LinkInvalid from gone
    if lab.approval is None or lab.approval.by_approver:
        raise LinkInvalid
    return lab, decision

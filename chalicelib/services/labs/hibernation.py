"""Use cases of hibernation: hibernate a lab now, wake it now. The curfew run does both by itself at their times."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.instants import format_instant
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.errors.findings import Finding, has_errors, warning
from chalicelib.domain.errors.tree import InvalidRequest, WrongPhase
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.labs.hibernation import awakened, put_to_sleep
from chalicelib.domain.labs.lab import Lab, Phase, phase_said
from chalicelib.ports.deps import Deps
from chalicelib.services.labs.commands import START_CHECK, Accepted, Transition, apply_transition, own_lab
from chalicelib.services.labs.preflight import judge_more_nodes

_ASLEEP = frozenset({Phase.HIBERNATING, Phase.HIBERNATED})
_AWAKE = frozenset({Phase.WAKING, Phase.READY})


def hibernate_lab(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> Accepted:
    """Start putting a ready lab to sleep: no nodes, the control plane stays. Repeating it gives the same answer.

    Raises LabNotFound, WrongPhase.
    """
    lab, why = own_lab(deps, caller, lab_id), Sentence("{who} asked for it.", who=caller.arn)

    def hibernating(stored: Lab) -> Lab:
        if stored.phase in _ASLEEP:
            return stored
        if stored.phase is not Phase.READY:
            message = Sentence(
                "A lab can be hibernated when it is ready; this one is {phase}.", phase=phase_said(stored.phase)
            )
            raise WrongPhase(lab_id, stored.phase, message)
        return replace(put_to_sleep(stored, now, why, deps.curfew.holidays), due_at=now + START_CHECK)

    costs = Sentence(
        "The control plane goes on costing while it sleeps, and so do volumes and load balancers; nodes do not."
    )
    message = Sentence("The lab is to hibernate: {why}", why=why)
    asked = Transition(hibernating, message, (warning("", "still-costs", costs),))
    return apply_transition(deps, caller, lab, asked, now)


def wake_lab(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> Accepted:
    """Start waking a hibernated lab: its node groups get their sizes back. Repeating it gives the same answer.

    Raises LabNotFound, WrongPhase, InvalidRequest if AWS's quotas leave no room for its nodes.
    """
    lab = own_lab(deps, caller, lab_id)
    findings = _about_quotas(deps, lab)

    def waking(stored: Lab) -> Lab:
        if stored.phase in _AWAKE:
            return stored
        if stored.phase is not Phase.HIBERNATED:
            wait = Sentence("Ask again when it is hibernated.") if stored.phase is Phase.HIBERNATING else ""
            said = Sentence("A lab can be woken when it is hibernated; this one is {phase}.")
            message = joined((said.with_slots(phase=phase_said(stored.phase)), wait))
            raise WrongPhase(lab_id, stored.phase, message)
        return replace(awakened(stored, now), due_at=now + START_CHECK)

    findings = (*findings, *_lease_over(lab, now))
    asked = Transition(waking, Sentence("The lab is to wake: {who} asked for it.", who=caller.arn), findings)
    return apply_transition(deps, caller, lab, asked, now)


def _about_quotas(deps: Deps, lab: Lab) -> tuple[Finding, ...]:
    """Findings of AWS's quotas about the nodes that it wakes with; none if it does not sleep. Raises InvalidRequest."""
    sizes = lab.hibernation.sizes if lab.hibernation and lab.phase is Phase.HIBERNATED else ()
    paths = {group.name: f"nodegroups[{index}].desired" for index, group in enumerate(lab.spec.nodegroups)}
    findings = judge_more_nodes(deps, lab, {size.name: size.desired for size in sizes}, paths)
    if has_errors(findings):
        raise InvalidRequest(findings)
    return findings


def _lease_over(lab: Lab, now: datetime) -> tuple[Finding, ...]:
    if now < lab.lasts_until:
        return ()
    message = Sentence("Its lease ended at {at}: extend it, or it is deleted.", at=format_instant(lab.lease_ends_at))
    return (warning("", "lease-over", message),)

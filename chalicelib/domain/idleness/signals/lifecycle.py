"""The lab's own state: too young to be judged, changing, asleep. It can prevent a verdict and never supports one."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.verdict import Sign, Signal
from chalicelib.domain.idleness.window import JudgingRules, Window
from chalicelib.domain.labs.lab import Lab, Phase, phase_said

PHASE, AGE, CLUSTER, NODEGROUPS, LOOK = "phase", "age", "cluster", "nodegroups", "look"
#: EKS's words for lasting states. DEGRADED and the failures can last for ever and run nothing by themselves.
RESTING_CLUSTER = frozenset({"ACTIVE", "FAILED"})
RESTING_NODEGROUP = frozenset({"ACTIVE", "DEGRADED", "CREATE_FAILED", "DELETE_FAILED"})
#: Evidence older than this says nothing about now.
STALE = timedelta(minutes=30)


def life_signals(lab: Lab, evidence: Evidence, rules: JudgingRules, window: Window) -> tuple[Signal, ...]:
    """Each BUSY, MISSING or ABSENT."""
    return (
        _phase(lab),
        _cluster(evidence),
        _nodegroups(evidence),
        _age(lab, rules, window.end),
        _look(evidence, window),
    )


def _phase(lab: Lab) -> Signal:
    sign = Sign.ABSENT if lab.phase is Phase.READY else Sign.BUSY
    return Signal(PHASE, sign, Sentence("the lab is {phase}", phase=phase_said(lab.phase)))


def _age(lab: Lab, rules: JudgingRules, now: datetime) -> Signal:
    hours = (now - lab.created_at) / timedelta(hours=1)
    message = Sentence(
        "the lab is {hours} h old, and judged from {young} h on", hours=f"{hours:.0f}", young=rules.young_hours
    )
    return Signal(AGE, Sign.BUSY if hours < rules.young_hours else Sign.ABSENT, message, {"hours": hours})


def _cluster(evidence: Evidence) -> Signal:
    status = evidence.cluster_status
    if status is None:
        return Signal(CLUSTER, Sign.MISSING, Sentence("the EKS cluster is not there"))
    return Signal(
        CLUSTER,
        Sign.ABSENT if status in RESTING_CLUSTER else Sign.BUSY,
        Sentence("the cluster is {status}", status=status),
    )


def _nodegroups(evidence: Evidence) -> Signal:
    changing = [
        Sentence("{name} is {status}", name=group.name, status=group.status)
        for group in evidence.nodegroups
        if group.status not in RESTING_NODEGROUP
    ]
    message = (
        Sentence("node group {names}", names=Listed(changing, between=", "))
        if changing
        else Sentence("no node group changes")
    )
    return Signal(NODEGROUPS, Sign.BUSY if changing else Sign.ABSENT, message)


def _look(evidence: Evidence, window: Window) -> Signal:
    """Whether the evidence covers the whole window, up to now."""
    if evidence.window_from > window.start or window.end - evidence.read_at > STALE:
        looked = (evidence.read_at - evidence.window_from) / timedelta(hours=1)
        message = Sentence(
            "only {looked} h of the last {hours} h were looked at", looked=f"{looked:.1f}", hours=f"{window.hours:.0f}"
        )
        return Signal(LOOK, Sign.MISSING, message)
    return Signal(LOOK, Sign.ABSENT, Sentence("the whole window was looked at"))

"""Judges whether a cluster is idle: evidence in, a verdict with its signals and one sentence out.

The curfew run asks before it plans and again before it acts; `GET /labs/{id}/verdict` asks live. A cluster is idle if every
applicable signal agrees over the whole window; missing data never counts as quiet. See docs/explanation/idleness.md.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.idleness.evidence import Evidence, Source, with_zeros
from chalicelib.domain.idleness.signals import nodes, people, traffic, workloads
from chalicelib.domain.idleness.signals.lifecycle import CLUSTER, life_signals
from chalicelib.domain.idleness.signals.nightly_jobs import nights_signal
from chalicelib.domain.idleness.signals.nodes import UNSEEN, unseen_signal
from chalicelib.domain.idleness.signals.traffic import REQUESTS, requests_signal
from chalicelib.domain.idleness.summary import QUIET_AT_LEAST, sentence_of
from chalicelib.domain.idleness.verdict import LocalTime, Sign, Signal, Verdict
from chalicelib.domain.idleness.window import JudgingRules, Window, begun_after
from chalicelib.domain.labs.lab import Lab

#: The source of each signal: if it was not read, the signal counts for nothing.
_SOURCES = {
    Source.CLUSTER: (CLUSTER,),
    Source.CLUSTER_METRICS: (REQUESTS, workloads.SCHEDULED, workloads.PENDING),
    Source.NODE_METRICS: (nodes.CPU, nodes.NETWORK),
    Source.INSTANCES: (UNSEEN,),
    Source.BALANCERS: (traffic.BALANCERS,),
    Source.AUDIT: (people.AUDIT,),
    Source.OWNER_CALLS: (people.OWNER,),
}


def judge(lab: Lab, evidence: Evidence, rules: JudgingRules, now: datetime) -> Verdict:
    """Judge a lab's use over the last `rules.window_hours`. Pure: the same arguments give the same verdict."""
    window = Window(now - timedelta(hours=rules.window_hours), now)
    clock = LocalTime(lab.spec.schedule.time_zone, now)
    signals = _all_read(evidence, _signals(lab, _of_this_cluster(lab, evidence), rules, window, clock))
    idle = agree(signals)
    verdict = Verdict(
        lab_id=lab.id,
        at=now,
        window_from=window.start,
        idle=idle,
        sentence="",
        gone=_is_gone(evidence),
        since=_since(signals, window) if idle else None,
        signals=signals,
    )
    return replace(verdict, sentence=sentence_of(verdict, lab, clock))


def agree(signals: Sequence[Signal]) -> bool:
    """Whether the signals say idle together: none is busy or missing, and enough are quiet."""
    signs = [signal.sign for signal in signals]
    return Sign.BUSY not in signs and Sign.MISSING not in signs and signs.count(Sign.QUIET) >= QUIET_AT_LEAST


def _signals(lab: Lab, evidence: Evidence, rules: JudgingRules, window: Window, clock: LocalTime) -> tuple[Signal, ...]:
    return (
        *life_signals(lab, evidence, rules, window),
        workloads.kubernetes_signal(evidence),
        nights_signal(lab, evidence, window),
        people.audit_signal(evidence, window, clock),
        people.owner_signal(evidence, window, clock),
        workloads.scheduled_signal(evidence, window),
        workloads.pending_signal(evidence, window),
        nodes.cpu_signal(evidence, window),
        nodes.network_signal(evidence, window),
        traffic.balancers_signal(evidence, window),
        requests_signal(evidence, window),
        unseen_signal(evidence),
    )


def _of_this_cluster(lab: Lab, evidence: Evidence) -> Evidence:
    """The evidence without the data of an earlier cluster of the same name: AWS/EKS metrics have no other key.

    A missing pod count counts as zero while no pod metric exists at all.
    """
    own = replace(
        evidence,
        requests_before=begun_after(evidence.requests_before, lab.created_at),
        scheduled_before=begun_after(evidence.scheduled_before, lab.created_at),
    )
    return with_zeros(own)


def _all_read(evidence: Evidence, signals: tuple[Signal, ...]) -> tuple[Signal, ...]:
    """The signals after unread sources: an unread source makes its signals MISSING, or is a signal of its own if it has none."""
    message: dict[str, str] = {}
    for unread in evidence.unread:
        names = next((names for source, names in _SOURCES.items() if unread.startswith(source)), (unread,))
        message.update({name: Sentence("{source} (not read)", source=unread) for name in names if name not in message})
    known = {signal.name for signal in signals}
    return (
        *(_unread(signal, message) for signal in signals),
        *(Signal(name, Sign.MISSING, why) for name, why in message.items() if name not in known),
    )


def _unread(signal: Signal, message: dict[str, str]) -> Signal:
    if signal.name not in message or signal.sign is Sign.BUSY:
        return signal
    return Signal(signal.name, Sign.MISSING, message[signal.name])


def _is_gone(evidence: Evidence) -> bool:
    return evidence.cluster_status is None and not any(why.startswith(Source.CLUSTER) for why in evidence.unread)


def _since(signals: tuple[Signal, ...], window: Window) -> datetime:
    """The time at which the last signal became quiet; a signal that was always quiet does not count."""
    starts = [signal.quiet_since for signal in signals if signal.sign is Sign.QUIET and signal.quiet_since]
    return min(max(starts, default=window.start), window.start)

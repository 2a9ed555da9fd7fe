"""A verdict in one sentence, for mails, plans and histories: the reasons that weigh most, with their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.idleness.signals import lifecycle, nightly_jobs, nodes, people, traffic, workloads
from chalicelib.domain.idleness.verdict import LocalTime, Sign, Signal, Verdict
from chalicelib.domain.labs.lab import Lab

#: So many signals must say "quiet" before anybody believes it.
QUIET_AT_LEAST = 3
REASONS = 3
LONGEST = 500
#: What convinces people most, first.
_QUIET_ORDER = (
    workloads.SCHEDULED,
    nodes.CPU,
    traffic.BALANCERS,
    traffic.REQUESTS,
    nodes.NETWORK,
    people.AUDIT,
    workloads.KUBERNETES,
    people.OWNER,
)
_BUSY_ORDER = (
    lifecycle.PHASE,
    lifecycle.CLUSTER,
    lifecycle.NODEGROUPS,
    lifecycle.AGE,
    workloads.KUBERNETES,
    people.AUDIT,
    people.OWNER,
    workloads.SCHEDULED,
    traffic.BALANCERS,
    nodes.CPU,
    nodes.NETWORK,
    nightly_jobs.NIGHTS,
    nodes.UNSEEN,
)


def sentence_of(verdict: Verdict, lab: Lab, clock: LocalTime) -> str:
    """One line, whatever the signals tell."""
    line = " ".join(f"{_verdict(verdict, lab, clock)}{_kept(lab, clock)}".split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _verdict(verdict: Verdict, lab: Lab, clock: LocalTime) -> str:
    if verdict.gone:
        return f"gone: EKS knows no cluster {lab.name} that carries this lab's tag"
    quiet = _with(verdict.signals, Sign.QUIET, _QUIET_ORDER)
    if verdict.idle and verdict.since is not None:
        return f"idle since {clock.message(verdict.since)}: {_describe(quiet, ', ')}"
    busy = _with(verdict.signals, Sign.BUSY, _BUSY_ORDER)
    if busy:
        return f"busy: {_describe(busy, '; ')}"
    missing = _with(verdict.signals, Sign.MISSING, ())
    if missing:
        return f"not known to be idle: {_describe(missing, '; ')}"
    return f"not known to be idle: only {len(quiet)} signals apply, and {QUIET_AT_LEAST} must agree"


def _with(signals: Sequence[Signal], sign: Sign, order: Sequence[str]) -> list[Signal]:
    place = {name: number for number, name in enumerate(order)}
    return sorted((s for s in signals if s.sign is sign), key=lambda s: place.get(s.name, len(place)))


def _describe(signals: Sequence[Signal], between: str) -> str:
    return between.join(dict.fromkeys(signal.message for signal in signals[:REASONS]))


def _kept(lab: Lab, clock: LocalTime) -> str:
    """Being kept is decided elsewhere and makes no cluster busy; but who reads the verdict must know."""
    if lab.kept_until is None or lab.kept_until <= clock.now:
        return ""
    return f" (kept until {clock.message(lab.kept_until)})"

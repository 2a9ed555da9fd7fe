"""A verdict in one sentence, for mails, plans and histories: the reasons that weigh most, with their numbers."""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.idleness.signals import lifecycle, nightly_jobs, nodes, people, traffic, workloads
from chalicelib.domain.idleness.verdict import LocalTime, Sign, Signal, Verdict
from chalicelib.domain.labs.lab import Lab

#: The least number of quiet signals for an idle verdict.
QUIET_AT_LEAST = 3
REASONS = 3
LONGEST = 500
#: The most convincing signals first.
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
    """One sentence on all signals."""
    line = _kept(_verdict(verdict, lab, clock), lab, clock)
    if len(line) <= LONGEST and line.isprintable():
        return line
    plain = " ".join(line.split())
    return plain if len(plain) <= LONGEST else f"{plain[: LONGEST - 1]}…"


def _verdict(verdict: Verdict, lab: Lab, clock: LocalTime) -> str:
    if verdict.gone:
        return Sentence("gone: EKS knows no cluster {name} that carries this lab's tag", name=lab.name)
    quiet = _with(verdict.signals, Sign.QUIET, _QUIET_ORDER)
    if verdict.idle and verdict.since is not None:
        return Sentence("idle since {at}: {reasons}", at=clock.message(verdict.since), reasons=_describe(quiet, ", "))
    busy = _with(verdict.signals, Sign.BUSY, _BUSY_ORDER)
    if busy:
        return Sentence("busy: {reasons}", reasons=_describe(busy, "; "))
    missing = _with(verdict.signals, Sign.MISSING, ())
    if missing:
        return Sentence("not known to be idle: {reasons}", reasons=_describe(missing, "; "))
    return Sentence(
        "not known to be idle: only {few} signals apply, and {least} must agree", few=len(quiet), least=QUIET_AT_LEAST
    )


def _with(signals: Sequence[Signal], sign: Sign, order: Sequence[str]) -> list[Signal]:
    place = {name: number for number, name in enumerate(order)}
    return sorted((s for s in signals if s.sign is sign), key=lambda s: place.get(s.name, len(place)))


def _describe(signals: Sequence[Signal], between: str) -> str:
    messages = list(dict.fromkeys(signal.message for signal in signals[:REASONS]))
    return Listed(messages, between=between) if messages else ""


def _kept(sentence: str, lab: Lab, clock: LocalTime) -> str:
    """A kept lab is not busy, but its verdict mentions the keeping."""
    if lab.kept_until is None or lab.kept_until <= clock.now:
        return sentence
    return Sentence("{verdict} (kept until {at})", verdict=sentence, at=clock.message(lab.kept_until))

"""People who were seen: in the Kubernetes audit log where it is on, and by their calls of the EKS API."""

from __future__ import annotations

from chalicelib.domain.idleness.evidence import Evidence, Sighting
from chalicelib.domain.idleness.verdict import LocalTime, Sign, Signal
from chalicelib.domain.idleness.window import Window

AUDIT, OWNER = "audit", "owner"


def audit_signal(evidence: Evidence, window: Window, clock: LocalTime) -> Signal:
    """The last person whom the audit log names."""
    if not evidence.audit_on and evidence.audit_human is None:
        return Signal(AUDIT, Sign.ABSENT, "the audit log is off")
    return _seen(AUDIT, evidence.audit_human, window, clock, "asked the cluster", "nobody in the audit log")


def owner_signal(evidence: Evidence, window: Window, clock: LocalTime) -> Signal:
    """The owner's last call of the EKS API about this cluster, or their last assuming of the lab's access role."""
    return _seen(OWNER, evidence.owner_call, window, clock, "called the EKS API", "no EKS calls by the owner")


def _seen(name: str, seen: Sighting | None, window: Window, clock: LocalTime, did: str, nobody: str) -> Signal:
    if seen is None:
        return Signal(name, Sign.QUIET, nobody)
    if seen.at >= window.start:
        return Signal(name, Sign.BUSY, f"{seen.who} {seen.did or did} at {clock.message(seen.at)}")
    return Signal(name, Sign.QUIET, f"{nobody} since {clock.message(seen.at)}", quiet_since=seen.at)

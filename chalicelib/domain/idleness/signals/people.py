"""People who were seen: in the Kubernetes audit log if it is on, and by their calls of the EKS API."""

from __future__ import annotations

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.idleness.evidence import Evidence, Sighting
from chalicelib.domain.idleness.verdict import LocalTime, Sign, Signal
from chalicelib.domain.idleness.window import Window

AUDIT, OWNER = "audit", "owner"


def audit_signal(evidence: Evidence, window: Window, clock: LocalTime) -> Signal:
    """The last person in the audit log."""
    if not evidence.audit_on and evidence.audit_human is None:
        return Signal(AUDIT, Sign.ABSENT, Sentence("the audit log is off"))
    seen = evidence.audit_human
    if seen is None:
        return Signal(AUDIT, Sign.QUIET, Sentence("nobody in the audit log"))
    at = clock.message(seen.at)
    if seen.at >= window.start:
        return Signal(
            AUDIT, Sign.BUSY, _did(seen, at) or Sentence("{who} asked the cluster at {at}", who=seen.who, at=at)
        )
    return Signal(AUDIT, Sign.QUIET, Sentence("nobody in the audit log since {at}", at=at), quiet_since=seen.at)


def owner_signal(evidence: Evidence, window: Window, clock: LocalTime) -> Signal:
    """The owner's last call of the EKS API about this cluster, or their last assuming of the lab's access role."""
    seen = evidence.owner_call
    if seen is None:
        return Signal(OWNER, Sign.QUIET, Sentence("no EKS calls by the owner"))
    at = clock.message(seen.at)
    if seen.at >= window.start:
        return Signal(
            OWNER, Sign.BUSY, _did(seen, at) or Sentence("{who} called the EKS API at {at}", who=seen.who, at=at)
        )
    return Signal(OWNER, Sign.QUIET, Sentence("no EKS calls by the owner since {at}", at=at), quiet_since=seen.at)


def _did(seen: Sighting, at: str) -> str:
    """Their action, if it is not the source's usual one."""
    return Sentence("{who} {did} at {at}", who=seen.who, did=seen.did, at=at) if seen.did else ""

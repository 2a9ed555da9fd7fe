"""The phases of a lab as words for people."""

from __future__ import annotations

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.lab import Phase


def phase_said(phase: Phase) -> str:
    """The phase's word."""
    return {
        Phase.AWAITING_APPROVAL: Sentence("awaiting-approval"),
        Phase.REFUSED: Sentence("refused"),
        Phase.REQUESTED: Sentence("requested"),
        Phase.PROVISIONING: Sentence("provisioning"),
        Phase.READY: Sentence("ready"),
        Phase.UPDATING: Sentence("updating"),
        Phase.HIBERNATING: Sentence("hibernating"),
        Phase.HIBERNATED: Sentence("hibernated"),
        Phase.WAKING: Sentence("waking"),
        Phase.LOST: Sentence("lost"),
        Phase.RELEASING: Sentence("releasing"),
        Phase.ROLLING_BACK: Sentence("rolling-back"),
        Phase.BLOCKED: Sentence("blocked"),
        Phase.DELETED: Sentence("deleted"),
        Phase.FAILED: Sentence("failed"),
    }[phase]

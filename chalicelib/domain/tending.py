"""What the scheduled run does with a lab whose time has come. Pure: the lab, whether its workflow runs, and `now` decide.

A missed run heals itself: nothing here depends on the one before. Nothing is repeated for ever either.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.lab import Lab, Phase

#: How long a start that got lost is tried again before it counts as failed.
START_WITHIN = timedelta(minutes=30)
#: How long a teardown whose workflow died is begun again before the lab is blocked.
TEAR_DOWN_WITHIN = timedelta(hours=12)
#: How long a look at an ended lab's account is tried for.
LOOK_WITHIN = timedelta(days=3)

#: The workflow that works on a lab in each phase; in the others, none does.
WORKFLOW_OF = {
    Phase.REQUESTED: "provision",
    Phase.PROVISIONING: "provision",
    Phase.UPDATING: "update",
    Phase.HIBERNATING: "hibernate",
    Phase.WAKING: "wake",
    Phase.RELEASING: "teardown",
    Phase.ROLLING_BACK: "teardown",
    Phase.DELETED: "inspect",
    Phase.FAILED: "inspect",
}


class Tending(StrEnum):
    """START: again under the same name (it may never have begun). RESTART: a new run, for the old one has died."""

    WAIT = "wait"
    START = "start"
    RESTART = "restart"
    RELEASE = "release"
    ROLL_BACK = "roll-back"
    GIVE_UP_CHANGE = "give-up-change"
    BLOCK = "block"
    FORGET = "forget"


@dataclass(frozen=True, slots=True)
class TendingDecision:
    """What to do, and why, in a sentence."""

    action: Tending
    reason: str


def decide_tending(lab: Lab, running: bool, now: datetime) -> TendingDecision:
    """Decide for a lab that is due; `running` says whether its phase's workflow is at work in its present run."""
    match lab.phase:
        case Phase.REQUESTED | Phase.PROVISIONING | Phase.READY | Phase.UPDATING if now >= lab.lease_ends_at:
            return TendingDecision(Tending.RELEASE, "The lease has ended.")
        case Phase.READY | Phase.HIBERNATED:
            return TendingDecision(Tending.WAIT, "The lease has not ended yet.")
        case Phase.BLOCKED:
            return TendingDecision(Tending.FORGET, "Only releasing it again goes on.")
        case _ if running:
            return TendingDecision(Tending.WAIT, f"{WORKFLOW_OF[lab.phase]} is at work.")
        case _:
            return _without_workflow(lab, now)


def _without_workflow(lab: Lab, now: datetime) -> TendingDecision:
    age = now - lab.phase_since
    match lab.phase:
        case Phase.REQUESTED if age < START_WITHIN:
            return TendingDecision(Tending.START, "The start of provision got lost.")
        case Phase.REQUESTED | Phase.PROVISIONING:
            return TendingDecision(Tending.ROLL_BACK, "The workflow that made the lab died. Ask for the lab again.")
        case Phase.UPDATING if age < START_WITHIN:
            return TendingDecision(Tending.START, "The start of update may have got lost.")
        case Phase.UPDATING:
            return TendingDecision(
                Tending.GIVE_UP_CHANGE, "The workflow that changed the lab died. Ask for the change again."
            )
        case Phase.RELEASING | Phase.ROLLING_BACK if age < TEAR_DOWN_WITHIN:
            return TendingDecision(Tending.RESTART, "The teardown died, or its start got lost.")
        case Phase.RELEASING | Phase.ROLLING_BACK:
            hours = int(TEAR_DOWN_WITHIN.total_seconds() // 3600)
            return TendingDecision(Tending.BLOCK, f"The teardown has not come to an end in {hours} hours.")
        case _ if age < LOOK_WITHIN:
            return TendingDecision(Tending.RESTART, "A look at the account is due.")
        case _:
            return TendingDecision(Tending.FORGET, "The account could not be looked at for days.")

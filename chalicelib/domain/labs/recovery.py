"""Decides what the five-minute run does with a due lab, from the lab, the state of its workflow, and `now`. Pure.

A missed run needs no repair: no decision depends on an earlier run, and every retry is bounded. The hourly curfew run looks at
labs at rest (ADR 7); a lab with a running workflow rests when that ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence, Slot, opening, sentence
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.steps import Execution

#: How long a lost start is repeated before it counts as failed.
START_WITHIN = timedelta(minutes=30)
#: How long a teardown whose workflow died is restarted before the lab is blocked.
TEAR_DOWN_WITHIN = timedelta(hours=12)
#: How long a creation whose workflow died is restarted: existing resources count as created.
MAKE_WITHIN = timedelta(hours=1)
#: How long a change, a hibernation or a wake whose workflow died is restarted.
CHANGE_WITHIN = SLEEP_WITHIN = timedelta(hours=3)
#: The interval of a blocked lab's retries, as its cause may have passed, and how long after its lease's end they go on.
BLOCKED_FOR, TRY_BLOCKED_WITHIN = timedelta(hours=6), timedelta(days=14)
#: How long a look at an ended lab's account is repeated; daily beyond that, while the lab is `unsettled`.
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
    Phase.DELETED: "verify_deletion",
    Phase.FAILED: "verify_deletion",
}


class RecoveryAction(StrEnum):
    """START: start the workflow under the same name (the start may be lost). RESTART: a new run, since the old one died.

    REST: no workflow runs; the curfew run looks at the lab from now on. RELEASE: try a blocked lab's teardown again.
    """

    WAIT = "wait"
    START = "start"
    RESTART = "restart"
    REST = "rest"
    ROLL_BACK = "roll-back"
    GIVE_UP_CHANGE = "give-up-change"
    WAKE = "wake"
    GIVE_UP_WAKING = "give-up-waking"
    BLOCK = "block"
    RELEASE = "release"
    FORGET = "forget"


@dataclass(frozen=True)
class RecoveryDecision:
    """The action, and the reason as a sentence."""

    action: RecoveryAction
    reason: str


def decide_tending(lab: Lab, execution: Execution, now: datetime) -> RecoveryDecision:
    """Decide for a due lab. `execution`: the state of its phase's workflow in the lab's present run."""
    match lab.phase:
        case Phase.READY | Phase.HIBERNATED | Phase.LOST:
            return _decided(RecoveryAction.REST, "No workflow runs on it: the curfew run handles it when it is due.")
        case Phase.BLOCKED:
            return _blocked(lab, now)
        case Phase.AWAITING_APPROVAL | Phase.REFUSED:
            return _decided(RecoveryAction.FORGET, "There is nothing of it to be made or looked at.")
        case _ if execution is Execution.RUNNING:
            return _decided(RecoveryAction.WAIT, "{name} is at work.", name=WORKFLOW_OF[lab.phase])
        case _:
            return _without_workflow(lab, execution, now)


def _blocked(lab: Lab, now: datetime) -> RecoveryDecision:
    if now > lab.lease_ends_at + TRY_BLOCKED_WITHIN:
        return _decided(RecoveryAction.FORGET, "Only releasing it again goes on.")
    if now - lab.phase_since < BLOCKED_FOR:
        return _decided(RecoveryAction.FORGET, "It has been blocked for a short while only.")
    return _decided(RecoveryAction.RELEASE, "What blocked the teardown may have passed: it is tried again.")


def _without_workflow(lab: Lab, execution: Execution, now: datetime) -> RecoveryDecision:
    """A workflow that ended left its lab unfinished: Step Functions refuses the same name again, so a new run starts."""
    age, died = now - lab.phase_since, execution is Execution.ENDED
    match lab.phase:
        case Phase.REQUESTED | Phase.PROVISIONING:
            return _half_made(lab, died, age)
        case Phase.UPDATING:
            return _half_changed(died, age)
        case Phase.HIBERNATING | Phase.WAKING:
            return _half_asleep(lab, died, age)
        case Phase.RELEASING | Phase.ROLLING_BACK if age < TEAR_DOWN_WITHIN:
            return _decided(RecoveryAction.RESTART, "The teardown died, or its start got lost.")
        case Phase.RELEASING | Phase.ROLLING_BACK:
            hours = int(TEAR_DOWN_WITHIN.total_seconds() // 3600)
            return _decided(RecoveryAction.BLOCK, "The teardown has not come to an end in {hours} hours.", hours=hours)
        case _ if age < LOOK_WITHIN or lab.unsettled:
            return _decided(RecoveryAction.RESTART, "A look at the account is due.")
        case _:
            return _decided(RecoveryAction.FORGET, "The account could not be looked at for days.")


def _half_made(lab: Lab, died: bool, age: timedelta) -> RecoveryDecision:
    """Start another workflow, unless a failure is final or the workflow has died repeatedly."""
    if lab.phase is Phase.REQUESTED and age < START_WITHIN and not died:
        return _decided(RecoveryAction.START, "The start of provision got lost.")
    if age < (START_WITHIN if lab.phase is Phase.REQUESTED else MAKE_WITHIN) and lab.reason is None:
        return _decided(RecoveryAction.RESTART, "The workflow that made the lab died: another one goes on.")
    return _decided(RecoveryAction.ROLL_BACK, "The workflow that made the lab died. Ask for the lab again.")


def _half_changed(died: bool, age: timedelta) -> RecoveryDecision:
    """Restart for a while: requests to EKS must be followed to their end. A lost start has changed nothing."""
    if age < START_WITHIN and not died:
        return _decided(RecoveryAction.START, "The start of update may have got lost.")
    if age < CHANGE_WITHIN and died:
        return _decided(RecoveryAction.RESTART, "The workflow that changed the lab died: another one goes on.")
    why = Sentence("The workflow that changed the lab died. Ask for the change again.")
    return _decided(RecoveryAction.GIVE_UP_CHANGE, why)


def _half_asleep(lab: Lab, died: bool, age: timedelta) -> RecoveryDecision:
    """Restart for a while. Then wake a lab that could not fall asleep; leave one that could not wake asleep, with the reason."""
    sleeps = lab.phase is Phase.HIBERNATING
    what = Sentence("going to sleep") if sleeps else Sentence("waking")
    if age < START_WITHIN and not died:
        return _decided(RecoveryAction.START, "The start of {what} may have got lost.", what=what)
    if age < SLEEP_WITHIN:
        return _decided(RecoveryAction.RESTART, "The workflow that was at {what} died.", what=what)
    hours = int(SLEEP_WITHIN.total_seconds() // 3600)
    message = Sentence("{what} has not come to an end in {hours} hours.", what=opening(what), hours=hours)
    if lab.phase is Phase.HIBERNATING:
        return _decided(RecoveryAction.WAKE, "{message} The lab is woken instead.", message=message)
    return _decided(RecoveryAction.GIVE_UP_WAKING, "{message} Ask to wake it again.", message=message)


def _decided(action: RecoveryAction, reason: str, /, **slots: Slot) -> RecoveryDecision:
    return RecoveryDecision(action, sentence(reason, **slots))

"""The message to administrators, once a night and at once: the brake holds, or a plan differs from the published one."""

from __future__ import annotations

from datetime import date

from chalicelib.domain.core.message import Block, Message, Severity, commands, letter_of, message_of, para
from chalicelib.domain.core.sentence import Moment, Sentence, Style, day_of
from chalicelib.domain.core.wording import counted
from chalicelib.domain.curfew.brake import BrakeDecision
from chalicelib.domain.curfew.plan import Plan, PlanHeader
from chalicelib.domain.curfew.rules import CurfewRules, allowance

KIND = "curfew-brake"


def brake_message(header: PlanHeader, planned: int, alive: int, rules: CurfewRules, recipient: str) -> Message:
    """`planned`: idle labs that the night has ended or would end, of `alive`."""
    night, allowed = header.night, allowance(rules, alive)
    subject = Sentence(
        "ekslab: the brake holds, {day}: {planned} planned, {allowed} allowed",
        day=day_of(night),
        planned=planned,
        allowed=allowed,
    )
    blocks = [
        para(
            Sentence(
                "The plan of {day} would take {labs} of {alive} alive. A night takes {allowed} idle labs at most: {percent} % of "
                "the labs alive, and never more than {count}. So it takes none of them. Labs whose lease is over end all the same.",
                day=day_of(night),
                labs=counted(planned, "idle lab"),
                alive=alive,
                allowed=allowed,
                percent=rules.max_percent,
                count=rules.max_count,
            )
        ),
        para(
            Sentence(
                "Owners whose warning arrived are told now that their labs did not end. What you don't release within {hours} of "
                "a lab's time lives on, and its owner is warned again before another night.",
                hours=counted(rules.late_hours, "hour"),
            )
        ),
        *_look(night),
        *_release(header),
        para(Sentence("Or raise the brake for this night and all after it:")),
        commands(f"ekslab curfew {_raised(planned, alive, rules)}"),
        *_stop(),
    ]
    return _message(subject, blocks, recipient)


def guard_message(plan: Plan, braking: BrakeDecision, alive: int, recipient: str) -> Message:
    """Many agreed ends are earlier than was known a day before. `braking`: the decision after the night is held."""
    night = plan.header.night
    until = (
        Sentence("until {at}, or until you release it", at=Moment(braking.free_at, "UTC", Style.MINUTE))
        if braking.free_at
        else Sentence("until you release it")
    )
    blocks = [
        para(
            Sentence(
                "{leases} on the plan of {day}, of {labs} alive, end earlier than was known a day before. Nobody can make a lease "
                "shorter, so data may be damaged. The whole night is held {until}; then agreed ends happen.",
                leases=counted(braking.unforeseen, "lease"),
                day=day_of(night),
                labs=counted(alive, "lab"),
                until=until,
            )
        ),
        *_look(night),
        *_release(plan.header),
        *_stop(),
    ]
    subject = Sentence(
        "ekslab: the night of {day} is held: {n} lease ends too early",
        "ekslab: the night of {day} is held: {n} leases end too early",
        day=day_of(night),
        n=braking.unforeseen,
    )
    return _message(subject, blocks, recipient)


def broken_plan_message(night: date, published_hash: str, found_hash: str, recipient: str) -> Message:
    """The stored entries do not have the published hash: the plan is not carried out."""
    blocks: list[Block] = [
        para(
            Sentence(
                "The entries of the plan of {day} are not those that were published: the published hash is {published}, the "
                "entries have {found}.",
                day=day_of(night),
                published=published_hash,
                found=found_hash,
            )
        ),
        para(
            Sentence(
                "Nothing on it is done. Somebody or something has written to the table by another way. Find out who did."
            )
        ),
        *_look(night),
    ]
    return _message(
        Sentence("ekslab: the plan of {day} was changed, nothing is done", day=day_of(night)), blocks, recipient
    )


def _look(night: date) -> list[Block]:
    return [para(Sentence("Look at the plan:")), commands(f"ekslab get plan {night}")]


def _stop() -> list[Block]:
    return [para(Sentence("If it is wrong, stop everything:")), commands("ekslab curfew off")]


def _release(header: PlanHeader) -> list[Block]:
    return [
        para(
            Sentence("If it is right, release this plan as it is, for this night alone; the next curfew run goes on:")
        ),
        commands(f"ekslab release {header.night} {header.hash}"),
    ]


def _raised(planned: int, alive: int, rules: CurfewRules) -> str:
    """The smallest change of the rules that lets the plan through."""
    changes = []
    if planned > rules.max_count:
        changes.append(f"--set maxCount={planned}")
    percent = next((percent for percent in range(rules.max_percent, 101) if -(-alive * percent // 100) >= planned), 100)
    if percent > rules.max_percent:
        changes.append(f"--set maxPercent={percent}")
    return " ".join(changes)


def _message(subject: Sentence, blocks: list[Block], recipient: str) -> Message:
    return message_of(letter_of(subject, blocks), recipient, KIND, Severity.CRITICAL)

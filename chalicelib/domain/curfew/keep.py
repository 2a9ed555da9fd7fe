"""Computes the effect of a keep-link: the lab is kept for one more night, within the allowance. Warnings announce the same.

Using the link again changes nothing, although the latest possible end moves with time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Moment, Sentence, Style
from chalicelib.domain.curfew.extension import latest_end
from chalicelib.domain.curfew.plan import Entry, Trigger
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import NotKept, OverBudget
from chalicelib.domain.labs.lab import ENDING, OVER, Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Holidays, Schedule, next_curfew

_ASLEEP = frozenset({Phase.HIBERNATING, Phase.HIBERNATED})


@dataclass(frozen=True)
class Keeping:
    """The kept lab. `until`: nothing ends the lab before; `wanted`: the next curfew, to which it was to be kept.

    `no_room`: a ceiling of money has no room for a longer lease.
    """

    lab: Lab
    until: datetime
    wanted: datetime
    no_room: bool = False

    @property
    def clamped(self) -> bool:
        """Whether the allowance, or a ceiling, ends the lab before the next curfew."""
        return self.until < self.wanted


def wanted_until(entry: Entry, schedule: Schedule, holidays: Holidays) -> datetime:
    """The first curfew on a later day than the entry's night; without one, a day after the entry."""
    night = next_curfew(schedule, entry.at, holidays)
    while night is not None and night.day <= entry.night:
        night = next_curfew(schedule, night.at, holidays)
    return night.at if night else entry.at + timedelta(days=1)


def keep(
    lab: Lab, entry: Entry, rules: CurfewRules, holidays: Holidays, now: datetime, *, longer: bool = True
) -> Keeping:
    """The lab kept for one more night; unchanged if it is kept already. Raises NotKept with a sentence for its owner.

    `longer`: whether the lease may be extended; it never is if a ceiling hibernates the lab.
    """
    _refuse_too_late(lab, entry)
    wanted = wanted_until(entry, lab.spec.schedule, holidays)
    may_extend = longer and entry.trigger is not Trigger.LIMIT
    reach = latest_end(lab, rules, now) if may_extend else lab.lease_ends_at
    is_kept = lab.kept_until is not None and lab.kept_until >= wanted and lab.lease_ends_at > entry.at
    ends_at = lab.lease_ends_at if is_kept else max(lab.lease_ends_at, min(wanted, reach))
    until = min(ends_at, wanted)
    if until <= max(entry.at, now):
        raise NotKept(_used_up(lab, ends_at))
    kept_until = max(lab.kept_until or wanted, wanted)
    leased = lab if ends_at == lab.lease_ends_at else lab.leased_until(ends_at, now)
    return Keeping(replace(leased, kept_until=kept_until), until, wanted, not may_extend)


def keep_within_budget(
    lab: Lab, entry: Entry, rules: CurfewRules, holidays: Holidays, now: datetime, judge: Callable[[Lab], object]
) -> Keeping:
    """Like `keep`, but within the present lease if `judge` refuses a longer one (OverBudget). Raises NotKept."""
    keeping = keep(lab, entry, rules, holidays, now)
    try:
        judge(keeping.lab)
    except OverBudget as over:
        return keep_within_lease(lab, entry, rules, holidays, now, over)
    return keeping


def keep_within_lease(
    lab: Lab, entry: Entry, rules: CurfewRules, holidays: Holidays, now: datetime, over: OverBudget
) -> Keeping:
    """Like `keep`, but without a longer lease, since a ceiling (`over`) has no room for one. Raises NotKept with its sentence."""
    try:
        return keep(lab, entry, rules, holidays, now, longer=False)
    except NotKept as refusal:
        raise NotKept(Sentence("Its lease can't be extended for that: {why}", why=over.args[0])) from refusal


def _refuse_too_late(lab: Lab, entry: Entry) -> None:
    if lab.phase in OVER:
        raise NotKept(Sentence("It is too late: {name} is gone.", name=lab.name))
    if lab.phase in ENDING:
        raise NotKept(Sentence("It is too late: {name} is being deleted.", name=lab.name))
    if entry.trigger is Trigger.GONE:
        raise NotKept(
            Sentence(
                "There is nothing to keep: the cluster of {name} is gone, and everything that it left behind is deleted.",
                name=lab.name,
            )
        )
    if lab.phase in _ASLEEP and entry.act is AtCurfew.HIBERNATE:
        raise NotKept(
            Sentence(
                "It is too late: {name} sleeps already. Nothing is lost: wake it with `ekslab wake {name}`.",
                name=lab.name,
            )
        )


def _used_up(lab: Lab, ends_at: datetime) -> str:
    return Sentence(
        "{name} has been kept as long as it may be: its lease ends at {at}. Save what you need, and ask for a new lab.",
        name=lab.name,
        at=Moment(ends_at, "UTC", Style.MINUTE),
    )

"""Decides whether a whole night is held: by the brake on judged ends, the guard against damaged data, or a wrong plan hash.

Pure. The curfew run calls it before it acts, and the API for the plan that people read. The brake neither counts nor holds agreed
ends (of leases). Entries that an administrator released are held only by a wrong hash.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.core.wording import counted
from chalicelib.domain.curfew.plan import Basis, Entry, EntryOutcome, Plan
from chalicelib.domain.curfew.rules import CurfewRules, allowance

#: Outcomes that count: done, in progress, or planned.
_COUNTS = frozenset({EntryOutcome.STANDING, EntryOutcome.ACTING, EntryOutcome.ENDED, EntryOutcome.HIBERNATED})
#: The most unforeseen agreed ends that do not hold a night: a number, and a percentage of the labs alive.
_UNFORESEEN, _UNFORESEEN_PERCENT = 3, 10
#: A night held for unforeseen ends is released by itself after this.
GUARDED_FOR = timedelta(hours=24)
_BROKEN = Sentence("The night's plan is not the one that was published.")


@dataclass(frozen=True)
class BrakeDecision:
    """Why a night is held; each reason is a sentence, empty if it does not apply.

    `broken`: the plan is not the published one: every entry is held. `braked`: there are too many judged ends: those are held.
    `guarded`: too many agreed ends were unforeseen: every entry is held until `free_at`. `counted`: the number of judged ends;
    `allowed`: how many of them a night may take. `unforeseen`: the number of agreed ends that were not known a day before.
    """

    broken: str
    braked: str
    guarded: str
    counted: int
    allowed: int
    unforeseen: int
    free_at: datetime | None = None
    released: frozenset[str] = frozenset()

    @property
    def held(self) -> str:
        """The reason that holds the night, or a part of it; empty if there is none."""
        return self.broken or self.guarded or self.braked

    def holds(self, entry: Entry) -> str:
        """Why this entry is held; empty if it is not."""
        if self.broken or entry.id in self.released:
            return self.broken
        return self.guarded or (self.braked if entry.basis is Basis.JUDGED else "")

    def suspects(self, entry: Entry) -> str:
        """The part of `holds` that comes from damaged data, which holds even a lab's last end."""
        return self.broken or ("" if entry.id in self.released else self.guarded)


def decide_brake(plan: Plan, rules: CurfewRules, alive: int, now: datetime) -> BrakeDecision:
    """Decide which entries of a night are held at `now`, of `alive` labs."""
    released, allowed = frozenset(plan.header.released), allowance(rules, alive)
    judged = [entry for entry in _standing(plan) if entry.basis is Basis.JUDGED]
    sudden = [entry for entry in _standing(plan) if not entry.foreseen and entry.id not in released]
    over = len(judged) > allowed and not released.issuperset(entry.id for entry in judged)
    braked = (
        Sentence(
            "The brake held the night: {labs} were to go, and {allowed} may.",
            labs=counted(len(judged), "idle lab"),
            allowed=allowed,
        )
        if over
        else ""
    )
    free_at = plan.header.guarded_at and plan.header.guarded_at + GUARDED_FOR
    return BrakeDecision(
        broken="" if plan.is_whole else _BROKEN,
        braked=braked,
        guarded=_guarded(len(sudden), alive) if free_at is None or now < free_at else "",
        counted=len(judged),
        allowed=allowed,
        unforeseen=len(sudden),
        free_at=free_at and min(free_at, plan.header.released_at or free_at),
        released=released,
    )


def _standing(plan: Plan) -> Iterator[Entry]:
    return (entry for entry, status in plan.lines if status.outcome in _COUNTS)


def _guarded(sudden: int, alive: int) -> str:
    if sudden <= _UNFORESEEN or sudden * 100 <= alive * _UNFORESEEN_PERCENT:
        return ""
    return Sentence(
        "The night is held: {leases} of {labs} end earlier than was known a day before, as if data were damaged.",
        leases=counted(sudden, "lease"),
        labs=counted(alive, "lab"),
    )

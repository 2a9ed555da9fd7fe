"""The brake: how many labs one night may take, whatever the reasons are. Over it, nothing of that night is touched. See ADR 7."""

from __future__ import annotations

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.plan import Outcome, Plan
from chalicelib.domain.curfew.rules import CurfewRules, allowance

#: Fates that count: done, being done, still to be done.
_COUNTS = frozenset({Outcome.STANDING, Outcome.ACTING, Outcome.ENDED, Outcome.HIBERNATED})


@dataclass(frozen=True)
class Braking:
    """`held`: why nothing of the night may be touched, empty if it may. `over`: it is the brake that holds it."""

    held: str
    over: bool
    counted: int
    allowed: int


def decide_brake(plan: Plan, rules: CurfewRules, alive: int) -> Braking:
    """Hold a night whose plan is not the one that was published, or which would take more labs than it may."""
    counted, allowed = sum(fate.outcome in _COUNTS for _, fate in plan.lines), allowance(rules, alive)
    if not plan.is_whole:
        return Braking("The night's plan is not the one that was published.", False, counted, allowed)
    if counted > allowed:
        told = f"The brake held the night: {counted} labs were to go, and {allowed} may."
        return Braking(told, True, counted, allowed)
    return Braking("", False, counted, allowed)

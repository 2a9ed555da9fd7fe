"""Use cases of the list of offers: everyone may read it, administrators change it. Existing labs stay unchanged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding, warning
from chalicelib.domain.errors.tree import AwsRefused, InvalidRequest, NotYours, Transient
from chalicelib.domain.identity.callers import Caller, Team
from chalicelib.domain.requests.offers import Offers, doubt_list, judge_list
from chalicelib.ports.deps import Deps


@dataclass(frozen=True)
class OffersView:
    """The list, and for administrators its parts without effect."""

    offers: Offers
    findings: tuple[Finding, ...] = ()


def get_offers(deps: Deps, caller: Caller) -> OffersView:
    """The present list."""
    return _view(deps, caller, deps.store.offers())


def _view(deps: Deps, caller: Caller, offers: Offers) -> OffersView:
    if not caller.is_admin:
        return OffersView(offers)
    judged = offers.teams or offers.max_usd_month.team is not None
    groups, doubts = teams_of_groups(deps, caller, "teams") if judged else ((), ())
    names = None if groups is None else {team.name for team in (*deps.curfew.teams, *groups)}
    return OffersView(offers, (*doubt_list(offers, names, deps.limits.max_nodes), *doubts))


def teams_of_groups(deps: Deps, caller: Caller, path: str) -> tuple[tuple[Team, ...] | None, tuple[Finding, ...]]:
    """The teams of the user pool's groups, None while unknown; and the caller's findings about them at `path`."""
    try:
        teams = deps.user_pool.teams() if deps.user_pool is not None else ()
    except (AwsRefused, Transient) as problem:
        unread = Sentence(
            "The user pool does not say who is in its groups: {problem} The teams here are those of the setting Teams alone.",
            problem=str(problem),
        )
        return None, (warning(path, "user-pool-unread", unread),)
    return teams, tuple(
        warning(
            path,
            "team-cut",
            "The group of the team {team} has more members than are read, {number}: the others are missing in the team's sum.",
            team=team.name,
            number=len(team.patterns),
        )
        for team in teams
        if team.cut and (caller.sees_all or team.name in {mine.name for mine in caller.teams})
    )


def refuse_others(caller: Caller) -> None:
    """Raise NotYours for a caller who is not an administrator."""
    if not caller.is_admin:
        raise NotYours("What labs are offered is for administrators to say.")


def set_offers(deps: Deps, caller: Caller, changed: Callable[[Offers], Offers], now: datetime) -> OffersView:
    """Change some of the list, for labs requested from now on. Raises NotYours, InvalidRequest, StaleLab."""
    refuse_others(caller)

    def change(before: Offers) -> Offers:
        wanted = replace(changed(before), changed_at=now, changed_by=caller.arn)
        if findings := tuple(judge_list(wanted)):
            raise InvalidRequest(findings)
        return wanted

    return _view(deps, caller, deps.store.change_offers(change))

"""What people may ask of the list of offers: everyone may look, administrators change it. Labs that exist stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.errors.findings import Finding
from chalicelib.domain.errors.tree import InvalidRequest, NotYours, Transient
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.requests.offers import Offers, doubt_list, judge_list
from chalicelib.ports.deps import Deps


@dataclass(frozen=True)
class OffersView:
    """The list, and for administrators what of it does nothing."""

    offers: Offers
    findings: tuple[Finding, ...] = ()


def get_offers(deps: Deps, caller: Caller) -> OffersView:
    """As they hold at this moment."""
    return _view(deps, caller, deps.store.offers())


def _view(deps: Deps, caller: Caller, offers: Offers) -> OffersView:
    if not caller.is_admin:
        return OffersView(offers)
    return OffersView(offers, tuple(doubt_list(offers, _teams(deps, offers), deps.limits.max_nodes)))


def _teams(deps: Deps, offers: Offers) -> frozenset[str] | None:
    """The names of all teams; None while the user pool, whose groups make some, does not answer."""
    try:
        groups = deps.user_pool.teams() if offers.teams and deps.user_pool is not None else ()
    except Transient:
        return None
    return frozenset(team.name for team in (*deps.curfew.teams, *groups))


def refuse_others(caller: Caller) -> None:
    """Raises NotYours for a caller who is no administrator."""
    if not caller.is_admin:
        raise NotYours(Sentence("What labs are offered is for administrators to say."))


def set_offers(deps: Deps, caller: Caller, changed: Callable[[Offers], Offers], now: datetime) -> OffersView:
    """Change some of the list, for labs that are asked for from now on. Raises NotYours, InvalidRequest, StaleLab."""
    refuse_others(caller)

    def change(before: Offers) -> Offers:
        wanted = replace(changed(before), changed_at=now, changed_by=caller.arn)
        if findings := tuple(judge_list(wanted)):
            raise InvalidRequest(findings)
        return wanted

    return _view(deps, caller, deps.store.change_offers(change))

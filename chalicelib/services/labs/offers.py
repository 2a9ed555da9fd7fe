"""What people may ask of the list of offers: everyone may look, administrators change it. Labs that exist stay as they are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.errors.tree import InvalidRequest, NotYours
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.requests.offers import Offers, judge_list
from chalicelib.ports.deps import Deps


def get_offers(deps: Deps) -> Offers:
    """As they hold at this moment."""
    return deps.store.offers()


def refuse_others(caller: Caller) -> None:
    """Raises NotYours for whoever is no administrator."""
    if not caller.is_admin:
        raise NotYours("What labs are offered is for administrators to say.")


def set_offers(deps: Deps, caller: Caller, changed: Callable[[Offers], Offers], now: datetime) -> Offers:
    """Change some of the list, for labs that are asked for from now on. Raises NotYours, InvalidRequest, StaleLab."""
    refuse_others(caller)

    def change(before: Offers) -> Offers:
        wanted = replace(changed(before), changed_at=now, changed_by=caller.arn)
        if findings := tuple(judge_list(wanted)):
            raise InvalidRequest(findings)
        return wanted

    return deps.store.change_offers(change)

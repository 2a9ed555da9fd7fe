"""Use cases of curfew's rules and the stop switch. Everyone may read them, administrators change them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.curfew.rules import CurfewRules, Mode, judge_rules, rules_with
from chalicelib.domain.errors.tree import InvalidRequest, NotYours
from chalicelib.domain.identity.callers import Caller
from chalicelib.ports.deps import Deps


def set_rules(
    deps: Deps, caller: Caller, numbers: Mapping[str, int], mode: Mode | None, names: Mapping[str, str], now: datetime
) -> CurfewRules:
    """Change some rules, at once. `names`: each rule's name for the caller. Raises NotYours, InvalidRequest, StaleLab."""
    if not caller.is_admin:
        raise NotYours(Sentence("How curfew works is for administrators to say."))

    def changed(rules: CurfewRules) -> CurfewRules:
        wanted = rules_with(rules, numbers, mode, caller.arn, now)
        if findings := tuple(judge_rules(wanted, names)):
            raise InvalidRequest(findings)
        return wanted

    return deps.curfew.store.change_rules(deps.curfew.usual, changed)

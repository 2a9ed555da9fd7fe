"""Whether a lab is idle, and why: judged live from what AWS says now, beside the verdict that the sweep kept last."""

from __future__ import annotations

from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.identity.callers import Caller
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.idleness.judge import judge
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.ports.deps import Deps
from chalicelib.services.curfew.rules import get_rules
from chalicelib.services.labs.commands import seen_lab

#: Phases in which there is a cluster with nodes, of which something can be seen.
_SEEN = frozenset({Phase.READY, Phase.UPDATING})


@dataclass(frozen=True)
class VerdictView:
    """`live` and `evidence` are None where there is nothing to judge; `kept` None: the sweep has not judged it yet."""

    lab: Lab
    rules: CurfewRules
    live: Verdict | None
    evidence: Evidence | None
    kept: Verdict | None


def verdict_of(deps: Deps, caller: Caller, lab_id: str, now: datetime) -> VerdictView:
    """Judge a lab's use over the window that ends now; nothing is kept of it. Raises LabNotFound."""
    lab, rules = seen_lab(deps, caller, lab_id), get_rules(deps)
    kept = deps.curfew.store.verdict(lab_id)
    if lab.phase not in _SEEN:
        return VerdictView(lab, rules, None, None, kept)
    evidence = deps.curfew.signals(lab.place).read([lab], now, timedelta(hours=rules.window_hours))[lab_id]
    return VerdictView(lab, rules, judge(lab, evidence, rules, now), evidence, kept)

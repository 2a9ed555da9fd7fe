"""Looks for clusters that carry our tags and have no lab to answer for them: ours become labs again, others are only told.

Only clusters past the end that their tag allows are looked up at all. An adopted lab goes through the plan like any other.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.place import Place
from chalicelib.domain.curfew.rules import Mode
from chalicelib.domain.errors.tree import LabNotFound, NameTaken, ResourceGone
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import OVER, Lab, Phase
from chalicelib.domain.labs.steps import Event
from chalicelib.domain.teardown.adoption import (
    Orphan,
    OrphanDecision,
    TaggedCluster,
    adopted_lab,
    decide_orphan,
    is_overdue,
)
from chalicelib.domain.teardown.evidence import LAB_TAG
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import KIND, rules_of
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.night.warn import administrators


def find_orphans_in(deps: Deps, place: Place, now: datetime, summary: RunSummary) -> list[str]:
    """Look through one account's region; return a sentence for each cluster that somebody should know of."""
    message = []
    for tagged in deps.curfew.signals(place).tagged_clusters():
        if is_overdue(tagged, now):
            with summary.around(tagged.arn):
                message += _looked_up(deps, tagged, now)
    return message


def _looked_up(deps: Deps, tagged: TaggedCluster, now: datetime) -> list[str]:
    lab = _lab_of(deps, tagged)
    decision = decide_orphan(tagged, lab, deps.curfew.installation)
    if decision.action is Orphan.KNOWN:
        return []
    state = _still_there(deps, tagged)
    if state is None:
        return []
    if decision.action is Orphan.FOREIGN:
        return [decision.message]
    if rules_of(deps).mode is not Mode.ON:
        return [f"{tagged.name} in {tagged.region} has no lab to answer for it; nothing is done about it now."]
    if lab is None:
        return [_adopted(deps, tagged, state, decision, now)]
    return [_reopened(deps, lab, decision, now)]


def _lab_of(deps: Deps, tagged: TaggedCluster) -> Lab | None:
    try:
        return deps.store.load_lab(tagged.tags.get(LAB_TAG, ""))
    except LabNotFound:
        return None


def _still_there(deps: Deps, tagged: TaggedCluster) -> ClusterState | None:
    """As EKS knows it: the tagging API lists clusters for a while after they are gone."""
    try:
        state = deps.cloud(tagged.place).clusters.describe(tagged.name)
    except ResourceGone:
        return None
    same = state.tags.get(LAB_TAG) == tagged.tags.get(LAB_TAG)
    return state if same and state.status != "DELETING" else None


def _adopted(deps: Deps, tagged: TaggedCluster, state: ClusterState, decision: OrphanDecision, now: datetime) -> str:
    lab = adopted_lab(tagged, state, administrators(deps), deps.curfew.installation, now)
    try:
        deps.store.create_lab(lab, None, "", now)
    except NameTaken as taken:
        return f"{tagged.name} in {tagged.region} is in no record, and its name is another lab's ({taken.lab_id})."
    deps.store.add_event(lab.id, Event(now, KIND, f"Adopted: {decision.message}"))
    return decision.message


def _reopened(deps: Deps, lab: Lab, decision: OrphanDecision, now: datetime) -> str:
    """Somebody may have made it anew with the old tags, and work on it: like any other lab it is warned about first."""

    def again(stored: Lab) -> Lab:
        if stored.phase not in OVER:
            return stored
        ready = replace(stored.moved_to(Phase.READY, now), adopted=True, planned=None, hibernation=None)
        return replace(ready, run=stored.run + 1, lease_ends_at=min(stored.lease_ends_at, now), due_at=now)

    changed = deps.store.change_lab(lab.id, again)
    deps.store.add_event(lab.id, Event(now, KIND, decision.message, {"phase": str(changed.phase)}))
    return decision.message

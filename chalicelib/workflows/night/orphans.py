"""Finds clusters with this installation's tags and no lab, and reports them to administrators with evidence.

Only clusters past the end in their tag are looked up. A tag makes no cluster a lab: an administrator adopts it
(services/labs/adoption.py), or an ended lab whose own cluster is still alive is reopened.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import assert_never

from chalicelib.domain.core.place import Place
from chalicelib.domain.core.sentence import Sentence, joined
from chalicelib.domain.curfew.rules import Mode
from chalicelib.domain.errors.tree import LabNotFound, ResourceGone
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import OVER, Lab
from chalicelib.domain.labs.steps import Event
from chalicelib.domain.teardown.adoption import (
    Orphan,
    OrphanDecision,
    TaggedCluster,
    claimed_lab_id,
    decide_orphan,
    describe_provenance,
    in_its_region,
    is_made_by,
    is_overdue,
)
from chalicelib.domain.teardown.evidence import LAB_TAG
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import KIND
from chalicelib.workflows.night.run import NightRun


def find_orphans_in(run: NightRun, place: Place) -> list[str]:
    """Search one account's region; return a sentence for each cluster to report."""
    found: list[str] = []
    for tagged in run.deps.curfew.signals(place).tagged_clusters():
        if is_overdue(tagged, run.now):
            with run.around(tagged.arn):
                found += _looked_up(run, tagged)
    return found


def _looked_up(run: NightRun, tagged: TaggedCluster) -> list[str]:
    deps = run.deps
    state = _still_there(deps, tagged)
    if state is None:
        return []
    lab = _lab_of(deps, tagged)
    decision = decide_orphan(tagged, lab, state, deps.curfew.installation)
    match decision.action:
        case Orphan.KNOWN:
            return []
        case Orphan.FOREIGN:
            return [decision.message]
        case Orphan.REPORT:
            return [joined((decision.message, provenance_of(deps, tagged, state)))]
        case Orphan.REOPEN if lab is not None and run.rules.mode is Mode.ON:
            return [_reopened(deps, lab, decision, run.now)]
        case Orphan.REOPEN:
            return [Sentence("{what} outlived its lab; nothing is done about it now.", what=in_its_region(tagged))]
        case _:
            assert_never(decision.action)


def provenance_of(deps: Deps, tagged: TaggedCluster, state: ClusterState) -> str:
    """The creator of the cluster, as far as AWS knows, in sentences."""
    stacks, lab_id = deps.cloud(tagged.place).stacks, claimed_lab_id(tagged)
    stack = None
    if lab_id is not None:
        with suppress(ResourceGone):
            stack = stacks.describe(f"ekslab-{lab_id}")
    made = stack is not None and is_made_by(state, stack, stacks.resources(f"ekslab-{lab_id}"))
    return describe_provenance(tagged, state, stack, made)


def _lab_of(deps: Deps, tagged: TaggedCluster) -> Lab | None:
    lab_id = claimed_lab_id(tagged)
    try:
        return deps.store.load_lab(lab_id) if lab_id is not None else None
    except LabNotFound:
        return None


def _still_there(deps: Deps, tagged: TaggedCluster) -> ClusterState | None:
    """The cluster as EKS returns it: the tagging API lists deleted clusters for a while."""
    try:
        state = deps.cloud(tagged.place).clusters.describe(tagged.name)
    except ResourceGone:
        return None
    same = state.tags.get(LAB_TAG) == tagged.tags.get(LAB_TAG)
    return state if same and state.status != "DELETING" else None


def _reopened(deps: Deps, lab: Lab, decision: OrphanDecision, now: datetime) -> str:
    """Reopen the lab with an ended lease, so that the next run plans its end and warns its owner: somebody may use the cluster."""

    def again(stored: Lab) -> Lab:
        if stored.phase not in OVER:  # Somebody else reopened it.
            return stored
        ready = replace(stored.reopened(now), adopted=True, planned=None, hibernation=None)
        return replace(ready, run=stored.run + 1, lease_ends_at=min(stored.lease_ends_at, now), due_at=now)

    deps.store.expire(lab.id, None)
    changed = deps.store.change_lab(lab.id, again)
    deps.store.add_event(lab.id, Event(now, KIND, decision.message, {"phase": str(changed.phase)}))
    return decision.message

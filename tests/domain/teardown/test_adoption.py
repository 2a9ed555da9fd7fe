"""Clusters with our tags: whose they are, whether they need looking up, and what lab is made of one that nobody answers for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.teardown.adoption import Orphan, TaggedCluster, adopted_lab, decide_orphan, is_overdue
from tests.fakes import NOW, OWNER, a_lab


def a_lost_lab() -> Lab:
    return replace(a_lab(phase=Phase.READY), installation="school", ends_by=NOW)


def a_tagged(**tags: str) -> TaggedCluster:
    lab = a_lost_lab()
    arn = f"arn:aws:eks:{lab.region}:{lab.account}:cluster/{lab.name}"
    return TaggedCluster(arn, lab.name, lab.region, {**lab.tags, **tags})


@pytest.mark.parametrize(
    ("ends_by", "overdue"),
    [
        ("2026-11-23T10:00:00Z", True),
        ("2026-11-23T10:00:01Z", False),
        ("", True),
        ("tomorrow", True),
        ("2027-01-01", True),
    ],
)
def test_only_what_its_tag_says_may_still_live_is_not_looked_up(ends_by: str, overdue: bool) -> None:
    assert is_overdue(a_tagged(**{"ekslab:ends-by": ends_by}), NOW) is overdue


@pytest.mark.parametrize(
    ("whose", "lab", "action"),
    [
        ("school", None, Orphan.ADOPT),
        ("school", a_lost_lab(), Orphan.KNOWN),
        ("school", a_lost_lab().moved_to(Phase.BLOCKED, NOW), Orphan.KNOWN),
        ("school", a_lost_lab().moved_to(Phase.DELETED, NOW), Orphan.REOPEN),
        ("school", a_lost_lab().moved_to(Phase.FAILED, NOW), Orphan.REOPEN),
        ("school", replace(a_lost_lab(), account="444455556666"), Orphan.FOREIGN),
        ("another", None, Orphan.FOREIGN),
        ("another", a_lost_lab().moved_to(Phase.DELETED, NOW), Orphan.FOREIGN),
        ("", None, Orphan.FOREIGN),
    ],
)
def test_what_is_done_about_a_cluster_depends_on_whose_it_is_and_on_its_lab(
    whose: str, lab: Lab | None, action: Orphan
) -> None:
    decision = decide_orphan(a_tagged(**{"ekslab:installation": whose}), lab, "school")
    assert decision.action is action
    assert bool(decision.message) is (action is not Orphan.KNOWN)


def test_an_installation_without_a_name_owns_nothing() -> None:
    assert decide_orphan(a_tagged(**{"ekslab:installation": ""}), None, "").action is Orphan.FOREIGN


def test_an_adopted_lab_is_known_by_its_old_id_is_ready_and_over() -> None:
    tagged = a_tagged()
    state = ClusterState(tagged.name, tagged.arn, "ACTIVE", "1.36", vpc_id="vpc-1", tags=tagged.tags)
    lab = adopted_lab(tagged, state, "admins@example.com", "school", NOW)
    assert (lab.id, lab.owner, lab.phase, lab.lease_ends_at) == (a_lab().id, OWNER, Phase.READY, NOW)
    assert (lab.adopted, lab.due_at, lab.facts.vpc_id) == (True, NOW, "vpc-1")
    assert lab.tags["ekslab:lab-id"] == tagged.tags["ekslab:lab-id"]
    nobodys = replace(tagged, tags={**tagged.tags, "ekslab:owner": ""})
    assert adopted_lab(nobodys, state, "admins@example.com", "school", NOW).owner == "admins@example.com"
    with pytest.raises(ValueError, match="carries no lab's id"):
        adopted_lab(replace(tagged, tags={}), state, "admins@example.com", "school", NOW)

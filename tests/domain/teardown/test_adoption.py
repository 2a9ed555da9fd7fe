"""Clusters with the service's tags: their owners, the need for a look-up, and the lab made of one without an owner."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.labs.aws_states import ClusterState, StackState
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.teardown.adoption import (
    Orphan,
    TaggedCluster,
    adopted_lab,
    claimed_lab_id,
    decide_orphan,
    describe_provenance,
    is_made_by,
    is_overdue,
)
from tests.fakes import NOW, a_lab
from tests.fakes.builders import in_phase


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


STATE = ClusterState(
    "myeks", "arn:aws:eks:ap-northeast-2:111122223333:cluster/myeks", "ACTIVE", "1.36", oidc_issuer="https://i/1"
)
STACK = StackState("arn:stack/ekslab-lab-7f3k2m9x/1", "CREATE_COMPLETE", created_at=NOW - timedelta(days=3), ours=True)


def its_lab(phase: Phase = Phase.READY, **changes: Any) -> Lab:
    return replace(in_phase(a_lost_lab().with_facts(oidc_issuer="https://i/1"), phase, NOW), **changes)


@pytest.mark.parametrize(
    ("whose", "lab", "action"),
    [
        ("school", None, Orphan.REPORT),
        ("school", its_lab(), Orphan.KNOWN),
        ("school", its_lab(Phase.BLOCKED), Orphan.KNOWN),
        ("school", its_lab(Phase.DELETED), Orphan.REOPEN),
        ("school", its_lab(Phase.FAILED), Orphan.REOPEN),
        ("school", its_lab(Phase.REFUSED), Orphan.REPORT),
        ("school", its_lab(Phase.AWAITING_APPROVAL), Orphan.REPORT),
        ("school", its_lab(Phase.DELETED).with_facts(oidc_issuer="https://i/2"), Orphan.REPORT),
        ("school", its_lab(account="444455556666"), Orphan.FOREIGN),
        ("another", None, Orphan.FOREIGN),
        ("another", its_lab(Phase.DELETED), Orphan.FOREIGN),
        ("", None, Orphan.FOREIGN),
    ],
)
def test_what_is_done_about_a_cluster_depends_on_whose_it_is_and_on_its_lab(
    whose: str, lab: Lab | None, action: Orphan
) -> None:
    decision = decide_orphan(a_tagged(**{"ekslab:installation": whose}), lab, STATE, "school")
    assert decision.action is action
    assert bool(decision.message) is (action is not Orphan.KNOWN)


def test_an_installation_without_a_name_owns_nothing() -> None:
    assert decide_orphan(a_tagged(**{"ekslab:installation": ""}), None, STATE, "").action is Orphan.FOREIGN


@pytest.mark.parametrize(
    "text", ["", "lab", "lab-", "lab-X", "lab-0123/../x", "lab-1234 <b>", "x" * 99, "lab-" + "a" * 99]
)
def test_only_what_has_the_form_of_a_labs_id_is_taken_for_one(text: str) -> None:
    assert claimed_lab_id(a_tagged(**{"ekslab:lab-id": text})) is None
    assert claimed_lab_id(a_tagged()) == a_lab().id


def test_a_cluster_is_ours_by_the_role_that_our_stack_made() -> None:
    role = Resource(Kind.ROLE, "r", "arn:aws:iam::111122223333:role/ekslab/r")
    with_role = replace(STATE, role_arn=role.arn)
    assert is_made_by(with_role, STACK, (role,))
    assert not is_made_by(with_role, replace(STACK, ours=False), (role,))
    assert not is_made_by(with_role, STACK, (replace(role, kind=Kind.SECURITY_GROUP),))
    assert not is_made_by(STATE, STACK, (role,))
    assert "`ekslab adopt 111122223333/ap-northeast-2/myeks`" in describe_provenance(a_tagged(), with_role, STACK, True)
    assert "not one that" in describe_provenance(a_tagged(), with_role, STACK, False)
    assert "not one that" in describe_provenance(a_tagged(), STATE, None, False)


def test_an_adopted_lab_is_known_by_its_old_id_belongs_to_administrators_and_is_as_old_as_its_stack() -> None:
    tagged = a_tagged()
    state = replace(STATE, vpc_id="vpc-1", tags=tagged.tags)
    lab = adopted_lab(tagged, state, STACK, "admins@example.com", "school", NOW)
    assert (lab.id, lab.owner, lab.phase, lab.lease_ends_at) == (a_lab().id, "admins@example.com", Phase.READY, NOW)
    assert (lab.adopted, lab.due_at, lab.facts.vpc_id) == (True, NOW, "vpc-1")
    assert (lab.created_at, lab.facts.stack_id) == (STACK.created_at, STACK.id)
    assert lab.tags["ekslab:lab-id"] == tagged.tags["ekslab:lab-id"]
    with pytest.raises(ValueError, match="carries no lab's id"):
        adopted_lab(replace(tagged, tags={}), state, STACK, "admins@example.com", "school", NOW)

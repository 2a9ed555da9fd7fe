"""One person is one recipient, in any spelling of an owner; several owners in one tag are all notified."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.recipients import distinct, people_in, recipient_of, same_recipient
from chalicelib.domain.curfew.messages.warning import recipient_of as curfew_recipient
from chalicelib.domain.notices.decision import NoticeRules, recipients
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.owners import answerable, other_owners
from chalicelib.domain.support.watched import Watched
from tests.fakes import NOW, a_calendar, a_lab
from tests.fakes.fleet_builders import a_fleet_cluster

USER = "arn:aws:iam::111122223333:user/learner"
SESSION = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs_0123456789abcdef/shop@example.com"
OWNERS = [
    USER,
    SESSION,
    "arn:aws:iam::111122223333:user/team/learner",
    "learner",
    "A@Example.com",
    "arn:aws:iam::1:root",
]


def watched_of(owner: str, *others: str, team: str | None = None) -> Watched:
    cluster = a_fleet_cluster("orders", version="1.31")
    support = decide_support("1.31", "EXTENDED", a_calendar(), NOW)
    return replace(Watched(cluster, support, owner, team, NOW), other_owners=others)


@pytest.mark.parametrize("owner", OWNERS)
def test_row_9_curfew_and_deadline_mails_go_to_the_same_recipient(owner: str) -> None:
    [(recipient, _)] = recipients(watched_of(owner), NoticeRules())
    assert recipient == curfew_recipient(a_lab(owner=owner), "admins") == recipient_of(owner)


def test_row_9_a_learner_hears_by_name() -> None:
    assert (recipient_of(USER), recipient_of(SESSION)) == ("learner", "shop@example.com")


@pytest.mark.parametrize(
    ("text", "people"),
    [
        ("a@example.com / b@example.com", ("a@example.com", "b@example.com")),
        ("a@example.com, B@Example.com;c@example.com", ("a@example.com", "B@Example.com", "c@example.com")),
        ("Jane Doe <jane@example.com>", ("jane@example.com",)),
        ("alice, bob", ("alice", "bob")),
        ("shop team", ("shop team",)),
        (SESSION, (SESSION,)),
        (f"{USER}, {SESSION}", (USER, SESSION)),
    ],
)
def test_row_10_everyone_whom_a_tag_names_hears(text: str, people: tuple[str, ...]) -> None:
    assert people_in(text) == people
    owner, _ = answerable({"owner": text}, None)
    assert (owner, *other_owners({"owner": text}, owner)) == people


def test_row_10_addresses_are_compared_without_case_and_shown_as_written() -> None:
    told = recipients(watched_of("A@Example.com", "a@example.com", team="a@EXAMPLE.com"), NoticeRules())
    assert [recipient for recipient, _ in told] == ["A@Example.com"]


@given(st.lists(st.sampled_from([*OWNERS, "LEARNER", "a@example.com"]), max_size=8))
def test_nobody_is_told_twice_and_nobody_is_left_out(owners: list[str]) -> None:
    told = distinct(owners)
    assert all(any(same_recipient(owner, one) for one in told) for owner in owners)
    assert not any(same_recipient(one, other) for n, one in enumerate(told) for other in told[:n])

"""A person's mail: its text about one cluster, and its length with many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.core.message import MOST_SUBJECT, Message, Severity
from chalicelib.domain.core.wording import format_day
from chalicelib.domain.notices.decision import NoticeRules, decide_notices
from chalicelib.domain.notices.digest import MOST_BYTES, compose
from chalicelib.domain.notices.notice import Notice, NoticeKind
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.fleet import NodeKind, Nodes
from chalicelib.domain.support.watched import Watched
from tests.domain.support.test_assessment import CALENDAR, NOW
from tests.examples import examples
from tests.fakes.fleet_builders import OPS, a_fleet_cluster, a_key, a_trouble

RULES = NoticeRules(administrators="admins@example.com")


def kept(name: str, version: str, policy: str | None = "EXTENDED", **changes: object) -> Watched:
    cluster = a_fleet_cluster(name, version=version, support_type=policy)
    support = decide_support(version, policy, CALENDAR, NOW)
    return replace(Watched(cluster, support, OPS, None, NOW, armed_at=NOW), **changes)


def notices_of(*clusters: Watched, history: Sequence[Notice] = ()) -> list[tuple[Notice, Watched]]:
    return [(n, w) for w in clusters for n in decide_notices(w, history, RULES, NOW) if n.recipient == OPS]


def mail(*clusters: Watched, history: Sequence[Notice] = ()) -> Message:
    [message] = mails(*clusters, history=history)
    return message


def mails(*clusters: Watched, history: Sequence[Notice] = ()) -> tuple[Message, ...]:
    return compose(OPS, notices_of(*clusters, history=history), NOW)


def flat(message: Message) -> str:
    return " ".join(message.body.split())


def test_a_forced_upgrade_is_told_with_its_day_its_cost_and_the_commands() -> None:
    message = mail(kept("orders", "1.31"))
    assert message.subject == "EKS critical: orders forced upgrade to 1.32 in 3 days"
    assert (message.days, message.severity, message.kind, message.owner) == (3, Severity.CRITICAL, "deadline", OPS)
    for words in (
        "account 111122223333, ap-northeast-2, Kubernetes 1.31",
        "In 3 days, on Thu 26 Nov 2026: AWS upgrades the control plane to 1.32",
        "$365 a month in extended support",
        "aws eks update-cluster-version --name orders --kubernetes-version 1.32 --region ap-northeast-2",
        "eksctl upgrade cluster --name orders --version 1.32 --region ap-northeast-2 --approve",
        "aws eks update-nodegroup-version --cluster-name orders --nodegroup-name workers",
        "ekslab acknowledge 111122223333/ap-northeast-2/orders",
        "ekslab snooze 111122223333/ap-northeast-2/orders 2026-11-25T00:00:00Z",
        "https://docs.aws.amazon.com/eks/",
    ):
        assert words in flat(message)


def test_row_18_a_labs_owner_is_given_commands_that_they_may_use() -> None:
    message = mail(kept("orders", "1.31", lab_id="lab-1"))
    assert "update-cluster-version" not in message.body
    assert "eksctl" not in message.body
    assert "ekslab delete cluster lab-1" in message.body
    assert "POST" not in message.body


def test_billing_is_told_with_what_it_adds_and_a_standard_policy_costs_nothing() -> None:
    assert "costs $365 a month from Wed 2 Dec 2026: $438 instead of $73" in flat(mail(kept("orders", "1.34")))
    assert "Doing nothing costs no money" in flat(mail(kept("orders", "1.34", "STANDARD")))


def test_a_late_notice_says_so() -> None:
    message = mail(kept("orders", "1.34", armed_at=NOW - timedelta(days=90)))
    assert "This comes 5 days late: the watch did not run when it was due." in flat(message)


def test_many_clusters_are_one_mail_with_the_most_urgent_first() -> None:
    message = mail(kept("later", "1.34"), kept("soon", "1.31"), kept("paying", "1.33"))
    assert message.subject == "EKS critical: 3 clusters, first soon forced upgrade to 1.32 in 3 days"
    assert [message.body.index(f"{n}. {name}:") for n, name in ((1, "soon"), (2, "paying"), (3, "later"))] == sorted(
        message.body.index(f"{n}. {name}:") for n, name in ((1, "soon"), (2, "paying"), (3, "later"))
    )
    assert message.kind == "deadline"
    assert len(message.notice_ids) == 3


@pytest.mark.slow
@pytest.mark.parametrize(("count", "messages"), [(40, 1), (61, 2), (3_000, 50)])
def test_row_11_many_clusters_are_split_into_messages_and_none_is_left_out(count: int, messages: int) -> None:
    found = mails(*(kept(f"cluster-{number:04}", "1.31") for number in range(count)))
    assert len(found) == messages
    assert all(len(message.body.encode()) <= MOST_BYTES for message in found)
    assert sum(len(message.notice_ids) for message in found) == count
    assert len({notice for message in found for notice in message.notice_ids}) == count
    bodies = "\n".join(message.body for message in found)
    assert all(f". cluster-{number:04}: forced upgrade" in bodies for number in range(count))
    assert "less urgent" not in bodies
    assert (f"(1 of {messages})" in found[0].subject) is (messages > 1)


@given(st.integers(1, 150), st.integers(0, 120))
@settings(max_examples=examples(15), deadline=None)
def test_every_notice_is_in_exactly_one_message_however_long_names_are(count: int, length: int) -> None:
    found = mails(*(kept(f"{number:04}{'x' * length}", "1.31") for number in range(count)))
    ids = [notice for message in found for notice in message.notice_ids]
    assert len(ids) == len(set(ids)) == count
    assert all(len(message.body.encode()) <= MOST_BYTES and len(message.subject) <= 100 for message in found)


def test_a_cluster_that_is_solved_is_told_why_and_without_commands() -> None:
    history = [n for n, _ in notices_of(kept("orders", "1.31"))]
    [message] = compose(OPS, notices_of(kept("orders", "1.36"), history=history), NOW)
    assert message.subject == "EKS info: orders solved"
    assert "Solved: It runs 1.36 now." in flat(message)
    assert "forced upgrade of 1.31 on Thu 26 Nov 2026" in flat(message)
    assert "update-cluster-version" not in message.body


def test_after_aws_upgraded_the_nodes_that_stayed_behind_are_named() -> None:
    after = kept("orders", "1.32", upgraded_by_aws_at=NOW)
    after = replace(after, cluster=replace(after.cluster, nodes=(Nodes("workers", NodeKind.MANAGED, "1.31", 3),)))
    message = mail(after)
    assert "control plane upgraded to 1.32" in message.subject
    assert "node group workers (3 on 1.31) is 1 minor version older" in flat(message)
    assert "To bring the nodes along:" in message.body


def test_an_upgrade_by_aws_told_late_names_the_version_that_aws_chose() -> None:
    history = notices_of(kept("orders", "1.32", upgraded_by_aws_at=NOW))
    late = [(n, kept("orders", "1.33")) for n, _ in history if n.kind is NoticeKind.UPGRADED_BY_AWS]
    [message] = compose(OPS, late, NOW)
    assert "control plane upgraded to 1.32" in message.subject
    assert "The control plane upgraded to 1.32 (noticed on" in flat(message)
    assert "EKS does not say who did it" in flat(message)


def test_a_lab_whose_lease_ends_first_gets_one_line() -> None:
    lab = kept("lab", "1.31", lab_id="lab-1", lease_ends_at=NOW + timedelta(hours=8))
    lab = replace(lab, support=replace(lab.support, lease_first=True), cluster=replace(lab.cluster, nodes=()))
    message = mail(lab)
    assert [n.kind for n, _ in notices_of(lab)] == [NoticeKind.LEASE_FIRST]
    assert "The lab's lease ends on Mon 23 Nov 2026, before forced upgrade to 1.32 on Thu 26 Nov 2026" in flat(message)
    assert notices_of(lab, history=[n for n, _ in notices_of(lab)]) == []


def test_what_cannot_be_read_goes_to_the_administrators_with_awss_words() -> None:
    since = NOW - timedelta(days=4)
    blind = kept("orders", "1.36", trouble=a_trouble(since=since))
    notices = decide_notices(blind, (), RULES, NOW)
    assert [(n.kind, n.recipient) for n in notices] == [(NoticeKind.UNREADABLE, "admins@example.com")]
    [message] = compose("admins@example.com", [(notices[0], blind)], NOW)
    assert "could not be read since Thu 19 Nov 2026: eks:DescribeCluster: AccessDeniedException" in flat(message)


def test_what_was_decided_and_no_longer_holds_is_left_out() -> None:
    pending = notices_of(kept("orders", "1.31"))[0][0]
    now_fine = kept("orders", "1.36")
    solved = notices_of(now_fine, history=[pending])
    [message] = compose(OPS, [(pending, now_fine), *solved], NOW)
    assert "forced upgrade to 1.32" not in message.body
    assert {part for _, part in message.notice_ids} == {pending.id, solved[0][0].id}


@given(name=st.text(min_size=1, max_size=120), version=st.sampled_from(["1.28", "1.31", "1.33", "1.34"]))
def test_a_subject_is_one_short_line(name: str, version: str) -> None:
    watched = kept("orders", version)
    watched = replace(watched, cluster=replace(watched.cluster, key=a_key(name)))
    subject = mail(watched).subject
    assert subject.isprintable()
    assert len(subject) <= MOST_SUBJECT


@pytest.mark.parametrize(
    ("changes", "day"),
    [
        ({"cluster": a_fleet_cluster("young", version="1.33", created_at=NOW - timedelta(days=4))}, 4),
        ({"version_since": NOW - timedelta(days=2)}, 2),
    ],
)
def test_row_15_dates_and_dollars_are_of_this_cluster_and_not_of_its_version(
    changes: dict[str, object], day: int
) -> None:
    """Issue 12, row 15: "since ... about $" counted the version's time."""
    watched = replace(kept("young", "1.33"), **changes)
    assert watched.support.begun is not None
    began, body = format_day(NOW - timedelta(days=day)), " ".join(mail(watched).body.split())
    assert f"extended billing since {began}" in body
    assert f"Since {began}: extended billing has begun" in body
    assert f"since {began} about ${day * 24 * 0.5:,.0f} for this version" in body
    assert format_day(watched.support.begun.at) not in body

"""A message without recipients is not sent: the next audience is notified at once, the first is retried daily, and health
reports it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.errors.tree import AwsRefused
from chalicelib.domain.notices.notice import Audience, NoticeState
from chalicelib.services.health import health_of
from chalicelib.workflows.watch.delivery import by_reader
from tests.examples import examples
from tests.fakes import NOW, FakeWorld, make_deps
from tests.fakes.fleet_builders import OPS, a_fleet_cluster, a_notice, a_registration
from tests.fakes.mailing import with_mail
from tests.workflows.machine import Machine

ADMINS = "admins@example.com"
NOBODY = "No confirmed subscription takes messages."


def a_world(*unheard: str, clusters: int = 1, team: str | None = None) -> FakeWorld:
    world = make_deps()
    world.watch.store.register(replace(a_registration(), team=team))
    world.watch.fleets.add(*(a_fleet_cluster(f"orders-{number}", "1.31") for number in range(clusters)))
    world.curfew.reach.unreachable.update(dict.fromkeys(unheard, NOBODY))
    return world


def run(world: FakeWorld, day: int = 0) -> Machine:
    machine = Machine("watch_support", world.deps)
    assert machine.run({"time": (NOW + timedelta(days=day)).isoformat()}) == "Finished"
    return machine


def states(world: FakeWorld, recipient: str) -> set[NoticeState]:
    return {notice.state for notice in world.watch.store.notices.values() if notice.recipient == recipient}


def test_row_10_what_nobody_takes_is_not_sent_and_says_why() -> None:
    world = a_world(OPS)
    finished = run(world).output["finish"]
    assert world.watch.notifier.to(OPS) == ()
    assert states(world, OPS) == {NoticeState.UNHEARD}
    assert {notice.unheard for notice in world.watch.store.notices.values() if notice.recipient == OPS} == {NOBODY}
    assert finished["unheard"] >= 1


def test_the_next_audience_hears_at_once_in_the_same_run() -> None:
    world = a_world(OPS, clusters=2, team="zeta@example.com")
    run(world)
    assert len(world.watch.notifier.to("zeta@example.com")) == 1
    assert states(world, "zeta@example.com") == {NoticeState.SENT}
    both = a_world(OPS, "zeta@example.com", team="zeta@example.com")
    run(both)
    assert states(both, ADMINS) == {NoticeState.SENT}
    assert {n.audience for n in both.watch.store.notices.values() if n.recipient == ADMINS} == {Audience.ADMINISTRATORS}


def test_it_is_tried_daily_and_sent_once_somebody_listens() -> None:
    world = a_world(OPS)
    run(world)
    run(world, 1)
    assert world.watch.notifier.to(OPS) == ()
    world.curfew.reach.unreachable.clear()
    run(world, 2)
    assert states(world, OPS) == {NoticeState.SENT}
    assert len(world.watch.notifier.to(OPS)) == 1


def test_events_are_not_repeated_while_nobody_listens() -> None:
    world = a_world(OPS)
    for day in range(3):
        run(world, day)
    named = [detail["recipient"] for _, detail in world.watch.notifier.events if detail.get("recipient") == OPS]
    told = {notice.id for notice in world.watch.store.notices.values() if notice.recipient == OPS}
    assert len(named) == len(told)


def test_health_counts_what_reaches_nobody() -> None:
    world = a_world(OPS, ADMINS)
    run(world)
    reasons = " ".join(health_of(world.deps, NOW).reasons)
    assert "reach nobody" in reasons


@settings(max_examples=examples(30), deadline=None)
@given(st.sets(st.sampled_from([OPS, ADMINS, "team@example.com"])), st.integers(1, 3), st.integers(1, 4))
def test_nothing_is_sent_that_nobody_took(unheard: set[str], clusters: int, days: int) -> None:
    world = a_world(*unheard, clusters=clusters, team="team@example.com")
    for day in range(days):
        run(world, day)
    for notice in world.watch.store.notices.values():
        assert notice.state is (NoticeState.UNHEARD if notice.recipient in unheard else NoticeState.SENT)
        assert (notice.message_id is None) is (notice.recipient in unheard)
    sent: list[datetime] = [notice.sent_at for notice in world.watch.store.notices.values() if notice.sent_at]
    assert unheard == {OPS, ADMINS, "team@example.com"} or sent


def test_row_10_each_message_of_a_digest_is_sent_only_if_somebody_takes_that_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A subscription with a filter for urgent messages takes the first message of two, and not the second."""
    world = make_deps()
    world.watch.store.register(a_registration())
    world.watch.fleets.add(a_fleet_cluster("late", "1.31"), a_fleet_cluster("early", "1.34"))
    monkeypatch.setattr("chalicelib.domain.notices.digest._CLUSTERS", 1)

    def urgent_only(recipient: str, message: Message | None = None) -> str | None:
        urgent = message is None or message.severity in (Severity.URGENT, Severity.CRITICAL)
        return None if recipient != OPS or urgent else NOBODY

    monkeypatch.setattr(world.curfew.reach, "undeliverable_reason", urgent_only)
    run(world)
    sent = world.watch.notifier.to(OPS)
    assert {message.severity for message in sent} <= {Severity.URGENT, Severity.CRITICAL}
    taken = {each for message in sent for each in message.notice_ids}
    mine = [notice for notice in world.watch.store.notices.values() if notice.recipient == OPS]
    assert {notice.state for notice in mine} == {NoticeState.SENT, NoticeState.UNHEARD}
    assert all((notice.state is NoticeState.SENT) is ((notice.key, notice.id) in taken) for notice in mine)


def test_what_ses_refuses_is_not_sent_where_the_topic_has_nobody_either() -> None:
    world = a_world(OPS)
    with_mail(world, {OPS: OPS})
    world.account.fail("_take", AwsRefused("ses:SendEmail", "MessageRejected", "paused"), times=100)
    run(world)
    assert world.watch.notifier.to(OPS) == ()
    assert states(world, OPS) == {NoticeState.UNHEARD}
    assert states(world, ADMINS) == {NoticeState.SENT}


def test_two_readers_of_one_address_are_told_everything_in_one_day() -> None:
    session = "arn:aws:sts::111122223333:assumed-role/developers/jane"
    world = a_world()
    world.watch.fleets.add(
        a_fleet_cluster("orders-0", "1.31", tags={"owner": session}),
        a_fleet_cluster("orders-1", "1.31", tags={"owner": OPS}),
    )
    mailing = with_mail(world, {session: OPS, OPS: OPS})
    assert run(world).output["finish"]["undelivered"] == 0
    assert (states(world, "jane"), states(world, OPS)) == ({NoticeState.SENT}, {NoticeState.SENT})
    told = [{each.key.name for each in mailing.store.mails[letter.tag].notices} for _, letter in mailing.mailer.sent]
    assert sorted(told, key=sorted) == [{"orders-0"}, {"orders-1"}]
    assert ["orders-1" in letter.text for letter in mailing.mailer.to(OPS)].count(True) == 1
    run(world)
    assert len(mailing.mailer.sent) == 2


def test_a_reader_of_many_clusters_has_mails_whose_records_the_table_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("chalicelib.workflows.watch.delivery.A_MAIL", 4)
    world = a_world(clusters=7)
    mailing = with_mail(world, {OPS: OPS})
    run(world)
    assert states(world, OPS) == {NoticeState.SENT}
    sizes = [len(mailing.store.mails[letter.tag].notices) for _, letter in mailing.mailer.sent]
    mine = [notice for notice in world.watch.store.notices.values() if notice.recipient == OPS]
    assert (max(sizes), sum(sizes)) == (4, len(mine))


def test_all_readers_who_wait_are_looked_up_at_once() -> None:
    world = make_deps()
    mailing = with_mail(world, {f"o{number}@example.com": f"o{number}@example.com" for number in range(40)})
    waiting = [replace(a_notice(), recipient=f"o{number}@example.com") for number in range(60)]
    assert len(by_reader(world.deps, waiting)) == 60
    assert mailing.looked_up == 1


def test_what_the_table_refuses_is_not_taken_for_a_refusal_by_ses() -> None:
    world = a_world(OPS)
    with_mail(world, {OPS: OPS})
    world.account.fail("begin_mail", AwsRefused("dynamodb:PutItem", "ValidationException", "Too large."), times=100)
    assert Machine("watch_support", world.deps).run({"time": NOW.isoformat()}) == "Incomplete"
    assert states(world, OPS) == {NoticeState.PENDING}

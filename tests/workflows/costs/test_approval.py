"""The approval request by mail: sent once, again after a bounce; the history names only people who were really asked."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from chalicelib.domain.errors.tree import Throttled
from chalicelib.domain.labs.lab import Approval, Lab, Phase
from chalicelib.workflows import schedules
from chalicelib.workflows.mail_events import take_mail_event
from tests.fakes import NOW, FakeWorld, a_lab, make_deps
from tests.fakes.mailing import FakeMailing, with_mail

BOSS = "boss@example.com"


def a_waiting_lab() -> tuple[FakeWorld, FakeMailing, str]:
    """A lab that awaits approval, where administrators have an address and no subscription."""
    world = make_deps()
    administrators = world.deps.watch.administrators
    assert administrators is not None
    mailing = with_mail(world, {administrators: BOSS})
    world.curfew.reach.unreachable[administrators] = "Nobody has confirmed a subscription."
    approval = Approval("It costs more than 1 USD.", NOW + timedelta(days=3))
    world.store.put(a_lab(phase="awaiting-approval", approval=approval, due_at=NOW))
    return world, mailing, administrators


def run(world: FakeWorld, at: datetime) -> Lab:
    """Run the five-minute run at this time; return the lab after it."""
    world.clock.instant = at
    schedules.recover_labs(world.deps)
    [lab] = world.store.labs.values()
    return lab


def history(world: FakeWorld) -> str:
    [lab] = world.store.labs.values()
    return "\n".join(event.message for event in world.store.event_table[lab.id])


def all_events(world: FakeWorld, mailing: FakeMailing, at: datetime) -> None:
    for event in list(mailing.mailer.events(at)):
        take_mail_event(world.deps, event, at)


def test_approvers_are_asked_once_by_mail() -> None:
    world, mailing, _ = a_waiting_lab()
    run(world, NOW)
    all_events(world, mailing, NOW)
    for hour in range(1, 30):
        run(world, NOW + timedelta(hours=hour))
    assert len(mailing.mailer.to(BOSS)) == 1
    assert history(world).count("was asked to approve it") == 1


@pytest.mark.parametrize("outcome", ["bounce", "complaint"])
def test_whose_mail_bounced_is_not_taken_for_asked_and_is_asked_once_mail_arrives_again(outcome: str) -> None:
    world, mailing, administrators = a_waiting_lab()
    mailing.mailer.outcomes[BOSS] = outcome
    run(world, NOW)
    all_events(world, mailing, NOW)
    lab = run(world, NOW + timedelta(hours=1))
    assert lab.approval is not None
    assert (lab.approval.told_at, lab.approval.lost) == (None, 1)
    assert f"Mail to {administrators} came back: the mail server refused it." in history(world)
    assert f"Nobody takes messages for {administrators}: ask them." in history(world)
    mailing.mailer.outcomes.clear()
    mailing.store.forgive_address(BOSS, NOW + timedelta(hours=2))
    lab = run(world, NOW + timedelta(hours=25))
    assert lab.approval is not None
    assert lab.approval.told_at == NOW + timedelta(hours=25)
    assert len(mailing.mailer.to(BOSS)) == 2


def test_a_mail_that_comes_back_for_a_while_is_sent_anew_within_an_hour() -> None:
    world, mailing, _ = a_waiting_lab()
    mailing.mailer.outcomes[BOSS] = "soft-bounce"
    run(world, NOW)
    all_events(world, mailing, NOW)
    mailing.mailer.outcomes.clear()
    run(world, NOW + timedelta(hours=1))
    run(world, NOW + timedelta(hours=2))
    assert len(mailing.mailer.to(BOSS)) == 2


def test_who_subscribed_is_asked_by_the_topic_where_the_mail_bounced() -> None:
    world, mailing, administrators = a_waiting_lab()
    world.curfew.reach.unreachable.clear()
    mailing.mailer.outcomes[BOSS] = "bounce"
    run(world, NOW)
    all_events(world, mailing, NOW)
    for hour in range(1, 6):
        run(world, NOW + timedelta(hours=hour))
    assert [message.kind for message in world.watch.notifier.to(administrators)] == ["approval-asked"]


def test_whose_mail_ses_refuses_is_asked_again_the_next_day() -> None:
    world, mailing, administrators = a_waiting_lab()
    mailing.mailer.outcomes[BOSS] = "refused"
    run(world, NOW)
    assert (mailing.mailer.sent, world.watch.notifier.to(administrators)) == ([], ())
    mailing.mailer.outcomes.clear()
    run(world, NOW + timedelta(days=1))
    assert len(mailing.mailer.to(BOSS)) == 1


def test_an_unanswered_request_is_over_after_three_days() -> None:
    world, mailing, _ = a_waiting_lab()
    run(world, NOW)
    all_events(world, mailing, NOW)
    for hour in range(1, 73):
        lab = run(world, NOW + timedelta(hours=hour))
    assert lab.phase is Phase.REFUSED


@pytest.mark.parametrize("outcome", ["bounce", "soft-bounce"])
def test_a_bounce_is_seen_although_the_approver_has_another_address_by_then(outcome: str) -> None:
    world, mailing, administrators = a_waiting_lab()
    mailing.mailer.outcomes[BOSS] = outcome
    run(world, NOW)
    all_events(world, mailing, NOW)
    mailing.addresses[administrators] = "boss@example.org"
    lab = run(world, NOW + timedelta(hours=1))
    assert f"Mail to {administrators} came back" in history(world)
    assert len(mailing.mailer.to("boss@example.org")) == 1
    assert lab.approval is not None
    assert mailing.store.mails[lab.approval.mail].address == "boss@example.org"


def test_a_mailbox_that_stays_full_gets_one_mail_an_hour_later_and_then_one_a_day() -> None:
    world, mailing, _ = a_waiting_lab()
    mailing.mailer.outcomes[BOSS] = "soft-bounce"
    for minutes in range(0, 72 * 60, 30):
        at = NOW + timedelta(minutes=minutes)
        run(world, at)
        all_events(world, mailing, at)
    sent = [mailing.store.mails[letter.tag].begun_at - NOW for _, letter in mailing.mailer.sent]
    assert sent == [timedelta(hours=hours) for hours in (0, 1, 25, 49)]
    assert history(world).count("came back") == 3


def test_a_bounce_is_recorded_once_although_ses_is_too_busy_for_the_next_mail() -> None:
    world, mailing, _ = a_waiting_lab()
    mailing.mailer.outcomes[BOSS] = "soft-bounce"
    run(world, NOW)
    all_events(world, mailing, NOW)
    world.fail("_take", Throttled("ses:SendEmail: TooManyRequestsException"), times=3)
    for minutes in range(60, 85, 5):
        run(world, NOW + timedelta(minutes=minutes))
    assert len(mailing.mailer.to(BOSS)) == 2
    assert history(world).count("came back") == 1

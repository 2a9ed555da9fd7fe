"""Warnings and deadlines by mail: one mail a person and run despite kills, and the steps after a bounce."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.core.message import Severity
from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, Throttled
from chalicelib.domain.notices.mail import MailEventKind, MailState
from chalicelib.domain.notices.notice import NoticeState
from chalicelib.workflows.mail_events import take_mail_event
from tests.fakes import NOW
from tests.fakes.fleet_builders import a_fleet_cluster, a_registration
from tests.fakes.mailing import FakeMailing, with_mail
from tests.words.reading import english_left
from tests.workflows.machine import LambdaDied, Machine
from tests.workflows.night.nights import CURFEW, Nights

ALL = CurfewRules(max_percent=100)
JANE, OPS = "jane@example.com", "ops@example.com"
ARN = "arn:aws:iam::111122223333:user/jane"
ADMINS = "admins@example.com"


def nights_with(addresses: dict[str, str], labs: int = 3, owner: str = ARN) -> tuple[Nights, FakeMailing]:
    nights = Nights()
    nights.world.curfew.store.put_rules(ALL)
    mailing = with_mail(nights.world, addresses)
    for number in range(labs):
        nights.add(f"lab-{number}", owner=owner)
    return nights, mailing


def events(nights: Nights, mailing: FakeMailing, at: datetime) -> None:
    """Deliver all of SES's events, twice and the last first."""
    said = list(mailing.mailer.events(at))
    for event in [*reversed(said), *said]:
        take_mail_event(nights.world.deps, event, at)


def test_a_person_has_one_mail_of_all_their_labs_with_a_link_each() -> None:
    nights, mailing = nights_with({ARN: JANE})
    watch = replace(nights.world.deps.watch, api_url="https://api.example.com")
    nights.world.deps = replace(nights.world.deps, watch=watch)
    nights.run_hour(NOW)
    [letter] = mailing.mailer.to(JANE)
    assert "(and 2 more)" in letter.subject
    assert [letter.text.count(f"c-lab-{number} ") > 0 for number in range(3)] == [True] * 3
    assert letter.text.count("/keep/") == 3
    assert nights.world.watch.notifier.to("jane") == ()
    assert {status.recipient for number in range(3) for _, status in nights.lines(f"lab-{number}")} == {"jane"}


def test_a_deadline_that_waits_goes_with_the_warnings_and_the_gravest_is_the_subject() -> None:
    nights, mailing = nights_with({ARN: JANE, OPS: JANE})
    watch = nights.world.watch
    watch.store.register(a_registration())
    watch.fleets.add(a_fleet_cluster("orders", "1.31"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("chalicelib.workflows.watch_support.send_digest", _dies)
        Machine("watch_support", nights.world.deps).run({"time": NOW.isoformat()})
    assert {notice.state for notice in watch.store.notices.values()} == {NoticeState.PENDING}
    nights.run_hour(NOW + timedelta(hours=1))
    [letter] = mailing.mailer.to(JANE)
    assert "orders" in letter.text
    urgent = any(notice.severity in (Severity.URGENT, Severity.CRITICAL) for notice in watch.store.notices.values())
    assert ("EKS" in letter.subject) == urgent
    assert {n.state for n in watch.store.notices.values() if n.recipient == OPS} == {NoticeState.SENT}


def _dies(*_: object) -> bool:
    raise AwsUnavailable("sns:Publish: not now")


def test_people_without_an_address_hear_by_the_topic_as_ever() -> None:
    nights, mailing = nights_with({})
    nights.run_hour(NOW)
    assert mailing.mailer.sent == []
    assert len(nights.world.watch.notifier.to("jane")) == 3


def calls_of_the_warning() -> range:
    """The indexes of a run's calls in its notifying state: from the night's report to the run's own note."""
    nights, _ = nights_with({ARN: JANE}, labs=2)
    nights.run_hour(NOW)
    names = [name for name, _ in nights.world.account.calls]
    return range(names.index("tagged_clusters") + 1, names.index("note_run"))


def kill_at(patch: pytest.MonkeyPatch, nights: Nights, call: int, after: bool) -> None:
    """Let the function die at this call: before it, or after its effect."""
    account, plain = nights.world.account, nights.world.account.trouble

    def trouble(port: str, name: str) -> object:
        if len(account.calls) != call:
            return plain(port, name)
        account.calls.append(("killed", ()))
        return _Death(after)

    patch.setattr(account, "trouble", trouble)


class _Death:
    def __init__(self, after: bool) -> None:
        self.error, self.after = LambdaDied(), after


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("heard", [False, True], ids=["no-event", "events"])
def test_a_kill_at_every_call_of_the_run_neither_loses_nor_repeats_a_mail(
    monkeypatch: pytest.MonkeyPatch, after: bool, heard: bool
) -> None:
    asked = sent = 0
    for call in calls_of_the_warning():
        nights, mailing = nights_with({ARN: JANE}, labs=2)
        with monkeypatch.context() as patch:
            kill_at(patch, nights, call, after)
            nights.run_hour(NOW)
            if heard:
                events(nights, mailing, NOW + timedelta(seconds=5))
            nights.run_hour(NOW + timedelta(hours=1))
        told = Counter(entry.lab_id for entry, status in lines(nights) if status.warned_at is not None)
        assert told == {"lab-0": 1, "lab-1": 1}, f"lost at call {call}"
        if heard:
            assert most_mails_of_an_entry(mailing) == 1, f"twice at call {call}"
        asked, sent = asked + mailing.mailer.asked, sent + len(mailing.mailer.sent)
    assert asked <= 1.1 * sent


def lines(nights: Nights) -> list[tuple[Any, Any]]:
    return [line for lab_id in nights.world.store.labs for line in nights.lines(lab_id)]


def most_mails_of_an_entry(mailing: FakeMailing) -> int:
    """The number of mails sent by SES about the same entry."""
    taken = [mailing.store.mails[letter.tag] for _, letter in mailing.mailer.sent]
    return max(Counter(each.entry_id for mail in taken for each in mail.entries).values())


def test_an_answer_that_was_lost_is_made_up_for_by_the_send_event() -> None:
    nights, mailing = nights_with({ARN: JANE})
    nights.world.lose_answer("_take")
    nights.run_hour(NOW)
    assert {status.warned_at for _, status in lines(nights)} == {None}
    events(nights, mailing, NOW + timedelta(seconds=5))
    assert {status.warned_at for _, status in lines(nights)} == {NOW + timedelta(seconds=5)}
    nights.run_hour(NOW + timedelta(hours=1))
    assert len(mailing.mailer.sent) == 1


def test_what_ses_did_not_take_is_sent_by_the_next_run() -> None:
    nights, mailing = nights_with({ARN: JANE})
    nights.world.fail("_take", Throttled("ses:SendEmail: TooManyRequestsException"))
    nights.run_hour(NOW)
    assert mailing.mailer.sent == []
    nights.run_hour(NOW + timedelta(hours=1))
    assert len(mailing.mailer.sent) == 1
    assert {status.warned_at for _, status in lines(nights)} == {NOW + timedelta(hours=1)}


def test_what_ses_refuses_goes_to_the_topic() -> None:
    nights, mailing = nights_with({ARN: JANE})
    nights.world.fail("_take", AwsRefused("ses:SendEmail", "MessageRejected", "Email address is not verified."))
    nights.run_hour(NOW)
    assert mailing.mailer.sent == []
    assert len(nights.world.watch.notifier.to("jane")) == 3
    assert {status.warned_at for _, status in lines(nights)} == {NOW}


@pytest.mark.parametrize("outcome", ["bounce", "complaint", "soft-bounce"])
def test_a_warning_that_comes_back_is_told_to_the_next_audience_and_the_notice_begins_anew(outcome: str) -> None:
    nights, mailing = nights_with({ARN: JANE, ADMINS: OPS})
    mailing.mailer.outcomes[JANE] = outcome
    nights.run_hour(NOW)
    back = CURFEW - timedelta(minutes=10)
    nights.world.clock.instant = back
    events(nights, mailing, back)
    [letter] = [each for each in mailing.mailer.to(OPS) if "c-lab-0" in each.text]
    assert "Mail to them came back" in letter.text
    assert {(status.recipient, status.warned_at) for _, status in lines(nights)} == {(ADMINS, back)}
    assert {each.recipient for _, status in lines(nights) for each in status.unheard} == {"jane"}
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == []
    nights.hours(CURFEW + timedelta(hours=1), 1)
    assert sorted(nights.started("teardown")) == ["lab-0", "lab-1", "lab-2"]
    assert "came back" in nights.sentences("lab-0")


def test_the_report_says_whose_mail_came_back_and_who_was_told_instead() -> None:
    nights, mailing = nights_with({ARN: JANE}, labs=1)
    mailing.mailer.outcomes[JANE] = "bounce"
    nights.run_hour(NOW)
    events(nights, mailing, NOW + timedelta(minutes=1))
    nights.hours(NOW + timedelta(hours=1), 22)
    [report] = [m for m in nights.world.watch.notifier.messages if "1 lab planned" in m.body]
    assert "Warnings that came back" in report.body
    words = " ".join(report.body.split())
    assert "mail to jane came back, the mail server refused it; admins@example.com was warned instead" in words


def test_a_mail_that_comes_back_after_the_act_changes_nothing_of_it() -> None:
    nights, mailing = nights_with({ARN: JANE}, labs=1)
    mailing.mailer.outcomes[JANE] = "bounce"
    nights.hours(NOW, 4)
    assert nights.started("teardown") == ["lab-0"]
    events(nights, mailing, CURFEW + timedelta(hours=1))
    [(_, status)] = lines(nights)
    assert (status.outcome, status.unheard) == (EntryOutcome.ENDED, ())


def test_an_address_that_bounced_gets_no_more_mail_until_one_arrives() -> None:
    nights, mailing = nights_with({ARN: JANE}, labs=1)
    mailing.store.bounced[JANE] = "the mail server refused it"
    nights.world.curfew.reach.unreachable["jane"] = "No confirmed subscription takes messages for jane."
    nights.run_hour(NOW)
    assert mailing.mailer.sent == []
    [(_, status)] = lines(nights)
    assert status.recipient == ADMINS


def test_late_news_of_an_earlier_mail_does_not_forgive_an_address_that_bounced_since() -> None:
    nights, mailing = nights_with({ARN: JANE}, labs=1)
    nights.run_hour(NOW)
    early = list(mailing.mailer.events(NOW))
    mailing.store.note_bounced_address(JANE, "the mail server refused it", NOW + timedelta(hours=1))
    for event in [*early, *early]:
        take_mail_event(nights.world.deps, event, NOW + timedelta(hours=2))
    assert mailing.store.bounced == {JANE: "the mail server refused it"}
    for event in list(mailing.mailer.events(NOW + timedelta(hours=3))):
        take_mail_event(nights.world.deps, event, NOW + timedelta(hours=3))
    assert mailing.store.bounced == {}


def test_late_news_of_a_bounced_mail_neither_moves_its_bounce_nor_repeats_it_once_the_address_is_forgiven() -> None:
    nights, mailing = nights_with({ARN: JANE}, labs=1)
    mailing.mailer.outcomes[JANE] = "bounce"
    nights.run_hour(NOW)
    sent, bounce = mailing.mailer.events(NOW)
    at = NOW + timedelta(minutes=5)
    hear = [replace(bounce, at=at), sent, replace(sent, kind=MailEventKind.DELIVERED, addresses=(JANE,))]
    for event in [*hear, replace(bounce, at=at + timedelta(minutes=1), addresses=(OPS,))]:
        take_mail_event(nights.world.deps, event, at)
    mailing.store.forgive_address(JANE, at - timedelta(minutes=1))
    assert mailing.store.bounced == {JANE: "the mail server refused it"}, "a mail that arrived before the bounce"
    mailing.store.forgive_address(JANE, at)
    for event in hear:
        take_mail_event(nights.world.deps, event, at + timedelta(hours=1))
    assert mailing.store.bounced == {}
    take_mail_event(nights.world.deps, replace(bounce, at=at + timedelta(hours=2)), at + timedelta(hours=2))
    assert mailing.store.bounced == {JANE: "the mail server refused it"}


def test_nobody_else_can_be_told_so_the_lab_lives() -> None:
    nights, mailing = nights_with({ARN: JANE}, labs=1)
    mailing.mailer.outcomes[JANE] = "bounce"
    nights.world.curfew.reach.unreachable[ADMINS] = "Nobody has a confirmed subscription."
    nights.run_hour(NOW)
    events(nights, mailing, NOW + timedelta(minutes=1))
    nights.hours(NOW + timedelta(hours=1), 12)
    assert nights.started("teardown") == []
    assert "came back" in nights.sentences("lab-0")


def test_a_deadline_that_comes_back_is_told_to_the_next_audience_at_once() -> None:
    nights, mailing = nights_with({OPS: JANE}, labs=0)
    watch = nights.world.watch
    watch.store.register(a_registration())
    watch.fleets.add(a_fleet_cluster("orders", "1.32"))
    mailing.mailer.outcomes[JANE] = "bounce"
    Machine("watch_support", nights.world.deps).run({"time": NOW.isoformat()})
    assert {n.state for n in watch.store.notices.values() if n.recipient == OPS} == {NoticeState.SENT}
    before = len(watch.notifier.to(ADMINS))
    events(nights, mailing, NOW)
    assert {n.state for n in watch.store.notices.values() if n.recipient == OPS} == {NoticeState.UNHEARD}
    assert len(watch.notifier.to(ADMINS)) == before + 1
    Machine("watch_support", nights.world.deps).run({"time": (NOW + timedelta(days=1)).isoformat()})
    assert len(mailing.mailer.to(JANE)) == 1


def test_the_daily_watch_writes_one_mail_to_a_person_of_several_names_with_buttons_for_each() -> None:
    nights, mailing = nights_with({ARN: JANE, OPS: JANE, "shop@example.com": JANE}, labs=0)
    watch = replace(nights.world.deps.watch, api_url="https://api.example.com")
    nights.world.deps = replace(nights.world.deps, watch=watch)
    nights.world.watch.store.register(a_registration())
    for owner in (OPS, "shop@example.com", "Shop@Example.com"):
        tags = {"owner": owner}
        nights.world.watch.fleets.add(
            a_fleet_cluster(f"c-{len(nights.world.watch.fleets.clusters)}", "1.31", tags=tags)
        )
    Machine("watch_support", nights.world.deps).run({"time": NOW.isoformat()})
    [letter] = mailing.mailer.to(JANE)
    assert letter.text.count("/mail/acknowledge/") == 3
    theirs = [
        n for n in nights.world.watch.store.notices.values() if n.recipient.casefold() in (OPS, "shop@example.com")
    ]
    assert {notice.state for notice in theirs} == {NoticeState.SENT}


def test_events_of_unknown_mails_and_other_addresses_change_nothing() -> None:
    nights, mailing = nights_with({ARN: JANE}, labs=1)
    mailing.mailer.outcomes[JANE] = "bounce"
    nights.run_hour(NOW)
    for event in mailing.mailer.events(NOW):
        assert not take_mail_event(nights.world.deps, replace(event, mail_id="f" * 32), NOW)
        if event.addresses:
            take_mail_event(nights.world.deps, replace(event, addresses=("other@example.com",)), NOW)
    assert {mail.state for mail in mailing.store.mails.values()} == {MailState.ACCEPTED}


def test_a_mail_of_deadlines_has_buttons_that_act() -> None:
    nights, mailing = nights_with({ARN: JANE, OPS: OPS}, labs=1)
    watch = replace(nights.world.deps.watch, api_url="https://api.example.com")
    nights.world.deps = replace(nights.world.deps, watch=watch)
    nights.world.watch.store.register(a_registration())
    nights.world.watch.fleets.add(a_fleet_cluster("orders", "1.32"))
    Machine("watch_support", nights.world.deps).run({"time": NOW.isoformat()})
    nights.run_hour(NOW)
    [deadline], [warning] = mailing.mailer.to(OPS), mailing.mailer.to(JANE)
    assert [f"/mail/{action}/" in deadline.text for action in ("acknowledge", "snooze")] == [True, True]
    assert "/keep/" in warning.text


def test_what_waits_is_read_once_for_all_mails_of_a_run() -> None:
    nights, mailing = nights_with({}, labs=0)
    for number in range(12):
        owner = f"arn:aws:iam::111122223333:user/learner-{number}"
        mailing.addresses[owner] = f"learner-{number}@example.com"
        nights.add(f"lab-{number}", owner=owner)
    nights.run_hour(NOW)
    assert Counter(letter.address for _, letter in mailing.mailer.sent) == dict.fromkeys(mailing.addresses.values(), 1)
    assert [name for name, _ in nights.world.account.calls].count("pending_notices") == 1


def test_a_watch_at_the_same_time_and_the_nights_mail_tell_a_notice_once() -> None:
    nights, mailing = nights_with({ARN: JANE, OPS: JANE}, labs=1)
    nights.world.watch.store.register(a_registration())
    nights.world.watch.fleets.add(a_fleet_cluster("orders", "1.31"), a_fleet_cluster("shop", "1.31"))

    def watch() -> None:
        Machine("watch_support", nights.world.deps).run({"time": NOW.isoformat()})

    nights.world.account.hooks["watched"] = lambda: nights.run_hour(NOW) and None
    watch()
    told = Counter((each.key, each.id) for mail in mailing.store.mails.values() for each in mail.notices)
    assert set(told.values()) == {1}
    assert len(told) == len([n for n in nights.world.watch.store.notices.values() if n.recipient == OPS])


@pytest.mark.parametrize("held", [False, True], ids=["free", "braked"])
def test_a_korean_reads_no_english_of_a_night(held: bool) -> None:
    nights, mailing = nights_with({ARN: JANE, ADMINS: OPS, OPS: OPS}, labs=3)
    mailing.languages |= {JANE: "ko", OPS: "ko"}
    if held:
        nights.world.curfew.store.put_rules(CurfewRules(max_percent=100, max_count=2))
    nights.world.watch.store.register(a_registration())
    nights.world.watch.fleets.add(a_fleet_cluster("orders", "1.32"))
    Machine("watch_support", nights.world.deps).run({"time": NOW.isoformat()})
    nights.hours(NOW, 24)
    texts = [f"{letter.subject}\n{letter.text}" for _, letter in mailing.mailer.sent]
    assert len(texts) > 3
    assert {text: found for text in texts if (found := english_left(text, frozenset({"bundled", "table"})))} == {}

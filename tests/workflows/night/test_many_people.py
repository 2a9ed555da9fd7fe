"""Many people, one evening: a mail each, despite any death on the way, and as many calls of SES as there are mails."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.notices.posts import Post
from chalicelib.ports.deps import Deps
from chalicelib.workflows import curfew
from chalicelib.workflows.night import send
from chalicelib.workflows.shared.posts import PostMessage, post, post_message_of
from tests.fakes import NOW
from tests.fakes.mailing import FakeMailing
from tests.workflows.night.nights import Nights
from tests.workflows.night.test_mail import calls_of_the_warning, events, kill_at, lines, nights_with
from tests.workflows.night.test_one_mail import something

#: The maximum reads and writes of the table in a run, for one mail about one lab.
TABLE_CALLS = 20


def a_class(people: int) -> tuple[Nights, FakeMailing]:
    """People with an address and a lab each."""
    nights, mailing = nights_with({}, labs=0)
    for number in range(people):
        owner = f"arn:aws:iam::111122223333:user/learner-{number}"
        mailing.addresses[owner] = f"learner-{number}@example.com"
        nights.add(f"lab-{number}", owner=owner)
    return nights, mailing


def one_each(mailing: FakeMailing) -> bool:
    """Whether each person has exactly one mail."""
    sent = Counter(letter.address for _, letter in mailing.mailer.sent)
    return sent == dict.fromkeys(mailing.addresses.values(), 1)


def calls_of_an_evening(people: int) -> Counter[str]:
    """The calls of an evening's warnings, by port's operation, until all are warned."""
    nights, mailing = a_class(people)
    nights.run_hour(NOW)
    nights.run_hour(NOW + timedelta(hours=1))
    assert one_each(mailing)
    assert all(status.warned_at is not None for _, status in lines(nights))
    assert mailing.mailer.asked <= 1.1 * people
    first = [name for name, _ in nights.world.account.calls]
    return Counter(first)


def test_calls_grow_with_mails_and_not_faster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curfew, "_AT_ONCE", 16)
    few, many = calls_of_an_evening(20), calls_of_an_evening(60)
    grown = {name: many[name] - few[name] for name in many}
    assert grown["_take"] == 40
    assert {name: number for name, number in grown.items() if number > TABLE_CALLS * 40} == {}
    of_mail = ("begin_mail", "change_mail", "_take", "bounced_address")
    assert [grown[name] for name in of_mail] == [40, 40, 40, 40]


@pytest.mark.slow
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_kill_at_every_call_costs_nobody_of_a_class_their_one_mail(
    monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    for call in calls_of_the_warning():
        nights, mailing = a_class(3)
        with monkeypatch.context() as patch:
            kill_at(patch, nights, call, after)
            nights.run_hour(NOW)
            events(nights, mailing, NOW + timedelta(seconds=5))
            nights.run_hour(NOW + timedelta(hours=1))
        events(nights, mailing, NOW + timedelta(hours=1, seconds=5))
        nights.run_hour(NOW + timedelta(hours=2))
        assert one_each(mailing), f"at call {call}"
        assert mailing.mailer.asked <= 1.1 * 3 + 1, f"at call {call}"


def test_somebodys_labs_of_two_rounds_are_told_in_one_mail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curfew, "_AT_ONCE", 2)
    nights, mailing = nights_with({"arn:aws:iam::111122223333:user/jane": "jane@example.com"}, labs=3)
    nights.run_hour(NOW)
    nights.run_hour(NOW + timedelta(hours=1))
    assert len(mailing.mailer.sent) == 1
    told = [each.entry_id for mail in mailing.store.mails.values() for each in mail.entries]
    assert sorted(told) == sorted(entry.id for entry, _ in lines(nights))


@pytest.mark.long
def test_five_thousand_people_have_one_mail_each_in_one_evening() -> None:
    nights, mailing = a_class(5000)
    for hour in range(3):
        nights.run_hour(NOW + timedelta(hours=hour), settle=False)
    assert one_each(mailing)
    assert mailing.mailer.asked <= 1.1 * 5000


@pytest.mark.parametrize("address", ["admins@example.com", "learner-0@example.com"], ids=["", "owns labs, too"])
def test_warnings_of_more_than_one_page_are_one_mail_each_with_all_of_a_persons_labs(
    monkeypatch: pytest.MonkeyPatch, address: str
) -> None:
    """Administrators, notified in place of owners of every page, get these with the last page, and with those about their own
    labs.
    """
    monkeypatch.setattr(curfew, "_A_PAGE", 3)
    nights, mailing = a_class(6)
    for number in (*range(6), *range(6)):
        nights.add(f"another-{len(nights.world.store.labs)}", owner=f"arn:aws:iam::111122223333:user/learner-{number}")
    nights.world.curfew.reach.unreachable |= dict.fromkeys(("ann", "zoe"), "Nobody has confirmed a subscription.")
    for owner in ("ann", "zoe"):
        nights.add(f"lab-{owner}", owner=f"arn:aws:iam::111122223333:user/{owner}")
    mailing.addresses["admins@example.com"] = address
    nights.run_hour(NOW)
    assert nights.machines[0].path.count("Warn") > 3
    assert one_each(mailing)
    assert all(status.warned_at is not None for _, status in lines(nights))
    [letter] = mailing.mailer.to(address)
    assert ["lab-ann" in letter.text, "lab-zoe" in letter.text] == [True, True]
    assert nights.machines[0].output["finish"]["counts"]["warned"] == 20


def test_a_post_is_routed_with_its_readers_page_and_not_with_every_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page routed every pending post again: three reads of each."""
    monkeypatch.setattr(curfew, "_A_PAGE", 2)
    nights, mailing = a_class(8)
    owners = [*mailing.addresses, "arn:aws:iam::111122223333:user/nobody"]
    for number, owner in enumerate(owners):
        post(nights.world.deps, [something(owner, number)], f"number {number}")
    routed: Counter[str] = Counter()

    def counted(deps: Deps, waiting: Post) -> PostMessage:
        routed[waiting.id] += 1
        return post_message_of(deps, waiting)

    monkeypatch.setattr(send, "post_message_of", counted)
    nights.run_hour(NOW)
    assert nights.machines[0].path.count("Warn") == 4
    assert routed == dict.fromkeys(nights.world.posts.posts, 1)
    assert len(routed) == len(owners) + 1, "the posts, and the night's report"
    assert one_each(mailing)
    assert nights.world.posts.waiting().posts == ()


def test_a_page_is_sent_though_the_readers_of_posts_can_t_be_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> list[Post]:
        raise AwsUnavailable("dynamodb:BatchGetItem: throttled")

    nights, mailing = a_class(6)
    owners = list(mailing.addresses)
    for number, owner in enumerate(owners):
        post(nights.world.deps, [something(owner, number)], f"occasion {number}")
    monkeypatch.setattr(curfew, "_A_PAGE", 2)
    monkeypatch.setattr(send, "_posts_to", fails)
    nights.run_hour(NOW)
    assert all(status.warned_at is not None for _, status in lines(nights))

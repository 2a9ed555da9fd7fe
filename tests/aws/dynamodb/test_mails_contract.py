"""The contract of every MailStore, tested on the fake and on moto's DynamoDB."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.dynamodb.mails import DynamoMails
from chalicelib.domain.core.place import ClusterKey
from chalicelib.domain.notices.mail import EntryRef, Mail, MailState, NoticeRef, accepted, given_back, mail_id
from chalicelib.ports.mail import MailStore
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, Account
from tests.fakes.mailing import FakeMailStore

MAIL = Mail(
    id=mail_id("jane@example.com", "run"),
    recipient="jane",
    address="jane@example.com",
    subject="s",
    begun_at=NOW,
    sending_until=NOW + timedelta(minutes=15),
    entries=(EntryRef(NOW.date(), "2026-11-23T13:00:00Z#lab-a"),),
    notices=(NoticeRef(ClusterKey("111122223333", "ap-northeast-2", "orders"), "deadline#x"),),
)


@pytest.fixture(params=["fake", "moto"])
def store(request: pytest.FixtureRequest) -> Any:
    if request.param == "fake":
        yield FakeMailStore(Account())
        return
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        create_table(client)
        yield DynamoMails(client, "labs")


def test_a_mail_is_begun_once_and_read_as_it_was_written(store: MailStore) -> None:
    assert store.mail(MAIL.id) is None
    assert store.begin_mail(MAIL, NOW) == (MAIL, True)
    assert store.mail(MAIL.id) == MAIL
    assert store.begin_mail(replace(MAIL, subject="other"), NOW) == (MAIL, False)


def test_one_of_which_nothing_was_heard_is_begun_again_and_one_given_back_at_once(store: MailStore) -> None:
    store.begin_mail(MAIL, NOW)
    later = NOW + timedelta(minutes=15)
    again, mine = store.begin_mail(replace(MAIL, begun_at=later, sending_until=later + timedelta(minutes=15)), later)
    assert (mine, again.begun_at, again.version) == (True, later, 1)
    store.change_mail(MAIL.id, lambda mail: given_back(mail, later))
    assert store.begin_mail(MAIL, later)[1]


def test_one_that_ses_has_is_never_begun_again(store: MailStore) -> None:
    store.begin_mail(MAIL, NOW)
    taken = store.change_mail(MAIL.id, lambda mail: accepted(mail, "ses-1", NOW))
    assert taken is not None
    assert (taken.state, taken.message_id, taken.version) == (MailState.ACCEPTED, "ses-1", 1)
    assert store.begin_mail(MAIL, NOW + timedelta(days=1)) == (taken, False)
    assert store.change_mail(MAIL.id, lambda mail: mail) == taken


def test_a_change_of_what_is_not_there_is_none(store: MailStore) -> None:
    assert store.change_mail("f" * 32, lambda mail: replace(mail, why="x")) is None


def test_of_two_changes_at_once_none_is_lost(store: MailStore) -> None:
    store.begin_mail(MAIL, NOW)
    first = True

    def beaten(mail: Mail) -> Mail:
        nonlocal first
        if first:
            first = False
            if isinstance(store, DynamoMails):
                store.change_mail(MAIL.id, lambda other: replace(other, why="first"))
            else:
                return replace(mail, why="first", message_id="ses-1")
        return replace(mail, message_id="ses-1")

    changed = store.change_mail(MAIL.id, beaten)
    assert changed is not None
    assert (changed.why, changed.message_id) == ("first", "ses-1")


def test_addresses_that_bounced_are_remembered_in_any_case_until_forgiven(store: MailStore) -> None:
    assert store.bounced_address("jane@example.com") is None
    store.note_bounced_address("Jane@Example.com", "refused", NOW)
    assert store.bounced_address("jane@example.COM") == "refused"
    store.forgive_address("JANE@example.com", NOW)
    store.forgive_address("JANE@example.com", NOW)
    store.forgive_address("jun@example.com", NOW)
    assert store.bounced_address("jane@example.com") is None
    assert store.bounced_address("jun@example.com") is None


def test_only_a_mail_that_arrived_after_the_bounce_forgives_an_address(store: MailStore) -> None:
    store.note_bounced_address("jane@example.com", "refused", NOW)
    store.forgive_address("jane@example.com", NOW - timedelta(milliseconds=1))
    assert store.bounced_address("jane@example.com") == "refused"
    store.forgive_address("Jane@example.com", NOW)
    store.forgive_address("jane@example.com", NOW)
    assert store.bounced_address("jane@example.com") is None


def test_late_news_of_an_earlier_bounce_changes_neither_a_later_one_nor_a_forgiven_address(store: MailStore) -> None:
    minute = timedelta(minutes=1)
    store.note_bounced_address("jane@example.com", "refused", NOW + 5 * minute)
    store.note_bounced_address("jane@example.com", "an earlier one", NOW)
    store.forgive_address("jane@example.com", NOW + 2 * minute)
    assert store.bounced_address("jane@example.com") == "refused"
    store.forgive_address("jane@example.com", NOW + 10 * minute)
    for at in (NOW, NOW + 5 * minute, NOW + 10 * minute):
        store.note_bounced_address("Jane@example.com", "refused", at)
    assert store.bounced_address("jane@example.com") is None
    store.note_bounced_address("jane@example.com", "refused again", NOW + 11 * minute)
    assert store.bounced_address("jane@example.com") == "refused again"


def test_of_a_forgotten_address_nothing_is_known(store: MailStore) -> None:
    store.note_bounced_address("jane@example.com", "refused", NOW)
    store.forget_address("Jane@example.com")
    store.forget_address("jane@example.com")
    assert store.bounced_address("jane@example.com") is None
    store.note_bounced_address("jane@example.com", "an earlier one", NOW - timedelta(days=1))
    assert store.bounced_address("jane@example.com") == "an earlier one"


@pytest.mark.parametrize("order", [*permutations((1, 2, 3, 4))])
def test_in_any_order_and_repeated_the_latest_news_of_an_address_counts(
    store: MailStore, order: tuple[int, ...]
) -> None:
    store.note_bounced_address("jane@example.com", "refused", NOW)
    for minute in (*order, *order):
        at = NOW + timedelta(minutes=minute)
        if minute % 2:
            store.note_bounced_address("jane@example.com", "refused", at)
        else:
            store.forgive_address("jane@example.com", at)
    assert store.bounced_address("jane@example.com") is None
    store.note_bounced_address("jane@example.com", "refused again", NOW + timedelta(minutes=5))
    store.forgive_address("jane@example.com", NOW + timedelta(minutes=4))
    assert store.bounced_address("jane@example.com") == "refused again"

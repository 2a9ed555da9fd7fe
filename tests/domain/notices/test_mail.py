"""A mail's state after any events, in any order, however often."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.notices.mail import (
    Mail,
    MailEvent,
    MailEventKind,
    MailState,
    accepted,
    after,
    begun,
    given_back,
    is_mail_id,
    mail_id,
    subject_of,
    worst_first,
)
from tests.fakes import NOW

MAIL = Mail(mail_id("Jane@example.com", "run"), "jane", "jane@example.com", "s", NOW, NOW + timedelta(minutes=15))
SENT, DELIVERED, SOFT, HARD = (
    MailEvent(MAIL.id, "ses-1", kind, ("JANE@example.com",), NOW, why)
    for kind, why in (
        (MailEventKind.SENT, ""),
        (MailEventKind.DELIVERED, ""),
        (MailEventKind.DELAYED_FOR_GOOD, "full"),
        (MailEventKind.REFUSED, "unknown"),
    )
)


def ends(*events: MailEvent) -> MailState:
    found = MAIL
    for event in events:
        found = after(found, event)
    return found.state


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ((SENT,), MailState.ACCEPTED),
        ((SENT, DELIVERED), MailState.DELIVERED),
        ((SENT, SOFT), MailState.BOUNCED),
        ((SENT, HARD), MailState.BOUNCED),
        ((SENT, DELIVERED, HARD), MailState.BOUNCED),
        ((SENT, SOFT, DELIVERED), MailState.DELIVERED),
    ],
)
def test_the_order_of_events_makes_no_difference(events: tuple[MailEvent, ...], state: MailState) -> None:
    assert {ends(*order) for order in permutations(events)} == {state}


@given(st.lists(st.integers(0, 3), max_size=8))
def test_neither_does_how_often_each_comes(drawn: list[int]) -> None:
    events = [(SENT, DELIVERED, SOFT, HARD)[one] for one in drawn]
    assert ends(*events, *reversed(events)) == ends(*dict.fromkeys(events))


def test_an_event_about_another_address_is_not_about_this_mail() -> None:
    assert after(MAIL, replace(HARD, addresses=("john@example.com",))) is MAIL


def test_ses_is_asked_once_and_again_only_when_nothing_was_heard_for_long() -> None:
    assert begun(MAIL, None, NOW) == MAIL
    assert begun(MAIL, MAIL, NOW) is None
    assert begun(MAIL, given_back(MAIL, NOW), NOW) is not None
    assert begun(MAIL, MAIL, NOW + timedelta(minutes=15)) is not None
    taken = accepted(MAIL, "ses-1", NOW)
    assert begun(MAIL, taken, NOW + timedelta(days=1)) is None
    assert given_back(taken, NOW) == taken
    assert accepted(after(MAIL, HARD), "ses-1", NOW).state is MailState.BOUNCED


def test_an_id_is_of_one_address_and_occasion_and_fits_into_a_tag() -> None:
    assert mail_id("jane@example.com", "run") == mail_id("JANE@example.com", "run")
    assert len({mail_id(address, once) for address in "ab" for once in ("run", "next")}) == 4
    assert is_mail_id(MAIL.id)
    assert not is_mail_id(f"{MAIL.id}\n")
    assert not is_mail_id("../../etc")


def test_the_gravest_message_gives_the_subject() -> None:
    low, high = (
        Message("jane", text, "b", "k", grave, "", "")
        for text, grave in (("low", Severity.INFO), ("high", Severity.URGENT))
    )
    assert worst_first([low, high]) == (high, low)
    assert subject_of([low, high, low]) == "high (and 2 more)"
    assert subject_of([low]) == "low"

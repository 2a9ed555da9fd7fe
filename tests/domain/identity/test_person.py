"""The identity of a person, reserved addresses, and the conditions for a confirmation request."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.curfew.messages import approval, brake, called_off, put_off, report, wake_failed, warning
from chalicelib.domain.errors.tree import AddressPending, AddressRefused, AskedTooOften, RequestRefused
from chalicelib.domain.identity import invitation
from chalicelib.domain.identity.addresses import has_unseen, read_address
from chalicelib.domain.identity.callers import counted_as
from chalicelib.domain.identity.confirmation import (
    LASTS,
    MOST_MAILS,
    SOON,
    Asking,
    Confirmation,
    asked,
    is_mail_due,
    mailed,
)
from chalicelib.domain.identity.person import MOST_IDENTITIES, Person, Topic, identity_key, topic_of
from chalicelib.domain.notices.notice import NoticeKind
from chalicelib.domain.teardown import unproven_message
from tests.fakes import NOW
from tests.paths import PROJECT

SSO = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_"
ONE_PERSON = (
    (f"{SSO}Labs_0123456789abcdef/Kim@Example.com", f"{SSO}Audit/kim@example.com"),
    (f"{SSO}Labs/kim", "arn:aws:sts::111122223333:directory/KIM"),
    ("arn:aws:iam::111122223333:user/Kim", "arn:aws:iam::111122223333:user/class/kim"),
    ("Kim@Example.com", "kim@example.com"),
)
TWO_PEOPLE = (
    (f"{SSO}Labs/kim", f"{SSO.replace('111122223333', '999988887777')}Labs/kim"),
    (f"{SSO}Labs/kim", "arn:aws:iam::111122223333:user/kim"),
    (f"{SSO}Labs/kim@example.com", "kim@example.com"),
    ("arn:aws:sts::111122223333:assumed-role/Learners/kim", "arn:aws:sts::111122223333:assumed-role/Learners/Kim"),
    ("arn:aws:sts::111122223333:assumed-role/A/kim", "arn:aws:sts::111122223333:assumed-role/B/kim"),
    (f"{SSO}Labs/kim", f"{SSO.replace('AWSReserved', 'unconfirmed/AWSReserved')}Labs/kim"),
)


@pytest.mark.parametrize(("one", "other"), ONE_PERSON)
def test_one_person_by_whatever_aws_writes(one: str, other: str) -> None:
    assert identity_key(one) == identity_key(other)


@pytest.mark.parametrize(("one", "other"), TWO_PEOPLE)
def test_two_people_with_one_name(one: str, other: str) -> None:
    assert identity_key(one) != identity_key(other)


@pytest.mark.parametrize(("one", "other"), ONE_PERSON[:1])
def test_sums_are_of_the_same_person(one: str, other: str) -> None:
    assert counted_as(one) == counted_as(other)


def test_each_notice_of_the_watch_may_be_switched_off_and_no_warning_before_a_deletion() -> None:
    assert {topic_of(str(kind)) for kind in (*NoticeKind, "digest")} == {Topic.DEADLINES}
    kinds = (warning.KIND, called_off.KIND, put_off.KIND, brake.KIND, approval.KIND, invitation.KIND)
    assert {topic_of(kind) for kind in kinds} == {None}
    assert (topic_of(report.KIND), topic_of(wake_failed.KIND)) == (Topic.REPORTS, Topic.RESULTS)
    assert topic_of(unproven_message.KIND) is Topic.RESULTS


def test_who_comes_by_another_permission_set_stays_one_person_with_both_names() -> None:
    kim = Person("person-1", ("arn:aws:sts::111122223333:directory/kim",), NOW)
    labs, audit = f"{SSO}Labs/kim", f"{SSO}Audit/kim"
    both = kim.known_as(labs).known_as(audit).known_as(labs)
    assert both.identities == (labs, audit)
    assert both.keys == kim.keys
    for number in range(40):
        both = both.known_as(f"{SSO}Set{number}/kim")
    assert (len(both.identities), both.keys) == (MOST_IDENTITIES, kim.keys)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("kim@example.com", "kim@example.com"),
        (" Kim.Lee+labs@Example.COM ", "Kim.Lee+labs@example.com"),
        ("kim@한국.example", "kim@xn--3e0b707e.example"),
        ("kim@xn--3e0b707e.example", "kim@xn--3e0b707e.example"),
        ("kim@bu\u0308cher.example", "kim@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_taken_with_its_domain_in_ascii(text: str, address: str) -> None:
    assert read_address(text) == (address, "")


@pytest.mark.parametrize(
    "text",
    [
        "", "kim", "@example.com", "kim@", "kim@localhost", "kim@example..com", "kim@-example.com", "kim@192.0.2.1",
        "kim@[192.0.2.1]", "kim@example.com\r\nBcc: all@example.com", "kim@example.com\n", "a b@example.com",
        "kim@\u202eexample.com", "kim@exam\u200bple.com", "\ufeffkim@example.com", "김@example.com", '"kim lee"@example.com',
        ".kim@example.com", "kim.@example.com", "kim@example.com,lee@example.com", "kim@example.com;lee@example.com",
        "Kim <kim@example.com>", f"{'k' * 65}@example.com", f"kim@{'e' * 64}.com", f"kim@{'e.' * 126}com", "kim@ex\x00ample.com",
        "kim@exa_mple.com", "kim@lee@example.com",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused_with_a_sentence(text: str) -> None:
    address, why = read_address(text)
    assert address is None
    assert why.endswith(".")


@given(st.text(max_size=80))
def test_what_is_taken_can_stand_in_a_header_and_is_taken_again(text: str) -> None:
    address, why = read_address(text)
    if address is not None:
        assert address.isascii()
        assert address.isprintable()
        assert not set(address) & set(' ,;:<>()[]"\\')
        assert read_address(address) == (address, "")
    else:
        assert why


@given(st.text(max_size=20))
def test_no_control_character_is_overlooked(text: str) -> None:
    assert has_unseen(text) or all(character.isprintable() or character.isspace() for character in text)


KIM = Asking("kim@example.com", "person-1", "arn:aws:iam::1:user/kim", "n1")
LEE = replace(KIM, person="person-2", identity="arn:aws:iam::1:user/lee", nonce="n2")


def sent(kept: Confirmation) -> Confirmation:
    return mailed(kept, kept.nonce, kept.asked_at)


def test_one_confirmation_is_pending_per_address() -> None:
    kept = sent(asked(None, KIM, NOW))
    with pytest.raises(AddressPending):
        asked(kept, LEE, NOW + timedelta(hours=1))
    later = asked(kept, LEE, NOW + LASTS)
    assert (later.person, later.nonce) == ("person-2", "n2")


def test_asking_again_soon_sends_no_second_mail_and_later_the_same_link() -> None:
    kept = sent(asked(None, KIM, NOW))
    assert asked(kept, KIM, NOW + SOON / 2) == kept
    assert not is_mail_due(kept, NOW + SOON / 2)
    again = asked(kept, replace(KIM, nonce="n9"), NOW + SOON)
    assert again.nonce == "n1"
    assert is_mail_due(again, NOW + SOON)


def test_an_address_gets_so_many_mails_a_day_whoever_asks() -> None:
    now, kept = NOW, None
    for _ in range(MOST_MAILS):
        kept = sent(asked(kept, KIM, now))
        now += timedelta(hours=1)
    with pytest.raises(AskedTooOften):
        asked(kept, KIM, now)
    assert asked(kept, KIM, now + timedelta(days=1))


def test_a_no_of_the_reader_is_remembered_for_who_asked_and_nobody_else() -> None:
    kept = replace(sent(asked(None, KIM, NOW)), refused=("person-1",))
    with pytest.raises(AddressRefused):
        asked(kept, KIM, NOW + timedelta(days=20))
    other = asked(kept, LEE, NOW + timedelta(hours=1))
    assert other.person == "person-2"
    with pytest.raises(AddressRefused):
        asked(other, KIM, NOW + timedelta(days=2))


@given(st.lists(st.tuples(st.sampled_from([KIM, LEE]), st.integers(0, 30), st.booleans()), max_size=40))
def test_no_address_is_ever_flooded(steps: list[tuple[Asking, int, bool]]) -> None:
    now, kept, mails = NOW, None, []
    for asking, hours, used in steps:
        now += timedelta(hours=hours)
        try:
            kept = asked(kept, asking, now)
        except RequestRefused:
            continue
        if is_mail_due(kept, now):
            mails.append(now)
            kept = mailed(kept, kept.nonce, now)
        if used:
            kept = replace(kept, used_at=now)
    for at in mails:
        assert sum(at <= each < at + timedelta(days=1) for each in mails) <= MOST_MAILS


#: Mandatory messages: decisions on deletions, requests to a person, and proofs of an address.
ALWAYS = {
    "curfew-warning", "curfew-called-off", "curfew-put-off", "curfew-brake", "month-limit", "approval-asked",
    "address-confirmation",
}  # fmt: skip


def test_every_kind_of_message_is_one_that_can_be_switched_off_or_one_that_always_comes() -> None:
    written = [path.read_text() for path in (PROJECT / "chalicelib/domain").rglob("*.py")]
    kinds = {found[1] for text in written for found in re.finditer(r'^KIND = "([a-z-]+)"$', text, re.MULTILINE)}
    kinds |= {*map(str, NoticeKind), "digest"}
    assert {kind for kind in kinds if topic_of(kind) is None} == ALWAYS

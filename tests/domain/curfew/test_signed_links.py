"""A keep-link yields exactly its signed contents, or nothing."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.messaging.link_keys import ItsdangerousLinkSigner
from chalicelib.domain.curfew.signed_links import LONGEST, Claims, KnownKeys, SigningKey, read_link, sign_link
from chalicelib.domain.errors.tree import LinkExpired, LinkInvalid

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
EXPIRES = NOW + timedelta(hours=20)
NIGHT = date(2026, 11, 23)
ENTRY = "2026-11-23T13:00:00Z#lab-7f3k2m9x00aa"
KEY_ID, KEY = "EXAMPLE1-90ab-cdef-fedc-ba987SECRET1", b"0123456789abcdef0123456789abcdef"
KEYS = {KEY_ID: KEY, "older": b"another one, of thirty-two bytes"}
SIGNER = ItsdangerousLinkSigner()
KNOWN = KnownKeys(KEYS.get, SIGNER)
TOKEN = sign_link("lab-7f3k2m9x00aa", NIGHT, ENTRY, EXPIRES, SigningKey(KEY_ID, KEY, SIGNER))


def test_what_was_signed_is_read_again() -> None:
    assert read_link(TOKEN, KNOWN, NOW) == Claims("lab-7f3k2m9x00aa", NIGHT, ENTRY, EXPIRES)


def test_a_link_fits_into_a_url_as_it_is() -> None:
    assert re.fullmatch(r"[A-Za-z0-9._-]+", TOKEN)
    assert len(TOKEN) < LONGEST


def test_a_link_is_good_until_it_expires_and_no_longer() -> None:
    assert read_link(TOKEN, KNOWN, EXPIRES - timedelta(seconds=1)).expires_at == EXPIRES
    with pytest.raises(LinkExpired) as refusal:
        read_link(TOKEN, KNOWN, EXPIRES)
    assert refusal.value.expired_at == EXPIRES


def test_a_link_outlives_one_change_of_keys_and_not_the_next() -> None:
    token = sign_link("lab-1", NIGHT, ENTRY, EXPIRES, SigningKey("older", KEYS["older"], SIGNER))
    assert read_link(token, KNOWN, NOW).lab_id == "lab-1"
    with pytest.raises(LinkInvalid):
        read_link(token, KnownKeys({KEY_ID: KEY}.get, SIGNER), NOW)


@given(st.integers(0, 8 * len(TOKEN) - 1))
def test_no_bit_of_a_link_can_be_another_one(bit: int) -> None:
    raw = bytearray(TOKEN.encode())
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises(LinkInvalid):
        read_link(raw.decode("latin-1"), KNOWN, NOW)


@given(st.integers(0, len(TOKEN)), st.text(max_size=3))
def test_nothing_can_be_put_in_or_cut_off(place: int, text: str) -> None:
    for other in (TOKEN[:place] + text + TOKEN[place:], TOKEN[:place] + text):
        if other != TOKEN:
            with pytest.raises(LinkInvalid):
                read_link(other, KNOWN, NOW)


@given(st.text(max_size=400) | st.from_regex(r"k1\.[A-Za-z0-9_=-]{0,60}\.[A-Za-z0-9_-]{43}", fullmatch=True))
def test_any_text_is_refused_with_the_same_words(text: str) -> None:
    with pytest.raises(LinkInvalid) as refusal:
        read_link(text, KNOWN, NOW)
    assert str(refusal.value) == str(LinkInvalid())


@given(st.binary(max_size=64))
def test_a_forged_link_is_refused_even_if_it_is_well_formed(key: bytes) -> None:
    if key == KEY:
        return
    with pytest.raises(LinkInvalid):
        read_link(sign_link("lab-1", NIGHT, ENTRY, EXPIRES, SigningKey(KEY_ID, key, SIGNER)), KNOWN, NOW)


def test_an_expired_link_that_is_forged_does_not_say_that_it_expired() -> None:
    with pytest.raises(LinkInvalid):
        read_link(sign_link("lab-1", NIGHT, ENTRY, NOW, SigningKey(KEY_ID, b"guessed", SIGNER)), KNOWN, EXPIRES)

"""The LinkSigner port with itsdangerous: it reads exactly its own signed values."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from itsdangerous import Signer

from chalicelib.aws.messaging.link_keys import ItsdangerousLinkSigner

KEY = b"0123456789abcdef0123456789abcdef"
SIGNER = ItsdangerousLinkSigner()
TEXT = st.text(alphabet="abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.", max_size=200)


@given(TEXT, st.binary(min_size=32, max_size=64))
def test_what_is_signed_is_read_with_the_same_key_and_no_other(text: str, key: bytes) -> None:
    token = SIGNER.sign(text, key)
    assert token.startswith(f"{text}.")
    assert SIGNER.unsign(token, key) == text
    assert SIGNER.unsign(token, key + b"x") is None


@pytest.mark.parametrize("token", ["", ".", "k1.a", "k1.a.", "k1.a.b", "k1.a." + "A" * 43])
def test_what_nobody_signed_is_nothing(token: str) -> None:
    assert SIGNER.unsign(token, KEY) is None


def test_a_signature_has_one_spelling() -> None:
    """Base64 has four values for the last character of 43: the library accepts them all, and uses are counted by link."""
    token = SIGNER.sign("k1.text", KEY)
    signature = base64.urlsafe_b64decode(token.rpartition(".")[2] + "=")
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    same = [
        token[:-1] + letter for letter in letters if base64.urlsafe_b64decode(token[-43:-1] + letter + "=") == signature
    ]
    assert len(same) == 4
    assert [SIGNER.unsign(each, KEY) for each in same if each != token] == [None] * 3
    assert SIGNER.unsign(token, KEY) == "k1.text"


def test_a_signature_for_another_purpose_is_none() -> None:
    assert SIGNER.unsign(Signer(KEY).sign("k1.text").decode(), KEY) is None

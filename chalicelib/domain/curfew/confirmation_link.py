"""The links in a mail for its reader: one confirms an address, once; one switches off the optional messages of the mail.

Both are signed like a keep-link (`keep_link.py`).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from chalicelib.domain.curfew.keep_link import KnownKeys, SigningKey, read_claims, sign_claims

#: The signed forms of the tokens: they tell these links from all others.
_FORM, _MUTING = "c1", "u1"


def sign_confirmation(digest: str, nonce: str, expires_at: datetime, key: SigningKey) -> str:
    """A token of URL-safe characters. `digest`: the key of the address's confirmation."""
    return sign_claims(_FORM, [digest, nonce, int(expires_at.timestamp())], key)


def read_confirmation(token: str, keys: KnownKeys, now: datetime) -> tuple[str, str]:
    """The digest and the nonce. Raises LinkInvalid, LinkExpired."""
    (digest, nonce), _ = read_claims(_FORM, token, 2, keys, now)
    return digest, nonce


def sign_unsubscribing(person_id: str, topics: Iterable[str], expires_at: datetime, key: SigningKey) -> str:
    """A token of URL-safe characters, which switches off these topics for one person."""
    return sign_claims(_MUTING, [person_id, ",".join(topics), int(expires_at.timestamp())], key)


def read_unsubscribing(token: str, keys: KnownKeys, now: datetime) -> tuple[str, tuple[str, ...]]:
    """The person's id and the topics. Raises LinkInvalid, LinkExpired."""
    (person_id, topics), _ = read_claims(_MUTING, token, 2, keys, now)
    return person_id, tuple(topics.split(","))

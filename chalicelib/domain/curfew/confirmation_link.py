"""The link that confirms a mail address: signed as a keep-link is (`keep_link.py`), good once."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.curfew.keep_link import KnownKeys, SigningKey, read_claims, sign_claims

#: Says how the rest is to be read, and is signed with it: no keep-link is one of these.
_FORM = "c1"


def sign_confirmation(digest: str, nonce: str, expires_at: datetime, key: SigningKey) -> str:
    """A token of URL-safe characters. `digest`: where the address's confirmation is kept."""
    return sign_claims(_FORM, [digest, nonce, int(expires_at.timestamp())], key)


def read_confirmation(token: str, keys: KnownKeys, now: datetime) -> tuple[str, str]:
    """The digest and the nonce. Raises LinkInvalid, LinkExpired."""
    (digest, nonce), _ = read_claims(_FORM, token, 2, keys, now)
    return digest, nonce

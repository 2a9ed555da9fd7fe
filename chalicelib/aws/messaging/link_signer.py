"""Implements the LinkSigner port with itsdangerous: HMAC-SHA-256 with a key derived from the secret.

Imported when the first link is signed or read: few requests need it.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from itsdangerous import Signer

#: The purpose of the derived key: another purpose gets another key from the same secret.
_SALT = b"ekslab.links"


class ItsdangerousLinkSigner:
    """The signature follows the last dot, in URL-safe base64."""

    def sign(self, text: str, key: bytes) -> str:
        """The text with its signature."""
        return _signer(key).sign(text).decode()

    def unsign(self, token: str, key: bytes) -> str | None:
        """The text, if `sign` returns exactly this token: the library accepts other spellings of a signature's last character."""
        from itsdangerous import BadSignature

        try:
            text = _signer(key).unsign(token).decode()
        except BadSignature:
            return None
        return text if hmac.compare_digest(self.sign(text, key).encode(), token.encode()) else None


def _signer(key: bytes) -> Signer:
    from itsdangerous import Signer

    return Signer(key, salt=_SALT, key_derivation="hmac", digest_method=hashlib.sha256)

"""A browser's session: its person, its end, and the token that each of its forms must carry.

The session's own token is known to its holder alone: the table keeps it hashed. Rules never see a session: it becomes a
Caller (`People.caller`) at every request.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.core.language import Language

LASTS = timedelta(hours=8)
#: 256 bits in base64url.
_TOKEN = pattern(r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Session:
    """The ARN that signed for it, as API Gateway told it. `role_id`: the role's unique id, for a session of a role.

    `whose`: the key of the identity that it stands for (`identity_key`). `language`: what that person said they read; kept
    here so that a page asks the table for nothing more.
    """

    arn: str
    account: str
    role_id: str | None
    began_at: datetime
    ends_at: datetime
    whose: str = ""
    language: Language | None = None


def is_token(text: str) -> bool:
    """Whether it looks like a session's token."""
    return _TOKEN.fullmatch(text) is not None


def session_key(token: str) -> str:
    """What the table keeps a session under: who reads the table learns no token."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(token: str, nonce: str) -> str:
    """What a form of this session carries. `nonce` makes each different, so that no compressed page betrays it."""
    return f"{nonce}.{_signed(token, nonce)}"


def is_form_token(token: str, given: str) -> bool:
    """Whether a form was given out to this session."""
    nonce, dot, signed = given.partition(".")
    return bool(nonce and dot) and hmac.compare_digest(_signed(token, nonce).encode(), signed.encode())


def _signed(token: str, nonce: str) -> str:
    return hmac.new(token.encode(), f"form:{nonce}".encode(), hashlib.sha256).hexdigest()

"""A browser's session: its person, its end, and the token that each of its forms must carry.

Only the browser has the session's token: the table stores its hash. Rules never see a session: each request turns it into
a Caller (`People.caller`).
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
    """The ARN that signed for it, from API Gateway. `role_id`: the role's unique id, for a session of a role.

    `whose`: the key of its identity (`identity_key`). `language`: that person's choice; stored here so that a page needs no
    other read of the table.
    """

    arn: str
    account: str
    role_id: str | None
    began_at: datetime
    ends_at: datetime
    whose: str = ""
    language: Language | None = None


def is_token(text: str) -> bool:
    """Whether it has the form of a session's token."""
    return _TOKEN.fullmatch(text) is not None


def session_key(token: str) -> str:
    """The key under which the table stores a session; it reveals no token."""
    return hashlib.sha256(token.encode()).hexdigest()


def form_token(token: str, nonce: str) -> str:
    """The token in a form of this session. `nonce` makes each different, so that compression of the page reveals nothing."""
    return f"{nonce}.{_signed(token, nonce)}"


def is_form_token(token: str, given: str) -> bool:
    """Whether a form token belongs to this session."""
    nonce, dot, signed = given.partition(".")
    return bool(nonce and dot) and hmac.compare_digest(_signed(token, nonce).encode(), signed.encode())


def _signed(token: str, nonce: str) -> str:
    return hmac.new(token.encode(), f"form:{nonce}".encode(), hashlib.sha256).hexdigest()

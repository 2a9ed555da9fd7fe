"""The two links in an approver's mail, which approve or refuse one lab: signed like a keep-link (`keep_link.py`)."""

from __future__ import annotations

from datetime import datetime

from chalicelib.domain.curfew.keep_link import KnownKeys, SigningKey, read_claims, sign_claims
from chalicelib.domain.errors.tree import LinkInvalid
from chalicelib.domain.labs.approval import Decision

#: The signed form of the token: it tells these links from all others.
_FORM = "a1"


def sign_decision(lab_id: str, decision: Decision, expires_at: datetime, key: SigningKey) -> str:
    """A token of URL-safe characters."""
    return sign_claims(_FORM, [lab_id, str(decision), int(expires_at.timestamp())], key)


def read_decision(token: str, keys: KnownKeys, now: datetime) -> tuple[str, Decision]:
    """The lab's id and the link's decision. Raises LinkInvalid, LinkExpired."""
    (lab_id, decision), _ = read_claims(_FORM, token, 2, keys, now)
    try:
        return lab_id, Decision(decision)
    except ValueError as reason:
        raise LinkInvalid from reason

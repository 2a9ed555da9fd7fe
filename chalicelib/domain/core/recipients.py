"""Who a mail goes to: one rule for curfew and support watch, so that one person is one recipient.

The recipient is the attribute that subscriptions filter by. An ARN is told by the user's or the session's name; anything else as
it is written. Names are compared without case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chalicelib.domain.core.deferred import pattern

_ADDRESS = pattern(r"[^@\s]+@[^@\s]+")


def recipient_of(owner: str) -> str:
    """The name by which an owner hears: of an ARN its last part."""
    if not owner.startswith("arn:"):
        return owner
    return owner.rpartition("/")[2] if "/" in owner else owner.rpartition(":")[2]


def same_recipient(one: str, other: str) -> bool:
    """Whether two owners hear by one name."""
    return recipient_of(one).casefold() == recipient_of(other).casefold()


def distinct(owners: Iterable[str]) -> tuple[str, ...]:
    """Each recipient once, as it is written first."""
    return tuple({name.casefold(): name for name in reversed([recipient_of(owner) for owner in owners])}.values())[::-1]


def people_in(text: str) -> tuple[str, ...]:
    """Everyone whom one tag names: `a@example.com / b@example.com` are two, `Jane Doe` is one, and so is an ARN."""
    if text.startswith("arn:"):
        return tuple(filter(None, re.split(r"[,;\s]+", text)))
    addresses = [part for part in re.split(r"[\s,;|&/<>()]+", text) if _ADDRESS.fullmatch(part)]
    if len(addresses) > 1 or (addresses and "<" in text):
        return tuple(addresses)
    return tuple(filter(None, (part.strip() for part in re.split(r"[,;|]", text)))) or (text,)

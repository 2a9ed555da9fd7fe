"""The recipient of a mail: one rule for curfew and support watch, so that one person is one recipient.

Subscriptions filter by the recipient. An ARN's recipient is the user's or the session's name; any other owner's is the text
itself. Names are compared without case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chalicelib.domain.core.deferred import pattern

_ADDRESS = pattern(r"[^@\s]+@[^@\s]+")


def recipient_of(owner: str) -> str:
    """The owner's recipient name: the last part of an ARN."""
    if not owner.startswith("arn:"):
        return owner
    return owner.rpartition("/")[2] if "/" in owner else owner.rpartition(":")[2]


def same_recipient(one: str, other: str) -> bool:
    """Whether two owners have the same recipient name."""
    return recipient_of(one).casefold() == recipient_of(other).casefold()


def distinct(owners: Iterable[str]) -> tuple[str, ...]:
    """Each recipient once, in its first spelling."""
    return tuple({name.casefold(): name for name in reversed([recipient_of(owner) for owner in owners])}.values())[::-1]


def people_in(text: str) -> tuple[str, ...]:
    """Everyone named in one tag: `a@example.com / b@example.com` are two, `Jane Doe` is one, and so is an ARN."""
    if text.startswith("arn:"):
        return tuple(filter(None, re.split(r"[,;\s]+", text)))
    addresses = [part for part in re.split(r"[\s,;|&/<>()]+", text) if _ADDRESS.fullmatch(part)]
    if len(addresses) > 1 or (addresses and "<" in text):
        return tuple(addresses)
    return tuple(filter(None, (part.strip() for part in re.split(r"[,;|]", text)))) or (text,)

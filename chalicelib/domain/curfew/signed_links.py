"""Links in mails that act without a login: signed claims. `mail_link.py` has those that answer for a deadline.

| form | link                                                   | signed by             | read by               |
|------|--------------------------------------------------------|-----------------------|-----------------------|
| k1   | keeps one lab for one more night                       | a curfew warning      | `/keep/{token}`       |
| a1   | approves or refuses one lab                            | the mail to approvers | `/decide/{token}`     |
| c1   | confirms an address, once                              | its first mail        | `/confirm/{token}`    |
| u1   | switches off optional messages for one person          | each mail of them     | `/unsubscribe/{token}`|

The form is signed with the claims, so that no link passes for another. The signature covers the text as it stands in the link.
Every link that is not ours is refused with the same words.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

from chalicelib.domain.core.deferred import dataclass, pattern
from chalicelib.domain.errors.tree import LinkBusy, LinkExpired, LinkInvalid
from chalicelib.domain.labs.approval import Decision

_KEEP, _DECIDE, _CONFIRM, _UNSUBSCRIBE = "k1", "a1", "c1", "u1"
#: SHA-256 in URL-safe base64. Other texts are refused before a key is looked up.
_SIGNATURE = pattern(r"[A-Za-z0-9_-]{43}")
#: A key older than this is replaced. Links work for a day or two, and the previous key is still accepted.
KEY_AGE = timedelta(days=30)
#: Characters; our own links are shorter.
LONGEST = 400
#: Uses of one link in a window; a person needs two or three, mail scanners some more.
MOST_USES = 30
WINDOW = timedelta(minutes=1)
#: The most links whose uses are remembered; fewer valid ones exist at a time.
_LINKS = 5_000


@dataclass(frozen=True)
class Claims:
    """The claims of a keep-link: the entry `entry_id` of the plan of `night`, about the lab `lab_id`."""

    lab_id: str
    night: date
    entry_id: str
    expires_at: datetime


class LinkSigner(Protocol):
    """Signs a text and checks a signature; does not read the text."""

    def sign(self, text: str, key: bytes) -> str:
        """The text, a dot, and its signature in URL-safe characters."""

    def unsign(self, token: str, key: bytes) -> str | None:
        """The text, if `sign` with this key returns exactly this token; else None."""


@dataclass(frozen=True)
class SigningKey:
    """A key with its id and its signer."""

    id: str
    value: bytes
    signer: LinkSigner


@dataclass(frozen=True)
class KnownKeys:
    """The keys that links may be signed with, by id, and the signer that checks them."""

    key_of: Callable[[str], bytes | None]
    signer: LinkSigner


def sign_link(lab_id: str, night: date, entry_id: str, expires_at: datetime, key: SigningKey) -> str:
    """The token of a keep-link, shorter than LONGEST. `expires_at` counts in whole seconds."""
    return sign_claims(_KEEP, [lab_id, night.isoformat(), entry_id, int(expires_at.timestamp())], key)


def read_link(token: str, keys: KnownKeys, now: datetime) -> Claims:
    """The claims of a token, if it was signed with a known key. Raises LinkInvalid, LinkExpired."""
    (lab_id, night, entry_id), expires_at = read_claims(_KEEP, token, 3, keys, now)
    try:
        return Claims(lab_id, date.fromisoformat(night), entry_id, expires_at)
    except ValueError as reason:
        raise LinkInvalid from reason


def sign_decision(lab_id: str, decision: Decision, expires_at: datetime, key: SigningKey) -> str:
    """The token of a link that gives this decision on a lab."""
    return sign_claims(_DECIDE, [lab_id, str(decision), int(expires_at.timestamp())], key)


def read_decision(token: str, keys: KnownKeys, now: datetime) -> tuple[str, Decision]:
    """The lab's id and the link's decision. Raises LinkInvalid, LinkExpired."""
    (lab_id, decision), _ = read_claims(_DECIDE, token, 2, keys, now)
    try:
        return lab_id, Decision(decision)
    except ValueError as reason:
        raise LinkInvalid from reason


def sign_confirmation(digest: str, nonce: str, expires_at: datetime, key: SigningKey) -> str:
    """The token of a link that confirms an address. `digest`: the key of its confirmation."""
    return sign_claims(_CONFIRM, [digest, nonce, int(expires_at.timestamp())], key)


def read_confirmation(token: str, keys: KnownKeys, now: datetime) -> tuple[str, str]:
    """The digest and the nonce. Raises LinkInvalid, LinkExpired."""
    (digest, nonce), _ = read_claims(_CONFIRM, token, 2, keys, now)
    return digest, nonce


def sign_unsubscribing(person_id: str, topics: Iterable[str], expires_at: datetime, key: SigningKey) -> str:
    """The token of a link that switches off these topics for one person."""
    return sign_claims(_UNSUBSCRIBE, [person_id, ",".join(topics), int(expires_at.timestamp())], key)


def read_unsubscribing(token: str, keys: KnownKeys, now: datetime) -> tuple[str, tuple[str, ...]]:
    """The person's id and the topics. Raises LinkInvalid, LinkExpired."""
    (person_id, topics), _ = read_claims(_UNSUBSCRIBE, token, 2, keys, now)
    return person_id, tuple(topics.split(","))


def sign_claims(form: str, claims: Sequence[str | int], key: SigningKey) -> str:
    """A token of URL-safe characters: the key's id, and these claims, of which the last is the second in which it expires."""
    said = json.dumps([key.id, *claims], separators=(",", ":")).encode()
    return key.signer.sign(f"{form}.{urlsafe_b64encode(said).rstrip(b'=').decode()}", key.value)


def read_claims(form: str, token: str, count: int, keys: KnownKeys, now: datetime) -> tuple[list[str], datetime]:
    """The claims of a token of this form, and its expiry. Raises LinkInvalid, LinkExpired."""
    message, _, signature = token.rpartition(".")
    if not token.isascii() or len(token) >= LONGEST or not message.startswith(f"{form}."):
        raise LinkInvalid
    if not _SIGNATURE.fullmatch(signature):
        raise LinkInvalid
    key_id, texts, expires_at = _claims(message.removeprefix(f"{form}."), count)
    key = keys.key_of(key_id)
    if key is None or keys.signer.unsign(token, key) != message:
        raise LinkInvalid
    if now >= expires_at:
        raise LinkExpired(expires_at)
    return texts, expires_at


def _claims(encoded: str, count: int) -> tuple[str, list[str], datetime]:
    """Read before the signature is checked, because the claims name the key: do not trust them yet."""
    try:
        key_id, *texts, expires = json.loads(urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)))
        if not all(isinstance(text, str) for text in (key_id, *texts)) or type(expires) is not int:
            raise LinkInvalid
        if len(texts) != count:
            raise LinkInvalid
        return key_id, texts, datetime.fromtimestamp(expires, UTC)
    except (ValueError, TypeError, OverflowError, OSError, RecursionError) as reason:
        raise LinkInvalid from reason


class LinkUses:
    """Recent uses by link: a valid link must not become a way to overload the page.

    Counted in the process, before any call to AWS; only valid links count.
    """

    def __init__(self) -> None:
        self._begun: dict[str, tuple[datetime, int]] = {}

    def spend(self, link: str, now: datetime) -> None:
        """Count one use. Raises LinkBusy if the link was used too often."""
        begun, uses = self._begun.get(link, (now, 0))
        if now - begun >= WINDOW:
            begun, uses = now, 0
        if link not in self._begun and len(self._begun) >= _LINKS:
            self._begun.clear()
        self._begun[link] = (begun, uses + 1)
        if uses >= MOST_USES:
            raise LinkBusy

"""Implements the LinkKeys port with a secret of Secrets Manager: its current version signs, the previous one still verifies;
and the LinkSigner port with itsdangerous, imported when the first link is signed or read: few requests need it.

A version's id is the key's id. Secrets are cached for five minutes: for that time a rotated key may go on signing, and a retired
one verifies. An unknown id makes us read again sooner, or new links would be refused just after a rotation.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from chalicelib.aws.clients.calls import call
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.tree import AwsRefused, ResourceGone

if TYPE_CHECKING:
    from itsdangerous import Signer


#: How long a read secret is cached.
KEPT_FOR = timedelta(minutes=5)
#: How long it is cached against a link with an unknown id: anyone may make up ids, and each read costs two calls.
DOUBTED_AFTER = timedelta(seconds=30)
#: Bytes. A shorter secret could be guessed: it is refused.
SHORTEST = 32
_CURRENT, _PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


@dataclass(frozen=True)
class _Key:
    id: str
    value: bytes
    since: datetime


class SecretsLinkKeys:
    """Needs secretsmanager:GetSecretValue on this one secret, and PutSecretValue to renew it. `secret_id`: its name or ARN;
    `now`: Clock.now."""

    def __init__(self, secretsmanager: Any, secret_id: str, now: Callable[[], datetime]) -> None:
        self._client, self._secret_id, self._now = secretsmanager, secret_id, now
        self._kept: dict[str, tuple[datetime, _Key | None]] = {}

    def current(self) -> tuple[str, bytes]:
        """(id, key) to sign with. Raises ResourceGone if there is no secret."""
        key = self._key(_CURRENT)
        if key is None:
            operation = "secretsmanager:GetSecretValue"
            raise ResourceGone(
                operation, "ResourceNotFoundException", f"{self._secret_id} holds no key of {SHORTEST} bytes."
            )
        return key.id, key.value

    def key(self, key_id: str) -> bytes | None:
        """The key with this id if it is the current or the previous one. The previous is read only if needed."""
        for kept_for in (KEPT_FOR, DOUBTED_AFTER):
            for stage in (_CURRENT, _PREVIOUS):
                key = self._key(stage, kept_for)
                if key is not None and key.id == key_id:
                    return key.value
        return None

    def renew(self, older_than: timedelta, now: datetime) -> bool:
        """Replace a key of this age. Two concurrent runs make one key: its token is derived from the previous key."""
        current = self._key(_CURRENT)
        if current is None or now - current.since < older_than:
            return False
        from uuid import NAMESPACE_URL, uuid5

        token, value = str(uuid5(NAMESPACE_URL, f"{self._secret_id}/{current.id}")), secrets.token_hex(SHORTEST)
        try:
            call(
                self._client,
                "secretsmanager:PutSecretValue",
                SecretId=self._secret_id,
                ClientRequestToken=token,
                SecretString=value,
            )
        except AwsRefused as refused:
            if refused.code != "ResourceExistsException":
                raise
        self._kept.clear()
        return True

    def _key(self, stage: str, kept_for: timedelta = KEPT_FOR) -> _Key | None:
        kept = self._kept.get(stage)
        if kept is None or self._now() - kept[0] >= kept_for:
            kept = self._kept[stage] = (self._now(), self._read(stage))
        return kept[1]

    def _read(self, stage: str) -> _Key | None:
        try:
            answer = call(self._client, "secretsmanager:GetSecretValue", SecretId=self._secret_id, VersionStage=stage)
        except ResourceGone:
            return None
        value = answer["SecretBinary"] if "SecretBinary" in answer else answer["SecretString"].encode()
        since = answer["CreatedDate"].astimezone(UTC)
        return _Key(answer["VersionId"], value, since) if len(value) >= SHORTEST else None


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

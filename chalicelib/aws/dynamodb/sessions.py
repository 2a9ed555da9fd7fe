"""Stores browsers' sessions under the hash of their token; DynamoDB deletes them some time after their end."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb.codec import item_of, thing_of
from chalicelib.aws.dynamodb.keys import Item, expiry, key, stamp, text
from chalicelib.aws.dynamodb.pages import shard
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import put

if TYPE_CHECKING:
    from chalicelib.domain.core.language import Language
    from chalicelib.domain.identity.sessions import Session


class DynamoSessions(InTable):
    """The part of the Store port for sessions."""

    def put_session(self, hashed: str, session: Session) -> None:
        self._table.put(_item(_key(hashed), session))

    def session(self, hashed: str) -> Session | None:
        """Strongly consistent: an ended session is gone at once."""
        from chalicelib.domain.identity.sessions import Session

        return self._table.load(Session, _key(hashed))

    def end_session(self, hashed: str) -> None:
        self._table.delete(_key(hashed))

    def speak_in_sessions(self, whose: str, language: Language, now: datetime) -> None:
        """From the index: a session opened moments ago may be missed, and an ended one does not come back."""
        from chalicelib.domain.identity.sessions import Session

        for found in self._table.items(shard(_shard(whose), " AND due_at > :now", now=stamp(now))):
            keys = {name: found[name] for name in ("pk", "sk")}
            item = _item(keys, replace(thing_of(Session, found), language=language))
            self._table.transact([put(item, "attribute_exists(pk)")])


def _item(keys: Item, session: Session) -> Item:
    """Indexed by the identity's key, until its end."""
    expires_at, due_at = expiry(session.ends_at), text(stamp(session.ends_at))
    return item_of(keys, session, expires_at=expires_at, due_shard=text(_shard(session.whose)), due_at=due_at)


def _shard(whose: str) -> str:
    return f"SESSION#{whose}"


def _key(hashed: str) -> Item:
    return key(f"SESSION#{hashed}", "SESSION")

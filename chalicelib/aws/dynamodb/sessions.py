"""Browsers' sessions in the one table, under the hash of their token; DynamoDB deletes them some time after their end."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import SCHEMA, body_of, thing_of
from chalicelib.aws.dynamodb.keys import DUE, Item, key, number, stamp, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.aws.dynamodb.pages import Listing, all_items
from chalicelib.aws.dynamodb.transactions import put, transact
from chalicelib.domain.core.language import Language
from chalicelib.domain.identity.sessions import Session


def put_session(client: Any, table: str, hashed: str, session: Session) -> None:
    """Write or overwrite."""
    with translate("dynamodb:PutItem"):
        client.put_item(TableName=table, Item=_item(_key(hashed), session))


def session(client: Any, table: str, hashed: str) -> Session | None:
    """Strongly consistent: one that was ended is gone at once."""
    item = get(client, table, _key(hashed))
    return None if item is None else thing_of(Session, item)


def end_session(client: Any, table: str, hashed: str) -> None:
    """Absent is fine."""
    with translate("dynamodb:DeleteItem"):
        client.delete_item(TableName=table, Key=_key(hashed))


def speak_in_sessions(client: Any, table: str, whose: str, language: Language, now: datetime) -> None:
    """Each on condition that it is still there: one that was ended meanwhile does not come back."""
    values = {":shard": text(_shard(whose)), ":now": text(stamp(now))}
    listing = Listing("due_shard = :shard AND due_at > :now", values, (), {}, index=DUE)
    for found in all_items(client, table, listing):
        keys = {name: found[name] for name in ("pk", "sk")}
        item = _item(keys, replace(thing_of(Session, found), language=language))
        transact(client, [put(table, item, "attribute_exists(pk)")], secrets.token_hex(16))


def _item(keys: Item, session: Session) -> Item:
    """In the index by whose it is, until its end."""
    return {
        **keys,
        "schema": number(SCHEMA),
        "body": text(body_of(session)),
        "expires_at": number(int(session.ends_at.timestamp())),
        "due_shard": text(_shard(session.whose)),
        "due_at": text(stamp(session.ends_at)),
    }


def _shard(whose: str) -> str:
    return f"SESSION#{whose}"


def _key(hashed: str) -> Item:
    return key(f"SESSION#{hashed}", "SESSION")

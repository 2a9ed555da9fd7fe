"""Browsers' sessions in the one table, under the hash of their token; DynamoDB deletes them some time after their end."""

from __future__ import annotations

from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import SCHEMA, body_of, thing_of
from chalicelib.aws.dynamodb.keys import Item, key, number, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.domain.identity.sessions import Session


def put_session(client: Any, table: str, hashed: str, session: Session) -> None:
    """Write or overwrite."""
    item = {
        **_key(hashed),
        "schema": number(SCHEMA),
        "body": text(body_of(session)),
        "expires_at": number(int(session.ends_at.timestamp())),
    }
    with translate("dynamodb:PutItem"):
        client.put_item(TableName=table, Item=item)


def session(client: Any, table: str, hashed: str) -> Session | None:
    """Strongly consistent: one that was ended is gone at once."""
    item = get(client, table, _key(hashed))
    return None if item is None else thing_of(Session, item)


def end_session(client: Any, table: str, hashed: str) -> None:
    """Absent is fine."""
    with translate("dynamodb:DeleteItem"):
        client.delete_item(TableName=table, Key=_key(hashed))


def _key(hashed: str) -> Item:
    return key(f"SESSION#{hashed}", "SESSION")

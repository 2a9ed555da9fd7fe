"""Whose mails about a month were sent, one item each, beside the month's sums; a mail is claimed before it is sent."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.keys import number, spending_key, stamp, text
from chalicelib.aws.dynamodb.labs.spending import expiry
from chalicelib.aws.dynamodb.pages import Listing, all_items

_PREFIX = "MAIL#"
#: A claim is good for longer than a function lives.
_CLAIMED_FOR = timedelta(minutes=5)
_MINE = "attribute_not_exists(told_at) AND (attribute_not_exists(claimed_until) OR claimed_until <= :now)"


def month_told(client: Any, table: str, month: str) -> frozenset[str]:
    """Strongly consistent."""
    values = {":pk": text(f"SPENDING#{month}"), ":prefix": text(_PREFIX)}
    items = all_items(client, table, Listing("pk = :pk AND begins_with(sk, :prefix)", values, (), {}))
    return frozenset(item["sk"]["S"].removeprefix(_PREFIX) for item in items if "told_at" in item)


def claim_month_mail(client: Any, table: str, month: str, whose: str, now: datetime) -> bool:
    """A condition of the write: of runs at the same time one claims it."""
    until = {":until": text(stamp(now + _CLAIMED_FOR)), ":now": text(stamp(now)), ":expires_at": number(expiry(month))}
    request = {"TableName": table, "Key": spending_key(month, f"{_PREFIX}{whose}"), "ExpressionAttributeValues": until}
    with translate("dynamodb:UpdateItem"):
        try:
            change = "SET claimed_until = :until, expires_at = :expires_at"
            client.update_item(**request, UpdateExpression=change, ConditionExpression=_MINE)
        except ClientError as refusal:
            if refusal.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            return False
    return True


def note_month_told(client: Any, table: str, month: str, whose: str, now: datetime) -> None:
    """Again is the same."""
    request = {"TableName": table, "Key": spending_key(month, f"{_PREFIX}{whose}")}
    values = {":now": text(stamp(now)), ":expires_at": number(expiry(month))}
    with translate("dynamodb:UpdateItem"):
        change = "SET told_at = :now, expires_at = :expires_at"
        client.update_item(**request, UpdateExpression=change, ExpressionAttributeValues=values)

"""Claims in the one table: of several who are about to do the same at the same time, one does it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.keys import key, number, stamp, text
from chalicelib.domain.errors.tree import AwsRefused

#: DynamoDB deletes a claim so long after it has ended.
_KEPT = timedelta(days=1)


def claim(client: Any, table: str, what: str, by: str, now: datetime, until: datetime) -> bool:
    """One conditional update; false while it is somebody else's."""
    values = {":by": text(by), ":now": text(stamp(now)), ":until": text(stamp(until))}
    values[":expires"] = number(int((until + _KEPT).timestamp()))
    try:
        with translate("dynamodb:UpdateItem"):
            client.update_item(
                TableName=table,
                Key=key(f"CLAIM#{what}", "CLAIM"),
                UpdateExpression="SET claimed_by = :by, claimed_until = :until, expires_at = :expires",
                ConditionExpression="attribute_not_exists(pk) OR claimed_by = :by OR claimed_until <= :now",
                ExpressionAttributeValues=values,
            )
    except AwsRefused as refusal:
        if refusal.code != "ConditionalCheckFailedException":
            raise
        return False
    return True

"""What bore a lab's name before it began: ARNs in one compressed item beside its ledger, written once."""

from __future__ import annotations

import gzip
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.keys import key, lab_pk

_SORT_KEY = "BEFORE"


def note_before(client: Any, table: str, lab_id: str, arns: frozenset[str]) -> None:
    """Write it if nobody has: a second run of the step must not take the lab's own things for older ones."""
    packed = gzip.compress("\n".join(sorted(arns)).encode(), mtime=0)
    item = {**key(lab_pk(lab_id), _SORT_KEY), "packed": {"B": packed}}
    with translate("dynamodb:PutItem"):
        try:
            client.put_item(TableName=table, Item=item, ConditionExpression="attribute_not_exists(pk)")
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise


def before(client: Any, table: str, lab_id: str) -> frozenset[str] | None:
    """None when nobody looked: a lab from before this was asked."""
    with translate("dynamodb:GetItem"):
        answer = client.get_item(TableName=table, Key=key(lab_pk(lab_id), _SORT_KEY), ConsistentRead=True)
    if "Item" not in answer:
        return None
    return frozenset(gzip.decompress(answer["Item"]["packed"]["B"]).decode().splitlines())

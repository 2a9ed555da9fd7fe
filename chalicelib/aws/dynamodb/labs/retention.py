"""What becomes of the records of labs that are over: they go at an instant, and a person is taken out of them.

DynamoDB deletes an item some days after its `expires_at` at the latest. Nothing here is done to a lab that is alive: its ledger is
what proves that its things are its own.
"""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.items import body_of, read_body
from chalicelib.aws.dynamodb.keys import META, Item, lab_pk, number, text
from chalicelib.aws.dynamodb.labs.receipts import put_receipt, receipts_of
from chalicelib.aws.dynamodb.pages import Listing, all_items
from chalicelib.domain.errors.tree import StaleLab
from chalicelib.domain.teardown.receipt import Receipt

_RECEIPT = "RECEIPT#"


def expire(client: Any, table: str, lab_id: str, at: datetime | None) -> None:
    """Let every item of the lab go at `at`; None: let them stay."""
    for item in list(_items(client, table, lab_id)):
        place = {name: item[name] for name in ("pk", "sk")}
        change: dict[str, Any] = {"UpdateExpression": "REMOVE expires_at"}
        if at is not None:
            values = {":at": number(int(at.timestamp()))}
            change = {"UpdateExpression": "SET expires_at = :at", "ExpressionAttributeValues": values}
        with translate("dynamodb:UpdateItem"):
            client.update_item(TableName=table, Key=place, ConditionExpression="attribute_exists(pk)", **change)


def rewrite(client: Any, table: str, lab_id: str, change: Callable[[str], str]) -> None:
    """Change every text that is kept of the lab, in place; the lab itself last, by whose owner it is found again.

    Raises StaleLab when somebody changed the lab meanwhile.
    """
    items = list(_items(client, table, lab_id))
    receipts = [item for item in items if item["sk"]["S"].startswith(_RECEIPT)]
    for receipt in receipts_of(receipts):
        put_receipt(client, table, lab_id, read_body(Receipt, change(body_of(receipt))))
    for item in sorted((item for item in items if item not in receipts), key=lambda item: item["sk"]["S"] == META):
        changed = {name: _changed(name, value, change) for name, value in item.items()}
        if changed != item:
            _replace(client, table, item, changed)
    own = next((item for item in items if item["sk"]["S"] == META), {})
    if "expires_at" in own:
        expire(client, table, lab_id, datetime.fromtimestamp(int(own["expires_at"]["N"]), UTC))


def _replace(client: Any, table: str, item: Item, changed: Item) -> None:
    condition: dict[str, Any] = {}
    if "version" in item:
        seen = {":seen": item["version"]}
        condition = {"ConditionExpression": "version = :seen", "ExpressionAttributeValues": seen}
    with translate("dynamodb:PutItem"):
        try:
            client.put_item(TableName=table, Item=changed, **condition)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise
            raise StaleLab("The lab was changed by somebody else meanwhile.") from error
    if changed["sk"] != item["sk"]:
        with translate("dynamodb:DeleteItem"):
            client.delete_item(TableName=table, Key={name: item[name] for name in ("pk", "sk")})


def _changed(name: str, value: Item, change: Callable[[str], str]) -> Item:
    if name in ("body", "owner", "sk"):
        return text(change(value["S"]))
    if name == "packed":
        return {"B": gzip.compress(change(gzip.decompress(value["B"]).decode()).encode(), mtime=0)}
    return value


def _items(client: Any, table: str, lab_id: str) -> Iterator[Item]:
    return all_items(client, table, Listing("pk = :pk", {":pk": text(lab_pk(lab_id))}, (), {}))

"""The one table: every read and write of it, with AWS's errors as the domain's."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from chalicelib.aws.clients.errors import translate
from chalicelib.aws.dynamodb.codec import thing_of
from chalicelib.aws.dynamodb.keys import Item, text
from chalicelib.aws.dynamodb.pages import Listing, cursor_of, read_cursor
from chalicelib.aws.dynamodb.transactions import NEW, Reason, is_written, put, reasons_of
from chalicelib.domain.errors.saving import ATTEMPTS
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, Throttled, Unreadable

#: Keys that one BatchGetItem takes. Source: DynamoDB's API reference.
_BATCH = 100
Shape = TypeVar("Shape")


class Table:
    """A table, by a boto3 `dynamodb` client. Reads are strongly consistent except from indexes."""

    def __init__(self, client: Any, name: str) -> None:
        self._client, self._name = client, name

    def get(self, key: Item) -> Item | None:
        """One item, or None."""
        with translate("dynamodb:GetItem"):
            item: Item | None = self._client.get_item(TableName=self._name, Key=key, ConsistentRead=True).get("Item")
        return item

    def load(self, shape: type[Shape], key: Item) -> Shape | None:
        """The domain object in one item, or None. Raises Unreadable."""
        item = self.get(key)
        return None if item is None else thing_of(shape, item)

    def put(self, item: Item) -> None:
        """Write or overwrite an item."""
        with translate("dynamodb:PutItem"):
            self._client.put_item(TableName=self._name, Item=item)

    def put_if(self, item: Item, condition: str, **request: Any) -> bool:
        """Write an item if the condition holds; return whether it did."""
        return self._holds("dynamodb:PutItem", self._client.put_item, condition, Item=item, **request)

    def put_version(self, item: Item, seen: int | None) -> bool:
        """Write an item in the place of the version that was read; return False if another writer was first."""
        if seen is None:
            return self.put_if(item, NEW)
        return self.put_if(item, "version = :seen", ExpressionAttributeValues={":seen": {"N": str(seen)}})

    def update_if(self, key: Item, expression: str, condition: str, values: Item) -> bool:
        """Update an item if the condition holds; return whether it did."""
        request = {"Key": key, "UpdateExpression": expression, "ExpressionAttributeValues": values}
        return self._holds("dynamodb:UpdateItem", self._client.update_item, condition, **request)

    def update(self, key: Item, expression: str, values: Item, **request: Any) -> None:
        """Update an item. Raises AwsRefused if a condition in `request` does not hold."""
        if values:
            request["ExpressionAttributeValues"] = values
        with translate("dynamodb:UpdateItem"):
            self._client.update_item(TableName=self._name, Key=key, UpdateExpression=expression, **request)

    def delete(self, key: Item) -> None:
        """Delete an item; a missing one is success."""
        with translate("dynamodb:DeleteItem"):
            self._client.delete_item(TableName=self._name, Key=key)

    def transact(self, operations: Sequence[Item], token: str | None = None) -> tuple[Reason, ...]:
        """Write all or nothing. Returns () when written, else one reason for each operation, in order.

        `token` makes a repeated call the same call for ten minutes (≤ 36 characters). Raises Throttled, AwsUnavailable.
        """
        whole = [{kind: {"TableName": self._name, **one[kind]}} for one in operations for kind in one]
        name = "dynamodb:TransactWriteItems"
        with translate(name):
            try:
                self._client.transact_write_items(
                    TransactItems=whole, ClientRequestToken=token or secrets.token_hex(16)
                )
            except ClientError as problem:
                code = problem.response["Error"]["Code"]
                if code == "TransactionInProgressException":
                    raise AwsUnavailable(f"{name}: {problem}") from problem
                if code != "TransactionCanceledException":
                    raise
                return reasons_of(problem)
        return ()

    def replace(self, item: Item, seen: Item | None, new: Iterable[Item] = ()) -> bool:
        """Replace the item that was read, and write new ones with it; return False if another writer was first.

        Each write has an id: it is the next writer's condition, and shows that a write whose answer was lost is done. Raises
        Unreadable if one of the `new` items is there.
        """
        write_id = secrets.token_hex(16)
        mine, guard = text(write_id), ("write_id = :seen", {":seen": seen["write_id"]}) if seen else (NEW, None)
        others = [put({**one, "write_id": mine}, NEW) for one in new]
        reasons = self.transact([put({**item, "write_id": mine}, *guard), *others], write_id)
        if reasons and reasons[0].code == "None" and any(reason.refused for reason in reasons):
            raise Unreadable(f"{item['pk']['S']} has an item that was never published.")
        return is_written(reasons[:1], write_id)

    def items(self, listing: Listing, limit: int | None = None) -> Iterator[Item]:
        """Every item of a query, page by page, at most `limit`."""
        return self._items(listing, None, limit)

    def things(self, shape: type[Shape], listing: Listing, limit: int | None = None) -> Iterator[Shape]:
        """The domain objects in every item of a query, at most `limit`. Raises Unreadable."""
        return (thing_of(shape, item) for item in self.items(listing, limit))

    def page(self, listing: Listing, limit: int, cursor: str | None) -> tuple[list[Item], str | None]:
        """A page of at most `limit` items, and the cursor of the next if there is one. Raises InvalidRequest on `cursor`."""
        start = read_cursor(listing, cursor) if cursor else None
        found = list(self._items(listing, start, limit + 1))
        more = len(found) > limit
        return found[:limit], cursor_of(listing, found[limit - 1]) if more else None

    def short_page(self, listing: Listing, limit: int, cursor: str | None) -> tuple[list[Item], str | None]:
        """Like `page`, by one query that reads twice as many items: a narrow filter gives a short page."""
        start = read_cursor(listing, cursor) if cursor else None
        answer = self._query({**listing.request(limit), "Limit": 2 * limit}, start)
        found, last = answer["Items"], answer.get("LastEvaluatedKey")
        if len(found) > limit:
            return found[:limit], cursor_of(listing, found[limit - 1])
        return found, cursor_of(listing, last) if last else None

    def items_of(self, keys: Sequence[Item]) -> Iterator[Item]:
        """Every existing item of these keys; one call reads up to a hundred. Raises Throttled."""
        left = list({(each["pk"]["S"], each["sk"]["S"]): each for each in keys}.values())
        for _ in range(len(left) // _BATCH + ATTEMPTS):
            if not left:
                return
            asked, left = left[:_BATCH], left[_BATCH:]
            with translate("dynamodb:BatchGetItem"):
                answer = self._client.batch_get_item(RequestItems={self._name: {"Keys": asked, "ConsistentRead": True}})
            yield from answer["Responses"].get(self._name, ())
            left = [*answer.get("UnprocessedKeys", {}).get(self._name, {}).get("Keys", ()), *left]
        if left:
            raise Throttled("dynamodb:BatchGetItem: the table leaves keys unprocessed.")

    def query(self, **request: Any) -> Any:
        """One Query and DynamoDB's answer."""
        with translate("dynamodb:Query"):
            return self._client.query(TableName=self._name, **request)

    def _query(self, request: Item, start: Item | None) -> Any:
        return self.query(**request, **({"ExclusiveStartKey": start} if start else {}))

    def _items(self, listing: Listing, start: Item | None, limit: int | None) -> Iterator[Item]:
        request, count = listing.request(limit), 0
        # A filter may pass most of a page or little: the first query reads a few items, later ones up to a megabyte.
        looked_at = {"Limit": 2 * limit} if limit is not None and listing.filter else {}
        while True:
            answer, looked_at = self._query({**request, **looked_at}, start), {}
            for item in answer["Items"]:
                yield item
                count += 1
                if limit is not None and count >= limit:
                    return
            start = answer.get("LastEvaluatedKey")
            if not start:
                return

    def _holds(self, action: str, call: Any, condition: str, **request: Any) -> bool:
        try:
            with translate(action):
                call(TableName=self._name, ConditionExpression=condition, **request)
        except AwsRefused as refusal:
            if refusal.code != "ConditionalCheckFailedException":
                raise
            return False
        return True


class InTable:
    """A part of a port whose records are in the one table."""

    def __init__(self, client: Any, table: str) -> None:
        self._table = Table(client, table)

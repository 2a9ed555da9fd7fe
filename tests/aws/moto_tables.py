"""Quick transactions of moto's DynamoDB: moto copies the whole table once an operation, to restore it if one fails.

Here a table is copied once a transaction, and only the items that the transaction may change in place. The restored state is
the same. Values of attributes are read by their type's letters, for each of which moto tries several names.
"""

from __future__ import annotations

import copy
from collections import defaultdict
from collections.abc import Mapping, Sequence
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

from moto.core.serialize import ResponseSerializer
from moto.dynamodb import models
from moto.dynamodb.models import DynamoDBBackend
from moto.dynamodb.models.dynamo_type import DynamoType
from moto.dynamodb.models.table import Table

Operation = Mapping[str, Any]
#: Members of an AttributeValue, and of no other structure of DynamoDB's.
TYPES = frozenset({"S", "N", "B", "SS", "NS", "BS", "M", "L", "NULL", "BOOL"})


class Transaction:
    """The tables of one transaction as they were before it."""

    def __init__(self, operations: Sequence[Mapping[str, Operation]]) -> None:
        self._operations = [next(iter(each.values())) for each in operations]
        self._before: dict[str, Table] = {}

    def before(self, table: Table) -> Table:
        """The table's state at its first access."""
        if table.name not in self._before:
            self._before[table.name] = self._copy(table)
        return self._before[table.name]

    def _copy(self, table: Table) -> Table:
        known = copy.copy(table)
        known.items = defaultdict(dict, {value: copy.copy(ranges) for value, ranges in table.items.items()})
        for operation in self._operations:
            if operation["TableName"] == table.name:
                key = operation.get("Key") or operation["Item"]
                partition = known.items.get(DynamoType(key[table.hash_key_attr]), {})
                sort = DynamoType(key[table.range_key_attr])
                if sort in partition:
                    partition[sort] = copy.deepcopy(partition[sort])
        return known


_transaction: ContextVar[Transaction | None] = ContextVar("transaction", default=None)


def install() -> None:
    """Install this in moto's backends of this process. The tables here have a sort key."""
    transact = DynamoDBBackend.transact_write_items

    def transact_write_items(backend: DynamoDBBackend, transact_items: list[dict[str, Any]]) -> None:
        token = _transaction.set(Transaction(transact_items))
        try:
            transact(backend, transact_items)
        finally:
            _transaction.reset(token)

    def deepcopy(thing: Any) -> Any:
        transaction = _transaction.get()
        whole = transaction is not None and isinstance(thing, Table) and thing.range_key_attr is not None
        return transaction.before(thing) if transaction and whole else copy.deepcopy(thing)

    get_value = ResponseSerializer.get_value

    def get_value_by_type(serializer: ResponseSerializer, value: Any, key: str, shape: Any) -> Any:
        by_type = (
            key in TYPES and type(value) is dict and serializer.operation_model.service_model.service_name == "dynamodb"
        )
        return value.get(key) if by_type else get_value(serializer, value, key, shape)

    ResponseSerializer.get_value = get_value_by_type
    DynamoDBBackend.transact_write_items = transact_write_items
    models.copy = SimpleNamespace(deepcopy=deepcopy)

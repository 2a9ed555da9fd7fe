"""Operations of transactions, and DynamoDB's reasons when it cancels one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from botocore.exceptions import ClientError

from chalicelib.aws.dynamodb.keys import Item, expiry
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.tree import Throttled

#: The condition of an item that is to be new.
NEW = "attribute_not_exists(pk)"

_BUSY = frozenset({"TransactionConflict"})
_THROTTLED = frozenset({"ThrottlingError", "ProvisionedThroughputExceeded", "RequestLimitExceeded"})


@dataclass(frozen=True)
class Reason:
    """Why one operation of a transaction failed: DynamoDB's code, and the conflicting item."""

    code: str
    item: Item

    @property
    def refused(self) -> bool:
        """Whether its condition failed."""
        return self.code == "ConditionalCheckFailed"


def is_written(reasons: Sequence[Reason], write_id: str) -> bool:
    """Whether a transaction was written: now, or by an earlier call of this write whose answer was lost."""
    mine = {"S": write_id}
    return not reasons or any(reason.refused and reason.item.get("write_id") == mine for reason in reasons)


def reasons_of(problem: ClientError) -> tuple[Reason, ...]:
    """Why each operation of a cancelled transaction failed. Raises Throttled."""
    message = problem.response.get("CancellationReasons", [])
    reasons = tuple(Reason(reason.get("Code", "None"), reason.get("Item", {})) for reason in message)
    codes = {reason.code for reason in reasons}
    if codes & _THROTTLED:
        raise Throttled(f"dynamodb:TransactWriteItems: {problem}") from problem
    if not codes & _BUSY and not any(reason.refused for reason in reasons):
        raise problem
    return reasons


def put(item: Item, condition: str | None = None, values: Item | None = None) -> Item:
    """A Put inside a transaction, which returns the old item if its condition fails."""
    return {"Put": {"Item": item, **_guarded(condition, values)}}


def delete(key: Item, condition: str, values: Item) -> Item:
    """A Delete inside a transaction."""
    return {"Delete": {"Key": key, **_guarded(condition, values)}}


def add(key: Item, amount: int, most: int | None = None) -> Item:
    """Add to the counter `alive`; refused if it has reached `most`."""
    values: Item = {":amount": {"N": str(amount)}}
    condition = None
    if most is not None:
        condition = "attribute_not_exists(alive) OR alive < :most"
        values[":most"] = {"N": str(most)}
    request = {"Key": key, "UpdateExpression": "ADD alive :amount"}
    return {"Update": {**request, **_guarded(condition, values)}}


def add_all(
    key: Item,
    amounts: Mapping[str, int],
    most: tuple[str, int] | None = None,
    expires_at: datetime | None = None,
    member: tuple[str, str] | None = None,
) -> Item:
    """Add to several counters of one item; missing ones start at zero. `most`: refused if one of them exceeded it.

    `expires_at`: the item's expiry, set by the first. `member`: a set of texts, and the text to add.
    """
    names = {f"#n{index}": name for index, name in enumerate(amounts)}
    values: Item = {f":n{index}": {"N": str(amount)} for index, amount in enumerate(amounts.values())}
    expression = "ADD " + ", ".join(f"#n{index} :n{index}" for index in range(len(amounts)))
    if member is not None:
        names["#member"], values[":member"] = member[0], {"SS": [member[1]]}
        expression += ", #member :member"
    if expires_at is not None:
        expression += " SET expires_at = if_not_exists(expires_at, :expires_at)"
        values[":expires_at"] = expiry(expires_at)
    update = {"Key": key, "UpdateExpression": expression, "ExpressionAttributeNames": names}
    condition = None
    if most is not None:
        index, room = list(amounts).index(most[0]), most[1] - amounts[most[0]]
        condition = f"#n{index} <= :room"
        if room >= 0:
            condition = f"attribute_not_exists(#n{index}) OR {condition}"
        values[":room"] = {"N": str(room)}
    return {"Update": {**update, **_guarded(condition, values)}}


def _guarded(condition: str | None, values: Item | None) -> Item:
    guard: Item = {"ExpressionAttributeValues": values} if values else {}
    if condition:
        guard |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    return guard

"""The number of living labs: a few counters that every creation and every end updates in its own transaction.

`counted` on a lab says whether it is in its counter; a condition on the item prevents counting twice. Labs from
before the counters lack it: the first read counts them, each in a transaction with its mark, and so does an earlier
save. A run that dies half-way leaves nothing counted twice, and the next one continues.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import islice

from chalicelib.aws.dynamodb.curfew.keys import COUNTED
from chalicelib.aws.dynamodb.keys import ALIVE, BY_AGE, EVERYONE, Item, counter_key, lab_id_of, lab_key, text
from chalicelib.aws.dynamodb.labs.counters import running
from chalicelib.aws.dynamodb.pages import Listing, partition
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import ATTEMPTS, add
from chalicelib.domain.costs import Running
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.labs.lab import OVER

#: Labs counted in one transaction; with their counters it stays well under a hundred operations.
_AT_ONCE = 50
_OVER = {f":over{index}": text(phase) for index, phase in enumerate(sorted(OVER))}
_ALIVE = f"NOT phase IN ({', '.join(_OVER)})"
_UNCOUNTED = Listing(
    "everyone = :everyone",
    {":everyone": text(EVERYONE), **_OVER},
    (),
    {},
    index=BY_AGE,
    filter=f"attribute_not_exists(counted) AND {_ALIVE}",
)


class DynamoCounters(InTable):
    """The part of the CurfewStore port that counts labs."""

    def alive_count(self) -> int:
        """Reads a few counters; the first time it counts older labs. Raises AwsUnavailable, Throttled."""
        items = self._tallies()
        if not any(item["sk"] == COUNTED["sk"] for item in items):
            self._count_the_uncounted()
            items = self._tallies()
        return sum(int(item["alive"]["N"]) for item in items if "alive" in item)

    def running(self) -> Running:
        """The same counters. Raises AwsUnavailable, Throttled."""
        return running(self._tallies())

    def _tallies(self) -> list[Item]:
        return list(self._table.items(partition(ALIVE)))

    def _count_the_uncounted(self) -> None:
        ids = (lab_id_of(item) for item in self._table.items(_UNCOUNTED))
        while some := list(islice(ids, _AT_ONCE)):
            self._count(some)
        self._table.put(COUNTED)

    def _count(self, ids: Sequence[str]) -> None:
        """Mark and count the labs that nobody counted in between."""
        for _ in range(ATTEMPTS):
            tallies = Counter(counter_key(lab_id)["sk"]["S"] for lab_id in ids)
            first = {counter_key(lab_id)["sk"]["S"]: counter_key(lab_id) for lab_id in ids}
            counting = [add(first[sk], amount) for sk, amount in tallies.items()]
            reasons = self._table.transact([*(_mark(lab_id) for lab_id in ids), *counting])
            ids = [lab_id for lab_id, reason in zip(ids, reasons, strict=False) if not reason.refused]
            if not ids:
                return
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to count the labs.")


def _mark(lab_id: str) -> Item:
    return {
        "Update": {
            "Key": lab_key(lab_id),
            "UpdateExpression": "SET counted = :counted",
            "ConditionExpression": f"attribute_exists(pk) AND attribute_not_exists(counted) AND {_ALIVE}",
            "ExpressionAttributeValues": {":counted": {"BOOL": True}, **_OVER},
        }
    }

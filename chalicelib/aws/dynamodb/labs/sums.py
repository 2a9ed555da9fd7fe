"""Sums over labs: the counters of living labs (their number, phases and cost an hour), and the months' costs.

A lab's item records its shares of its counter (`tallied`) and of the months' sums (`spending`); each save updates both in one
transaction, so nothing is counted, reserved or freed twice. A month has one item for the installation, each person, each shared
role and each account. A ceiling is a condition of the write that would exceed it. People's sums of all months are one partition,
in order of months, so that one query reads those of a lease across a month's end. A lab from before the counters had phases
enters them with its next save.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from chalicelib.aws.dynamodb.keys import Item, counter_key, key, text
from chalicelib.aws.dynamodb.pages import Listing, partition
from chalicelib.aws.dynamodb.table import InTable
from chalicelib.aws.dynamodb.transactions import Reason, add_all
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.costs import Running
from chalicelib.domain.errors.tree import MonthOverBudget
from chalicelib.domain.identity.callers import identity_of, is_directory_name
from chalicelib.domain.labs.lab import OVER, Lab, Phase
from chalicelib.domain.labs.spending import COST, MonthCeilings, MonthSum, Scope, SumOf, spending, sums_of
from chalicelib.ports.deps import Page

ALIVE, MICRO_USD, _PHASE = "alive", "micro_usd", "phase_"
ALL, PEOPLE = "ALL", "SPENDING#PEOPLE"
#: In a person's sum: the owners whose labs are in it, if they differ from the person's own name.
IDENTITIES = "identities"
#: Kept as long as plans, after the last day of the month.
SUMS_KEPT = timedelta(days=431)
#: Separates month and amount in the names of a lab's own map.
_SEP = "/"
#: Separates the words of a key; and the character after it.
_HASH, _AFTER_HASH = "#", "$"


def tallied(lab: Lab) -> Item:
    """A lab's share, as stored on its item; empty once it is over. Money in millionths of a dollar, to be exact."""
    if lab.phase in OVER:
        return {"M": {}}
    amounts = {ALIVE: 1, f"{_PHASE}{lab.phase}": 1, MICRO_USD: round((lab.hourly_usd or 0.0) * 1_000_000)}
    return _shares(amounts)


def counter_updates(lab_id: str, seen: Item, item: Item) -> list[Item]:
    """The operation that updates the lab's counter to its item; `seen`: the item before, {} if there was none."""
    difference = Counter(_counted_in(item))
    difference.subtract(_counted_in(seen))
    changed = {name: amount for name, amount in difference.items() if amount}
    return [add_all(counter_key(lab_id), changed)] if changed else []


def running(tallies: Iterable[Item]) -> Running:
    """The sum of all counters."""
    sums: Counter[str] = Counter()
    for item in tallies:
        sums.update(_amounts(item))
    phases = {phase: sums[f"{_PHASE}{phase}"] for phase in Phase if sums[f"{_PHASE}{phase}"]}
    return Running(phases, sums[MICRO_USD] / 1_000_000)


def _counted_in(item: Item) -> Mapping[str, int]:
    """The counted share of this item's lab; an item without phases counts as one living lab."""
    if "counted" not in item or not item["counted"]["BOOL"]:
        return {}
    kept: Item = item.get("tallied", {"M": {ALIVE: {"N": "1"}}})["M"]
    return _amounts(kept)


def spending_item(lab: Lab) -> Item:
    """A lab's share, as stored on its item."""
    amounts = {f"{month}{_SEP}{name}": n for month, each in spending(lab).items() for name, n in each.items()}
    return _shares(amounts)


def _shares(amounts: Mapping[str, int]) -> Item:
    return {"M": {name: {"N": str(amount)} for name, amount in amounts.items()}}


@dataclass(frozen=True)
class Addition:
    """One operation on a month's sum. `most`: the ceiling in its condition, in millionths of USD."""

    scope: Scope
    month: str
    amount: int
    most: int | None
    operation: Item

    def refused(self, reason: Reason) -> MonthOverBudget:
        """The error for the caller: the requested amount, and the sum so far."""
        there = int(reason.item.get(COST, {"N": "0"})["N"])
        return MonthOverBudget(self.scope, self.amount, self.most or 0, there, self.month)


def spending_updates(lab: Lab, seen: Item, item: Item, ceilings: MonthCeilings | None) -> tuple[Addition, ...]:
    """The operations that update the sums to the lab's item; `seen`: the item before, {} if there was none.

    Without `ceilings` nothing is refused.
    """
    difference = Counter(_kept(item))
    difference.subtract(_kept(seen))
    months: dict[str, dict[str, int]] = {}
    for name, amount in difference.items():
        month, _, what = name.partition(_SEP)
        if amount:
            months.setdefault(month, {})[what] = amount
    return tuple(
        _addition(lab, sum_of, month, amounts, ceilings) for month, amounts in months.items() for sum_of in sums_of(lab)
    )


def refusal(additions: Sequence[Addition], reasons: Sequence[Reason]) -> MonthOverBudget | None:
    """The first ceiling that was exceeded; the additions were the transaction's last operations."""
    found = zip(additions, reasons[len(reasons) - len(additions) :], strict=True)
    return next((each.refused(reason) for each, reason in found if reason.refused), None)


class DynamoSpending(InTable):
    """The part of the Store port for months' sums."""

    def month_sums(self, month: str, scope: Scope) -> Mapping[str, Mapping[str, int]]:
        sums = (_sum_in(item, scope) for item in self._table.items(_listing(month, scope)))
        return {each.whose: each.amounts for each in sums}

    def month_people(self, months: Sequence[str]) -> Mapping[str, tuple[MonthSum, ...]]:
        """A query of one partition. The identities are the person's own if none are stored."""
        found: dict[str, list[MonthSum]] = {month: [] for month in months}
        first, last = (text(f"{month}{end}") for month, end in ((min(months), _HASH), (max(months), _AFTER_HASH)))
        values = {":pk": text(PEOPLE), ":first": first, ":last": last}
        for item in self._table.items(Listing("pk = :pk AND sk BETWEEN :first AND :last", values, (), {})):
            if (month := item["sk"]["S"].partition(_HASH)[0]) in found:
                found[month].append(_sum_in(item, Scope.PERSON))
        return {month: tuple(sums) for month, sums in found.items()}

    def sums_at(self, wanted: Sequence[SumOf]) -> Mapping[SumOf, Mapping[str, int]]:
        """One batch."""
        keys = {each: _sum_key(*each) for each in wanted}
        found = {(item["pk"]["S"], item["sk"]["S"]): _amounts(item) for item in self._table.items_of([*keys.values()])}
        return {each: found.get((at["pk"]["S"], at["sk"]["S"]), {}) for each, at in keys.items()}

    def month_page(self, month: str, scope: Scope, limit: int, cursor: str | None) -> Page[MonthSum]:
        items, following = self._table.page(_listing(month, scope), limit, cursor)
        return Page(tuple(_sum_in(item, scope) for item in items), following)


def _listing(month: str, scope: Scope) -> Listing:
    first = _sum_key(month, scope, "")
    return partition(first["pk"]["S"], first["sk"]["S"])


def _sum_in(item: Item, scope: Scope) -> MonthSum:
    whose = "" if scope is Scope.INSTALLATION else item["sk"]["S"].partition(_HASH)[2]
    named = {*item.get(IDENTITIES, {"SS": [whose]})["SS"], *([] if is_directory_name(whose) else [whose])}
    return MonthSum(whose, tuple(sorted(named)), _amounts(item))


def _amounts(item: Item) -> Mapping[str, int]:
    return {name: int(each["N"]) for name, each in item.items() if "N" in each and name != "expires_at"}


def _addition(
    lab: Lab,
    sum_of: tuple[Scope, str],
    month: str,
    amounts: Mapping[str, int],
    ceilings: MonthCeilings | None,
) -> Addition:
    scope, whose = sum_of
    added, most = amounts.get(COST, 0), ceilings.most(scope) if ceilings else None
    mine = identity_of(lab.owner)
    member = (IDENTITIES, mine) if scope is Scope.PERSON and whose != mine else None
    guard = (COST, most) if most is not None and added > 0 else None
    operation = add_all(_sum_key(month, scope, whose), amounts, guard, kept_until(month), member)
    return Addition(scope, month, added, most, operation)


def _sum_key(month: str, scope: Scope, whose: str) -> Item:
    if scope is Scope.PERSON:
        return key(PEOPLE, f"{month}{_HASH}{whose}")
    return key(f"SPENDING#{month}", ALL if scope is Scope.INSTALLATION else f"{scope.upper()}{_HASH}{whose}")


def kept_until(month: str) -> datetime:
    """Some days more than a year after the month began: sums serve this year and the last."""
    return datetime.fromisoformat(f"{month}-01T00:00:00+00:00") + SUMS_KEPT


def _kept(item: Item) -> Mapping[str, int]:
    return _amounts(item.get("spending", {"M": {}})["M"])

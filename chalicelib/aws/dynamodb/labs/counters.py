"""Each lab's share of the counters of living labs: its number, its phase, and its cost an hour.

A lab's item records in `tallied` its share of its counter; each save updates both in one transaction. A lab from
before the counters had phases enters them with its next save.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from chalicelib.aws.dynamodb.keys import Item, counter_key
from chalicelib.aws.dynamodb.transactions import add_all
from chalicelib.domain.costs import Running
from chalicelib.domain.labs.lab import OVER, Lab, Phase

ALIVE, MICRO_USD, _PHASE = "alive", "micro_usd", "phase_"


def tallied(lab: Lab) -> Item:
    """A lab's share, as stored on its item; empty once it is over. Money in millionths of a dollar, to be exact."""
    if lab.phase in OVER:
        return {"M": {}}
    amounts = {ALIVE: 1, f"{_PHASE}{lab.phase}": 1, MICRO_USD: round((lab.hourly_usd or 0.0) * 1_000_000)}
    return {"M": {name: {"N": str(amount)} for name, amount in amounts.items()}}


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
        sums.update({name: int(value["N"]) for name, value in item.items() if "N" in value})
    phases = {phase: sums[f"{_PHASE}{phase}"] for phase in Phase if sums[f"{_PHASE}{phase}"]}
    return Running(phases, sums[MICRO_USD] / 1_000_000)


def _counted_in(item: Item) -> Mapping[str, int]:
    """The counted share of this item's lab; an item without phases counts as one living lab."""
    if "counted" not in item or not item["counted"]["BOOL"]:
        return {}
    kept: Item = item.get("tallied", {"M": {ALIVE: {"N": "1"}}})["M"]
    return {name: int(value["N"]) for name, value in kept.items()}

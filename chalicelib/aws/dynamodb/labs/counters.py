"""What each lab adds to the counters of labs alive: itself, its phase, and what it costs an hour.

A lab's item keeps in `tallied` what of it is in its counter; each save brings both in line, in its own transaction. A lab from
before there were phases in the counters is in them with its next save.
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
    """What a lab adds, as its item keeps it; nothing once it is over. Money in millionths of a dollar, to be exact."""
    if lab.phase in OVER:
        return {"M": {}}
    amounts = {ALIVE: 1, f"{_PHASE}{lab.phase}": 1, MICRO_USD: round((lab.hourly_usd or 0.0) * 1_000_000)}
    return {"M": {name: {"N": str(amount)} for name, amount in amounts.items()}}


def counter_updates(lab_id: str, seen: Item, item: Item) -> list[Item]:
    """The operation that brings the lab's counter in line with its item; `seen`: the item before, {} if there was none."""
    difference = Counter(_counted_in(item))
    difference.subtract(_counted_in(seen))
    changed = {name: amount for name, amount in difference.items() if amount}
    return [add_all(counter_key(lab_id), changed)] if changed else []


def running(tallies: Iterable[Item]) -> Running:
    """All counters together."""
    sums: Counter[str] = Counter()
    for item in tallies:
        sums.update({name: int(value["N"]) for name, value in item.items() if "N" in value})
    phases = {phase: sums[f"{_PHASE}{phase}"] for phase in Phase if sums[f"{_PHASE}{phase}"]}
    return Running(phases, sums[MICRO_USD] / 1_000_000)


def _counted_in(item: Item) -> Mapping[str, int]:
    """The part of the counter that this item's lab has added; an item without phases has added one lab alive."""
    if "counted" not in item or not item["counted"]["BOOL"]:
        return {}
    kept: Item = item.get("tallied", {"M": {ALIVE: {"N": "1"}}})["M"]
    return {name: int(value["N"]) for name, value in kept.items()}

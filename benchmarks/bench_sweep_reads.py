"""What an hourly sweep reads of the table, with 100 labs due in fleets of 100, 1,000 and 10,000: items, not seconds.

Beside it a peer that lists every lab by age and decides by what it sees, as a cleaner does that has no index of what is due.
Of the labs that are due 20 are idle, as many as the brake lets go in one night, or all: as if the brake had been raised.
"""

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from benchmarks.sweep_reads import CURFEW, NIGHT, PLANNING, Counting, put_fleet
from chalicelib.aws.curfew_store import DynamoCurfewStore
from chalicelib.aws.store import DynamoStore
from chalicelib.aws.store_keys import BY_AGE, EVERYONE, text
from chalicelib.domain.curfew import CurfewRules
from chalicelib.domain.evening import AtCurfew
from chalicelib.domain.idleness_verdict import Verdict
from chalicelib.domain.lab import Lab, Phase, Planned
from chalicelib.domain.plan import Entry, Fate, Ground, Outcome
from sandbox.emulator import running_sandbox

DUE, GROUP = 100, 25
IDLE = (20, DUE)
FLEETS = (100, 1_000, 10_000)


@dataclass(frozen=True, slots=True)
class Stores:
    """Both stores over one table, behind one counting client."""

    client: Counting
    table: str

    @property
    def labs(self) -> DynamoStore:
        """The labs."""
        return DynamoStore(self.client, self.table)

    @property
    def curfew(self) -> DynamoCurfewStore:
        """What curfew keeps."""
        return DynamoCurfewStore(self.client, self.table)


#: One hourly run. `sweep_idle`'s steps go here in place of `Sweep`, with signals that say idle for the first `idle` labs.
Run = Callable[[Stores, datetime], None]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fleets", type=int, nargs="+", default=FLEETS)
    options = parser.parse_args()
    print(f"items read of the table in one hourly run, {DUE} labs due\n")
    print(f"{'labs':>8}{'idle':>7}{'nothing due':>14}{'planning':>11}{'curfew':>9}{'peer, by age':>15}")
    with running_sandbox() as sandbox:
        client = sandbox.client("dynamodb")
        for count in options.fleets:
            for idle in IDLE:
                row = _measured(client, count, idle)
                print("{:>8,}{:>7}{:>14,}{:>11,}{:>9,}{:>15,}".format(count, idle, *row), flush=True)


def _measured(client: Any, count: int, idle: int) -> list[int]:
    table = f"fleet-{count}-{idle}"
    put_fleet(client, table, count, DUE)
    ours = Sweep(idle).run
    hours: tuple[tuple[Run, datetime], ...] = (
        (ours, PLANNING - timedelta(hours=1)),
        (ours, PLANNING),
        (ours, CURFEW),
        (list_by_age, PLANNING),
    )
    read = []
    for run, now in hours:
        counting = Counting(client)
        run(Stores(counting, table), now)
        read.append(counting.items)
    _check(Stores(Counting(client), table), count, idle)
    client.delete_table(TableName=table)
    return read


def _check(stores: Stores, count: int, idle: int) -> None:
    """What was idle is gone, and nothing else."""
    plan = stores.curfew.plan(NIGHT)
    ended = [fate for _, fate in plan.lines if fate.outcome is Outcome.ENDED] if plan and plan.is_whole else []
    if len(ended) != idle or stores.curfew.alive_count() != count - idle:
        raise RuntimeError(f"{len(ended)} of {idle} ended, and {stores.curfew.alive_count()} of {count} are alive.")


def list_by_age(stores: Stores, _now: datetime) -> None:
    """The peer: every lab there is, each time."""
    start: dict[str, object] = {}
    while True:
        answer = stores.client.query(
            TableName=stores.table,
            IndexName=BY_AGE,
            KeyConditionExpression="everyone = :everyone",
            ExpressionAttributeValues={":everyone": text(EVERYONE)},
            **start,
        )
        if "LastEvaluatedKey" not in answer:
            return
        start = {"ExclusiveStartKey": answer["LastEvaluatedKey"]}


@dataclass(frozen=True, slots=True)
class Sweep:
    """The reads and writes of a run, in the order of ADR 7: what is due is examined, warned of, braked and acted on."""

    idle: int

    def run(self, stores: Stores, now: datetime) -> None:
        """One hour's."""
        rules = stores.curfew.rules(CurfewRules())
        due = [lab_id for lab_id, _ in stores.curfew.labs_awaiting(now, 10 * DUE)]
        idle = sorted(due)[: self.idle]
        for start in range(0, len(due), GROUP):
            _examine(stores, due[start : start + GROUP], idle, now)
        for fate in stores.curfew.unwarned(10 * DUE):
            _warn(stores, fate, now)
        for entry in _to_act_on(stores, now):
            _act(stores, entry, rules, now)
        stores.curfew.blocked(DUE)
        stores.curfew.header(NIGHT)


def _examine(stores: Stores, ids: list[str], idle: list[str], now: datetime) -> None:
    labs = [stores.labs.load_lab(lab_id) for lab_id in ids]
    for lab in labs:
        stores.curfew.put_verdict(Verdict(lab.id, now, now - timedelta(hours=3), lab.id in idle, "as it is"))
    entries = [_entry(lab, now) for lab in labs if lab.id in idle and lab.planned is None]
    if entries:
        stores.curfew.publish(NIGHT, entries, now)
    planned = {entry.lab_id: Planned(NIGHT, entry.id, entry.at) for entry in entries}
    for lab in labs:
        if lab.id in planned:
            _rest(stores, lab, planned[lab.id], CURFEW)
        elif lab.planned is None:
            _rest(stores, lab, None, PLANNING + timedelta(days=1))


def _rest(stores: Stores, lab: Lab, planned: Planned | None, until: datetime) -> None:
    stores.labs.change_lab(lab.id, lambda stored: replace(stored, planned=planned, due_at=until))


def _entry(lab: Lab, now: datetime) -> Entry:
    why = "idle since 18:40: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %), no load-balancer traffic"
    return Entry(NIGHT, lab.id, CURFEW, AtCurfew.END, Ground.IDLE, why, lab.owner, lab.name, lab.region, now)


def _warn(stores: Stores, fate: Fate, now: datetime) -> None:
    stores.curfew.line(fate.night, fate.entry_id)
    stores.labs.load_lab(fate.lab_id)
    stores.curfew.change_fate(fate.night, fate.entry_id, lambda standing: replace(standing, warned_at=now))


def _to_act_on(stores: Stores, now: datetime) -> list[Entry]:
    """The entries whose time has come, if the plan is whole and the brake, which counts the labs alive, is open."""
    plan = stores.curfew.plan(NIGHT)
    if plan is None or not plan.is_whole or not stores.curfew.alive_count():
        return []
    return [entry for entry, fate in plan.lines if entry.at <= now and fate.outcome is Outcome.STANDING]


def _act(stores: Stores, entry: Entry, usual: CurfewRules, now: datetime) -> None:
    stores.curfew.rules(usual)
    stores.labs.load_lab(entry.lab_id)
    stores.curfew.line(entry.night, entry.id)
    stores.curfew.change_fate(entry.night, entry.id, lambda fate: replace(fate, outcome=Outcome.ACTING))
    stores.labs.change_lab(entry.lab_id, lambda stored: stored.moved_to(Phase.DELETED, now))
    stores.curfew.change_fate(entry.night, entry.id, lambda fate: replace(fate, outcome=Outcome.ENDED))


if __name__ == "__main__":
    main()

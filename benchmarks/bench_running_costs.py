"""The cost of running the service: counted in the sandbox, priced by AWS's list, per lab and per month.

A lab of the course passes its whole life (creation, idleness checks and warnings, the end of its lease, later checks), and the
watch reads two fleets. The emulator counts all calls (`emulator/core/bill.py`). Only Lambda's time is assumed, since this
machine's differs from AWS's. The labs' own cost is in docs/reference/costs.md.
"""

import argparse
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from benchmarks.results import Peer, Row, keep
from benchmarks.running_costs import ALARM_METRIC, FIXED, LIST_PRICES, Counts, alarm_metrics, of_month, priced
from emulator.core.settings import Settings
from sandbox.activity import set_activity
from sandbox.mailbox import subscribe
from sandbox.scenarios.fleet import TODAY, put_clusters
from sandbox.schedules import run_curfew, run_watch
from sandbox.stage import Stage, installed

NAME = "measured"
LEASE_HOURS = 3
#: Part -> the most USD that it may cost: a tenth more than was counted, since waits take more or fewer looks.
MOST_USD = {
    "a lab is made": 0.0096,
    "a lab is judged, planned, warned about": 0.00022,
    "a lab is ended, and looked at again": 0.0044,
    "an hour's sweep, nothing due": 0.0005,
    "five minutes' tending, nothing due": 0.00001,
    "a day's watch, nothing to watch": 0.00039,
    "a day's watch of one more cluster": 0.00002,
}
#: Labs, clusters -> the most USD a month.
MONTHS = {"nobody uses it": (0, 0, 15.0), "50 labs": (50, 0, 17.0), "50 labs, 1,000 clusters": (50, 1000, 17.3)}
_FEW, _MORE = 10, 40


@dataclass
class Meter:
    """Counts the calls of a part of a lab's life: the difference between before and after."""

    stage: Stage
    before: Counts = field(default_factory=Counter)

    def of(self, piece: Callable[[], object]) -> Counts:
        """Run the function, and print its counts."""
        self.before = self._now()
        piece()
        after = self._now()
        return Counter({what: after[what] - self.before[what] for what in after})

    def _now(self) -> Counts:
        return Counter(self.stage.sandbox.admin("GET", "bill"))


def main() -> None:
    """Print the counts and the cost, and store the sums."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=0.04, help="wall seconds per AWS second")
    options = parser.parse_args()
    with installed(Settings(scale=options.scale)) as stage:
        pieces = _life_of_a_lab(stage)
        _print_counts(pieces)
        pieces |= (watches := _watches(stage))
    _print_counts(watches)
    keep("running_costs", [*_of_pieces(pieces), *_months(pieces)], Peer.NONE)


def _life_of_a_lab(stage: Stage) -> dict[str, Counts]:
    meter, who = Meter(stage), stage.people.learner
    subscribe(stage.sandbox, stage.outputs["NoticesTopicArn"], "everybody", None)
    idle_hour = meter.of(lambda: run_curfew(stage, datetime.now(UTC) - timedelta(hours=2)))
    tending = meter.of(stage.recover_labs)
    lab_id = ""

    def make() -> None:
        nonlocal lab_id
        body = {"name": NAME, "workHost": True, "leaseHours": LEASE_HOURS}
        lab_id = stage.call(who, "POST", "/labs", body).json["id"]
        _until(stage, lab_id, "ready")

    def end() -> None:
        _take(stage, datetime.now(UTC) + timedelta(hours=LEASE_HOURS, minutes=5))
        _until(stage, lab_id, "deleted")
        for later in (timedelta(minutes=16), timedelta(hours=25)):
            stage.recover_labs(datetime.now(UTC) + later)
            stage.wait(who, lab_id, lambda _: not _running(stage), seconds=300)

    made = meter.of(make)
    set_activity(stage.sandbox, NAME, "idle")
    planned = meter.of(lambda: run_curfew(stage, datetime.now(UTC) + timedelta(seconds=2)))
    ended = meter.of(end)
    return {
        "a lab is made": made,
        "a lab is judged, planned, warned about": _beyond(planned, idle_hour),
        "a lab is ended, and looked at again": _beyond(ended, idle_hour),
        "an hour's sweep, nothing due": idle_hour,
        "five minutes' tending, nothing due": tending + Counter({"invocations": 1}),
    }


def _watches(stage: Stage) -> dict[str, Counts]:
    """The second day's run of each fleet, after the first day's notices."""
    meter, days = Meter(stage), [TODAY + timedelta(days=n) for n in range(4)]
    stage.sandbox.admin("POST", "clock", {"now": TODAY.isoformat()})
    counted = []
    for number, first in ((_FEW, 0), (_FEW + _MORE, 2)):
        put_clusters(stage.sandbox, [_cluster(n) for n in range(number)])
        run_watch(stage, days[first], seconds=600)
        counted.append(meter.of(partial(run_watch, stage, days[first + 1], 600)))
    few, many = counted
    each = Counter({what: (many[what] - few[what]) / _MORE for what in many})
    return {
        "a day's watch, nothing to watch": Counter({what: max(0, few[what] - _FEW * each[what]) for what in few}),
        "a day's watch of one more cluster": each,
    }


def _cluster(number: int) -> Mapping[str, object]:
    tags = {"owner": f"team-{number % 20}@example.com"}
    version = ("1.33", "1.34", "1.35", "1.36")[number % 4]
    return {"name": f"cluster-{number:04}", "version": version, "tags": tags, "nodegroups": [{"name": "workers"}]}


def _until(stage: Stage, lab_id: str, phase: str) -> None:
    lab = stage.wait(stage.people.learner, lab_id, lambda lab: lab["phase"] in (phase, "failed", "blocked"), 600)
    if lab["phase"] != phase:
        raise SystemExit(f"{lab['phase']}: {lab['reason']}")


def _take(stage: Stage, at: datetime) -> None:
    """Run the hour; the lab must end or there is no result."""
    summary = run_curfew(stage, at)
    if summary["counts"].get("acted") != 1:
        raise SystemExit(f"The sweep did not end the lab: {summary}")


def _running(stage: Stage) -> bool:
    client = stage.sandbox.client("stepfunctions")
    machines = [machine["stateMachineArn"] for machine in client.list_state_machines()["stateMachines"]]
    return any(client.list_executions(stateMachineArn=arn, statusFilter="RUNNING")["executions"] for arn in machines)


def _beyond(counts: Counts, usual: Counts) -> Counts:
    return Counter({what: max(0, counts[what] - usual[what]) for what in counts})


def _print_counts(pieces: Mapping[str, Counts]) -> None:
    kinds = list(LIST_PRICES)
    print(f"{'':<42}" + "".join(f"{kind:>19}" for kind in kinds) + f"{'$':>11}")
    for piece, counts in pieces.items():
        print(
            f"{piece:<42}" + "".join(f"{counts[kind]:>19,.1f}" for kind in kinds) + f"{priced(counts):>11.5f}",
            flush=True,
        )


def _of_pieces(pieces: Mapping[str, Counts]) -> Iterator[Row]:
    """The cost of each part."""
    for piece, counts in pieces.items():
        yield Row(piece, round(priced(counts), 5), "USD", limit=MOST_USD[piece])


def _months(pieces: Mapping[str, Counts]) -> Iterator[Row]:
    """The cost of a month by list prices of us-east-1, without free tiers."""
    template = json.loads((Path(__file__).resolve().parent.parent / ".chalice/resources.json").read_text())
    fixed = {**FIXED, "alarms": ALARM_METRIC * alarm_metrics(template["Resources"])}
    for title, (labs, clusters, most) in MONTHS.items():
        parts = {**of_month(pieces, labs, clusters), **fixed}
        print(f"{title}: {', '.join(f'{part} {usd:.2f}' for part, usd in parts.items() if usd >= 0.005)}")
        yield Row(f"a month, {title}", round(sum(parts.values()), 2), "USD", limit=most)


if __name__ == "__main__":
    main()

"""Time to ready: how much longer than control plane + node group a lab takes, beside doing the same one after another.

Real labs through the REST API of the installed service, on a slowed sandbox; all figures are AWS seconds. The machine's
own time between two states counts 1/scale-fold, so a slower scale is the truer one.
"""

import argparse
import itertools
import statistics
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from emulator.core.settings import Settings
from emulator.eks.state import durations
from sandbox.stage import Stage, installed


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of lab."""

    title: str
    nodegroups: int
    work_host: bool

    @property
    def bound(self) -> float:
        """No tool can be faster: nodes need a control plane."""
        return durations.CREATE_CLUSTER + durations.CREATE_NODEGROUP

    def one_after_another(self, addons: int) -> float:
        """The same things, each begun when the one before has ended."""
        return durations.CREATE_CLUSTER + self.nodegroups * durations.CREATE_NODEGROUP + addons * durations.CREATE_ADDON

    def request(self, name: str) -> dict[str, Any]:
        """The body of POST /labs."""
        groups = [{"name": f"group-{number}", "placement": "public"} for number in range(self.nodegroups)]
        return {"name": name, "nodegroups": groups, "workHost": self.work_host}


CASES = (
    Case("the course's lab", 1, True),
    Case("three node groups", 3, False),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One lab: seconds of AWS from the request to ready, and how many add-ons it got."""

    seconds: float
    addons: int


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=int, default=3, help="labs of each kind, one at a time")
    parser.add_argument("--scale", type=float, default=0.04, help="wall seconds per AWS second")
    options = parser.parse_args()
    print(f"Time to ready, AWS seconds: median of {options.labs} labs at scale {options.scale:g}\n")
    with installed(Settings(scale=options.scale)) as stage:
        runs = {case: list(_runs(stage, case, options.labs, options.scale)) for case in CASES}
    _print_table(runs)


def _runs(stage: Stage, case: Case, labs: int, scale: float) -> Iterator[Run]:
    people = itertools.cycle((stage.people.learner, stage.people.other_learner, stage.people.administrator))
    for number, who in zip(range(labs), people, strict=False):
        began = time.monotonic()
        answer = stage.call(who, "POST", "/labs", case.request(f"lab-{case.nodegroups}-{number}"))
        if answer.status != 202:
            raise SystemExit(answer.body.decode())
        lab = stage.wait(who, answer.json["id"], lambda lab: lab["phase"] in ("ready", "failed"), seconds=600)
        seconds = (time.monotonic() - began) / scale
        if lab["phase"] != "ready":
            raise SystemExit(lab["reason"])
        yield Run(seconds, len(stage.call(who, "GET", f"/labs/{lab['id']}/inventory").json["addons"]))


def _print_table(runs: Mapping[Case, list[Run]]) -> None:
    print(f"{'lab':<20}{'bound':>8}{'ours':>8}{'× bound':>9}{'one by one':>12}{'× ours':>8}{'add-ons':>9}")
    for case, made in runs.items():
        ours, addons = statistics.median(run.seconds for run in made), made[0].addons
        serial = case.one_after_another(addons)
        ratios = f"{ours / case.bound:>9.2f}{serial:>12.0f}{serial / ours:>8.2f}"
        print(f"{case.title:<20}{case.bound:>8.0f}{ours:>8.0f}{ratios}{addons:>9}")


if __name__ == "__main__":
    main()

"""Time to ready: the excess over the longest path through a lab's stack, control plane and node group.

Real labs through the REST API of the installed service, on a slowed sandbox; all figures are AWS seconds. The machine's own time
between two states counts 1/scale-fold: at the scale of 0.5 its three seconds or so are 1 % of a lab's. Labs of different kinds
run in parallel, those of one kind in turn. The peer makes the same resources one after another.
"""

import argparse
import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from benchmarks.results import Peer, Row, keep, measured
from emulator.cloudformation.durations import ready_after
from emulator.core.settings import Settings
from emulator.eks.state import durations
from sandbox.stage import Stage, installed


@dataclass(frozen=True, slots=True)
class Case:
    """A kind of lab."""

    title: str
    nodegroups: int
    work_host: bool
    placement: str = "public"

    def one_after_another(self, addons: int) -> float:
        """The same resources, made one after another."""
        return durations.CREATE_CLUSTER + self.nodegroups * durations.CREATE_NODEGROUP + addons * durations.CREATE_ADDON

    def request(self, name: str) -> dict[str, Any]:
        """The body of POST /labs."""
        groups = [{"name": f"group-{number}", "placement": self.placement} for number in range(self.nodegroups)]
        return {"name": name, "nodegroups": groups, "workHost": self.work_host}


CASES = (
    Case("the course's lab", 1, True),
    Case("three node groups", 3, False),
    Case("private nodes", 1, False, "private"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One lab: its AWS seconds from the request to ready, its number of add-ons, and the least seconds of its stack.

    `without_nat`: the least seconds of the part of the stack that a control plane needs.
    """

    seconds: float
    addons: int
    stack: float
    without_nat: float

    @property
    def bound(self) -> float:
        """No tool can be faster: nodes need a control plane, which needs subnets and a role."""
        return self.stack + durations.CREATE_CLUSTER + durations.CREATE_NODEGROUP


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=int, default=1, help="labs of each kind, one at a time")
    parser.add_argument("--scale", type=float, default=0.5, help="wall seconds per AWS second")
    options = parser.parse_args()
    print(f"Time to ready, AWS seconds: median of {options.labs} labs at scale {options.scale:g}\n")
    with installed(Settings(scale=options.scale)) as stage, ThreadPoolExecutor(len(CASES)) as pool:
        made = pool.map(lambda case: list(_runs(stage, case, options.labs, options.scale)), CASES)
        runs = dict(zip(CASES, made, strict=True))
    keep("time_to_ready", [row for case, made in runs.items() for row in _rows(case, made)], Peer.COMPUTED)


def _runs(stage: Stage, case: Case, labs: int, scale: float) -> Iterator[Run]:
    who = (stage.people.learner, stage.people.other_learner, stage.people.administrator)[CASES.index(case)]
    for number in range(labs):
        began = time.monotonic()
        answer = stage.call(who, "POST", "/labs", case.request(f"lab-{CASES.index(case)}-{number}"))
        if answer.status != 202:
            raise SystemExit(answer.body.decode())
        lab = stage.wait(who, answer.json["id"], lambda lab: lab["phase"] in ("ready", "failed"), seconds=600)
        seconds = (time.monotonic() - began) / scale
        if lab["phase"] != "ready":
            raise SystemExit(lab["reason"])
        addons = stage.call(who, "GET", f"/labs/{lab['id']}/inventory").json["addons"]
        yield Run(seconds, len(addons), *_stack_seconds(stage, lab["id"]))


def _stack_seconds(stage: Stage, lab_id: str) -> tuple[float, float]:
    """The least seconds of the lab's stack, and of its part that does not depend on the NAT gateway."""
    template = stage.sandbox.client("cloudformation").get_template(StackName=f"ekslab-{lab_id}")["TemplateBody"]
    resources = (json.loads(template) if isinstance(template, str) else template)["Resources"]
    ready = ready_after(resources)
    behind = {name for name in ready if name in ("NatGateway", "PrivateRoute")}
    return max(ready.values()), max(after for name, after in ready.items() if name not in behind)


def _rows(case: Case, made: list[Run]) -> Iterator[Row]:
    """Ours beside the bound, and beside the same one after another."""
    first, seconds = made[0], [run.seconds for run in made]
    serial = first.stack + case.one_after_another(first.addons)
    yield measured(
        f"{case.title}, beyond its bound of {first.bound:.0f}", [s - first.bound for s in seconds], "s", limit=45
    )
    yield measured(f"{case.title}, beside one after another", seconds, "s", [serial], times=0.95)
    if first.stack > first.without_nat:
        yield Row(
            f"{case.title}, control plane begun before the NAT gateway", first.stack - first.without_nat, "s less"
        )


if __name__ == "__main__":
    main()

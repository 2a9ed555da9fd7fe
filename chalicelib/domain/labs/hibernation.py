"""Hibernation: the record of node group sizes, written before anything shrinks and needed to wake. Pure.

A recorded size is never recorded again: a step that runs twice would otherwise record zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.sentence import Listed, Sentence
from chalicelib.domain.core.wording import counted
from chalicelib.domain.labs.lab import Hibernation, Lab, NodegroupSize, Phase
from chalicelib.domain.labs.schedule import Holidays, next_wake


def put_to_sleep(lab: Lab, now: datetime, reason: str, holidays: Holidays) -> Lab:
    """The lab on its way to hibernation, in a new run; the caller sets `due_at`, saves it and starts `hibernate`."""
    wake_at = next_wake(lab.spec.schedule, now, holidays)
    hibernation = Hibernation((), now, reason, wake_at)
    return replace(lab.moved_to(Phase.HIBERNATING, now), run=lab.run + 1, hibernation=hibernation)


def awakened(lab: Lab, now: datetime) -> Lab:
    """The lab on its way back, in a new run; the caller sets `due_at`, saves it and starts `wake`."""
    return replace(lab.moved_to(Phase.WAKING, now), run=lab.run + 1)


def asleep(size: NodegroupSize) -> NodegroupSize:
    """The same node group without nodes. EKS requires a maximum of at least one."""
    return replace(size, min=0, desired=0, max=max(size.max, 1))


def remembered(hibernation: Hibernation, sizes: Iterable[NodegroupSize]) -> Hibernation:
    """With the sizes of unrecorded node groups; recorded ones stay."""
    known = {size.name for size in hibernation.sizes}
    new = tuple(size for size in sizes if size.name not in known)
    return replace(hibernation, sizes=(*hibernation.sizes, *new)) if new else hibernation


def wanted_awake(now_is: NodegroupSize, sizes: Sequence[NodegroupSize]) -> NodegroupSize:
    """The size for a node group: the recorded one, unless somebody gave it nodes meanwhile, or created it since."""
    before = next((size for size in sizes if size.name == now_is.name), None)
    return now_is if before is None or now_is.desired > 0 else before


def sleeps_not(lab: Lab) -> bool:
    """Whether no node group has shrunk yet: each size is recorded before its group shrinks."""
    return bool(lab.spec.nodegroups) and (lab.hibernation is None or not lab.hibernation.sizes)


def describe_sizes(sizes: Sequence[NodegroupSize]) -> str:
    """`workers: 2 nodes, gpu: 1 node`, for people."""
    if not sizes:
        return Sentence("there are no node groups")
    return Listed(
        [Sentence("{name}: {nodes}", name=size.name, nodes=counted(size.desired, "node")) for size in sizes],
        between=", ",
    )

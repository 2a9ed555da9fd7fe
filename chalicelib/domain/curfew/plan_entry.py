"""Builds a plan entry from the facts of a look, the lab's next event, and its price.

The curfew run calls it hours ahead of the act. A published entry never changes, so it holds all facts of its messages.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.costs import UNKNOWN_TYPE, Machines, Prices, hourly_cost, saved_hourly
from chalicelib.domain.curfew.look import LookContext
from chalicelib.domain.curfew.messages.limit import describe_limit
from chalicelib.domain.curfew.next_event import NextEvent
from chalicelib.domain.curfew.plan import AT_CURFEW, Entry, Stakes, Trigger
from chalicelib.domain.idleness.evidence import Evidence, Source
from chalicelib.domain.labs.lab import Lab, Planned
from chalicelib.domain.labs.schedule import format_local


def plan_entry(
    context: LookContext, event: NextEvent, prices: Prices, extended: bool = False, evidence: Evidence | None = None
) -> Entry:
    """The entry of `event`. `extended`: AWS bills extended support for the lab's version now.

    The leftovers of a deleted cluster, and an adopted cluster, have no known price.
    """
    lab, priced, seen = context.lab, event.trigger in AT_CURFEW | {Trigger.LEASE}, machines_seen(evidence)
    return Entry(
        night=event.night,
        lab_id=lab.id,
        at=event.at,
        act=event.act,
        trigger=event.trigger,
        reason=_lifted(_reason(context, event), context.shield),
        owner=lab.owner,
        name=lab.name,
        region=lab.region,
        planned_at=context.now,
        stakes=stakes_of(evidence),
        hourly_usd=hourly_cost(lab, prices, extended, seen).certain if priced else None,
        foreseen=event.trigger is not Trigger.LEASE or _is_foreseen(lab, event.at),
        time_zone=lab.spec.schedule.time_zone,
        saved_hourly_usd=saved_hourly(lab, prices, extended, event.act, seen) if priced else None,
    )


def _lifted(reason: str, shield: str) -> str:
    if not shield:
        return reason
    return Sentence(
        "{reason} {shield} That is lifted: the lab has lasted as long as any lab may.", reason=reason, shield=shield
    )


def _is_foreseen(lab: Lab, at: datetime) -> bool:
    """Whether the end is not earlier than was known a day before."""
    return lab.lease_ends_at >= lab.end_foreseen_at(at - timedelta(days=1)).replace(microsecond=0)


def planned_for(lab: Lab, entry: Entry) -> Lab:
    """The lab with its entry and its present lease end: a later extension means that its owner keeps it."""
    return replace(lab, planned=Planned(entry.night, entry.id, entry.at, lab.lease_ends_at))


def stakes_of(evidence: Evidence | None) -> Stakes:
    """Resources deleted with the lab, where they were counted."""
    if evidence is None or evidence.cluster_status is None:
        return Stakes()
    nodes = sum(group.nodes for group in evidence.nodegroups) + evidence.instances_outside
    pods = evidence.kubernetes.user_pods if evidence.kubernetes else None
    return Stakes(nodes, pods, evidence.volumes, len(evidence.balancers))


def machines_seen(evidence: Evidence | None) -> tuple[Machines, ...] | None:
    """The billed machines by type; None if they could not be read."""
    unread = (Source.CLUSTER, Source.INSTANCES)
    if evidence is None or evidence.cluster_status is None or any(why.startswith(unread) for why in evidence.unread):
        return None
    groups = []
    for group in evidence.nodegroups:
        wanted = group.instance_types[0] if group.instance_types else UNKNOWN_TYPE
        groups.append(Machines(group.name, group.machines + (wanted,) * (group.nodes - len(group.machines))))
    kinds = evidence.outside_types + (UNKNOWN_TYPE,) * (evidence.instances_outside - len(evidence.outside_types))
    return (*groups, Machines("", kinds))


def _reason(context: LookContext, event: NextEvent) -> str:
    lab = context.lab
    match event.trigger:
        case Trigger.IDLE:
            return context.verdict.sentence if context.verdict else Sentence("It is idle.")
        case Trigger.LIMIT:
            return describe_limit(context.limit) if context.limit else Sentence("A ceiling of the month is reached.")
        case Trigger.LEASE:
            return Sentence("Its lease ends on {at}.", at=format_local(lab.spec.schedule, lab.lease_ends_at))
        case Trigger.GONE:
            return Sentence("EKS knows no such cluster any more. Everything that it left behind is deleted.")
        case Trigger.ADOPTED:
            return Sentence("Its cluster carries this installation's tags, and no lab is on record for it.")

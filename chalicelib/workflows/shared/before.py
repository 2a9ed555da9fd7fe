"""Records which resources carry the lab's name before it creates any: those are never the lab's.

`provision.begin` calls it. It also records other resources of the same network, which may get the lab's tags later.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.core.sentence import Sentence
from chalicelib.domain.labs.lab import ALIVE, Lab
from chalicelib.domain.teardown.evidence import CSI_TAG, claims, log_group_name
from chalicelib.domain.teardown.external_dns import is_below, overlap
from chalicelib.domain.teardown.target import target_of
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.records import enter_guest, learn

_EARLIER = Sentence("It was there before the lab.")


def look_before(deps: Deps, lab: Lab, vpc_id: str | None, now: datetime) -> None:
    """Record them once. If a source is unreadable, record nothing, so that resources without a creation time are never proved."""
    if deps.store.before(lab.id) is not None:
        return
    target = replace(target_of(lab, ()), vpc_id=vpc_id, had_cluster=True)
    found, _, unreadable = deps.cloud(lab.place).inventory.take(target, ())
    there = [thing for thing in found if not _goes_by(thing)]
    named = [thing for thing in there if set(claims(thing, target, None)) - {f"tag {CSI_TAG}"}]
    enter_guest(deps, lab, named, now, Sentence("seen by begin"), _EARLIER)
    if any(thing.id == log_group_name(lab.name) for thing in there):
        learn(deps, lab, logs_were_there=True)
    if not unreadable:
        deps.store.note_before(lab.id, frozenset(thing.arn for thing in there))


def allot_subdomain(deps: Deps, lab: Lab) -> None:
    """Record the subdomain for external-dns if it is this lab's alone: below its zone, empty, in no other lab."""
    asked, cloud = lab.spec.external_dns, deps.cloud(lab.place)
    if asked is None or lab.facts.subdomain is not None:
        return
    zone = cloud.dns.zone(asked.hosted_zone_id)
    if zone is None or not is_below(asked.domain, zone.name):
        return
    target = replace(target_of(lab, ()), subdomain=asked.domain)
    names = [record.id.split("|")[1] for record in cloud.leftovers.find(Kind.DNS_RECORD, target)]
    taken = any(overlap(name, asked.domain) and not is_below(asked.domain, name) for name in names)
    if not taken and not any(_overlaps(other, lab) for other in deps.store.all_labs(None, ALIVE)):
        learn(deps, lab, subdomain=asked.domain.rstrip("."))


def _goes_by(thing: Resource) -> bool:
    """Clusters and node groups, which `create_cluster` detects, and stacks: one of this name can only be the service's."""
    return thing.kind in (Kind.CLUSTER, Kind.STACK, Kind.NODEGROUP)


def _overlaps(other: Lab, lab: Lab) -> bool:
    one, mine = other.spec.external_dns, lab.spec.external_dns
    if other.id == lab.id or one is None or mine is None or one.hosted_zone_id != mine.hosted_zone_id:
        return False
    return overlap(one.domain, mine.domain)

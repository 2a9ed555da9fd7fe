"""Looks at a hibernated lab: wakes it in its morning or ahead of an upgrade by AWS. Its lease ends it like any other."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.curfew.decision import lifts_shield, shield_of
from chalicelib.domain.curfew.next_event import NextEvent, closing, lease_end_event
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.curfew.wakeup import Waking, decide_waking
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.steps import Event, execution_name
from chalicelib.ports.deps import Deps
from chalicelib.workflows.night.outcomes import DAY, KIND, SOON, change_unless_changed
from chalicelib.workflows.night.put_off_end import tell_put_off
from chalicelib.workflows.night.region import Region
from chalicelib.workflows.night.summary import RunSummary
from chalicelib.workflows.shared.records import WATCH


def examine_hibernated(
    deps: Deps,
    region: Region,
    lab: Lab,
    rules: CurfewRules,
    now: datetime,
    summary: RunSummary,
    until: datetime | None = None,
) -> NextEvent | None:
    """Wake it, or say when to look again; return what it must be planned for now, if anything.

    `until`: it is on a plan for then, and only its waking is of interest.
    """
    cluster, ends = region.cluster_of(lab), lease_end_event(lab, rules, now)
    if cluster is None and until is None:
        return closing(lab, rules, now)
    waking = _waking(deps, region, lab, cluster, now)
    if waking.at is not None and waking.at <= now and rules.mode is Mode.ON:
        _wake(deps, lab, waking, now)
        summary.counts["woken"] += 1
        return None
    faced = until is None and ends.look_at(rules) <= now
    shield = shield_of(cluster.tags, cluster.deletion_protection) if cluster else ""
    if faced and (not shield or lifts_shield(lab, ends.trigger, rules, ends.at)):
        return ends
    if faced:
        tell_put_off(deps, lab, ends, shield, rules, now)
    _look_later(deps, lab, now + DAY if faced else until or ends.look_at(rules), waking, now)
    return None


def _waking(deps: Deps, region: Region, lab: Lab, cluster: ClusterState | None, now: datetime) -> Waking:
    """Nothing wakes a lab without a cluster."""
    if cluster is None:
        return Waking(None, "", None)
    upgrade_at = region.upgrade_ahead(cluster.version, cluster.support_type, now)
    return decide_waking(lab, upgrade_at, deps.curfew.holidays)


def _look_later(deps: Deps, lab: Lab, at: datetime, waking: Waking, now: datetime) -> None:
    """At `at`, or when it wakes; one whose waking is due, and may not be done in a dry run, is looked at by the next run."""
    wakes_at = waking.at and max(waking.at, now + SOON)

    def rested(stored: Lab) -> Lab:
        asleep = replace(stored.hibernation, wake_at=waking.by_clock) if stored.hibernation else None
        return replace(stored, due_at=min(at, wakes_at) if wakes_at else at, hibernation=asleep)

    change_unless_changed(deps, lab, rested)


def _wake(deps: Deps, lab: Lab, waking: Waking, now: datetime) -> None:
    def woken(stored: Lab) -> Lab:
        return replace(stored.moved_to(Phase.WAKING, now), run=stored.run + 1, due_at=now + WATCH)

    changed = change_unless_changed(deps, lab, woken)
    message = f"The lab wakes up. {waking.reason}"
    deps.store.add_event(lab.id, Event(now, KIND, message, {"phase": str(changed.phase)}))
    deps.workflows.start("wake", execution_name(changed, "wake"), {"lab_id": lab.id, "time": now.isoformat()})

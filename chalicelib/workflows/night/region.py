"""Facts of one account's region for the length of one step; the support calendar is read once, at its first use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import Place
from chalicelib.domain.costs import hibernated_cost, hourly_cost
from chalicelib.domain.curfew.plan_entry import machines_seen
from chalicelib.domain.curfew.wakeup import upgrade_ahead
from chalicelib.domain.errors.tree import ResourceGone
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.labs.aws_states import ClusterState
from chalicelib.domain.labs.cluster_identity import is_own_cluster
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spec import SupportPolicy
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.calendar import Calendar
from chalicelib.ports.deps import Deps
from chalicelib.workflows.shared.records import note_version

#: USD. Less is rounding.
_LEAST = 0.0001


@dataclass
class Region:
    """One account's region and its support calendar."""

    deps: Deps
    place: Place
    _calendar: Calendar | None = None

    def calendar(self) -> Calendar:
        """The region's support calendar."""
        if self._calendar is None:
            self._calendar = self.deps.cloud(self.place).clusters.versions()
        return self._calendar

    def upgrade_ahead(self, version: str, support_type: str | None, now: datetime) -> datetime | None:
        """From when on AWS may upgrade a control plane of this version."""
        return upgrade_ahead(version, support_type, self.calendar(), now)

    def is_billed_extended(self, lab: Lab, now: datetime) -> bool:
        """Whether AWS bills extended support for the lab now."""
        policy = str(lab.spec.support_policy)
        return decide_support(lab.kubernetes_version, policy, self.calendar(), now).billed_extended

    def extended_from(self, lab: Lab) -> datetime | None:
        """When billing of extended support begins for the lab's version. Raises KeyError for an unlisted version."""
        entry = self.calendar().get(lab.kubernetes_version)
        if entry is None:
            raise KeyError(lab.kubernetes_version)
        return entry.end_of_standard if lab.spec.support_policy is SupportPolicy.EXTENDED else None

    def cluster_of(self, lab: Lab) -> ClusterState | None:
        """The lab's cluster as EKS returns it; None if there is none, or another one of that name."""
        try:
            state = self.deps.cloud(self.place).clusters.describe(lab.name)
        except ResourceGone:
            return None
        return state if is_own_cluster(lab, state) else None


def note_seen(deps: Deps, region: Region, lab: Lab, evidence: Evidence | None, now: datetime) -> None:
    """Keep the lab's price and Kubernetes version. Call it last: it saves a new version of the record."""
    version = evidence.cluster_version if evidence else ""
    lab = note_version(deps, lab.id, version) if version else lab
    _note_support(deps, region, lab, now)
    usd = _price(deps, region, lab, evidence, now)
    if usd is None or abs(usd - (lab.hourly_usd or 0.0)) < _LEAST:
        return
    deps.store.change_lab(
        lab.id, lambda stored: replace(stored, hourly_usd=round(usd, 6)) if stored.phase in RESTING else stored
    )


def _note_support(deps: Deps, region: Region, lab: Lab, now: datetime) -> None:
    """Adapt the meter to an upgrade, or to a date that AWS moved; a version without a date changes nothing."""
    meter = lab.meter
    if meter is None or lab.spec.support_policy is not SupportPolicy.EXTENDED:
        return
    try:
        begin = region.extended_from(lab)
    except KeyError:
        return
    known = meter.extended_from
    if begin is None or begin == known or (known is not None and begin <= known <= now):
        return
    extra = round(deps.curfew.prices(region.place.region).extended_extra * MICRO)

    def followed(stored: Lab) -> Lab:
        return replace(stored, meter=stored.meter.with_extended_from(begin, extra, now)) if stored.meter else stored

    deps.store.change_lab(lab.id, followed)


def _price(deps: Deps, region: Region, lab: Lab, evidence: Evidence | None, now: datetime) -> float | None:
    """USD an hour, by the machines seen; None if no machines were read and an earlier look knows the price."""
    prices, extended, seen = (
        deps.curfew.prices(region.place.region),
        region.is_billed_extended(lab, now),
        machines_seen(evidence),
    )
    asleep = hibernated_cost(lab, prices, extended).total
    fresh = lab.hourly_usd is None or abs(lab.hourly_usd - asleep) < _LEAST
    if lab.phase is Phase.READY and seen is None and not fresh:
        return None
    return hourly_cost(lab, prices, extended, seen).total

"""Facts of one account's region in one step of a run, and the labs' prices; the support calendar is read at its first use."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from functools import cached_property

from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.core.place import Place
from chalicelib.domain.costs import Prices, hibernated_cost, hourly_cost
from chalicelib.domain.curfew.plan_entry import machines_seen
from chalicelib.domain.idleness.evidence import Evidence
from chalicelib.domain.labs.lab import RESTING, Lab, Phase
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spec import SupportPolicy
from chalicelib.domain.support.assessment import decide_support
from chalicelib.domain.support.calendar import Calendar
from chalicelib.domain.support.deadlines import DeadlineKind
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.shared.records import note_version

#: USD; a smaller difference is rounding.
_LEAST = 0.0001


@dataclass
class Region:
    """One account's region in one step of a run."""

    run: NightRun
    place: Place

    @cached_property
    def calendar(self) -> Calendar:
        """The region's support calendar."""
        return self.run.deps.cloud(self.place).clusters.versions()

    @property
    def prices(self) -> Prices:
        """Prices in the region."""
        return self.run.deps.curfew.prices(self.place.region)

    def upgrade_ahead(self, version: str, support_type: str | None) -> datetime | None:
        """The time from which AWS may upgrade a control plane of this version; None if the calendar has no such date."""
        deadlines = decide_support(version, support_type, self.calendar, self.run.now).deadlines
        return next((each.at for each in deadlines if each.kind is DeadlineKind.FORCED_UPGRADE), None)

    def is_billed_extended(self, lab: Lab) -> bool:
        """Whether AWS bills extended support for the lab now."""
        policy = str(lab.spec.support_policy)
        return decide_support(lab.kubernetes_version, policy, self.calendar, self.run.now).billed_extended


def note_seen(region: Region, lab: Lab, evidence: Evidence | None) -> None:
    """Store the lab's price and Kubernetes version. Call it last: it changes the record's version."""
    deps, version = region.run.deps, evidence.cluster_version if evidence else ""
    lab = note_version(deps, lab.id, version) if version else lab
    _note_support(region, lab)
    usd = _price(region, lab, evidence)
    if usd is None or abs(usd - (lab.hourly_usd or 0.0)) < _LEAST:
        return

    def priced(stored: Lab) -> Lab:
        return replace(stored, hourly_usd=round(usd, 6)) if stored.phase in RESTING else stored

    deps.store.change_lab(lab.id, priced)


def _note_support(region: Region, lab: Lab) -> None:
    """Adapt the meter to an upgrade, or to a moved end of standard support; a version without a date changes nothing."""
    meter, version, now = lab.meter, region.calendar.get(lab.kubernetes_version), region.run.now
    if meter is None or version is None or lab.spec.support_policy is not SupportPolicy.EXTENDED:
        return
    begin, known = version.end_of_standard, meter.extended_from
    if begin == known or (known is not None and begin <= known <= now):
        return
    extra = round(region.prices.extended_extra * MICRO)

    def followed(stored: Lab) -> Lab:
        return replace(stored, meter=stored.meter.with_extended_from(begin, extra, now)) if stored.meter else stored

    region.run.deps.store.change_lab(lab.id, followed)


def _price(region: Region, lab: Lab, evidence: Evidence | None) -> float | None:
    """USD an hour for the machines seen; None if none were read now and an earlier look computed the price."""
    prices, extended, seen = region.prices, region.is_billed_extended(lab), machines_seen(evidence)
    asleep = hibernated_cost(lab, prices, extended).total
    fresh = lab.hourly_usd is None or abs(lab.hourly_usd - asleep) < _LEAST
    if lab.phase is Phase.READY and seen is None and not fresh:
        return None
    return hourly_cost(lab, prices, extended, seen).total

"""A lab's cost over its life, against an oracle without spans: it adds up the life minute by minute."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.labs.lab import NEXT_PHASES, Change, Lab, Phase, Protection
from chalicelib.domain.labs.meter import MICRO, Meter, first_of_month
from chalicelib.domain.labs.spending import COST, foreseen, saved, spending, spent
from tests.examples import examples
from tests.fakes import NOW, a_lab, a_nodegroup, a_spec

ZONES = ("UTC", "Asia/Seoul", "America/New_York", "Europe/Berlin", "Pacific/Chatham", "Australia/Lord_Howe")
#: The oracle's own table of dollars an hour.
BASE, NODE, EXTRA = 0.15, 0.0645, 0.5


def a_meter(**changes: Any) -> Meter:
    meter = Meter(round(BASE * MICRO), {"g": round(NODE * MICRO)}, extended_extra=round(EXTRA * MICRO))
    return replace(meter, **changes)


def a_priced_lab(**changes: object) -> Lab:
    meter = changes.pop("meter", a_meter())
    return a_lab(spec=a_spec(nodegroups=(a_nodegroup(name="g", desired=2),)), meter=meter, **changes)


def moved(lab: Lab, now: datetime, *phases: Phase) -> Lab:
    for phase in phases:
        lab = lab.moved_to(phase, now)
    return lab


@dataclass(frozen=True)
class Life:
    """A lab with phase changes at minutes after its request, and the cost of an hour of each phase."""

    lab: Lab
    stays: tuple[tuple[Phase, int], ...]
    extended_from: datetime | None
    now: datetime


@st.composite
def lives(draw: st.DrawFn) -> Life:
    start = datetime(2026, draw(st.integers(1, 12)), draw(st.integers(1, 28)), draw(st.integers(0, 23)), tzinfo=UTC)
    far = draw(st.none() | st.integers(-600, 6000))
    extended_from = None if far is None else start + timedelta(minutes=far)
    meter = a_meter(zone=draw(st.sampled_from(ZONES)), extended_from=extended_from)
    lab = a_priced_lab(created_at=start, phase_since=start, lease_ends_at=start + timedelta(hours=72), meter=meter)
    now, stays = start, list[tuple[Phase, int]]()
    for _ in range(draw(st.integers(1, 14))):
        minutes = draw(st.integers(0, 900))
        stays.append((lab.phase, minutes))
        now += timedelta(minutes=minutes)
        lab = lab.moved_to(draw(st.sampled_from(sorted(NEXT_PHASES[lab.phase]))), now)
    return Life(lab, tuple(stays), extended_from, now)


def oracle(life: Life, zone: str) -> dict[str, float]:
    """Dollars by month: each minute of the life has a cost, and a month in the zone."""
    found: dict[str, float] = {}
    here, before = life.lab.created_at, Phase.REQUESTED
    for phase, minutes in life.stays:
        paid = before if phase in (Phase.RELEASING, Phase.ROLLING_BACK, Phase.BLOCKED, Phase.LOST) else phase
        for _ in range(minutes):
            hour = {Phase.REQUESTED: 0.0, Phase.DELETED: 0.0, Phase.FAILED: 0.0, Phase.HIBERNATED: BASE}.get(
                paid, BASE + 2 * NODE
            )
            if hour and life.extended_from is not None and here >= life.extended_from:
                hour += EXTRA
            month = here.astimezone(ZoneInfo(zone)).strftime("%Y-%m")
            found[month] = found.get(month, 0.0) + hour / 60
            here += timedelta(minutes=1)
        before = paid
    return {month: cost for month, cost in found.items() if cost}


@settings(max_examples=examples(60), deadline=None)
@given(lives())
def test_what_was_spent_is_what_an_independent_clock_counts(life: Life) -> None:
    meter = life.lab.meter
    assert meter is not None
    counted = oracle(life, meter.zone)
    assert spent(life.lab, life.now) / MICRO == pytest.approx(sum(counted.values()), rel=0.01, abs=1e-4)
    months = meter.months(life.lab.created_at, life.now)
    assert {month: cost / MICRO for month, cost in months.items()} == pytest.approx(counted, rel=0.01, abs=1e-4)


@settings(max_examples=examples(60), deadline=None)
@given(lives())
def test_what_ends_in_its_lease_never_costs_more_than_was_reserved_for_it(life: Life) -> None:
    lab = life.lab
    if lab.ended_at is None or lab.ended_at > lab.lasts_until:
        return
    reserved = foreseen(replace(lab, phase=Phase.READY, meter=replace(lab.meter or a_meter(), spans=())))
    assert spent(lab, life.now) <= reserved + len(lab.meter.spans if lab.meter else ())
    assert saved(lab, life.now).total >= 0


def test_a_month_ends_in_the_installations_zone() -> None:
    """Settled: neither the owner's nor UTC. In Seoul 2026-12 begins on 30 November at 15:00 UTC."""
    assert first_of_month(2026, 12, "Asia/Seoul") == datetime(2026, 11, 30, 15, tzinfo=UTC)
    start = datetime(2026, 11, 30, 14, tzinfo=UTC)
    lab = a_priced_lab(created_at=start, lease_ends_at=start + timedelta(hours=2), meter=a_meter(zone="Asia/Seoul"))
    hour = round((BASE + 2 * NODE) * MICRO)
    assert {month: amounts[COST] for month, amounts in spending(lab).items()} == {"2026-11": hour, "2026-12": hour}


def test_extended_support_is_paid_from_its_very_midnight() -> None:
    midnight = datetime(2026, 12, 2, tzinfo=UTC)
    lab = a_priced_lab(meter=a_meter(extended_from=midnight)).moved_to(
        Phase.PROVISIONING, midnight - timedelta(hours=1)
    )
    hour = round((BASE + 2 * NODE) * MICRO)
    assert spent(lab, midnight) == hour
    assert spent(lab, midnight + timedelta(hours=1)) == 2 * hour + round(EXTRA * MICRO)
    assert lab.meter is not None
    assert lab.meter.hour_at(midnight - timedelta(seconds=1)) == hour
    assert lab.meter.hour_at(midnight) == hour + round(EXTRA * MICRO)


def test_sleep_is_given_back_when_the_lab_wakes_and_not_before() -> None:
    """Settled: hibernation's effect on a reservation. Waking never fails for lack of money."""
    lab = moved(a_priced_lab(), NOW, Phase.PROVISIONING, Phase.READY)
    asked = foreseen(lab)
    asleep = moved(lab, NOW + timedelta(hours=1), Phase.HIBERNATING, Phase.HIBERNATED)
    assert foreseen(asleep) == asked
    awake = asleep.moved_to(Phase.WAKING, NOW + timedelta(hours=3))
    assert foreseen(awake) == asked - 2 * round(2 * NODE * MICRO)
    assert saved(awake, NOW + timedelta(hours=4)).slept == 2 * round(2 * NODE * MICRO)


def test_an_earlier_end_leaves_of_the_reservation_what_the_lab_has_cost() -> None:
    lab = a_priced_lab().moved_to(Phase.PROVISIONING, NOW)
    ended = lab.moved_to(Phase.RELEASING, NOW + timedelta(hours=1)).moved_to(Phase.DELETED, NOW + timedelta(hours=2))
    hour = round((BASE + 2 * NODE) * MICRO)
    [(month, amounts)] = spending(ended).items()
    assert (month, amounts[COST], amounts["ended"]) == ("2026-11", 2 * hour, foreseen(lab) - 2 * hour)


def test_extended_support_that_an_end_avoided_is_told_by_itself() -> None:
    lab = a_priced_lab(meter=a_meter(extended_from=NOW + timedelta(hours=4))).moved_to(Phase.PROVISIONING, NOW)
    ended = moved(lab, NOW + timedelta(hours=2), Phase.RELEASING, Phase.DELETED)
    kept = saved(ended, NOW)
    assert kept.extended == round(4 * EXTRA * MICRO)
    assert kept.ended == 6 * round((BASE + 2 * NODE) * MICRO)


def test_a_price_that_changes_holds_from_the_next_extension_on() -> None:
    """Settled: past hours keep the price of their time."""
    lab = a_priced_lab().moved_to(Phase.PROVISIONING, NOW)
    dearer = lab.priced(replace(a_meter(), asleep=2 * round(BASE * MICRO)), NOW + timedelta(hours=1))
    assert spent(dearer, NOW + timedelta(hours=2)) == 2 * round((BASE + 2 * NODE) * MICRO) + round(BASE * MICRO)


def test_more_nodes_are_paid_from_when_they_are_asked_for_and_fewer_when_they_are_gone() -> None:
    lab = moved(a_priced_lab(), NOW, Phase.PROVISIONING, Phase.READY)
    growing = replace(lab, change=Change(nodes={"g": 4})).moved_to(Phase.UPDATING, NOW + timedelta(hours=1))
    shrinking = replace(lab, change=Change(nodes={"g": 1})).moved_to(Phase.UPDATING, NOW + timedelta(hours=1))
    two = NOW + timedelta(hours=2)
    assert spent(growing, two) - spent(lab, two) == round(2 * NODE * MICRO)
    assert spent(shrinking, two) == spent(lab, two)


def test_a_protection_is_reserved_for_as_a_lease_is() -> None:
    lab = a_priced_lab()
    until = lab.lease_ends_at + timedelta(hours=10)
    protected = replace(lab, protection=Protection(until, "admin", "exam"))
    assert foreseen(protected) - foreseen(lab) == 10 * round((BASE + 2 * NODE) * MICRO)


def test_a_lab_that_was_never_priced_adds_nothing() -> None:
    assert spending(a_lab()) == {}
    assert (foreseen(a_lab()), spent(a_lab(), NOW), saved(a_lab(), NOW).total) == (0, 0, 0)


def test_an_upgrade_ends_extended_support_and_what_it_cost_stays() -> None:
    begin, upgraded = NOW + timedelta(hours=2), NOW + timedelta(hours=5)
    lab = moved(a_priced_lab(meter=a_meter(extended_from=begin)), NOW, Phase.PROVISIONING, Phase.READY)
    assert lab.meter is not None
    later = NOW + timedelta(hours=9)
    meter = lab.meter.with_extended_from(NOW + timedelta(days=300), round(EXTRA * MICRO), upgraded)
    assert meter.extended(NOW, later) == 3 * round(EXTRA * MICRO)
    assert meter.cost(NOW, upgraded) == lab.meter.cost(NOW, upgraded)
    assert lab.meter.cost(NOW, later) - meter.cost(NOW, later) == 4 * round(EXTRA * MICRO)
    again = meter.with_extended_from(None, 0, NOW + timedelta(hours=6))
    assert again.cost(NOW, later) == meter.cost(NOW, later)


def test_a_date_that_aws_moves_holds_from_when_it_is_known() -> None:
    lab = moved(a_priced_lab(meter=a_meter()), NOW, Phase.PROVISIONING, Phase.READY)
    assert lab.meter is not None
    known = NOW + timedelta(hours=4)
    meter = lab.meter.with_extended_from(NOW + timedelta(hours=1), round(EXTRA * MICRO), known)
    assert meter.extended(NOW, NOW + timedelta(hours=6)) == 2 * round(EXTRA * MICRO)
    assert a_meter().with_extended_from(known, 5, NOW).extended_from == known

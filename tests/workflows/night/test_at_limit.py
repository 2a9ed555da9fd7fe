"""`atLimit: hibernate`: at a month's ceiling labs in use sleep, planned, warned and kept like any other; nothing is deleted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.curfew.plan import EntryOutcome, Trigger
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.meter import MICRO, Meter
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.domain.requests.ceilings import AtLimit, MonthLimits, TeamRule
from tests.fakes import NOW
from tests.workflows.night.nights import CURFEW, SEOUL, Nights, Use, busy, idle

REACHED = MonthLimits(person=0.01)
TEAM = Team("eks", ("arn:aws:iam::111122223333:user/lab-*",))


def nights_at(rules: CurfewRules | None = None, use: Any = busy, **offers: Any) -> Nights:
    """One priced lab whose owner is at the ceiling of the month."""
    nights = Nights()
    world = nights.world
    world.store.kept_offers = replace(
        world.store.kept_offers, **({"max_usd_month": REACHED, "at_limit": AtLimit.HIBERNATE} | offers)
    )
    world.deps = replace(world.deps, curfew=replace(world.deps.curfew, teams=(TEAM,)))
    world.deps = replace(world.deps, watch=replace(world.deps.watch, api_url="https://api.example.com"))
    world.curfew.store.put_rules(rules or CurfewRules(max_percent=100))
    add(nights, "lab-a", use)
    return nights


def add(nights: Nights, lab_id: str, use: Use | Any = busy) -> None:
    lab = nights.add(lab_id, use)
    nights.change(lab_id, meter=Meter(MICRO // 10, {}).with_span(lab.created_at, MICRO // 10))


def test_a_lab_in_use_is_planned_warned_and_put_to_sleep_at_its_curfew() -> None:
    nights = nights_at()
    nights.run_hour(NOW)
    [(entry, status)] = nights.lines("lab-a")
    assert (entry.at, entry.trigger, entry.act) == (CURFEW, Trigger.LIMIT, AtCurfew.HIBERNATE)
    assert (status.outcome, status.warned_at) == (EntryOutcome.STANDING, NOW)
    [warning] = [each for each in nights.world.watch.notifier.messages if each.kind == "curfew-warning"]
    body = " ".join(warning.body.split())
    assert "goes to sleep" in warning.subject
    assert "ceiling reached" in warning.subject
    assert "because a ceiling of money is reached" in body
    assert "at the ceiling of 2026-11" in body
    assert "/keep/" in body
    nights.hours(NOW + timedelta(hours=1), 3)
    assert nights.started("hibernate") == ["lab-a"]
    assert nights.started("teardown") == []
    assert nights.lab("lab-a").phase is Phase.HIBERNATED
    assert nights.lines("lab-a")[0][1].outcome is EntryOutcome.HIBERNATED


@pytest.mark.parametrize(
    "offers",
    [
        {"at_limit": AtLimit.ASK},
        {"max_usd_month": MonthLimits()},
        {"max_usd_month": MonthLimits(person=1_000.0)},
        {"teams": (TeamRule("eks", at_limit=AtLimit.ASK),)},
    ],
    ids=str,
)
def test_without_the_opt_in_or_below_the_ceiling_it_lives(offers: dict[str, Any]) -> None:
    nights = nights_at(**offers)
    nights.hours(NOW, 4)
    assert nights.lines("lab-a") == []
    assert nights.lab("lab-a").phase is Phase.READY


@pytest.mark.parametrize(
    "offers",
    [
        {"at_limit": AtLimit.ASK, "teams": (TeamRule("eks", at_limit=AtLimit.HIBERNATE),)},
        {"max_usd_month": MonthLimits(team=0.01)},
        {"max_usd_month": MonthLimits(installation=0.01)},
        {"max_usd_month": MonthLimits(), "teams": (TeamRule("eks", max_usd_month_team=0.01),)},
    ],
    ids=str,
)
def test_teams_may_opt_in_and_every_ceiling_of_a_month_counts(offers: dict[str, Any]) -> None:
    nights = nights_at(**offers)
    nights.hours(NOW, 4)
    assert nights.started("hibernate") == ["lab-a"]


def test_whoever_keeps_it_keeps_it_awake() -> None:
    nights = nights_at()
    nights.run_hour(NOW)
    nights.person("lab-a", "keep", NOW + timedelta(minutes=30))
    nights.hours(NOW + timedelta(hours=1), 4)
    assert nights.lab("lab-a").phase is Phase.READY
    assert nights.started("hibernate") == []


def test_room_below_the_ceiling_at_its_time_leaves_it_running() -> None:
    nights = nights_at()
    nights.run_hour(NOW)
    nights.world.store.kept_offers = replace(nights.world.store.kept_offers, max_usd_month=MonthLimits(person=500.0))
    nights.hours(NOW + timedelta(hours=1), 3)
    [(_, status)] = nights.lines("lab-a")
    assert status.outcome is EntryOutcome.SKIPPED
    assert "room below the ceiling" in status.reason
    assert nights.lab("lab-a").phase is Phase.READY


@pytest.mark.parametrize("mode", [Mode.DRY_RUN, Mode.OFF])
def test_nothing_sleeps_for_it_where_curfew_is_off_or_a_dry_run(mode: Mode) -> None:
    nights = nights_at(CurfewRules(max_percent=100, mode=mode))
    nights.hours(NOW, 4)
    assert nights.started("hibernate") == []


def test_nothing_sleeps_unwarned() -> None:
    """Unreachable under every name: the plan stands, and the lab lives."""
    nights = nights_at()
    nobody = dict.fromkeys(("lab-a", "eks", "admins@example.com"), "Nobody is subscribed.")
    nights.world.curfew.reach.unreachable |= nobody
    nights.hours(NOW, 8)
    assert nights.started("hibernate") == []


def test_an_idle_lab_ends_or_sleeps_by_its_own_evening_as_ever() -> None:
    nights = nights_at(use=idle)
    nights.run_hour(NOW)
    [(entry, _)] = nights.lines("lab-a")
    assert (entry.trigger, entry.act) == (Trigger.IDLE, SEOUL.at_curfew)


@pytest.mark.parametrize(("limits", "others"), [({}, []), ({"installation": 0.01}, [Trigger.LIMIT])])
def test_a_role_s_ceiling_puts_the_labs_of_its_sessions_to_sleep_and_no_others_of_the_same_person(
    limits: dict[str, float], others: list[Trigger]
) -> None:
    """All labs of a person were hibernated for the ceiling of a role under which they had one."""
    nights = nights_at(max_usd_month=MonthLimits(role=0.01, **limits))
    add(nights, "lab-b")
    nights.change("lab-a", person="kim")
    nights.change("lab-b", person="kim", owner="arn:aws:sts::111122223333:assumed-role/Learners/kim")
    nights.run_hour(NOW)
    assert [entry.trigger for entry, _ in nights.lines("lab-b")] == [Trigger.LIMIT]
    assert [entry.trigger for entry, _ in nights.lines("lab-a")] == others

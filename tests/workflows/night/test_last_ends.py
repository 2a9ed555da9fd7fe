"""Every lab ends: an unreachable owner is warned through others, and only people in charge stop a last end.

Issue 11, row 8: a lab whose owner's session name had no confirmed subscription was alive 16 days after its lease of an hour.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.curfew.plan import EntryOutcome, EntryStatus
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.labs.lab import Lab, Phase, Protection
from chalicelib.workflows.night.report import overdue
from chalicelib.workflows.night.warn import administrators, listeners
from tests.fakes import NOW
from tests.workflows.machine import LambdaDied
from tests.workflows.night.nights import CURFEW, Nights, busy

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ALL = CurfewRules(mode=Mode.ON, max_percent=100, max_count=100)
DEAF = "Nobody has confirmed a subscription."
TEAM = Team("shop", ("arn:aws:iam::111122223333:user/lab-*",))


def nights_with(rules: CurfewRules = ALL, *unreachable: str) -> Nights:
    nights = Nights()
    nights.world.curfew.store.put_rules(rules)
    deps = nights.world.deps
    nights.world = replace(nights.world, deps=replace(deps, curfew=replace(deps.curfew, teams=(TEAM,))))
    nights.world.curfew.reach.unreachable |= dict.fromkeys(unreachable, DEAF)
    return nights


def everybody(nights: Nights, lab: Lab) -> dict[str, str]:
    return dict.fromkeys(listeners(nights.world.deps, lab), DEAF)


def status_of(nights: Nights, lab_id: str = "lab-a") -> EntryStatus:
    return nights.lines(lab_id)[-1][1]


@pytest.mark.parametrize(
    ("unreachable", "told"),
    [((), "lab-a"), (("lab-a",), "shop"), (("lab-a", "shop"), None)],
)
def test_who_cannot_be_reached_is_warned_through_the_team_then_administrators(
    unreachable: tuple[str, ...], told: str | None
) -> None:
    nights = nights_with(ALL, *unreachable)
    lab = nights.add("lab-a")
    nights.hours(NOW, 12)
    told = told or administrators(nights.world.deps)
    assert (status_of(nights).outcome, status_of(nights).recipient) == (EntryOutcome.ENDED, told)
    [warning] = [m for m in nights.world.watch.notifier.messages if m.kind == "curfew-warning"]
    assert warning.recipient == told
    assert ("in their place" in warning.body) == bool(unreachable)
    assert ("The lab c-lab-a" in warning.body) == bool(unreachable)
    assert f"A warning was sent to {told}." in nights.sentences(lab.id)
    assert ("Its owner can't be reached" in nights.sentences(lab.id)) == bool(unreachable)


def test_without_anybody_to_warn_an_idle_lab_lives_until_its_last_end_and_no_longer() -> None:
    nights = nights_with()
    lab = nights.add("lab-a", lease_ends_at=CURFEW, ends_by=CURFEW + 2 * DAY)
    nights.world.curfew.reach.unreachable |= everybody(nights, lab)
    nights.hours(NOW, 48)
    assert nights.lab("lab-a").phase is Phase.READY
    assert DEAF in nights.sentences("lab-a")
    nights.hours(NOW + 48 * HOUR, 30)
    assert nights.lab("lab-a").phase is Phase.DELETED
    assert nights.ended["lab-a"] >= CURFEW + 2 * DAY


@pytest.mark.parametrize("ends_by", [NOW - DAY, None], ids=["endsBy", "maxTotalHours"])
@pytest.mark.parametrize("tags", [{}, {"ekslab:protected": "yes"}], ids=["no tag", "a tag"])
@pytest.mark.parametrize("protected", [False, True], ids=["", "deletion protection"])
@pytest.mark.parametrize("use", [None, busy], ids=["idle", "busy"])
def test_a_last_end_goes_over_tags_protection_use_and_warnings_that_reach_nobody(
    ends_by: object, tags: dict[str, str], protected: bool, use: object
) -> None:
    rules = replace(ALL, max_total_hours=24)
    nights = nights_with(rules)
    lab = nights.add("lab-a", lease_ends_at=NOW - DAY, ends_by=ends_by, **({"use": use} if use else {}))
    nights.make_cluster(lab, tags={**lab.tags, **tags}, deletion_protection=protected)
    nights.world.curfew.reach.unreachable |= everybody(nights, lab)
    nights.hours(NOW, 6)
    assert nights.lab("lab-a").phase is Phase.DELETED


@pytest.mark.parametrize("dead", [1, 2, 99])
def test_a_last_end_waits_for_a_run_that_can_warn_and_no_longer_than_an_act_may_be_late(dead: int) -> None:
    nights = nights_with()
    nights.add("lab-a", lease_ends_at=NOW + HOUR, ends_by=NOW + HOUR)
    nights.before = lambda function: died(function) if len(nights.machines) <= dead else None
    nights.hours(NOW, 9)
    [(entry, status)] = nights.lines("lab-a")
    assert nights.lab("lab-a").phase is Phase.DELETED
    if dead < 9:
        assert status.warned_at == NOW + dead * HOUR
        assert nights.ended["lab-a"] == max(entry.at, status.warned_at + HOUR)
    else:
        assert nights.ended["lab-a"] == entry.at + timedelta(hours=ALL.late_hours)


def died(function: str) -> None:
    """The step that notifies people."""
    if function == "warn":
        raise LambdaDied


def test_a_lease_that_is_stored_as_later_than_endsby_ends_by_it() -> None:
    nights = nights_with()
    nights.add("lab-a", busy, lease_ends_at=NOW + 300 * DAY, ends_by=CURFEW)
    nights.hours(NOW, 8)
    assert nights.lab("lab-a").phase is Phase.DELETED


def test_the_brake_holds_judged_ends_but_no_last_one() -> None:
    nights = nights_with(CurfewRules(mode=Mode.ON, max_percent=1, max_count=1))
    for number in range(6):
        nights.add(f"lab-{number}", ends_by=NOW + 20 * DAY, lease_ends_at=NOW + 20 * DAY)
    nights.add("lab-old", adopted=True, lease_ends_at=NOW - DAY, ends_by=NOW - DAY)
    nights.add("lab-new", adopted=True, lease_ends_at=NOW - DAY, ends_by=NOW + 20 * DAY)
    nights.hours(NOW, 10)
    assert nights.lab("lab-old").phase is Phase.DELETED
    assert [nights.lab(f"lab-{number}").phase for number in range(6)] == [Phase.READY] * 6


@pytest.mark.parametrize(
    ("mode", "protection", "why"),
    [
        (Mode.OFF, None, "curfew's mode is off"),
        (Mode.DRY_RUN, None, "curfew's mode is dry-run"),
        (Mode.ON, Protection(NOW + 9 * DAY, "ops@example.com", "an exam"), "ops@example.com protected it until"),
    ],
)
def test_the_report_names_each_lab_that_stays_and_what_keeps_it(
    mode: Mode, protection: Protection | None, why: str
) -> None:
    nights = nights_with(replace(ALL, mode=mode))
    nights.add("lab-a", lease_ends_at=NOW - DAY, ends_by=NOW - DAY, protection=protection)
    nights.add("lab-b", lease_ends_at=NOW + DAY, ends_by=NOW + 9 * DAY)
    nights.hours(NOW, 24)
    assert nights.lab("lab-a").phase is Phase.READY
    [told] = [m for m in nights.world.watch.notifier.messages if m.kind == "curfew-report"][-1:]
    assert "Past their last end, and there still:\n  c-lab-a (lab-a, lab-a)" in told.body
    assert why in " ".join(told.body.split())
    assert "lab-b)" not in told.body.partition("Past their last end")[2]


def test_the_guard_against_damaged_data_holds_last_ends_and_the_report_says_so() -> None:
    nights = nights_with()
    for number in range(5):
        lab = nights.add(f"lab-{number}", busy, lease_ends_at=NOW + 9 * DAY, ends_by=NOW + 9 * DAY)
        known = lab.leased_until(lab.lease_ends_at, lab.created_at)
        nights.world.store.put(replace(known, lease_ends_at=NOW + HOUR, ends_by=NOW + HOUR, version=lab.version + 1))
    nights.hours(NOW, 5)
    assert [nights.lab(f"lab-{number}").phase for number in range(5)] == [Phase.READY] * 5
    [*late] = overdue(nights.world.deps, ALL, NOW + 5 * HOUR)
    assert len(late) == 5
    assert all("as if data were damaged" in each for each in late)

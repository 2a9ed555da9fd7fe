"""The conditions to keep a lab at the last moment, to wait, and to act: one missing condition at a time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from chalicelib.domain.curfew.decision import (
    PROTECTED,
    TAGGED,
    DecisionContext,
    NextAction,
    decide_entry,
    late_after,
    shield_of,
)
from chalicelib.domain.curfew.look import LookContext
from chalicelib.domain.curfew.next_event import NextEvent, lease_end_event
from chalicelib.domain.curfew.plan import AT_CURFEW, EntryStatus, Trigger
from chalicelib.domain.curfew.plan_entry import plan_entry, planned_for
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Phase, Protection
from chalicelib.domain.labs.schedule import AtCurfew, Schedule, local_date
from tests.fakes import a_lab
from tests.fakes.curfew import a_price_list

AT = datetime(2026, 11, 23, 22, tzinfo=UTC)
PLANNED_AT = AT - timedelta(hours=4)
WEEK = timedelta(days=7)


def a_moment(trigger: Trigger = Trigger.IDLE, after: timedelta = timedelta(0), **changes: Any) -> DecisionContext:
    """All conditions hold: the act is due. `lab_...` and `status_...` change the lab's and the status's fields."""
    lab = a_lab(phase=Phase.READY, lease_ends_at=AT + WEEK if trigger in AT_CURFEW else AT)
    act = AtCurfew.HIBERNATE if trigger is Trigger.LIMIT else AtCurfew.END
    event = NextEvent(AT.date(), AT, act, trigger)
    entry = plan_entry(LookContext(lab, None, event, CurfewRules(), PLANNED_AT), event, a_price_list())
    status = EntryStatus(
        entry.night, entry.id, lab.id, warned_at=PLANNED_AT, message_id="message-1", recipient="learner"
    )
    own = {key.removeprefix("lab_"): changes.pop(key) for key in list(changes) if key.startswith("lab_")}
    statuses = {key.removeprefix("status_"): changes.pop(key) for key in list(changes) if key.startswith("status_")}
    now = AT + after
    verdict = Verdict(lab.id, now, now - timedelta(hours=3), idle=True, sentence="idle since 12:00")
    context = DecisionContext(
        entry=entry,
        status=replace(status, **statuses),
        lab=replace(planned_for(lab, entry), **own),
        rules=CurfewRules(),
        now=now,
        gone=trigger is Trigger.GONE,
        verdict=verdict if trigger is Trigger.IDLE else None,
        at_limit=trigger is Trigger.LIMIT,
    )
    return replace(context, **changes)


@pytest.mark.parametrize("trigger", Trigger)
def test_with_everything_there_it_is_done(trigger: Trigger) -> None:
    assert decide_entry(a_moment(trigger)).then is NextAction.ACT


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"lab_phase": Phase.RELEASING}, "being deleted already"),
        ({"lab_planned": None}, "planned anew"),
        ({"lab_protection": Protection(AT + WEEK, "ops@example.com", "a demo")}, "a demo"),
        ({"shield": shield_of({"ekslab:protected": "true"}, False)}, "ekslab:protected"),
        ({"shield": shield_of({}, True)}, "EKS deletion protection is switched on"),
        ({"lab_kept_until": AT + timedelta(days=1)}, "kept until"),
        ({"lab_lease_ends_at": AT + 2 * WEEK}, "extended"),
        ({"verdict": None}, "could not be judged"),
        ({"verdict": Verdict("x", AT - timedelta(hours=1), AT, True, "idle")}, "could not be judged"),
        ({"verdict": Verdict("x", AT, AT, False, "busy: 3 pods")}, "busy: 3 pods"),
        ({"gone": True}, "closed in another way"),
        ({"rules": CurfewRules(mode=Mode.DRY_RUN)}, "dry run"),
        ({"after": timedelta(hours=6, seconds=1)}, "too late"),
        ({"lab_phase": Phase.HIBERNATED}, "sleeps already"),
    ],
)
def test_what_is_missing_lets_an_idle_lab_live_and_says_why(changes: dict[str, Any], why: str) -> None:
    decision = decide_entry(a_moment(**changes))
    assert decision.then is NextAction.LIVE
    assert why in decision.reason


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"after": -timedelta(seconds=1)}, "time has not come"),
        ({"rules": CurfewRules(mode=Mode.OFF)}, "switched off"),
        ({"status_warned_at": None, "status_trouble": "No subscription."}, "No subscription."),
        ({"status_message_id": None}, "not delivered"),
        ({"status_warned_at": AT - timedelta(minutes=59)}, "less than 60 minutes"),
        ({"held": "The brake held the night."}, "The brake held the night."),
        ({"lab_phase": Phase.UPDATING}, "It is updating."),
    ],
)
def test_what_may_still_come_is_waited_for_until_it_is_too_late(changes: dict[str, Any], why: str) -> None:
    decision = decide_entry(a_moment(**changes))
    assert (decision.then, why in decision.reason) == (NextAction.WAIT, True)
    if "after" not in changes and "status_warned_at" not in changes:
        late = decide_entry(a_moment(after=timedelta(hours=7), **changes))
        assert (late.then, why in late.reason) == (NextAction.LIVE, True)


@pytest.mark.parametrize("trigger", [Trigger.LEASE, Trigger.GONE, Trigger.ADOPTED])
def test_nobody_is_held_to_a_warning_of_days_ago(trigger: Trigger) -> None:
    assert decide_entry(a_moment(trigger, after=timedelta(hours=6))).then is NextAction.ACT
    assert decide_entry(a_moment(trigger, after=timedelta(days=20))).then is NextAction.LIVE
    assert decide_entry(a_moment(trigger, after=timedelta(days=20), status_warned_at=None)).then is NextAction.LIVE
    assert decide_entry(a_moment(trigger, after=timedelta(hours=5), status_warned_at=None)).then is NextAction.WAIT
    assert decide_entry(a_moment(trigger, rules=CurfewRules(mode=Mode.DRY_RUN))).then is NextAction.WAIT


@pytest.mark.parametrize("trigger", [Trigger.LEASE, Trigger.GONE, Trigger.ADOPTED])
def test_a_warning_that_came_late_has_all_its_time(trigger: Trigger) -> None:
    warned_at = AT + timedelta(hours=5)
    assert (
        decide_entry(a_moment(trigger, after=timedelta(hours=5, minutes=59), status_warned_at=warned_at)).then
        is NextAction.WAIT
    )
    assert decide_entry(a_moment(trigger, after=timedelta(hours=7), status_warned_at=warned_at)).then is NextAction.ACT


@pytest.mark.parametrize("trigger", Trigger)
@pytest.mark.parametrize("warned", [timedelta(hours=-4), timedelta(hours=5)], ids=["in time", "late"])
@pytest.mark.parametrize("free", [None, AT + timedelta(hours=9)], ids=["never held", "held for nine hours"])
def test_an_act_may_happen_up_to_the_time_that_people_are_told_and_not_after(
    trigger: Trigger, warned: timedelta, free: datetime | None
) -> None:
    facts: dict[str, Any] = {"status_warned_at": AT + warned, "free_at": free}
    last = late_after(a_moment(trigger, **facts))
    assert decide_entry(a_moment(trigger, after=last - AT, **facts)).then is NextAction.ACT
    after = decide_entry(a_moment(trigger, after=last - AT + timedelta(seconds=1), **facts))
    assert (after.then, "too late" in after.reason) == (NextAction.LIVE, True)


@pytest.mark.parametrize(
    ("schedule", "why"),
    [
        (Schedule(curfew=time(23)), "curfew is on Mon 23 Nov 23:00 (UTC) next"),
        (Schedule(time_zone="America/New_York"), "curfew is on Mon 23 Nov 22:00 (America/New_York) next"),
        (Schedule(quiet_dates=(AT.date(),)), "curfew is on Tue 24 Nov 22:00 (UTC) next"),
        (Schedule(weekdays=()), "no curfew any more"),
        (Schedule(holidays="KR"), "curfew is on Tue 24 Nov 22:00 (UTC) next"),
    ],
)
def test_who_moves_curfew_is_not_ended_at_the_time_before(schedule: Schedule, why: str) -> None:
    context = a_moment(holidays=lambda country, year: frozenset({AT.date()}))
    assert decide_entry(context).then is NextAction.ACT
    moved = replace(context, lab=replace(context.lab, spec=replace(context.lab.spec, schedule=schedule)))
    decision = decide_entry(moved)
    assert decision.then is NextAction.LIVE
    assert why in decision.reason


def test_keeping_spares_from_idleness_and_not_from_the_leases_end() -> None:
    assert decide_entry(a_moment(Trigger.LEASE, lab_kept_until=AT + WEEK)).then is NextAction.ACT
    assert decide_entry(a_moment(Trigger.LEASE, lab_lease_ends_at=AT + WEEK)).then is NextAction.LIVE
    assert decide_entry(a_moment(Trigger.LEASE, lab_phase=Phase.HIBERNATED)).then is NextAction.ACT


def test_a_cluster_that_is_there_after_all_is_not_closed() -> None:
    assert decide_entry(a_moment(Trigger.GONE, gone=False)).then is NextAction.LIVE


def test_a_tag_that_says_no_protects_nothing() -> None:
    assert shield_of({"ekslab:protected": "false"}, False) == ""


@pytest.mark.parametrize("shield", [TAGGED, PROTECTED])
def test_row_7_a_protected_cluster_is_spared_until_it_has_lasted_as_long_as_any_lab_may(shield: str) -> None:
    young = a_moment(Trigger.LEASE, shield=shield)
    assert (decide_entry(young).then, decide_entry(young).reason) == (NextAction.LIVE, shield)
    old = a_moment(Trigger.LEASE, shield=shield, lab_created_at=AT - timedelta(hours=CurfewRules().max_total_hours))
    assert decide_entry(old).then is NextAction.ACT
    judged = a_moment(shield=shield, lab_created_at=AT - timedelta(days=100))
    assert decide_entry(judged).then is NextAction.LIVE


@pytest.mark.parametrize(
    ("after", "trouble", "then"),
    [
        (0, "", NextAction.WAIT),
        (5, "", NextAction.WAIT),
        (6, "", NextAction.ACT),
        (0, "Mail to learner came back.", NextAction.ACT),
    ],
)
def test_a_last_end_waits_for_a_warning_that_nobody_tried_and_not_for_one_that_reaches_nobody(
    after: int, trouble: str, then: NextAction
) -> None:
    old = AT - timedelta(hours=CurfewRules().max_total_hours)
    silent = {"status_warned_at": None, "status_message_id": None, "status_trouble": trouble}
    moment = a_moment(Trigger.LEASE, after=timedelta(hours=after), lab_created_at=old, **silent)
    assert decide_entry(moment).then is then


def test_a_lease_that_is_over_already_ends_the_lab_when_notice_was_given() -> None:
    lab = a_lab(phase=Phase.READY, lease_ends_at=AT)
    assert lease_end_event(lab, CurfewRules(), AT - timedelta(hours=1)).at == AT
    late = lease_end_event(lab, CurfewRules(), AT + timedelta(hours=3))
    assert late.at == AT + timedelta(hours=4)
    assert late.night == local_date(lab.spec.schedule, late.at)
    protected = replace(lab, protection=Protection(AT + WEEK, "ops@example.com", "a demo"))
    assert lease_end_event(protected, CurfewRules(), AT - timedelta(hours=1)).at == AT + WEEK

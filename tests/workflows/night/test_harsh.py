"""Evenings with an event between the plan and the act: messages to people stay true."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest

from chalicelib.domain.core.message import Message
from chalicelib.domain.curfew.plan import EntryOutcome, Trigger
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.curfew.signed_links import read_link
from chalicelib.domain.labs.lab import Hibernation, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from chalicelib.workflows.night.warn import listeners
from tests.fakes import NOW
from tests.fakes.builders import in_phase
from tests.workflows.night.nights import CURFEW, SEOUL, TONIGHT, Nights, busy, idle

ALL = CurfewRules(max_percent=100)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def schedule(rules: CurfewRules = ALL) -> Nights:
    nights = Nights()
    nights.world.curfew.store.put_rules(rules)
    return nights


def warnings(nights: Nights) -> list[Message]:
    return [message for message in nights.world.watch.notifier.messages if message.kind == "curfew-warning"]


def move(nights: Nights, own: Schedule, at: datetime) -> None:
    lab = nights.lab("lab-a")
    nights.change("lab-a", spec=replace(lab.spec, schedule=own), due_at=at)


def test_a_later_curfew_chosen_after_the_warning_is_the_one_that_counts() -> None:
    nights = schedule()
    nights.add("lab-a")
    nights.run_hour(NOW)
    move(nights, replace(SEOUL, curfew=time(23)), NOW + HOUR)
    nights.run_hour(NOW + HOUR)
    assert [(entry.at, status.outcome) for entry, status in nights.lines("lab-a")] == [
        (CURFEW, EntryOutcome.SKIPPED),
        (CURFEW + HOUR, EntryOutcome.STANDING),
    ]
    assert len(warnings(nights)) == 2
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == []
    nights.run_hour(CURFEW + HOUR)
    assert nights.started("teardown") == ["lab-a"]


def test_a_day_made_quiet_after_the_warning_is_quiet() -> None:
    nights = schedule()
    nights.add("lab-a")
    nights.run_hour(NOW)
    move(nights, replace(SEOUL, quiet_dates=(TONIGHT,)), CURFEW)
    nights.hours(CURFEW, 7)
    assert nights.started("teardown") == []
    assert "Its schedule was changed" in nights.sentences("lab-a")


def test_a_lease_extended_within_the_lead_lets_the_lab_face_its_curfew_in_the_same_run() -> None:
    nights = schedule()
    nights.add("lab-a", lease_ends_at=CURFEW - HOUR)
    nights.run_hour(CURFEW - 3 * HOUR)
    nights.change("lab-a", lease_ends_at=NOW + 3 * DAY, due_at=CURFEW - 2 * HOUR)
    nights.run_hour(CURFEW - 2 * HOUR)
    assert [(entry.trigger, status.outcome) for entry, status in nights.lines("lab-a")] == [
        (Trigger.LEASE, EntryOutcome.SKIPPED),
        (Trigger.IDLE, EntryOutcome.STANDING),
    ]
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == ["lab-a"]
    assert "no run looked at it" not in nights.sentences("lab-a")


def test_what_nobody_looked_at_in_time_is_told_as_it_was() -> None:
    nights = schedule()
    nights.add("lab-a", busy)
    nights.run_hour(NOW)
    nights.change("lab-a", lease_ends_at=NOW + 4 * DAY, due_at=CURFEW - HOUR / 2)
    nights.run_hour(CURFEW)
    assert "no run looked at it in time to warn anybody" in nights.sentences("lab-a")
    assert "from Mon 23 Nov 21:30 (Asia/Seoul) on" in nights.sentences("lab-a")


def test_a_curfew_of_which_nobody_could_be_warned_in_time_any_more_is_not_planned_for() -> None:
    nights = schedule(CurfewRules(max_percent=100, notice_minutes=180, late_hours=1))
    nights.add("lab-a")
    nights.run_hour(CURFEW - HOUR)
    assert nights.lines("lab-a") == []
    assert "nobody could be warned in time" in nights.sentences("lab-a")


def test_a_lease_whose_warning_went_out_days_ago_ends_only_after_another_warning() -> None:
    nights = schedule()
    nights.add("lab-a", lease_ends_at=CURFEW)
    nights.run_hour(NOW)
    nights.world.curfew.store.put_rules(replace(ALL, mode=Mode.OFF))
    nights.hours(NOW + HOUR, 60)
    nights.world.curfew.store.put_rules(ALL)
    on = NOW + 61 * HOUR
    nights.run_hour(on)
    assert nights.started("teardown") == []
    nights.hours(on + HOUR, 4)
    assert nights.started("teardown") == ["lab-a"]
    done = nights.lines("lab-a")[-1]
    assert done[1].warned_at is not None
    assert done[1].warned_at > on - HOUR
    assert len(warnings(nights)) == 2


def test_a_lease_held_for_days_is_tried_once_a_day_and_told_each_time() -> None:
    nights = schedule(CurfewRules(max_percent=1, max_count=1))
    lab = nights.add("lab-a", lease_ends_at=CURFEW)
    for recipient in listeners(nights.world.deps, lab):
        nights.world.curfew.reach.unreachable[recipient] = f"Nobody has confirmed a subscription for {recipient}."
    nights.hours(NOW, 72)
    assert nights.started("teardown") == []
    assert [status.outcome for _, status in nights.lines("lab-a")][:3] == [EntryOutcome.SKIPPED] * 3
    assert len(nights.lines("lab-a")) <= 4
    assert "Nobody has confirmed" in nights.sentences("lab-a")


def test_the_link_of_a_lease_that_is_over_is_good_for_as_long_as_it_may_be_acted_on() -> None:
    nights = schedule()
    deps = nights.world.deps
    nights.world = replace(
        nights.world, deps=replace(deps, watch=replace(deps.watch, api_url="https://api.example.com"))
    )
    nights.add("lab-a", lease_ends_at=NOW - DAY)
    nights.run_hour(NOW)
    [(entry, _)] = nights.lines("lab-a")
    token = warnings(nights)[0].body.split("/keep/")[1].split()[0]
    assert read_link(token, nights.world.deps.curfew.known_keys(), entry.at + timedelta(hours=6)).entry_id == entry.id


@pytest.mark.parametrize("lease", [NOW - DAY, NOW + 3 * DAY])
def test_nobody_is_warned_of_what_a_tag_on_the_cluster_forbids(lease: datetime) -> None:
    nights = schedule()
    lab = nights.add("lab-a", lease_ends_at=lease)
    seen = idle("lab-a")
    nights.world.curfew.signals.evidence["lab-a"] = lambda now: replace(
        seen(now), cluster_tags={**lab.tags, "ekslab:protected": "yes"}
    )
    nights.hours(NOW, 48)
    assert (nights.lines("lab-a"), warnings(nights)) == ([], [])
    assert 1 <= nights.sentences("lab-a").count("carries the tag ekslab:protected") <= 3


def test_a_sleeper_with_the_tag_is_not_warned_of_its_lease() -> None:
    nights = schedule()
    lab = nights.add("lab-a", phase=Phase.HIBERNATED, hibernation=Hibernation((), NOW, "asked"), lease_ends_at=NOW)
    nights.make_cluster(lab, tags={**lab.tags, "ekslab:protected": "yes"})
    nights.hours(NOW, 26)
    assert nights.lines("lab-a") == []
    assert nights.sentences("lab-a").count("carries the tag") == 2


def test_labs_that_their_owners_deleted_do_not_hold_the_night_for_others() -> None:
    nights = schedule(CurfewRules(max_percent=100, max_count=1))
    for lab_id in ("lab-a", "lab-b", "lab-c"):
        nights.add(lab_id)
    nights.run_hour(NOW)
    for lab_id in ("lab-a", "lab-b"):
        nights.person(lab_id, "release", NOW + HOUR)
    nights.run_hour(CURFEW)
    assert "lab-c" in nights.started("teardown")
    assert [nights.lines(lab_id)[0][1].outcome for lab_id in ("lab-a", "lab-b")] == [EntryOutcome.SKIPPED] * 2


def test_a_run_that_is_hours_old_touches_nothing() -> None:
    nights = schedule()
    nights.add("lab-a")
    nights.run_hour(NOW)
    nights.late = 3 * HOUR
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == []
    nights.late = timedelta(0)
    nights.run_hour(CURFEW + HOUR)
    assert nights.started("teardown") == ["lab-a"]


def test_a_night_that_lasts_longer_elsewhere_is_reported_again() -> None:
    nights = schedule()
    deps = nights.world.deps
    nights.world = replace(nights.world, deps=replace(deps, curfew=replace(deps.curfew, zone="Asia/Seoul")))
    nights.add("lab-a")
    nights.add("lab-b", schedule=Schedule(time_zone="America/New_York"))
    nights.hours(NOW, 40)
    reports = [message for message in nights.world.watch.notifier.messages if message.kind == "curfew-report"]
    tonight = [message.subject for message in reports if "Mon 23 Nov" in message.subject]
    assert len(tonight) == 2
    assert "1 ended" in tonight[0]
    assert "2 ended" in tonight[1]


def test_what_is_left_of_a_cluster_that_is_gone_saves_nothing_that_is_known() -> None:
    nights = schedule()
    nights.drop_cluster(nights.add("lab-a"))
    nights.hours(NOW, 4)
    [(entry, status)] = nights.lines("lab-a")
    assert (entry.trigger, entry.hourly_usd, entry.saved_hourly_usd) == (Trigger.GONE, None, None)
    assert (status.outcome, status.saved_usd) == (EntryOutcome.ENDED, 0.0)


def test_a_sleep_whose_status_was_not_settled_is_reported_as_sleep() -> None:
    nights = schedule()
    lab = nights.add("lab-a", schedule=replace(SEOUL, at_curfew=AtCurfew.HIBERNATE))
    nights.run_hour(NOW)
    [(entry, status)] = nights.lines("lab-a")
    nights.world.curfew.store.statuses[entry.night, entry.id] = replace(status, outcome=EntryOutcome.ACTING)
    asleep = in_phase(nights.lab(lab.id), Phase.HIBERNATED, CURFEW)
    sleep = Hibernation((), CURFEW, "idle")
    nights.change("lab-a", planned=None, phase=asleep.phase, phase_since=CURFEW, hibernation=sleep, due_at=CURFEW + DAY)
    nights.run_hour(CURFEW + 18 * HOUR)
    assert nights.lines("lab-a")[0][1].outcome is EntryOutcome.HIBERNATED

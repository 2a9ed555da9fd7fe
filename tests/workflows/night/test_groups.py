"""Nights of several labs at once: leases end despite the brake, held ends are called off, released ones continue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.api.views.labs import lab_in_list
from chalicelib.domain.curfew.plan import EntryOutcome, Trigger
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.labs.lab import Lab, Protection
from chalicelib.domain.labs.meter import MICRO, Meter
from chalicelib.domain.labs.spec import SupportPolicy
from chalicelib.domain.labs.spending import spent
from chalicelib.services.curfew.plans import release_plan
from tests.fakes import NOW, a_calendar, a_caller, a_spec
from tests.fakes.evidence_builders import a_nodegroup_use
from tests.workflows.night.nights import CURFEW, TONIGHT, Nights, Use, busy, idle

HOUR = timedelta(hours=1)
ADMIN = replace(a_caller(), is_admin=True)


def evening(rules: CurfewRules | None = None) -> Nights:
    nights = Nights()
    nights.world.curfew.store.put_rules(rules or CurfewRules())
    return nights


def mails(nights: Nights, recipient: str, kind: str) -> list[str]:
    return [
        " ".join(message.body.split()) for message in nights.world.watch.notifier.to(recipient) if message.kind == kind
    ]


@pytest.mark.parametrize("labs", [1, 2, 3, 4])
def test_row_8_labs_whose_leases_end_in_one_night_end_however_few_there_are(labs: int) -> None:
    nights = evening()
    for number in range(labs):
        nights.add(f"lab-{number}", lease_ends_at=CURFEW)
    nights.hours(NOW, 5)
    assert len(nights.started("teardown")) == labs
    assert not [mail for mail in nights.world.watch.notifier.messages if mail.kind == "curfew-brake"]


def test_row_8_two_labs_of_default_lease_asked_for_in_one_morning_end_by_themselves() -> None:
    nights = evening()
    asked = NOW - 2 * HOUR
    for name in ("lab-a", "lab-b"):
        nights.add(name, busy, created_at=asked, phase_since=asked, lease_ends_at=asked + 8 * HOUR)
    nights.hours(NOW, 8)
    assert sorted(nights.started("teardown")) == ["lab-a", "lab-b"]
    assert all(at - (asked + 8 * HOUR) <= 2 * HOUR for at in nights.ended.values())


def test_row_8_a_learner_with_five_leases_ending_holds_nobodys_curfew() -> None:
    nights = evening()
    for number in range(5):
        nights.add(f"lab-{number}", busy, lease_ends_at=CURFEW)
    nights.add("lab-idle")
    nights.hours(NOW, 5)
    assert len(nights.started("teardown")) == 6


def test_too_many_idle_labs_are_held_called_off_in_the_same_hour_and_leases_end_all_the_same() -> None:
    nights = evening()
    for number in range(3):
        nights.add(f"lab-{number}")
    nights.add("lab-lease", lease_ends_at=CURFEW)
    nights.hours(NOW, 4)
    assert nights.started("teardown") == ["lab-lease"]
    [called_off] = mails(nights, "lab-0", "curfew-called-off")
    assert "That has not happened." in called_off
    assert "The brake held the night" in called_off
    assert "if an administrator releases the night" in called_off.replace("\n", " ")
    nights.run_hour(CURFEW + HOUR)
    assert len(mails(nights, "lab-0", "curfew-called-off")) == 1


def test_a_released_night_goes_on_in_the_next_hour_and_no_further_than_what_was_seen() -> None:
    nights = evening()
    for number in range(3):
        nights.add(f"lab-{number}")
    nights.hours(NOW, 4)
    header = nights.world.curfew.store.header(TONIGHT)
    assert header is not None
    release_plan(nights.world.deps, ADMIN, TONIGHT, header.hash, CURFEW + HOUR / 2)
    nights.run_hour(CURFEW + HOUR)
    assert sorted(nights.started("teardown")) == ["lab-0", "lab-1", "lab-2"]


def damaged(nights: Nights, labs: int) -> None:
    """Leases of three days that a faulty write moved to tonight."""
    for number in range(labs):
        lab = nights.add(f"lab-{number}", busy)
        nights.world.store.put(replace(lab.leased_until(lab.lease_ends_at, lab.created_at), lease_ends_at=CURFEW))


def test_leases_that_nobody_foresaw_hold_the_night_for_a_day_and_owners_are_told() -> None:
    nights = evening()
    damaged(nights, 4)
    nights.hours(NOW, 4)
    assert nights.started("teardown") == []
    [told] = [mail for mail in nights.world.watch.notifier.messages if mail.kind == "curfew-brake"]
    assert "4 leases" in told.subject
    assert "ekslab release 2026-11-23 " in told.body
    assert len(mails(nights, "lab-0", "curfew-called-off")) == 1
    nights.hours(CURFEW + HOUR, 23)
    assert nights.started("teardown") == []
    nights.run_hour(CURFEW + 24 * HOUR)
    assert len(nights.started("teardown")) == 4


def test_a_few_such_leases_hold_nothing_and_a_release_ends_the_hold() -> None:
    few = evening()
    damaged(few, 3)
    few.hours(NOW, 5)
    assert len(few.started("teardown")) == 3
    many = evening()
    damaged(many, 4)
    many.hours(NOW, 10)
    header = many.world.curfew.store.header(TONIGHT)
    assert header is not None
    release_plan(many.world.deps, ADMIN, TONIGHT, header.hash, CURFEW + 7 * HOUR)
    many.run_hour(CURFEW + 7 * HOUR)
    assert len(many.started("teardown")) == 4


def test_an_owner_is_told_when_an_administrator_protects_what_was_to_end_and_not_when_they_keep_it_themselves() -> None:
    nights = evening()
    nights.add("lab-a")
    nights.add("lab-b")
    nights.world.curfew.store.put_rules(CurfewRules(max_percent=100))
    nights.run_hour(NOW)
    nights.change("lab-a", protection=Protection(CURFEW + 24 * HOUR, "ops@example.com", "an exam"), due_at=NOW + HOUR)
    nights.change("lab-b", kept_until=CURFEW + 24 * HOUR, due_at=NOW + HOUR)
    nights.run_hour(NOW + HOUR)
    assert ["an exam" in body for body in mails(nights, "lab-a", "curfew-called-off")] == [True]
    assert mails(nights, "lab-b", "curfew-called-off") == []


def test_a_lab_that_is_in_use_at_its_curfew_is_said_to_live() -> None:
    nights = evening()
    nights.add("lab-a")
    nights.run_hour(NOW)
    nights.world.curfew.signals.evidence["lab-a"] = busy("lab-a")
    nights.hours(NOW + HOUR, 3)
    [(entry, status)] = nights.lines("lab-a")
    assert (entry.trigger, status.outcome) == (Trigger.IDLE, EntryOutcome.SKIPPED)
    [called_off] = mails(nights, "lab-a", "curfew-called-off")
    assert "The warning no longer holds." in called_off
    assert idle("lab-a")(NOW).unread == ()


def test_row_3_the_warning_of_a_lab_with_gpu_machines_prices_them_and_not_what_was_asked_for() -> None:
    """The type is in the launch template: EKS reports none, EC2 reports that of the machines."""
    nights = evening()
    group = a_nodegroup_use(NOW, instance_types=("g5.xlarge",), machines=("g5.xlarge", "g5.xlarge"))
    nights.add("lab-a", lambda each: lambda now: replace(idle(each)(now), nodegroups=(group,)), lease_ends_at=CURFEW)
    nights.run_hour(NOW)
    [(entry, _)] = nights.lines("lab-a")
    assert entry.hourly_usd == pytest.approx(2 * 1.237 + 0.10 + 0.0075 + 0.01, abs=1e-3)
    [warning] = mails(nights, "lab-a", "curfew-warning")
    assert "$2.59 an hour" in " ".join(warning.split())
    assert nights.world.store.load_lab("lab-a").hourly_usd == pytest.approx(entry.hourly_usd)


def test_row_20_a_version_that_somebody_upgraded_to_is_the_labs_from_the_next_look_on() -> None:
    nights = evening()
    nights.add("lab-a", lambda each: lambda now: replace(idle(each)(now), cluster_version="1.37"), lease_ends_at=CURFEW)
    assert nights.world.store.load_lab("lab-a").kubernetes_version == "1.36"
    nights.run_hour(NOW)
    lab = nights.world.store.load_lab("lab-a")
    assert (lab.kubernetes_version, lab_in_list(lab, "", NOW)["version"]) == ("1.37", "1.37")


def test_the_meter_follows_an_upgrade_out_of_extended_support() -> None:
    """Issue 19: past costs of extended support stay; from the first read of the new version there are no further ones."""
    nights = evening()
    meter = Meter(MICRO, extended_extra=MICRO // 2, extended_from=NOW - 2 * HOUR).with_span(NOW - 2 * HOUR, MICRO)
    spec = a_spec(version="1.33", support_policy=SupportPolicy.EXTENDED)

    def upgraded(each: str) -> Use:
        return lambda now: replace(idle(each)(now), cluster_version="1.37")

    nights.add("lab-a", upgraded, lease_ends_at=CURFEW, spec=spec, meter=meter)
    nights.run_hour(NOW)
    lab = nights.world.store.load_lab("lab-a")
    assert lab.meter is not None
    assert spent(lab, NOW) == 3 * MICRO
    assert lab.meter.hour_at(NOW + HOUR) == MICRO
    running = a_calendar().get("1.37")
    assert running is not None
    assert lab.meter.extended_from == running.end_of_standard


def shielded(nights: Nights, lab_id: str, use: Callable[[str], Use] = idle, **changes: Any) -> Lab:
    """A lab with EKS deletion protection, enabled by somebody."""
    lab = nights.add(lab_id, lambda each: lambda now: replace(use(each)(now), deletion_protection=True), **changes)
    nights.make_cluster(lab, deletion_protection=True)
    return lab


def test_row_7_deletion_protection_spares_an_idle_lab() -> None:
    nights = evening()
    shielded(nights, "lab-a")
    nights.hours(NOW, 6)
    assert nights.started("teardown") == []
    assert "EKS deletion protection is switched on" in nights.sentences("lab-a")


def test_row_7_deletion_protection_puts_an_agreed_end_off_by_a_day_and_people_are_told_each_time() -> None:
    nights = evening()
    shielded(nights, "lab-a", busy, lease_ends_at=CURFEW)
    nights.hours(NOW, 30)
    assert nights.started("teardown") == []
    assert len(mails(nights, "lab-a", "curfew-put-off")) == 2
    assert len(mails(nights, "admins@example.com", "curfew-put-off")) == 2
    assert "So its end is put off by a day." in mails(nights, "lab-a", "curfew-put-off")[0]


def test_row_7_a_lab_that_has_lasted_as_long_as_any_may_ends_and_its_warning_says_that_protection_is_lifted() -> None:
    nights = evening()
    shielded(nights, "lab-a", busy, lease_ends_at=CURFEW, created_at=CURFEW - 336 * HOUR)
    nights.hours(NOW, 5)
    assert nights.started("teardown") == ["lab-a"]
    [warning] = mails(nights, "lab-a", "curfew-warning")
    assert "EKS deletion protection is switched on for its cluster. That is lifted" in " ".join(warning.split())


def test_row_7_protection_that_comes_after_the_warning_is_told_at_its_time() -> None:
    nights = evening()
    lab = nights.add("lab-a", busy, lease_ends_at=CURFEW)
    nights.run_hour(NOW)
    nights.make_cluster(lab, deletion_protection=True)
    nights.hours(NOW + HOUR, 3)
    assert nights.started("teardown") == []
    [called_off] = mails(nights, "lab-a", "curfew-called-off")
    assert "EKS deletion protection" in called_off

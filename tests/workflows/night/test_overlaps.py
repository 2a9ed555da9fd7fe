"""Two curfew runs of one hour at the same time: wherever the second interrupts the first, each mail is sent once."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.teardown.adoption import PROTECTED_TAG
from tests.fakes import NOW
from tests.workflows.night.nights import Nights, busy, idle

#: The numbers of calls of the first one after which the second one runs.
MOMENTS = (
    "line",
    "load_lab",
    "change_status",
    "undeliverable_reason",
    "send",
    "add_event",
    "plan",
    "header",
    "change_header",
)


def mails(nights: Nights) -> Counter[tuple[str, str, str]]:
    return Counter((mail.kind, mail.recipient, mail.subject) for mail in nights.world.watch.notifier.messages)


@pytest.mark.parametrize("rules", [CurfewRules(max_percent=100), CurfewRules(max_percent=1)], ids=["free", "braked"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_two_sweeps_of_an_hour_send_each_mail_once(moment: str, rules: CurfewRules) -> None:
    nights = Nights()
    nights.world.curfew.store.put_rules(replace(rules, young_hours=0))
    for lab_id, use in {"lab-a": idle, "lab-b": idle, "lab-c": busy}.items():
        nights.add(lab_id, use)
    for hour in range(24):
        at = NOW + timedelta(hours=hour)
        nights.world.account.hooks[moment] = lambda at=at: nights.run_hour(at, settle=False)
        nights.run_hour(at)
        nights.world.account.hooks.clear()
    sent = mails(nights)
    assert {kind for kind, _, _ in sent} >= {"curfew-warning", "curfew-report"}
    assert {mail: count for mail, count in sent.items() if count > 1} == {}


@pytest.mark.parametrize("moment", MOMENTS)
def test_two_sweeps_of_an_hour_tell_once_that_an_agreed_end_is_put_off(moment: str) -> None:
    nights = Nights()
    nights.world.curfew.store.put_rules(CurfewRules(max_percent=100, young_hours=0))
    lab, seen = nights.add("lab-a", lease_ends_at=NOW + timedelta(hours=3)), idle("lab-a")
    tags = {**lab.tags, PROTECTED_TAG: "yes"}
    nights.world.curfew.signals.evidence["lab-a"] = lambda now: replace(seen(now), cluster_tags=tags)
    nights.drop_cluster(lab)
    nights.make_cluster(lab, tags=tags)
    nights.world.curfew.signals.evidence["lab-a"] = lambda now: replace(seen(now), cluster_tags=tags)
    for hour in range(6):
        at = NOW + timedelta(hours=hour)
        nights.world.account.hooks[moment] = lambda at=at: nights.run_hour(at, settle=False)
        nights.run_hour(at)
        nights.world.account.hooks.clear()
    sent = {mail: count for mail, count in mails(nights).items() if mail[0] == "curfew-put-off"}
    assert sorted(recipient for _, recipient, _ in sent) == ["admins@example.com", "lab-a"]
    assert set(sent.values()) == {1}


def test_a_kept_lab_is_off_the_plan_before_the_use_of_others_is_read() -> None:
    """Reading takes minutes, after which the owner may have changed their mind."""
    nights = Nights()
    nights.world.curfew.store.put_rules(CurfewRules(max_percent=100, young_hours=0))
    nights.add("lab-a")
    nights.run_hour(NOW)
    planned = nights.world.store.labs["lab-a"]
    assert planned.planned is not None
    later = NOW + timedelta(hours=1)
    nights.world.store.put(replace(planned, kept_until=NOW + timedelta(hours=9), due_at=later))
    nights.add("lab-b")
    seen = list[object]()
    nights.world.account.hooks["read"] = lambda: seen.append(nights.world.store.labs["lab-a"].planned)
    nights.run_hour(later)
    assert seen[0] is None

"""The month's mails: one to each owner and one to finance, once, in the first days of the next month."""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.meter import MICRO, Meter
from chalicelib.workflows.costs.month import tell_month
from chalicelib.workflows.night.send import send_posts
from chalicelib.workflows.schedules import recover_labs
from tests.fakes import NOW, FakeWorld, a_lab, a_spec, make_deps
from tests.fakes.mailing import with_mail
from tests.words.reading import english_left

FINANCE = "finance@example.com"
DECEMBER = datetime(2026, 12, 1, 0, 5, tzinfo=UTC)
USER = "arn:aws:iam::111122223333:user/{}"
SSO = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_{}/mina"


def a_priced_lab(number: int, owner: str, **changes: Any) -> Lab:
    meter = Meter(MICRO // 10, {"myeks-nodegroup": MICRO // 20}, zone="UTC")
    lab = a_lab(id=f"lab-{number}", owner=owner, spec=a_spec(name=f"n{number}"), meter=meter, **changes)
    return lab.moved_to(Phase.PROVISIONING, NOW).moved_to(Phase.READY, NOW)


def a_world(finance: str | None = FINANCE, zone: str = "UTC") -> FakeWorld:
    world = make_deps()
    world.store.kept_offers = replace(world.store.kept_offers, finance=finance)
    world.deps = replace(world.deps, curfew=replace(world.deps.curfew, zone=zone))
    owners = (USER.format("jun"), USER.format("jun"), SSO.format("Labs"), SSO.format("Power"))
    world.store.put(*(a_priced_lab(number, owner) for number, owner in enumerate(owners)))
    return world


def mails(world: FakeWorld) -> dict[str, str]:
    found = [message for message in world.watch.notifier.messages if message.kind == "month-costs"]
    assert max(Counter(message.recipient for message in found).values(), default=1) == 1
    return {message.recipient: " ".join(message.body.split()) for message in found}


def told(world: FakeWorld, at: datetime) -> int:
    """Run as by the five-minute run."""
    posted = tell_month(world.deps, at)
    send_posts(world.deps, at)
    return posted


def test_each_owner_and_finance_get_one_mail_however_often_the_run_comes() -> None:
    world = a_world()
    assert told(world, DECEMBER) == 3
    for minutes in range(5, 3000, 300):
        assert told(world, DECEMBER + timedelta(minutes=minutes)) == 0
    assert mails(world).keys() == {"jun", "mina", FINANCE}


def test_an_owner_who_hears_nothing_holds_up_nobody_and_is_in_the_log(lines: io.StringIO) -> None:
    world = a_world()
    world.curfew.reach.unreachable["jun"] = "Nobody has confirmed a subscription."
    assert told(world, DECEMBER) == 3
    logged = map(json.loads, lines.getvalue().splitlines())
    assert [each["recipient"] for each in logged if "Nobody takes" in each["message"]] == ["jun"]


def test_finance_that_is_an_owner_too_gets_both_in_one_mail() -> None:
    world = a_world(finance="jun@example.com")
    mailing = with_mail(world, {USER.format("jun"): "jun@example.com", "jun@example.com": "jun@example.com"})
    assert told(world, DECEMBER) == 3
    [letter] = mailing.mailer.to("jun@example.com")
    assert letter.subject.endswith("(and 1 more)")


def test_a_person_gets_one_mail_about_all_their_labs_by_whatever_permission_set() -> None:
    world = a_world()
    told(world, DECEMBER)
    assert "2 labs" in mails(world)["mina"]
    assert "n2 (lab-2" in mails(world)["mina"]
    assert "n3 (lab-3" in mails(world)["mina"]
    assert "n0 (lab-0" not in mails(world)["mina"]


@pytest.mark.parametrize(
    ("finance", "zone", "at", "sent"),
    [
        (None, "UTC", DECEMBER, 0),
        (FINANCE, "UTC", DECEMBER - timedelta(minutes=6), 0),
        (FINANCE, "Asia/Seoul", datetime(2026, 11, 30, 15, 0, tzinfo=UTC), 3),
        (FINANCE, "America/New_York", DECEMBER, 0),
        (FINANCE, "UTC", datetime(2026, 12, 3, 23, 55, tzinfo=UTC), 3),
        (FINANCE, "UTC", datetime(2026, 12, 4, tzinfo=UTC), 0),
    ],
)
def test_they_go_out_in_the_months_first_days_in_the_installations_zone(
    finance: str | None, zone: str, at: datetime, sent: int
) -> None:
    assert told(a_world(finance, zone), at) == sent


def test_one_that_can_not_be_sent_is_tried_again_and_holds_up_nobody() -> None:
    world = a_world()
    world.fail("notifier.send", AwsUnavailable("sns:Publish"))
    assert told(world, DECEMBER) == 3
    assert mails(world).keys() == {"jun", "mina"}
    world.clock.advance(minutes=5)
    assert told(world, DECEMBER + timedelta(minutes=5)) == 0
    assert mails(world).keys() == {"jun", "mina", FINANCE}


@pytest.mark.parametrize("operation", ["all_labs", "add_post", "note_month_told"])
def test_one_person_who_fails_keeps_nobody_else_from_theirs_and_the_run_is_stuck(operation: str) -> None:
    world = a_world()
    world.fail(operation, AwsRefused("dynamodb:Query", "ValidationException", "no"))
    failed = recover_labs(world.deps, DECEMBER.isoformat())["failed"]
    assert [each["error"] for each in failed] == ["AwsRefused"]
    assert mails(world).keys() >= {"mina", FINANCE}
    recover_labs(world.deps, (DECEMBER + timedelta(minutes=5)).isoformat())
    assert mails(world).keys() == {"jun", "mina", FINANCE}


@pytest.mark.parametrize("moment", ["month_told", "add_post", "note_month_told", "waiting", "change_post", "send"])
def test_of_two_runs_at_the_same_time_one_tells(moment: str) -> None:
    world = a_world()
    world.account.hooks[moment] = lambda: told(world, DECEMBER) and None
    told(world, DECEMBER)
    assert mails(world).keys() == {"jun", "mina", FINANCE}


def test_it_says_what_was_spent_saved_and_by_what_the_dearest_and_the_idle_with_their_evidence() -> None:
    world = a_world()
    ended = world.store.labs["lab-0"].moved_to(Phase.RELEASING, NOW + timedelta(hours=1))
    world.store.put(ended.moved_to(Phase.DELETED, NOW + timedelta(hours=1)))
    evidence = "idle since 18:40: no user pods scheduled in 5 h, CPU 3 % (baseline 3 %)"
    verdict = Verdict("lab-1", NOW + timedelta(hours=5), NOW, idle=True, sentence=evidence, since=NOW)
    world.deps.curfew.store.put_verdict(verdict)
    told(world, DECEMBER)
    mail = mails(world)["jun"]
    assert "$1.40 by leases that ended early" in mail
    assert mail.index("n1 (lab-1") < mail.index("n0 (lab-0")
    assert f"{verdict.at:%Y-%m-%d %H:%M} UTC: {evidence}" in mail
    assert "By person (2), the dearest first:" in mails(world)[FINANCE]


def test_who_has_an_address_gets_it_by_mail_in_their_language_and_may_switch_it_off() -> None:
    world = a_world()
    mailing = with_mail(world, {USER.format("jun"): "jun@example.com", FINANCE: FINANCE})
    mailing.languages["jun@example.com"] = "ko"
    world.deps = replace(world.deps, watch=replace(world.deps.watch, api_url="https://labs.example/api"))
    told(world, DECEMBER)
    assert mails(world).keys() == {"mina"}
    [letter], [_] = mailing.mailer.to("jun@example.com"), mailing.mailer.to(FINANCE)
    assert "내 랩 비용" in letter.subject
    assert english_left(f"{letter.subject}\n{letter.text}") == []
    assert "/unsubscribe/" in letter.unsubscribe_url


def test_the_five_minute_run_sends_them() -> None:
    world = a_world()
    recover_labs(world.deps, DECEMBER.isoformat())
    assert mails(world).keys() == {"jun", "mina", FINANCE}

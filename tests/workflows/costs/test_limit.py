"""At a month's ceiling: no new lab is created, owners of labs are asked once to end some, and nothing is ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.identity.person import Person
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.meter import MICRO, Meter
from chalicelib.domain.labs.spending import foreseen
from chalicelib.domain.requests.ceilings import AtLimit, MonthLimits, TeamRule
from chalicelib.workflows.costs.limit import ask_at_limits, limits_that_sleep
from chalicelib.workflows.night.send import send_posts
from chalicelib.workflows.schedules import recover_labs
from tests.fakes import NOW, FakeWorld, a_lab, a_spec, make_deps
from tests.fakes.user_pool import FakeUserPool

USER = "arn:aws:iam::111122223333:user/{}"


def a_priced_lab(number: int, owner: str = "jun") -> Lab:
    meter = Meter(MICRO // 10, {"myeks-nodegroup": MICRO // 20}, zone="UTC")
    lab = a_lab(id=f"lab-{number}", owner=USER.format(owner), spec=a_spec(name=f"n{number}"), meter=meter)
    return lab.moved_to(Phase.PROVISIONING, NOW).moved_to(Phase.READY, NOW)


#: One such lab's reservation, in USD.
ONE = foreseen(a_priced_lab(0, "jun")) / MICRO


def a_world(**offers: Any) -> FakeWorld:
    """Jun has two labs, Mina has one."""
    world = make_deps()
    world.store.kept_offers = replace(world.store.kept_offers, **offers)
    team = Team("eks", (USER.format("jun"), USER.format("mina")))
    world.deps = replace(world.deps, curfew=replace(world.deps.curfew, teams=(team,)))
    world.store.put(*(a_priced_lab(number, owner) for number, owner in enumerate(("jun", "jun", "mina"))))
    return world


def asked_at(world: FakeWorld, at: datetime) -> int:
    """Run as by the five-minute run."""
    posted = ask_at_limits(world.deps, at)
    send_posts(world.deps, at)
    return posted


def asked(world: FakeWorld) -> list[str]:
    return sorted(message.recipient for message in world.watch.notifier.messages if message.kind == "month-limit")


@pytest.mark.parametrize(
    ("offers", "recipients"),
    [
        ({}, []),
        ({"max_usd_month": MonthLimits(person=2 * ONE)}, ["jun"]),
        ({"max_usd_month": MonthLimits(person=2 * ONE + 0.09)}, ["jun"]),
        ({"max_usd_month": MonthLimits(person=2 * ONE + 0.11)}, []),
        ({"max_usd_month": MonthLimits(person=0.0)}, ["jun", "mina"]),
        ({"max_usd_month": MonthLimits(installation=3 * ONE)}, ["jun", "mina"]),
        ({"max_usd_month": MonthLimits(installation=3 * ONE + 1)}, []),
        ({"max_usd_month": MonthLimits(team=3 * ONE)}, ["jun", "mina"]),
        ({"teams": (TeamRule("eks", max_usd_month=ONE),)}, ["jun", "mina"]),
        ({"teams": (TeamRule("eks", max_usd_month_team=3 * ONE),)}, ["jun", "mina"]),
        ({"teams": (TeamRule("other", max_usd_month_team=0.0),)}, []),
    ],
)
def test_whoever_has_labs_below_a_ceiling_that_is_reached_is_asked_once(
    offers: dict[str, Any], recipients: list[str]
) -> None:
    world = a_world(**offers)
    for minutes in (0, 5, 500):
        asked_at(world, NOW + timedelta(minutes=minutes))
    assert asked(world) == recipients


def test_the_sessions_of_a_role_that_is_at_its_ceiling_are_asked() -> None:
    """Members of a group learned it only from refusals: the service checked only people, teams and the installation."""
    world = a_world(max_usd_month=MonthLimits(role=2 * ONE))
    sessions = (
        "arn:aws:sts::111122223333:assumed-role/Learners/kim",
        "arn:aws:sts::111122223333:assumed-role/Others/lee",
    )
    labs = (replace(a_priced_lab(3 + each), owner=sessions[each // 2]) for each in range(3))
    world.store.put(*labs)
    for minutes in (0, 5):
        asked_at(world, NOW + timedelta(minutes=minutes))
    assert asked(world) == ["kim"]
    [message] = [each for each in world.watch.notifier.messages if each.kind == "month-limit"]
    assert "The labs of all sessions of your role are at the ceiling" in " ".join(message.body.split())
    world.store.kept_offers = replace(world.store.kept_offers, at_limit=AtLimit.HIBERNATE)
    assert list(limits_that_sleep(world.deps, NOW)) == [sessions[0]]


def test_the_mail_has_both_sums_each_lab_and_how_to_end_it() -> None:
    world = a_world(max_usd_month=MonthLimits(person=2 * ONE))
    recover_labs(world.deps, NOW.isoformat())
    [message] = [message for message in world.watch.notifier.messages if message.kind == "month-limit"]
    body = " ".join(message.body.split())
    assert f"${2 * ONE:.2f} of ${2 * ONE:.2f}" in body
    assert "ekslab delete cluster lab-0 (n0)" in body
    assert "ekslab delete cluster lab-1 (n1)" in body
    assert "lab-2" not in body


def test_nothing_is_ended_or_put_to_sleep() -> None:
    world = a_world(max_usd_month=MonthLimits(person=0.01, installation=0.01))
    asked_at(world, NOW)
    assert {lab.phase for lab in world.store.labs.values()} == {Phase.READY}


def test_who_has_no_lab_any_more_is_not_asked() -> None:
    world = a_world(max_usd_month=MonthLimits(installation=0.01))
    for lab in list(world.store.labs.values()):
        world.store.put(lab.moved_to(Phase.RELEASING, NOW).moved_to(Phase.DELETED, NOW + timedelta(hours=1)))
    assert asked_at(world, NOW + timedelta(hours=2)) == 0


def test_a_mail_that_can_not_be_sent_is_tried_again_and_keeps_nobody_else_from_theirs() -> None:
    world = a_world(max_usd_month=MonthLimits(person=0.0))
    world.fail("notifier.send", AwsUnavailable("sns:Publish"))
    assert asked_at(world, NOW) == 2
    assert asked(world) == ["mina"]
    world.clock.advance(minutes=5)
    assert asked_at(world, NOW + timedelta(minutes=5)) == 0
    assert asked(world) == ["jun", "mina"]


@pytest.mark.parametrize("operation", ["list_labs", "add_post", "note_month_told"])
def test_one_person_who_fails_keeps_nobody_else_from_theirs_and_the_run_is_stuck(operation: str) -> None:
    world = a_world(max_usd_month=MonthLimits(person=0.0))
    world.fail(operation, AwsRefused("dynamodb:Query", "ValidationException", "no"))
    failed = recover_labs(world.deps, NOW.isoformat())["failed"]
    assert [each["error"] for each in failed] == ["AwsRefused"]
    assert "mina" in asked(world)
    recover_labs(world.deps, (NOW + timedelta(minutes=5)).isoformat())
    assert asked(world) == ["jun", "mina"]


HIGHER = (TeamRule("pool", max_usd_month=100.0),)
PERSON = {"max_usd_month": MonthLimits(person=ONE)}


@pytest.mark.parametrize(
    ("offers", "told", "sleeps"),
    [
        (PERSON, True, True),
        (PERSON | {"teams": (TeamRule("pool", max_usd_month=ONE / 2),)}, True, True),
        (PERSON | {"teams": (TeamRule("pool", max_usd_month_team=100.0),)}, True, True),
        (PERSON | {"teams": HIGHER}, False, False),
        (PERSON | {"teams": (TeamRule("pool", at_limit=AtLimit.ASK),)}, True, False),
        ({"max_usd_month": MonthLimits(person=ONE, installation=4 * ONE), "teams": HIGHER}, True, True),
        ({"max_usd_month": MonthLimits(installation=4 * ONE), "teams": HIGHER}, True, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("joined", [False, True])
def test_what_a_group_of_the_user_pool_may_lift_is_no_reason_to_act(
    offers: dict[str, Any], told: bool, sleeps: bool, joined: bool
) -> None:
    """Members of a group with a higher ceiling were notified that theirs is reached, and their labs in use slept; no run reads
    the pool.
    """
    world = a_world(at_limit=AtLimit.HIBERNATE, **offers)
    login = FakeUserPool(world.account, world.clock).add("lee", "team-pool")
    lab = replace(a_priced_lab(9), owner=USER.format("lee") if joined else login)
    world.store.put(lab)
    if joined:
        assert world.people.save_people([], [Person("person-1", (USER.format("lee"), login), NOW)])
    asked_at(world, NOW)
    assert ("lee" in " ".join(asked(world))) is told
    asleep = limits_that_sleep(world.deps, NOW)
    assert (lab.owner in asleep, USER.format("jun") in asleep) == (sleeps, True)

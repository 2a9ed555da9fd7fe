"""Messages are true when they are sent: after the death of any run since the decision, and after any change of the lab."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.core.message import Message
from chalicelib.domain.curfew.messages.called_off import KIND
from chalicelib.domain.curfew.plan import EntryOutcome, EntryStatus
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.labs.lab import Phase, Protection
from tests.fakes import NOW
from tests.fakes.account import Call
from tests.fakes.mailing import FakeMailing, with_mail
from tests.workflows.machine import LambdaDied
from tests.workflows.night.nights import CURFEW, Nights, Use, busy, idle
from tests.workflows.night.test_mail import events

HOUR = timedelta(hours=1)
PROTECTED = Protection(CURFEW + HOUR, "ops@example.com", "a demonstration")


def used_at_curfew(lab_id: str) -> Use:
    """Idle before and after that hour."""
    return lambda now: (busy if CURFEW <= now < CURFEW + HOUR else idle)(lab_id)(now)


def warned() -> Nights:
    nights = Nights()
    nights.world.curfew.store.put_rules(CurfewRules(max_percent=100))
    nights.add("lab-a", used_at_curfew)
    nights.hours(NOW, 3)
    return nights


def called_off(nights: Nights) -> list[Message]:
    return [message for message in nights.world.watch.notifier.to("lab-a") if message.kind == KIND]


def status_of(nights: Nights) -> EntryStatus:
    """Of the lab's first entry."""
    return nights.lines("lab-a")[0][1]


def dies(nights: Nights, step: str, at: datetime, call: int) -> int:
    """Run an hour in which a step dies after `call` calls, as do its retries and others until people are notified; return the
    calls.
    """
    made, inside = 0, False

    def before(function: str) -> None:
        nonlocal inside
        inside = function == step or (inside and function not in ("warn", "finish"))

    def around(asked: Call) -> Any:
        nonlocal made
        made += inside
        if inside and made > call:
            raise LambdaDied
        return asked.act()

    account = nights.world.account
    plain, account.around, nights.before = account.around, around, before
    nights.run_hour(at)
    account.around, nights.before = plain, lambda function: None
    return made


def protect(nights: Nights) -> None:
    nights.change("lab-a", protection=PROTECTED)


def nothing(nights: Nights) -> None:
    """The lab is in use."""


@pytest.mark.parametrize(("step", "happens"), [("act", nothing), ("examine", protect)])
def test_who_hears_that_nothing_happens_without_a_new_warning_has_one_wherever_the_run_dies(
    step: str, happens: Callable[[Nights], None]
) -> None:
    whole = warned()
    happens(whole)
    calls = dies(whole, step, CURFEW, 999)
    assert calls > 5
    for call in range(calls):
        nights = warned()
        happens(nights)
        dies(nights, step, CURFEW, call)
        nights.hours(CURFEW + HOUR, 3)
        said = [message.body for message in called_off(nights) if "no longer holds" in message.body]
        assert (status_of(nights).outcome is EntryOutcome.SKIPPED) == bool(said), f"at call {call}"
        assert len(called_off(nights)) <= 1, f"at call {call}"


@pytest.mark.parametrize("bounces", [False, True], ids=["untold", "told, and the mail bounces later"])
def test_nobody_hears_that_an_act_has_not_happened_once_it_has(bounces: bool) -> None:
    nights = Nights()
    mailing = with_mail(nights.world, {"arn:aws:iam::111122223333:user/lab-0": "lab-0@example.com"})
    nights.world.curfew.store.put_rules(CurfewRules(max_percent=100, max_count=1))
    for number in range(3):
        nights.add(f"lab-{number}")
    nights.hours(NOW, 3)
    events(nights, mailing, CURFEW - HOUR)
    if bounces:
        mailing.mailer.outcomes["lab-0@example.com"] = "bounce"
        nights.run_hour(CURFEW)
    else:
        dies(nights, "warn", CURFEW, 0)
    nights.world.curfew.store.put_rules(CurfewRules(max_percent=100))
    nights.run_hour(CURFEW + HOUR)
    said = len(calls_off(nights, mailing))
    events(nights, mailing, CURFEW + HOUR)
    nights.hours(CURFEW + 2 * HOUR, 2)
    assert nights.lab("lab-0").phase is Phase.DELETED
    assert len(calls_off(nights, mailing)) == said == (3 if bounces else 0)
    assert nights.world.posts.waiting().posts == ()


def calls_off(nights: Nights, mailing: FakeMailing) -> list[object]:
    """Of labs that were ended: by mail and by the topic."""
    by_mail = [letter for _, letter in mailing.mailer.sent if "That has not happened" in letter.text]
    return [*by_mail, *(message for message in nights.world.watch.notifier.messages if message.kind == KIND)]

"""The fake curfew store and the real one with the same random nights give the same answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.curfew.plan import Entry, EntryOutcome, EntryStatus, PlanHeader, Trigger
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.errors.tree import EkslabError
from chalicelib.domain.labs.lab import Lab, Phase
from tests.aws.given_curfew import NIGHT, Kept, a_verdict, an_entry, created, fake_kept, kept_on, moto_client
from tests.examples import examples
from tests.fakes import NOW
from tests.fakes.builders import in_phase

Act = tuple[str, Callable[[Kept], object]]

NUMBERS = st.integers(0, 3)
NIGHTS = st.sampled_from([NIGHT, NIGHT + timedelta(days=1)])
COSTS = st.none() | st.integers(0, 2) | st.floats(0, 1e6, allow_nan=False)
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)


def entry_of(night: date, number: int) -> Entry:
    """The entry of this lab in this night; each has an instant of its own."""
    minutes = (night - NIGHT).days * 24 * 60 + 3 - number
    return an_entry(f"lab-{number}", minutes, night=night)


@st.composite
def publishings(draw: st.DrawFn) -> Act:
    night, numbers, minute = draw(NIGHTS), draw(st.lists(NUMBERS, max_size=4)), draw(st.integers(0, 9))
    entries = [
        replace(
            entry_of(night, number), hourly_usd=draw(COSTS), reason=draw(WORDS), trigger=draw(st.sampled_from(Trigger))
        )
        for number in numbers
    ]
    message = f"publish {night} {numbers}"
    return message, lambda kept: kept.curfew.publish(night, entries, NOW + timedelta(minutes=minute))


@st.composite
def statuses(draw: st.DrawFn) -> Act:
    night, number = draw(NIGHTS), draw(NUMBERS)
    outcome, warned = draw(st.sampled_from(EntryOutcome)), draw(st.booleans())

    def change(status: EntryStatus) -> EntryStatus:
        return replace(status, outcome=outcome, warned_at=NOW if warned else None)

    message = f"status {night} {number} {outcome} {warned}"
    return message, lambda kept: kept.curfew.change_status(night, entry_of(night, number).id, change)


@st.composite
def marks(draw: st.DrawFn) -> Act:
    night, reported, message = draw(NIGHTS), draw(st.none() | st.just(NOW)), draw(st.none() | st.just(NOW))

    def change(header: PlanHeader) -> PlanHeader:
        return replace(
            header,
            reported_at=reported or header.reported_at,
            brake_notified_at=message or header.brake_notified_at,
        )

    return f"mark {night} {reported} {message}", lambda kept: kept.curfew.change_header(night, change)


@st.composite
def creations(draw: st.DrawFn) -> Act:
    number = draw(NUMBERS)
    return f"create {number}", lambda kept: created(kept, number)


@st.composite
def moves(draw: st.DrawFn) -> Act:
    number, phase, is_due = draw(NUMBERS), draw(st.sampled_from(Phase)), draw(st.booleans())
    at = NOW + timedelta(minutes=number)

    def change(lab: Lab) -> Lab:
        return replace(in_phase(lab, phase, at), due_at=at if is_due else None)

    return f"move {number} to {phase} {is_due}", lambda kept: kept.labs.change_lab(f"lab-{number}", change)


@st.composite
def settings_of_rules(draw: st.DrawFn) -> Act:
    rules = CurfewRules(draw(st.sampled_from(Mode)), max_count=draw(st.integers(0, 3)), changed_at=NOW)
    return f"rules {rules.mode}", lambda kept: kept.curfew.change_rules(rules, lambda _: rules)


@st.composite
def judgings(draw: st.DrawFn) -> Act:
    verdict = a_verdict(lab_id=f"lab-{draw(NUMBERS)}", idle=draw(st.booleans()), sentence=draw(WORDS))
    return f"verdict {verdict.lab_id}", lambda kept: kept.curfew.put_verdict(verdict)


def outcome(act: Callable[[Kept], object], kept: Kept) -> object:
    try:
        return act(kept)
    except (EkslabError, KeyError) as error:
        return type(error).__name__


def everything(kept: Kept, limit: int, minutes: int) -> list[object]:
    """All readable state."""
    curfew, nights = kept.curfew, (NIGHT, NIGHT + timedelta(days=1))
    plans = [curfew.plan(night) for night in nights]
    lines = [curfew.line(night, entry_of(night, number).id) for night in nights for number in range(4)]
    due = curfew.labs_awaiting(NOW + timedelta(minutes=minutes), limit)
    verdicts = [curfew.verdict(f"lab-{number}") for number in range(4)]
    lists = [due, curfew.blocked(limit), curfew.unwarned(limit)]
    headers = [curfew.header(night) for night in nights]
    return [headers, plans, lines, lists, verdicts, curfew.rules(CurfewRules()), curfew.alive_count()]


ACTS = st.one_of(
    publishings(), publishings(), statuses(), marks(), creations(), moves(), settings_of_rules(), judgings()
)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    with moto_client() as client:
        yield client


@settings(max_examples=examples(40), deadline=None)
@given(acts=st.lists(ACTS, min_size=5, max_size=30), limit=st.integers(1, 4), minutes=st.integers(0, 4))
def test_the_fake_curfew_store_answers_as_the_real_one_does(
    client: Any, acts: list[Act], limit: int, minutes: int
) -> None:
    fake = fake_kept()
    with kept_on(client) as real:
        for message, act in acts:
            assert outcome(act, real) == outcome(act, fake), message
        answers = everything(real, limit, minutes)
        assert answers == everything(fake, limit, minutes)
        assert all(plan is None or plan.is_whole for plan in map(real.curfew.plan, (NIGHT, NIGHT + timedelta(days=1))))

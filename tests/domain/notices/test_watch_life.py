"""The promises of the support watch over random calendars, policies, zones, missed runs, crashes, moved dates, and people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.domain.notices.decision import NoticeRules, decide_notices
from chalicelib.domain.notices.notice import Notice, NoticeKind
from chalicelib.domain.support.watched import Watched
from tests.domain.notices import watch_promises as promises
from tests.domain.notices.watch_life import ADMINISTRATORS, OWNER, TEAM, Decide, Life, Scenario, Version
from tests.examples import examples

REAL = (
    Version("1.31", date(2024, 9, 26), date(2025, 11, 26), date(2026, 11, 26)),
    Version("1.32", date(2025, 1, 23), date(2026, 3, 23), date(2027, 3, 23)),
    Version("1.33", date(2025, 5, 29), date(2026, 7, 29), date(2027, 7, 29)),
)
SHORT = (
    Version("1.30", date(2024, 2, 27), date(2024, 7, 26), date(2024, 11, 23)),
    Version("1.31", date(2024, 4, 27), date(2024, 9, 24), date(2025, 1, 22)),
)
#: The billing is reported, solved by a policy, reported again when the policy comes back, and over for good.
THERE_AND_BACK = Scenario(
    SHORT, date(2024, 7, 23), 4, None, hour=0, happens={1: "policy STANDARD", 2: "policy EXTENDED", 3: "upgrade"}
)
#: AWS upgrades a neglected cluster, and the owner then upgrades once more.
AFTER_AWS = Scenario(
    (*SHORT, Version("1.32", date(2024, 6, 26), date(2024, 11, 23), date(2025, 3, 23))),
    date(2024, 7, 26),
    5,
    "STANDARD",
    happens={1: "upgrade", 3: "upgrade"},
)
HAPPENINGS = st.sampled_from(
    [
        "upgrade",
        "delete",
        "policy STANDARD",
        "policy EXTENDED",
        "move 14",
        "move -9",
        "move 200",
        "acknowledge",
        "snooze",
        "lease 3",
        "lease 40",
    ]
)


@st.composite
def calendars(draw: st.DrawFn) -> tuple[Version, ...]:
    """Two to four versions, each a while after the one before; AWS's months are irregular."""
    versions, released = [], date(2024, 2, 27)
    for number in range(draw(st.integers(2, 4))):
        standard = released + timedelta(days=draw(st.integers(150, 450)))
        extended = standard + timedelta(days=draw(st.integers(120, 400)))
        versions.append(Version(f"1.{30 + number}", released, standard, extended))
        released += timedelta(days=draw(st.integers(60, 140)))
    return tuple(versions)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Lives around the first version's deadlines."""
    versions, days = draw(calendars()), draw(st.integers(2, 260))
    deadline = draw(st.sampled_from([versions[0].standard_ends, versions[0].extended_ends]))
    some_days = st.integers(0, days - 1)
    missed = draw(st.frozensets(some_days, max_size=40))
    stretch = draw(some_days)
    return Scenario(
        versions=versions,
        begins=deadline - timedelta(days=draw(st.integers(-20, 230))),
        days=days,
        policy=draw(st.sampled_from([None, "EXTENDED", "STANDARD"])),
        hour=draw(st.integers(0, 23)),
        offset_hours=draw(st.integers(-12, 14)),
        happens=draw(st.dictionaries(some_days, HAPPENINGS, max_size=4)),
        missed=(missed | frozenset(range(stretch, stretch + draw(st.integers(0, 30))))) - {days - 1},
        crashes=draw(st.frozensets(some_days, max_size=5)),
    )


@settings(max_examples=examples(40), deadline=None)
@given(scenario=scenarios())
@example(scenario=THERE_AND_BACK)
@example(scenario=AFTER_AWS)
def test_whatever_happens_the_watch_keeps_its_promises(scenario: Scenario) -> None:
    life = Life(scenario)
    for promise in promises.PROMISES:
        promise(life)


def the_last_half_year(**changes: object) -> Scenario:
    return replace(Scenario(REAL, date(2026, 5, 20), 200), **changes)


def rungs_sent(life: Life, to: str) -> list[int | None]:
    return [n.reminder for run in life.runs for n in run.fresh if n.kind is NoticeKind.DEADLINE and n.recipient == to]


def test_an_owner_hears_of_each_rung_and_then_weekly() -> None:
    life = Life(the_last_half_year(begins=date(2026, 5, 30)))
    assert rungs_sent(life, OWNER) == [180, 90, 60, 30, 14, 7, 3, 1, 0, -7, -14]
    assert all(times == 1 for times in life.sent.values())


def test_rungs_missed_while_down_collapse_into_the_latest_and_say_they_are_late() -> None:
    missed = frozenset(range(115, 141))  # from the day of the 60-day reminder to after the 45th
    life = Life(the_last_half_year(begins=date(2026, 5, 30), missed=missed | frozenset(range(141, 155))))
    assert rungs_sent(life, OWNER)[2:4] == [30, 14]
    late = [n for n in life.notices.values() if n.reminder == 30 and n.recipient == OWNER]
    assert late[0].late_by_days == 5
    assert any("5 days late" in message.body for message in life.messages)


def test_a_cluster_found_in_the_middle_gets_one_notice_and_it_is_not_late() -> None:
    life = Life(Scenario(REAL, date(2026, 11, 21), 1))
    assert rungs_sent(life, OWNER) == [7]
    assert [n.late_by_days for n in life.notices.values()] == [0, 0, 0]


def test_a_moved_date_is_told_once_and_arms_the_ladder_again() -> None:
    life = Life(Scenario(REAL, date(2026, 11, 20), 40, happens={2: "move 20"}))
    moved = [(n.recipient, n.note) for n in life.notices.values() if n.kind is NoticeKind.DATE_MOVED]
    assert sorted(to for to, _ in moved) == sorted({to for to, _ in moved})
    assert {note for _, note in moved} == {"2026-11-26"}
    assert rungs_sent(life, OWNER) == [7, 14, 7, 3, 1, 0, -7]


def test_a_rung_missed_after_a_moved_date_still_says_it_is_late() -> None:
    life = Life(Scenario(REAL, date(2026, 11, 27), 16, happens={1: "move 14"}, missed=frozenset(range(2, 15))))
    last = [n for n in life.runs[-1].fresh if n.kind is NoticeKind.DEADLINE]
    assert [(n.reminder, n.late_by_days) for n in last] == [(0, 2)] * 3


def test_an_acknowledged_deadline_speaks_again_in_its_last_week_and_only_to_the_owner() -> None:
    life = Life(the_last_half_year(begins=date(2026, 5, 30), happens={1: "acknowledge"}))
    assert rungs_sent(life, OWNER) == [180, 7, 3, 1, 0, -7, -14]
    assert {n.recipient for n in life.notices.values()} == {OWNER}


def test_a_snooze_holds_back_what_can_wait_and_not_the_last_week() -> None:
    life = Life(the_last_half_year(begins=date(2026, 5, 30), happens={1: "snooze"}))
    assert rungs_sent(life, OWNER) == [180, 7, 3, 1, 0, -7, -14]


def test_an_upgrade_in_time_is_solved_once_and_then_silent() -> None:
    life = Life(Scenario(REAL, date(2026, 11, 20), 30, happens={3: "upgrade"}))
    ends = [n for n in life.notices.values() if n.kind is NoticeKind.SOLVED and n.recipient == OWNER]
    assert [n.note for n in ends] == ["It runs 1.32 now."]


def test_an_upgrade_after_the_date_is_taken_for_aws_doing() -> None:
    life = Life(Scenario(REAL, date(2026, 11, 20), 30, happens={8: "upgrade"}))
    kinds = [n.kind for n in life.notices.values() if n.recipient == OWNER]
    assert kinds.count(NoticeKind.UPGRADED_BY_AWS) == 1
    assert NoticeKind.SOLVED not in kinds


def test_an_upgrade_after_aws_upgraded_is_the_owners_own() -> None:
    life = Life(AFTER_AWS)
    ends = (NoticeKind.UPGRADED_BY_AWS, NoticeKind.SOLVED)
    text = [(n.kind, n.deadline_id, n.note) for n in life.notices.values() if n.recipient == OWNER and n.kind in ends]
    assert text == [
        (NoticeKind.UPGRADED_BY_AWS, "upgraded#1.31#2024-07-27", ""),
        (NoticeKind.SOLVED, "forced-upgrade#1.31#2024-09-24", "It runs 1.32 now."),
    ]


def test_what_a_lease_held_back_is_not_late_once_the_lab_outlives_it() -> None:
    life = Life(Scenario(REAL, date(2026, 10, 12), 8, happens={0: "lease 3"}))
    assert [(day, n.kind, n.late_by_days) for day, run in enumerate(life.runs) for n in run.fresh] == [
        (0, NoticeKind.LEASE_FIRST, 0),
        (5, NoticeKind.DEADLINE, 0),
    ]
    assert not any("did not run" in message.body for message in life.messages)


def test_a_deadline_that_came_back_with_the_policy_ends_again() -> None:
    life = Life(THERE_AND_BACK)
    ends = [n for n in life.notices.values() if n.kind is NoticeKind.SOLVED and "extended-billing" in n.deadline_id]
    assert [(n.reminder, n.note) for n in ends if n.recipient == OWNER] == [
        (0, "Its support policy was changed."),
        (1, "It runs 1.31 now."),
    ]
    assert {n.recipient for n in ends if n.reminder == 1} == {OWNER, TEAM, ADMINISTRATORS}


def forgets_what_it_missed(
    watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime
) -> list[Notice]:
    return [n for n in decide_notices(watched, history, rules, now) if n.late_by_days == 0]


def remembers_nothing(watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime) -> list[Notice]:
    return list(decide_notices(watched, (), rules, now))


def never_solves(watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime) -> list[Notice]:
    return [n for n in decide_notices(watched, history, rules, now) if n.kind is not NoticeKind.SOLVED]


def solves_each_deadline_only_once(
    watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime
) -> list[Notice]:
    solved = {(n.deadline_id, n.recipient) for n in history if n.kind is NoticeKind.SOLVED}
    found = decide_notices(watched, history, rules, now)
    return [n for n in found if n.kind is not NoticeKind.SOLVED or (n.deadline_id, n.recipient) not in solved]


def blames_aws_for_every_upgrade(
    watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime
) -> list[Notice]:
    came = watched.armed_at == now and bool(history)
    return list(decide_notices(replace(watched, upgraded_by_aws_at=now) if came else watched, history, rules, now))


def solves_again_every_day(
    watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime
) -> list[Notice]:
    solved = [n for n in history if n.kind is NoticeKind.SOLVED]
    ended = [replace(n, decided_at=now, reminder=100 + (now - n.decided_at).days) for n in solved]
    return [*decide_notices(watched, history, rules, now), *ended]


def speaks_of_the_gone(watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime) -> list[Notice]:
    return list(decide_notices(replace(watched, gone_at=None), history, rules, now))


def is_a_day_off(watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime) -> list[Notice]:
    found = decide_notices(watched, history, rules, now)
    return [replace(n, due_at=n.due_at - timedelta(hours=9)) for n in found]


def never_says_late(watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime) -> list[Notice]:
    return [replace(n, late_by_days=0) for n in decide_notices(watched, history, rules, now)]


def wakes_everyone_at_once(
    watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime
) -> list[Notice]:
    owners = [n for n in decide_notices(watched, history, rules, now) if n.recipient == OWNER]
    return [*owners, *(replace(n, recipient="team@example.com", audience=promises.Audience.TEAM) for n in owners)]


def reads_only_the_last_row(
    watched: Watched, history: Sequence[Notice], rules: NoticeRules, now: datetime
) -> list[Notice]:
    return list(decide_notices(watched, history[-1:], rules, now))


@pytest.mark.parametrize(
    ("promise", "broken"),
    [
        (promises.every_rung_is_told_once_due, forgets_what_it_missed),
        (promises.nothing_is_told_twice, remembers_nothing),
        (promises.the_end_is_told_to_those_who_were_told, never_solves),
        (promises.what_is_over_is_silent, speaks_of_the_gone),
        (promises.no_day_is_off, is_a_day_off),
        (promises.lateness_is_told, never_says_late),
        (promises.it_gets_louder, wakes_everyone_at_once),
        (promises.the_same_facts_decide_the_same, reads_only_the_last_row),
    ],
)
def test_every_promise_notices_a_rule_that_breaks_it(promise: Callable[[Life], None], broken: Decide) -> None:
    scenario = the_last_half_year(
        begins=date(2026, 5, 30), days=184, happens={183: "delete"}, missed=frozenset(range(88, 94))
    )
    scenario = replace(scenario, days=190)
    promise(Life(scenario))
    with pytest.raises(AssertionError):
        promise(Life(scenario, broken))


@pytest.mark.parametrize(
    "promise", [promises.the_end_is_told_to_those_who_were_told, promises.nobody_is_left_believing_what_is_over]
)
@pytest.mark.parametrize("broken", [solves_each_deadline_only_once, solves_again_every_day])
def test_an_end_that_is_told_too_seldom_or_too_often_is_noticed(
    promise: Callable[[Life], None], broken: Decide
) -> None:
    scenario = replace(THERE_AND_BACK, days=6)
    promise(Life(scenario))
    with pytest.raises(AssertionError):
        promise(Life(scenario, broken))


def test_an_upgrade_called_aws_doing_that_was_not_is_noticed() -> None:
    promises.only_what_aws_did_is_called_its_doing(Life(AFTER_AWS))
    with pytest.raises(AssertionError):
        promises.only_what_aws_did_is_called_its_doing(Life(AFTER_AWS, blames_aws_for_every_upgrade))

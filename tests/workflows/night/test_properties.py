"""Random evenings, random trouble: a curfew run keeps its promises. Broken rules show that each check fails."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.curfew import decision, look
from chalicelib.domain.curfew.brake import BrakeDecision
from chalicelib.domain.curfew.decision import DecisionContext, EntryDecision, NextAction
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.labs.lab import RESTING, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from chalicelib.workflows.night import act, brake, examine, warn
from chalicelib.workflows.night.run import NightRun
from tests.examples import examples
from tests.workflows.machine import LambdaDied
from tests.workflows.night.nights import Nights, Use, at_work, busy, idle, unseen
from tests.workflows.night.promises import check_acts, check_brake, check_reasons, check_silence

ZONES = ("Asia/Seoul", "America/New_York", "Europe/Berlin", "Pacific/Chatham", "Australia/Lord_Howe", "UTC")
#: Days around changes of clocks in these zones, and ordinary ones.
DAYS = tuple(
    date.fromisoformat(day)
    for day in ("2026-03-28", "2026-04-04", "2026-09-26", "2026-10-03", "2026-10-24", "2026-10-31", "2026-11-23")
)
STEPS = ("begin", "examine", "warn", "brake", "act", "find_orphans", "finish")
CALLS = (
    *("rules", "labs_awaiting", "load_lab", "change_lab", "line", "put_verdict", "publish", "add_event", "unwarned"),
    *(
        "change_status",
        "send",
        "start",
        "curfew_store.plan",
        "alive_count",
        "describe",
        "verdict",
        "header",
        "change_header",
    ),
)
USES = {"idle": idle, "busy": busy, "job": at_work, "unseen": unseen}
PEOPLE = ("extend", "keep", "protect", "release", "visit")


@dataclass(frozen=True)
class Act:
    """A person's action on a lab: before the hour's run, or right after the curfew run's next call of `during`."""

    hour: int
    lab: int
    what: str
    during: str | None


@dataclass(frozen=True)
class Life:
    """Labs, days, the troubles of the curfew run hour by hour, and people's actions."""

    start: datetime
    evenings: tuple[Schedule, ...]
    uses: tuple[tuple[str, int, str], ...]
    leases: tuple[int, ...]
    troubles: tuple[tuple[str, str], ...]
    acts: tuple[Act, ...]
    rules: CurfewRules


def evenings() -> st.SearchStrategy[Schedule]:
    return st.builds(
        Schedule,
        time_zone=st.sampled_from(ZONES),
        curfew=st.sampled_from((time(22), time(18, 30), time(2, 15), time(0, 5), time(23, 59))),
        weekdays=st.sampled_from(((0, 1, 2, 3, 4, 5, 6), (0, 1, 2, 3, 4), (0, 2, 5, 6))),
        quiet_dates=st.sampled_from(((), (DAYS[0],), (DAYS[-1],))),
        at_curfew=st.sampled_from(AtCurfew),
        wake=st.sampled_from((None, time(8, 30))),
    )


def troubles() -> st.SearchStrategy[tuple[str, str]]:
    fine = st.just(("fine", ""))
    dies = st.tuples(st.sampled_from(("dies", "is dead", "dies after")), st.sampled_from(STEPS))
    calls = st.tuples(st.sampled_from(("fails", "is down", "is lost")), st.sampled_from(CALLS))
    return st.one_of(fine, fine, fine, fine, st.just(("missed", "")), dies, calls)


def acts() -> st.SearchStrategy[Act]:
    during = st.one_of(
        st.none(), st.sampled_from(("load_lab", "change_status", "put_verdict", "line", "describe", "send"))
    )
    return st.builds(Act, st.integers(0, 50), st.integers(0, 5), st.sampled_from(PEOPLE), during)


@st.composite
def lives(draw: st.DrawFn, mode: Mode = Mode.ON) -> Life:
    count = draw(st.integers(1, 5))
    use = st.tuples(st.sampled_from(tuple(USES)), st.integers(0, 50), st.sampled_from(tuple(USES)))
    return Life(
        start=datetime.combine(draw(st.sampled_from(DAYS)), time(draw(st.integers(0, 23))), UTC),
        evenings=tuple(draw(evenings()) for _ in range(count)),
        uses=tuple(draw(use) for _ in range(count)),
        leases=tuple(draw(st.sampled_from((5, 20, 500))) for _ in range(count)),
        troubles=tuple(draw(st.lists(troubles(), min_size=30, max_size=54))),
        acts=tuple(draw(st.lists(acts(), max_size=4))),
        rules=CurfewRules(
            mode=mode, max_percent=draw(st.sampled_from((20, 50, 100))), max_count=draw(st.integers(1, 5))
        ),
    )


def changing(life: Life, number: int, lab_id: str) -> Use:
    first, hour, then = life.uses[number]
    turn = life.start + timedelta(hours=hour)
    return lambda now: USES[first if now < turn else then](lab_id)(now)


def lived(life: Life) -> Nights:
    """Run all of it, with a few quiet hours at the end."""
    nights = Nights()
    nights.world.clock.instant = life.start
    nights.world.curfew.store.put_rules(life.rules)
    for number, schedule in enumerate(life.evenings):
        made = life.start - timedelta(days=10)
        lease = life.start + timedelta(hours=life.leases[number])
        times = {"created_at": made, "phase_since": made, "lease_ends_at": lease, "ends_by": lease + timedelta(days=30)}
        nights.add(f"lab-{number}", partial(changing, life, number), schedule=schedule, **times)
    for hour, trouble in enumerate((*life.troubles, *(("fine", ""),) * 3)):
        at = life.start + timedelta(hours=hour)
        nights.world.clock.instant = at
        for deed in life.acts:
            if deed.hour == hour:
                happen(nights, deed, len(life.evenings), at)
        befall(nights, trouble, at)
    return nights


def happen(nights: Nights, act: Act, labs: int, at: datetime) -> None:
    lab_id = f"lab-{act.lab % labs}"
    if act.during is None:
        nights.person(lab_id, act.what, at)
    else:
        nights.world.account.hooks[act.during] = partial(nights.person, lab_id, act.what, at)


def befall(nights: Nights, trouble: tuple[str, str], at: datetime) -> None:
    """One hour's run with its trouble."""
    kind, where = trouble
    nights.before, nights.after = _deaths(kind, where)
    match kind:
        case "missed":
            nights.world.account.hooks.clear()
            return
        case "fails" | "is down":
            nights.world.fail(where, AwsUnavailable("no answer"), times=1 if kind == "fails" else 400)
        case "is lost":
            nights.world.lose_answer(where)
    nights.run_hour(at)
    nights.world.account.troubles.clear()
    nights.world.account.hooks.clear()


def _deaths(kind: str, where: str) -> tuple[Callable[[str], None], Callable[[str], None]]:
    left = {"dies": 1, "dies after": 1, "is dead": 999}.get(kind, 0)

    def hook(function: str) -> None:
        nonlocal left
        if function == where and left:
            left -= 1
            raise LambdaDied

    def nothing(function: str) -> None:
        return

    return (nothing, hook) if kind == "dies after" else (hook, nothing)


@settings(max_examples=examples(25), deadline=None)
@given(lives())
def test_no_lab_ends_that_was_not_planned_warned_and_idle_or_over(life: Life) -> None:
    nights = lived(life)
    check_acts(nights, frozenset(nights.released), life.rules)
    check_brake(nights, len(life.evenings), life.rules)


@settings(max_examples=examples(25), deadline=None)
@given(lives())
def test_no_idle_lab_lives_through_a_night_without_a_stated_reason(life: Life) -> None:
    life = replace(life, leases=tuple(500 for _ in life.leases))
    nights = lived(life)
    for number in range(len(life.evenings)):
        lab = nights.lab(f"lab-{number}")
        if lab.id not in nights.released and lab.phase in (*RESTING, Phase.DELETED):
            hours = len(life.troubles)
            check_reasons(nights, lab, life.start, life.start + timedelta(hours=hours))


@settings(max_examples=examples(25), deadline=None)
@given(lives(), st.integers(0, 29))
def test_a_sweep_that_runs_twice_decides_the_same_and_acts_once(life: Life, hour: int) -> None:
    nights = lived(replace(life, troubles=life.troubles[:hour]))
    at = nights.world.clock.now() + timedelta(hours=1)
    assert twice(nights, at)


def twice(nights: Nights, at: datetime) -> bool:
    """Whether a second run of the same hour changes nothing."""
    nights.run_hour(at, settle=False)
    first = everything(nights)
    nights.run_hour(at, settle=False)
    return first == everything(nights)


def everything(nights: Nights) -> tuple[object, ...]:
    world, kept = nights.world, nights.world.curfew.store
    tables = (world.store.labs, world.store.event_table, kept.entries, kept.statuses, kept.headers, kept.verdicts)
    return (*(deepcopy(table) for table in tables), list(world.workflows.started), list(world.watch.notifier.sent))


@settings(max_examples=examples(25), deadline=None)
@given(st.sampled_from((Mode.OFF, Mode.DRY_RUN)).flatmap(lives))
def test_nothing_is_touched_and_nobody_is_warned_when_it_is_off_or_a_dry_run(life: Life) -> None:
    nights = lived(replace(life, acts=tuple(act for act in life.acts if act.what != "release")))
    check_silence(nights, life.rules)


@settings(max_examples=examples(25), deadline=None)
@given(lives())
def test_a_night_without_trouble_ends_every_idle_lab_that_nobody_spared(life: Life) -> None:
    """Otherwise a run that does nothing would keep all the promises above."""
    rules = CurfewRules(max_percent=100)
    calm = replace(life, troubles=(("fine", ""),) * 170, acts=(), rules=rules)
    evenings = tuple(replace(schedule, at_curfew=AtCurfew.END) for schedule in life.evenings)
    nights = lived(replace(calm, evenings=evenings, uses=tuple(("idle", 0, "idle") for _ in life.uses)))
    for number in range(len(life.evenings)):
        assert nights.lab(f"lab-{number}").phase is Phase.DELETED


# Each test below breaks one rule: the check of its promise must fail.


def a_life(*uses: tuple[str, int, str], **changes: object) -> Life:
    """Labs in Seoul, due at noon there; curfew is after ten hours."""
    start = datetime(2026, 11, 23, 3, tzinfo=UTC)
    count = len(uses)
    life = Life(
        start=start,
        evenings=(Schedule(time_zone="Asia/Seoul"),) * count,
        uses=uses,
        leases=(500,) * count,
        troubles=(("fine", ""),) * 30,
        acts=(),
        rules=CurfewRules(max_percent=100),
    )
    return replace(life, **changes)  # type: ignore[arg-type]  # Fields by name, as callers give them.


IDLE, BUSY_AT_CURFEW = ("idle", 0, "idle"), ("idle", 9, "busy")


def acting_always(context: DecisionContext) -> EntryDecision:
    return EntryDecision(NextAction.ACT if context.now >= context.entry.at else NextAction.WAIT, "always")


def broken(life: Life) -> None:
    nights = lived(life)
    check_acts(nights, frozenset(nights.released), life.rules)
    check_brake(nights, len(life.evenings), life.rules)


def test_a_rule_that_acts_without_looking_again_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    broken(a_life(BUSY_AT_CURFEW))
    monkeypatch.setattr(act, "decide_entry", acting_always)
    with pytest.raises(AssertionError, match="not idle"):
        broken(a_life(BUSY_AT_CURFEW))


def test_a_rule_that_acts_without_a_warning_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = (*((("fine", ""),) * 6), *((("is down", "send"),) * 20))
    broken(a_life(IDLE, troubles=silent))
    monkeypatch.setattr(act, "decide_entry", acting_always)
    with pytest.raises(AssertionError, match="not warned"):
        broken(a_life(IDLE, troubles=silent))


@pytest.mark.parametrize(("what", "message"), [("keep", "kept"), ("protect", "protected"), ("extend", "extended")])
def test_a_rule_that_does_not_listen_to_people_is_noticed(
    what: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    life = a_life(IDLE, acts=(Act(8, 0, what, None),))
    broken(life)
    monkeypatch.setattr(decision, "exemption", lambda *given: "")
    monkeypatch.setattr(look, "exemption", lambda *given: "")
    with pytest.raises(AssertionError, match=message):
        broken(life)


def test_a_rule_that_acts_on_a_lab_as_it_was_before_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    life = a_life(IDLE, acts=(Act(10, 0, "keep", "describe"),))
    broken(life)
    monkeypatch.setattr(
        act,
        "change_unless_changed",
        lambda run, lab, change: run.deps.store.change_lab(lab.id, change),
    )
    with pytest.raises(AssertionError, match="kept"):
        broken(life)


def test_a_brake_that_does_not_hold_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    life = a_life(IDLE, IDLE, IDLE, rules=CurfewRules(max_percent=34, max_count=1))
    broken(life)
    monkeypatch.setattr(brake, "decide_brake", lambda *given: BrakeDecision("", "", "", 0, 0, 0))
    with pytest.raises(AssertionError, match="took 3"):
        broken(life)


def test_a_night_that_passes_in_silence_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    asleep = (*((("missed", ""),) * 20), *((("fine", ""),) * 10))

    def reasons() -> None:
        life = a_life(IDLE, troubles=asleep)
        nights = lived(life)
        check_reasons(nights, nights.lab("lab-0"), life.start, life.start + timedelta(hours=30))

    reasons()
    monkeypatch.setattr(examine, "note_missed", lambda *given: None)
    with pytest.raises(AssertionError, match="for no reason"):
        reasons()


def test_a_warning_that_is_not_marked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    life = a_life(IDLE, troubles=(("fine", ""),) * 3)
    at = life.start + timedelta(hours=6)
    assert twice(lived(life), at)
    monkeypatch.setattr(warn, "mark_warned", lambda *given: None)
    monkeypatch.setattr(warn.EntryWarning, "claim", lambda *given: True)
    assert not twice(lived(life), at)


def test_a_dry_run_that_warns_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    life = a_life(IDLE, rules=CurfewRules(mode=Mode.DRY_RUN, max_percent=100))
    check_silence(lived(life), life.rules)
    monkeypatch.setattr(NightRun, "rules", CurfewRules(max_percent=100))
    with pytest.raises(AssertionError):
        check_silence(lived(life), life.rules)

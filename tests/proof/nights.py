"""A day of the curfew run, and days of the watch, with one fault at one call of one of their functions."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta

from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.labs.lab import OVER
from chalicelib.domain.notices.notice import NoticeState
from tests.fakes import NOW, FakeWorld, make_deps
from tests.fakes.fleet_builders import a_fleet_cluster, a_registration
from tests.proof.faults import CODE, WORDS, Cell, Fault, Strikes
from tests.workflows.machine import ExecutionStopped, Machine
from tests.workflows.night.nights import CURFEW, Nights, busy, idle
from tests.workflows.night.promises import check_acts, is_warning

#: The results of an incomplete run.
INCOMPLETE = "Incomplete"
RULES = CurfewRules(max_percent=100, young_hours=0)
#: The mail is sent, but this could not be recorded: it may be sent once more, and is never lost.
_REPEATED = frozenset({Fault.FAILED_AFTER, Fault.KILLED_AFTER, Fault.DENIED})


def swept(cell: Cell | None) -> tuple[Nights, Strikes]:
    """A day of curfew runs over idle labs, one whose lease ends and a busy one."""
    nights = Nights()
    nights.world.curfew.store.put_rules(RULES)
    nights.add("lab-a", idle)
    nights.add("lab-b", busy, lease_ends_at=CURFEW)
    nights.add("lab-c", busy)
    strikes = struck(nights.world, cell)
    nights.before, nights.after = enters(strikes), leaves(strikes)
    for hour in range(24):
        with suppress(ExecutionStopped):
            nights.run_hour(NOW + timedelta(hours=hour))
        strikes.function = ""
        nights.note_moved(NOW + timedelta(hours=hour))
        nights.settle(NOW + timedelta(hours=hour))
    return nights, strikes


def watched(cell: Cell | None) -> tuple[FakeWorld, Strikes, list[Machine]]:
    """Four days of the watch over clusters of two owners, some of whose versions end; and the days' runs."""
    world = make_deps()
    world.watch.store.register(a_registration())
    owners = ("ops@example.com", "shop@example.com")
    world.watch.fleets.add(*(a_fleet_cluster(f"c{n}", f"1.{30 + n}", tags={"owner": owners[n % 2]}) for n in range(4)))
    strikes, runs = struck(world, cell), list[Machine]()
    for day in range(4):
        world.clock.instant = NOW + timedelta(days=day)
        runs.append(Machine("watch_support", world.deps, enters(strikes), leaves(strikes), name=f"day-{day}"))
        with suppress(ExecutionStopped):
            runs[-1].run({"time": world.clock.instant.isoformat()})
        strikes.function = ""
    return world, strikes, runs


def struck(world: FakeWorld, cell: Cell | None) -> Strikes:
    notifier = world.watch.notifier
    strikes = Strikes(world.clock, cell, last_mail=lambda: notifier.messages[-1] if notifier.messages else None)
    world.account.around = strikes.answer
    return strikes


def enters(strikes: Strikes) -> Callable[[str], None]:
    def enter(function: str) -> None:
        strikes.function = function

    return enter


def leaves(strikes: Strikes) -> Callable[[str], None]:
    def leave(_function: str) -> None:
        strikes.function = ""
        if strikes.stopping:
            strikes.stopping = False
            raise ExecutionStopped

    return leave


def check_night(nights: Nights, cell: Cell, strikes: Strikes) -> None:
    """Nothing ends without a plan or a warning; every agreed or judged end happened, or a reason is recorded."""
    check_acts(nights, frozenset(), RULES)
    assert nights.lab("lab-c").phase not in OVER, "a busy lab was ended"
    told = {lab_id: _reasons(nights, lab_id) for lab_id in nights.world.store.labs}
    for lab_id in ("lab-a", "lab-b"):
        settled = [status for _, status in nights.lines(lab_id) if status.outcome is EntryOutcome.ENDED]
        named = any(lab_id in trouble for trouble in troubles_of(nights.machines))
        assert settled or told[lab_id] or named or is_lost(nights.machines), f"{lab_id} lives, and nothing says why"
        assert len(settled) <= 1
    if cell.fault is Fault.DENIED:
        check_told(nights.machines, [text for texts in told.values() for text in texts])
    check_mails(nights.world, cell, strikes)


def _reasons(nights: Nights, lab_id: str) -> list[str]:
    """The texts of its history and its plan; a warning says nothing about the result."""
    said = [f"{each.message} {dict(each.facts)}" for each in nights.history(lab_id) if not is_warning(each)]
    return said + [str(status.reason) for _, status in nights.lines(lab_id) if status.reason]


def check_told(runs: Sequence[Machine], texts: Sequence[str]) -> None:
    """A run with a permanently refused call fails, or a text for people names AWS's code or words."""
    text = "\n".join([*texts, *troubles_of(runs)])
    assert is_lost(runs) or CODE in text or WORDS in text, "denied for good, and nothing says so"


def troubles_of(runs: Sequence[Machine]) -> list[str]:
    """The troubles in the runs' summaries."""
    summaries = [machine.output.get("finish") or {} for machine in runs]
    return [str(each) for one in summaries for name in ("troubles", "dropped_events") for each in one.get(name, [])]


def is_lost(runs: Sequence[Machine]) -> bool:
    """Whether one of them ended incomplete: an alarm rings."""
    return any(machine.path[-1] == INCOMPLETE for machine in runs)


def check_watch(world: FakeWorld, runs: Sequence[Machine], cell: Cell, strikes: Strikes) -> None:
    """Each decided notice is sent in the end, none twice; or a text names AWS's refusal."""
    kept = world.watch.store.kept
    if cell.fault is Fault.DENIED:
        troubles = [*world.watch.store.place_troubles().values(), *(each.trouble for each in kept.values())]
        check_told(runs, [*map(str, troubles), *(text for each in kept.values() for text in each.cluster.unread)])
    else:
        assert {notice.state for notice in world.watch.store.notices.values()} == {NoticeState.SENT}
        assert len(kept) == 4
    check_mails(world, cell, strikes)


def check_mails(world: FakeWorld, cell: Cell, strikes: Strikes) -> None:
    """A mail is repeated at most once, if the fault kept its sending from being recorded."""
    mails = Counter((mail.kind, mail.recipient, mail.subject, mail.body) for mail in world.watch.notifier.messages)
    out = strikes.out_at_strike
    unwritten = out and (out.kind, out.recipient, out.subject, out.body)
    for mail, times in mails.items():
        most = 2 if cell.fault in _REPEATED or mail == unwritten else 1
        assert times <= most, "a mail went out again and again"


@functools.cache
def cells_of_schedules() -> tuple[Cell, ...]:
    """Every pair of function and call with every possible fault; an execution is stopped once a function."""
    cells, stopped = [], set()
    for workflow, live in (("curfew", swept), ("watch_support", watched)):
        strikes = live(None)[1]
        for (function, call), fault in ((pair, fault) for pair in strikes.met for fault in Fault):
            if fault is Fault.STOPPED and (workflow, function) in stopped:
                continue
            if fault is Fault.STALE and (function, call) not in strikes.repeated:
                continue
            stopped |= {(workflow, function)} if fault is Fault.STOPPED else set()
            cells.append(Cell(workflow, function, call, fault))
    return tuple(cells)


def check_cell(cell: Cell) -> bool:
    """Play the cell's days, and check them. Return whether the fault was met."""
    if cell.workflow == "curfew":
        nights, strikes = swept(cell)
        check_night(nights, cell, strikes)
    else:
        world, strikes, runs = watched(cell)
        check_watch(world, runs, cell, strikes)
    return strikes.struck_at is not None

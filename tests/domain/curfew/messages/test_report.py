"""The night's report and the brake's: whole messages, and the additions of each kind of night."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.message import Message, Severity
from chalicelib.domain.curfew.messages.brake import brake_message, broken_plan_message
from chalicelib.domain.curfew.messages.report import Concerns, report_message
from chalicelib.domain.curfew.plan import Entry, EntryOutcome, EntryStatus, Plan, PlanHeader, plan_hash
from chalicelib.domain.curfew.rules import CurfewRules, Mode, allowance
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.words.chat import chat_document
from tests.domain.curfew.messages.test_warning import AT, ENTRY, flat
from tests.fakes.builders import a_lab, a_spec

NIGHT = date(2026, 11, 23)
RULES = CurfewRules()
HEADER = PlanHeader(NIGHT, 1, "a" * 64, AT, 30)
BUSY = """\
Curfew, Mon 23 Nov 2026: 5 labs planned; 1 ended, 1 put to sleep, 2 skipped, 1
not settled yet. About $7.40 saved.

Ended:
  myeks (lab-1, learner): idle since 18:40: no user pods scheduled in 5 h; $5.28
    saved

Put to sleep:
  shop (lab-2, shop@example.com): idle since 18:40: no user pods scheduled in 5
    h; $2.12 saved

Skipped:
  orders (lab-3, learner): kept by its owner until Tue 24 Nov 22:00 (Asia/Seoul)
  jobs (lab-4, learner): busy: 1 job is running

Not settled yet:
  late (lab-5, learner): still to come, due Mon 23 Nov 13:00 (UTC)

Warnings not delivered:
  late (lab-5, learner): no confirmed subscription takes messages for learner

Blocked:
  stuck (lab-9, learner) since Mon 16 Nov 13:00 (UTC): the security group
    sg-0a1b is still in use

Clusters without a lab:
  old in ap-northeast-2: of another installation, only reported

Troubles:
  us-east-1 could not be read: ThrottlingException

Every line with its reason: `ekslab get plan 2026-11-23`
"""
CALM = """\
Curfew, Mon 23 Nov 2026: a calm night.
Nothing was planned, blocked or without a lab. Everything could be read.
`ekslab get plan 2026-11-23`
"""
BRAKE = """\
The plan of Mon 23 Nov 2026 would take 30 idle labs of 60 alive. A night takes
15 idle labs at most: 25 % of the labs alive, and never more than 20. So it
takes none of them. Labs whose lease is over end all the same.

Owners whose warning arrived are told now that their labs did not end. What you
don't release within 6 hours of a lab's time lives on, and its owner is warned
again before another night.

Look at the plan:

  ekslab get plan 2026-11-23

If it is right, release this plan as it is, for this night alone; the next
curfew run goes on:

  ekslab release 2026-11-23 HASH

Or raise the brake for this night and all after it:

  ekslab curfew --set maxCount=30 --set maxPercent=49

If it is wrong, stop everything:

  ekslab curfew off
"""


def a_line(number: int, name: str, outcome: EntryOutcome, reason: str = "", **status: Any) -> tuple[Entry, EntryStatus]:
    owner = "shop@example.com" if name == "shop" else ENTRY.owner
    entry = replace(
        ENTRY,
        lab_id=f"lab-{number}",
        name=name,
        owner=owner,
        reason="idle since 18:40: no user pods scheduled in 5 h",
        act=AtCurfew.HIBERNATE if outcome is EntryOutcome.HIBERNATED else AtCurfew.END,
    )
    return entry, replace(EntryStatus(NIGHT, entry.id, entry.lab_id, outcome, reason, warned_at=AT), **status)


def a_plan(*lines: tuple[Entry, EntryStatus]) -> Plan:
    header = PlanHeader(NIGHT, 1, plan_hash(entry for entry, _ in lines), AT - timedelta(hours=4), len(lines))
    return Plan(header, lines)


def stuck() -> Lab:
    reason = "the security group sg-0a1b is still in use."
    lab = a_lab(phase="blocked", id="lab-9", spec=a_spec(name="stuck"), reason=reason)
    return replace(lab, phase_since=AT - timedelta(days=7))


ENDED = a_line(1, "myeks", EntryOutcome.ENDED, saved_usd=5.28)
ASLEEP = a_line(2, "shop", EntryOutcome.HIBERNATED, saved_usd=2.12)
KEPT = a_line(3, "orders", EntryOutcome.SKIPPED, "kept by its owner until Tue 24 Nov 22:00 (Asia/Seoul)")
JOBS = a_line(4, "jobs", EntryOutcome.SKIPPED, "busy: 1 job is running.")
LATE = a_line(
    5, "late", EntryOutcome.STANDING, warned_at=None, trouble="no confirmed subscription takes messages for learner"
)


def report(plan: Plan | None = None, rules: CurfewRules = RULES, **other: Any) -> Message:
    given: dict[str, Any] = {"blocked": (), "orphans": (), "troubles": ()} | other
    return report_message(NIGHT, plan, rules, Concerns(**given), "admins@example.com")


def test_a_busy_night_in_one_message() -> None:
    message = report(
        a_plan(ENDED, ASLEEP, KEPT, JOBS, LATE),
        blocked=(stuck(),),
        orphans=("old in ap-northeast-2: of another installation, only reported",),
        troubles=("us-east-1 could not be read: ThrottlingException",),
    )
    text = "1 ended, 1 put to sleep, 2 skipped, 1 not settled yet, 1 blocked"
    assert message.subject == f"ekslab: night of Mon 23 Nov 2026: {text}"
    assert message.body == BUSY
    assert (message.kind, message.severity, message.recipient) == (
        "curfew-report",
        Severity.WARNING,
        "admins@example.com",
    )


@pytest.mark.parametrize("plan", [None, a_plan()])
def test_a_calm_night_is_three_lines(plan: Plan | None) -> None:
    message = report(plan)
    assert message.body == CALM
    assert (message.subject, message.severity) == ("ekslab: night of Mon 23 Nov 2026: calm", Severity.INFO)


def test_a_night_on_which_everything_went_as_planned_is_no_warning() -> None:
    message = report(a_plan(ENDED, KEPT))
    assert message.severity is Severity.INFO
    for title in ("Put to sleep:", "Blocked:", "Troubles:", "Warnings not", "Clusters without", "brake", "dry run"):
        assert title not in message.body


@pytest.mark.parametrize(
    ("mode", "words"),
    [
        (Mode.OFF, "Curfew is off: nothing is planned, warned about or touched until `ekslab curfew on`."),
        (Mode.DRY_RUN, "Curfew is a dry run: it plans, and neither warns anybody nor touches anything."),
    ],
)
def test_a_stopped_or_dry_night_is_never_called_calm(mode: Mode, words: str) -> None:
    message = report(None, replace(RULES, mode=mode))
    assert words in flat(message)
    assert message.subject == "ekslab: night of Mon 23 Nov 2026: nothing planned"


def test_what_the_brake_held_is_said_with_how_to_raise_it() -> None:
    held = [a_line(number, "held", EntryOutcome.SKIPPED, "the brake held it", braked_at=AT) for number in (6, 7)]
    message = report(a_plan(*held))
    assert (
        "The brake held 2 labs. A night takes 25 % of the labs alive, and 20 labs at most; `ekslab curfew --set "
        in flat(message)
    )
    assert message.severity is Severity.WARNING


def test_labs_that_were_touched_after_the_brake_was_raised_are_said_to_have_been() -> None:
    lines = [
        a_line(6, "held", EntryOutcome.SKIPPED, "used again", braked_at=AT),
        a_line(7, "done", EntryOutcome.ENDED, braked_at=AT),
    ]
    assert "The brake held 2 labs. It was raised since, and 1 of them touched." in flat(report(a_plan(*lines)))


def test_a_plan_that_was_changed_is_said_to_have_been() -> None:
    entry, status = ENDED
    changed = replace(a_plan(ENDED), lines=((replace(entry, reason="other"), status),))
    assert "The plan is not what was published" in report(changed).body
    assert report(changed).severity is Severity.WARNING


def test_a_warning_that_came_late_but_came_is_not_called_undelivered() -> None:
    message = report(a_plan(a_line(7, "slow", EntryOutcome.SKIPPED, "its warning came too late", trouble="throttled")))
    assert "Warnings not delivered" not in message.body


def test_a_long_night_is_cut_with_a_count() -> None:
    lines = [a_line(number, f"lab{number}", EntryOutcome.SKIPPED, "in use") for number in range(120)]
    message = report(a_plan(*lines))
    assert "120 labs planned; 120 skipped." in message.body
    assert message.body.count("in use") == 50
    assert "  and 70 more\n" in message.body


def test_a_calm_night_reads_well_in_a_channel() -> None:
    document = chat_document(report(), Language.EN)
    assert "```" not in json.dumps(document)
    assert "a calm night." in json.dumps(document)
    assert '""' not in json.dumps(document)


@given(st.lists(st.sampled_from(list(EntryOutcome)), max_size=8), st.sampled_from(list(Mode)), st.booleans())
def test_every_lab_is_counted_once_and_nothing_reads_wrong(
    outcomes: list[EntryOutcome], mode: Mode, has_blocked: bool
) -> None:
    lines = [a_line(number, f"name{number}", outcome, "in use") for number, outcome in enumerate(outcomes)]
    message = report(a_plan(*lines), replace(RULES, mode=mode), blocked=(stuck(),) if has_blocked else ())
    opening = " ".join(message.body.partition("\n\n")[0].split())
    if outcomes:
        planned, *counts = map(int, re.findall(r"\b(\d+) (?:labs? planned|ended|put|skipped|not)", opening))
        assert planned == sum(counts) == len(outcomes)
    assert all(message.body.count(f"name{number} (") == 1 for number in range(len(outcomes)))
    assert len(message.subject) <= 99
    for nonsense in ("None", "1 labs", "..", "0 ended", "()"):
        assert nonsense not in message.body


def test_the_brake_says_how_many_were_planned_what_is_allowed_and_how_to_raise_it() -> None:
    message = brake_message(HEADER, 30, 60, RULES, "admins@example.com")
    assert message.subject == "ekslab: the brake holds, Mon 23 Nov 2026: 30 planned, 15 allowed"
    assert message.body == BRAKE.replace("HASH", "a" * 64)
    assert (message.kind, message.severity) == ("curfew-brake", Severity.CRITICAL)


@given(st.integers(1, 500), st.integers(0, 100), st.integers(0, 200), st.data())
def test_the_change_that_the_brake_offers_lets_the_plan_through_and_is_the_smallest(
    alive: int, percent: int, count: int, data: st.DataObject
) -> None:
    rules = replace(RULES, max_percent=percent, max_count=count)
    planned = data.draw(st.integers(1, alive))
    body = brake_message(HEADER, planned, alive, rules, "admins@example.com").body
    offered = {name: int(number) for name, number in re.findall(r"--set (\w+)=(\d+)", body)}
    raised = replace(rules, max_count=offered.get("maxCount", count), max_percent=offered.get("maxPercent", percent))
    assert allowance(raised, alive) >= planned
    assert bool(offered) is (allowance(rules, alive) < planned)
    if "maxPercent" in offered:
        assert allowance(replace(raised, max_percent=raised.max_percent - 1), alive) < planned


def test_a_changed_plan_is_told_with_both_hashes() -> None:
    message = broken_plan_message(NIGHT, "a" * 64, "b" * 64, "admins@example.com")
    assert message.subject == "ekslab: the plan of Mon 23 Nov 2026 was changed, nothing is done"
    assert "a" * 64 in message.body
    assert "b" * 64 in message.body
    assert message.severity is Severity.CRITICAL

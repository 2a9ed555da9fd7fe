"""Random fleets over days and nights: agreed ends happen or are called off, judged ends stay below the brake.

One person may have several names, subscriptions come and go, sources are throttled, owners extend and keep, administrators
protect and release, damaged data moves leases. For each promise a broken rule below shows that its check fails.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chalicelib.domain.core.message import Message
from chalicelib.domain.core.recipients import recipient_of
from chalicelib.domain.curfew import decision
from chalicelib.domain.curfew.brake import BrakeDecision
from chalicelib.domain.curfew.decision import DecisionContext
from chalicelib.domain.curfew.plan import Basis, Entry, EntryOutcome, EntryStatus
from chalicelib.domain.curfew.rules import CurfewRules, allowance
from chalicelib.domain.errors.tree import PlanChanged, Throttled
from chalicelib.domain.labs.lab import RESTING
from chalicelib.services.curfew.plans import release_plan
from chalicelib.workflows.night import act, call_off
from chalicelib.workflows.night.run import NightRun
from chalicelib.workflows.night.warn import administrators
from tests.examples import examples
from tests.fakes import NOW, a_caller, a_spec
from tests.fakes.curfew import FakeReach
from tests.workflows.night.nights import SEOUL, Nights, busy, idle, names, unseen

HOUR = timedelta(hours=1)
ADMIN = replace(a_caller(), is_admin=True)
#: The first two are one person.
OWNERS = (
    "arn:aws:iam::111122223333:user/learner",
    "arn:aws:sts::111122223333:assumed-role/Labs/Learner",
    "arn:aws:iam::111122223333:user/other",
    "arn:aws:sts::111122223333:assumed-role/Labs/shop@example.com",
)
DONE = frozenset({EntryOutcome.ENDED, EntryOutcome.HIBERNATED})
USES = {"idle": idle, "busy": busy, "unseen": unseen}
AUDIENCES = (*OWNERS, "administrators")
NOBODY = "Nobody has confirmed a subscription."
MOST_LABS = 200


class Fleet(RuleBasedStateMachine):
    """Hours with people's actions. `extended`: when somebody moved a lab's end themselves, and until when; `sent`: each mail,
    by its run.
    """

    def __init__(self) -> None:
        super().__init__()
        self.nights = Nights()
        self.nights.world.curfew.store.put_rules(CurfewRules())
        self.now, self.most, self.released = NOW, 0, set[str]()
        self.extended: dict[str, list[tuple[datetime, datetime]]] = {}
        self.sent: list[tuple[datetime, Message, bool]] = []
        self.deaf_at: list[tuple[datetime, set[str]]] = []

    @initialize(
        kinds=st.lists(
            st.tuples(st.sampled_from(OWNERS), st.sampled_from(sorted(USES)), st.integers(2 * 60, 60 * 60)),
            min_size=1,
            max_size=12,
        ),
        labs=st.one_of(st.integers(1, 12), st.integers(1, MOST_LABS)),
        unheard=st.sets(st.sampled_from(AUDIENCES), max_size=3),
    )
    def people_ask_for_labs(self, kinds: list[tuple[str, str, int]], labs: int, unheard: set[str]) -> None:
        """A number of labs of these kinds, by turns: an owner, a use, and the remaining minutes of the lease."""
        for number in range(labs):
            owner, use, lease = kinds[number % len(kinds)]
            ends_at = NOW + timedelta(minutes=lease + 7 * (number // len(kinds)))
            spec = a_spec(name=f"lab{number}", schedule=SEOUL)
            self.nights.add(f"lab-{number:03d}", USES[use], spec=spec, owner=owner, lease_ends_at=ends_at)
        self.most = labs
        self.subscriptions_change(unheard)

    @rule(unheard=st.sets(st.sampled_from(AUDIENCES), max_size=4))
    def subscriptions_change(self, unheard: set[str]) -> None:
        unreachable = self.nights.world.curfew.reach.unreachable
        unreachable.clear()
        for each in unheard:
            name = administrators(self.nights.world.deps) if each == "administrators" else recipient_of(each)
            unreachable[name] = NOBODY

    @rule(hours=st.integers(1, 8))
    def hours_pass(self, hours: int) -> None:
        deaf = self.deaf()
        for _ in range(hours):
            before = len(self.nights.world.watch.notifier.messages)
            self.nights.run_hour(self.now)
            self.deaf_at.append((self.now, deaf))
            for message in self.nights.world.watch.notifier.messages[before:]:
                self.sent.append((self.now, message, message.recipient.casefold() not in deaf))
            self.now += HOUR

    def deaf(self) -> set[str]:
        """The recipients without any reachable address or subscription now."""
        return {name.casefold() for name in self.nights.world.curfew.reach.unreachable}

    @rule(calls=st.sampled_from([0, 1, 6, 10_000]))
    def eks_is_throttled(self, calls: int) -> None:
        """Make the next reads of clusters fail, in place of earlier planned failures; the state machine retries."""
        self.nights.world.account.troubles.clear()
        self.nights.world.fail("clusters.describe", Throttled("eks:DescribeCluster: Rate exceeded"), times=calls)

    @rule(number=st.integers(0, MOST_LABS - 1), what=st.sampled_from(["extend", "keep", "protect"]))
    def somebody_spares_a_lab(self, number: int, what: str) -> None:
        lab_id = f"lab-{number:03d}"
        if lab_id in self.nights.world.store.labs:
            self.nights.person(lab_id, what, self.now)
            if what == "extend":
                self.note_extended(lab_id, self.nights.lab(lab_id).lease_ends_at)

    def note_extended(self, lab_id: str, until: datetime) -> None:
        """In this period its owner's own request overrides the announcement."""
        self.extended.setdefault(lab_id, []).append((self.now, until))

    def is_exempt(self, entry: Entry) -> bool:
        """Whether somebody moved the end away from the entry's time, before it or while it was due."""
        spans = self.extended.get(entry.lab_id, [])
        return any(since <= entry.at + 2 * HOUR and entry.at < until for since, until in spans)

    @rule(first=st.integers(0, 4), labs=st.integers(1, 60))
    def data_is_damaged(self, first: int, labs: int) -> None:
        for number in range(first, first + labs):
            lab = self.nights.world.store.labs.get(f"lab-{number:03d}")
            if lab is not None and lab.phase in RESTING and lab.planned is None:
                known = lab.leased_until(lab.lease_ends_at, lab.created_at)
                ends_at = min(lab.lease_ends_at, self.now + 5 * HOUR)
                self.nights.world.store.put(
                    replace(known, lease_ends_at=ends_at, version=lab.version + 1, due_at=self.now)
                )

    @rule(use=st.sampled_from(sorted(USES)), number=st.integers(0, MOST_LABS - 1))
    def use_changes(self, use: str, number: int) -> None:
        lab_id = f"lab-{number:03d}"
        if lab_id in self.nights.world.store.labs and self.nights.lab(lab_id).phase in RESTING:
            self.nights.world.curfew.signals.evidence[lab_id] = USES[use](lab_id)

    @rule()
    def an_administrator_releases_tonight(self) -> None:
        store = self.nights.world.curfew.store
        for night, header in store.headers.items():
            try:
                release_plan(self.nights.world.deps, ADMIN, night, header.hash, self.now)
            except PlanChanged:
                continue
            self.released |= set(store.headers[night].released)

    def lines(self) -> list[tuple[Entry, EntryStatus]]:
        kept = self.nights.world.curfew.store
        return [(entry, kept.statuses[key]) for key, entry in kept.entries.items()]

    def taken(self, kind: str, entry: Entry) -> list[datetime]:
        """When reachable recipients got mails of a kind about an entry's lab."""
        return [
            at
            for at, message, taken in self.sent
            if taken and message.kind == kind and names(message.subject, entry.name)
        ]

    def was_unheard(self, entry: Entry, since: datetime) -> bool:
        """Whether no recipient was reached in the hour since then, neither its owner nor administrators."""
        audience = {recipient_of(entry.owner).casefold(), administrators(self.nights.world.deps).casefold()}
        return any(audience <= deaf for at, deaf in self.deaf_at if since <= at < since + HOUR)

    def told_at(self, entry: Entry, at: datetime) -> bool:
        """Whether a recipient got the message that calls it off, or nobody was reachable and the lab's history records it."""
        if at in self.taken("curfew-called-off", entry):
            return True
        history = self.nights.world.store.event_table.get(entry.lab_id, [])
        mine = [each for each in history if each.facts.get("post") == f"curfew-called-off {entry.id}"]
        named = any("Nobody takes messages for" in each.message for each in mine if at <= each.at < at + HOUR)
        return named and self.was_unheard(entry, at)

    def done_at(self, entry: Entry) -> list[datetime]:
        """When it was carried out, or its lab ended by another entry: a lab whose cluster is lost is warned of an earlier end."""
        mine = [
            (one, status)
            for one, status in self.lines()
            if one.lab_id == entry.lab_id and status.settled_at is not None
        ]
        done = [
            status
            for one, status in mine
            if status.outcome is EntryOutcome.ENDED or (one == entry and status.outcome in DONE)
        ]
        return [status.settled_at for status in done if status.settled_at is not None]

    @invariant()
    def what_was_agreed_happens_within_two_hours_or_is_called_off_in_a_mail_of_the_same_hour(self) -> None:
        for entry, status in self.lines():
            due = entry.basis is Basis.AGREED and entry.at + 2 * HOUR <= self.now - HOUR
            if not due or status.warned_at is None or self.is_exempt(entry):
                continue
            if any(at - entry.at <= 2 * HOUR for at in self.done_at(entry)):
                continue
            told = status.called_off_at is not None and self.told_at(entry, status.called_off_at)
            assert told or self.taken("curfew-called-off", entry) or self.was_unheard(entry, entry.at), (
                f"announced, and neither done nor called off: {status.reason}"
            )
            if status.called_off_at is not None:
                assert told, "said to be told, and no mail"
                assert status.called_off_at - entry.at < HOUR, "called off late"

    @invariant()
    def no_night_takes_more_by_judgement_than_the_brake_lets(self) -> None:
        judged = [
            entry.night
            for entry, status in self.lines()
            if entry.basis is Basis.JUDGED and status.outcome in DONE and entry.id not in self.released
        ]
        for taken in Counter(judged).values():
            assert taken <= allowance(CurfewRules(), self.most), "above the brake"

    @invariant()
    def nothing_is_sent_that_nobody_took(self) -> None:
        for entry, status in self.lines():
            if status.warned_at is not None:
                assert status.warned_at in self.taken("curfew-warning", entry), "warned, and nobody took it"
            assert status.outcome not in DONE or status.warned_at is not None, "done without a warning"
            if status.called_off_at is not None:
                assert self.told_at(entry, status.called_off_at), "called off, and nobody took it"

    @invariant()
    def a_second_message_is_sent_only_of_what_was_announced_and_not_done(self) -> None:
        for entry, status in self.lines():
            if status.called_off_at is not None:
                assert status.warned_at is not None
                assert status.outcome not in DONE or entry.id in self.released or (status.settled_at or NOW) > entry.at


TestFleet = Fleet.TestCase
TestFleet.settings = settings(max_examples=examples(12), stateful_step_count=14, deadline=None)


def a_fleet(labs: int, use: str, lease: int, unheard: set[str] | None = None) -> Fleet:
    """A number of labs of one owner; `lease`: the remaining hours of each."""
    fleet = Fleet()
    fleet.people_ask_for_labs(kinds=[(OWNERS[0], use, lease * 60)], labs=labs, unheard=unheard or set())
    return fleet


def a_damaged_fleet() -> Fleet:
    """Five labs in use whose leases a faulty write moved to tonight: the guard holds them."""
    fleet = a_fleet(5, "busy", 60)
    fleet.data_is_damaged(first=0, labs=5)
    fleet.hours_pass(hours=8)
    return fleet


def test_a_fleet_that_is_held_is_called_off_and_keeps_the_promises() -> None:
    fleet = a_damaged_fleet()
    assert all(status.called_off_at for _, status in fleet.lines())
    fleet.what_was_agreed_happens_within_two_hours_or_is_called_off_in_a_mail_of_the_same_hour()


def test_what_was_announced_is_called_off_to_somebody_who_hears_it_though_its_owner_hears_no_more() -> None:
    fleet = a_fleet(5, "busy", 60)
    fleet.data_is_damaged(first=0, labs=5)
    fleet.hours_pass(hours=3)
    fleet.subscriptions_change({OWNERS[0]})
    fleet.hours_pass(hours=5)
    off = [message for _, message, taken in fleet.sent if taken and message.kind == "curfew-called-off"]
    assert {message.recipient for message in off} == {administrators(fleet.nights.world.deps)}
    assert all("This is about a lab of learner" in message.body for message in off)
    fleet.nothing_is_sent_that_nobody_took()


def test_an_end_that_a_throttled_eks_keeps_from_happening_is_called_off_in_the_same_hour() -> None:
    """No message reported it: the act failed in each hour, and the warning stood."""
    fleet = a_fleet(1, "busy", 5)
    fleet.hours_pass(hours=4)
    fleet.eks_is_throttled(10_000)
    fleet.hours_pass(hours=4)
    fleet.what_was_agreed_happens_within_two_hours_or_is_called_off_in_a_mail_of_the_same_hour()
    [(entry, _)] = fleet.lines()
    assert fleet.taken("curfew-called-off", entry) == [entry.at]
    fleet.eks_is_throttled(0)
    fleet.hours_pass(hours=2)
    assert fleet.nights.started("teardown") == ["lab-000"]


def braked_at_most(fleet: Fleet) -> None:
    fleet.hours_pass(hours=8)
    fleet.no_night_takes_more_by_judgement_than_the_brake_lets()


def warned_and_heard(fleet: Fleet) -> None:
    fleet.hours_pass(hours=5)
    fleet.nothing_is_sent_that_nobody_took()


def happened_or_called_off(fleet: Fleet) -> None:
    fleet.data_is_damaged(first=0, labs=5)
    fleet.hours_pass(hours=3)
    fleet.hours_pass(hours=5)
    fleet.what_was_agreed_happens_within_two_hours_or_is_called_off_in_a_mail_of_the_same_hour()


def an_hour_late(run: NightRun, context: DecisionContext, reason: str) -> None:
    if context.now > context.entry.at + HOUR:
        call_off.call_off_now(run, context, reason)


#: The broken function, its name at the import, the broken version, the fleet, the promise that then fails, and its message.
BROKEN: dict[str, tuple[Any, str, Any, Callable[[], Fleet], Callable[[Fleet], None], str]] = {
    "what is held is not called off": (
        act,
        "call_off_now",
        lambda *given: None,
        lambda: a_fleet(5, "busy", 60),
        happened_or_called_off,
        "neither done nor called off",
    ),
    "what is held is called off two hours later": (
        act,
        "call_off_now",
        an_hour_late,
        lambda: a_fleet(5, "busy", 60),
        happened_or_called_off,
        "called off late",
    ),
    "the brake holds nothing": (
        BrakeDecision,
        "holds",
        lambda decision, entry: "",
        lambda: a_fleet(8, "idle", 60),
        braked_at_most,
        "above the brake",
    ),
    "a warning counts as sent whoever takes it": (
        FakeReach,
        "undeliverable_reason",
        lambda reach, recipient, message=None: None,
        lambda: a_fleet(3, "busy", 5, {OWNERS[0]}),
        warned_and_heard,
        "nobody took it",
    ),
    "a lab goes without a warning": (
        decision,
        "_why_held",
        lambda context: "" if context.now >= context.entry.at else "Its time has not come.",
        lambda: a_fleet(3, "busy", 4, set(AUDIENCES)),
        warned_and_heard,
        "done without a warning",
    ),
}


@pytest.mark.parametrize("rule", BROKEN)
def test_a_rule_that_is_broken_on_purpose_is_noticed(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    where, name, broken, fleet, promise, says = BROKEN[rule]
    monkeypatch.setattr(where, name, broken)
    with pytest.raises(AssertionError, match=says):
        promise(fleet())


@pytest.mark.parametrize("rule", BROKEN)
def test_the_same_fleet_keeps_the_promise_while_the_rule_holds(rule: str) -> None:
    _, _, _, fleet, promise, _ = BROKEN[rule]
    promise(fleet())

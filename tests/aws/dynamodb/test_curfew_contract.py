"""The contract of every CurfewStore, tested on the fake, on moto's DynamoDB and on the sandbox's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from itertools import product
from zoneinfo import ZoneInfo

import pytest

from chalicelib.aws.dynamodb.curfew.plans import line_item
from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.domain.core.place import Place
from chalicelib.domain.costs import Running
from chalicelib.domain.curfew.plan import Entry, EntryOutcome, EntryStatus, PlanPage, Stakes, Trigger, plan_hash
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.errors.tree import StaleLab
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.schedule import AtCurfew
from tests.aws.given_curfew import NIGHT, Kept, a_verdict, an_entry, created, fake_kept, kept_on, moto_client
from tests.fakes import NOW
from tests.fakes.builders import ACCOUNT, in_phase

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


@pytest.fixture(params=["fake", "moto", "sandbox"])
def kept(request: pytest.FixtureRequest) -> Iterator[Kept]:
    if request.param == "fake":
        yield fake_kept()
    elif request.param == "moto":
        with moto_client() as client, kept_on(client) as kept:
            yield kept
    else:
        with kept_on(request.getfixturevalue("sandbox").client("dynamodb")) as kept:
            yield kept


def warned(status: EntryStatus) -> EntryStatus:
    return replace(status, warned_at=NOW, message_id="m-1", recipient="learner")


def move(kept: Kept, lab_id: str, phase: Phase) -> None:
    kept.labs.change_lab(lab_id, lambda lab: in_phase(lab, phase, NOW))


# Pages of a plan


def test_a_plan_is_read_by_pages_of_what_somebody_may_see(kept: Kept) -> None:
    """With only one owner's lines visible, or a filter on each line; others' are counted where all were read."""
    assert kept.curfew.plan_page(NIGHT, None, None, 9, None) is None
    for day, owners in enumerate(("mmooomoo", "omomomom", "oooooooo", "mmmmmmmm", "oomm", "mo", "om", "m")):
        night = NIGHT + day * DAY
        entries = [an_entry(lab_id=f"lab-{n:03}", owner=owner, night=night) for n, owner in enumerate(owners)]
        kept.curfew.publish(night, entries, NOW)
        for limit, (seen, whose) in product((1, 2, 3, 9), ((None, None), (_is_mine, None), (_is_mine, "m"))):
            pages = list(pages_of(kept, night, seen, whose, limit))
            mine = [entry for entry in entries if seen is None or seen(entry.owner)]
            assert [entry for page in pages for entry, _ in page.lines] == mine
            assert all(page.is_whole and page.header.entries == len(owners) for page in pages)
            others = [len(owners) - len(mine)] if len(mine) <= limit else [None] * len(pages)
            assert [page.others for page in pages] == others


def _is_mine(owner: str) -> bool:
    return owner == "m"


def pages_of(
    kept: Kept, night: date, seen: Callable[[str], bool] | None, whose: str | None, limit: int
) -> Iterator[PlanPage]:
    after = None
    for _ in range(9):
        page = kept.curfew.plan_page(night, seen, whose, limit, after)
        assert page is not None
        yield page
        after = page.after
        if after is None:
            return
    raise AssertionError("It does not end.")


def test_a_line_that_was_not_published_so_is_seen_on_a_page(kept: Kept) -> None:
    """A changed line, or one added after the publication."""
    if not isinstance(kept.curfew, DynamoCurfewStore):
        return
    kept.curfew.publish(NIGHT, [an_entry(lab_id="lab-1", owner="m"), an_entry(lab_id="lab-2", owner="o")], NOW)
    table = kept.curfew._table
    added, changed = an_entry(lab_id="lab-3", owner="o"), an_entry(lab_id="lab-1", owner="m", reason="another one")
    for entry in (added, changed):
        line = line_item(NIGHT, entry, EntryStatus(NIGHT, entry.id, entry.lab_id))
        table.put(line)
        page = kept.curfew.plan_page(NIGHT, _is_mine, "m", 9, None)
        assert page is not None
        assert not page.is_whole
        table.delete({name: line[name] for name in ("pk", "sk")})


def test_lines_are_found_by_their_night_and_id(kept: Kept) -> None:
    tonight, tomorrow = an_entry(lab_id="lab-1"), an_entry(lab_id="lab-2", night=NIGHT + DAY)
    kept.curfew.publish(NIGHT, [tonight], NOW)
    kept.curfew.publish(NIGHT + DAY, [tomorrow], NOW)
    asked = [(NIGHT, tonight.id), (NIGHT + DAY, tomorrow.id), (NIGHT, tomorrow.id), (NIGHT, "none")]
    assert {entry.lab_id for entry, _ in kept.curfew.lines(asked)} == {"lab-1", "lab-2"}
    assert kept.curfew.lines([]) == ()


# Rules and verdicts


def test_the_usual_rules_hold_until_administrators_set_others(kept: Kept) -> None:
    usual = CurfewRules(max_count=3)
    assert kept.curfew.rules(usual) == usual
    for rules in (CurfewRules(mode=Mode.OFF, changed_at=NOW, changed_by="ops@"), CurfewRules(max_percent=50)):
        kept.curfew.change_rules(usual, lambda _, to=rules: to)
        assert kept.curfew.rules(usual) == rules


def test_who_changes_one_rule_takes_back_no_other_that_was_set_meanwhile(kept: Kept) -> None:
    usual, thrown = CurfewRules(max_count=3), list[CurfewRules]()

    def braked(rules: CurfewRules) -> CurfewRules:
        if not thrown:
            thrown.append(replace(rules, mode=Mode.OFF))
            kept.curfew.change_rules(thrown[0], lambda _: thrown[0])
        return replace(rules, max_percent=50)

    for rules in (kept.curfew.change_rules(usual, braked), kept.curfew.rules(usual)):
        assert (rules.mode, rules.max_percent, rules.max_count) == (Mode.OFF, 50, 3)


def test_rules_that_are_always_set_by_others_are_given_up(kept: Kept) -> None:
    counts = iter(range(1, 1000))

    def beaten(rules: CurfewRules) -> CurfewRules:
        kept.curfew.change_rules(CurfewRules(), lambda _: CurfewRules(max_count=next(counts)))
        return replace(rules, mode=Mode.OFF)

    with pytest.raises(StaleLab):
        kept.curfew.change_rules(CurfewRules(), beaten)
    assert kept.curfew.rules(CurfewRules()).mode is Mode.ON


@pytest.mark.parametrize(
    "verdict",
    [a_verdict(since=NOW - DAY), a_verdict(idle=False, gone=True, sentence="EKS knows no such cluster", signals=())],
    ids=["idle", "gone"],
)
def test_a_verdict_comes_back_as_it_was_kept(kept: Kept, verdict: Verdict) -> None:
    assert kept.curfew.verdict("lab-1") is None
    kept.curfew.put_verdict(a_verdict(sentence="an earlier one", at=NOW - DAY))
    kept.curfew.put_verdict(verdict)
    assert kept.curfew.verdict("lab-1") == verdict
    assert kept.curfew.verdict("lab-2") is None


# Labs that are due, blocked, alive


def test_labs_at_rest_that_are_due_are_told_oldest_first_with_their_region(kept: Kept) -> None:
    created(kept, 1, phase=Phase.READY, due_at=NOW)
    created(kept, 2, phase=Phase.HIBERNATED, due_at=NOW - MINUTE, region="us-east-1")
    created(kept, 3, phase=Phase.READY, due_at=NOW + MINUTE)
    created(kept, 4, phase=Phase.READY, due_at=None)
    created(kept, 5, phase=Phase.UPDATING, due_at=NOW - DAY)
    created(kept, 6, phase=Phase.DELETED, due_at=NOW - DAY)
    due = kept.curfew.labs_awaiting(NOW, 10)
    assert due == (("lab-2", Place(ACCOUNT, "us-east-1")), ("lab-1", Place(ACCOUNT, "ap-northeast-2")))
    assert kept.curfew.labs_awaiting(NOW, 1) == due[:1]
    assert set(kept.labs.labs_due(NOW, 10)) == {"lab-5", "lab-6"}


def test_a_lab_that_was_looked_at_awaits_its_next_time(kept: Kept) -> None:
    created(kept, 1, phase=Phase.READY, due_at=NOW)
    kept.labs.change_lab("lab-1", lambda lab: replace(lab, due_at=NOW + DAY))
    assert kept.curfew.labs_awaiting(NOW, 10) == ()
    assert kept.curfew.labs_awaiting(NOW + DAY, 10) == (("lab-1", Place(ACCOUNT, "ap-northeast-2")),)


def test_blocked_labs_are_told_longest_first(kept: Kept) -> None:
    second = created(kept, 1, phase=Phase.BLOCKED, phase_since=NOW, reason="a volume is in use")
    first = created(kept, 2, phase=Phase.BLOCKED, phase_since=NOW - DAY)
    created(kept, 3, phase=Phase.READY)
    assert kept.curfew.blocked(10) == (first, second)
    assert kept.curfew.blocked(1) == (first,)


def test_labs_alive_are_counted_as_they_come_and_go(kept: Kept) -> None:
    assert kept.curfew.alive_count() == 0
    for number in range(4):
        created(kept, number)
    created(kept, 0)
    assert kept.curfew.alive_count() == 4
    for phase in (Phase.RELEASING, Phase.BLOCKED, Phase.DELETED, Phase.DELETED):
        move(kept, "lab-1", phase)
    move(kept, "lab-2", Phase.FAILED)
    assert kept.curfew.alive_count() == 2


def test_a_lab_that_ended_and_is_blocked_after_all_counts_again(kept: Kept) -> None:
    created(kept, 1)
    for phase, alive in ((Phase.DELETED, 0), (Phase.BLOCKED, 1), (Phase.RELEASING, 1), (Phase.DELETED, 0)):
        move(kept, "lab-1", phase)
        assert kept.curfew.alive_count() == alive


# Plans


def test_a_day_without_a_plan_has_none(kept: Kept) -> None:
    assert kept.curfew.header(NIGHT) is None
    assert kept.curfew.plan(NIGHT) is None
    assert kept.curfew.line(NIGHT, an_entry().id) is None
    with pytest.raises(KeyError):
        kept.curfew.change_status(NIGHT, an_entry().id, warned)
    with pytest.raises(KeyError):
        kept.curfew.change_header(NIGHT, lambda header: replace(header, reported_at=NOW))


def test_an_empty_plan_can_be_published(kept: Kept) -> None:
    header = kept.curfew.publish(NIGHT, (), NOW)
    assert (header.revision, header.entries, header.published_at) == (1, 0, NOW)
    assert kept.curfew.publish(NIGHT, (), NOW + MINUTE) == header == kept.curfew.header(NIGHT)
    plan = kept.curfew.plan(NIGHT)
    assert plan is not None
    assert plan.is_whole
    assert plan.lines == ()


def test_entries_come_back_by_time_with_standing_fates_and_the_plan_is_whole(kept: Kept) -> None:
    late, early, same = an_entry("lab-1", 5), an_entry("lab-3"), an_entry("lab-2")
    header = kept.curfew.publish(NIGHT, (late, early, same), NOW)
    plan = kept.curfew.plan(NIGHT)
    assert plan is not None
    assert plan.header == header
    assert plan.is_whole
    assert plan.lines == tuple((e, EntryStatus(NIGHT, e.id, e.lab_id)) for e in (same, early, late))
    assert header.hash == plan_hash((late, early, same))
    assert kept.curfew.line(NIGHT, early.id) == (early, EntryStatus(NIGHT, early.id, "lab-3"))


def test_publishing_more_adds_and_renews_the_hash_and_what_is_there_stays(kept: Kept) -> None:
    first, second = an_entry("lab-1"), an_entry("lab-2")
    before = kept.curfew.publish(NIGHT, (first,), NOW)
    kept.curfew.change_status(NIGHT, first.id, warned)
    after = kept.curfew.publish(NIGHT, (replace(first, reason="another reason"), second), NOW + MINUTE)
    assert (after.revision, after.entries, after.published_at) == (2, 2, NOW + MINUTE)
    assert after.hash != before.hash
    plan = kept.curfew.plan(NIGHT)
    assert plan is not None
    assert plan.is_whole
    assert [entry for entry, _ in plan.lines] == [first, second]
    assert plan.lines[0][1].warned_at == NOW
    assert kept.curfew.publish(NIGHT, (first, second), NOW + DAY) == after


def test_an_entry_given_twice_is_published_once_as_it_came_first(kept: Kept) -> None:
    header = kept.curfew.publish(NIGHT, (an_entry(), an_entry(reason="another")), NOW)
    assert header.entries == 1
    line = kept.curfew.line(NIGHT, an_entry().id)
    assert line is not None
    assert line[0] == an_entry()


@pytest.mark.parametrize(
    "entry",
    [
        an_entry(hourly_usd=1, saved_hourly_usd=0),
        an_entry(at=an_entry().at.astimezone(ZoneInfo("Asia/Seoul"))),
        an_entry(stakes=Stakes(), hourly_usd=None, saved_hourly_usd=0.1 + 0.2, owner="", reason='"ü" & \n…'),
        an_entry(act=AtCurfew.HIBERNATE, trigger=Trigger.LEASE, planned_at=NOW + timedelta(microseconds=1)),
    ],
    ids=["whole-dollars", "local-time", "unknowns", "lease"],
)
def test_a_plan_is_whole_whatever_its_entries_say(kept: Kept, entry: Entry) -> None:
    kept.curfew.publish(NIGHT, (entry,), NOW)
    plan = kept.curfew.plan(NIGHT)
    assert plan is not None
    assert plan.is_whole
    assert plan.lines[0][0] == entry


def test_a_plan_of_more_than_a_transaction_holds_is_whole(kept: Kept) -> None:
    entries = [an_entry(f"lab-{number}", number) for number in range(230)]
    header = kept.curfew.publish(NIGHT, entries, NOW)
    plan = kept.curfew.plan(NIGHT)
    assert plan is not None
    assert plan.is_whole
    assert plan.header == header
    assert [entry for entry, _ in plan.lines] == entries
    assert header.entries == 230


def test_each_night_has_its_own_plan(kept: Kept) -> None:
    kept.curfew.publish(NIGHT, (an_entry(),), NOW)
    kept.curfew.publish(NIGHT + DAY, (an_entry("lab-2", night=NIGHT + DAY),), NOW)
    plans = [kept.curfew.plan(night) for night in (NIGHT, NIGHT + DAY)]
    assert [[entry.lab_id for entry, _ in plan.lines] for plan in plans if plan] == [["lab-1"], ["lab-2"]]


# Statuses


def test_a_changed_status_is_kept_with_the_next_version_and_an_unchanged_one_is_not_saved(kept: Kept) -> None:
    entry = an_entry()
    kept.curfew.publish(NIGHT, (entry,), NOW)
    changed = kept.curfew.change_status(NIGHT, entry.id, warned)
    assert (changed.version, changed.warned_at, changed.message_id) == (1, NOW, "m-1")
    assert kept.curfew.change_status(NIGHT, entry.id, warned) == changed
    assert kept.curfew.line(NIGHT, entry.id) == (entry, changed)
    ended = kept.curfew.change_status(NIGHT, entry.id, lambda f: replace(f, outcome=EntryOutcome.ENDED, saved_usd=5.28))
    assert (ended.version, ended.outcome, ended.saved_usd) == (2, EntryOutcome.ENDED, 5.28)
    plan = kept.curfew.plan(NIGHT)
    assert plan is not None
    assert plan.is_whole
    assert plan.lines == ((entry, ended),)


def test_standing_fates_without_a_delivered_warning_are_told_by_time(kept: Kept) -> None:
    entries = [an_entry(f"lab-{number}", 10 - number) for number in range(4)]
    tomorrow = an_entry("lab-9", 24 * 60, night=NIGHT + DAY)
    kept.curfew.publish(NIGHT, entries, NOW)
    kept.curfew.publish(NIGHT + DAY, (tomorrow,), NOW)
    kept.curfew.change_status(NIGHT, entries[1].id, warned)
    kept.curfew.change_status(NIGHT, entries[2].id, lambda f: replace(f, outcome=EntryOutcome.SKIPPED, settled_at=NOW))
    kept.curfew.change_status(NIGHT, entries[3].id, lambda f: replace(f, trouble="nobody takes mail for learner"))
    assert [status.lab_id for status in kept.curfew.unwarned(10)] == ["lab-3", "lab-0", "lab-9"]
    assert kept.curfew.unwarned(10)[0].trouble == "nobody takes mail for learner"
    assert [status.lab_id for status in kept.curfew.unwarned(2)] == ["lab-3", "lab-0"]


def test_what_administrators_were_told_is_kept_through_later_publications(kept: Kept) -> None:
    kept.curfew.publish(NIGHT, (an_entry(),), NOW)
    kept.curfew.change_header(NIGHT, lambda header: replace(header, brake_notified_at=NOW))
    kept.curfew.publish(NIGHT, (an_entry("lab-2"),), NOW + MINUTE)
    kept.curfew.change_header(NIGHT, lambda header: replace(header, reported_at=NOW + DAY))
    kept.curfew.change_header(NIGHT, lambda header: header)
    header = kept.curfew.header(NIGHT)
    assert header is not None
    assert (header.brake_notified_at, header.reported_at) == (NOW, NOW + DAY)
    assert (header.revision, header.entries, header.published_at) == (2, 2, NOW + MINUTE)


def test_labs_are_counted_by_phase_with_what_they_cost_as_they_come_change_and_go(kept: Kept) -> None:
    def become(number: int, phase: Phase, usd: float) -> None:
        kept.labs.change_lab(f"lab-{number}", lambda lab: replace(in_phase(lab, phase, NOW), hourly_usd=usd))

    for number in range(3):
        created(kept, number)
    assert kept.curfew.running() == Running({Phase.REQUESTED: 3}, 0.0)
    become(0, Phase.READY, 0.2215)
    become(1, Phase.READY, 0.7215)
    assert kept.curfew.running() == Running({Phase.REQUESTED: 1, Phase.READY: 2}, 0.943)
    become(1, Phase.HIBERNATED, 0.1)
    become(2, Phase.FAILED, 0.3)
    assert kept.curfew.running() == Running({Phase.READY: 1, Phase.HIBERNATED: 1}, 0.3215)
    become(0, Phase.DELETED, 0.2215)
    become(1, Phase.DELETED, 0.1)
    assert kept.curfew.running() == Running({}, 0.0)
    assert kept.curfew.alive_count() == 0

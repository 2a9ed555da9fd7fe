"""Evenings of the curfew run, one by one: planned, warned, ended, exempt, woken, adopted and reported labs."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import time, timedelta

import pytest

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import from_kept, said
from chalicelib.domain.curfew.extension import ExtensionRequest
from chalicelib.domain.curfew.plan import EntryOutcome, Trigger
from chalicelib.domain.curfew.rules import CurfewRules, Mode
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable, LabNotFound, StaleLab
from chalicelib.domain.labs.aws_states import StackState
from chalicelib.domain.labs.lab import Lab, Phase
from chalicelib.domain.labs.schedule import AtCurfew
from chalicelib.domain.notices.posts import messages_of
from chalicelib.domain.teardown.adoption import TaggedCluster, adopted_lab
from chalicelib.services.labs.lease import extend_lab
from chalicelib.words.catalogues import words_of
from chalicelib.workflows import curfew
from chalicelib.workflows.curfew import LAST_ROUND
from chalicelib.workflows.night import examine
from chalicelib.workflows.night.region import Region
from chalicelib.workflows.night.run import LAST_LOOK, NightRun
from chalicelib.workflows.night.warn import listeners
from tests.fakes import NOW, a_caller, a_lab, a_spec
from tests.fakes.builders import in_phase
from tests.workflows.machine import LambdaDied
from tests.workflows.night.nights import CURFEW, SEOUL, TONIGHT, Nights, at_work, busy, idle, unseen

ALL = CurfewRules(max_percent=100)
SLEEPY = replace(SEOUL, at_curfew=AtCurfew.HIBERNATE, wake=time(8, 30))
ADMINS = "admins@example.com"


def schedule(rules: CurfewRules = ALL) -> Nights:
    nights = Nights()
    nights.world.curfew.store.put_rules(rules)
    return nights


def kinds(nights: Nights) -> list[str]:
    return [message.kind for message in nights.world.watch.notifier.messages if message.kind != "curfew-report"]


def test_an_idle_lab_is_planned_hours_ahead_warned_and_ended_at_curfew_and_others_live() -> None:
    nights = schedule()
    for lab_id, use in {"lab-a": idle, "lab-b": busy, "lab-c": at_work, "lab-d": unseen}.items():
        nights.add(lab_id, use)
    nights.run_hour(NOW)
    [(entry, status)] = nights.lines("lab-a")
    assert (entry.at, entry.trigger, entry.night) == (CURFEW, Trigger.IDLE, TONIGHT)
    assert (status.outcome, status.recipient, status.warned_at) == (EntryOutcome.STANDING, "lab-a", NOW)
    nights.hours(NOW + timedelta(hours=1), 3)
    assert nights.started("teardown") == ["lab-a"]
    [(_, status)] = nights.lines("lab-a")
    assert status.outcome is EntryOutcome.ENDED
    assert status.saved_usd > 1
    for lab_id, why in {"lab-b": "busy", "lab-c": "Job", "lab-d": "not known to be idle"}.items():
        assert nights.lab(lab_id).phase is Phase.READY
        assert why in nights.sentences(lab_id)


def test_a_run_reads_nothing_of_a_lab_that_faces_nothing_yet() -> None:
    nights = schedule()
    nights.add("lab-a")
    early = CURFEW - timedelta(hours=9)
    nights.change("lab-a")
    nights.run_hour(NOW)
    nights.world.account.calls.clear()
    lab = nights.lab("lab-a")
    nights.world.store.put(replace(lab, planned=None, due_at=early))
    nights.run_hour(early)
    assert "read" not in [name for name, _ in nights.world.account.calls]
    assert nights.lab("lab-a").due_at == CURFEW - timedelta(hours=ALL.lead_hours)


def test_a_warning_that_reaches_nobody_not_even_administrators_spares_the_lab_and_says_so() -> None:
    nights = schedule()
    lab = nights.add("lab-a")
    for recipient in listeners(nights.world.deps, lab):
        nights.world.curfew.reach.unreachable[recipient] = f"Nobody has confirmed a subscription for {recipient}."
    nights.hours(NOW, 12)
    [(_, status)] = nights.lines("lab-a")
    assert (status.outcome, status.warned_at) == (EntryOutcome.SKIPPED, None)
    assert "Nobody has confirmed" in status.reason
    assert "Nobody has confirmed" in nights.sentences("lab-a")
    assert kinds(nights) == []


def test_the_tag_on_the_cluster_protects_it_at_the_last_moment() -> None:
    nights = schedule()
    lab = nights.add("lab-a")
    nights.run_hour(NOW)
    nights.make_cluster(lab, tags={**lab.tags, "ekslab:protected": "yes"})
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == []
    assert "carries the tag ekslab:protected" in nights.sentences("lab-a")


def test_a_hibernated_lab_wakes_in_its_morning_by_itself() -> None:
    nights = schedule()
    nights.add("lab-a", schedule=SLEEPY)
    nights.hours(NOW, 4)
    assert nights.started("hibernate") == ["lab-a"]
    assert nights.lines("lab-a")[0][1].outcome is EntryOutcome.HIBERNATED
    nights.run_hour(CURFEW + timedelta(hours=1))
    asleep, morning = nights.lab("lab-a"), CURFEW + timedelta(hours=10, minutes=30)
    assert asleep.due_at == morning
    assert asleep.hibernation is not None
    assert asleep.hibernation.wake_at == morning
    nights.run_hour(CURFEW + timedelta(hours=10))
    assert nights.started("wake") == []
    nights.run_hour(CURFEW + timedelta(hours=11))
    assert nights.started("wake") == ["lab-a"]
    assert nights.lab("lab-a").phase is Phase.READY


def a_version(nights: Nights, version: str) -> Lab:
    """A lab of that version on standard support, which sleeps until somebody wakes it."""
    own = replace(SLEEPY, wake=None)
    return nights.add("lab-a", spec=a_spec(name="c-lab-a", version=version, schedule=own))


def test_a_sleeping_lab_is_woken_before_aws_would_find_no_nodes_to_upgrade() -> None:
    nights = schedule()
    a_version(nights, "1.34")
    nights.hours(NOW, 6)
    assert nights.lab("lab-a").phase is Phase.HIBERNATED
    ahead = nights.lab("lab-a").due_at
    assert ahead is not None
    assert f"{ahead:%Y-%m-%d}" in ("2026-11-26", "2026-11-30"), "its lease's end, or 48 hours before 2 December"
    nights.change("lab-a", lease_ends_at=NOW + timedelta(days=30))
    nights.run_hour(NOW + timedelta(hours=7))
    assert f"{nights.lab('lab-a').due_at:%Y-%m-%d %H:%M}" == "2026-11-30 00:00"
    nights.run_hour(NOW.replace(day=30, hour=0))
    assert nights.started("wake") == ["lab-a"]
    assert "AWS may upgrade its control plane" in nights.sentences("lab-a")


def test_a_lab_that_aws_may_upgrade_soon_is_not_put_to_sleep() -> None:
    nights = schedule()
    a_version(nights, "1.33")
    nights.hours(NOW, 5)
    assert nights.started("hibernate") == []
    assert "It stays awake" in nights.sentences("lab-a")


def test_a_lease_that_ends_is_warned_of_and_asks_for_no_idleness() -> None:
    nights = schedule()
    nights.add("lab-a", busy, lease_ends_at=CURFEW - timedelta(hours=1))
    nights.hours(NOW, 3)
    [(entry, status)] = nights.lines("lab-a")
    assert (entry.trigger, status.outcome) == (Trigger.LEASE, EntryOutcome.ENDED)


def test_an_extended_lease_lets_the_lab_live_and_the_next_end_is_planned() -> None:
    nights = schedule()
    nights.add("lab-a", busy, lease_ends_at=CURFEW - timedelta(hours=1))
    nights.run_hour(NOW)
    nights.change("lab-a", lease_ends_at=CURFEW + timedelta(hours=9))
    nights.hours(NOW + timedelta(hours=1), 13)
    first, second = nights.lines("lab-a")
    assert "extended" in first[1].reason
    assert (first[1].outcome, second[1].outcome) == (EntryOutcome.SKIPPED, EntryOutcome.ENDED)


def test_who_extends_after_a_curfew_that_no_run_saw_hides_nothing_of_it() -> None:
    nights = schedule()
    lab = nights.add("lab-a", due_at=CURFEW - timedelta(hours=4))
    after = CURFEW + timedelta(minutes=30)
    nights.world.clock.instant = after
    extend_lab(nights.world.deps, a_caller(arn=lab.owner), "lab-a", ExtensionRequest(hours=4), after)
    nights.run_hour(after)
    assert TONIGHT.isoformat() in {event.facts.get("night") for event in nights.history("lab-a")}


def test_a_lab_whose_cluster_is_gone_is_closed_with_a_receipt() -> None:
    nights = schedule()
    nights.drop_cluster(nights.add("lab-a"))
    nights.hours(NOW, 3)
    [(entry, status)] = nights.lines("lab-a")
    assert (entry.trigger, status.outcome) == (Trigger.GONE, EntryOutcome.ENDED)
    assert nights.started("teardown") == ["lab-a"]


def test_the_brake_holds_the_whole_night_tells_once_and_goes_on_when_raised() -> None:
    nights = schedule(CurfewRules(max_percent=100, max_count=2))
    for number in range(3):
        nights.add(f"lab-{number}")
    nights.hours(NOW, 6)
    assert nights.started("teardown") == []
    assert kinds(nights).count("curfew-brake") == 1
    assert all(status.braked_at == CURFEW for n in range(3) for _, status in nights.lines(f"lab-{n}"))
    nights.world.curfew.store.put_rules(replace(ALL, max_count=3))
    nights.run_hour(NOW + timedelta(hours=6))
    assert len(nights.started("teardown")) == 3


def test_a_plan_that_was_tampered_with_is_not_acted_on() -> None:
    nights = schedule()
    nights.add("lab-a")
    nights.run_hour(NOW)
    kept = nights.world.curfew.store
    [key] = kept.entries
    kept.entries[key] = replace(kept.entries[key], reason="because")
    nights.hours(CURFEW, 9)
    assert nights.started("teardown") == []
    assert "not the one that was published" in nights.lines("lab-a")[0][1].reason
    assert kinds(nights).count("curfew-brake") == 1


def test_the_stop_switch_works_between_warning_and_act_and_what_is_late_lives() -> None:
    nights = schedule()
    nights.add("lab-a")
    nights.run_hour(NOW)
    nights.world.curfew.store.put_rules(replace(ALL, mode=Mode.OFF))
    nights.run_hour(CURFEW)
    assert nights.machines[-1].path[-3:] == ["Finish", "FinishOutcome", "Finished"]
    nights.world.curfew.store.put_rules(ALL)
    nights.run_hour(CURFEW + timedelta(hours=7))
    assert nights.started("teardown") == []
    assert "too late" in nights.lines("lab-a")[0][1].reason


def test_a_step_that_always_dies_for_one_lab_costs_the_others_nothing() -> None:
    nights = schedule()
    nights.add("lab-a")
    nights.add("lab-b")
    nights.run_hour(NOW)
    nights.world.fail("describe", AwsUnavailable("no answer"), times=5)
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == ["lab-b"]
    nights.run_hour(CURFEW + timedelta(hours=1))
    assert nights.started("teardown") == ["lab-b", "lab-a"]


def test_a_group_that_is_lost_fails_the_run_and_is_made_up_for() -> None:
    nights = schedule()
    nights.add("lab-a")

    def dying(function: str) -> None:
        if function == "examine":
            raise LambdaDied

    nights.before = dying
    assert nights.run_hour(NOW) == "Incomplete"
    assert nights.machines[-1].output["finish"]["lost"] == ["ap-northeast-2 of account 111122223333"]
    nights.before = lambda function: None
    assert nights.run_hour(NOW + timedelta(hours=1)) == "Finished"
    assert nights.lab("lab-a").planned is not None


@pytest.mark.parametrize(("late", "rounds", "planned"), [(timedelta(0), 4, 3), (LAST_ROUND, 2, 1)])
def test_a_run_begins_no_round_too_late_to_tell_people(
    monkeypatch: pytest.MonkeyPatch, late: timedelta, rounds: int, planned: int
) -> None:
    monkeypatch.setattr(curfew, "_AT_ONCE", 1)
    nights = schedule()
    for number in range(3):
        nights.add(f"lab-{number}")
    nights.late = late
    nights.run_hour(NOW)
    assert nights.machines[-1].path.count("Begin") == rounds
    assert len(nights.world.curfew.store.statuses) == planned
    assert [message.kind for message in nights.world.watch.notifier.to("lab-0")] == ["curfew-warning"]


def test_a_run_that_is_late_after_a_round_works_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The round after the one in which time ran out was run, too."""
    monkeypatch.setattr(curfew, "_AT_ONCE", 1)
    nights = schedule()
    for number in range(3):
        nights.add(f"lab-{number}")

    def slow(function: str) -> None:
        if function == "examine":
            nights.world.clock.instant = NOW + LAST_ROUND

    nights.before = slow
    nights.run_hour(NOW)
    assert nights.machines[-1].path.count("Begin") == 2
    assert len(nights.world.curfew.store.statuses) == 1
    assert [message.kind for message in nights.world.watch.notifier.to("lab-0")] == ["curfew-warning"]


def test_a_run_that_is_old_asks_aws_about_no_lab_and_tells_people_all_the_same() -> None:
    """A region that hangs took the run's whole time, wave by wave: no message was sent, nor at the next hour."""
    nights = schedule()
    nights.add("lab-a")
    nights.add("lab-b", schedule=replace(SEOUL, curfew=time(23)))
    nights.hours(NOW, 3)

    def hung(function: str) -> None:
        if function == "brake":
            nights.world.clock.instant = CURFEW + LAST_LOOK + timedelta(seconds=1)

    nights.before = hung
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == []
    assert nights.machines[-1].path.count("Warn") == 1
    assert [message.kind for message in nights.world.watch.notifier.to("lab-a")][-1] == "curfew-called-off"
    nights.before = lambda function: None
    nights.run_hour(CURFEW + timedelta(hours=1))
    assert nights.started("teardown") == ["lab-a", "lab-b"]


def test_an_act_that_hangs_is_left_to_the_next_run_at_once_and_people_are_told() -> None:
    nights = schedule()
    nights.add("lab-a")
    nights.add("lab-b", schedule=replace(SEOUL, curfew=time(23)))
    nights.hours(NOW, 3)
    hung = []

    def hangs(function: str) -> None:
        if function == "act":
            hung.append(function)
            raise LambdaDied("States.Timeout")

    nights.before = hangs
    assert nights.run_hour(CURFEW) == "Finished"
    assert hung == ["act"]
    assert [message.kind for message in nights.world.watch.notifier.to("lab-a")][-1] == "curfew-called-off"


def test_the_night_is_reported_once_after_the_report_hour() -> None:
    nights = schedule()
    nights.add("lab-a")
    nights.hours(NOW, 24)
    reports = [m for m in nights.world.watch.notifier.to(ADMINS) if m.kind == "curfew-report"]
    assert [report.subject.split(":")[1].strip() for report in reports] == [
        "night of Sun 22 Nov 2026",
        "night of Mon 23 Nov 2026",
    ]
    assert "c-lab-a" in reports[1].body


def test_a_report_that_could_not_be_sent_is_sent_by_the_next_run() -> None:
    nights = schedule()
    nights.world.fail("send", AwsUnavailable("no answer"))
    nights.run_hour(NOW)
    assert len(nights.world.watch.notifier.sent) == 0
    nights.run_hour(NOW + timedelta(hours=1))
    assert [message.kind for _, message in nights.world.watch.notifier.sent] == ["curfew-report"]


def an_orphan(nights: Nights, **tags: str) -> TaggedCluster:
    """A cluster with the service's tags, and no lab."""
    curfew = replace(nights.world.deps.curfew, installation="school")
    nights.world.deps = replace(nights.world.deps, curfew=curfew)
    lab = replace(a_lab(id="lab-lost", spec=a_spec(name="lost")), installation="school")
    own = {**lab.tags, **tags}
    nights.make_cluster(lab, tags=own)
    tagged = TaggedCluster(nights.world.clusters.clusters["lost"].state.arn, "lost", lab.region, own)
    nights.world.curfew.signals.clusters.append(tagged)
    return tagged


def test_a_stray_cluster_with_our_tags_becomes_no_lab_and_is_told_with_what_is_known_of_it() -> None:
    nights = schedule()
    an_orphan(nights)
    nights.hours(NOW, 5)
    assert "lab-lost" not in nights.world.store.labs
    assert nights.started("teardown") == []
    body = nights.world.watch.notifier.to(ADMINS)[0].body
    assert "no record knows it" in body
    assert "not one that a stack of this service made" in body


def test_what_somebody_wrote_for_a_labs_id_reaches_no_mail() -> None:
    nights = schedule()
    an_orphan(nights, **{"ekslab:lab-id": "<b>lab</b> call 555"})
    nights.hours(NOW, 5)
    assert "555" not in nights.world.watch.notifier.to(ADMINS)[0].body


def test_a_stray_cluster_of_another_installation_is_only_reported() -> None:
    nights = schedule()
    an_orphan(nights, **{"ekslab:installation": "another"})
    nights.hours(NOW, 5)
    assert "lab-lost" not in nights.world.store.labs
    assert "belongs to the installation another" in nights.world.watch.notifier.to(ADMINS)[0].body


def test_a_cluster_that_outlived_its_lab_is_warned_of_and_torn_down_again() -> None:
    nights = schedule()
    tagged = an_orphan(nights)
    state = nights.world.clusters.clusters["lost"].state
    stack = StackState("arn:stack", "CREATE_COMPLETE", ours=True)
    gone = in_phase(adopted_lab(tagged, state, stack, ADMINS, "school", NOW), Phase.DELETED, NOW)
    nights.world.store.put(replace(gone, due_at=None))
    nights.world.curfew.signals.evidence["lab-lost"] = idle("lab-lost")
    nights.hours(NOW, 2)
    assert nights.started("teardown") == []
    [(entry, status)] = nights.lines("lab-lost")
    assert (entry.trigger, status.recipient) == (Trigger.ADOPTED, ADMINS)
    nights.hours(NOW + timedelta(hours=2), 2)
    assert nights.started("teardown") == ["lab-lost"]


def test_one_that_may_still_live_is_not_looked_up() -> None:
    nights = schedule()
    an_orphan(nights, **{"ekslab:ends-by": "2026-12-24T00:00:00Z"})
    nights.run_hour(NOW)
    assert "lab-lost" not in nights.world.store.labs


@pytest.mark.slow
def test_more_labs_than_fit_into_one_round_are_all_planned_and_done() -> None:
    nights = schedule(CurfewRules(max_percent=100, max_count=1000))
    for number in range(430):
        nights.add(f"lab-{number:04d}")
    nights.run_hour(NOW)
    assert nights.machines[-1].path.count("Begin") == 3
    assert len(nights.world.watch.notifier.messages) == 430 + 1
    nights.run_hour(CURFEW)
    assert len(nights.started("teardown")) == 430
    assert nights.machines[-1].output["finish"]["counts"]["acted"] == 430


def test_a_switch_thrown_while_labs_are_being_acted_on_spares_the_rest() -> None:
    nights = schedule()
    for number in range(3):
        nights.add(f"lab-{number}")
    nights.run_hour(NOW)
    off = replace(ALL, mode=Mode.OFF)
    nights.world.account.hooks["start"] = lambda: nights.world.curfew.store.put_rules(off)
    nights.run_hour(CURFEW)
    assert nights.started("teardown") == ["lab-0"]
    assert nights.lines("lab-1")[0][1].reason == "Curfew is switched off."


def test_the_key_of_keep_links_is_replaced_after_thirty_days_and_links_of_before_stay_good() -> None:
    nights = schedule()
    keys = nights.world.curfew.keys
    keys.since = NOW - timedelta(days=29)
    nights.run_hour(NOW)
    before, _ = keys.current()
    assert before == "one"
    nights.run_hour(NOW + timedelta(days=1))
    after, _ = keys.current()
    assert after != before
    assert keys.key(before) is not None


def test_rules_that_cannot_be_read_fail_the_look_and_tell_nobody_anything() -> None:
    nights = schedule()
    nights.add("lab-a", idle)
    nights.hours(NOW, 3)
    told = kinds(nights)
    nights.world.fail("curfew_store.rules", AwsUnavailable("dynamodb:GetItem: not now"), times=2)
    group = {"account": nights.lab("lab-a").account, "region": nights.lab("lab-a").region, "ids": ["lab-a"]}
    with pytest.raises(AwsUnavailable):
        curfew.examine(nights.world.deps, {"group": group}, CURFEW)
    assert kinds(nights) == told


def test_a_failure_is_reported_in_its_own_words_in_the_readers_language_and_cut_if_it_is_long() -> None:
    """People read "LabNotFound: There is no lab lab-1." in the night's report."""
    run = NightRun(Nights().world.deps, NOW)
    refused = AwsRefused("eks:DescribeCluster", "AccessDenied", "no " * 100)
    for error in (LabNotFound("lab-1"), AwsUnavailable("eks:DescribeCluster: no answer"), refused, StaleLab()):
        with run.around("a lab"):
            raise error
    missing, unanswered, cut, wordless = run.troubles
    assert (missing, unanswered) == ("a lab: There is no lab lab-1.", "a lab: eks:DescribeCluster: no answer")
    assert (cut, wordless) == (f"a lab: {str(refused)[:200]}", "a lab: StaleLab")
    assert said(missing, words_of(Language.KO)) != missing


def test_an_act_that_fails_is_put_off_and_called_off_in_the_errors_own_words() -> None:
    """People read "It could not be looked at: Throttled"."""
    nights = Nights()
    nights.add("lab-1")
    nights.hours(NOW, 3)
    nights.world.clock.instant = CURFEW
    cause = json.dumps({"errorMessage": "eks:DescribeCluster: slow down", "errorType": "Throttled"})
    event = {"item": {"lab_id": "lab-1"}, "failure": {"Error": "Throttled", "Cause": cause}}
    [trouble] = curfew.put_off_one(nights.world.deps, event, CURFEW)["troubles"]
    assert from_kept(trouble) == "lab-1: eks:DescribeCluster: slow down"
    [called_off] = [each for each in nights.world.posts.waiting().posts if each.lab_id == "lab-1"]
    assert "It could not be looked at: eks:DescribeCluster: slow down." in messages_of(called_off)[0].body


def test_a_failure_of_an_act_is_short_in_the_run_s_payload() -> None:
    """All answers of a Map are one payload, and an errorMessage may have thousands of characters."""
    nights = Nights()
    nights.add("lab-1")
    cause = json.dumps({"errorMessage": "x" * 5_000, "errorType": "AccessDenied"})
    event = {"item": {"lab_id": "lab-1"}, "failure": {"Error": "AccessDenied", "Cause": cause}}
    [trouble] = curfew.put_off_one(nights.world.deps, event, NOW)["troubles"]
    assert len(str(from_kept(trouble))) < 300


def test_a_lab_that_can_not_be_looked_at_is_lost_for_a_reason_in_its_readers_language(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fails(*_: object) -> None:
        raise LabNotFound("lab-2")

    nights = Nights()
    lab = nights.add("lab-1")
    monkeypatch.setattr(examine, "judge", fails)
    examination = examine.Examination(Region(NightRun(nights.world.deps, NOW), lab.place))
    examination.look([lab.id])
    why = examination.lost[lab.id]
    assert (why, said(why, words_of(Language.KO)) != why) == ("There is no lab lab-2.", True)

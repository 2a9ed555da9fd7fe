"""Two concurrent runs of the same kind: a mail is sent once, a lab is worked on once, and a run that dies loses no mail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.curfew.messages.warning import NOBODY
from chalicelib.domain.errors.tree import AwsRefused, Superseded
from chalicelib.domain.identity.person import Person
from chalicelib.domain.labs.lab import Approval, Phase
from chalicelib.domain.labs.steps import execution_name
from chalicelib.workflows import schedules, wake
from chalicelib.workflows.night.send import send_posts
from chalicelib.workflows.shared.runner import run_step
from tests.fakes import NOW, FakeWorld, a_lab, make_deps
from tests.fakes.fleet_builders import a_fleet_cluster, a_registration
from tests.fakes.mailing import with_mail
from tests.workflows.machine import LambdaDied, Machine
from tests.workflows.test_retries import ready_for


def mails(world: FakeWorld, kind: str) -> Counter[tuple[str, str]]:
    return Counter((mail.recipient, mail.subject) for mail in world.watch.notifier.messages if mail.kind == kind)


@pytest.mark.parametrize("moment", ["labs_due", "load_lab", "claim", "send", "add_event", "change_lab", "note_run"])
def test_two_scheduled_runs_ask_approvers_once(moment: str) -> None:
    world = make_deps()
    waiting = Approval("It costs more than 1 USD.", NOW + timedelta(days=3))
    world.store.put(a_lab(phase="awaiting-approval", approval=waiting, due_at=NOW))
    world.account.hooks[moment] = lambda: schedules.recover_labs(world.deps) and None
    schedules.recover_labs(world.deps)
    world.clock.advance(minutes=5)
    schedules.recover_labs(world.deps)
    assert list(mails(world, "approval-asked").values()) == [1]


def test_approvers_whom_nobody_reaches_are_asked_again_the_next_day() -> None:
    world = make_deps()
    waiting = Approval("It costs more than 1 USD.", NOW + timedelta(days=3))
    world.store.put(a_lab(phase="awaiting-approval", approval=waiting, due_at=NOW))
    administrators = world.deps.watch.administrators or NOBODY
    world.curfew.reach.unreachable[administrators] = "Nobody has confirmed a subscription."
    schedules.recover_labs(world.deps)
    [lab] = world.store.labs.values()
    assert lab.approval is not None
    assert (lab.approval.told_at, lab.due_at) == (None, NOW + timedelta(days=1))
    world.curfew.reach.unreachable.clear()
    world.clock.advance(days=1)
    schedules.recover_labs(world.deps)
    [lab] = world.store.labs.values()
    assert lab.approval is not None
    assert lab.approval.told_at == NOW + timedelta(days=1)


def test_who_can_not_be_invited_stays_due_and_is_told() -> None:
    world = make_deps()
    who = "arn:aws:iam::111122223333:user/learner"
    world.people.save_people([], [Person("p-1", (who,), NOW, asked="learner@example.com", invite_at=NOW)])
    with_mail(world, {})
    world.fail("_take", AwsRefused("ses:SendEmail", "MessageRejected", "Email address is not verified."), times=9)
    answer = schedules.recover_labs(world.deps)
    assert "Email address is not verified" in str(answer["failed"])
    assert world.people.people["p-1"].invite_at == NOW + timedelta(hours=1)
    assert mails(world, "address-confirmation") == {}


def test_people_whom_nobody_mails_leave_the_head_of_the_queue() -> None:
    """A hundred addresses that SES refuses were tried at every run, and those behind them never."""
    world = make_deps()
    named = [f"arn:aws:iam::111122223333:user/learner-{n}" for n in range(101)]
    people = [Person(f"p-{n}", (who,), NOW, asked=f"{n}@example.com", invite_at=NOW) for n, who in enumerate(named)]
    for one in people:
        world.people.save_people([], [one])
    mailing = with_mail(world, {})
    world.fail("_take", AwsRefused("ses:SendEmail", "MessageRejected", "Email address is not verified."), times=10_000)
    for _ in range(24 * 12):
        schedules.recover_labs(world.deps)
        world.clock.advance(minutes=5)
    assert mailing.mailer.asked == 101 * 2
    assert {one.invite_at is not None for one in world.people.people.values()} == {True}


@pytest.mark.parametrize("moment", ["to_invite", "person", "claim", "change_confirmation", "send", "save_people"])
def test_two_scheduled_runs_invite_each_person_of_a_roster_once(moment: str) -> None:
    world = make_deps()
    named = [f"arn:aws:iam::111122223333:user/learner-{n}" for n in range(3)]
    people = [Person(f"p-{n}", (who,), NOW, asked=f"{n}@example.com", invite_at=NOW) for n, who in enumerate(named)]
    world.people.save_people([], people)
    world.account.hooks[moment] = lambda: schedules.recover_labs(world.deps) and None
    schedules.recover_labs(world.deps)
    world.clock.advance(minutes=5)
    schedules.recover_labs(world.deps)
    assert list(mails(world, "address-confirmation").values()) == [1, 1, 1]


def test_an_approver_is_asked_by_a_later_run_where_the_first_one_dies_before_its_mail() -> None:
    world = make_deps()
    waiting = Approval("It costs more than 1 USD.", NOW + timedelta(days=3))
    world.store.put(a_lab(phase="awaiting-approval", approval=waiting, due_at=NOW))
    world.fail("send", LambdaDied())
    with pytest.raises(LambdaDied):
        schedules.recover_labs(world.deps)
    world.clock.advance(minutes=5)
    schedules.recover_labs(world.deps)
    assert list(mails(world, "approval-asked").values()) == [1]


@pytest.mark.parametrize(
    "moment", ["pending_notices", "watched_of", "claim", "send", "publish_events", "mark_sent", "add_notices"]
)
def test_two_watches_send_each_digest_once(moment: str) -> None:
    world = make_deps()
    world.watch.store.register(replace(a_registration(), team="team@example.com"))
    owners = ("ops@example.com", "Ops@Example.com", "shop@example.com")
    world.watch.fleets.add(*(a_fleet_cluster(f"c{n}", "1.31", tags={"owner": owners[n % 3]}) for n in range(9)))

    def watch(name: str) -> Callable[[], None]:
        return lambda: Machine("watch_support", world.deps, name=name).run({"time": NOW.isoformat()}) and None

    world.account.hooks[moment] = watch("another")
    watch("one")()
    sent = Counter((mail.recipient, mail.subject) for mail in world.watch.notifier.messages)
    assert len(sent) >= 2
    assert {mail: count for mail, count in sent.items() if count > 1} == {}


def test_what_a_watch_finds_a_minute_after_another_is_told_by_it() -> None:
    world = make_deps()
    world.watch.store.register(replace(a_registration(), team="team@example.com"))
    told = []
    for number in range(3):
        world.watch.fleets.add(a_fleet_cluster(f"c{number}", "1.31", tags={"owner": "ops@example.com"}))
        Machine("watch_support", world.deps, name=f"run-{number}").run({"time": NOW.isoformat()})
        told.append(len(world.watch.notifier.messages))
        world.clock.advance(minutes=1)
    assert 0 < told[0] < told[1] < told[2]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("call", ["add_post", "send", "change_lab", "change_post"])
def test_an_owner_hears_of_a_failed_waking_though_the_function_dies_on_the_way(call: str, after: bool) -> None:
    theatre = ready_for("wake")
    failing = {"lab_id": theatre.lab_id, "failure": {"Error": "States.Timeout", "Cause": ""}, "execution": "one"}
    theatre.world.fail(call, LambdaDied(), after=after)
    for _ in range(3):
        try:
            run_step(theatre.world.deps, wake.give_up, failing)
        except (LambdaDied, Superseded):
            continue
    assert theatre.lab.phase is Phase.HIBERNATED
    for _ in range(3):
        theatre.world.clock.advance(minutes=5)
        with suppress(LambdaDied):
            send_posts(theatre.world.deps, theatre.world.clock.now())
    assert sum(mails(theatre.world, "wake-failed").values()) == (2 if (call, after) == ("send", True) else 1)


def test_two_teardowns_of_a_lab_end_it_once() -> None:
    theatre = ready_for("provision")
    theatre.play()
    theatre.release()
    second = Machine("teardown", theatre.world.deps, name=f"{execution_name(theatre.lab, 'teardown')}-again")

    def meanwhile(function: str) -> None:
        if function == "delete_nodegroups":
            theatre.before = lambda function: None
            second.before = lambda function: None
            second.run({"lab_id": theatre.lab_id})

    theatre.before = meanwhile
    theatre.play()
    assert theatre.lab.phase is Phase.DELETED
    assert theatre.world.account.resources == {}
    phases = [
        event.facts["phase"] for event in theatre.world.store.event_table[theatre.lab_id] if "phase" in event.facts
    ]
    assert phases.count("deleted") == 1
    assert theatre.world.store.receipts(theatre.lab_id)[-1].clean

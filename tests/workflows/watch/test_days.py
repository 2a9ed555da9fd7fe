"""Weeks of the support watch with days missed, Lambdas killed and messages lost: due notices are sent late rather than never."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.notices.notice import Notice, NoticeKind, NoticeState
from chalicelib.domain.notices.reminders import due_at
from tests.examples import examples
from tests.fakes import NOW, FakeWorld, make_deps
from tests.fakes.fleet_builders import a_fleet_cluster, a_registration
from tests.workflows.machine import LambdaDied, Machine

Hook = Callable[[str], None]
#: Possible troubles of a day, and whether one may send a message twice.
TROUBLES = (
    "fine",
    "missed",
    "scan dies",
    "decide dies",
    "deliver dies",
    "mark is lost",
    "topic is down",
    "store blinks",
)
REPEATING = {"mark is lost"}


def dying(deadly: str) -> Hook:
    def hook(function: str) -> None:
        if function == deadly:
            raise LambdaDied

    return hook


def live(world: FakeWorld, trouble: str, at: datetime) -> None:
    """One day with its trouble."""
    fail = world.watch.fail
    machine = Machine("watch_support", world.deps)
    match trouble:
        case "missed":
            return
        case "scan dies":
            machine.before = dying("scan_place")
        case "decide dies":
            machine.after = dying("decide_notices")
        case "deliver dies":
            machine.before = dying("deliver_notices")
        case "mark is lost":
            fail("mark_sent", AwsUnavailable("no answer"), times=99)
        case "topic is down":
            fail("send", AwsUnavailable("no answer"), times=99)
        case "store blinks":
            fail("add_notices", AwsUnavailable("no answer"), after=True)
    machine.run({"time": at.isoformat()})
    world.watch.account.troubles.clear()


def a_world() -> FakeWorld:
    world = make_deps()
    world.watch.store.register(a_registration())
    world.watch.fleets.add(
        a_fleet_cluster("payments", "1.31"),
        a_fleet_cluster("storefront", "1.34", support_type="STANDARD"),
        a_fleet_cluster("search", "1.34", tags={"owner": "data@example.com"}),
    )
    return world


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.sampled_from(TROUBLES), min_size=1, max_size=16))
def test_whatever_befalls_the_days_everything_decided_is_sent_and_nothing_is_sent_twice(troubles: list[str]) -> None:
    world = a_world()
    for day, trouble in enumerate([*troubles, "fine"]):
        live(world, trouble, NOW + timedelta(days=day))
    ledger = world.watch.store.notices
    assert all(notice.state is NoticeState.SENT for notice in ledger.values())
    sent = Counter(row for message in world.watch.notifier.messages for row in message.notice_ids)
    assert set(sent) == set(ledger)
    if not REPEATING & set(troubles):
        assert set(sent.values()) == {1}


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(st.sampled_from(TROUBLES), min_size=1, max_size=16))
def test_after_any_trouble_people_know_what_they_would_know_without_it(troubles: list[str]) -> None:
    calm, stormy = a_world(), a_world()
    for day, trouble in enumerate([*troubles, "fine"]):
        live(calm, "fine", NOW + timedelta(days=day))
        live(stormy, trouble, NOW + timedelta(days=day))
    assert last_sent(stormy) == last_sent(calm)
    for notice in reminders(stormy):
        deadline = next(d for d in stormy.watch.store.kept[notice.key].support.deadlines if d.id == notice.deadline_id)
        assert notice.reminder is not None
        assert notice.due_at == due_at(deadline, notice.reminder)
        assert notice.decided_at >= notice.due_at


def reminders(world: FakeWorld) -> list[Notice]:
    """The escalation's notices of deadlines that are still ahead or overdue, oldest first."""
    found = sorted(world.watch.store.notices.values(), key=lambda notice: notice.decided_at)
    current = {(key, d.id) for key, watched in world.watch.store.kept.items() for d in watched.support.deadlines}
    return [n for n in found if n.kind is NoticeKind.DEADLINE and (n.key, n.deadline_id) in current]


def last_sent(world: FakeWorld) -> dict[tuple[object, ...], int | None]:
    """The last reminder of each deadline to each recipient."""
    return {(n.key, n.deadline_id, n.recipient): n.reminder for n in reminders(world)}

"""Curfew's store with lost answers, repeated calls, concurrent publishers, and cancelled transactions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.aws.dynamodb.curfew.keys import header_key, line_key
from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.domain.curfew.plan import Entry, EntryOutcome, EntryStatus, Plan
from chalicelib.domain.errors.tree import AwsUnavailable, StaleLab, Throttled, Unreadable
from tests.aws.dynamodb.table import create_table
from tests.aws.dynamodb.test_labs_troubles import Unreliable, cancelled
from tests.aws.given_curfew import NIGHT, an_entry, moto_client
from tests.fakes import NOW

CONFLICT = cancelled("TransactionConflict", "None")


@dataclass
class Meddled(Unreliable):
    """`before_writing` are called one by one, each before a transaction: a concurrent change. `half_seen`: the number of
    queries that omit the last item, like one that runs while a transaction is committed.
    """

    before_writing: list[Any] = field(default_factory=list)
    half_seen: int = 0

    def transact_write_items(self, **request: Any) -> Any:
        if self.before_writing:
            self.before_writing.pop(0)()
        return super().transact_write_items(**request)

    def query(self, **request: Any) -> Any:
        answer = self.client.query(**request)
        if self.half_seen:
            self.half_seen -= 1
            answer["Items"] = answer["Items"][:-1]
        return answer


@pytest.fixture
def client() -> Iterator[Meddled]:
    with moto_client() as real:
        create_table(real)
        yield Meddled(real)


@pytest.fixture
def store(client: Meddled) -> DynamoCurfewStore:
    return DynamoCurfewStore(client, "labs")


@pytest.fixture
def other(client: Meddled) -> DynamoCurfewStore:
    """A second client of the same table, without troubles."""
    return DynamoCurfewStore(client.client, "labs")


def whole_plan(store: DynamoCurfewStore) -> Plan:
    plan = store.plan(NIGHT)
    assert plan is not None
    assert plan.is_whole
    assert plan.header.entries == len(plan.lines)
    return plan


def published(store: DynamoCurfewStore) -> list[str]:
    return [entry.lab_id for entry, _ in whole_plan(store).lines]


def entries(count: int) -> list[Entry]:
    return [an_entry(f"lab-{number:03}") for number in range(count)]


def braked(status: EntryStatus) -> EntryStatus:
    return replace(status, reason=status.reason + "!")


# Publishing


def test_of_two_publishers_at_once_both_succeed(
    client: Meddled, store: DynamoCurfewStore, other: DynamoCurfewStore
) -> None:
    client.before_writing = [
        lambda: other.publish(NIGHT, [an_entry("lab-2")], NOW),
        lambda: other.publish(NIGHT, [an_entry("lab-3"), an_entry("lab-1", reason="theirs came first")], NOW),
    ]
    header = store.publish(NIGHT, [an_entry("lab-1"), an_entry("lab-4")], NOW)
    assert published(store) == ["lab-1", "lab-2", "lab-3", "lab-4"]
    assert whole_plan(store).lines[0][0].reason == "theirs came first"
    assert header == store.header(NIGHT)
    assert header.revision == 3


def test_a_publisher_who_finds_everything_published_in_between_adds_nothing(
    client: Meddled, store: DynamoCurfewStore, other: DynamoCurfewStore
) -> None:
    client.before_writing = [lambda: other.publish(NIGHT, [an_entry("lab-1")], NOW)]
    assert store.publish(NIGHT, [an_entry("lab-1")], NOW).revision == 1
    assert published(store) == ["lab-1"]


def test_publishers_of_many_entries_who_meet_at_every_step_all_succeed(
    client: Meddled, store: DynamoCurfewStore, other: DynamoCurfewStore
) -> None:
    client.before_writing = [lambda n=n: other.publish(NIGHT, [an_entry(f"other-{n}", 1)], NOW) for n in range(20)]
    store.publish(NIGHT, entries(250), NOW)
    assert len(published(store)) == 270


def test_a_crash_between_two_transactions_leaves_a_whole_plan_that_the_next_run_completes(
    client: Meddled, store: DynamoCurfewStore
) -> None:
    client.plan = [None, Throttled("slow down")]
    with pytest.raises(Throttled):
        store.publish(NIGHT, entries(150), NOW)
    assert len(published(store)) == 99
    store.publish(NIGHT, entries(150), NOW)
    assert len(published(store)) == 150


def test_a_publication_sent_twice_is_one_revision(client: Meddled, store: DynamoCurfewStore) -> None:
    client.plan = ["twice", "twice"]
    assert store.publish(NIGHT, [an_entry()], NOW).revision == 1
    assert store.publish(NIGHT, [an_entry("lab-2")], NOW).revision == 2
    assert store.header(NIGHT) == whole_plan(store).header
    assert published(store) == ["lab-1", "lab-2"]


def test_a_publication_whose_answer_was_lost_is_found_by_publishing_again(
    client: Meddled, store: DynamoCurfewStore
) -> None:
    client.plan = ["lost"]
    with pytest.raises(AwsUnavailable):
        store.publish(NIGHT, [an_entry()], NOW)
    assert store.publish(NIGHT, [an_entry()], NOW + timedelta(hours=1)).published_at == NOW


def test_a_conflict_is_tried_again_and_an_endless_one_or_throttling_is_said(
    client: Meddled, store: DynamoCurfewStore
) -> None:
    client.plan = [CONFLICT] * 3
    store.publish(NIGHT, [an_entry()], NOW)
    client.plan = [CONFLICT] * 1000
    with pytest.raises(AwsUnavailable):
        store.publish(NIGHT, [an_entry("lab-2")], NOW)
    client.plan = [cancelled("None", "ThrottlingError")]
    with pytest.raises(Throttled):
        store.publish(NIGHT, [an_entry("lab-2")], NOW)
    assert published(store) == ["lab-1"]


def test_a_plan_seen_while_it_is_written_is_read_again(client: Meddled, store: DynamoCurfewStore) -> None:
    store.publish(NIGHT, entries(3), NOW)
    client.half_seen = 2
    assert len(published(store)) == 3


@pytest.mark.parametrize("meddling", ["changed", "removed", "added"])
def test_a_plan_that_was_meddled_with_is_not_whole_and_does_not_become_so_by_publishing(
    client: Meddled, store: DynamoCurfewStore, meddling: str
) -> None:
    store.publish(NIGHT, [an_entry(), an_entry("lab-2")], NOW)
    key = line_key(NIGHT, an_entry().id)
    item = client.get_item(TableName="labs", Key=key)["Item"]
    match meddling:
        case "changed":
            body = item["body"]["S"].replace("lab-1", "lab-7")
            client.put_item(TableName="labs", Item={**item, "body": {"S": body}})
        case "removed":
            client.delete_item(TableName="labs", Key=key)
        case _:
            body = item["body"]["S"].replace("lab-1", "lab-7")
            client.put_item(TableName="labs", Item={**item, **line_key(NIGHT, "z"), "body": {"S": body}})
    plan = store.plan(NIGHT)
    assert plan is not None
    assert not plan.is_whole
    store.publish(NIGHT, [an_entry(), an_entry("lab-3")], NOW)
    again = store.plan(NIGHT)
    assert again is not None
    assert not again.is_whole


def test_a_line_that_nobody_published_is_never_written_over(client: Meddled, store: DynamoCurfewStore) -> None:
    store.publish(NIGHT, [an_entry()], NOW)
    line = client.get_item(TableName="labs", Key=line_key(NIGHT, an_entry().id))["Item"]
    client.put_item(TableName="labs", Item={**line, **line_key(NIGHT, an_entry("lab-2").id)})
    with pytest.raises(Unreadable):
        store.publish(NIGHT, [an_entry("lab-2")], NOW)


# Statuses and marks


def test_a_status_changed_by_two_at_once_keeps_both_changes(
    client: Meddled, store: DynamoCurfewStore, other: DynamoCurfewStore
) -> None:
    store.publish(NIGHT, [an_entry()], NOW)
    client.before_writing = [lambda: other.change_status(NIGHT, an_entry().id, lambda f: replace(f, braked_at=NOW))]
    status = store.change_status(NIGHT, an_entry().id, lambda f: replace(f, warned_at=NOW))
    assert (status.braked_at, status.warned_at, status.version) == (NOW, NOW, 2)
    line = store.line(NIGHT, an_entry().id)
    assert line is not None
    assert line[1] == status


def test_a_change_that_would_undo_what_came_in_between_sees_it(
    client: Meddled, store: DynamoCurfewStore, other: DynamoCurfewStore
) -> None:
    def lives(status: EntryStatus) -> EntryStatus:
        return replace(status, outcome=EntryOutcome.SKIPPED) if status.outcome is EntryOutcome.STANDING else status

    store.publish(NIGHT, [an_entry()], NOW)
    client.before_writing = [
        lambda: other.change_status(NIGHT, an_entry().id, lambda f: replace(f, outcome=EntryOutcome.ACTING))
    ]
    assert store.change_status(NIGHT, an_entry().id, lives).outcome is EntryOutcome.ACTING


def test_a_status_changed_by_a_call_that_was_sent_twice_is_changed_once(
    client: Meddled, store: DynamoCurfewStore
) -> None:
    store.publish(NIGHT, [an_entry()], NOW)
    client.plan = ["twice"]
    status = store.change_status(NIGHT, an_entry().id, braked)
    assert (status.reason, status.version) == ("!", 1)
    assert whole_plan(store).lines[0][1] == status


def test_a_status_that_is_always_someone_elses_is_stale(client: Meddled, store: DynamoCurfewStore) -> None:
    store.publish(NIGHT, [an_entry()], NOW)
    client.plan = [CONFLICT] * 100
    with pytest.raises(StaleLab):
        store.change_status(NIGHT, an_entry().id, braked)
    client.plan = [cancelled("ThrottlingError")]
    with pytest.raises(Throttled):
        store.change_status(NIGHT, an_entry().id, braked)


def test_a_mark_and_a_publication_that_meet_are_both_kept(
    client: Meddled, store: DynamoCurfewStore, other: DynamoCurfewStore
) -> None:
    store.publish(NIGHT, [an_entry()], NOW)
    client.before_writing = [lambda: other.change_header(NIGHT, lambda seen: replace(seen, brake_notified_at=NOW))]
    assert store.publish(NIGHT, [an_entry("lab-2")], NOW).brake_notified_at == NOW
    client.before_writing = [lambda: other.publish(NIGHT, [an_entry("lab-3")], NOW)]
    store.change_header(NIGHT, lambda seen: replace(seen, reported_at=NOW))
    plan = whole_plan(store)
    assert (plan.header.reported_at, plan.header.brake_notified_at, plan.header.entries) == (NOW, NOW, 3)


def test_a_mark_that_never_gets_through_is_said(client: Meddled, store: DynamoCurfewStore) -> None:
    store.publish(NIGHT, [an_entry()], NOW)
    client.plan = [CONFLICT] * 100
    with pytest.raises(AwsUnavailable):
        store.change_header(NIGHT, lambda seen: replace(seen, reported_at=NOW))


# Expiry


def test_plans_are_kept_for_400_days_and_no_line_goes_before_its_header(
    client: Meddled, store: DynamoCurfewStore
) -> None:
    store.publish(NIGHT, [an_entry()], NOW)
    store.change_status(NIGHT, an_entry().id, braked)
    ends = [
        int(client.get_item(TableName="labs", Key=key)["Item"]["expires_at"]["N"])
        for key in (header_key(NIGHT), line_key(NIGHT, an_entry().id))
    ]
    days = [(end - NOW.replace(hour=0).timestamp()) / 86_400 for end in ends]
    assert days == [400, 407]


def test_lines_whose_header_is_forgotten_are_no_plan(client: Meddled, store: DynamoCurfewStore) -> None:
    store.publish(NIGHT, [an_entry()], NOW)
    client.delete_item(TableName="labs", Key=header_key(NIGHT))
    assert store.plan(NIGHT) is None

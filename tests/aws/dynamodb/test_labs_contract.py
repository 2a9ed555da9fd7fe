"""The contract of every Store, tested on the fake, on moto's DynamoDB and on the sandbox's."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.core.service_health import Run
from chalicelib.domain.errors.tree import IdempotencyConflict, InvalidRequest, LabNotFound, NameTaken, TooManyLabs
from chalicelib.domain.identity.sessions import Session
from chalicelib.domain.labs.lab import ClusterFacts, Lab, Phase
from chalicelib.domain.labs.spec import ExistingNetwork, ExternalDnsSpec, SshSpec, Taint, WorkHostSpec
from chalicelib.domain.labs.steps import Event, Step, StepStatus
from chalicelib.domain.requests.offers import NetworkOffer, Offers, PodRoleOffer, ZoneOffer
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome
from chalicelib.ports.deps import NewLabLimits, Store
from chalicelib.services.people.removal import without
from emulator.process import Sandbox, running_sandbox
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, OWNER, Account, FakeStore, a_lab, a_nodegroup, a_spec
from tests.fakes.builders import in_phase

_numbers = itertools.count()


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


def _moto_store() -> Iterator[Store]:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        yield DynamoStore(client, create_table(client))


def _sandbox_store(sandbox: Sandbox) -> Iterator[Store]:
    client = sandbox.client("dynamodb")
    table = create_table(client, f"labs-{next(_numbers)}")
    yield DynamoStore(client, table)
    client.delete_table(TableName=table)


@pytest.fixture(params=["fake", "moto", "sandbox"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    if request.param == "fake":
        yield FakeStore(Account())
    elif request.param == "moto":
        yield from _moto_store()
    else:
        yield from _sandbox_store(request.getfixturevalue("sandbox"))


def create(store: Store, lab: Lab, key: str | None = None, digest: str = "d", most: int | None = None) -> Lab:
    return store.create_lab(lab, key, digest, NOW, NewLabLimits(most))


def a_rich_lab() -> Lab:
    spec = a_spec(
        network=ExistingNetwork("vpc-1", ("subnet-1", "subnet-2"), ()),
        nodegroups=(a_nodegroup(taints=(Taint("gpu", "", "NO_SCHEDULE"),), labels={"team": "blau"}),),
        ssh=SshSpec(None, "ssh-ed25519 AAAA", ("203.0.113.0/24",)),
        external_dns=ExternalDnsSpec("Z1", "example.com"),
        work_host=WorkHostSpec(),
        tags={"course": "k8s"},
    )
    facts = ClusterFacts(endpoint="https://x", stack_outputs={"VpcId": "vpc-1"})
    return a_lab(spec=spec, facts=facts, reason="none")


@pytest.mark.parametrize("lab", [a_lab(), a_rich_lab()], ids=["plain", "rich"])
def test_a_lab_comes_back_as_it_was_stored(store: Store, lab: Lab) -> None:
    stored = create(store, lab)
    assert stored == replace(lab, version=1)
    assert store.load_lab(lab.id) == stored
    assert type(store.load_lab(lab.id).spec.network) is type(lab.spec.network)


def test_an_unknown_lab_is_not_found(store: Store) -> None:
    with pytest.raises(LabNotFound):
        store.load_lab("lab-none")
    with pytest.raises(LabNotFound):
        store.change_lab("lab-none", lambda lab: lab)


def test_a_lab_that_was_kept_with_a_whole_arn_is_listed_as_its_owners_and_counted_as_it_was(store: Store) -> None:
    role = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs"
    whole, identity = f"{role}_0123456789abcdef/learner", f"{role}/learner"
    lab = create(store, a_lab(owner=whole), most=1)
    assert [found.id for found in store.list_labs(identity, (), 10, None).items] == [lab.id]
    assert store.load_lab(lab.id).owner == whole
    store.change_lab(lab.id, lambda kept: in_phase(kept, Phase.DELETED, NOW))
    assert create(store, a_lab(id="lab-2", owner=whole), most=1).id == "lab-2"


def test_a_new_lab_begins_its_history(store: Store) -> None:
    lab = create(store, a_lab())
    assert [event.kind for event in store.events(lab.id, 10, None).items] == ["requested"]


def test_the_same_key_and_body_give_the_lab_of_the_first_time(store: Store) -> None:
    first = create(store, a_lab(), "key")
    again = create(store, a_lab(id="lab-2"), "key")
    assert again == first
    assert store.look_ahead(OWNER, "key", "d", NOW).before == first
    with pytest.raises(LabNotFound):
        store.load_lab("lab-2")


def test_the_same_key_with_another_body_is_a_conflict(store: Store) -> None:
    create(store, a_lab(), "key")
    with pytest.raises(IdempotencyConflict):
        create(store, a_lab(id="lab-2"), "key", digest="other")
    with pytest.raises(IdempotencyConflict):
        store.look_ahead(OWNER, "key", "other", NOW)


def test_a_key_is_the_owners_own_and_forgotten_after_a_week(store: Store) -> None:
    create(store, a_lab(), "key")
    assert store.look_ahead("arn:aws:iam::111122223333:user/other", "key", "d", NOW).before is None
    assert store.look_ahead(OWNER, "key", "d", NOW + timedelta(days=8)).before is None
    later = NOW + timedelta(days=8)
    another = a_lab(id="lab-2", spec=a_spec(name="other"))
    assert store.create_lab(another, "key", "other digest", later).id == "lab-2"


def test_storing_the_same_lab_twice_is_storing_it_once(store: Store) -> None:
    first = create(store, a_lab())
    assert create(store, a_lab()) == first


def test_a_name_is_taken_while_its_lab_is_alive_and_free_when_it_is_over(store: Store) -> None:
    lab = create(store, a_lab())
    with pytest.raises(NameTaken) as refusal:
        create(store, a_lab(id="lab-2", owner="arn:aws:iam::111122223333:user/other"))
    assert refusal.value.lab_id == lab.id
    store.change_lab(lab.id, lambda stored: in_phase(stored, Phase.DELETED, NOW))
    assert create(store, a_lab(id="lab-2")).id == "lab-2"


def test_the_same_name_in_another_region_or_account_is_another_name(store: Store) -> None:
    create(store, a_lab())
    create(store, a_lab(id="lab-2", spec=a_spec(region="us-east-1")))
    create(store, a_lab(id="lab-3", account="444455556666"))


def test_an_owner_has_only_so_many_labs_alive(store: Store) -> None:
    labs = [a_lab(id=f"lab-{i}", spec=a_spec(name=f"name-{i}")) for i in range(3)]
    create(store, labs[0], most=2)
    create(store, labs[1], most=2)
    with pytest.raises(TooManyLabs):
        create(store, labs[2], most=2)
    store.change_lab("lab-0", lambda stored: in_phase(stored, Phase.FAILED, NOW))
    assert create(store, labs[2], most=2).id == "lab-2"
    with pytest.raises(TooManyLabs):
        create(store, a_lab(id="lab-9", spec=a_spec(name="name-9")), most=2)


def test_all_sessions_of_a_role_have_only_so_many_labs_alive(store: Store) -> None:
    """Issue 11, row 8: callers choose their session's name, and counted as any number of owners."""
    role = "arn:aws:sts::111122223333:assumed-role/Learners"

    def made(number: int, owner: str, key: str | None = None) -> Lab:
        lab = a_lab(id=f"lab-{number}", owner=owner, spec=a_spec(name=f"name-{number}"))
        return store.create_lab(lab, key, "d", NOW, NewLabLimits(5, 2))

    made(0, f"{role}/one")
    made(1, f"{role}/two", "a-key")
    for number, key in ((2, None), (3, "another-key")):
        with pytest.raises(TooManyLabs, match=r"sessions of .*/Learners"):
            made(number, f"{role}/three", key)
    for number, owner in ((4, OWNER), (5, OWNER.replace("learner", "x")), (6, f"{role[:-8]}AWSReservedSSO_Labs/jane")):
        made(number, owner)
    store.change_lab("lab-0", lambda stored: in_phase(stored, Phase.FAILED, NOW))
    assert made(7, f"{role}/three").id == "lab-7"


def test_a_lab_that_ends_twice_frees_its_place_once(store: Store) -> None:
    labs = [a_lab(id=f"lab-{i}", spec=a_spec(name=f"name-{i}")) for i in range(3)]
    create(store, labs[0], most=2)
    create(store, labs[1], most=2)
    for phase in (Phase.DELETED, Phase.BLOCKED, Phase.RELEASING, Phase.DELETED):
        store.change_lab("lab-0", lambda stored, phase=phase: in_phase(stored, phase, NOW))
    create(store, labs[2], most=2)
    with pytest.raises(TooManyLabs):
        create(store, a_lab(id="lab-9", spec=a_spec(name="name-9")), most=2)


def test_a_blocked_lab_does_not_use_up_its_owners_limit_until_it_is_tried_again(store: Store) -> None:
    """Issue 12, row 12."""
    role = "arn:aws:sts::111122223333:assumed-role/Learners"
    labs = [a_lab(id=f"lab-{i}", owner=f"{role}/one", spec=a_spec(name=f"name-{i}")) for i in range(4)]

    def made(lab: Lab) -> Lab:
        return store.create_lab(lab, None, "d", NOW, NewLabLimits(2, 2))

    def moved(lab_id: str, *phases: Phase) -> None:
        for phase in phases:
            store.change_lab(lab_id, lambda stored, phase=phase: in_phase(stored, phase, NOW), store.load_lab(lab_id))

    made(labs[0])
    made(labs[1])
    with pytest.raises(TooManyLabs):
        made(labs[2])
    moved("lab-0", Phase.RELEASING, Phase.BLOCKED)
    made(labs[2])
    with pytest.raises(TooManyLabs):
        made(labs[3])
    moved("lab-0", Phase.RELEASING)
    moved("lab-1", Phase.DELETED)
    with pytest.raises(TooManyLabs):
        made(labs[3])
    moved("lab-0", Phase.BLOCKED, Phase.DELETED)
    assert made(labs[3]).id == "lab-3"
    with pytest.raises(TooManyLabs):
        made(a_lab(id="lab-9", owner=f"{role}/one", spec=a_spec(name="name-9")))


def test_a_name_used_again_is_not_freed_by_the_lab_that_had_it_before(store: Store) -> None:
    create(store, a_lab())
    store.change_lab(a_lab().id, lambda stored: in_phase(stored, Phase.DELETED, NOW))
    create(store, a_lab(id="lab-2"))
    for phase in (Phase.BLOCKED, Phase.DELETED):
        store.change_lab(a_lab().id, lambda stored, phase=phase: in_phase(stored, phase, NOW))
    with pytest.raises(NameTaken):
        create(store, a_lab(id="lab-3"))


def test_a_change_is_saved_and_counted(store: Store) -> None:
    create(store, a_lab())
    changed = store.change_lab(a_lab().id, lambda stored: replace(stored, run=1))
    assert (changed.run, changed.version) == (1, 2)
    assert store.load_lab(a_lab().id) == changed


def test_a_change_that_changes_nothing_saves_nothing(store: Store) -> None:
    stored = create(store, a_lab())
    assert store.change_lab(stored.id, lambda lab: lab) == stored


def test_a_change_that_was_overtaken_is_made_again_on_what_is_there(store: Store) -> None:
    create(store, a_lab())
    seen: list[int] = []

    def change(lab: Lab) -> Lab:
        seen.append(lab.run)
        if len(seen) == 1 and not isinstance(store, FakeStore):
            store.change_lab(lab.id, lambda stored: replace(stored, run=10))
        return replace(lab, run=lab.run + 1)

    changed = store.change_lab(a_lab().id, change)
    if not isinstance(store, FakeStore):
        assert (seen, changed.run, changed.version) == ([0, 10], 11, 3)


def test_a_change_of_a_lab_as_it_was_loaded_is_saved_like_any_other(store: Store) -> None:
    loaded = create(store, a_lab())
    changed = store.change_lab(loaded.id, lambda lab: in_phase(lab, Phase.READY, NOW), loaded)
    assert changed.version == 2
    assert store.load_lab(loaded.id) == changed
    over = store.change_lab(loaded.id, lambda lab: in_phase(lab, Phase.DELETED, NOW), changed)
    assert store.load_lab(loaded.id) == over
    create(store, a_lab(id="lab-other"))


def test_a_change_of_a_lab_that_was_saved_since_it_was_loaded_is_made_on_what_is_there(store: Store) -> None:
    loaded = create(store, a_lab())
    store.change_lab(loaded.id, lambda lab: replace(lab, run=10))
    changed = store.change_lab(loaded.id, lambda lab: replace(lab, run=lab.run + 1), loaded)
    assert (changed.run, changed.version) == (11, 3)
    assert store.load_lab(loaded.id) == changed


def test_a_lab_that_is_gone_is_not_made_again_of_what_was_loaded(store: Store) -> None:
    with pytest.raises(LabNotFound):
        store.change_lab("lab-gone", lambda lab: replace(lab, run=1), replace(a_lab(id="lab-gone"), version=1))


def _five(store: Store) -> list[str]:
    for i in range(5):
        owner = OWNER if i != 3 else "arn:aws:iam::111122223333:user/other"
        phase = Phase.READY if i % 2 else Phase.REQUESTED
        created_at = NOW + timedelta(minutes=i)
        create(store, a_lab(id=f"lab-{i}", spec=a_spec(name=f"n{i}"), owner=owner, phase=phase, created_at=created_at))
    return [f"lab-{i}" for i in range(5)]


def _walk(store: Store, owner: str | None, phases: tuple[Phase, ...], limit: int) -> list[list[str]]:
    pages, cursor = [], None
    while True:
        page = store.list_labs(owner, phases, limit, cursor)
        pages.append([lab.id for lab in page.items])
        cursor = page.cursor
        if cursor is None:
            assert [lab.id for lab in store.all_labs(owner, phases)] == [each for page in pages for each in page]
            return pages


def test_labs_are_listed_newest_first_in_pages_without_gap_or_repeat(store: Store) -> None:
    _five(store)
    assert _walk(store, None, (), 2) == [["lab-4", "lab-3"], ["lab-2", "lab-1"], ["lab-0"]]
    assert _walk(store, None, (), 5) == [["lab-4", "lab-3", "lab-2", "lab-1", "lab-0"]]
    assert _walk(store, OWNER, (), 2) == [["lab-4", "lab-2"], ["lab-1", "lab-0"]]
    assert _walk(store, None, (Phase.REQUESTED,), 2) == [["lab-4", "lab-2"], ["lab-0"]]
    assert _walk(store, OWNER, (Phase.READY, Phase.DELETED), 1) == [["lab-1"]]
    assert _walk(store, OWNER, (Phase.BLOCKED,), 1) == [[]]


def test_a_list_shows_a_lab_as_it_is_now(store: Store) -> None:
    create(store, a_lab())
    store.change_lab(a_lab().id, lambda stored: in_phase(stored, Phase.READY, NOW))
    assert [lab.phase for lab in store.list_labs(OWNER, (Phase.READY,), 10, None).items] == [Phase.READY]
    assert store.list_labs(OWNER, (Phase.REQUESTED,), 10, None).items == ()


@pytest.mark.parametrize("cursor", ["nonsense", "e30=", "WzFd", "%%%", "eyJhIjoxfQ=="])
def test_a_made_up_cursor_is_a_bad_field(store: Store, cursor: str) -> None:
    create(store, a_lab())
    with pytest.raises(InvalidRequest) as refusal:
        store.list_labs(OWNER, (), 2, cursor)
    assert [finding.path for finding in refusal.value.findings] == ["cursor"]


def test_only_what_is_due_is_due_and_the_oldest_first(store: Store) -> None:
    for i, minutes in enumerate([5, 1, 30]):
        due_at = NOW + timedelta(minutes=minutes)
        create(store, a_lab(id=f"lab-{i}", spec=a_spec(name=f"n{i}"), due_at=due_at))
    create(store, a_lab(id="lab-9", spec=a_spec(name="n9"), due_at=None))
    assert list(store.labs_due(NOW + timedelta(minutes=5), 10)) == ["lab-1", "lab-0"]
    assert list(store.labs_due(NOW + timedelta(minutes=5), 1)) == ["lab-1"]
    store.change_lab("lab-1", lambda lab: replace(lab, due_at=None))
    assert list(store.labs_due(NOW + timedelta(hours=1), 10)) == ["lab-0", "lab-2"]


def test_steps_are_overwritten_by_name_and_run_and_come_in_order_of_their_start(store: Store) -> None:
    early = Step("provision", "verify", "Verification", StepStatus.RUNNING, NOW)
    late = Step("provision", "create_stack", "Network", StepStatus.RUNNING, NOW + timedelta(minutes=1))
    other_run = replace(early, run=1, started_at=NOW + timedelta(minutes=2))
    for step in (late, early, other_run):
        store.record_step("lab-1", step)
    done = replace(early, status=StepStatus.DONE, ended_at=NOW, attempts=3, detail="all well")
    store.record_step("lab-1", done)
    assert store.steps("lab-1") == (done, late, other_run)
    assert store.steps("lab-10") == ()


def test_events_come_oldest_first_in_pages_and_the_same_one_once(store: Store) -> None:
    events = [Event(NOW + timedelta(seconds=i), "note", f"event {i}", {"n": str(i)}) for i in range(5)]
    for event in [*reversed(events), events[2]]:
        store.add_event("lab-1", event)
    first = store.events("lab-1", 3, None)
    second = store.events("lab-1", 3, first.cursor)
    assert [*first.items, *second.items] == events
    assert second.cursor is None


def _entry(number: int, **changes: Any) -> LedgerEntry:
    arn = f"arn:aws:ec2:ap-northeast-2:111122223333:volume/vol-{number:04d}"
    resource = Resource(Kind.VOLUME, f"vol-{number:04d}", arn, {"a": "b"}, {"status": "in-use"}, NOW)
    recorded_at = NOW + timedelta(seconds=number)
    return replace(LedgerEntry(resource, EntryState.REQUESTED, "asked for", recorded_at, recorded_at), **changes)


def test_the_ledger_has_one_entry_an_arn_in_order_of_recording(store: Store) -> None:
    for number in (2, 0, 1):
        store.record("lab-1", _entry(number))
    store.record("lab-1", _entry(1, state=EntryState.DELETED, reason="swept"))
    states = [(entry.resource.id, entry.state) for entry in store.ledger("lab-1")]
    requested, deleted = EntryState.REQUESTED, EntryState.DELETED
    assert states == [("vol-0000", requested), ("vol-0001", deleted), ("vol-0002", requested)]
    assert store.ledger("lab-1")[0] == _entry(0)


def test_a_ledger_of_hundreds_comes_back_whole(store: Store) -> None:
    padding = {"how": "x" * 6000}
    for number in range(400):
        store.record("lab-1", _entry(number, **padding))
    assert len(store.ledger("lab-1")) == 400


def _receipt(look: str, minutes: int, lines: int) -> Receipt:
    made = (
        ReceiptLine(
            f"arn:aws:ec2:::volume/vol-{i:08x}-{hash((i, look)):016x}",
            "volume",
            ReceiptOutcome.DELETED,
            "",
            "on the ledger",
        )
        for i in range(lines)
    )
    return Receipt(look, NOW + timedelta(minutes=minutes), tuple(made), ("tags", "network"))


def test_receipts_come_in_order_of_taking_and_one_a_look(store: Store) -> None:
    now, later, day = _receipt("now", 0, 3), _receipt("after 15 minutes", 15, 2), _receipt("after 24 hours", 1440, 1)
    for receipt in (day, later, now):
        store.put_receipt("lab-1", receipt)
    assert store.receipts("lab-1") == (now, later, day)
    again = _receipt("now", 5, 1)
    store.put_receipt("lab-1", again)
    assert store.receipts("lab-1") == (again, later, day)


def test_a_receipt_of_tens_of_thousands_of_lines_is_kept_whole_and_can_be_replaced_by_a_short_one(store: Store) -> None:
    long, short = _receipt("now", 0, 30_000), _receipt("now", 1, 1)
    store.put_receipt("lab-1", long)
    assert store.receipts("lab-1") == (long,)
    store.put_receipt("lab-1", short)
    assert store.receipts("lab-1") == (short,)


def test_the_last_run_of_each_workflow_is_kept(store: Store) -> None:
    assert store.runs() == ()
    for at, outcome in ((NOW, "done"), (NOW + timedelta(hours=1), "stuck")):
        store.note_run(Run("curfew", at, outcome))
    store.note_run(Run("watch_support", NOW, "done"))
    assert store.runs() == (
        Run("curfew", NOW + timedelta(hours=1), "stuck"),
        Run("watch_support", NOW, "done"),
    )


@pytest.mark.parametrize("text", ["[" * 5000, "{" * 3000, '{"a":' * 900, "[" * 500 + "]" * 500])
def test_a_cursor_of_nested_brackets_is_refused_like_any_other_that_is_none(store: Store, text: str) -> None:
    """Issue 11, row 13: it was an internal error."""
    cursor = base64.urlsafe_b64encode(text.encode()).decode()
    with pytest.raises(InvalidRequest):
        store.list_labs(None, (), 10, cursor)
    with pytest.raises(InvalidRequest):
        store.events("lab-x", 10, cursor)


def test_nothing_of_the_account_is_offered_until_somebody_says_so(store: Store) -> None:
    assert store.offers() == Offers()
    wanted = Offers(
        zones=(ZoneOffer("Z1", "labs.example.com"),),
        networks=(NetworkOffer("vpc-1", ("subnet-a",)), NetworkOffer(stack_id="arn:stack")),
        key_pairs=("course",),
        pod_roles=(PodRoleOffer("arn:role", ("*",)),),
        max_nodes=3,
        max_usd_hour=1.5,
        changed_at=NOW,
        changed_by="ops",
    )
    assert store.change_offers(lambda _: wanted) == wanted
    assert store.offers() == wanted


def test_two_changes_of_the_list_at_once_are_both_kept(store: Store) -> None:
    beaten: list[Offers] = []

    def change(offers: Offers) -> Offers:
        if not beaten:
            beaten.append(store.change_offers(lambda before: replace(before, key_pairs=("course",))))
        return replace(offers, max_nodes=3)

    assert store.change_offers(change) == store.offers() == Offers(key_pairs=("course",), max_nodes=3)


def test_a_person_is_taken_out_of_all_that_is_kept_of_a_lab(store: Store) -> None:
    """Issue 11, row 13."""
    lab = create(store, in_phase(a_lab(), Phase.DELETED, NOW))
    arn = "arn:aws:eks:ap-northeast-2:111122223333:access-entry/myeks/user/111122223333/learner/0a1b"
    entry = LedgerEntry(Resource(Kind.ACCESS_ENTRY, OWNER, arn), EntryState.DELETED, "asked for", NOW, NOW)
    store.record(lab.id, entry)
    store.add_event(lab.id, Event(NOW, "released", f"It was released by {OWNER}; learners and learner.two stay."))
    store.record_step(lab.id, Step("provision", "begin", "Begin", StepStatus.DONE, NOW, NOW, f"for {OWNER}"))
    line = ReceiptLine(arn, "access-entry", ReceiptOutcome.DELETED, f"created by {OWNER}", "")
    store.put_receipt(lab.id, Receipt("now", NOW, (line,), ()))
    store.expire(lab.id, NOW + timedelta(days=400))

    store.rewrite(lab.id, without("learner"))

    assert store.load_lab(lab.id).owner == OWNER.replace("learner", "erased")
    told = [event.message for event in store.events(lab.id, 100, None).items]
    assert f"It was released by {OWNER.replace('learner', 'erased')}; learners and learner.two stay." in told
    [kept] = store.ledger(lab.id)
    assert kept.resource.arn == arn.replace("learner", "erased")
    assert "user/learner" not in repr((store.steps(lab.id), store.receipts(lab.id), kept, told))
    assert [receipt.lines[0].outcome for receipt in store.receipts(lab.id)] == [ReceiptOutcome.DELETED]
    assert store.list_labs(OWNER, (), 10, None).items == ()
    assert [found.id for found in store.list_labs(OWNER.replace("learner", "erased"), (), 10, None).items] == [lab.id]


def test_all_that_is_kept_of_a_lab_goes_together_and_stays_if_it_is_to() -> None:
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        table = create_table(client)
        store = DynamoStore(client, table)
        lab = create(store, in_phase(a_lab(), Phase.DELETED, NOW))
        store.add_event(lab.id, Event(NOW, "released", "It was released."))
        store.put_receipt(lab.id, Receipt("now", NOW, (), ()))

        def instants() -> set[str | None]:
            query = {"KeyConditionExpression": "pk = :pk", "ExpressionAttributeValues": {":pk": {"S": f"LAB#{lab.id}"}}}
            found = client.query(TableName=table, **query)["Items"]
            assert len(found) > 3
            return {item.get("expires_at", {}).get("N") for item in found}

        store.expire(lab.id, NOW)
        assert instants() == {str(int(NOW.timestamp()))}
        store.change_lab(lab.id, lambda stored: replace(stored, reason="settled"))
        store.rewrite(lab.id, without("learner"))
        assert instants() == {str(int(NOW.timestamp()))}
        store.expire(lab.id, None)
        assert instants() == {None}


def test_a_person_who_comes_by_two_permission_sets_is_one_and_their_allowance_too(store: Store) -> None:
    """Issue 11, row 8: the allowance counts people."""
    first, second = (
        f"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_{name}/jane@example.com" for name in ("Labs", "Audit")
    )
    lab = create(store, a_lab(id="lab-1", owner=first, spec=a_spec(name="one")), most=1)
    with pytest.raises(TooManyLabs):
        create(store, a_lab(id="lab-2", owner=second, spec=a_spec(name="two")), most=1)
    other = first.replace("jane", "john")
    create(store, a_lab(id="lab-3", owner=other, spec=a_spec(name="three")), most=1)
    store.change_lab(lab.id, lambda stored: in_phase(stored, Phase.DELETED, NOW))
    create(store, a_lab(id="lab-4", owner=second, spec=a_spec(name="four")), most=1)


def test_a_session_is_kept_under_its_hash_until_it_is_ended(store: Store) -> None:
    session = Session(OWNER, "111122223333", "AROAEXAMPLE", NOW, NOW + timedelta(hours=8))
    assert store.session("a" * 64) is None
    store.put_session("a" * 64, session)
    assert store.session("a" * 64) == session
    assert store.session("b" * 64) is None
    store.end_session("a" * 64)
    store.end_session("a" * 64)
    assert store.session("a" * 64) is None


def test_a_language_reaches_the_sessions_of_its_person_that_have_not_ended(store: Store) -> None:
    ends = NOW + timedelta(hours=8)
    mine = Session(OWNER, "111122223333", None, NOW, ends, "user/1/kim")
    for name, session in {
        "a": mine,
        "b": replace(mine, arn=f"{OWNER}/2"),
        "c": replace(mine, whose="user/1/kimberly"),
        "d": replace(mine, ends_at=NOW - timedelta(hours=1)),
        "e": mine,
    }.items():
        store.put_session(name * 64, session)
    store.end_session("e" * 64)
    store.speak_in_sessions("user/1/kim", Language.KO, NOW)
    kept = [store.session(name * 64) for name in "abcde"]
    assert [each and each.language for each in kept] == [Language.KO, Language.KO, None, None, None]
    assert kept[0] == replace(mine, language=Language.KO)


def test_a_look_at_labs_is_one_question_and_leads_on_where_few_fit(store: Store) -> None:
    for number in range(9):
        lab = create(
            store, a_lab(id=f"lab-{number}", spec=a_spec(name=f"n{number}"), created_at=NOW + timedelta(minutes=number))
        )
        if number not in (0, 8):
            store.change_lab(lab.id, lambda stored: in_phase(stored, Phase.DELETED, NOW))
    found, cursor, pages = list[str](), None, 0
    while pages == 0 or cursor:
        page = store.look_at_labs(OWNER, (Phase.REQUESTED,), 2, cursor)
        assert len(page.items) <= 2
        found, cursor, pages = [*found, *(lab.id for lab in page.items)], page.cursor, pages + 1
    assert found == ["lab-8", "lab-0"]
    assert pages in (3, 4)
    assert len(store.look_at_labs(None, (), 9, None).items) == 9


def test_of_two_who_claim_the_same_one_gets_it_until_its_claim_ends(store: Store) -> None:
    until, later = NOW + timedelta(minutes=5), NOW + timedelta(minutes=10)
    assert store.claim("digest", "one", NOW, until)
    assert not store.claim("digest", "two", NOW + timedelta(minutes=1), later)
    assert store.claim("another", "two", NOW, until)
    assert store.claim("digest", "one", NOW + timedelta(minutes=1), until)
    assert store.claim("digest", "two", until, later)
    assert not store.claim("digest", "one", until, later)


def test_a_whole_lab_is_what_is_kept_of_it_in_one_answer(store: Store) -> None:
    stored = store.create_lab(a_lab(), None, "digest", NOW)
    late = Step("provision", "verify", "Verification", StepStatus.RUNNING, NOW + timedelta(minutes=2))
    early = Step("provision", "create_stack", "Network", StepStatus.DONE, NOW + timedelta(minutes=1))
    for step in (late, early):
        store.record_step(stored.id, step)
    store.add_event(stored.id, Event(NOW + timedelta(minutes=1), "step-done", "The network is there."))
    store.record(stored.id, LedgerEntry(Resource(Kind.VPC, "vpc-1", "arn:vpc"), EntryState.PRESENT, "made", NOW, NOW))
    host = LedgerEntry(
        Resource(Kind.INSTANCE, "i-1", "arn:aws:ec2:x:1:instance/i-1"), EntryState.PRESENT, "made", NOW, NOW
    )
    store.record(stored.id, host)
    receipt = Receipt("now", NOW, (ReceiptLine("arn:x", "vpc", ReceiptOutcome.DELETED, "", "ledger"),), ("tags",))
    store.put_receipt(stored.id, receipt)
    whole = store.whole_lab(stored.id)
    assert (whole.lab, whole.steps, whole.receipts) == (stored, (early, late), (receipt,))
    assert whole.instances == (host,)
    assert whole.events == store.events(stored.id, 10, None).items
    with pytest.raises(LabNotFound):
        store.whole_lab("lab-none")

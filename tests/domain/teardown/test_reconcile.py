"""A receipt has one line for every resource of the lab's, and never calls an unreadable one deleted."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.resources import ASKED_FOR, EntryState, InventoryAnswer, Kind, LedgerEntry, Resource
from chalicelib.domain.costs import Prices
from chalicelib.domain.teardown.evidence import CSI_TAG, LAB_TAG, STACK_ID_TAG
from chalicelib.domain.teardown.receipt import Receipt, ReceiptOutcome
from chalicelib.domain.teardown.reconcile import describe_call, reconcile
from tests.domain.teardown.test_ownership import BORN, BY_OTHER, LATER, OWNED, STACK_ID, TARGET, a

PRICES = Prices("ap-northeast-2", 0.10, 0.50, 0.0912, 0.059, 0.005, {"t3.medium": 0.052})

VOLUME = a(Kind.VOLUME, OWNED, id="vol-1", born=LATER)


def entry(resource: Resource = VOLUME, state: EntryState = EntryState.DELETED, **more: object) -> LedgerEntry:
    return replace(LedgerEntry(resource, state, ASKED_FOR, BORN, BORN), **more)


def receipt(*ledger: LedgerEntry, found: tuple[Resource, ...] = (), unreadable: tuple[str, ...] = ()) -> Receipt:
    return reconcile("now", LATER, ledger, InventoryAnswer(found, ("a source",), unreadable), TARGET)


def only(made: Receipt) -> tuple[ReceiptOutcome, str]:
    (line,) = made.lines
    return line.outcome, line.reason


@pytest.mark.parametrize("state", list(EntryState))
def test_what_was_looked_for_and_is_not_there_is_deleted(state: EntryState) -> None:
    assert only(receipt(entry(state=state)))[0] is ReceiptOutcome.DELETED


@pytest.mark.parametrize("state", list(EntryState))
def test_what_could_not_be_looked_at_is_never_called_deleted(state: EntryState) -> None:
    made = receipt(entry(state=state), unreadable=(f"{describe_call(VOLUME.arn)}: AccessDenied",))
    assert only(made)[0] is ReceiptOutcome.PRESENT
    assert "AccessDenied" in only(made)[1]
    assert not made.clean


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (EntryState.REQUESTED, ReceiptOutcome.PRESENT),
        (EntryState.PRESENT, ReceiptOutcome.PRESENT),
        (EntryState.DELETED, ReceiptOutcome.PRESENT),
        (EntryState.KEPT, ReceiptOutcome.KEPT),
        (EntryState.BLOCKED, ReceiptOutcome.BLOCKED),
    ],
)
def test_what_is_there_is_told_as_it_is_whatever_the_ledger_hopes(state: EntryState, outcome: ReceiptOutcome) -> None:
    assert only(receipt(entry(state=state, reason="why"), found=(VOLUME,)))[0] is outcome


def test_a_stray_of_the_labs_that_nobody_wrote_down_is_still_there() -> None:
    assert only(receipt(found=(replace(VOLUME, tags={STACK_ID_TAG: STACK_ID}),)))[0] is ReceiptOutcome.PRESENT


@pytest.mark.parametrize("known", [True, False])
def test_what_only_looks_like_the_labs_is_left_and_named_with_its_price_and_a_command(known: bool) -> None:
    arn = "arn:aws:ec2:ap-northeast-2:111122223333:volume/vol-1"
    volume = Resource(Kind.VOLUME, "vol-1", arn, OWNED, {"size-gib": "8"}, LATER)
    noted = entry(volume, EntryState.UNPROVEN, how="tag x", creator=BY_OTHER)
    made = reconcile("now", LATER, [noted] if known else [], InventoryAnswer((volume,), ("s",), ()), TARGET, PRICES)
    (line,) = made.left
    who = BY_OTHER.principal if known else "unknown"
    assert line.reason == f"looks like the lab's; created by {who}"
    assert (line.creator, line.usd_month) == (BY_OTHER.principal if known else "", 0.73)
    assert line.command == "aws ec2 delete-volume --volume-id vol-1 --region ap-northeast-2"
    assert (made.done, made.clean) == (True, False)


def test_what_its_owner_settled_is_kept_and_what_somebody_deleted_is_gone() -> None:
    noted = entry(state=EntryState.UNPROVEN, how="tag x")
    made = receipt(replace(noted, settled_by="jane"), found=(VOLUME,))
    assert only(made) == (ReceiptOutcome.KEPT, "Kept at the word of jane.")
    assert made.clean
    gone = receipt(noted)
    assert only(gone)[0] is ReceiptOutcome.DELETED
    assert "was left" in only(gone)[1]


def test_what_turned_out_to_be_somebody_elses_has_no_line() -> None:
    noted = entry(replace(VOLUME, tags={CSI_TAG: "true"}), EntryState.UNPROVEN, how="tag x", creator=BY_OTHER)
    assert receipt(noted, found=(noted.resource,)).lines == ()


def test_other_peoples_things_have_no_line() -> None:
    assert receipt(found=(replace(VOLUME, tags={}),)).lines == ()


def test_a_guests_network_is_kept_even_when_it_can_not_be_looked_at() -> None:
    vpc = entry(a(Kind.VPC, id="vpc-1"), EntryState.KEPT, guest=True)
    made = receipt(vpc, unreadable=(f"{describe_call(vpc.resource.arn)}: AccessDenied",))
    assert only(made)[0] is ReceiptOutcome.KEPT


def test_a_name_that_someone_else_has_by_now_counts_as_gone() -> None:
    cluster = a(Kind.CLUSTER, {LAB_TAG: "lab-1"}, id="myeks", born=BORN)
    theirs = replace(cluster, tags={})
    outcome, reason = only(receipt(entry(cluster), found=(theirs,)))
    assert outcome is ReceiptOutcome.DELETED
    assert "someone else" in reason


def test_a_strangers_thing_in_the_labs_own_vpc_blocks_and_says_why() -> None:
    made = receipt(found=(a(Kind.NETWORK_INTERFACE, {}, id="eni-1", status="in-use", vpc_id="vpc-1"),))
    assert only(made)[0] is ReceiptOutcome.BLOCKED
    assert not made.clean


def _arn(item: LedgerEntry) -> str:
    return item.resource.arn


_THINGS = st.builds(
    lambda number, tagged: a(Kind.VOLUME, OWNED if tagged else {}, id=f"vol-{number}", born=LATER),
    st.integers(0, 6),
    st.booleans(),
)


@given(
    ledger=st.lists(st.builds(entry, _THINGS, st.sampled_from(list(EntryState))), max_size=6, unique_by=_arn),
    found=st.lists(_THINGS, max_size=6),
)
def test_every_arn_has_exactly_one_line_and_nothing_seen_is_called_deleted(
    ledger: list[LedgerEntry], found: list[Resource]
) -> None:
    made = receipt(*ledger, found=tuple(found))
    arns = [line.arn for line in made.lines]
    assert len(arns) == len(set(arns))
    assert {item.resource.arn for item in ledger if item.state is not EntryState.UNPROVEN} <= set(arns)
    seen = {thing.arn for thing in found}
    assert not [line for line in made.lines if line.arn in seen and line.outcome is ReceiptOutcome.DELETED]

"""A receipt has one line for every thing of the lab's, and never says deleted of what it could not see."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.teardown.evidence import LAB_TAG
from chalicelib.domain.teardown.receipt import Receipt, ReceiptOutcome
from chalicelib.domain.teardown.reconcile import describe_call, reconcile
from tests.domain.teardown.test_ownership import BORN, LATER, OWNED, TARGET, a

VOLUME = a(Kind.VOLUME, OWNED, id="vol-1", born=LATER)


def entry(resource: Resource = VOLUME, state: EntryState = EntryState.DELETED, **more: object) -> LedgerEntry:
    return replace(LedgerEntry(resource, state, "tag x", BORN, BORN), **more)


def receipt(*ledger: LedgerEntry, found: tuple[Resource, ...] = (), unreadable: tuple[str, ...] = ()) -> Receipt:
    return reconcile("now", LATER, ledger, found, ("a source",), unreadable, TARGET)


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
    assert only(receipt(found=(VOLUME,)))[0] is ReceiptOutcome.PRESENT


def test_other_peoples_things_have_no_line() -> None:
    assert receipt(found=(replace(VOLUME, tags={}),)).lines == ()


def test_a_guests_network_is_kept_even_when_it_can_not_be_looked_at() -> None:
    vpc = entry(a(Kind.VPC, id="vpc-1"), EntryState.KEPT, guest=True)
    made = receipt(vpc, unreadable=(f"{describe_call(vpc.resource.arn)}: AccessDenied",))
    assert only(made)[0] is ReceiptOutcome.KEPT


def test_a_name_that_someone_else_has_by_now_counts_as_gone() -> None:
    cluster = a(Kind.CLUSTER, {LAB_TAG: "lab-1"}, id="myeks", born=LATER)
    theirs = replace(cluster, tags={})
    outcome, reason = only(receipt(entry(cluster), found=(theirs,)))
    assert outcome is ReceiptOutcome.DELETED
    assert "someone else" in reason


def test_a_strangers_thing_in_the_labs_own_vpc_blocks_and_says_why() -> None:
    made = receipt(found=(a(Kind.NETWORK_INTERFACE, {}, id="eni-1", status="in-use", vpc_id="vpc-1"),))
    assert only(made)[0] is ReceiptOutcome.BLOCKED
    assert not made.clean


_THINGS = st.builds(
    lambda number, tagged: a(Kind.VOLUME, OWNED if tagged else {}, id=f"vol-{number}", born=LATER),
    st.integers(0, 6),
    st.booleans(),
)


@given(
    ledger=st.lists(st.builds(entry, _THINGS, st.sampled_from(list(EntryState))), max_size=6),
    found=st.lists(_THINGS, max_size=6),
)
def test_every_arn_has_exactly_one_line_and_nothing_seen_is_called_deleted(
    ledger: list[LedgerEntry], found: list[Resource]
) -> None:
    made = receipt(*ledger, found=tuple(found))
    arns = [line.arn for line in made.lines]
    assert len(arns) == len(set(arns))
    assert {item.resource.arn for item in ledger} <= set(arns)
    seen = {thing.arn for thing in found}
    assert not [line for line in made.lines if line.arn in seen and line.outcome is ReceiptOutcome.DELETED]

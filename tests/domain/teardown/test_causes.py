"""The reasons why a lab can't end: the root cause first, in AWS's words, with its consequences folded under it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.core.resources import Kind
from chalicelib.domain.teardown.causes import causes_of, why_left
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome, Wait
from tests.fakes import NOW

IN_THE_WAY = "It is in the lab's own VPC, but not the lab's to delete. Nothing points to the lab."
PROTECTED = (
    "cloudformation:DeleteStack: ValidationError: Stack [s] cannot be deleted while TerminationProtection is enabled"
)
DEPENDS = "ec2:DeleteSecurityGroup: DependencyViolation: resource sg-1 has a dependent object"


def line(kind: Kind, reason: str, outcome: ReceiptOutcome = ReceiptOutcome.BLOCKED, id: str = "1") -> ReceiptLine:
    return ReceiptLine(f"arn:{kind}/{id}", str(kind), outcome, reason, "")


def waiting(count: int) -> list[ReceiptLine]:
    waits = [Wait.DELETION, Wait.STACK, Wait.CLUSTER]
    lines = [line(Kind.SUBNET, "It only waits.", ReceiptOutcome.PRESENT, str(n)) for n in range(count)]
    return [replace(each, waits_for=waits[n % 3]) for n, each in enumerate(lines)]


def receipt(*lines: ReceiptLine) -> Receipt:
    return Receipt("now", NOW, lines, ("all",))


def test_what_aws_refused_comes_before_what_stands_in_the_way_and_that_before_what_is_in_use() -> None:
    refused = line(Kind.STACK, PROTECTED)
    theirs = line(Kind.ROUTE_TABLE, IN_THE_WAY)
    in_use = line(Kind.SECURITY_GROUP, DEPENDS, ReceiptOutcome.PRESENT)
    assert causes_of(receipt(*waiting(3), in_use, theirs, refused)) == (refused, theirs, in_use)


def test_what_starts_others_comes_before_what_it_starts() -> None:
    kinds = [Kind.NETWORK_INTERFACE, Kind.INSTANCE, Kind.SECURITY_GROUP, Kind.AUTO_SCALING_GROUP]
    causes = causes_of(receipt(*(line(kind, IN_THE_WAY) for kind in kinds)))
    assert [cause.kind for cause in causes] == ["auto-scaling-group", "instance", "security-group", "network-interface"]


def test_the_text_begins_with_the_cause_and_ends_with_how_many_wait() -> None:
    text = why_left(receipt(*waiting(12), line(Kind.STACK, PROTECTED)))
    assert text.startswith(PROTECTED)
    assert "(arn:stack/1)" in text
    assert text.endswith("12 more of the lab's things are still there: most wait for that.")
    assert "It only waits" not in text


def test_where_everything_waits_that_is_told() -> None:
    assert "arn:subnet/0: It only waits" in why_left(receipt(*waiting(1)))


def test_what_could_not_be_looked_at_is_told_last() -> None:
    blind = replace(receipt(line(Kind.SUBNET, IN_THE_WAY)), unreadable=("tags: denied",))
    assert why_left(blind).endswith("Could not be looked at: tags: denied.")


@pytest.mark.parametrize("outcome", [ReceiptOutcome.DELETED, ReceiptOutcome.KEPT, ReceiptOutcome.LEFT])
def test_what_is_gone_kept_or_left_is_no_cause(outcome: ReceiptOutcome) -> None:
    assert why_left(receipt(line(Kind.VOLUME, "x", outcome))) == ""

"""The daily mail about a lab's remaining resources: name, dollars a month, the command, and the way to keep them."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.teardown.receipt import ReceiptLine
from chalicelib.domain.teardown.unproven import left_line
from chalicelib.domain.teardown.unproven_message import unproven_message
from tests.fakes import a_lab


def left(id: str, usd_month: float | None) -> ReceiptLine:
    volume = Resource(Kind.VOLUME, id, f"arn:aws:ec2:ap-northeast-2:1:volume/{id}")
    return replace(left_line(volume, "tag x", None, "", None), usd_month=usd_month)


def test_it_says_what_costs_how_much_and_what_to_do() -> None:
    message = unproven_message(a_lab(), [left("vol-1", 8.0), left("vol-2", 1.5)], "learner")
    assert "$9.50 a month" in message.subject
    for told in ("$8.00 a month", "aws ec2 delete-volume --volume-id vol-2", "created by unknown", "asked daily"):
        assert told in message.body
    assert "ekslab leftovers lab-7f3k2m9x --keep arn:aws:ec2" in message.body


def test_what_is_not_known_is_no_zero() -> None:
    assert "is not known" in unproven_message(a_lab(), [left("vol-1", None)], "learner").subject
    both = unproven_message(a_lab(), [left("vol-1", None), left("vol-2", 2.0)], "learner")
    assert "$2.00 a month, and what 1 of them costs is not known" in " ".join(both.body.split())


def test_a_long_list_is_cut_and_says_so() -> None:
    message = unproven_message(a_lab(), [left(f"vol-{n}", 1.0) for n in range(25)], "learner")
    assert "and 5 more" in message.body
    assert len(message.subject) < 100

"""What holds each thing that is still there, so that a reader can fold consequences under their causes. Pure.

A holder is what AWS or our own order names: what a thing is attached to or used by, what the words of a refusal name, the stack
or the control plane with which it goes. Where nothing names one there is none: nothing is guessed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.teardown.receipt import ReceiptLine, ReceiptOutcome, Wait

_THERE = (ReceiptOutcome.BLOCKED, ReceiptOutcome.PRESENT)
_GOES_WITH: Mapping[Wait, Kind] = {Wait.STACK: Kind.STACK, Wait.CLUSTER: Kind.CLUSTER}
#: Facts of a thing that hold the ids of what uses it.
_HOLDING = ("attached-to", "used-by")


def with_holders(lines: Iterable[ReceiptLine], there: Mapping[str, Resource]) -> tuple[ReceiptLine, ...]:
    """The lines, each that is there against the lab's will with `caused_by`: the ARN of the line that holds it, if one does."""
    told = tuple(lines)
    left = {line.arn: line for line in told if line.outcome in _THERE}
    held: dict[str, str] = {}
    for line in left.values():
        holder = next((arn for arn in _holders(line, left, there) if not _leads_to(line.arn, arn, held)), "")
        if holder:
            held[line.arn] = holder
    return tuple(replace(line, caused_by=held.get(line.arn, "")) for line in told)


def _holders(line: ReceiptLine, left: Mapping[str, ReceiptLine], there: Mapping[str, Resource]) -> Iterator[str]:
    """ARNs of what may hold it, best known first."""
    facts = there[line.arn].attributes if line.arn in there else {}
    ids = {id for fact in _HOLDING for id in facts.get(fact, "").split()}
    yield from (other for other in left if ids & {other, _id(other, there)})
    yield from (other for other in left if _is_named(_id(other, there), line.reason))
    kind = _GOES_WITH.get(line.waits_for)
    yield from (other for other, each in left.items() if kind is not None and each.kind == str(kind))


def _id(arn: str, there: Mapping[str, Resource]) -> str:
    return there[arn].id if arn in there else re.split("[/:]", arn)[-1]


def _is_named(id: str, words: str) -> bool:
    """Whether AWS's words name this id: an id of AWS's making (`eni-0a1b`) or an ARN, for a plain name may mean anything."""
    by_aws = id.startswith("arn:") or re.fullmatch(r"[a-z]+-[0-9a-f]+", id) is not None
    return by_aws and re.search(rf"(?<![\w-]){re.escape(id)}(?![\w-])", words) is not None


def _leads_to(arn: str, holder: str, held: Mapping[str, str]) -> bool:
    """Whether what holds the holder comes back to the thing itself."""
    at: str | None = holder
    while at is not None:
        if at == arn:
            return True
        at = held.get(at)
    return False

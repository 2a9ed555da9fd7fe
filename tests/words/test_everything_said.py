"""Findings, receipts and calendars are in the catalogues, too."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import said
from chalicelib.domain.curfew.lab_calendar import lab_events
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.labs.lab import Hibernation, Phase
from chalicelib.domain.notices.calendar_feed import calendar_of
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome, verdict
from chalicelib.words.catalogues import words_of
from tests.domain.curfew.test_extension import no_holidays
from tests.domain.notices.test_digest import kept
from tests.domain.support.test_assessment import NOW
from tests.fakes.builders import a_lab, a_spec
from tests.paths import PROJECT
from tests.words.reading import english_left, unresolved

KOREAN = words_of(Language.KO)
#: Who makes something that people read, and which of its arguments is not a text for them.
SAYS = frozenset(
    {
        *("error", "warning", "StepResult", "again", "again_or_stuck", "again_or_late", "Event", "OwnershipDecision"),
        *(
            "RecoveryDecision",
            "move",
            "close_steps",
            "NotYours",
            "NoPlan",
            "WrongPhase",
            "NoReceiptYet",
            "NothingAhead",
        ),
        *("PolicyNotAllowed", "PolicyAnswer", "FormRefused", "Message", "Route"),
    }
)
#: Where all of it is in the catalogues.
WHOLE = ("chalicelib/domain/requests/", "chalicelib/domain/teardown/", "chalicelib/domain/labs/")
#: What is read here are programs' findings of files, or AWS's words.
APART = ("chalicelib/domain/requests/eksctl/", "chalicelib/api/inputs/", "chalicelib/domain/requests/offers.py")
_WORD = re.compile(r"[A-Za-z']{2,}")


def texts_of(node: ast.expr) -> Iterator[tuple[int, str]]:
    """English of an argument that no catalogue has: a literal, filled or not."""
    match node:
        case ast.Constant(value=str(text)):
            yield node.lineno, text
        case ast.JoinedStr(values):
            parts = (part.value if isinstance(part, ast.Constant) else "{}" for part in values)
            yield node.lineno, "".join(str(part) for part in parts)
        case ast.IfExp(_, body, orelse):
            yield from texts_of(body)
            yield from texts_of(orelse)
        case ast.BoolOp(_, values) | ast.Tuple(values):
            for value in values:
                yield from texts_of(value)


def test_nothing_that_people_read_is_written_beside_the_catalogues() -> None:
    beside = []
    for path in sorted((PROJECT / "chalicelib").rglob("*.py")):
        name = path.relative_to(PROJECT).as_posix()
        if name.startswith(APART) or not name.startswith(WHOLE):
            continue
        for call in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in SAYS):
                continue
            for argument in (*call.args, *(each.value for each in call.keywords)):
                found = [
                    (line, text) for line, text in texts_of(argument) if " " in text and len(_WORD.findall(text)) > 2
                ]
                beside += [f"{name}:{line}: {text}" for line, text in found]
    assert beside == []


def not_korean(texts: list[str]) -> dict[str, list[str]]:
    """What a reader of Korean would stumble over."""
    spoken = {said(text, KOREAN) for text in texts}
    return {text: left for text in sorted(spoken) if (left := english_left(text) + unresolved(text))}


def line(outcome: ReceiptOutcome, number: int) -> ReceiptLine:
    return ReceiptLine(f"arn:aws:ec2:ap-northeast-2:111122223333:volume/{number}", "volume", outcome, "", "")


@pytest.mark.parametrize("unreadable", [(), ("ec2:DescribeVolumes: Throttling",)], ids=["read", "unread"])
@pytest.mark.parametrize(
    "outcomes", [(), (ReceiptOutcome.LEFT,), (ReceiptOutcome.KEPT,), tuple(ReceiptOutcome)], ids=len
)
def test_each_verdict_of_a_receipt_is_korean(outcomes: tuple[ReceiptOutcome, ...], unreadable: tuple[str, ...]) -> None:
    lines = tuple(line(outcome, number) for number, outcome in enumerate(outcomes))
    lab = a_lab(phase="deleted")
    texts = [
        verdict(
            replace(lab, facts=replace(lab.facts, lifted=lifted)), [Receipt(look, NOW, lines, ("a", "b"), unreadable)]
        )
        for look in ("now", "after 15 minutes", "after 24 hours")
        for lifted in ("", verdict(lab, [Receipt(look, NOW, (), ())]))
    ]
    assert not_korean(texts) == {}


def test_calendars_are_korean_with_the_same_events() -> None:
    lab = a_lab(phase="ready", spec=a_spec(name="myeks"), owner="learner")
    asleep = replace(lab, phase=Phase.HIBERNATED, hibernation=Hibernation((), NOW, "", NOW + timedelta(hours=9)))
    clusters = [kept("orders", "1.31"), kept("paying", "1.33"), kept("older", "1.21")]
    for each in (lab, asleep):
        english, korean = (
            [event.lines for event in lab_events(each, CurfewRules(), no_holidays, NOW, *words)]
            for words in ((), (KOREAN,))
        )
        assert [lines[1:5] for lines in english] == [lines[1:5] for lines in korean]
        assert_korean("\n".join(text for lines in korean for text in lines))
    assert_korean(calendar_of(clusters, NOW, KOREAN).replace("\r\n ", ""))


def assert_korean(document: str) -> None:
    """Of the texts of a calendar."""
    texts = re.findall(r"(?m)^(?:SUMMARY|DESCRIPTION|X-WR-CALNAME):(.*)$", document)
    assert texts
    assert {text: left for text in texts if (left := english_left(text, frozenset({"bundled", "table"})))} == {}
    assert [text for text in texts if unresolved(text)] == []
    assert all(re.search("[가-힣]", text) for text in texts)

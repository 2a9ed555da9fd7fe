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
from deployment.words import made_of
from tests.domain.curfew.test_extension import no_holidays
from tests.domain.notices.test_digest import kept
from tests.domain.support.test_assessment import NOW
from tests.fakes.builders import a_lab, a_spec
from tests.paths import PROJECT
from tests.words.reading import english_left, unresolved

KOREAN = words_of(Language.KO)
#: English for programs: logs, Python's own errors, those that never leave a process, names in AWS.
FOR_PROGRAMS = frozenset(
    {
        *(
            "Sentence",
            "counted",
            "pattern",
            "compile",
            "_log",
            "commands",
            "Response",
            "_by_id",
            "UpgradeStep",
            "Quota",
        ),
        *("ValueError", "TypeError", "LookupError", "AssertionError", "ForbiddenError", "NotFoundError"),
        *(
            "StaleLab",
            "Superseded",
            "Transient",
            "AwsUnavailable",
            "AwsRefused",
            "allow_ingress",
            "startswith",
            "partition",
        ),
        # The text by which a cause is known: it goes into a failure's `cause`, its own sentence is in the catalogue.
        *("explain", "explain_stack", "explain_issues", "again_or_failed", "_part"),
    }
)
#: Descriptions of the API's own document, of AWS's resources, scripts and events; AWS's words; texts that are joined elsewhere.
APART = (
    *("chalicelib/api/openapi/", "chalicelib/api/inputs/lab_schema.py", "chalicelib/api/views/keep_page.py"),
    *("chalicelib/api/views/focus.py", "chalicelib/domain/stack/", "chalicelib/domain/notices/bus_events.py"),
    *("chalicelib/domain/errors/aws_error_patterns.py", "chalicelib/domain/errors/not_yet_known.py"),
    *("chalicelib/domain/teardown/unproven.py", "chalicelib/domain/identity/user_pools.py"),
)
SAID = ("chalicelib/api/", "chalicelib/domain/", "chalicelib/services/", "chalicelib/workflows/")
_WORD = re.compile(r"[A-Za-z']{2,}")
_MARKUP = re.compile(r"<\w|; |\{\}[/?]|`ekslab|^ekslab |^aws |^eksctl |-//|max-age")
#: Keys, and a run's own log texts.
KEYS = frozenset(
    {
        "public IPv4 addresses",
        "{} put off at {}",
        "{} woken in run {}",
        "It is not about the life of an EKS version.",
        "Not even put off: {}",
        "the subnets are in {}",
        "Unknown: The update was {}.",
        "{} {}: could not read since {}: {}",
    }
)


def text_of(node: ast.AST) -> str | None:
    """The English of a literal, filled or not."""
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values):
            return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in values)
    return None


def literals(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Texts except docstrings, annotations, enumerations and texts for programs."""
    if (text := text_of(node)) is not None:
        yield getattr(node, "lineno", 0), text
        return
    match node:
        case ast.Call() if made := made_of(node):
            for part in (*node.args, *node.keywords):
                yield from (found for found in literals(part) if found[1] not in {text_of(each) for each in made})
        case ast.Call(func=ast.Name(id=name)) if name in FOR_PROGRAMS:
            for keyword in node.keywords:
                yield from literals(keyword.value)
        case ast.Call(func=ast.Attribute(attr=name, value=value)):
            logs = isinstance(value, ast.Name) and value.id == "logger"
            yield from () if logs or name in FOR_PROGRAMS else _within(node)
        case ast.Expr(value=ast.Constant()):
            return
        case ast.ClassDef(bases=[ast.Name(id="StrEnum")]):
            return
        case _:
            yield from _within(node)


def _within(node: ast.AST) -> Iterator[tuple[int, str]]:
    for child in ast.iter_child_nodes(node):
        yield from literals(child)


def test_nothing_that_people_read_is_written_beside_the_catalogues() -> None:
    beside = []
    for path in sorted((PROJECT / "chalicelib").rglob("*.py")):
        name = path.relative_to(PROJECT).as_posix()
        if name.startswith(APART) or not name.startswith(SAID):
            continue
        for line, text in literals(ast.parse(path.read_text())):
            if " " in text and len(_WORD.findall(text)) > 2 and not _MARKUP.search(text) and text not in KEYS:
                beside.append(f"{name}:{line}: {text}")
    assert beside == []


def not_korean(texts: list[str]) -> dict[str, list[str]]:
    """Errors for a reader of Korean."""
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
    """The texts of a calendar."""
    texts = re.findall(r"(?m)^(?:SUMMARY|DESCRIPTION|X-WR-CALNAME):(.*)$", document)
    assert texts
    assert {text: left for text in texts if (left := english_left(text, frozenset({"bundled", "table"})))} == {}
    assert [text for text in texts if unresolved(text)] == []
    assert all(re.search("[가-힣]", text) for text in texts)

"""Every row of FAITHFUL.md has an existing test, and a source."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

from tests.paths import PROJECT

TABLE = PROJECT / "emulator" / "FAITHFUL.md"
ROW = re.compile(r"\| (?P<aws>.+) \| (?P<here>.+) \| (?P<source>.+) \| `(?P<file>[\w/]+\.py)::(?P<test>\w+)` \|")


@cache
def names_in(path: Path) -> frozenset[str]:
    names = (node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef))
    return frozenset(name for name in names if name.startswith("test_"))


def rows() -> list[re.Match[str]]:
    lines = [
        line for line in TABLE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| AWS |")
    ]
    found = [ROW.fullmatch(line) for line in lines]
    assert None not in found, [line for line, each in zip(lines, found, strict=True) if each is None]
    return [each for each in found if each]


def test_every_row_names_a_test_that_is_there() -> None:
    missing = [
        f"{each['file']}::{each['test']}"
        for each in rows()
        if each["test"] not in names_in(PROJECT / "tests" / "emulator" / each["file"])
    ]
    assert missing == []


def test_what_aws_does_is_said_somewhere() -> None:
    assert [each["aws"] for each in rows() if each["aws"] != "-" and not re.search("[A-Za-z]{3}", each["source"])] == []


def test_there_are_rows_enough_to_be_of_use_and_each_once() -> None:
    behaviours = [(each["aws"], each["here"]) for each in rows()]
    assert len(set(behaviours)) == len(behaviours) > 70

"""SECURITY.md's table of trials: each row names existing tests, one of which names the row."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.paths import PROJECT

ROWS = {
    int(number): re.findall(r"`(tests/[\w/]+(?:\.py)?/?)`", stopped)
    for number, stopped in re.findall(
        r"^\| (\d+) \| [^|]+ \| ([^|]+) \|$", (PROJECT / "SECURITY.md").read_text(), re.MULTILINE
    )
}


def test_all_thirteen_are_there() -> None:
    assert list(ROWS) == list(range(1, 14))


@pytest.mark.parametrize("number", ROWS)
def test_each_row_is_tried_by_tests_that_it_names(number: int) -> None:
    texts = [text for named in ROWS[number] for text in _texts(PROJECT / named)]
    assert texts
    assert any(re.search(rf"Issue 11, row {number}\b", text) for text in texts), f"no test of row {number} says so"


def _texts(path: Path) -> list[str]:
    files = sorted(path.rglob("test_*.py")) if path.is_dir() else [path]
    assert all(file.exists() for file in files), path
    return [file.read_text() for file in files]

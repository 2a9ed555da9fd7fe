"""The page of benchmarks shows the figures that were measured, and no others."""

from __future__ import annotations

import re
from dataclasses import asdict

import pytest

from benchmarks.results import PAGE, PROJECT, Row, measured, over, read, with_tables


def test_the_page_has_the_tables_of_the_results() -> None:
    page = PAGE.read_text()
    assert with_tables(page) == page, "python -m benchmarks.results"
    assert set(read()) <= set(re.findall(r"<!-- table (\w+) -->", page))


@pytest.mark.parametrize("benchmark", sorted(read()))
def test_a_row_has_its_command_and_its_ratio(benchmark: str) -> None:
    for row in read()[benchmark]:
        assert (PROJECT / "benchmarks" / f"bench_{benchmark}.py").exists()
        assert row["command"] == f"python -m benchmarks.bench_{benchmark}"
        assert row["ratio"] == (None if not row["peer"] else round(row["value"] / row["peer"], 3))
        assert row["spread"] is None or row["spread"][0] <= row["value"] <= row["spread"][1]


def test_a_row_is_the_median_beside_the_peer_s() -> None:
    row = measured("a", [3, 1, 2], "s", [4, 5, 3], times=1.15)
    assert (row.value, row.peer, row.ratio, row.spread, row.times) == (2, 4, 0.5, (1, 3), 1.15)
    assert Row("calls", 5, "calls").ratio is None


def test_a_row_that_exceeds_its_limit_is_told() -> None:
    rows = [
        Row("calls", 5, "calls", limit=5),
        Row("errors", 1, "answers", limit=0),
        Row("CPU", 1.2, "s", peer=1.0, times=1.15),
        Row("wall", 1.1, "s", peer=1.0, times=1.15),
        Row("memory", 900, "MiB"),
    ]
    kept = {"scan": [{**asdict(row), "ratio": row.ratio} for row in rows]}
    assert over(kept) == [
        "scan: | errors | 1 answers |  |  | 0 |  |",
        "scan: | CPU | 1.2 s | 1 | 1.2 | 1.15 × the peer |  |",
    ]

"""The page of benchmarks shows exactly the measured figures."""

from __future__ import annotations

import re
import subprocess
from dataclasses import asdict
from datetime import date
from pathlib import Path

import pytest

from benchmarks.bench_demo import closing
from benchmarks.results import PAGE, PROJECT, Peer, Row, code_state, measured, over, read, with_tables


def test_the_page_has_the_tables_of_the_results() -> None:
    page = PAGE.read_text()
    assert with_tables(page) == page, "python -m benchmarks.results"
    assert set(read()) <= set(re.findall(r"<!-- table (\w+) -->", page))


def test_no_figure_exceeds_its_limit() -> None:
    assert over(read()) == []


@pytest.mark.parametrize("benchmark", sorted(read()))
def test_a_benchmark_says_its_command_its_day_its_code_and_its_peers(benchmark: str) -> None:
    found = read()[benchmark]
    assert (PROJECT / "benchmarks" / f"bench_{benchmark}.py").exists()
    assert found["command"] == f"python -m benchmarks.bench_{benchmark}"
    assert date(2026, 11, 1) < date.fromisoformat(found["date"])
    assert re.fullmatch(r"[0-9a-f]{8}\+?", found["code"])
    assert (found["peers"] == Peer.NONE) == all(row["peer"] is None for row in found["rows"])


@pytest.mark.parametrize("benchmark", sorted(read()))
def test_a_row_has_its_ratio_and_a_benchmark_its_limits(benchmark: str) -> None:
    rows = read()[benchmark]["rows"]
    for row in rows:
        assert row["ratio"] == (None if not row["peer"] else round(row["value"] / row["peer"], 3))
        assert row["spread"] is None or row["spread"][0] <= row["value"] <= row["spread"][1]
    assert any(row["limit"] is not None or row["times"] for row in rows)


def test_the_code_is_a_commit_and_whether_files_differ_from_it(tmp_path: Path) -> None:
    assert code_state(tmp_path) == ""

    def git(*words: str) -> str:
        who = ("-c", "user.name=bench", "-c", "user.email=bench@example.com")
        done = subprocess.run(("git", *who, *words), cwd=tmp_path, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--quiet")
    (tmp_path / "a.py").write_text("a = 1")
    git("add", ".")
    git("commit", "--quiet", "--message", "Begin")
    commit = git("rev-parse", "--short=8", "HEAD")
    assert code_state(tmp_path) == commit
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "benchmarks" / "results.json").write_text("{}")
    assert code_state(tmp_path) == commit
    (tmp_path / "a.py").write_text("a = 2")
    assert code_state(tmp_path) == f"{commit}+"


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
    kept = {"scan": {"rows": [{**asdict(row), "ratio": row.ratio} for row in rows]}}
    assert over(kept) == [
        "scan: | errors | 1 answers |  |  | 0 |  |",
        "scan: | CPU | 1.2 s | 1 | 1.2 | 1.15 × the peer |  |",
    ]


def test_what_a_demo_says_at_its_end_is_read() -> None:
    said = "1.0s  It took 1234 MiB of memory at most, in 40 processes.\n"
    seconds = "2.0s  Seconds: the installation 14, the first act 20, the second 9, the third 11.\n"
    played = closing(said + seconds + "Everything held.\n")
    assert (played.memory, played.seconds["the installation"], played.acts) == (1234, 14, 40)
    assert closing(seconds).memory is None
    with pytest.raises(ValueError, match="nothing"):
        closing("nothing")

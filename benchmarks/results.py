"""The figures that benchmarks measure, beside peers and limits: kept in `results.json`, shown in docs/reference/benchmarks.md.

A benchmark calls `keep` with all its rows; `python -m benchmarks.results` writes the page's tables anew from the file,
and fails if a row exceeds its limit.
"""

from __future__ import annotations

import json
import re
import statistics
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
RESULTS = PROJECT / "benchmarks" / "results.json"
PAGE = PROJECT / "docs" / "reference" / "benchmarks.md"
#: Marks around a table of the page; the first names its benchmark.
_TABLE = re.compile(r"(<!-- table (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_HEAD = "| what | value | peer | × peer | limit | spread |\n|---|---|---|---|---|---|\n"
#: Files that benchmarks and the page's tables write themselves: no change of the code.
_WRITTEN = (":!benchmarks/results.json", ":!docs")


class Peer(StrEnum):
    """Where a benchmark's peers come from."""

    MEASURED = "measured in the same run"
    COMPUTED = "computed"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `peer`: the compared figure; `limit`: the most that it may be; `times`: the most it may be of
    the peer's; `spread`: the least and the most that was measured.
    """

    name: str
    value: float
    unit: str
    peer: float | None = None
    limit: float | None = None
    times: float | None = None
    spread: tuple[float, float] | None = None

    @property
    def ratio(self) -> float | None:
        """How many times the peer's."""
        return None if not self.peer else round(self.value / self.peer, 3)


def measured(
    name: str,
    values: Sequence[float],
    unit: str,
    peers: Sequence[float] = (),
    *,
    limit: float | None = None,
    times: float | None = None,
) -> Row:
    """A row of repeated measurements: the median, beside the median of the peer's."""
    peer = round(statistics.median(peers), 3) if peers else None
    spread = (round(min(values), 3), round(max(values), 3))
    return Row(name, round(statistics.median(values), 3), unit, peer, limit, times, spread)


def keep(benchmark: str, rows: Iterable[Row], peer: Peer) -> None:
    """Keep a benchmark's rows in the file, in place of its last ones, with the day and the code, and print them."""
    kept = read()
    kept[benchmark] = {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "code": code_state(PROJECT),
        "command": f"python -m benchmarks.bench_{benchmark}",
        "peers": peer,
        "rows": [{**asdict(row), "ratio": row.ratio} for row in rows],
    }
    RESULTS.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")
    print(_table(kept[benchmark]), flush=True)


def code_state(folder: Path) -> str:
    """The commit, short, with "+" if files differ from it; "" where there is no repository."""
    commit = _git(folder, "rev-parse", "--short=8", "HEAD")
    return f"{commit}{'+' if _git(folder, 'status', '--porcelain', '--', '.', *_WRITTEN) else ''}" if commit else ""


def _git(folder: Path, *words: str) -> str:
    return subprocess.run(("git", *words), cwd=folder, capture_output=True, text=True, check=False).stdout.strip()


def read() -> dict[str, dict[str, Any]]:
    """The last measurement of each benchmark: its day, code, command, the kind of its peers, and its rows."""
    return dict(json.loads(RESULTS.read_text())) if RESULTS.exists() else {}


def over(kept: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """The rows that exceed their limit, as benchmark and line."""
    return [
        f"{benchmark}: {_line(row).rstrip()}"
        for benchmark, found in kept.items()
        for row in found["rows"]
        if (row["limit"] is not None and row["value"] > row["limit"])
        or (row["times"] is not None and row["ratio"] is not None and row["ratio"] > row["times"])
    ]


def with_tables(page: str) -> str:
    """The page with its tables from the file; tables without new figures stay."""
    kept = read()

    def table(found: re.Match[str]) -> str:
        there = kept.get(found[2])
        return found[0] if there is None else found[1] + _table(there) + found[3]

    return _TABLE.sub(table, page)


def _table(found: Mapping[str, Any]) -> str:
    day = date.fromisoformat(found["date"])
    code = f", code {found['code']}" if found["code"] else ""
    told = f"`{found['command']}` on {day.day} {day:%B %Y}{code}. Peer: {found['peers']}."
    return f"{_HEAD}{''.join(map(_line, found['rows']))}\n{told}\n"


def _line(row: Mapping[str, Any]) -> str:
    spread = "" if not row["spread"] else " to ".join(map(_number, row["spread"]))
    limit = _number(row["limit"]) or (f"{row['times']} × the peer" if row["times"] else "")
    cells = (_number(row["peer"]), _number(row["ratio"]), limit, spread)
    return f"| {row['name']} | {_number(row['value'])} {row['unit']} | {' | '.join(cells)} |\n"


def _number(value: float | None) -> str:
    """Three digits, or all there are before the point."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
    if exceeded := over(read()):
        raise SystemExit("\n".join(("Over their limits:", *exceeded)))

"""The long run: it has all long tests, keeps passed ones until the code changes, and reads pytest's output."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from tests.paths import PROJECT
from tests.proof.page import code_state

OUTPUT = """
============================= slowest 10 durations =============================
113.28s setup    tests/story/test_proof.py::test_row_2
0.40s call     tests/story/test_lease.py::test_it
=========================== short test summary info ============================
FAILED tests/story/test_lease.py::test_it - assert 1 == 2
1 failed, 11899 passed, 26 skipped, 3 warnings in 721.42s (0:12:01)
make: *** [Makefile:63: test] Error 1
================ 18 passed, 27 deselected in 780.32s (0:13:00) =================
2 passed in 0.31s
"""


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("long_run", PROJECT / ".ci" / "long.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "RESULTS", tmp_path / "build" / "long")
    return module


def test_the_output_of_pytest_is_read(long: ModuleType) -> None:
    result = long.result_from(OUTPUT, "abc", False, 1501.4)
    assert result.closing == (
        "1 failed, 11899 passed, 26 skipped, 3 warnings in 721.42s (0:12:01); "
        "18 passed, 27 deselected in 780.32s (0:13:00); 2 passed in 0.31s"
    )
    assert result.slowest == [
        (113.28, "tests/story/test_proof.py::test_row_2"),
        (0.4, "tests/story/test_lease.py::test_it"),
    ]
    assert list(long.table({"stories": result})) == [
        f"FAILED    25.0 min  stories: {result.closing}",
        "          25.0 min  all",
        "   113.3 s  tests/story/test_proof.py::test_row_2 (stories)",
        "     0.4 s  tests/story/test_lease.py::test_it (stories)",
    ]


def test_only_a_part_that_passed_on_this_code_is_not_run_again(long: ModuleType, tmp_path: Path) -> None:
    ran, outcome = tmp_path / "ran", tmp_path / "outcome"
    part = long.Part("some part, 2", ("sh", "-c", f"echo 1 passed in 0.10s; echo x >> {ran}; test -f {outcome}"))
    assert not long.result_of(part, "one").passed
    outcome.touch()
    again = long.result_of(part, "one")
    assert (again.passed, again.closing) == (True, "1 passed in 0.10s")
    assert vars_of(long.result_of(part, "one")) == vars_of(again)
    assert ran.read_text().count("x") == 2
    assert long.result_of(part, "another").passed
    assert ran.read_text().count("x") == 3


def vars_of(result: object) -> list[object]:
    return [getattr(result, name) for name in ("code", "passed", "seconds", "closing")]


def test_a_long_run_that_takes_longer_than_three_hours_fails(long: ModuleType) -> None:
    results = {"stories": long.result_from("1 passed in 0.10s", "abc", True, 3 * 3600)}
    assert (long.status(results), list(long.table(results))[-1]) == (0, "         180.0 min  all")
    results["more"] = long.result_from("1 passed in 0.10s", "abc", True, 60)
    assert (long.status(results), list(long.table(results))[-1]) == (1, "FAILED   181.0 min  all: more than 180 min")


def test_a_file_that_git_does_not_know_yet_changes_the_state_of_the_code(tmp_path: Path) -> None:
    subprocess.run(("git", "init", "-q"), cwd=tmp_path, check=True)
    states = [code_state(tmp_path)]
    for text in ("one", "another"):
        (tmp_path / "new.py").write_text(text)
        states.append(code_state(tmp_path))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "figures.json").write_text("what a run writes")
    (tmp_path / "CHANGELOG.md").write_text("a line")
    assert len(set(states)) == 3
    assert code_state(tmp_path) == states[-1]


def test_every_long_test_is_in_a_part(long: ModuleType) -> None:
    """By the Makefile's targets of the parts, which name files or folders."""
    makefile = (PROJECT / "Makefile").read_text()
    targets = {part.command[-1] for part in long.parts()}
    recipes = [recipe for target in targets for recipe in [makefile.partition(f"\n{target}: ")[2].partition("\n\n")[0]]]
    assert all(recipes)
    named = [word for recipe in recipes for word in recipe.split() if word.startswith("tests/")]
    marked = [
        str(path.relative_to(PROJECT))
        for path in (PROJECT / "tests").rglob("*.py")
        if "pytest.mark.long" in path.read_text() and path.name != Path(__file__).name
    ]
    assert marked
    assert [path for path in marked if not any(path.startswith(name) for name in named)] == []

"""`ekslab me`, the roster, and the question for an address before the first lab."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.api.http import ADMIN
from tests.ekslab.wire import Wire, run
from tests.fakes import OWNER

ROSTER = "iamUser,address\nkim,kim@example.com\n"


class Terminal(io.StringIO):
    """A terminal at which a person types one line."""

    def isatty(self) -> bool:
        return True


def sit_down(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(f"{typed}\n"))
    monkeypatch.setattr(sys, "stderr", Terminal())


def asked(wire: Wire) -> list[str | None]:
    return [person.asked for person in wire.http.world.people.people.values()]


def test_me_says_what_is_known_and_changes_what_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    assert run(wire, "me") == 0
    assert "no mail about your labs reaches you" in capsys.readouterr().out
    assert run(wire, "me", "--address", "kim@example.com", "--language", "ko", "--time-zone", "Asia/Seoul") == 0
    said = capsys.readouterr().out
    assert "pending   kim@example.com: press the button" in said
    assert "Asia/Seoul" in said
    assert run(wire, "me", "--hears", "results", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["hears"] == ["results"]
    assert run(wire, "me", "--hears", "warnings", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out)["hears"] == []
    assert run(wire, "me", "--no-address") == 0
    assert asked(wire) == [None]


def test_a_wrong_address_is_refused_by_its_flag(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Wire(), "me", "--address", "kim") == 1
    assert "looks like kim@example.com" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["kim@example.com", ""])
def test_the_first_lab_asks_for_an_address_at_a_terminal(monkeypatch: pytest.MonkeyPatch, typed: str) -> None:
    wire = Wire()
    sit_down(monkeypatch, typed)
    assert run(wire, "create", "cluster", "--name", "one", "--watch=false") == 0
    assert asked(wire) == ([typed] if typed else [])
    assert "Mail address" in str(sys.stderr.getvalue() if isinstance(sys.stderr, Terminal) else "")


def test_who_said_it_is_not_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    assert run(wire, "me", "--address", "kim@example.com") == 0
    sit_down(monkeypatch, "other@example.com")
    assert run(wire, "create", "cluster", "--name", "one", "--watch=false") == 0
    assert asked(wire) == ["kim@example.com"]


def test_a_typing_error_keeps_nobody_from_a_lab(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = Wire()
    sit_down(monkeypatch, "kim@")
    assert run(wire, "create", "cluster", "--name", "one", "--watch=false") == 0
    assert len(wire.http.world.store.labs) == 1


def test_a_program_is_asked_nothing_and_has_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    assert run(wire, "create", "cluster", "--name", "one", "--watch=false") == 0
    assert "ekslab me --address" in capsys.readouterr().out
    assert run(wire, "create", "cluster", "--name", "two", "--watch=false", "--address", "kim@example.com") == 0
    assert asked(wire) == ["kim@example.com"]
    assert run(wire, "create", "cluster", "--name", "three", "--address", "lee@example.com", "--dry-run") == 0
    assert asked(wire) == ["kim@example.com"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp949", "utf-16"])
def test_a_roster_is_applied_from_what_spreadsheets_save(
    tmp_path: Path, encoding: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wire = Wire(who=ADMIN)
    file = tmp_path / "명단.csv"
    file.write_bytes(ROSTER.encode(encoding))
    assert run(wire, "apply", "people", "-f", str(file)) == 0
    assert "1 added" in capsys.readouterr().out
    assert run(wire, "get", "people") == 0
    assert "asked: kim@example.com" in capsys.readouterr().out
    assert run(wire, "get", "people", "--csv") == 0
    assert capsys.readouterr().out.startswith("iamUser,")
    assert run(wire, "delete", "person", "kim") == 0
    assert asked(wire) == []


def test_a_roster_that_is_wrong_is_told_by_row_and_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "roster.csv"
    file.write_text("iamUser,address\nkim,kim\n")
    assert run(Wire(who=ADMIN), "apply", "people", "-f", str(file)) == 1
    assert "row 2, address" in capsys.readouterr().err
    file.write_bytes(b"\xff\xff\xff")
    assert run(Wire(who=ADMIN), "apply", "people", "-f", str(file)) == 2


def test_a_calendar_is_made_and_ended(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire(who=OWNER)
    assert run(wire, "create", "calendar") == 0
    assert ".ics" in capsys.readouterr().out
    assert run(wire, "create", "calendar", "--revoke") == 0
    assert [person.calendar for person in wire.http.world.people.people.values()] == [None]

"""What reaches the terminal: no control characters, 80 columns, one document, and no traceback on a poor encoding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ekslab.printing.tables import table
from ekslab.printing.terminal import clean, columns
from tests.ekslab.wire import Wire, run
from tests.fakes import a_lab, a_spec
from tests.paths import PROJECT

NASTY = "\x1b[2J\x1b]0;owned\x07\u202egnp\r\n\x9b31m\x7f"


@given(st.text())
def test_no_control_character_is_left(text: str) -> None:
    assert not [letter for letter in clean(text) if unicodedata.category(letter) in ("Cc", "Cs")]
    if text.isprintable():
        assert clean(text) == text


@pytest.mark.parametrize("output", ["table", "wide", "json", "yaml", "name"])
def test_foreign_text_never_acts_on_the_terminal(output: str, capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    wire.http.world.store.put(a_lab(phase="failed", reason=NASTY, spec=a_spec(tags={"a": NASTY})))
    for command in (["get", "clusters", "--all"], ["describe", "cluster", "myeks"], ["get", "events", "myeks"]):
        run(wire, *command, "-o", output)
        said = "".join(capsys.readouterr())
        assert not [letter for letter in said if letter != "\n" and unicodedata.category(letter) in ("Cc", "Cs")]
        assert "\u202e" not in said


@given(st.lists(st.lists(st.text(max_size=120), min_size=4, max_size=4), min_size=1, max_size=5))
def test_a_table_takes_the_columns_it_may(rows: list[list[str]]) -> None:
    for line in table(("ID", "NAME", "STATUS", "WHY"), rows, 80, keep=("ID",)):
        assert columns(line) <= 80


def test_what_people_copy_is_cut_last() -> None:
    long = "n" * 60
    _, line = table(("ID", "NAME", "WHY"), [["lab-0123456789ab", long, long]], 80, keep=("ID",))
    assert line.startswith("lab-0123456789ab  ")
    assert line.endswith("...")


def test_wide_letters_take_two_columns_however_they_are_composed() -> None:
    assert columns("한글") == columns(unicodedata.normalize("NFD", "한글")) == 4


def test_the_list_fits_80_columns_and_wide_has_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    spec = a_spec(name="a-class-with-a-long-name-of-forty-letters")
    wire.http.world.store.put(a_lab(phase="provisioning", spec=spec))
    run(wire, "get", "clusters")
    assert all(columns(line) <= 80 for line in capsys.readouterr().out.splitlines())
    run(wire, "get", "clusters", "-o", "wide")
    said = capsys.readouterr().out
    assert "LEASE ENDS (UTC)" in said
    assert a_lab().owner in said


def test_what_is_over_is_in_the_list_of_all_alone(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    wire.http.world.store.put(a_lab(phase="deleted", id="lab-over"))
    wire.http.world.store.put(a_lab(phase="ready"))
    for words, names in ((["get", "clusters"], 1), (["get", "clusters", "--all"], 2), (["get", "cluster", "myeks"], 1)):
        assert run(wire, *words, "-o", "name") == 0
        assert capsys.readouterr().out == "myeks\n" * names


@pytest.mark.parametrize("phase", ["ready", "deleted"])
def test_a_program_gets_one_document_also_while_it_waits(phase: str, capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    wire.http.world.store.put(a_lab(phase=phase))
    for words in (["describe", "cluster", "myeks", "--watch"], ["delete", "cluster", "myeks", "--wait"]):
        run(wire, *words, "-o", "json", "--timeout", "10m") if phase == "deleted" or "describe" in words else None
        said = capsys.readouterr().out
        assert not said or json.loads(said)["name"] == "myeks"


def test_yaml_is_the_same_document(capsys: pytest.CaptureFixture[str]) -> None:
    wire = Wire()
    wire.http.world.store.put(a_lab(phase="ready"))
    run(wire, "describe", "cluster", "myeks", "-o", "json")
    document = json.loads(capsys.readouterr().out)
    run(wire, "describe", "cluster", "myeks", "-o", "yaml")
    assert yaml.safe_load(capsys.readouterr().out) == document


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp949", "utf-8"])
def test_a_poor_encoding_gets_a_replacement(encoding: str) -> None:
    program = "from ekslab.printing import terminal as t; t.replace_unknown_letters(); t.out('한글 é'); t.err('한글')"
    ran = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONPATH": str(PROJECT)},
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, b"Traceback" in ran.stderr) == (0, False)
    assert ran.stdout.strip()

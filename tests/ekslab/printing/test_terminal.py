"""Terminal output: no control characters, 80 columns, one document, and no traceback on a limited encoding."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import unicodedata
from dataclasses import replace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.labs.steps import Event, Step, StepStatus
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome
from ekslab.printing.tables import sentence, table
from ekslab.printing.terminal import clean, columns
from tests.api.curfew_world import LAB
from tests.api.curfew_world import a_world as curfew_http
from tests.api.http import ADMIN
from tests.ekslab.wire import Wire, run
from tests.fakes import NOW, OWNER, a_lab, a_spec
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


LONG = "The security group sg-0123456789abcdef0 is still in use by the network interface eni-0123456789abcdef0 of nobody knows whom"


def a_world_of_long_things() -> Wire:
    """All output for people, with texts longer than a line."""
    wire = Wire(curfew_http())
    world, store = wire.http.world, wire.http.world.store
    lab = store.labs[LAB]
    store.put(replace(lab, reason=LONG, responsible=Responsible.OURS))
    store.record_step(LAB, Step("provision", "create_stack", "Network and roles", StepStatus.DONE, NOW, NOW, LONG))
    store.add_event(LAB, Event(NOW, "phase-changed", LONG, {}))
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:loadbalancer/app/k8s-default-web-0123456789/50dc6c495c0c9188"
    lines = tuple(ReceiptLine(arn, "load-balancer", outcome, LONG, LONG) for outcome in ReceiptOutcome)
    store.put_receipt(LAB, Receipt("now", NOW, lines, ("EC2",), (LONG,)))
    regions = ("ap-northeast-2", "us-east-1", "eu-central-1", "us-west-2")
    registered = Registration(
        "444455556666", "a-training-account-with-a-long-name", regions, owner="people@example.com"
    )
    world.watch.store.register(registered)
    return wire


@pytest.mark.parametrize(
    "words",
    [
        "describe cluster myeks", "get events myeks", "get receipt myeks", "get inventory myeks", "get verdict myeks",
        "get plan", "get accounts", "health", "schedule myeks", "get nodegroup myeks", "get versions", "curfew",
    ],
)  # fmt: skip
def test_what_a_person_reads_takes_80_columns_and_wide_has_all_of_it(
    words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    wire = a_world_of_long_things()
    wire.who = ADMIN if words == "get accounts" else OWNER
    run(wire, *words.split())
    narrow = capsys.readouterr().out
    assert [line for line in narrow.splitlines() if columns(line) > 80] == []
    run(wire, *words.split(), "-o", "wide")
    wide = capsys.readouterr().out
    if "security group" in narrow:
        assert LONG in wide
        assert LONG.split()[-1] in narrow


def test_times_are_the_labs_own_and_wide_adds_utc(capsys: pytest.CaptureFixture[str]) -> None:
    wire = a_world_of_long_things()
    for words in ("describe cluster myeks", "get events myeks"):
        run(wire, *words.split())
        narrow = capsys.readouterr().out
        assert "Mon 23 Nov 19:00" in narrow
        assert "2026-11-23T" not in narrow
        run(wire, *words.split(), "-o", "wide")
        assert "2026-11-23T10:00:00Z" in capsys.readouterr().out


@given(st.text(alphabet="ab 한é", max_size=300), st.integers(20, 80))
def test_a_wrapped_text_loses_no_word_and_takes_no_more_columns_unless_a_word_does(text: str, fit: int) -> None:
    lines = list(sentence(text, fit, indent=3))
    assert " ".join(lines).split() == text.split()
    longest = max((columns(word) for word in text.split()), default=0)
    assert all(columns(line.strip()) <= max(fit, longest + 3) for line in lines)


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

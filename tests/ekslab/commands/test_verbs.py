"""eksctl's verbs against the real routes on fakes: output, waiting and exit status."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace

import pytest

import ekslab
from chalicelib.domain.labs.lab import Phase
from ekslab.client import Answer, Client, NoAnswer, NoCredentials, Refused
from ekslab.commands.exit_codes import MEANING, Exit
from ekslab.commands.watching import news
from ekslab.parsing.command import Command
from ekslab.parsing.parser import parser
from ekslab.parsing.unsupported import instead_of
from ekslab.printing import problems
from tests.ekslab.wire import Wire, run
from tests.fakes import a_lab, a_spec
from tests.paths import PROJECT
from tests.workflows.theatre import Theatre

LAB = a_lab().id


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: pytest.TempPathFactory) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)


@pytest.fixture
def wire() -> Wire:
    return Wire()


def leaves(command: argparse.ArgumentParser) -> Iterator[Command]:
    below = [action for action in command._actions if isinstance(action, argparse._SubParsersAction)]
    if not below and isinstance(command, Command):
        yield command
    for action in below:
        for one in dict.fromkeys(action.choices.values()):
            yield from leaves(one)


def test_every_commands_help_has_a_sentence_an_example_and_the_exit_statuses() -> None:
    for command in leaves(parser()):
        text = command.format_help()
        assert command.description, command.prog
        assert f"example: ekslab {command.prog.split(maxsplit=1)[1]}" in text or "completion" in command.prog, (
            command.prog
        )
        assert "exit status: 0 done, 1 refused" in text, command.prog


def test_the_page_lists_the_exit_statuses() -> None:
    page = (PROJECT / "docs/reference/command-line.md").read_text()
    for code, meaning in MEANING.items():
        assert f"| {int(code)} | {meaning} |" in page
    assert set(MEANING) == set(Exit)


def test_a_new_lab_is_told_with_its_lease_its_curfew_and_its_price(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wire, "create", "cluster", "myeks", "--watch=false") == 0
    said = capsys.readouterr().out
    assert all(line in said for line in ("lease ends  ", "curfew      ", "price       $"))


def test_one_that_is_not_ready_in_time_goes_on(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "create", "cluster", "myeks", "--timeout=25m0s") == Exit.NOT_IN_TIME
    assert "myeks is still requested. `ekslab describe cluster lab-" in capsys.readouterr().err
    [lab] = wire.http.world.store.labs.values()
    assert lab.phase == "requested"


def test_ctrl_c_says_that_the_lab_goes_on(
    wire: Wire, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("ekslab.client.client.Client.wait", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(wire, "create", "cluster", "myeks")
    assert "The lab goes on." in capsys.readouterr().err


def test_a_unique_beginning_of_a_living_labs_name_stands_for_it(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    for number, name in enumerate(("alpha", "alpine", "beta")):
        lab = a_lab(id=f"lab-{number:012x}", phase="ready", spec=a_spec(name=name))
        wire.http.world.store.put(lab)
    wire.http.world.store.put(a_lab(id="lab-bead00000000", phase="deleted", spec=a_spec(name="beauty")))
    assert run(wire, "describe", "cluster", "be", "-o", "name") == 0
    assert capsys.readouterr().out == "beta\n"
    assert run(wire, "describe", "cluster", "al") == Exit.USAGE
    assert "2 labs begin with al" in capsys.readouterr().err
    assert run(wire, "describe", "cluster", "alphabet") == Exit.REFUSED


def test_node_groups_are_listed_and_scaled(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    theatre = Theatre(wire.http.world)
    theatre.request()
    theatre.play()
    assert run(wire, "get", "nodegroup", "--cluster", "myeks") == 0
    assert "myeks-nodegroup" in capsys.readouterr().out
    assert run(wire, "scale", "nodegroup", "--cluster=myeks", "--nodes=3", "--nodes-max=9") == Exit.REFUSED
    assert run(wire, "scale", "nodegroup", "--cluster=myeks", "--nodes=3") == 0
    change = wire.http.world.store.labs[LAB].change
    assert change is not None
    assert dict(change.nodes) == {"myeks-nodegroup": 3}


def test_what_ended_just_before_the_lab_came_to_rest_is_told() -> None:
    began, ended, rested = ("2026-11-23T10:00:01Z", "2026-11-23T10:00:05Z", "2026-11-23T10:00:06Z")
    running = {"title": "Nodes", "status": "running", "detail": "", "startedAt": began, "endedAt": None}
    told: list[str] = []
    tell = news(told.append)
    own = {"name": "x", "schedule": {"timeZone": "Asia/Seoul"}}
    tell({**own, "phase": "hibernating", "phaseSince": began, "steps": [running]})
    done = {**running, "status": "done", "endedAt": ended}
    tell({**own, "phase": "hibernated", "phaseSince": rested, "steps": [done]})
    assert told[-2:] == ["19:00:05  Nodes: done.", "19:00:06  x is hibernated."]


def test_a_blocked_end_is_done_in_part(wire: Wire) -> None:
    wire.http.world.store.put(replace(a_lab(), phase=Phase.BLOCKED, reason="A policy."))
    assert run(wire, "describe", "cluster", "myeks", "--watch") == Exit.PARTLY


def test_nobody_at_a_terminal_is_told_a_route(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    wire.http.world.store.put(a_lab(phase="hibernated"))
    assert run(wire, "describe", "cluster", "myeks") == 0
    said = capsys.readouterr().out
    assert "ekslab wake myeks" in said
    assert "POST /" not in said


def test_a_program_gets_the_lab_also_when_it_is_not_ready_in_time(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wire, "create", "cluster", "myeks", "--timeout=25m0s", "-o", "json") == Exit.NOT_IN_TIME
    assert json.loads(capsys.readouterr().out)["id"].startswith("lab-")


def test_a_refusal_is_a_document_of_the_kind_that_was_asked_for(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "describe", "cluster", "nope", "-o", "name") == Exit.REFUSED
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "There is no lab nope" in printed.err
    assert run(wire, "describe", "cluster", "nope", "-o", "yaml") == Exit.REFUSED
    assert "status: 404" in capsys.readouterr().out.splitlines()


def test_a_finding_does_not_name_a_flag_that_would_not_help(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "create", "cluster", "myeks", "--nodes", "1000") == Exit.REFUSED
    assert "--without-nodegroup" not in capsys.readouterr().err


@pytest.mark.parametrize(
    "command", ["get nodegroup", "get events", "scale nodegroup --nodes 1", "utils write-kubeconfig"]
)
def test_a_region_is_taken_wherever_eksctl_takes_it(command: str) -> None:
    options = parser().parse_args([*command.split(), "--cluster", "myeks", "--region", "us-east-1"])
    assert options.region == "us-east-1"


def test_an_unknown_flag_is_named_by_its_command_with_the_nearest_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(["create", "cluster", "--nodetype", "t3.medium"])
    said = capsys.readouterr().err
    assert ended.value.code == Exit.USAGE
    assert "did you mean --node-type?" in said
    assert "`ekslab create cluster --help`" in said


def test_a_profile_named_like_a_command_is_a_profile() -> None:
    assert instead_of(["-p", "drain", "get", "clusters"]) is None
    assert "not upgraded" in str(instead_of(["--profile", "me", "upgrade", "cluster"]))


def test_credentials_that_end_while_waiting_say_that_the_lab_goes_on(
    wire: Wire, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ends: list[Exception] = [
        NoCredentials("No AWS credentials: expired"),
        Refused(Answer(403, {}, {"message": "The security token included in the request is expired"})),
    ]

    def wait(*_: object) -> None:
        raise ends.pop()

    monkeypatch.setattr(Client, "wait", wait)
    for status in (Exit.REFUSED, Exit.USAGE):
        assert run(wire, "create", "cluster", f"lab{int(status)}") == status
        assert "The lab goes on. `ekslab describe cluster lab-" in capsys.readouterr().err


@pytest.mark.parametrize("lost", [KeyboardInterrupt(), NoAnswer("cut off")])
def test_a_request_whose_answer_is_lost_says_how_to_know_what_became_of_it(
    wire: Wire, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, lost: BaseException
) -> None:
    def cut(*given: object, **_: object) -> None:
        raise lost

    monkeypatch.setattr(Client, "call", cut)
    with pytest.raises(KeyboardInterrupt) if isinstance(lost, KeyboardInterrupt) else nullcontext():
        run(wire, "create", "cluster", "myeks", "--key", "mine")
    told = capsys.readouterr().err
    assert "`ekslab get clusters` shows it" in told
    assert "--key mine" in told


@pytest.mark.parametrize(
    "words",
    ["The security token included in the request is expired", "The request signature we calculated does not match"],
)
def test_credentials_that_do_not_count_say_what_to_do(words: str) -> None:
    assert any("log in again" in line for line in problems.problem(403, {"message": words}))
    assert not any("log in again" in line for line in problems.problem(403, {"detail": "It is for administrators."}))


def test_a_program_gets_the_version_as_a_document(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "version", "-o", "json") == 0
    assert json.loads(capsys.readouterr().out) == {"version": ekslab.__version__}
    assert run(wire, "version") == 0
    assert capsys.readouterr().out == f"ekslab {ekslab.__version__}\n"


@pytest.mark.parametrize("output", ["json", "yaml", "name"])
def test_a_calendar_is_no_other_document(wire: Wire, capsys: pytest.CaptureFixture[str], output: str) -> None:
    assert run(wire, "get", "deadlines", "--calendar", "-o", output) == Exit.USAGE
    assert "--calendar" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "meant"),
    [("create clsuter", "cluster"), ("craete cluster", "create"), ("get cluters -o jsn", "clusters")],
)
def test_a_word_that_is_mistyped_names_the_nearest(words: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        parser().parse_args(words.split())
    assert ended.value.code == Exit.USAGE
    assert f"did you mean {meant}?" in capsys.readouterr().err

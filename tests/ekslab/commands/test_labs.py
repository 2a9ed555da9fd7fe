"""The command line against the real routes on fakes: requests, output and exit status."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ekslab.__main__ import main
from ekslab.client import Client
from ekslab.commands.watching import news
from tests.api.http import ADMIN, STRANGER
from tests.ekslab.wire import Wire, run
from tests.fakes import NOW, OWNER, a_lab, a_spec
from tests.workflows.theatre import Theatre


@pytest.fixture
def wire() -> Wire:
    return Wire()


LAB = a_lab().id


def test_a_lab_is_asked_for_by_name_or_by_file(wire: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "create", "cluster", "--watch=false", "myeks", "--key", "k") == 0
    assert "myeks is requested." in capsys.readouterr().out
    file = tmp_path / "cluster.yaml"
    file.write_text("apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: dev, region: us-east-1}\n")
    assert run(wire, "create", "cluster", "--watch=false", "-f", str(file)) == 0
    assert {lab.name for lab in wire.http.world.store.labs.values()} == {"myeks", "dev"}


def test_a_name_goes_with_an_account_and_a_region_and_a_file_with_neither(
    wire: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wire, "create", "cluster", "--watch=false", "abroad", "--region", "us-east-1") == 0
    [lab] = wire.http.world.store.labs.values()
    assert lab.region == "us-east-1"
    assert run(wire, "create", "cluster", "--watch=false", "other", "--account", "999988887777") == 1
    assert "account" in capsys.readouterr().err
    file = tmp_path / "lab.yaml"
    file.write_text("name: dev\n")
    assert run(wire, "create", "cluster", "--watch=false", "-f", str(file), "--account", "999988887777") == 2
    assert len(wire.http.world.store.labs) == 1


def test_neither_name_nor_file_is_a_wrong_command_line_and_both_are(
    wire: Wire, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(wire, "create", "cluster", "--watch=false") == 2
    assert "name the cluster" in capsys.readouterr().err
    assert run(wire, "create", "cluster", "--watch=false", "n", "-f", "README.md") == 2
    assert "--name: not with a file" in capsys.readouterr().err
    assert wire.http.world.store.labs == {}


def test_a_refusal_prints_every_finding_and_exits_1(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "create", "cluster", "--watch=false", "_bad") == 1
    message = capsys.readouterr().err
    assert "400" in message
    assert "name: EKS refuses this name" in message


def test_a_lab_is_patched_released_and_shown(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    wire.http.world.store.put(a_lab(phase="ready"))
    assert run(wire, "update", "cluster", LAB, "--endpoint", "private") == 0
    change = wire.http.world.store.labs[LAB].change
    assert change is not None
    assert (change.endpoint_access, dict(change.nodes)) == ("private", {})
    assert run(wire, "delete", "cluster", LAB) == 0
    assert run(wire, "describe", "cluster", LAB) == 0
    assert "releasing since Mon 23 Nov 10:00 (UTC)" in capsys.readouterr().out


def test_a_lab_goes_by_its_name_as_long_as_one_alone_has_it(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    wire.http.world.store.put(a_lab(phase="deleted", id="lab-former"))
    assert run(wire, "describe", "cluster", "myeks") == 0
    assert "lab-former" in capsys.readouterr().out
    wire.http.world.store.put(a_lab(phase="ready"))
    assert run(wire, "delete", "cluster", "myeks") == 0
    assert wire.http.world.store.labs[LAB].phase == "releasing"
    assert run(wire, "get", "events", "myeks") == 0
    wire.http.world.store.put(a_lab(phase="ready", id="lab-elsewhere"))
    assert run(wire, "delete", "cluster", "myeks") == 2
    assert re.search(f"2 labs; say which: .*{LAB}", capsys.readouterr().err)
    assert wire.http.world.store.labs["lab-elsewhere"].phase == "ready"


def test_an_administrator_names_others_labs_by_their_ids(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    wire.http.world.store.put(a_lab(phase="ready"))
    wire.who = ADMIN
    assert run(wire, "delete", "cluster", "myeks") == 2
    assert re.search(f"No lab of yours has the name myeks; .*: {LAB} \\({OWNER}\\)", capsys.readouterr().err)
    assert wire.http.world.store.labs[LAB].phase == "ready"
    assert run(wire, "describe", "cluster", LAB) == 0
    assert run(wire, "describe", "cluster", "nobodys") == 1
    wire.who = STRANGER
    assert run(wire, "describe", "cluster", "myeks") == 1
    assert OWNER not in capsys.readouterr().err


def test_all_pages_of_labs_are_listed(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(120):
        wire.http.world.store.put(a_lab(id=f"lab-{number:03d}", spec=a_spec(name=f"n{number}")))
    assert run(wire, "get", "clusters", "--phase", "requested", "--phase", "ready") == 0
    assert capsys.readouterr().out.count("\nlab-") == 120
    wire.who = ADMIN
    assert run(wire, "get", "clusters", "--owner", "*") == 0
    assert capsys.readouterr().out.count("\nlab-") == 120


def test_a_whole_life_can_be_read(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    theatre = Theatre(wire.http.world)
    theatre.request()
    theatre.play()
    assert run(wire, "describe", "cluster", LAB) == 0
    for part in ("inventory", "kubeconfig", "events"):
        assert run(wire, "get", part, LAB) == 0
    message = capsys.readouterr().out
    assert "AmazonEKSWorkerNodePolicy" in message
    assert "get-token" in message
    assert "Control plane" in message
    theatre.release()
    theatre.play()
    assert run(wire, "get", "receipt", LAB) == 0
    assert capsys.readouterr().out.startswith("Nothing of the lab's is left")
    assert run(wire, "get", "inventory", LAB) == 0
    message = capsys.readouterr().out
    said = "The lab is deleted, and nothing of it is there to look at: its receipt says what was removed."
    assert message.replace("\n", " ").strip() == said


def test_versions_are_printed_with_their_source(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "get", "versions") == 0
    assert "default 1.37; from bundled table" in capsys.readouterr().out


def test_json_prints_the_answer_as_it_is(wire: Wire, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(wire, "-o", "json", "get", "clusters") == 0
    assert capsys.readouterr().out == '{\n  "labs": []\n}\n'
    assert run(wire, "get", "clusters", "-o", "json") == 0
    assert capsys.readouterr().out == '{\n  "labs": []\n}\n'


def test_watching_tells_each_step_once_and_ends_with_the_lab(wire: Wire) -> None:
    theatre = Theatre(wire.http.world)
    theatre.request()
    said: list[str] = []

    def sleep(_seconds: float) -> None:
        theatre.play()

    lab = Client(transport=wire, sleep=sleep).wait(LAB, seen=news(said.append))
    assert lab["phase"] == "ready"
    assert len(said) == len(set(said))
    assert said[-1] == f"{NOW:%H:%M:%S}  myeks is ready."


def test_watching_a_release_does_not_tell_the_beginning_again(wire: Wire) -> None:
    theatre = Theatre(wire.http.world)
    theatre.request()
    theatre.play()
    wire.http.world.clock.advance(minutes=30)
    said: list[str] = []
    run(wire, "delete", "cluster", LAB)

    def sleep(_seconds: float) -> None:
        theatre.play()

    lab = Client(transport=wire, sleep=sleep).wait(LAB, seen=news(said.append))
    assert lab["phase"] == "deleted"
    assert not any(line.startswith("10:0") for line in said)
    assert any("Proof of empty: done" in line for line in said)


def test_a_lab_that_failed_exits_1(wire: Wire) -> None:
    wire.http.world.store.put(a_lab(phase="failed", reason="No capacity."))
    assert run(wire, "describe", "cluster", LAB, "--watch") == 1


def test_without_an_address_the_command_line_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EKSLAB_URL", raising=False)
    assert main(["get", "clusters"]) == 2


def test_when_nobody_answers_it_exits_3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    assert main(["--url", "http://127.0.0.1:9", "--api-region", "us-east-1", "get", "clusters"]) == 3


def test_a_file_that_is_not_there_is_a_wrong_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    missing = tmp_path / "missing.yaml"
    assert main(["--url", "http://127.0.0.1:9", "create", "cluster", "-f", str(missing)]) == 2
    assert capsys.readouterr().err == f"{missing}: No such file or directory\n"

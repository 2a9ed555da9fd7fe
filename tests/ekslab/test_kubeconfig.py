"""Contexts are added to a kubeconfig and removed, and nothing else in it changes."""

from __future__ import annotations

import json
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.labs.kubeconfig import kubeconfig
from ekslab.kubeconfig import NotMergeable, context_of, default_path, edit, entries, merge, read, remove, write
from ekslab.printing.yaml_text import dump
from tests.ekslab.wire import Wire, run
from tests.fakes import a_lab
from tests.workflows.theatre import Theatre

LAB = {"id": "lab-0123456789ab", "name": "myeks", "region": "ap-northeast-2"}
NAME = "myeks.ap-northeast-2.ekslab"
SERVER, ROLE = "https://0123.gr7.ap-northeast-2.eks.amazonaws.com", "arn:aws:iam::111122223333:role/ekslab/lab-1-access"
PLACE = kubeconfig(a_lab(), SERVER, "LS0t", ROLE)
LISTS = ("clusters", "users", "contexts")

names = st.from_regex(r"[a-z][a-z0-9.:/@_-]{0,20}", fullmatch=True).filter(lambda name: not name.endswith(".ekslab"))
texts = st.text(max_size=20)
entry_of = {
    "clusters": st.fixed_dictionaries({"server": texts, "certificate-authority-data": texts}),
    "users": st.fixed_dictionaries(
        {"token": texts, "exec": st.fixed_dictionaries({"args": st.lists(texts, max_size=3)})}
    ),
    "contexts": st.fixed_dictionaries({"cluster": names, "user": names, "namespace": texts}),
}
documents = st.fixed_dictionaries(
    {
        "apiVersion": st.just("v1"),
        **{
            kind: st.dictionaries(names, inner, max_size=3).map(
                lambda found, kind=kind: [{"name": name, kind[:-1]: value} for name, value in found.items()]
            )
            for kind, inner in entry_of.items()
        },
        "current-context": names,
    }
)
styles = st.sampled_from(
    [
        lambda document: yaml.safe_dump(document, default_flow_style=False),
        lambda document: yaml.safe_dump(document, default_flow_style=False, sort_keys=False, width=20),
        lambda document: yaml.dump(document, Dumper=Indented, default_flow_style=False),
        lambda document: json.dumps(document, indent=4),
        lambda document: "\n".join(dump(document)) + "\n",
    ]
)


class Indented(yaml.SafeDumper):
    """Lists indented below their key, as people write them."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> Any:
        return super().increase_indent(flow, False)


def of(text: str) -> Any:
    return json.loads(text) if text.startswith("{\n") else yaml.safe_load(text)


@settings(max_examples=15, deadline=None)
@given(documents, styles, st.none() | st.just("learner"))
def test_a_lab_goes_in_and_out_and_the_rest_stays(document: Any, style: Any, profile: str | None) -> None:
    before = style(document)
    merged = merge(before, entries(LAB, PLACE, profile), make_current=True)
    found = of(merged)
    assert found["current-context"] == NAME
    for kind in LISTS:
        assert [one["name"] for one in found[kind]].count(NAME) == 1
        assert [one for one in found[kind] if one["name"] != NAME] == document[kind]
    assert merge(merged, entries(LAB, PLACE, profile), make_current=True) == merged
    after = of(remove(merged, [LAB["id"]]))
    assert {kind: after[kind] for kind in LISTS} == {kind: document[kind] for kind in LISTS}
    assert after.get("current-context") in (None, "")


@settings(max_examples=15, deadline=None)
@given(documents, styles)
def test_another_labs_end_changes_nothing(document: Any, style: Any) -> None:
    merged = merge(style(document), entries(LAB, PLACE, None), make_current=False)
    assert of(merged)["current-context"] == document["current-context"]
    for other in ("lab-ffffffffffff", "lab-0123456789a", "lab-0123456789abc"):
        assert remove(merged, [other]) == merged


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)
    )
)
def test_what_is_printed_as_yaml_is_read_as_it_was(value: Any) -> None:
    assert of("\n".join(dump(value))) == value


def test_comments_stay_and_kubectls_own_style_is_read() -> None:
    merged = merge(KEPT, entries(LAB, PLACE, None), make_current=False)
    assert all(line in merged for line in KEPT.splitlines() if line.strip().startswith("#"))
    assert remove(merged, [LAB["id"]]) == KEPT
    rewritten = yaml.safe_dump(of(merged), default_flow_style=False)
    assert NAME not in remove(rewritten, [LAB["id"]])


KEPT = """# mine
apiVersion: v1
clusters:
# the one at work
- name: work
  cluster:
    server: https://example.com
contexts: []
users: []
current-context: work   # most days
"""


@pytest.mark.parametrize(
    "text",
    [
        "clusters: [{name: a, cluster: {server: x}}]\n",
        "a: 1\n---\nb: 2\n",
        "clusters: &all\n- name: a\n",
        "{clusters: [], users: []}\n",
        '"clusters":\n- "name": "a"\n',
        "clusters:\n\t- name: a\n",
    ],
)
def test_what_can_not_be_edited_is_left_alone(text: str) -> None:
    with pytest.raises(NotMergeable):
        merge(text, entries(LAB, PLACE, None), make_current=True)


def test_an_empty_file_and_none_become_a_whole_one() -> None:
    found = of(merge("", entries(LAB, PLACE, "learner"), make_current=True))
    assert (found["kind"], found["current-context"]) == ("Config", NAME)
    command = found["users"][0]["user"]["exec"]
    assert command["env"] == [{"name": "AWS_PROFILE", "value": "learner"}]
    assert command["args"][:4] == ["eks", "get-token", "--cluster-name", "myeks"]


def test_the_file_is_its_owners_and_a_link_stays_one(tmp_path: Path) -> None:
    real, link = tmp_path / "dotfiles" / "config", tmp_path / "config"
    real.parent.mkdir()
    real.write_text("old")
    link.symlink_to(real)
    write(link, "new")
    assert (link.is_symlink(), real.read_text()) == (True, "new")
    assert stat.S_IMODE(real.stat().st_mode) == 0o600
    assert [*real.parent.iterdir()] == [real]


def test_the_file_is_the_first_of_the_variable_or_the_usual_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_path({"KUBECONFIG": f"{os.pathsep}a{os.pathsep}b"}) == Path("a")
    assert default_path({}) == tmp_path / ".kube" / "config"


@pytest.fixture
def ready(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Wire:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    wire = Wire()
    theatre = Theatre(wire.http.world)
    theatre.request()
    theatre.play()
    return wire


def test_a_command_writes_it_and_the_end_takes_it_out(
    ready: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / ".kube" / "config"
    assert run(ready, "utils", "write-kubeconfig", "--cluster", "myeks", "--profile", "learner") == 0
    [cluster] = of(file.read_text())["clusters"]
    [described] = of(ready.client.kubeconfig(a_lab().id))["clusters"]
    assert described["cluster"].items() <= cluster["cluster"].items()
    assert "AWS_PROFILE" in file.read_text()
    assert run(ready, "delete", "cluster", "myeks") == 0
    assert of(file.read_text())["clusters"] == []
    assert "no longer has the context" in capsys.readouterr().err


def through_an_access_role(wire: Wire) -> None:
    lab = wire.http.world.store.labs[a_lab().id]
    outputs = {**lab.facts.stack_outputs, "AccessRoleArn": ROLE}
    lab = replace(lab.with_facts(stack_outputs=outputs), spec=replace(lab.spec, access_role=True))
    wire.http.world.store.labs[lab.id] = lab


@pytest.mark.parametrize("output", ["table", "json", "yaml"])
def test_who_gets_in_by_an_access_role_gets_its_tokens_by_it_wherever_the_file_comes_from(
    ready: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str], output: str
) -> None:
    through_an_access_role(ready)
    assert run(ready, "utils", "write-kubeconfig", "myeks", "--profile", "learner") == 0
    capsys.readouterr()
    assert run(ready, "get", "kubeconfig", "myeks", "--profile", "learner", "-o", output) == 0
    printed = of(capsys.readouterr().out)
    for document in (printed, of((tmp_path / ".kube" / "config").read_text())):
        [user] = document["users"]
        assert user["user"]["exec"]["args"][-2:] == ["--role-arn", ROLE]
        assert user["user"]["exec"]["env"] == [{"name": "AWS_PROFILE", "value": "learner"}]


def test_one_that_ended_by_itself_leaves_with_the_next_list(ready: Wire, tmp_path: Path) -> None:
    assert run(ready, "utils", "write-kubeconfig", "myeks") == 0
    ready.http.world.store.put(a_lab(phase="deleted"))
    assert run(ready, "get", "clusters") == 0
    assert NAME not in (tmp_path / ".kube" / "config").read_text()


def test_a_file_that_can_not_be_edited_is_said_and_the_lab_is_there(
    ready: Wire, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine"
    file.write_text("clusters: [{name: a}]\n")
    assert run(ready, "utils", "write-kubeconfig", "myeks", "--kubeconfig", str(file)) == 5
    assert file.read_text() == "clusters: [{name: a}]\n"
    assert "`ekslab get kubeconfig lab-" in capsys.readouterr().err


def test_a_device_a_pipe_and_a_read_only_file_are_not_replaced(tmp_path: Path) -> None:
    pipe, locked = tmp_path / "pipe", tmp_path / "locked"
    os.mkfifo(pipe)
    locked.write_text("mine")
    locked.chmod(0o400)
    (tmp_path / "link").symlink_to(pipe)
    assert read(pipe) == ""
    for path, why in ((pipe, "no regular file"), (tmp_path / "link", "no regular file"), (locked, "read-only")):
        with pytest.raises(NotMergeable, match=why):
            write(path, "ours")
    assert pipe.is_fifo()
    assert locked.read_text() == "mine"


def test_while_another_program_holds_the_lock_the_file_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ekslab.kubeconfig._PAUSE", 0.0)
    file, lock = tmp_path / "config", tmp_path / "config.lock"
    file.write_text("mine")
    lock.touch()
    with pytest.raises(NotMergeable, match=r"config\.lock"):
        edit(file, lambda _: "ours")
    assert (file.read_text(), lock.exists()) == ("mine", True)
    lock.unlink()
    assert edit(file, lambda _: "ours")
    assert (file.read_text(), lock.exists()) == ("ours", False)
    assert not edit(tmp_path / "none" / "config", lambda text: text)
    assert not (tmp_path / "none").exists()


def test_of_many_writers_at_once_none_is_lost(tmp_path: Path) -> None:
    file = tmp_path / "config"
    labs = [{**LAB, "id": f"lab-{number}", "name": f"lab{number}"} for number in range(12)]
    with ThreadPoolExecutor(12) as writers:
        done = [
            writers.submit(edit, file, lambda text, lab=lab: merge(text, entries(lab, PLACE, None), make_current=False))
            for lab in labs
        ]
    assert all(each.result() for each in done)
    assert {one["name"] for one in of(file.read_text())["contexts"]} == {context_of(lab) for lab in labs}


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_stay_as_they_were(tmp_path: Path, end: str) -> None:
    file = tmp_path / "config"
    file.write_bytes(KEPT.replace("\n", end).encode())
    before = file.read_bytes()
    assert edit(file, lambda text: merge(text, entries(LAB, PLACE, None), make_current=False))
    assert b"\r" not in file.read_bytes().replace(end.encode(), b"")
    assert edit(file, lambda text: remove(text, [LAB["id"]]))
    assert file.read_bytes() == before

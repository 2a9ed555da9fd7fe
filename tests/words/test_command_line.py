"""The command line in its reader's language: from the environment, as in other programs; documents and columns are unchanged."""

from __future__ import annotations

import ast
import re
from contextlib import suppress

import pytest

from deployment.words import COMMAND_LINE, messages, read
from ekslab.words import catalogue, language, t
from tests.api.http import ADMIN
from tests.api.matrix import OWNER
from tests.api.test_matrix import the_world
from tests.ekslab.wire import Wire, run
from tests.paths import PROJECT
from tests.words.reading import english_left, unresolved
from tests.words.test_answers import OF_THE_WORLD

_SLOT = re.compile(r"\{\w+\}")
#: Columns of tables, states in them, and YAML keys.
COLUMNS = re.compile(r"^[A-Z][A-Z ()]+$|^\S+:(?: .*)?$|^\s+(?:- )?\S+:(?: .*)?$|^(?:\S+ {2,}.*)$", re.MULTILINE)
COMMANDS = (
    *(
        "get clusters",
        "get clusters -o wide",
        "get clusters --all",
        "describe cluster myeks",
        "describe cluster nobody",
    ),
    *(
        "get events myeks",
        "get inventory myeks -o wide",
        "get receipt myeks",
        "get verdict myeks",
        "get nodegroups --cluster myeks",
    ),
    *(
        "get versions",
        "get plan",
        "curfew",
        "get offers",
        "get costs",
        "get deadlines",
        "get notices",
        "get accounts",
        "health",
    ),
    *("me", "get people", "create calendar", "create cluster --name another --dry-run", "create cluster --name A_b"),
    *("create cluster --name another --region mars-1", "extend myeks 4h", "extend myeks 9000h", "schedule myeks"),
    *(
        "schedule myeks --curfew 25:00",
        "hibernate myeks",
        "wake myeks",
        "delete cluster myeks",
        "delete cluster nobody",
    ),
    *(
        "protect myeks 24h --why exam",
        "update cluster myeks --endpoint private",
        "scale nodegroup --cluster myeks --nodes 99",
    ),
    *(
        "acknowledge 111122223333/ap-northeast-2/none",
        "unregister 111122223333",
        "delete person nobody",
        "release 2026-11-23",
    ),
)


#: Texts of AWS, argparse and the fakes, in English.
FOREIGN = re.compile(
    OF_THE_WORLD.pattern + "|No cluster found for name: |^usage: .*|^ekslab [a-z -]+: .*", re.IGNORECASE
)
NAMES = frozenset({"myeks", "lab-7f3k2m9x", "lab-00000001", "a_b", "another", "orders", "nobody"})


@pytest.fixture
def korean(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)


def test_the_catalogue_has_every_message_and_no_other() -> None:
    found = {str(entry.id): str(entry.string) for entry in read("ko", folder=COMMAND_LINE) if entry.id}
    assert set(found) == {message for _, message, _ in messages(folder=COMMAND_LINE)}, "run `make words` and translate"
    assert [message for message, text in found.items() if not text] == []
    assert [m for m, text in found.items() if set(_SLOT.findall(m)) != set(_SLOT.findall(text))] == []
    assert {
        text: left for text in found.values() if (left := english_left(_SLOT.sub("0", text)) + unresolved(text))
    } == {}
    assert [
        text for text in found.values() if re.search(r"\}(?:은|는|이|가|을|를|과|와|으로|로|라)(?=[\s.,]|$)", text)
    ] == []


def test_each_slot_is_filled_where_it_is_said() -> None:
    wrong = []
    for path in sorted((PROJECT / "ekslab").rglob("*.py")):
        for call in ast.walk(ast.parse(path.read_text())):
            match call:
                case ast.Call(func=ast.Name(id="t"), args=[ast.Constant(value=str(message))]):
                    given = {f"{{{keyword.arg}}}" for keyword in call.keywords}
                    wrong += [message] if given != set(_SLOT.findall(message)) else []
    assert wrong == []


def test_it_is_read_as_babel_reads_it() -> None:
    assert catalogue("ko") == {entry.id: entry.string for entry in read("ko", folder=COMMAND_LINE) if entry.id}


@pytest.mark.parametrize(
    ("environment", "spoken"),
    [
        ({}, "en"),
        ({"LANG": "ko_KR.UTF-8"}, "ko"),
        ({"LANG": "ko"}, "ko"),
        ({"LANG": "ko_KR.UTF-8", "LC_MESSAGES": "en_US.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "ko_KR.UTF-8"}, "ko"),
        ({"LC_MESSAGES": "ko_KR.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LC_ALL": "", "LANG": "ko_KR.EUC-KR"}, "ko"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
    ],
)
def test_the_environment_says_which(monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], spoken: str) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert language() == spoken


def test_a_slot_is_not_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "ko")
    assert t("{name} is {phase}.", name="{phase}", phase="\\1") == "{phase} 랩의 상태: \\1."


@pytest.mark.parametrize("who", [OWNER, ADMIN], ids=["owner", "administrator"])
@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.usefixtures("korean")
def test_what_a_command_prints_is_korean(command: str, who: str, capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(SystemExit):
        run(Wire(the_world(("GET", "/labs")), who), *command.split())
    printed = capsys.readouterr()
    lines = (FOREIGN.sub("", line) for line in (printed.out + printed.err).splitlines())
    told = [
        part
        for line in lines
        for part in re.split(" {2,}", line)
        if re.search("[가-힣]", line) or not COLUMNS.match(line)
    ]
    assert {part: left for part in told if (left := english_left(part, NAMES) + unresolved(part))} == {}


@pytest.mark.usefixtures("korean")
def test_documents_are_the_same_in_every_language(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire(the_world(("GET", "/labs")), OWNER)
    texts = []
    for wish in ("ko_KR.UTF-8", "C"):
        monkeypatch.setenv("LC_ALL", wish)
        for form in ("json", "yaml", "name"):
            run(wire, "describe", "cluster", "myeks", "-o", form)
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert '"name": "myeks"' in texts[0]


def test_the_catalogue_is_of_the_package() -> None:
    """flit packages every file of the folder."""
    assert (PROJECT / COMMAND_LINE / "ko.po").read_text("utf-8").count("msgid ") > 100

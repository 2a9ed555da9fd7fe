"""Any input yields a sentence and an exit status, never a traceback."""

from __future__ import annotations

import argparse
import http.client
import http.server
import io
import subprocess
import sys
import threading
import urllib.request
from argparse import ArgumentTypeError
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ekslab.__main__ import main, parser
from ekslab.parsing import arguments
from tests.ekslab.wire import Wire, run
from tests.examples import examples
from tests.fakes import a_lab
from tests.paths import PROJECT


def commands_of(top: argparse.ArgumentParser) -> Iterator[tuple[str, ...]]:
    """Every command, by its words."""
    below = [action.choices for action in top._actions if isinstance(action, argparse._SubParsersAction)]
    if not below:
        yield ()
    for name, one in ((name, one) for choices in below for name, one in choices.items()):
        yield from ((name, *rest) for rest in commands_of(one))


#: An address without a server.
NOWHERE = "http://127.0.0.1:9"
#: `dashboard` serves until it is interrupted: test_dashboard.py has it.
COMMANDS = sorted(set(commands_of(parser())) - {("dashboard",)})
OPTIONS = ["--key", "--region", "--account", "--owner", "--phase", "--nodes", "--allow", "-o", "json", "--set", "--why"]
OPTIONS += ["--endpoint", "--days-left", "--weekdays", "--wake", "--", "-f", "--config-file", "--profile", "--region"]
ODD = ["", "a/b", "..", "../../x", "a\nb", "\udc80", "-4h", "=", "g=²", "é", "%", "%2F", "a b", "#", "?", "9" * 5000]
GOOD = ["myeks", a_lab().id, "111122223333/us-east-1/myeks", "4h", "2026-11-23", "private", "maxPercent=5", "on"]
words = st.sampled_from([*OPTIONS, *ODD, *GOOD]) | st.text(st.characters(exclude_characters="\0"), max_size=8)


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name, value in {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "EKSLAB_URL": NOWHERE}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.setattr("ekslab.client.retries.ATTEMPTS", 1)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO()))


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(COMMANDS), st.lists(words, max_size=5))
def test_no_argument_leads_to_a_traceback(command: tuple[str, ...], rest: list[str]) -> None:
    assert status(lambda: main([*command, *rest])) in (0, 1, 2, 3, 5)


@settings(max_examples=examples(150), deadline=None)
@given(st.sampled_from(COMMANDS), st.lists(words.filter(lambda word: word.isprintable()), max_size=4))
def test_nor_does_it_where_the_service_answers(command: tuple[str, ...], rest: list[str]) -> None:
    wire = Wire()
    wire.http.world.store.put(a_lab(phase="ready"))
    assert status(lambda: run(wire, *command, *rest)) in (0, 1, 2, 4, 5)


def status(call: Callable[[], int]) -> object:
    """The exit status of the process; `main` reports an unreadable file."""
    try:
        return call()
    except SystemExit as end:
        return end.code
    except OSError as error:
        return 2 if error.filename is not None else error


@given(st.text(max_size=12) | st.from_regex(r"https?://[a-z0-9.:@\[\]/?#%ü -]{0,12}", fullmatch=True))
def test_what_passes_for_an_address_can_be_called(text: str) -> None:
    try:
        url = arguments.address(text)
    except ArgumentTypeError:
        return
    request = urllib.request.Request(f"{url}/labs")
    http.client.HTTPConnection(request.host)
    assert (request.host.partition(":")[0].encode("idna"), request.selector.isascii()) != (b"", False)


@pytest.mark.parametrize(
    ("typed", "named"),
    [
        (["describe", "cluster", ""], "argument NAME: expected a lab's name or id"),
        (["delete", "cluster", "a/b"], "argument NAME: expected a lab's name or id"),
        (["schedule", ".."], "argument lab: expected a lab's name or id"),
        (["create", "cluster", "--watch=false", "v9", "--key", "a\nb"], "argument --key: expected letters"),
        (["--api-region", "", "get", "clusters"], "argument --api-region: expected a region"),
        (["get", "plan", "tonight"], "argument date: expected a date"),
        (["describe", "cluster", "../../x"], "argument NAME: expected ACCOUNT/REGION/NAME"),
    ],
)
def test_a_wrong_argument_is_named(typed: list[str], named: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(typed)
    assert named in capsys.readouterr().err


@pytest.mark.parametrize(
    "url", ["notaurl", "ftp://x", "http://", "http://a..b", "http://[", "http://x:99999", "http://x?y"]
)
def test_a_wrong_address_in_the_environment_is_named(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EKSLAB_URL", url)
    assert main(["get", "clusters"]) == 2
    assert capsys.readouterr().err.startswith("EKSLAB_URL: expected an address such as https://")
    assert main(["--url", url, "get", "clusters"]) == 2
    assert capsys.readouterr().err.startswith("argument --url: expected an address such as https://")


def test_bytes_that_are_no_text_and_a_profile_that_is_not_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["describe", "cluster", "\udc80"]) == 2
    assert capsys.readouterr().err == "An argument is not UTF-8.\n"
    assert main(["--profile", "not-there", "get", "clusters"]) == 2
    assert "not-there" in capsys.readouterr().err


class Somebody(http.server.BaseHTTPRequestHandler):
    """Answers `/` + kind of body: not this service, and a long answer that looks like it."""

    def do_GET(self) -> None:
        kind, body = {
            "html": ("text/html", b"<p>Hello"),
            "list": ("application/json", b"[]"),
            "other": ("application/json", b'{"hello": 1}'),
            "long": ("application/json", b'{"timeZone": "UTC", "events": [' + b",".join([EVENT] * 20000) + b"]}"),
        }[self.path.split("/")[1]]
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


EVENT = b'{"at": "2026-11-23T10:00:00Z", "kind": "lab", "message": "It is there."}'


@pytest.fixture
def somebody() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Somebody) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("kind", ["html", "list", "other"])
def test_somebody_else_who_answers_is_told_apart(kind: str, somebody: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--url", f"{somebody}/{kind}", "get", "clusters"]) == 3
    assert "what answers there is no ekslab" in capsys.readouterr().err


def test_who_reads_no_further_ends_it_quietly(somebody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EKSLAB_URL", f"{somebody}/long")
    ended = in_a_shell("get events lab-0123456789ab | head -1")
    assert (ended.returncode, ended.stderr) == (141, "")
    ended = in_a_shell("--help | true")
    assert (ended.returncode in (0, 141), ended.stderr) == (True, "")


def test_a_full_disk_is_a_sentence(somebody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EKSLAB_URL", f"{somebody}/long")
    ended = in_a_shell("get events lab-0123456789ab > /dev/full")
    assert (ended.returncode, ended.stderr) == (2, "output: No space left on device\n")


def in_a_shell(typed: str) -> subprocess.CompletedProcess[str]:
    line = f"{sys.executable} -m ekslab {typed}; exit ${{PIPESTATUS[0]}}"
    return subprocess.run(["bash", "-c", line], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False)


def test_interrupting_is_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    class Held(io.StringIO):
        @property
        def buffer(self) -> Any:
            raise KeyboardInterrupt

    monkeypatch.setattr(sys, "stdin", Held())
    assert main(["create", "cluster", "--watch=false", "-f", "-"]) == 130

"""The client by itself: retries, waits, and errors."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

import ekslab
from ekslab import Answer, Client, NoAnswer, NotInTime, Refused
from ekslab.client.http import NoCredentials, SignedHttp
from tests.ekslab.wire import Wire
from tests.fakes import a_lab

Turn = Answer | NoAnswer
THROTTLED, BROKEN = Answer(429, {"retry-after": "7"}, {"message": "Too Many Requests"}), Answer(502, {}, "")
LOST, FINE = NoAnswer("reset"), Answer(200, {}, {"id": "lab-1", "phase": "ready", "name": "x", "warnings": []})


@dataclass
class Scripted:
    """Answers in turn, repeating the last one; records the requests."""

    turns: list[Turn]
    sent: list[tuple[str, str, Mapping[str, str] | None]] = field(default_factory=list)

    def call(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        self.sent.append((method, path, headers))
        turn = self.turns.pop(0) if len(self.turns) > 1 else self.turns[0]
        if isinstance(turn, NoAnswer):
            raise turn
        return turn


def a_client(*turns: Turn) -> tuple[Client, Scripted, list[float]]:
    transport, slept = Scripted(list(turns)), list[float]()
    return Client(transport=transport, sleep=slept.append, clock=lambda: sum(slept)), transport, slept


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("passing", [THROTTLED, BROKEN, LOST, Answer(503, {}, ""), Answer(504, {}, "")])
def test_what_may_be_repeated_is(method: str, passing: Turn) -> None:
    client, transport, slept = a_client(passing, passing, FINE)
    assert client.call(method, "/labs/x") is FINE
    assert (len(transport.sent), len(slept)) == (3, 2)


@pytest.mark.parametrize("passing", [BROKEN, LOST])
def test_a_post_that_may_have_been_done_is_not_sent_again(passing: Turn) -> None:
    client, transport, _ = a_client(passing, FINE)
    with contextlib.suppress(NoAnswer):
        assert client.call("POST", "/labs/x/extend", b"{}").status == 502
    assert len(transport.sent) == 1


def test_a_post_that_was_throttled_is_sent_again_after_the_time_that_was_asked_for() -> None:
    client, transport, slept = a_client(THROTTLED, FINE)
    assert client.call("POST", "/labs/x/extend", b"{}") is FINE
    assert (len(transport.sent), slept) == (2, [7.0])


def test_a_request_for_a_lab_is_sent_again_under_one_key() -> None:
    client, transport, _ = a_client(LOST, BROKEN, FINE)
    client.create_lab({"name": "x"})
    assert len({headers["Idempotency-Key"] for _, _, headers in transport.sent if headers}) == 1
    assert len(transport.sent) == 3
    again, other, _ = a_client(FINE)
    again.create_lab({"name": "x"})
    assert other.sent[0][2] != transport.sent[0][2]


def test_it_gives_up_in_the_end_and_hands_on_the_last_answer() -> None:
    client, transport, slept = a_client(BROKEN)
    assert client.call("GET", "/labs") is BROKEN
    assert len(transport.sent) == 5
    assert sum(slept) < 20
    lost, _, _ = a_client(LOST)
    with pytest.raises(NoAnswer):
        lost.call("GET", "/labs")


def test_waiting_outlives_throttling_broken_gateways_and_lost_connections() -> None:
    going = Answer(200, {}, {**FINE.body, "phase": "provisioning"})
    client, _, _ = a_client(*[going, *[THROTTLED, BROKEN, LOST] * 20, going, FINE])
    seen: list[Any] = []
    assert client.wait("lab-1", timeout=36000, seen=seen.append)["phase"] == "ready"
    assert [lab["phase"] for lab in seen] == ["provisioning", "provisioning", "ready"]


def test_waiting_ends_in_time_with_what_was_seen_last() -> None:
    going = Answer(200, {}, {**FINE.body, "phase": "provisioning"})
    client, _, _ = a_client(going)
    with pytest.raises(NotInTime, match="x is still provisioning") as late:
        client.wait("lab-1", timeout=60)
    assert late.value.lab is not None
    never, _, _ = a_client(LOST)
    with pytest.raises(NotInTime):
        never.wait("lab-1", timeout=60)


def test_a_refusal_is_raised_with_its_answer() -> None:
    client = Wire().client
    for act in (client.lab, client.delete_lab, client.kubeconfig, client.wait):
        refusing: Callable[[str], Any] = act
        with pytest.raises(Refused, match="404 There is no lab nope"):
            refusing("nope")


def test_it_goes_through_a_labs_life() -> None:
    wire = Wire()
    client = wire.client
    plan = client.dry_run({"name": "myeks"})
    assert plan["spec"]["name"] == "myeks"
    lab = client.create_lab({"name": "myeks"})
    assert [one["id"] for one in client.labs()] == [lab["id"]]
    assert client.lab(lab["id"])["spec"]["version"] == lab["version"]
    assert client.delete_lab(lab["id"])["phase"] == "releasing"
    wire.http.world.store.put(a_lab(phase="deleted", id="lab-gone"))
    assert client.wait("lab-gone")["phase"] == "deleted"


def test_credentials_of_aws_login_need_an_extra_that_the_message_names(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from botocore.exceptions import MissingDependencyException

    class Session:
        def __init__(self, profile: str | None = None) -> None:
            pass

        def get_config_variable(self, name: str) -> None:
            return None

        def get_credentials(self) -> None:
            raise MissingDependencyException(msg="Using the login credential provider requires botocore[crt].")

    monkeypatch.setattr("botocore.session.Session", Session)
    with pytest.raises(NoCredentials, match=r'pip install "ekslab\[login\]"'):
        SignedHttp("https://example.com").call("GET", "/labs")


def test_credentials_that_are_renewed_are_taken_anew_for_each_call(monkeypatch: pytest.MonkeyPatch) -> None:
    import botocore.credentials

    keys = iter(["ONE", "TWO"])
    signed: list[str] = []

    class Renewed:
        def get_frozen_credentials(self) -> botocore.credentials.ReadOnlyCredentials:
            return botocore.credentials.ReadOnlyCredentials(next(keys), "secret", None)

    http = SignedHttp("http://127.0.0.1:9", "us-east-1")
    http._credentials = Renewed()
    monkeypatch.setattr(
        "botocore.auth.SigV4Auth.add_auth", lambda self, request: signed.append(self.credentials.access_key)
    )
    for _ in range(2):
        with pytest.raises(NoAnswer):
            http.call("GET", "/labs")
    assert signed == ["ONE", "TWO"]


def test_its_version_is_the_packages() -> None:
    import tomllib

    from tests.paths import PROJECT

    assert tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["version"] == ekslab.__version__

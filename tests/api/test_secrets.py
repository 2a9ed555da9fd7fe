"""No secret is in a log or in an answer: tokens, signatures, keys, credentials, people's input."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

import pytest

from tests.api.curfew_world import a_link, an_entry
from tests.api.http import ADMIN, Answer, Http
from tests.api.matrix import CALLERS, MATRIX, OWNER
from tests.api.test_matrix import ask, the_world

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOsecretlookingbutpublicsecretlookingbutpub learner@laptop"
#: Further secrets of a signed request.
SIGNED = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/us-east-1/execute-api/aws4_request, Signature=5f8e0c",
    "X-Amz-Security-Token": "FwoGZXIvYXdzEXAMPLETOKEN",
    "Cookie": "session=cookie-of-learners",
}
SENT = (
    PUBLIC_KEY.split()[1],
    "Signature=5f8e0c",
    "FwoGZXIvYXdzEXAMPLETOKEN",
    "a-key-of-learners",
    "cookie-of-learners",
)


class Lines(logging.Handler):
    """Formats every record in full: its message, its fields and its traceback."""

    def __init__(self) -> None:
        super().__init__()
        self.text = ""

    def emit(self, record: logging.LogRecord) -> None:
        message = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
        self.text += f"{record.getMessage()} {vars(record)} {message}\n"


@pytest.fixture
def lines() -> Iterator[Lines]:
    """The log of a test, of the service and of Chalice."""
    handler, loggers = Lines(), [logging.getLogger(name) for name in ("ekslab", "ekslab-test")]
    for each in loggers:
        each.addHandler(handler)
    yield handler
    for each in loggers:
        each.removeHandler(handler)


def secrets_of(http: Http) -> tuple[str, ...]:
    """The keys that sign, and a valid link's token with its signature alone."""
    token = a_link(http, an_entry(owner=OWNER)).removeprefix("/keep/")
    return (token, token.rpartition(".")[2], *(key.decode() for key in http.world.curfew.keys.keys.values()))


def a_request_with_a_key(http: Http) -> Answer:
    body = {"name": "with-a-key", "ssh": {"publicKey": PUBLIC_KEY}}
    return http.call(
        "POST", "/labs", body=body, caller=OWNER, headers={**SIGNED, "Idempotency-Key": "a-key-of-learners"}
    )


def test_the_log_tells_who_did_what_and_none_of_what_they_sent(lines: Lines) -> None:
    http = the_world()
    assert a_request_with_a_key(http).status == 202
    refused = http.call("POST", "/labs", body={"ssh": {"publicKey": PUBLIC_KEY}}, caller=OWNER, headers=SIGNED)
    assert refused.status == 400
    assert OWNER in lines.text
    assert [message for message in (*SENT, *secrets_of(http)) if message in lines.text] == []


@pytest.mark.parametrize("trouble", [None, RuntimeError("an accident")], ids=["well", "with an accident"])
def test_a_links_token_is_in_no_line_of_the_log_whatever_becomes_of_it(lines: Lines, trouble: Exception | None) -> None:
    http = the_world()
    link = a_link(http, an_entry(owner=OWNER))
    for path in (link, f"{link}x", link[:-1]):
        for method in ("GET", "POST"):
            if trouble is not None:
                http.world.fail("curfew_store.line", trouble)
            http.call(method, path, headers={"Accept": "application/json"})
    assert lines.text
    assert [secret for secret in (*secrets_of(http), link) if secret in lines.text] == []


@pytest.mark.parametrize("route", sorted(MATRIX), ids=" ".join)
def test_no_answer_holds_a_key_or_anyone_elses_link(route: tuple[str, str]) -> None:
    http = the_world()
    token, signature, *keys = secrets_of(http)
    for kind in CALLERS:
        message = ask(http, route, kind).text
        assert [key for key in keys if key in message] == [], kind
        assert "{token}" in route[1] or not {part for part in (token, signature) if part in message}, kind


def test_the_key_that_was_sent_is_shown_to_whoever_sees_the_lab_and_to_nobody_else() -> None:
    http = the_world()
    lab = a_request_with_a_key(http).json["id"]
    assert PUBLIC_KEY.split()[1] in http.get(f"/labs/{lab}", caller=OWNER).text
    assert PUBLIC_KEY.split()[1] in http.get(f"/labs/{lab}", caller=ADMIN).text
    assert PUBLIC_KEY.split()[1] not in http.get(f"/labs/{lab}", caller=CALLERS["other team"]).text

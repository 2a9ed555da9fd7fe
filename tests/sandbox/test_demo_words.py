"""The demo's output: errors before remarks, one line a field of a request, one notice and many notices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sandbox.demo.curfew import YOUNG, _first_evening
from sandbox.demo.lab_life import REQUEST, format_findings, format_request
from sandbox.demo.support import sentences_with
from sandbox.schedules import describe_curfew_run, describe_watch_run


def test_what_is_wrong_comes_first_and_a_note_is_marked() -> None:
    findings = [
        {"path": "endpoint.access", "severity": "warning", "message": "Opened beside it."},
        {"path": "version", "severity": "error", "message": "Ended."},
    ]
    assert format_findings(findings) == ["version: Ended.", "note on endpoint.access: Opened beside it."]


def test_a_request_is_told_a_field_a_line_without_its_key() -> None:
    message = format_request({**REQUEST, "ssh": {"publicKey": "ssh-ed25519 AAAA learner"}})
    assert '  "name": "myeks",' in message
    assert "AAAA" not in "".join(message)
    assert max(map(len, message)) < 150


def test_runs_are_told_in_one_and_in_many() -> None:
    assert (
        describe_watch_run({"clusters": 1, "places": 1, "notices": 1})
        == "read 1 cluster in 1 place, decided on 1 notice"
    )
    assert "3 places, decided on 4 notices" in describe_watch_run({"clusters": 8, "places": 3, "notices": 4})
    assert describe_curfew_run({"counts": {}, "troubles": [], "lost": []}) == ["nothing was due"]
    swept = describe_curfew_run({"counts": {"looked_at": 2, "acted": 1}, "troubles": ["A trouble."], "lost": ["lab-1"]})
    assert swept == ["looked at 2, acted 1", "A trouble.", "lab-1"]


def test_what_is_quoted_of_a_mail_is_whole_however_it_was_wrapped() -> None:
    body = "1. payments\n\nThe control plane is on 1.32, after\nthe date.\nIn the way:\n  - nodes are older\n    than it;\n"
    assert sentences_with(body, "control plane") == ["The control plane is on 1.32, after the date."]
    assert sentences_with(body, "older") == ["- nodes are older than it;"]
    assert sentences_with("", "older") == []


def test_whenever_the_class_begins_its_labs_are_a_day_old_at_their_plan() -> None:
    for minute in range(0, 2 * 24 * 60, 5):
        began = datetime(2026, 11, 29, tzinfo=UTC) + timedelta(minutes=minute)
        made = began + timedelta(minutes=15)
        planned = _first_evening(began) - timedelta(hours=4)
        assert timedelta(0) <= planned - made - YOUNG <= timedelta(days=1)

"""GET /health: the fields for an administrator's monitor, and the records that the runs leave for it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from chalicelib.domain.core.service_health import EXPECTED, VERSION
from chalicelib.domain.errors.tree import Throttled
from chalicelib.workflows import curfew, schedules, watch_support
from tests.api.http import Http
from tests.fakes.builders import a_lab

SWEPT: dict[str, Any] = {"so_far": {}, "failure": None, "warned": {}, "braked": {}}
WATCHED: dict[str, Any] = {"failure": None, "counts": {}, "delivered": {"failed": 0}}


def ran(http: Http, failure: Any = None) -> None:
    deps, now = http.world.deps, http.world.clock.now()
    schedules.recover_labs(deps)
    curfew.finish(deps, {**SWEPT, "failure": failure}, now)
    watch_support.finish(deps, {**WATCHED, "failure": failure}, now)


def test_after_a_run_of_each_the_service_is_well() -> None:
    http = Http()
    ran(http)
    http.world.clock.advance(minutes=7)
    answer = http.get("/health")
    assert (answer.status, answer.json["status"], answer.json["reasons"]) == (200, "ok", [])
    assert answer.json["version"] == VERSION
    assert {run["workflow"]: run["ageMinutes"] for run in answer.json["runs"]} == dict.fromkeys(EXPECTED, 7)


def test_what_has_not_run_for_too_long_is_named() -> None:
    http = Http()
    ran(http)
    http.world.clock.advance(hours=4)
    message = http.get("/health").json
    assert message["status"] == "degraded"
    assert [reason.split()[0] for reason in message["reasons"]] == ["recover_labs", "curfew"]


def test_a_run_of_which_part_was_lost_is_named() -> None:
    http = Http()
    ran(http, failure={"Error": "Lambda.Unknown", "Cause": "{}"})
    reasons = http.get("/health").json["reasons"]
    assert [("curfew" in reason, "not whole" in reason) for reason in reasons] == [(True, True), (False, True)]


def test_a_tending_that_failed_on_a_lab_is_named() -> None:
    http = Http()
    http.world.fail("store.load_lab", Throttled("dynamodb:GetItem: slower"))
    http.world.store.put(a_due_lab(http))
    schedules.recover_labs(http.world.deps)
    assert "The last run of recover_labs" in " ".join(http.get("/health").json["reasons"])


def test_a_table_or_a_secret_that_does_not_answer_is_told_and_is_no_error() -> None:
    http = Http()
    ran(http)
    http.world.fail("store.runs", Throttled("dynamodb:Query: slower"))
    http.world.curfew.keys.lose()
    answer = http.get("/health")
    assert answer.status == 200
    assert answer.json["reasons"] == [
        "The table can't be read: Throttled.",
        "The secret that links are signed with can't be read: ResourceGone.",
    ]
    assert answer.json["runs"] == []


def a_due_lab(http: Http) -> Any:
    return a_lab(due_at=http.world.clock.now() - timedelta(minutes=1))

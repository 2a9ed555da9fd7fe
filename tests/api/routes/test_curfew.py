"""Plans, rules and verdicts over HTTP: visibility, and permission to change them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.domain.curfew.plan import EntryOutcome
from chalicelib.domain.curfew.rules import Mode
from chalicelib.domain.idleness.evidence import Evidence, NodegroupUse, Series
from chalicelib.domain.idleness.verdict import Verdict
from tests.api.curfew_world import CURFEW, LAB, NIGHT, a_ready_lab, a_world, an_entry, hours
from tests.api.http import ADMIN, STRANGER, Http
from tests.fakes import NOW, OWNER

VERDICT = f"/labs/{LAB}/verdict"


def a_class() -> Http:
    """Two labs on the plan, of two owners, and two more alive."""
    other = an_entry(lab_id="lab-other", name="theirs", owner=STRANGER)
    http = a_world(None, an_entry(), other)
    for number in range(3):
        http.world.store.put(a_ready_lab(id=f"lab-{number}", owner=STRANGER))
    return http


def test_an_owner_sees_their_own_lines_and_how_many_others_there_are() -> None:
    plan = a_class().get("/plan").json
    assert [(line["name"], line["status"]["outcome"]) for line in plan["entries"]] == [("myeks", "standing")]
    assert (plan["others"], plan["date"], plan["published"], plan["whole"]) == (1, "2026-11-23", True, True)
    line = plan["entries"][0]
    assert (line["at"], line["act"], line["trigger"]) == ("2026-11-23T13:00:00Z", "end", "idle")
    assert line["reason"].startswith("idle since")
    assert line["links"] == {"lab": f"/api/labs/{LAB}"}


def test_administrators_see_every_line_and_others_none() -> None:
    http = a_class()
    assert [line["name"] for line in http.get("/plan", caller=ADMIN).json["entries"]] == ["myeks", "theirs"]
    nobody = http.get("/plan", caller="arn:aws:iam::111122223333:user/someone").json
    assert (nobody["entries"], nobody["others"]) == ([], 2)


def test_a_plan_says_its_hash_its_revision_and_what_the_brake_allows() -> None:
    http = a_class()
    plan = http.get(f"/plan/{NIGHT}").json
    header = http.world.curfew.store.header(NIGHT)
    assert header is not None
    assert (plan["hash"], plan["revision"], plan["publishedAt"]) == (header.hash, 1, "2026-11-23T10:00:00Z")
    assert plan["brake"] == {"alive": 4, "allowed": 1, "counted": 2, "held": True, "unforeseen": 0}
    assert "2 idle labs were to go, and 1 may" in plan["message"]


def test_an_administrator_releases_exactly_the_plan_that_was_seen_and_once() -> None:
    http = a_class()
    seen = http.get(f"/plan/{NIGHT}").json
    path, body = f"/plan/{NIGHT}/release", {"hash": seen["hash"]}
    assert [line["basis"] for line in http.get("/plan", caller=ADMIN).json["entries"]] == ["judged", "judged"]
    assert http.post(path, body).status == 403
    assert http.post(path, {"hash": "0" * 64}, caller=ADMIN).json["type"] == "urn:ekslab:problem:plan-changed"
    assert http.post(path, {"hash": "tonight"}, caller=ADMIN).status == 400
    assert http.post("/plan/2026-11-20/release", body, caller=ADMIN).status == 404
    released = http.post(path, body, caller=ADMIN).json
    assert (released["brake"]["held"], released["releasedBy"]) == (False, ADMIN)
    assert http.post(path, body, caller=ADMIN).json == released
    http.world.curfew.store.publish(NIGHT, [an_entry(lab_id="lab-new")], CURFEW)
    assert http.get(f"/plan/{NIGHT}").json["brake"]["held"] is True
    assert http.post(path, body, caller=ADMIN).status == 409


def test_a_broken_plan_is_not_released() -> None:
    http = a_class()
    seen = http.get(f"/plan/{NIGHT}").json
    http.world.curfew.store.entries[NIGHT, an_entry().id] = an_entry(reason="Another one.")
    answer = http.post(f"/plan/{NIGHT}/release", {"hash": seen["hash"]}, caller=ADMIN)
    assert (answer.status, http.get("/plan").json["brake"]["held"]) == (409, True)


def test_an_entry_status_is_told_with_its_reason() -> None:
    http = a_class()
    http.world.curfew.store.change_status(
        NIGHT,
        an_entry().id,
        lambda entry_status: replace(
            entry_status, outcome=EntryOutcome.SKIPPED, reason="It is kept.", settled_at=CURFEW
        ),
    )
    entry_status = http.get("/plan").json["entries"][0]["status"]
    assert (entry_status["outcome"], entry_status["reason"], entry_status["settledAt"]) == (
        "skipped",
        "It is kept.",
        "2026-11-23T13:00:00Z",
    )


def test_a_plan_that_is_not_the_published_one_says_so() -> None:
    http = a_class()
    http.world.curfew.store.entries[NIGHT, an_entry().id] = an_entry(reason="Another one.")
    plan = http.get("/plan").json
    assert plan["whole"] is False
    assert plan["brake"]["held"] is True


def test_where_nothing_is_planned_tonight_says_so_and_another_night_is_not_there() -> None:
    http = Http()
    plan = http.get("/plan").json
    assert (plan["published"], plan["entries"], plan["hash"]) == (False, [], None)
    assert "Nothing is planned for 2026-11-23 so far. Labs come onto a plan 4 hours before" in plan["message"]
    other = http.get("/plan/2026-11-22")
    assert (other.status, other.json["type"]) == (404, "urn:ekslab:problem:no-plan")


def test_tonight_is_the_date_where_the_installation_is() -> None:
    http = Http()
    http.world.deps = replace(http.world.deps, curfew=replace(http.world.deps.curfew, zone="Asia/Seoul"))
    http.world.clock.advance(hours=6)
    assert http.get("/plan").json["date"] == "2026-11-24"


@pytest.mark.parametrize("date", ["tonight", "2026-02-30", "20261123", "2026-1-1", "%00"])
def test_a_night_is_named_by_its_date(date: str) -> None:
    answer = Http().get(f"/plan/{date}")
    assert (answer.status, answer.json["findings"][0]["code"]) == (400, "invalid-date")


def test_everyone_sees_the_rules() -> None:
    assert Http().get("/curfew", caller=STRANGER).json == {
        "mode": "on",
        "maxPercent": 25,
        "maxCount": 20,
        "leadHours": 4,
        "noticeMinutes": 60,
        "windowHours": 3,
        "youngHours": 24,
        "lateHours": 6,
        "maxAheadHours": 72,
        "maxTotalHours": 336,
        "changedAt": None,
        "changedBy": None,
    }


@pytest.mark.parametrize("mode", ["off", "dry-run", "on"])
def test_the_stop_switch_holds_at_once_and_leaves_the_rest(mode: str) -> None:
    http = Http(caller=ADMIN)
    http.put("/curfew", {"maxPercent": 50})
    answer = http.put("/curfew", {"mode": mode})
    assert answer.status == 200
    rules = http.world.curfew.store.kept_rules
    assert rules is not None
    assert (rules.mode, rules.max_percent, rules.changed_by, rules.changed_at) == (Mode(mode), 50, ADMIN, NOW)
    assert http.get("/curfew").json == answer.json


def test_the_switch_may_be_thrown_in_yaml() -> None:
    http = Http(caller=ADMIN)
    assert http.put("/curfew", "mode: off", headers={"content-type": "application/yaml"}).json["mode"] == "off"
    assert http.put("/curfew", "mode: on", headers={"content-type": "application/yaml"}).json["mode"] == "on"


def test_others_do_not_change_the_rules() -> None:
    http = Http()
    assert http.put("/curfew", {"mode": "off"}).status == 403
    assert http.world.curfew.store.kept_rules is None


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, [("", "empty")]),
        ({"mode": "of"}, [("mode", "invalid-mode")]),
        ({"mode": 0}, [("mode", "invalid-mode")]),
        ({"maxPercent": 101, "maxCount": 0}, [("maxPercent", "out-of-bounds"), ("maxCount", "out-of-bounds")]),
        ({"maxPercent": "50"}, [("maxPercent", "wrong-type")]),
        ({"maxpercent": 50}, [("maxpercent", "unknown-field")]),
        ({"noticeMinutes": 181}, [("noticeMinutes", "notice-too-long")]),
        ({"leadHours": 2, "noticeMinutes": 61}, [("noticeMinutes", "notice-too-long")]),
        ({"maxTotalHours": 71}, [("maxTotalHours", "total-too-short")]),
        ({"changedBy": "me"}, [("changedBy", "unknown-field")]),
    ],
)
def test_rules_out_of_bounds_are_refused_by_field(body: Any, found: list[tuple[str, str]]) -> None:
    http = Http(caller=ADMIN)
    answer = http.put("/curfew", body)
    assert answer.status == 400
    assert [(finding["path"], finding["code"]) for finding in answer.json["findings"]] == found
    assert http.world.curfew.store.kept_rules is None


def a_look(now: Any) -> Evidence:
    group = NodegroupUse("ng", "ACTIVE", 2, ("t3.medium",), cpu=Series(300, ((now - hours(1), 80.0),)))
    return Evidence(LAB, now, now - hours(3), "ACTIVE", nodegroups=(group,))


def test_a_verdict_is_judged_live_and_shows_what_from() -> None:
    http = a_world()
    http.world.curfew.signals.evidence[LAB] = a_look
    view = http.get(VERDICT).json
    assert view["live"]["idle"] is False
    assert view["message"] == view["live"]["sentence"]
    assert view["live"]["at"] == "2026-11-23T10:00:00Z"
    assert {"name", "sign", "message", "numbers", "quietSince"} <= set(view["live"]["signals"][0])
    assert view["evidence"]["nodegroups"][0]["cpu"]["points"] == [["2026-11-23T09:00:00Z", 80.0]]
    assert (view["kept"], view["windowHours"]) == (None, 3)
    assert http.world.curfew.store.verdict(LAB) is None


def test_the_verdict_that_the_sweep_kept_stands_beside_the_live_one() -> None:
    http = a_world()
    http.world.curfew.signals.evidence[LAB] = a_look
    live = http.get(VERDICT).json["live"]
    http.world.curfew.store.put_verdict(Verdict(LAB, NOW, NOW - hours(3), True, "idle since 15:40: nothing."))
    view = http.get(VERDICT).json
    assert view["live"] == live
    assert (view["kept"]["idle"], view["kept"]["sentence"]) == (True, "idle since 15:40: nothing.")


def test_what_could_not_be_read_is_never_idle() -> None:
    view = a_world().get(VERDICT).json
    assert view["live"]["idle"] is False
    assert view["evidence"]["unread"] == ["AWS/EKS metrics: not there"]


@pytest.mark.parametrize("phase", ["requested", "hibernated", "deleted"])
def test_a_lab_without_nodes_is_not_judged(phase: str) -> None:
    view = a_world(a_ready_lab(phase=phase)).get(VERDICT).json
    assert (view["live"], view["evidence"]) == (None, None)
    assert view["message"] == f"There is nothing to judge: the lab is {phase}."


def test_an_owner_is_known_by_the_whole_arn() -> None:
    http = a_class()
    assert http.get("/plan", caller=OWNER + "x").json["entries"] == []

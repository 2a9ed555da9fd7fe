"""Money over HTTP: ceilings that administrators set, and what a request over them hears."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from chalicelib.domain.core.proof import Proof
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.teardown.receipt import Receipt
from tests.api.http import ADMIN, Http

P5: dict[str, Any] = {
    "name": "gpu",
    "leaseHours": 72,
    "nodegroups": [
        {"name": "g", "instanceTypes": ["p5.48xlarge"], "desired": 10, "min": 10, "max": 10, "volumeGib": 16384}
    ],
}


def test_ten_p5_for_72_hours_are_403_with_the_sum() -> None:
    """Issue 19: it was 202."""
    http = Http()
    refused = http.post("/labs", P5)
    assert (refused.status, refused.json["type"]) == (403, "urn:ekslab:problem:over-budget")
    assert refused.json["atLeast"] is True
    assert refused.json["usd"] == pytest.approx(10 * 16384 * 0.0912 / 730 + 0.10 + 10 * 0.005, abs=0.01)
    assert refused.json["ceilingUsd"] == 10.0
    assert "at least $20.62 an hour" in refused.json["detail"]
    assert "not-offered" in [finding["code"] for finding in refused.json["findings"]]
    assert http.world.store.labs == {}
    assert http.call("POST", "/labs", body=P5, query={"dryRun": "true"}).status == 403


def test_a_request_asks_the_account_in_one_round() -> None:
    """Each question is asked once, before the write, whose race asks nothing again; all about quotas is one call of the port."""
    http = Http()
    http.post("/labs", {"name": "a"})
    asked = [(name, repr(args)) for name, args in http.world.account.calls]
    assert [name for name, _ in asked].count("read") == 1
    assert max(Counter(asked).values()) == 1, Counter(asked)
    names = [name for name, _ in asked]
    assert names[names.index("create_lab") + 1 :] == ["start"]


def test_ceilings_are_put_and_got_and_lifted() -> None:
    http = Http()
    wanted = {
        "maxUsdLease": 50.0,
        "maxUsdMonth": {"person": 100.0, "role": 200.0, "team": 500.0, "installation": 1000.0},
        "askUsd": 20.0,
        "teams": [{"team": "shop", "maxUsdHour": 3.0, "maxUsdMonthTeam": 70.0, "instanceTypes": ["g5"]}],
    }
    answer = http.put("/offers", wanted, caller=ADMIN).json
    assert {name: answer[name] for name in wanted} == wanted
    lifted = http.put("/offers", {"maxUsdLease": "none", "askUsd": "none", "maxUsdMonth": {}}, caller=ADMIN).json
    assert (lifted["maxUsdLease"], lifted["askUsd"], lifted["maxUsdMonth"]) == (None, None, {})
    assert lifted["teams"] == wanted["teams"]


@pytest.mark.parametrize("amount", [-1, -0.01, 1e308, 1_000_001, True, "12 EUR", "€5", {"EUR": 5}, [5]])
@pytest.mark.parametrize("field", ["maxUsdHour", "maxUsdLease", "askUsd", "maxUsdMonth.person", "teams.maxUsdMonth"])
def test_what_is_no_amount_of_dollars_is_refused_and_nothing_is_stored(field: str, amount: object) -> None:
    http = Http()
    before = http.get("/offers").json
    outer, _, inner = field.partition(".")
    section: Any = {inner: amount} if inner else amount
    body = {outer: [{"team": "shop", **section}] if outer == "teams" else section}
    refused = http.put("/offers", body, caller=ADMIN)
    assert refused.status == 400
    assert http.get("/offers").json == before


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"atLimit": "delete"}, "atLimit"),
        ({"atLimit": "none"}, "atLimit"),
        ({"teams": [{"team": "shop", "atLimit": "HIBERNATE"}]}, "teams[0].atLimit"),
        ({"teams": [{"team": "shop", "maxUsdMonth": 5}, {"team": "shop"}]}, "teams[1].team"),
    ],
    ids=str,
)
def test_what_a_ceiling_brings_is_one_of_two_and_a_team_has_one_rule(body: Any, path: str) -> None:
    http = Http()
    refused = http.put("/offers", body, caller=ADMIN)
    assert (refused.status, [each["path"] for each in refused.json["findings"]]) == (400, [path])
    assert http.get("/offers").json["atLimit"] == "ask"
    opted = http.put("/offers", {"teams": [{"team": "shop", "atLimit": "hibernate"}]}, caller=ADMIN).json
    assert (opted["atLimit"], opted["teams"]) == ("ask", [{"team": "shop", "atLimit": "hibernate"}])


@pytest.mark.parametrize("text", ['{"maxUsdLease": NaN}', '{"maxUsdLease": 1e999}', '{"maxUsdLease": -Infinity}'])
def test_what_is_no_number_of_json_is_refused(text: str) -> None:
    http = Http()
    assert http.call("PUT", "/offers", body=text, caller=ADMIN).status == 400
    assert http.get("/offers").json["maxUsdLease"] is None


def test_the_same_sums_stand_in_answer_list_show_and_receipt() -> None:
    http = Http()
    planned = http.call("POST", "/labs", body={"name": "a"}, query={"dryRun": "true"}).json["usd"]
    made = http.post("/labs", {"name": "a"}).json
    assert made["usd"] == planned
    assert made["usd"]["toLeaseEnd"] == pytest.approx(made["cost"]["usd"], abs=0.01)
    assert (made["usd"]["hour"], made["usd"]["soFar"]) == (made["cost"]["usdAnHour"], 0)
    store, lab_id = http.world.store, made["id"]
    store.change_lab(lab_id, lambda lab: lab.moved_to(Phase.PROVISIONING, http.world.clock.now()))
    http.world.clock.advance(hours=2)
    [listed] = http.get("/labs").json["labs"]
    shown = http.get(f"/labs/{lab_id}").json
    assert listed["usd"] == shown["usd"]
    assert shown["usd"]["soFar"] == pytest.approx(2 * planned["hour"], abs=0.01)
    assert shown["usd"]["soFar"] + shown["usd"]["toLeaseEnd"] == pytest.approx(planned["toLeaseEnd"], abs=0.02)
    for phase in (Phase.RELEASING, Phase.DELETED):
        store.change_lab(lab_id, lambda lab, to=phase: lab.moved_to(to, http.world.clock.now()))
    store.put_receipt(lab_id, Receipt("now", http.world.clock.now(), (), ("tagging",)))
    receipt = http.get(f"/labs/{lab_id}/receipt").json["usd"]
    assert receipt["saved"]["ended"] == pytest.approx(6 * planned["hour"], abs=0.02)
    assert (receipt["hour"], receipt["soFar"], receipt["toLeaseEnd"]) == (0, shown["usd"]["soFar"], 0)


def test_what_kubernetes_made_is_told_from_when_it_was_found_and_is_in_no_sum() -> None:
    http = Http()
    lab_id = http.post("/labs", {"name": "a"}).json["id"]
    http.world.store.change_lab(lab_id, lambda lab: lab.moved_to(Phase.PROVISIONING, http.world.clock.now()))
    now = http.world.clock.now()
    arn = "arn:aws:elasticloadbalancing:ap-northeast-2:111122223333:loadbalancer/net/a/1"
    balancer = Resource(Kind.LOAD_BALANCER, "a", arn)
    own = Resource(Kind.INSTANCE, "i-1", "arn:aws:ec2:ap-northeast-2:111122223333:instance/i-1")
    for thing, proof in ((balancer, Proof.CREATOR), (own, Proof.AWS)):
        http.world.store.record(lab_id, LedgerEntry(thing, EntryState.PRESENT, "seen", now, now, proof=proof))
    before = http.get(f"/labs/{lab_id}").json["usd"]
    http.world.clock.advance(hours=4)
    usd = http.get(f"/labs/{lab_id}").json["usd"]
    [found] = usd["found"]
    assert (found["arn"], found["kind"]) == (arn, "load-balancer")
    assert found["soFar"] == pytest.approx(4 * found["hour"], abs=0.01)
    assert usd["soFar"] == pytest.approx(4 * before["hour"], abs=0.01)

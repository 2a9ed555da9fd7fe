"""Money over HTTP: ceilings that administrators set, and the answers to requests over them."""

from __future__ import annotations

from collections import Counter
from dataclasses import fields, replace
from typing import Any

import pytest

from chalicelib.api.views.json_format import camel
from chalicelib.domain.core.proof import Proof
from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.requests.offers import Offers
from chalicelib.domain.teardown.receipt import Receipt
from tests.api.http import ADMIN, Http
from tests.fakes.user_pool import FakeUserPool

NAMES = [camel(each.name) for each in fields(Offers) if not each.name.startswith("changed_")]
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
    """Each query is made once, before the write, whose race makes none again; all about quotas is one call of the port."""
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


SAID: dict[str, Any] = {
    "zones": [{"hostedZoneId": "Z0123456789", "domain": "labs.example.com"}],
    "networks": [{"vpcId": "vpc-0dd338ecf29863c55"}],
    "keyPairs": ["course"],
    "podRoles": [{"roleArn": "arn:aws:iam::111122223333:role/ekslab/reader", "owners": ["*"]}],
    "instanceTypes": ["t3"],
    "maxNodes": 4,
    "maxUsdHour": 1.5,
    "maxUsdLease": 50.0,
    "maxUsdMonth": {"person": 100.0, "role": 200.0, "team": 500.0, "installation": 1000.0},
    "askUsd": 20.0,
    "atLimit": "hibernate",
    "costTags": ["course"],
    "finance": "finance@example.com",
    "teams": [{"team": "shop", "maxUsdHour": 3.0}],
    "openToTheWorld": True,
}


def test_every_part_of_the_list_is_in_this_test() -> None:
    assert list(SAID) == list(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_null_takes_back_any_part_of_the_list_and_no_other(name: str) -> None:
    """`maxUsdHour`, once set, could not be removed: null was ignored, and "none" is no amount."""
    http = Http()
    usual = {**http.get("/offers", caller=ADMIN).json, "maxUsdHour": None}
    assert http.put("/offers", SAID, caller=ADMIN).status == 200
    back = http.put("/offers", {name: None}, caller=ADMIN).json
    assert {each: back[each] for each in NAMES} == {**SAID, name: usual[name]}


@pytest.mark.parametrize("word", [None, "none"])
@pytest.mark.parametrize("name", ["maxUsdHour", "maxUsdLease", "askUsd"])
def test_a_ceiling_is_lifted_and_any_amount_is_admitted(name: str, word: str | None) -> None:
    http = Http()
    http.put("/offers", {name: 0}, caller=ADMIN)
    assert http.post("/labs", {"name": "a"}).json.get("phase") in (None, "awaiting-approval")
    assert http.put("/offers", {name: word}, caller=ADMIN).json[name] is None
    assert http.post("/labs", {"name": "b"}).json["phase"] == "requested"


@pytest.mark.parametrize("word", [None, "none"])
@pytest.mark.parametrize("whose", ["person", "role", "team", "installation"])
def test_one_ceiling_of_months_is_lifted(whose: str, word: str | None) -> None:
    http = Http()
    limits = dict.fromkeys(("person", "role", "team", "installation"), 5.0)
    http.put("/offers", {"maxUsdMonth": limits}, caller=ADMIN)
    lifted = http.put("/offers", {"maxUsdMonth": {**limits, whose: word}}, caller=ADMIN).json["maxUsdMonth"]
    assert lifted == {name: amount for name, amount in limits.items() if name != whose}


@pytest.mark.parametrize("name", ["maxUsdHour", "maxUsdLease", "maxUsdMonth", "maxUsdMonthTeam", "askUsd"])
def test_null_in_a_teams_rule_leaves_the_usual_ceiling(name: str) -> None:
    http = Http()
    rule = {
        "team": "shop",
        "maxUsdHour": 1.0,
        "maxUsdLease": 2.0,
        "maxUsdMonth": 3.0,
        "maxUsdMonthTeam": 4.0,
        "askUsd": 5.0,
    }
    [kept] = http.put("/offers", {"teams": [{**rule, name: None}]}, caller=ADMIN).json["teams"]
    assert kept == {each: amount for each, amount in rule.items() if each != name}
    assert http.put("/offers", {"teams": [{**rule, name: "none"}]}, caller=ADMIN).status == 400


def test_what_does_nothing_is_told_whenever_an_administrator_sees_the_list() -> None:
    http = Http()
    pool = FakeUserPool(http.world.account, http.world.clock)
    pool.add("mina", "team-pool")
    curfew = replace(http.world.deps.curfew, teams=(Team("shop", ("*",)),))
    http.world.deps = replace(http.world.deps, curfew=curfew, user_pool=pool)
    rules = [{"team": name, "maxUsdHour": 3.0} for name in ("shop", "shopp", "pool")]
    put = http.put("/offers", {"teams": rules, "maxNodes": 500}, caller=ADMIN)
    assert put.status == 200
    assert [(one["path"], one["code"], one["severity"]) for one in put.json["findings"]] == [
        ("teams[1].team", "no-such-team", "warning"),
        ("maxNodes", "above-setting", "warning"),
    ]
    assert "the teams are pool, shop" in put.json["findings"][0]["message"]
    assert http.get("/offers", caller=ADMIN).json["findings"] == put.json["findings"]
    assert "findings" not in http.get("/offers").json
    http.world.fail("user_pool.teams", AwsUnavailable("Cognito is away."))
    unread = http.get("/offers", caller=ADMIN).json["findings"]
    assert [(one["path"], one["code"]) for one in unread] == [
        ("maxNodes", "above-setting"),
        ("teams", "user-pool-unread"),
    ]
    assert http.put("/offers", {"teams": None, "maxNodes": None}, caller=ADMIN).json["findings"] == []


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


@pytest.mark.parametrize(
    "trouble",
    [AwsUnavailable("Cognito is away."), AwsRefused("cognito-idp:ListGroups", "ResourceNotFoundException", "No pool.")],
    ids=lambda each: type(each).__name__,
)
def test_a_list_that_is_saved_is_answered_whatever_the_user_pool_says(trouble: Exception) -> None:
    """A refusal by the pool made a 502 of a PUT that had saved everything."""
    http = Http()
    http.world.deps = replace(http.world.deps, user_pool=FakeUserPool(http.world.account, http.world.clock))
    for asked in (lambda: http.put("/offers", {"teams": [{"team": "shop", "askUsd": 5}]}, caller=ADMIN),) * 2:
        http.world.fail("user_pool.teams", trouble)
        answer = asked()
        assert (answer.status, [one["code"] for one in answer.json["findings"]]) == (200, ["user-pool-unread"])
    assert str(trouble) in answer.json["findings"][0]["message"]
    assert http.get("/offers", caller=ADMIN).json["teams"] == [{"team": "shop", "askUsd": 5}]

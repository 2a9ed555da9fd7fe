"""Money over HTTP: ceilings that administrators set, and what a request over them hears."""

from __future__ import annotations

from typing import Any

import pytest

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


@pytest.mark.parametrize("text", ['{"maxUsdLease": NaN}', '{"maxUsdLease": 1e999}', '{"maxUsdLease": -Infinity}'])
def test_what_is_no_number_of_json_is_refused(text: str) -> None:
    http = Http()
    assert http.call("PUT", "/offers", body=text, caller=ADMIN).status == 400
    assert http.get("/offers").json["maxUsdLease"] is None

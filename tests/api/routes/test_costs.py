"""GET /costs: a month's sums by person, team, account and tag, their visibility, and the same as CSV."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import parse_qsl

import pytest

from chalicelib.domain.costs import Billed
from chalicelib.domain.errors.tree import AccessDenied, AwsRefused, AwsUnavailable
from chalicelib.domain.identity.callers import Caller, Team
from chalicelib.domain.labs.lab import Phase
from chalicelib.services.labs.commands import ValidatedRequest, request_lab
from tests.api.http import ADMIN, STRANGER, Http
from tests.fakes import OWNER, a_spec
from tests.fakes.user_pool import FakeUserPool

SUM = 1.77


def a_http() -> Http:
    http = Http()
    team = Team("shop", (OWNER,))
    http.people = replace(http.people, teams=(team, Team("all", ("*",))))
    http.put("/offers", {"costTags": ["course"]}, caller=ADMIN)
    for name, caller in (("a", OWNER), ("b", OWNER), ("c", STRANGER)):
        body = {"name": name, "tags": {"course": "=eks" if name == "c" else "eks", "x": "y"}}
        assert http.post("/labs", body, caller=caller).status == 202
    return http


def costs(http: Http, by: str = "person", month: str = "2026-11", **options: Any) -> Any:
    return http.call("GET", "/costs", query={"month": month, "by": by}, **options)


def shown(http: Http, by: str, caller: str = ADMIN) -> dict[str, tuple[int, float]]:
    return {row[by]: (row["labs"], row["usd"]) for row in costs(http, by, caller=caller).json["rows"]}


def test_the_same_labs_by_person_team_account_and_tag() -> None:
    http = a_http()
    two, one, three = (2, 3.54), (1, SUM), (3, 5.32)
    assert shown(http, "person") == {OWNER: two, STRANGER: one}
    assert shown(http, "team") == {"shop": two, "all": three}
    assert shown(http, "account") == {"111122223333": three}
    assert shown(http, "tag") == {"course=eks": two, "course==eks": one}
    for by in ("person", "team", "account", "tag"):
        answer = costs(http, by, caller=ADMIN).json
        assert (answer["total"]["labs"], answer["total"]["usd"], answer["running"]) == (3, 5.32, True)


@pytest.mark.parametrize("form", ["csv", "focus"])
def test_an_export_names_nobody_whom_its_reader_does_not_see(form: str) -> None:
    """A page's cursor is the key of its last row, which may be another person's."""
    http = a_http()
    http.people = replace(http.people, teams=())
    query = {"month": "2026-11", "format": form, "limit": "1"}
    answer = http.call("GET", "/costs", query=query, caller=STRANGER)
    assert (answer.status, len(list(csv.DictReader(io.StringIO(answer.text))))) == (200, 1)
    assert "Link" not in answer.headers
    assert "Link" in http.call("GET", "/costs", query=query, caller=ADMIN).headers


@pytest.mark.parametrize("name", ["limit", "cursor"])
def test_json_which_has_every_row_takes_no_page(name: str) -> None:
    refused = Http().call("GET", "/costs", query={"month": "2026-11", name: "5"}, caller=ADMIN)
    assert [(one["path"], one["code"]) for one in refused.json["findings"]] == [(name, "not-here")]


def test_people_of_a_group_of_the_user_pool_are_in_their_teams_sum_whoever_looks() -> None:
    """Groups define teams: an administrator who is in none of them saw their members as people of no team."""
    http = a_http()
    pool = FakeUserPool(http.world.account, http.world.clock)
    pool.add("mina", "team-pool")
    pool.add("jun", "team-shop")
    http.world.deps = replace(http.world.deps, user_pool=pool)
    for name in ("mina", "jun"):
        caller = Caller(pool.arn_of(name), "111122223333", None)
        request_lab(http.world.deps, caller, ValidatedRequest(a_spec(name=name)), None, "d", http.world.clock.now())
    http.people = replace(http.people, teams=(Team("shop", (OWNER,)),))
    assert shown(http, "team") == {"shop": (3, 5.32), "pool": (1, SUM), "": (1, SUM)}


@pytest.mark.parametrize("trouble", [AwsUnavailable("Away."), AwsRefused("cognito-idp:ListGroups", "Gone", "No pool.")])
def test_while_the_user_pool_is_in_trouble_teams_are_the_settings_and_a_finding_says_so(trouble: Exception) -> None:
    """Stored sums were unavailable for lack of names; a file, which has no place for a finding, is refused."""
    http = a_http()
    http.world.deps = replace(http.world.deps, user_pool=FakeUserPool(http.world.account, http.world.clock))
    assert costs(http, "team", caller=ADMIN).json["findings"] == []
    http.world.fail("user_pool.teams", trouble)
    answer = costs(http, "team", caller=ADMIN)
    assert {row["team"]: row["labs"] for row in answer.json["rows"]} == {"shop": 2, "all": 3}
    assert [(one["path"], one["code"]) for one in answer.json["findings"]] == [("by", "user-pool-unread")]
    http.world.fail("user_pool.teams", trouble)
    file = http.call("GET", "/costs", query={"month": "2026-11", "by": "team", "format": "csv"}, caller=ADMIN)
    assert file.status in (502, 503)
    assert costs(http, "person", caller=ADMIN).json["findings"] == []


def test_a_team_of_which_not_all_members_are_read_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    http = a_http()
    pool = FakeUserPool(http.world.account, http.world.clock)
    monkeypatch.setattr(pool, "teams", lambda: (Team("pool", (OWNER,), cut=True),))
    http.world.deps = replace(http.world.deps, user_pool=pool)
    for asked in (costs(http, "team", caller=ADMIN), http.put("/offers", {"teams": [{"team": "pool"}]}, caller=ADMIN)):
        assert [one["code"] for one in asked.json["findings"]] == ["team-cut"]
    assert costs(http, "team", caller=STRANGER).json["findings"] == []


def test_everyone_sees_their_own_and_their_teams() -> None:
    http = a_http()
    http.people = replace(http.people, teams=(Team("shop", (OWNER,)),))
    assert list(shown(http, "person", OWNER)) == [OWNER]
    assert list(shown(http, "team", OWNER)) == ["shop"]
    assert list(shown(http, "person", STRANGER)) == [STRANGER]
    assert [costs(http, by).status for by in ("account", "tag")] == [403, 403]


def test_a_person_is_one_row_by_whatever_permission_set_and_sees_all_of_it() -> None:
    http = Http()
    labs, power = (
        f"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_{s}_0123456789abcdef/mina" for s in ("Labs", "Power")
    )
    http.people = replace(http.people, teams=(Team("eks", ("arn:aws:sts::*:assumed-role/AWSReservedSSO_Labs/*",)),))
    for name, caller in (("a", labs), ("b", power)):
        assert http.post("/labs", {"name": name}, caller=caller).status == 202
    for caller in (labs, power, ADMIN):
        assert shown(http, "person", caller) == {"arn:aws:sts::111122223333:directory/mina": (2, 3.54)}
    assert shown(http, "team", labs) == {"eks": (2, 3.54)}
    assert costs(http, caller=STRANGER).json["rows"] == []


def test_what_ended_is_told_by_what_it_cost_and_saved() -> None:
    http = a_http()
    lab_id = http.get("/labs").json["labs"][0]["id"]
    for phase in (Phase.PROVISIONING, Phase.RELEASING, Phase.DELETED):
        http.world.clock.advance(hours=phase is Phase.RELEASING)
        http.world.store.change_lab(lab_id, lambda lab, to=phase: lab.moved_to(to, http.world.clock.now()))
    [row] = [row for row in costs(http).json["rows"] if row["person"] == OWNER]
    assert (row["labs"], row["usd"], row["saved"]["ended"]) == (2, 1.99, 1.55)


def test_csv_has_the_same_rows_and_no_formula() -> None:
    http = a_http()
    answer = costs(http, "tag", caller=ADMIN, headers={"accept": "text/csv"})
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["Tag"], row["Labs"], row["Cost"], row["Currency"]) for row in rows] == [
        ("course=eks", "2", "3.54", "USD"),
        ("course==eks", "1", "1.77", "USD"),
    ]
    http.world.store.labs = {key: replace(lab, cost_tags=("=1+1",)) for key, lab in http.world.store.labs.items()}
    [row] = csv.DictReader(io.StringIO(costs(http, "tag", caller=ADMIN, headers={"accept": "text/csv"}).text))
    assert row["Tag"] == "'=1+1"


@pytest.mark.parametrize("month", ["2026-12", "2027-01", "2099-12"])
def test_a_month_in_the_future_is_refused(month: str) -> None:
    answer = costs(a_http(), month=month)
    assert (answer.status, answer.json["findings"][0]["code"]) == (400, "future-month")


@pytest.mark.parametrize(
    "month", ["", "2026", "2026-13", "2026-00", "26-11", "2026-1", "2026-11-01", "1999-01", "٢٠٢٦-١١"]
)
def test_what_is_no_month_is_refused(month: str) -> None:
    assert costs(a_http(), month=month).status == 400


def test_the_month_that_begins_is_that_of_the_installations_zone() -> None:
    http = a_http()
    curfew = replace(http.world.deps.curfew, zone="Asia/Seoul")
    http.world.deps = replace(http.world.deps, curfew=curfew)
    http.world.clock.instant = http.world.clock.now().replace(day=30, hour=15)
    assert costs(http, month="2026-12").json["running"] is True


def test_an_empty_month_and_an_unknown_sum() -> None:
    assert costs(a_http(), month="2026-10").json["rows"] == []
    assert costs(a_http(), "owner").status == 400
    assert a_http().call("GET", "/costs", query={"month": "2026-11", "bye": "person"}).status == 400


@pytest.mark.parametrize("keys", [["a", "b", "c", "d"], ["a", "a"], [""], "course"])
def test_costs_are_summed_by_three_tags_at_most(keys: Any) -> None:
    assert Http().put("/offers", {"costTags": keys}, caller=ADMIN).status == 400


@pytest.mark.parametrize("form", ["csv", "focus"])
def test_an_export_comes_by_pages_that_together_are_the_month(form: str) -> None:
    http = Http()
    for number in range(5):
        assert http.post("/labs", {"name": f"n{number}"}, caller=f"{OWNER}{number}").status == 202
    query, pages = {"month": "2026-11", "format": form, "limit": "2"}, list[list[dict[str, str]]]()
    while True:
        answer = http.call("GET", "/costs", query=query, caller=ADMIN)
        assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
        pages.append(list(csv.DictReader(io.StringIO(answer.text))))
        if "Link" not in answer.headers:
            break
        link = re.fullmatch(r'</api/costs\?(.+)>; rel="next"', answer.headers["Link"])
        assert link is not None
        query = dict(parse_qsl(link[1]))
    assert [len(page) for page in pages] == [2, 2, 1]
    cost = "Cost" if form == "csv" else "BilledCost"
    whole = http.call("GET", "/costs", query={"month": "2026-11"}, caller=ADMIN).json["total"]["usd"]
    assert sum(float(row[cost]) for page in pages for row in page) == pytest.approx(whole, abs=0.05)
    assert http.call("GET", "/costs", query={**query, "cursor": "made-up"}, caller=ADMIN).status == 400


@pytest.mark.parametrize(
    "query", [{"format": "xml"}, {"format": ""}, {"limit": "0"}, {"limit": "1000"}, {"limit": "x"}]
)
def test_what_is_no_format_or_page_is_refused(query: dict[str, str]) -> None:
    assert Http().call("GET", "/costs", query={"month": "2026-11", **query}).status == 400


def test_an_export_shows_nobody_more_than_the_json() -> None:
    http = a_http()
    http.people = replace(http.people, teams=())
    for form in ("csv", "focus"):
        asked = {"month": "2026-11", "format": form}
        answer = http.call("GET", "/costs", query=asked, caller=STRANGER)
        assert (OWNER in answer.text, STRANGER in answer.text) == (False, True)
        assert http.call("GET", "/costs", query={**asked, "by": "account"}, caller=STRANGER).status == 403


def test_administrators_say_who_finance_is_and_others_do_not_see_it() -> None:
    http = Http()
    assert (
        http.put("/offers", {"finance": "finance@example.com"}, caller=ADMIN).json["finance"] == "finance@example.com"
    )
    assert "finance" not in http.get("/offers").json
    assert http.put("/offers", {"finance": "none"}, caller=ADMIN).json["finance"] is None
    assert http.put("/offers", {"finance": 5}, caller=ADMIN).status == 400


BILL = {
    "APN2-AmazonEKS-Hours:perCluster": 0.8,
    "APN2-BoxUsage:t3.medium": 0.5,
    "APN2-SpotUsage:t3.medium": 0.1,
    "APN2-EBS:VolumeUsage.gp3": 0.1,
    "APN2-LoadBalancerUsage": 0.4,
    "APN2-DataTransfer-Out-Bytes": 0.02,
}


def compared(http: Http, **options: Any) -> Any:
    query = {"month": "2026-11", "compare": "cost-explorer", **options.pop("query", {})}
    return http.call("GET", "/costs", query=query, **{"caller": ADMIN, **options})


def test_a_month_is_told_beside_awss_bill_in_percent_by_part() -> None:
    """Eight hours of the course's lab: the costs so far, without reservations."""
    http = Http()
    lab_id = http.post("/labs", {"name": "a"}).json["id"]
    http.world.store.change_lab(lab_id, lambda lab: lab.moved_to(Phase.PROVISIONING, http.world.clock.now()))
    http.world.clock.advance(hours=4)
    http.world.curfew.cost_explorer.answer = Billed(BILL, estimated=True, requests=1)
    beside = compared(http).json["costExplorer"]
    parts = {row["part"]: (row["usd"], row["billedUsd"], row["percent"]) for row in beside["parts"]}
    assert parts["control plane"] == (0.4, 0.8, -50.0)
    assert parts["instances"] == (0.42, 0.6, pytest.approx(-30.7, abs=0.1))
    assert parts["gp3"][:2] == (0.03, 0.1)
    assert parts["public IPv4 addresses"] == (0.04, 0.0, None)
    assert parts["load balancers"] == (0.0, 0.4, -100.0)
    assert parts["other"] == (0.0, 0.02, -100.0)
    assert beside["total"]["usd"] == pytest.approx(4 * 0.2215, abs=0.01)
    assert beside["total"]["billedUsd"] == pytest.approx(sum(BILL.values()))
    assert (beside["tag"], beside["requests"]) == ("ekslab:installation", 1)
    assert [finding["code"] for finding in beside["findings"]] == ["estimated"]
    assert http.world.curfew.cost_explorer.asked == [(date(2026, 11, 1), date(2026, 12, 1))]


def test_without_a_bill_it_says_what_to_activate() -> None:
    beside = compared(a_http()).json["costExplorer"]
    [finding] = beside["findings"]
    assert (finding["code"], finding["severity"]) == ("nothing-billed", "warning")
    assert "cost-allocation tag" in finding["message"]


def test_labs_of_other_accounts_may_be_in_another_bill() -> None:
    http = a_http()
    [lab, *_] = http.world.store.labs.values()
    http.world.store.put(replace(lab, id="lab-other", account="444455556666"))
    http.world.curfew.cost_explorer.answer = Billed(BILL)
    [finding] = compared(http).json["costExplorer"]["findings"]
    assert finding["code"] == "other-accounts"
    assert "444455556666" in finding["message"]


@pytest.mark.parametrize(
    "trouble",
    [
        AccessDenied("ce:GetCostAndUsage", "AccessDeniedException", "not authorized"),
        AwsRefused("ce:GetCostAndUsage", "DataUnavailableException", "Data is not available."),
        AwsUnavailable("ce:GetCostAndUsage: no route to host"),
    ],
    ids=lambda trouble: type(trouble).__name__,
)
def test_a_bill_that_can_not_be_asked_is_a_finding_and_the_month_is_told_all_the_same(trouble: Exception) -> None:
    http = a_http()
    http.world.fail("cost_explorer.billed", trouble)
    answer = compared(http)
    assert (answer.status, answer.json["total"]["labs"]) == (200, 3)
    beside = answer.json["costExplorer"]
    assert ([finding["code"] for finding in beside["findings"]], beside["total"]) == (["cost-explorer-unread"], None)
    assert "Cost Explorer could not be asked" in beside["findings"][0]["message"]


@pytest.mark.parametrize("caller", [OWNER, STRANGER, "arn:aws:iam::111122223333:user/auditor"])
def test_what_costs_money_to_ask_is_asked_by_administrators_only(caller: str) -> None:
    http = Http()
    http.people = replace(http.people, viewers=("*/auditor",))
    assert compared(http, caller=caller).status == 403
    assert http.world.curfew.cost_explorer.asked == []


@pytest.mark.parametrize(
    "query",
    [{"compare": ""}, {"compare": "azure"}, {"compare": "costexplorer"}, {"format": "csv"}, {"month": "2999-01"}],
    ids=str,
)
def test_a_comparison_that_makes_no_sense_is_refused_and_nothing_is_asked(query: dict[str, str]) -> None:
    http = Http()
    assert compared(http, query=query).status == 400
    assert http.world.curfew.cost_explorer.asked == []

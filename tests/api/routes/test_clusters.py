"""The fleet over HTTP: order, one cluster in full, and permissions."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.core.place import Place
from chalicelib.domain.errors.tree import AwsRefused
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.support.deadlines import Deadline, DeadlineKind, SupportPhase
from chalicelib.domain.support.fleet import NodeKind, Nodes
from tests.api.http import ADMIN, STRANGER, Http
from tests.examples import examples
from tests.fakes import NOW, OWNER
from tests.fakes.fleet_builders import (
    REGION,
    a_deadline,
    a_fleet_cluster,
    a_key,
    a_notice,
    a_registration,
    a_support,
    a_trouble,
    a_watched,
    an_insight,
)

JO_HERSELF = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/ops@example.com"
NAMESAKE = "arn:aws:sts::111122223333:assumed-role/Developers/ops@example.com"
ELSEWHERE = Place("444455556666", "eu-west-1", "arn:aws:iam::444455556666:role/ekslab-member-read")
ORDERS = f"/clusters/111122223333/{REGION}/orders"


@pytest.fixture
def http() -> Http:
    http = Http()
    http.world.watch.store.put(a_watched("orders"))
    http.world.watch.fleets.add(a_fleet_cluster("orders"))
    return http


def in_days(days: int) -> datetime:
    return NOW + timedelta(days=days)


def a_fleet(http: Http) -> None:
    store = http.world.watch.store
    forced = Deadline(DeadlineKind.FORCED_UPGRADE, "1.31", in_days(3), "bundled table", NOW, "1.32")
    extended = a_support(phase=SupportPhase.EXTENDED, deadlines=(forced,), billed_extended=True)
    store.put(
        a_watched("late", at=in_days(100)),
        a_watched("old", cluster=a_fleet_cluster("old", "1.31"), support=extended, owner="data@example.com"),
        a_watched("calm", at=None),
        a_watched("far", cluster=a_fleet_cluster(key=a_key("far", region="eu-west-1")), at=in_days(200)),
        a_watched("gone", at=in_days(1), gone_at=NOW),
    )


def names(http: Http, **query: str) -> list[str]:
    return [cluster["name"] for cluster in http.get("/clusters", query=query).json["clusters"]]


def test_what_comes_first_stands_first_and_what_is_gone_is_left_out(http: Http) -> None:
    a_fleet(http)
    assert names(http) == ["old", "orders", "late", "far", "calm"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"phase": "extended"}, ["old"]),
        ({"phase": "extended,standard", "owner": "data@example.com"}, ["old"]),
        ({"daysLeft": "9"}, ["old", "orders"]),
        ({"daysLeft": "2"}, []),
        ({"region": "eu-west-1"}, ["far"]),
        ({"account": "999999999999"}, []),
        ({"account": "111122223333", "owner": "ops@example.com"}, ["orders", "late", "far", "calm"]),
    ],
)
def test_clusters_are_found_by_filters(http: Http, query: dict[str, str], found: list[str]) -> None:
    a_fleet(http)
    assert names(http, **query) == found


@settings(deadline=None, max_examples=examples(30))
@given(st.integers(1, 7), st.sampled_from([{}, {"region": REGION}, {"daysLeft": "150"}]))
def test_pages_of_any_size_hold_every_cluster_once(limit: int, query: dict[str, str]) -> None:
    http = Http()
    http.world.watch.store.put(a_watched("orders"))
    a_fleet(http)
    whole, found, cursor = names(http, **query), [], None
    for _ in range(20):
        asked = {**query, "limit": str(limit), **({"cursor": cursor} if cursor else {})}
        page = http.get("/clusters", query=asked).json
        found += [cluster["name"] for cluster in page["clusters"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert (found, cursor) == (whole, None)


def test_a_cluster_is_told_whole(http: Http) -> None:
    cluster = a_fleet_cluster("orders", nodes=(Nodes("ng", NodeKind.MANAGED, "1.32", 3),), insights=(an_insight(),))
    http.world.watch.store.put(a_watched(cluster=cluster, trouble=a_trouble()))
    http.world.watch.store.add_notices([a_notice()])
    view = http.get(ORDERS).json
    assert (view["phase"], view["next"]["daysLeft"], view["next"]["kind"]) == ("standard", 9, "extended-billing")
    assert "365" in view["next"]["effect"]
    assert [late["nodes"]["name"] for late in view["nodesBehind"]] == ["ng"]
    assert any("update-cluster-version" in " ".join(step["aws"]) for step in view["commands"]["upgrade"])
    assert view["inTheWay"]
    assert [(n["id"], n["state"], n["recipient"]) for n in view["notices"]] == [
        (a_notice().id, "pending", "ops@example.com")
    ]
    assert view["trouble"]["code"] == "AccessDeniedException"
    assert view["links"]["acknowledge"] == f"/api{ORDERS}/acknowledge"
    assert view["mayChange"] is False


def test_a_cluster_nobody_watches_is_not_found(http: Http) -> None:
    answer = http.get(f"/clusters/111122223333/{REGION}/other")
    assert (answer.status, answer.json["type"]) == (404, "urn:ekslab:problem:cluster-not-watched")


@pytest.mark.parametrize("caller", [ADMIN, JO_HERSELF])
def test_the_owner_and_administrators_acknowledge_the_next_deadline(http: Http, caller: str) -> None:
    answer = http.post(f"{ORDERS}/acknowledge", "", caller=caller)
    assert answer.status == 200
    assert answer.json["acknowledged"] == {"by": caller, "deadline": a_deadline().id}
    assert http.world.watch.store.kept[a_key()].acknowledged_deadline == a_deadline().id


@pytest.mark.parametrize(
    ("method", "act", "body"),
    [
        ("POST", "acknowledge", ""),
        ("POST", "snooze", {"until": "2026-11-24T00:00:00Z"}),
        ("PUT", "support-policy", {"supportType": "STANDARD"}),
    ],
)
def test_nobody_else_changes_anything(http: Http, method: str, act: str, body: Any) -> None:
    before = dict(http.world.watch.store.kept)
    for caller in (STRANGER, OWNER, NAMESAKE, "arn:aws:iam::111122223333:user/example.com"):
        answer = http.call(method, f"{ORDERS}/{act}", body=body, caller=caller)
        assert (answer.status, answer.json["type"]) == (403, "urn:ekslab:problem:not-yours")
    assert http.world.watch.store.kept == before
    assert http.world.watch.fleets.updates == []


def test_what_has_no_deadline_ahead_cannot_be_acknowledged(http: Http) -> None:
    http.world.watch.store.put(a_watched("orders", at=None))
    answer = http.post(f"{ORDERS}/acknowledge", "", caller=ADMIN)
    assert (answer.status, answer.json["type"]) == (409, "urn:ekslab:problem:nothing-ahead")


def test_a_snooze_lasts_at_the_longest_until_the_next_rung_that_matters(http: Http) -> None:
    week_before = a_deadline().at - timedelta(days=7)
    answer = http.post(f"{ORDERS}/snooze", {"until": week_before.isoformat()}, caller=JO_HERSELF)
    assert (answer.status, answer.json["snoozedUntil"]) == (200, "2026-11-25T00:00:00Z")
    for until in (week_before + timedelta(seconds=1), NOW, NOW - timedelta(days=1)):
        answer = http.post(f"{ORDERS}/snooze", {"until": until.isoformat()}, caller=JO_HERSELF)
        assert answer.status == 400
        assert "2026-11-25T00:00:00Z" in answer.json["findings"][0]["message"]
    assert http.world.watch.store.kept[a_key()].snoozed_until == week_before


@pytest.mark.parametrize("body", [{}, {"until": "tomorrow"}, {"until": "2026-11-24T00:00:00"}, {"until": 3}, {"x": 1}])
def test_a_snooze_without_an_instant_is_refused(http: Http, body: Any) -> None:
    answer = http.post(f"{ORDERS}/snooze", body, caller=ADMIN)
    assert answer.status == 400
    assert answer.json["findings"]


def test_the_support_policy_is_changed_where_eks_allows_it(http: Http) -> None:
    answer = http.put(f"{ORDERS}/support-policy", {"supportType": "STANDARD"}, caller=JO_HERSELF)
    assert (answer.status, answer.json["updateId"]) == (202, "update-1")
    assert http.world.watch.fleets.updates == [(a_key(), "STANDARD")]
    again = http.put(f"{ORDERS}/support-policy", {"supportType": "EXTENDED"}, caller=JO_HERSELF)
    assert (again.status, again.json["updateId"]) == (200, None)


def test_extended_support_is_not_left_by_policy_and_the_answer_says_what_helps(http: Http) -> None:
    support = a_support(phase=SupportPhase.EXTENDED, billed_extended=True, begun=a_deadline(at=NOW - timedelta(days=5)))
    http.world.watch.store.put(a_watched("orders", support=support))
    answer = http.put(f"{ORDERS}/support-policy", {"supportType": "STANDARD"}, caller=ADMIN)
    assert (answer.status, answer.json["type"]) == (409, "urn:ekslab:problem:policy-not-allowed")
    assert "2026-11-18" in answer.json["detail"]
    assert "Upgrading" in answer.json["detail"]
    assert http.world.watch.fleets.updates == []


def test_what_eks_refuses_is_told_in_its_words(http: Http) -> None:
    http.world.watch.fail(
        "set_support_policy", AwsRefused("eks:UpdateClusterConfig", "InvalidRequestException", "Not now.")
    )
    answer = http.put(f"{ORDERS}/support-policy", {"supportType": "STANDARD"}, caller=ADMIN)
    assert answer.status == 409
    assert "InvalidRequestException: Not now." in answer.json["detail"]


@pytest.mark.parametrize("body", [{}, {"supportType": "FREE"}, {"supportType": "STANDARD", "x": 1}])
def test_a_policy_there_is_not_is_refused(http: Http, body: Any) -> None:
    assert http.put(f"{ORDERS}/support-policy", body, caller=ADMIN).status == 400


def test_the_calendar_holds_every_deadline_that_fits(http: Http) -> None:
    a_fleet(http)
    answer = http.get("/deadlines.ics", query={"region": REGION})
    assert answer.headers["Content-Type"].startswith("text/calendar")
    assert answer.text.count("BEGIN:VEVENT") == 3
    assert answer.text.startswith("BEGIN:VCALENDAR\r\n")


def test_the_ledger_is_told_newest_first(http: Http) -> None:
    store = http.world.watch.store
    store.add_notices([a_notice(decided_at=in_days(n), reminder=n) for n in (1, 3, 2)])
    first = http.get("/notices", query={"limit": "2"}).json
    assert [n["reminder"] for n in first["notices"]] == [3, 2]
    rest = http.get("/notices", query={"limit": "2", "cursor": first["cursor"]}).json
    assert ([n["reminder"] for n in rest["notices"]], rest["cursor"]) == ([1], None)
    assert {"account", "region", "name", "state", "messageId", "recipient"} <= set(rest["notices"][0])


def test_places_that_cannot_be_read_are_told_with_the_list(http: Http) -> None:
    http.world.watch.store.set_place_trouble(ELSEWHERE, a_trouble())
    [wording] = http.get("/clusters").json["unreadablePlaces"]
    assert (wording["account"], wording["region"], wording["trouble"]["code"]) == (
        "444455556666",
        "eu-west-1",
        "AccessDeniedException",
    )


def test_the_words_that_name_the_role_of_a_place_are_for_administrators(http: Http) -> None:
    http.world.watch.store.set_place_trouble(ELSEWHERE, a_trouble())
    [wording] = http.get("/clusters").json["unreadablePlaces"]
    assert "message" not in wording["trouble"]
    [wording] = http.get("/clusters", caller=ADMIN).json["unreadablePlaces"]
    assert wording["trouble"]["message"] == a_trouble().message


ROLE = "arn:aws:iam::444455556666:role/ekslab-member-read"
THEIRS = {
    "regions": ["eu-west-1"],
    "roleArn": "arn:aws:iam::444455556666:role/ekslab-member-read",
    "owner": "pay@example.com",
}


def test_administrators_register_and_forget_accounts(http: Http) -> None:
    assert http.put("/accounts/444455556666", THEIRS, caller=ADMIN).status == 200
    kept = Registration("444455556666", "444455556666", ("eu-west-1",), ROLE, "pay@example.com")
    assert http.world.watch.store.registrations() == (kept,)
    assert "444455556666" in [one["account"] for one in http.get("/accounts").json["accounts"]]
    assert http.delete("/accounts/444455556666", caller=ADMIN).status == 204
    assert http.world.watch.store.registrations() == ()


def test_only_administrators_do(http: Http) -> None:
    http.world.watch.store.register(a_registration())
    assert http.put("/accounts/444455556666", THEIRS).status == 403
    assert http.delete("/accounts/111122223333").status == 403
    assert http.world.watch.store.registrations() == (a_registration(),)


@pytest.mark.parametrize(
    ("account", "changed", "path"),
    [
        ("4444", {}, "account"),
        ("444455556666", {"regions": []}, "regions"),
        ("444455556666", {"regions": ["eu-west-1", "Ireland"]}, "regions[1]"),
        ("444455556666", {"roleArn": None}, "roleArn"),
        ("444455556666", {"roleArn": "arn:aws:iam::444455556666:role/Admin"}, "roleArn"),
        ("444455556666", {"roleArn": "arn:aws:iam::999999999999:role/ekslab-member-read"}, "roleArn"),
        ("444455556666", {"color": "red"}, "color"),
    ],
)
def test_a_registration_that_cannot_work_is_refused_by_field(
    http: Http, account: str, changed: dict[str, Any], path: str
) -> None:
    answer = http.put(f"/accounts/{account}", {**THEIRS, **changed}, caller=ADMIN)
    assert answer.status == 400
    assert path in [finding["path"] for finding in answer.json["findings"]]
    assert http.world.watch.store.registrations() == ()


ANY = st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.lists(st.text(max_size=4), max_size=2)
FIELDS = st.sampled_from(["until", "supportType", "regions", "roleArn", "name", "x"])


@settings(deadline=None, max_examples=examples(150))
@given(
    st.sampled_from([("POST", f"{ORDERS}/snooze"), ("PUT", f"{ORDERS}/support-policy"), ("PUT", "/accounts/1")]),
    st.dictionaries(FIELDS, ANY, max_size=3) | ANY,
)
def test_whatever_is_sent_is_taken_or_refused_by_field(route: tuple[str, str], body: Any) -> None:
    http = Http()
    http.world.watch.store.put(a_watched("orders"))
    http.world.watch.fleets.add(a_fleet_cluster("orders"))
    answer = http.call(*route, body=json.dumps(body), caller=ADMIN)
    assert answer.status in (200, 202, 400)
    assert answer.status != 400 or answer.json["findings"]


@settings(deadline=None, max_examples=examples(150))
@given(
    st.sampled_from(["/clusters", "/deadlines.ics", "/notices"]),
    st.dictionaries(
        st.sampled_from(["phase", "daysLeft", "owner", "account", "region", "limit", "cursor", "x"]),
        st.text(max_size=8) | st.sampled_from(["extended", "-3", "5"]),
    ),
)
def test_any_query_is_answered_or_refused_by_parameter(path: str, query: dict[str, str]) -> None:
    http = Http()
    http.world.watch.store.put(a_watched("orders"))
    answer = http.get(path, query=query)
    assert answer.status in (200, 400)
    if answer.status == 400:
        assert {finding["path"] for finding in answer.json["findings"]} <= set(query)

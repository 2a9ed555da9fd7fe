"""Labs that wait for an approver: the reasons, the approvers, and the effects of an answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from chalicelib.domain.curfew.signed_links import sign_decision
from chalicelib.domain.identity.person import Person
from chalicelib.domain.labs.approval import Decision
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.meter import MICRO
from chalicelib.domain.labs.spending import COST, Scope, foreseen
from chalicelib.domain.requests.ceilings import MonthLimits
from chalicelib.workflows.schedules import recover_labs
from tests.api.http import ADMIN, STRANGER, Http
from tests.fakes import OWNER

OTHER_ADMIN = "arn:aws:iam::111122223333:user/assistant"
API = "https://api.example.com/api"


def a_http(**offers: Any) -> Http:
    http = Http()
    http.people = replace(http.people, administrators=(ADMIN, OTHER_ADMIN))
    http.world.store.kept_offers = replace(http.world.store.kept_offers, **({"ask_usd": 1.0} | offers))
    http.world.deps = replace(http.world.deps, watch=replace(http.world.deps.watch, api_url=API))
    return http


def ask(http: Http, **options: Any) -> Any:
    answer = http.post("/labs", {"name": "a"}, **options)
    assert answer.status == 202
    return answer.json


def sent(http: Http) -> list[Any]:
    recover_labs(http.world.deps)
    return list(http.world.watch.notifier.messages)


def links(http: Http) -> list[str]:
    [message] = sent(http)
    return [line.strip().removeprefix(API) for line in message.body.splitlines() if "/decide/" in line]


def test_above_the_sum_a_lab_is_stored_and_reserved_for_and_nothing_is_made() -> None:
    http = a_http()
    lab = ask(http)
    assert lab["phase"] == "awaiting-approval"
    assert "needs-approval" in [finding["code"] for finding in lab["warnings"]]
    assert http.world.workflows.started == []
    stored = http.world.store.load_lab(lab["id"])
    assert http.world.store.month_sums("2026-11", Scope.PERSON)[stored.owner][COST] == foreseen(stored)
    assert (lab["usd"]["hour"], lab["usd"]["soFar"]) == (0.2215, 0)
    assert "An approver must agree" in http.get(f"/labs/{lab['id']}").json["next"][0]


def test_below_the_sum_nobody_is_asked() -> None:
    assert ask(a_http(ask_usd=5.0))["phase"] == "requested"


def test_a_type_without_a_known_price_needs_an_approver_whatever_the_ceilings_are() -> None:
    http = a_http(ask_usd=None)
    body = {"name": "a", "nodegroups": [{"name": "g", "instanceTypes": ["m5.large"], "desired": 1}]}
    lab = http.post("/labs", body).json
    assert (lab["phase"], lab["usd"]["atLeast"], lab["usd"]["unknown"]) == ("awaiting-approval", True, ["m5.large"])


def test_while_the_price_list_is_down_half_of_the_ceiling_needs_an_approver() -> None:
    http = a_http(ask_usd=None, max_usd_lease=3.0)
    assert ask(http)["phase"] == "requested"
    down = replace(http.world.deps.curfew.prices("ap-northeast-2"), live=False)
    http = a_http(ask_usd=None, max_usd_lease=3.0)
    http.world.deps = replace(http.world.deps, curfew=replace(http.world.deps.curfew, prices=lambda _region: down))
    assert ask(http)["phase"] == "awaiting-approval"


def test_approvers_get_one_mail_with_price_month_and_two_links() -> None:
    http = a_http()
    lab = ask(http)
    [message] = sent(http)
    assert "costs $1.77" in message.body
    assert "cost $1.77 this month" in " ".join(message.body.split())
    assert len(links(http)) == 2
    recover_labs(http.world.deps)
    http.world.clock.advance(hours=5)
    recover_labs(http.world.deps)
    assert len(http.world.watch.notifier.sent) == 1
    assert lab["id"] in message.body


def test_an_approved_lab_is_made_and_its_lease_begins_then() -> None:
    http = a_http()
    lab = ask(http)
    now = http.world.clock.advance(hours=30)
    answer = http.post(f"/labs/{lab['id']}/approve", {"why": "the exam"}, caller=ADMIN)
    assert (answer.status, answer.json["phase"]) == (202, "requested")
    stored = http.world.store.load_lab(lab["id"])
    assert (stored.lease_ends_at - now).total_seconds() == 8 * 3600
    assert stored.end_foreseen_at(now) == stored.lease_ends_at
    assert foreseen(stored) / MICRO == pytest.approx(lab["usd"]["toLeaseEnd"], abs=0.01)
    assert [call[0] for call in http.world.workflows.started] == ["provision"]
    again = http.post(f"/labs/{lab['id']}/approve", {"why": "the exam"}, caller=ADMIN)
    assert (again.status, len(http.world.workflows.started)) == (202, 1)
    assert http.post(f"/labs/{lab['id']}/refuse", {"why": "no"}, caller=ADMIN).status == 409


def test_a_refused_lab_is_over_and_frees_its_name_and_its_money() -> None:
    http = a_http()
    lab = ask(http)
    refused = http.post(f"/labs/{lab['id']}/refuse", {"why": "too dear"}, caller=ADMIN).json
    assert (refused["phase"], refused["responsible"]) == ("refused", "yours to fix")
    assert "too dear" in refused["reason"]
    assert http.world.store.month_sums("2026-11", Scope.PERSON) == {}
    assert ask(http)["id"] != lab["id"]
    assert http.get(f"/labs/{lab['id']}/receipt").status == 404
    assert http.post(f"/labs/{lab['id']}/approve", {"why": "yes"}, caller=ADMIN).status == 409


def test_without_an_answer_it_is_over_after_three_days() -> None:
    http = a_http()
    lab = ask(http)
    sent(http)
    http.world.clock.advance(hours=71, minutes=59)
    recover_labs(http.world.deps)
    assert http.world.store.load_lab(lab["id"]).phase is Phase.AWAITING_APPROVAL
    http.world.clock.advance(minutes=2)
    assert http.post(f"/labs/{lab['id']}/approve", {"why": "late"}, caller=ADMIN).status == 409
    recover_labs(http.world.deps)
    assert http.world.store.load_lab(lab["id"]).phase is Phase.REFUSED
    assert http.world.workflows.started == []


def test_its_owner_may_withdraw_it() -> None:
    http = a_http()
    lab = ask(http)
    assert http.delete(f"/labs/{lab['id']}").json["phase"] == "refused"
    assert http.world.workflows.started == []


def test_nobody_approves_their_own_nor_does_anybody_but_an_administrator() -> None:
    http = a_http()
    own, other = ask(http, caller=ADMIN), http.post("/labs", {"name": "b"}).json
    assert http.post(f"/labs/{own['id']}/approve", {"why": "mine"}, caller=ADMIN).status == 403
    assert http.post(f"/labs/{other['id']}/approve", {"why": "mine"}).status == 403
    assert http.post(f"/labs/{other['id']}/approve", {"why": "mine"}, caller=STRANGER).status == 404
    assert http.post(f"/labs/{own['id']}/approve", {"why": "hers"}, caller=OTHER_ADMIN).status == 202


def test_a_session_of_the_same_shared_role_is_not_another_person() -> None:
    http = a_http()
    one, two = (f"arn:aws:sts::111122223333:assumed-role/Teachers/{name}" for name in ("a", "b"))
    http.people = replace(http.people, administrators=("arn:aws:sts::111122223333:assumed-role/Teachers/*",))
    lab = ask(http, caller=one)
    assert http.post(f"/labs/{lab['id']}/approve", {"why": "x"}, caller=two).status == 403


def test_another_permission_set_is_not_another_person() -> None:
    """A person who requests with one identity and approves with the other would approve their own."""
    http = a_http()
    one, two = (
        f"arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_{s}_0123456789abcdef/mina" for s in ("Labs", "Admin")
    )
    http.people = replace(http.people, administrators=("arn:aws:sts::*:assumed-role/AWSReservedSSO_Admin/*",))
    lab = ask(http, caller=one)
    assert http.post(f"/labs/{lab['id']}/approve", {"why": "x"}, caller=two).status == 403
    assert http.post(f"/labs/{lab['id']}/approve", {"why": "x"}, caller=two.replace("mina", "jun")).status == 202


SSO = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_{}_0123456789abcdef/{}"


@pytest.mark.parametrize(
    ("owner", "approver"),
    [
        ("arn:aws:iam::111122223333:user/mina", SSO.format("Admin", "mina")),
        ("arn:aws:iam::111122223333:user/class/Mina", SSO.format("Admin", "mina@example.com")),
        (SSO.format("Labs", "mina@example.com"), "arn:aws:iam::111122223333:user/mina"),
        (SSO.format("Labs", "mina"), "arn:aws:sts::111122223333:assumed-role/Teachers/mina"),
        (
            "arn:aws:sts::111122223333:assumed-role/Learners/mina",
            "arn:aws:sts::111122223333:assumed-role/Teachers/Mina",
        ),
    ],
)
@pytest.mark.parametrize("decision", ["approve", "refuse"])
def test_whoever_bears_the_owners_name_by_another_identity_may_be_the_owner(
    owner: str, approver: str, decision: str
) -> None:
    http = a_http()
    http.people = replace(http.people, administrators=("*:user/*", "*AWSReservedSSO_Admin/*", "*/Teachers/*"))
    lab = ask(http, caller=owner)
    refused = http.post(f"/labs/{lab['id']}/{decision}", {"why": "x"}, caller=approver)
    assert refused.status == 403
    assert "may be who asked" in refused.json["detail"]
    assert "another administrator" in refused.json["detail"]
    assert http.post(f"/labs/{lab['id']}/{decision}", {"why": "x"}, caller=SSO.format("Admin", "jun")).status == 202


@pytest.mark.parametrize("joined", [True, False])
def test_the_mail_has_no_links_where_its_reader_may_be_the_owner(joined: bool) -> None:
    """A link does not identify its user."""
    http = a_http()
    reader = "ops@example.com" if joined else "learner@example.com"
    http.world.deps = replace(http.world.deps, watch=replace(http.world.deps.watch, administrators=reader))
    if joined:
        person = Person("person-1", (OWNER,), http.world.clock.now(), reader)
        assert http.world.people.save_people([], [person])
    lab = ask(http)
    [message] = sent(http)
    assert "/decide/" not in message.body
    assert lab["id"] in message.body


def test_an_identity_that_its_owner_has_joined_is_not_another_person() -> None:
    http = a_http()
    person = Person("person-1", (OTHER_ADMIN, OWNER), http.world.clock.now())
    assert http.world.people.save_people([], [person])
    lab = ask(http)
    assert http.post(f"/labs/{lab['id']}/approve", {"why": "x"}, caller=OTHER_ADMIN).status == 403
    assert http.post(f"/labs/{lab['id']}/approve", {"why": "x"}, caller=ADMIN).status == 202


@pytest.mark.parametrize(("number", "phase"), [(0, "requested"), (1, "refused")])
def test_a_link_shows_by_get_and_acts_by_post(number: int, phase: str) -> None:
    http = a_http()
    lab = ask(http)
    link = links(http)[number]
    page = http.get(link)
    assert (page.status, "form method" in page.text) == (200, True)
    assert http.world.store.load_lab(lab["id"]).phase is Phase.AWAITING_APPROVAL
    for _ in range(2):
        done = http.call("POST", link, headers={"accept": "application/json"})
        assert (done.status, done.json["phase"], done.json["done"]) == (200, phase, True)
    other = http.call("POST", links_of(http, lab["id"])[1 - number])
    assert other.status == 409


def links_of(http: Http, lab_id: str) -> list[str]:
    lab = http.world.store.load_lab(lab_id)
    assert lab.approval is not None
    key = http.world.deps.curfew.signing_key()
    return [f"/decide/{sign_decision(lab_id, each, lab.approval.expires_at, key)}" for each in Decision]


def test_a_link_that_is_changed_or_late_or_of_an_approvers_own_lab_does_nothing() -> None:
    http = a_http()
    lab, own = ask(http), http.post("/labs", {"name": "b"}, caller=ADMIN).json
    approve, refuse = links_of(http, lab["id"])
    assert http.call("POST", approve[:-1] + ("A" if approve[-1] != "A" else "B")).status == 404
    assert http.call("POST", approve.replace("/decide/", "/keep/")).status == 404
    assert http.call("POST", links_of(http, own["id"])[0]).status == 404
    assert not any("/decide/" in message.body for message in sent(http) if own["id"] in message.body)
    http.world.clock.advance(days=3)
    assert http.call("POST", refuse).status == 410
    assert {lab.phase for lab in http.world.store.labs.values()} == {Phase.AWAITING_APPROVAL}


@pytest.mark.parametrize("body", [{}, {"why": ""}, {"why": "x" * 1001}, {"why": 5}, {"reason": "x"}])
def test_an_answer_says_why(body: Any) -> None:
    http = a_http()
    lab = ask(http)
    assert http.post(f"/labs/{lab['id']}/approve", body, caller=ADMIN).status == 400


def test_a_lab_that_waits_is_not_extended_beyond_what_approvers_were_asked_about() -> None:
    http = a_http()
    lab = ask(http)
    refused = http.post(f"/labs/{lab['id']}/extend", {"hours": 4})
    assert (refused.status, refused.json["phase"]) == (409, "awaiting-approval")
    assert "Approvers were asked about it as it is" in refused.json["detail"]


def test_an_approval_reserves_in_the_month_into_which_the_lease_has_moved_and_is_refused_where_that_is_full() -> None:
    """Requested in November and approved in December: page and button agree, and nothing is created."""
    http = a_http()
    http.world.clock.instant = datetime(2026, 11, 29, 3, tzinfo=UTC)
    lab = ask(http)
    http.world.clock.advance(days=2, hours=20)
    offers = http.world.store.kept_offers
    http.world.store.kept_offers = replace(offers, max_usd_month=MonthLimits(person=1.0))
    stored = http.world.store.load_lab(lab["id"])
    assert stored.approval is not None
    key = http.world.deps.curfew.signing_key()
    path = f"/decide/{sign_decision(stored.id, Decision.APPROVE, stored.approval.expires_at, key)}"
    for answer in (
        http.get(path, caller=""),
        http.post(path, "", caller=""),
        http.post(f"/labs/{stored.id}/approve", {"why": "A course."}, caller=OTHER_ADMIN),
    ):
        assert answer.status == 403
        assert "to 2026-12, and $1.00 is left" in answer.text
    assert http.world.store.load_lab(stored.id) == stored
    http.world.store.kept_offers = offers
    assert http.post(f"/labs/{stored.id}/approve", {"why": "A course."}, caller=OTHER_ADMIN).status == 202
    assert list(http.world.store.month_sums("2026-11", Scope.PERSON)) == []

"""Every route by every kind of caller: the statuses of the table, no effect of refused requests, no lab revealed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.curfew.mail_link import MailAction, deadline_link, mail_path
from chalicelib.domain.curfew.signed_links import sign_confirmation, sign_decision, sign_unsubscribing
from chalicelib.domain.identity.callers import Caller, Team
from chalicelib.domain.identity.confirmation import Asking, address_digest, asked
from chalicelib.domain.identity.people import People
from chalicelib.domain.identity.person import Person, identity_key
from chalicelib.domain.identity.sessions import session_key
from chalicelib.domain.labs.approval import Decision, awaiting
from chalicelib.domain.labs.lab import ClusterFacts, Hibernation
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome
from tests.api.curfew_world import NIGHT, a_link, a_ready_lab, a_world, an_entry
from tests.api.http import ADMIN, Answer, Http
from tests.api.matrix import CALLERS, DIRECTORY_ROLES, HEADERS, LEFT, MATRIX, OWNER, SSO, expected
from tests.fakes import NOW, a_lab
from tests.fakes.builders import ACCOUNT
from tests.fakes.fleet_builders import REGION, a_fleet_cluster, a_registration, a_watched

LAB = a_lab().id
CALENDAR = "c" * 43
NOWHERE = "lab-none"
TEAMS = (
    Team("shop", (f"{SSO}Labs_*/learner@*", f"{SSO}Labs/shop@*")),
    Team("data", (f"{SSO}Labs_0123456789abcdef/data@*",)),
)
PEOPLE = People(ACCOUNT, (ADMIN,), (f"{SSO}Audit_*/*",), TEAMS, lambda role, _: role in DIRECTORY_ROLES)
FACTS = ClusterFacts(
    arn=f"arn:aws:eks:ap-northeast-2:{ACCOUNT}:cluster/myeks",
    endpoint="https://0123.gr7.ap-northeast-2.eks.amazonaws.com",
    certificate_authority="LS0t",
)
CHANGING = sorted(route for route in MATRIX if route[0] != "GET")
OF_A_LAB = sorted(route for route in MATRIX if "{lab_id}" in route[1])


def is_about_approval(route: tuple[str, str]) -> bool:
    """Whether the lab has to wait for an approver."""
    return any(word in route[1] for word in ("approve", "refuse", "decide"))


def a_decision(http: Http) -> str:
    """The path of an approver's link."""
    key = http.world.deps.curfew.signing_key()
    return f"/decide/{sign_decision(LAB, Decision.APPROVE, NOW + timedelta(days=3), key)}"


def the_world(route: tuple[str, str] = ("", "")) -> Http:
    """OWNER's lab with every kind of data, its entry on a plan, a cluster that names OWNER in its tags."""
    asleep = {"phase": "hibernated", "hibernation": Hibernation((), NOW, "curfew")} if "wake" in route[1] else {}
    over = {"phase": "deleted", "ended_at": NOW} if "leftovers" in route[1] or "people" in route[1] else {}
    lab = a_ready_lab(owner=OWNER, facts=FACTS, **asleep, **over)
    new = a_lab(owner=OWNER, facts=FACTS)
    http = a_world(awaiting(new, "It is dear.", False, NOW) if is_about_approval(route) else lab, an_entry(owner=OWNER))
    http.people, http.caller = PEOPLE, None
    left = ReceiptLine(LEFT, "volume", ReceiptOutcome.LEFT, "looks like the lab's; created by unknown", "tag x")
    http.world.store.put_receipt(LAB, Receipt("now", NOW, (left,) if over else (), ("tags",)))
    http.world.watch.store.put(a_watched("orders", cluster=a_fleet_cluster("orders"), owner="learner@example.com"))
    http.world.watch.store.register(a_registration(account=ACCOUNT))
    http.world.watch.fleets.add(a_fleet_cluster("orders"))
    if "calendar" in route[1]:
        for number, arn in enumerate((OWNER, *sorted({arn for arn in CALLERS.values() if arn}))):
            calendar = session_key(CALENDAR) if arn == OWNER else f"{number:064x}"
            keep_person(http, f"person-{number}", PEOPLE.caller(arn, ACCOUNT, None), calendar=calendar)
    if "confirm" in route[1] or "unsubscribe" in route[1]:
        keep_person(http, "person-1", PEOPLE.caller(OWNER, ACCOUNT, None), asked="kim@example.com")
    return http


def keep_person(http: Http, person_id: str, caller: Caller | None, **more: Any) -> None:
    """A person with a record; people who have one keep it."""
    assert caller is not None
    if http.world.people.person_by_key(identity_key(caller.identity)) is None:
        http.world.people.save_people([], [Person(person_id, (caller.identity,), NOW, **more)])


def a_confirmation(http: Http) -> str:
    """The path of the link in a mail to the address that OWNER requested."""
    digest = address_digest("kim@example.com")
    asking = Asking("kim@example.com", "person-1", OWNER, "0" * 16)
    kept = http.world.people.change_confirmation(digest, lambda kept: kept or asked(kept, asking, NOW))
    key = http.world.deps.curfew.signing_key()
    return f"/confirm/{sign_confirmation(digest, kept.nonce, kept.expires_at, key)}"


def path_of(http: Http, route: tuple[str, str], lab_id: str = LAB) -> str:
    """The route's path, with this world's resources, and valid links."""
    path = route[1]
    name = "learner@example.com" if "people" in path else "orders"
    parts = {"{lab_id}": lab_id, "{account}": ACCOUNT, "{region}": REGION, "{name}": name, "{date}": f"{NIGHT}"}
    parts["{path+}"] = f"labs/{LAB}/sleep"
    for name, value in parts.items():
        path = path.replace(name, value)
    path = path.replace("{file}", f"{CALENDAR}.ics")
    if "confirm" in path:
        path = a_confirmation(http)
    if "unsubscribe" in path:
        key = http.world.deps.curfew.signing_key()
        path = f"/unsubscribe/{sign_unsubscribing('person-1', ['reports'], NOW + timedelta(days=3), key)}"
    if path.startswith("/mail/"):
        key, [orders] = http.world.deps.curfew.signing_key(), http.world.watch.store.kept.values()
        ahead = orders.support.next
        assert ahead is not None
        link = deadline_link(MailAction.ACKNOWLEDGE, "learner@example.com", orders.cluster.key, ahead.id)
        path = mail_path(link, NOW, key) or ""
    if "{token}" in path:
        path = a_decision(http) if is_about_approval(route) else a_link(http, an_entry(owner=OWNER))
    return path


def ask(http: Http, route: tuple[str, str], kind: str, lab_id: str = LAB, body: Any = None) -> Answer:
    """One request of this kind of caller, with a valid body, or another one."""
    query = {"month": "2026-11"} if route[1] == "/costs" else None
    return http.call(
        route[0],
        path_of(http, route, lab_id),
        query=query,
        body=MATRIX[route][0] if body is None else body,
        caller=CALLERS[kind],
        headers=HEADERS.get(kind),
    )


def state(http: Http) -> str:
    """All state that a request could have changed."""
    store, curfew, watch = http.world.store, http.world.curfew.store, http.world.watch
    fleets = [value for name, value in sorted(vars(watch.store).items()) if name != "account"]
    labs = (store.labs, store.names, store.keys, store.event_table)
    started = http.world.workflows.started
    people = (http.world.people.people, http.world.people.claims)
    kept = (curfew.kept_rules, curfew.headers, store.kept_offers, store.session_table, people)
    return repr((labs, kept, fleets, watch.fleets.updates, started))


def test_every_route_has_a_row_and_every_row_a_route() -> None:
    routes = {(method, path) for path, methods in Http().app.routes.items() for method in methods}
    missing, stale = routes - set(MATRIX), set(MATRIX) - routes
    assert (missing, stale) == (set(), set()), "Say in tests/api/matrix.py who may do what by each route."


@pytest.mark.parametrize("route", sorted(MATRIX), ids=" ".join)
def test_every_kind_of_caller_is_answered_as_the_table_says(route: tuple[str, str]) -> None:
    assert {kind: ask(the_world(route), route, kind).status for kind in CALLERS} == expected(route)


@pytest.mark.parametrize("route", CHANGING, ids=" ".join)
def test_for_whoever_is_refused_nothing_is_done_and_for_others_something_is(route: tuple[str, str]) -> None:
    done = {}
    for kind in CALLERS:
        http = the_world(route)
        before = state(http)
        ask(http, route, kind)
        done[kind] = state(http) != before
    assert done == {kind: status < 400 for kind, status in expected(route).items()}


@pytest.mark.parametrize("route", OF_A_LAB, ids=" ".join)
@pytest.mark.parametrize("body", [None, {"rubbish": 1}, "no body at all"], ids=["right", "wrong", "unreadable"])
def test_a_lab_that_is_not_theirs_to_see_is_one_that_is_not_there(route: tuple[str, str], body: Any) -> None:
    for kind in ("other account", "other owner", "colleague", "other team"):
        http = the_world()
        hidden, missing = ask(http, route, kind, LAB, body), ask(http, route, kind, NOWHERE, body)
        assert (hidden.status, hidden.headers) == (missing.status, missing.headers), kind
        assert hidden.text.replace(LAB, NOWHERE) == missing.text, kind
        assert "myeks" not in hidden.text, kind


def test_lists_and_plans_show_what_is_theirs_to_see() -> None:
    http = the_world()
    everything = {"viewer", "administrator"}
    theirs = everything | {"same team", "owner", "owner anew"}
    for kind, arn in CALLERS.items():
        if arn is None or kind == "other account":
            continue
        plan = http.get("/plan", caller=arn).json
        assert len(plan["entries"]) == (kind in theirs), kind
        mine = http.get("/labs", caller=arn).json["labs"]
        assert len(mine) == (kind in ("owner", "owner anew")), kind
        named = http.get("/labs", query={"owner": OWNER}, caller=arn)
        assert (named.status == 200) == (kind in theirs), kind
        assert named.status != 200 or [lab["id"] for lab in named.json["labs"]] == [LAB]
        assert (http.get("/labs", query={"owner": "*"}, caller=arn).status == 200) == (kind in everything), kind


def test_how_an_account_is_entered_and_who_is_told_is_for_administrators_to_see() -> None:
    http = the_world()
    http.world.watch.store.register(a_registration(owner="pay@example.com", team="payments"))
    for kind, arn in CALLERS.items():
        if arn is None or kind == "other account":
            continue
        known = http.get("/accounts", caller=arn).json["accounts"]
        known += [http.get(f"/accounts/{one['account']}", caller=arn).json for one in known]
        message = {"name", "roleArn", "owner", "team"} if kind == "administrator" else set()
        assert {*known[0], *known[-1]} == {"account", "regions", "labs"} | message, kind
        assert ("pay@example.com" in str(known)) == (kind == "administrator"), kind


def test_a_lab_belongs_to_the_person_and_lets_them_in_alone() -> None:
    http = the_world()
    made = http.post("/labs", {"name": "mine"}, caller=OWNER, headers={"Idempotency-Key": "k"}).json["id"]
    kept = http.world.store.labs[made]
    assert kept.owner == f"{SSO}Labs/learner@example.com"
    assert (kept.spec.access_role, kept.spec.access) == (True, ())
    again = http.post("/labs", {"name": "mine"}, caller=CALLERS["owner anew"], headers={"Idempotency-Key": "k"})
    assert (again.status, again.json["id"]) == (202, made)

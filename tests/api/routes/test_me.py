"""`GET|PUT /me`, the link that confirms an address, joined persons, and a person's calendar."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chalicelib.domain.curfew.signed_links import sign_unsubscribing
from chalicelib.domain.errors.tree import AwsRefused, AwsUnavailable
from chalicelib.domain.identity.confirmation import LASTS, MOST_ASKED, MOST_ASKED_BY_ROLE
from chalicelib.domain.identity.invitation import KIND
from chalicelib.domain.identity.person import Person, identity_key
from chalicelib.workflows.mail_events import take_mail_event
from chalicelib.workflows.schedules import recover_labs
from tests.api.curfew_world import CURFEW, a_ready_lab, a_world
from tests.api.http import ADMIN, STRANGER, Answer, Http
from tests.fakes import NOW, OWNER
from tests.fakes.fleet_builders import a_fleet_cluster, a_watched
from tests.fakes.mailing import FakeMailing, with_mail

KIM = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs_0123456789abcdef/kim@corp.example"
AGAIN = KIM.replace("Labs_0123456789abcdef", "Audit_fedcba9876543210").replace("kim", "Kim")
USER = "arn:aws:iam::111122223333:user/kim"
ADDRESS = "kim@example.com"


def an_http() -> Http:
    http = Http()
    watch = http.world.watch.watch
    object.__setattr__(watch, "api_url", "https://labs.example/api")
    return http


def mails(http: Http) -> list[Any]:
    return [message for message in http.world.watch.notifier.messages if message.kind == KIND]


def link(http: Http) -> str:
    """The path of the link in the last mail."""
    found = re.search(r"https://labs\.example/api(/confirm/\S+)", mails(http)[-1].body)
    assert found
    return found[1]


def ask(http: Http, caller: str, address: str = ADDRESS) -> Answer:
    return http.put("/me", {"address": address}, caller=caller)


def press(http: Http, path: str, **more: Any) -> Answer:
    return http.call("POST", path, caller=None, headers={"accept": "application/json"}, **more)


def confirmed(http: Http, caller: str, address: str = ADDRESS) -> None:
    assert ask(http, caller, address).status == 200
    assert press(http, link(http)).status == 200


def me(http: Http, caller: str) -> Any:
    return http.get("/me", caller=caller).json


def test_a_stranger_has_everything_as_usual_and_nothing_is_stored_for_asking() -> None:
    http = an_http()
    assert me(http, KIM) == {
        "identities": [KIM.replace("_0123456789abcdef", "")], "address": None, "pending": None,
        "trouble": None, "language": "en", "timeZone": "UTC", "hears": ["results", "deadlines", "reports"], "calendar": False,
    }  # fmt: skip
    assert http.world.people.people == {}


def test_somebody_onboards_themself_with_one_request_and_one_press() -> None:
    http = an_http()
    said = http.put(
        "/me", {"address": ADDRESS, "language": "ko", "timeZone": "Asia/Seoul", "hears": []}, caller=KIM
    ).json
    assert (said["address"], said["pending"]["address"]) == (None, ADDRESS)
    assert [message.recipient for message in mails(http)] == [ADDRESS]
    shown = http.call("GET", link(http), caller=None, headers={"accept": "text/html"})
    assert "kim@corp.example" in shown.text
    assert me(http, KIM)["address"] is None
    press(http, link(http))
    known = me(http, AGAIN)
    assert (known["address"], known["pending"], known["language"], known["timeZone"], known["hears"]) == (
        ADDRESS, None, "ko", "Asia/Seoul", [],
    )  # fmt: skip


def test_a_link_acts_once() -> None:
    http = an_http()
    confirmed(http, KIM)
    used = link(http)
    http.put("/me", {"address": None}, caller=KIM)
    again = press(http, used)
    assert (again.status, again.json["done"]) == (200, True)
    assert me(http, KIM)["address"] is None


def test_a_link_is_good_for_a_day_and_looking_changes_nothing() -> None:
    http = an_http()
    ask(http, KIM)
    for _ in range(3):
        assert http.call("GET", link(http), caller=None, headers={"accept": "application/json"}).json["done"] is False
    http.world.clock.advance(days=LASTS.days)
    assert press(http, link(http)).status == 410
    assert me(http, KIM) | {"pending": None} == me(http, KIM)
    assert me(http, KIM)["address"] is None


@pytest.mark.parametrize(
    "change", [lambda path: path[:-1] + ("A" if path[-1] != "A" else "B"), lambda path: path + "A"]
)
def test_a_made_up_link_is_none(change: Any) -> None:
    http = an_http()
    ask(http, KIM)
    assert press(http, change(link(http))).status == 404
    assert me(http, KIM)["address"] is None


def test_the_link_to_an_address_that_is_wanted_no_more_is_none() -> None:
    http = an_http()
    ask(http, KIM)
    old = link(http)
    ask(http, KIM, "kim@other.example")
    assert press(http, old).status == 404
    assert press(http, link(http)).status == 200
    assert me(http, KIM)["address"] == "kim@other.example"


def test_identities_are_joined_by_the_press_and_not_before() -> None:
    http = an_http()
    confirmed(http, KIM)
    http.world.clock.advance(hours=1)
    assert ask(http, USER).status == 200
    assert me(http, USER)["address"] is None
    shown = http.call("GET", link(http), caller=None, headers={"accept": "application/json"}).json
    assert ("kim" in shown["identities"][0], "kim@corp.example" in shown["joins"][0]) == (True, True)
    press(http, link(http))
    assert me(http, USER) == me(http, KIM)
    assert me(http, USER)["identities"] == [KIM.replace("_0123456789abcdef", ""), USER]
    assert len(http.world.people.people) == 1


def test_somebody_elses_address_waits_for_its_reader_and_a_no_ends_it() -> None:
    http = an_http()
    ask(http, STRANGER)
    assert ask(http, KIM).json["type"].endswith("address-pending")
    form = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
    said = http.call("POST", link(http), body="answer=no", caller=None, headers=form)
    assert (said.status, "Nothing is sent to you" in said.text) == (200, True)
    assert ask(http, STRANGER).json["type"].endswith("address-refused")
    confirmed(http, KIM)
    assert me(http, STRANGER)["address"] is None


def test_nobody_sends_mails_to_addresses_without_end() -> None:
    http = an_http()
    answers = [ask(http, STRANGER, f"victim{n}@example.com").status for n in range(MOST_ASKED + 2)]
    assert answers == [200] * MOST_ASKED + [429] * 2
    role = "arn:aws:sts::111122223333:assumed-role/Learners/"
    by_role = [ask(http, f"{role}s{n}", f"other{n}@example.com").status for n in range(MOST_ASKED_BY_ROLE + 2)]
    assert by_role == [200] * MOST_ASKED_BY_ROLE + [429] * 2
    assert len(mails(http)) == MOST_ASKED + MOST_ASKED_BY_ROLE


def test_the_same_asking_twice_sends_one_mail() -> None:
    http = an_http()
    assert [ask(http, KIM).status for _ in range(3)] == [200, 200, 200]
    assert len(mails(http)) == 1


@pytest.mark.parametrize("after", [False, True])
def test_a_mail_that_could_not_be_sent_goes_out_by_the_five_minute_run(after: bool) -> None:
    http = an_http()
    http.world.fail("send", AwsUnavailable("sns:Publish: gone"), after=after)
    assert ask(http, KIM).status == 503
    recover_labs(http.world.deps)
    assert len(mails(http)) == after, "for five minutes the mail is the request's to send"
    http.world.clock.advance(minutes=5)
    recover_labs(http.world.deps)
    recover_labs(http.world.deps)
    assert len(mails(http)) == 1 + after
    press(http, link(http))
    assert me(http, KIM)["address"] == ADDRESS


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("operation", ["save_people", "change_confirmation", "spend", "send"])
def test_whatever_answer_is_lost_a_later_try_makes_one_person(operation: str, times: int) -> None:
    http = an_http()
    lost = AwsUnavailable("the answer is lost")
    http.world.fail(operation, lost, times, after=True)
    for _ in range(times):
        ask(http, KIM)
    assert ask(http, KIM).status == 200
    http.world.fail(operation, lost, times, after=True)
    for _ in range(times):
        press(http, link(http))
    assert press(http, link(http)).status == 200
    assert [(one.address, len(one.identities)) for one in http.world.people.people.values()] == [(ADDRESS, 1)]


def test_two_at_once_are_one_person() -> None:
    http = an_http()

    def meanwhile() -> None:
        http.put("/me", {"timeZone": "Asia/Seoul"}, caller=KIM)

    http.world.account.hooks["person_by_key"] = meanwhile
    http.put("/me", {"language": "ko"}, caller=KIM)
    assert (me(http, KIM)["language"], me(http, KIM)["timeZone"]) == ("ko", "Asia/Seoul")
    assert len(http.world.people.people) == 1


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"address": "kim@example.com\r\nBcc: all@example.com"}, "address"),
        ({"address": "kim@\u202eexample.com"}, "address"),
        ({"language": "kr"}, "language"),
        ({"timeZone": "Seoul"}, "timeZone"),
        ({"hears": ["warnings"]}, "hears[0]"),
        ({"mail": "kim@example.com"}, "mail"),
        ({"address": 7}, "address"),
    ],
)
def test_what_is_wrong_is_told_by_its_field_and_nothing_is_kept(body: Any, path: str) -> None:
    http = an_http()
    answer = http.put("/me", {"language": "ko"} | body, caller=KIM)
    assert (answer.status, [one["path"] for one in answer.json["findings"]]) == (400, [path])
    assert http.world.people.people == {}


@pytest.mark.parametrize("minutes", [0, 5])
@pytest.mark.parametrize("other", ["KIM@example.com", "Kim@EXAMPLE.com", "kim@example.com"])
def test_addresses_that_differ_only_in_case_are_one_and_their_link_works(other: str, minutes: int) -> None:
    """A second request soon after sends no second mail: the link has the first spelling."""
    http = an_http()
    ask(http, KIM)
    first = link(http)
    http.world.clock.advance(minutes=minutes)
    assert ask(http, KIM, other).status == 200
    assert press(http, first).json["done"] is True
    assert me(http, KIM)["address"].lower() == ADDRESS
    http.world.clock.advance(hours=1)
    assert ask(http, USER, other).status == 200
    assert press(http, link(http)).status == 200
    assert len(http.world.people.people) == 1


def test_a_no_to_an_address_in_another_case_ends_the_request() -> None:
    http = an_http()
    ask(http, STRANGER, "Kim@example.com")
    http.world.clock.advance(minutes=5)
    ask(http, STRANGER, "kim@example.com")
    (person,) = http.world.people.people.values()
    http.world.people.people[person.id] = replace(person, asked="KIM@example.com")
    form = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
    assert http.call("POST", link(http), body="answer=no", caller=None, headers=form).status == 200
    assert [one.asked for one in http.world.people.people.values()] == [None]


def test_a_mistyped_address_is_taken_back_by_the_confirmed_one() -> None:
    http = an_http()
    confirmed(http, KIM)
    http.world.clock.advance(hours=1)
    ask(http, KIM, "kin@example.com")
    typo = link(http)
    said = ask(http, KIM, "Kim@example.com").json
    assert (said["address"], said["pending"]) == (ADDRESS, None)
    assert press(http, typo).status == 404
    assert me(http, KIM)["address"] == ADDRESS
    assert [(one.asked, one.invite_at) for one in http.world.people.people.values()] == [(None, None)]


def test_a_second_press_at_once_says_what_the_first_one_did() -> None:
    http = an_http()
    confirmed(http, KIM)
    http.world.clock.advance(hours=1)
    ask(http, USER)
    first: list[int] = []
    for operation in ("person_by_key", "person", "save_people"):
        http.world.account.hooks[operation] = lambda: first.append(press(http, link(http)).status)
        assert press(http, link(http)).status == 200
    assert first[0] == 200
    assert len(http.world.people.people) == 1


def test_who_has_no_address_learns_it_when_asking_for_a_lab() -> None:
    http = an_http()
    said = [
        one for one in http.post("/labs", {"name": "one"}, caller=KIM).json["warnings"] if one["code"] == "no-address"
    ]
    assert "ekslab me --address" in said[0]["message"]
    ask(http, KIM)
    said = [
        one for one in http.post("/labs", {"name": "two"}, caller=KIM).json["warnings"] if one["code"] == "no-address"
    ]
    assert ADDRESS in said[0]["message"]
    press(http, link(http))
    again = http.post("/labs", {"name": "three"}, caller=AGAIN).json["warnings"]
    assert "no-address" not in [one["code"] for one in again]
    assert len(me(http, KIM)["identities"]) == 2


def test_whose_mail_came_back_learns_it_when_asking_for_a_lab() -> None:
    http = an_http()
    mailing = with_mail(http.world, {})
    http.world.people.save_people([], [Person("person-1", (USER,), NOW, ADDRESS)])
    assert "mail-came-back" not in [
        one["code"] for one in http.post("/labs", {"name": "one"}, caller=USER).json["warnings"]
    ]
    mailing.store.note_bounced_address(ADDRESS, "no such mailbox", NOW)
    [said] = [
        one["message"]
        for one in http.post("/labs", {"name": "two"}, caller=USER).json["warnings"]
        if one["code"] == "mail-came-back"
    ]
    assert "no such mailbox" in said


def calendar(http: Http, caller: str) -> str:
    made = http.call("POST", "/me/calendar", caller=caller).json["url"]
    assert isinstance(made, str)
    return made.partition("/api")[2] or made


def test_a_calendar_has_ones_labs_and_the_deadlines_one_answers_for_and_nobody_elses() -> None:
    http = a_world(a_ready_lab())
    http.world.watch.store.put(a_watched("orders", cluster=a_fleet_cluster("orders"), owner=OWNER))
    http.world.watch.store.put(a_watched("ledgers", cluster=a_fleet_cluster("ledgers"), owner="other@example.com"))
    shown = http.call("GET", calendar(http, OWNER), caller=None)
    assert (shown.status, shown.headers["Content-Type"]) == (200, "text/calendar; charset=utf-8")
    assert f"DTSTART:{CURFEW:%Y%m%dT%H%M%SZ}" in shown.text
    assert "SUMMARY:myeks: its lease ends" in shown.text
    assert "orders" in shown.text
    assert "ledgers" not in shown.text
    assert "myeks" not in http.call("GET", calendar(http, STRANGER), caller=None).text


def test_a_calendar_of_a_person_with_several_identities_has_the_labs_of_each() -> None:
    http = an_http()
    confirmed(http, USER)
    http.world.clock.advance(hours=1)
    confirmed(http, OWNER)
    http.world.store.put(a_ready_lab())
    assert "myeks" in http.call("GET", calendar(http, USER), caller=None).text


@pytest.mark.parametrize("owner", [KIM, AGAIN, USER.replace("user/", "user/class/")])
def test_a_calendar_of_a_roster_s_person_has_labs_by_each_permission_set_and_path(owner: str) -> None:
    """A roster names neither: a lab belongs to the person with its owner's key, as mails do."""
    http = an_http()
    mine = identity_key(owner)
    rostered = (USER, "arn:aws:sts::111122223333:directory/kim@corp.example")
    other = next(one for one in rostered if identity_key(one) != mine)
    for caller, name in ((owner, "myeks"), (STRANGER, "others")):
        assert http.post("/labs", {"name": name}, caller=caller).status == 202
    http.world.people.save_people([], [Person("person-1", rostered, NOW, ADDRESS)])
    shown = http.call("GET", calendar(http, other), caller=None).text
    assert "myeks" in shown
    assert "others" not in shown


@pytest.mark.parametrize("days", [0, 5])
def test_a_calendar_finds_labs_by_months_of_the_installations_zone_also_those_of_the_last_one(days: int) -> None:
    """At 20:00 UTC of 30 November sums are December's in Seoul; a lab of November may be counted in it alone."""
    http = an_http()
    http.world.deps = replace(http.world.deps, curfew=replace(http.world.deps.curfew, zone="Asia/Seoul"))
    http.world.clock.instant = datetime(2026, 11, 30, 20, tzinfo=UTC) - timedelta(days=days)
    assert http.post("/labs", {"name": "myeks"}, caller=KIM).status == 202
    http.world.clock.instant = datetime(2026, 11, 30, 20, tzinfo=UTC)
    rostered = (USER, "arn:aws:sts::111122223333:directory/kim@corp.example")
    http.world.people.save_people([], [Person("person-1", rostered, NOW, ADDRESS)])
    assert "myeks" in http.call("GET", calendar(http, USER), caller=None).text


def test_identities_that_only_a_roster_put_together_see_nothing_of_each_others_labs() -> None:
    http = an_http()
    http.world.people.save_people([], [Person("person-1", (USER, KIM), NOW, asked=ADDRESS)])
    http.world.store.put(replace(a_ready_lab(), owner=KIM))
    file = calendar(http, USER)
    assert "myeks" not in http.call("GET", file, caller=None).text
    ask(http, USER, "mallory@example.com")
    assert http.call("GET", file, caller=None).status == 404
    press(http, link(http))
    assert "myeks" not in http.call("GET", calendar(http, USER), caller=None).text


def test_a_calendars_address_can_be_taken_back_and_is_read_only() -> None:
    http = an_http()
    first = calendar(http, KIM)
    second = calendar(http, KIM)
    assert [http.call("GET", path, caller=None).status for path in (first, second)] == [404, 200]
    assert http.delete("/me/calendar", caller=KIM).status == 204
    assert http.call("GET", second, caller=None).status == 404
    assert http.delete("/me/calendar", caller=STRANGER).status == 204
    for file in ("x.ics", ".ics", f"{'c' * 43}.ics", second.rpartition("/")[2].removesuffix(".ics")):
        assert http.call("GET", f"/calendar/{file}", caller=None).status == 404
    assert "token" not in repr(http.world.people.people)
    assert second.rpartition("/")[2].removesuffix(".ics") not in repr(http.world.people.people)


def test_a_person_who_is_removed_hears_nothing_more_and_loses_no_lab() -> None:
    http = a_world(a_ready_lab())
    object.__setattr__(http.world.watch.watch, "api_url", "https://labs.example/api")
    confirmed(http, OWNER)
    file = calendar(http, OWNER)
    lab = http.world.store.labs[a_ready_lab().id]
    name = OWNER.rpartition("/")[2]
    gone = http.delete(f"/people/{name}", caller=ADMIN).json
    assert gone == {"people": 1, "labs": 0, "left": 0, "alive": ["myeks"]}
    assert http.world.store.labs[lab.id] == lab
    assert http.world.deps.people.people_of([ADDRESS]).get(ADDRESS) is None
    known = http.world.deps.people.people_of([OWNER]).get(OWNER)
    assert known is not None
    assert known.address is None
    assert http.call("GET", file, caller=None).status == 404
    assert press(http, link(http)).status == 404


def test_a_person_without_labs_is_forgotten_wholly_by_any_of_their_names() -> None:
    http = an_http()
    confirmed(http, KIM)
    http.world.clock.advance(hours=1)
    confirmed(http, USER)
    assert http.delete(f"/people/{ADDRESS}", caller=ADMIN).json["people"] == 1
    assert (http.world.people.people, http.world.people.claims, http.world.people.confirmations) == ({}, {}, {})


def test_of_a_person_who_is_removed_no_bounce_is_kept() -> None:
    http = an_http()
    mailing, last = letters(http)
    ask(http, KIM)
    assert press(http, last()).status == 200
    mailing.store.note_bounced_address(ADDRESS, "the mail server refused it", NOW)
    http.delete(f"/people/{ADDRESS}", caller=ADMIN)
    assert mailing.store.bounced == {}


def switch(http: Http, person_id: str, topic: str, days: int = 30) -> str:
    key = http.world.deps.curfew.signing_key()
    return f"/unsubscribe/{sign_unsubscribing(person_id, [topic], NOW + timedelta(days=days), key)}"


@pytest.mark.parametrize("body", [None, "List-Unsubscribe=One-Click"])
def test_a_mails_link_switches_off_its_topic_for_its_reader_and_again_is_the_same(body: str | None) -> None:
    http = an_http()
    confirmed(http, KIM)
    (person,) = http.world.people.people.values()
    path = switch(http, person.id, "reports")
    form = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
    assert (
        "Opening this page has changed nothing"
        in http.call("GET", path, caller=None, headers={"accept": "text/html"}).text
    )
    assert "reports" in me(http, KIM)["hears"]
    for _ in range(2):
        assert (
            "Warnings before a deletion still come"
            in http.call("POST", path, body=body, caller=None, headers=form).text
        )
        assert me(http, KIM)["hears"] == ["results", "deadlines"]


def test_a_link_of_a_mail_with_several_topics_switches_all_of_them_off() -> None:
    http = an_http()
    confirmed(http, KIM)
    (person,) = http.world.people.people.values()
    path = switch(http, person.id, "deadlines,reports")
    shown = http.call("GET", path, caller=None, headers={"accept": "text/html"}).text
    assert "deadlines of Kubernetes versions and reports of nights and months" in shown
    for method, done in (("GET", False), ("POST", True)):
        answer = http.call(method, path, caller=None, headers={"accept": "application/json"})
        assert answer.json == {"topics": ["deadlines", "reports"], "done": done}
    assert me(http, KIM)["hears"] == ["results"]


@pytest.mark.parametrize(("person", "topic", "days", "status"), [
    ("person-1", "warnings", 1, 404), ("person-1", "reports,warnings", 1, 404),
    ("person-1", "", 1, 404), ("person-9", "reports", 1, 404), ("person-1", "reports", -1, 410),
])  # fmt: skip
def test_nothing_else_is_switched_off(person: str, topic: str, days: int, status: int) -> None:
    http = an_http()
    http.world.people.save_people([], [Person("person-1", (KIM,), NOW)])
    assert press(http, switch(http, person, topic, days)).status == status
    assert http.world.people.people["person-1"].muted == ()


@pytest.mark.parametrize(("kind", "body"), [
    ("application/x-www-form-urlencoded", "List-Unsubscribe=One-Click"),
    ("multipart/form-data; boundary=b",
     '--b\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--b--\r\n'),
    ("multipart/form-data; boundary=b", "--b nothing reads it"),
])  # fmt: skip
def test_a_mail_programs_own_button_switches_off_in_either_form_of_rfc_8058(kind: str, body: str) -> None:
    http = an_http()
    http.world.people.save_people([], [Person("person-1", (KIM,), NOW)])
    path = switch(http, "person-1", "reports")
    assert http.call("POST", path, body=body, caller=None, headers={"content-type": kind}).status == 200
    assert http.world.people.people["person-1"].muted == ("reports",)


def test_a_link_of_one_form_is_no_link_of_another() -> None:
    http = an_http()
    ask(http, KIM)
    token = link(http).rpartition("/")[2]
    for what in ("unsubscribe", "keep", "decide"):
        assert press(http, f"/{what}/{token}").status == 404
    (person,) = http.world.people.people.values()
    assert press(http, switch(http, person.id, "reports").replace("unsubscribe", "confirm")).status == 404


def letters(http: Http) -> tuple[FakeMailing, Callable[[], str]]:
    """A world that sends mail through SES; and the path of the link in the last letter."""
    mailing = with_mail(http.world, {})

    def last() -> str:
        found = re.search(r"/api(/confirm/\S+)", mailing.mailer.sent[-1][1].text)
        assert found
        return found[1]

    return mailing, last


@pytest.mark.parametrize(
    ("zone", "until"),
    [("Asia/Seoul", "2026년 11월 24일(화) 오후 7:00 KST"), (None, "2026년 11월 24일(화) 오전 10:00 UTC")],
)
def test_the_mail_says_times_in_the_zone_of_its_reader(zone: str | None, until: str) -> None:
    http = an_http()
    mailing, _ = letters(http)
    body = {"address": ADDRESS, "language": "ko", "timeZone": zone}
    assert http.put("/me", body, caller=KIM).status == 200
    assert until in " ".join(mailing.mailer.sent[-1][1].text.split())


def test_where_the_installation_sends_mail_the_link_comes_by_it_alone() -> None:
    http = an_http()
    mailing, last = letters(http)
    mailing.store.note_bounced_address(ADDRESS, "no such mailbox", NOW)
    assert ask(http, KIM).status == 200
    assert ([letter.address for _, letter in mailing.mailer.sent], mails(http)) == ([ADDRESS], [])
    assert press(http, last()).status == 200
    assert me(http, KIM)["address"] == ADDRESS
    assert mailing.store.bounced == {}


def test_a_link_that_ses_refuses_is_published_to_nobody_and_is_sent_once_ses_takes_it() -> None:
    """The topic's subscribers get everything: each of them could have pressed its button, and it was never sent again."""
    http = an_http()
    mailing, last = letters(http)
    mailing.mailer.outcomes[ADDRESS] = "refused"
    answer = http.put("/me", {"address": ADDRESS, "language": "en", "timeZone": "Asia/Seoul"}, caller=KIM)
    [found] = answer.json["findings"]
    assert (answer.status, found["path"], found["code"]) == (400, "address", "mail-refused")
    assert "Email address is not verified" in found["message"]
    assert "within an hour, then daily" in found["message"]
    assert (me(http, KIM)["timeZone"], mails(http)) == ("Asia/Seoul", [])
    http.world.clock.advance(minutes=6)
    recover_labs(http.world.deps)
    (person,) = http.world.people.people.values()
    assert (mails(http), person.invite_at) == ([], http.world.clock.now() + timedelta(hours=1))
    mailing.mailer.outcomes.clear()
    http.world.clock.advance(hours=1)
    recover_labs(http.world.deps)
    assert press(http, last()).status == 200
    assert me(http, KIM)["address"] == ADDRESS


def test_what_the_table_refuses_is_no_refusal_by_ses() -> None:
    http = an_http()
    letters(http)
    http.world.fail("begin_mail", AwsRefused("dynamodb:PutItem", "ValidationException", "Item size has exceeded."))
    assert (ask(http, KIM).status, mails(http)) == (502, [])


@pytest.mark.parametrize("after", [False, True])
def test_a_letter_of_which_nobody_knows_is_not_sent_twice_by_the_next_run(after: bool) -> None:
    http = an_http()
    mailing, _ = letters(http)
    http.world.fail("_take", AwsUnavailable("ses:SendEmail: no answer"), after=after)
    assert ask(http, KIM).status == 503
    for _ in range(3):
        recover_labs(http.world.deps)
    assert len(mailing.mailer.sent) <= 1
    http.world.clock.advance(hours=1)
    assert ask(http, KIM).status == 200
    assert len(mailing.mailer.sent) == 1 + after


def test_whose_confirmation_bounced_reads_so() -> None:
    http = an_http()
    mailing = with_mail(http.world, {})
    assert ask(http, KIM).status == 200
    assert me(http, KIM)["trouble"] is None
    mailing.mailer.outcomes[ADDRESS] = "bounce"
    for event in mailing.mailer.events(NOW):
        take_mail_event(http.world.deps, event, NOW)
    assert me(http, KIM)["trouble"] == "Mail to this address came back: the mail server refused it."
    found = re.search(r"https://labs\.example/api(/confirm/\S+)", mailing.mailer.to(ADDRESS)[0].text)
    assert found
    press(http, found[1])
    assert me(http, KIM)["trouble"] is None

"""Changes by owners and administrators to a lab's lifetime, over HTTP."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.labs.lab import Hibernation, Phase
from chalicelib.domain.labs.schedule import AtCurfew, Schedule
from chalicelib.domain.labs.spec import SupportPolicy
from chalicelib.domain.support.calendar import Calendar
from tests.api.curfew_world import CURFEW, LAB, SEOUL, a_ready_lab, a_world, hours
from tests.api.http import ADMIN, STRANGER, Http
from tests.examples import examples
from tests.fakes import NOW, a_calendar, a_spec

EXTEND, PROTECT, EVENING = (f"/labs/{LAB}/{what}" for what in ("extend", "protect", "schedule"))


def the_lab(http: Http) -> Any:
    return http.world.store.labs[LAB]


def codes(answer: Any) -> list[tuple[str, str]]:
    assert answer.status == 400
    return [(finding["path"], finding["code"]) for finding in answer.json["findings"]]


def test_extending_by_hours_says_until_when_and_what_it_costs() -> None:
    http = a_world()
    answer = http.post(EXTEND, {"hours": 4})
    assert answer.status == 200
    assert answer.json["leaseEndsAt"] == "2026-11-23T18:00:00Z"
    assert answer.json["leaseEndsLocal"] == "Tue 24 Nov 03:00 (Asia/Seoul)"
    assert (answer.json["clamped"], answer.json["cost"]["source"]) == (False, "a price list of 1 Nov 2026")
    hourly = 0.10 + 2 * 0.052 + 60 * 0.0912 / 730 + 2 * 0.005
    assert answer.json["cost"]["usdAnHour"] == pytest.approx(hourly, abs=1e-4)
    assert answer.json["cost"]["usd"] == pytest.approx(4 * hourly, abs=0.006)
    assert (the_lab(http).lease_ends_at, the_lab(http).due_at) == (CURFEW + hours(5), NOW)
    (event,) = http.world.store.events(LAB, 10, None).items
    assert event.kind == "extended"
    assert "Tue 24 Nov 03:00 (Asia/Seoul)" in event.message


def test_extending_until_an_instant_twice_is_extending_once() -> None:
    http = a_world()
    for _ in range(2):
        answer = http.post(EXTEND, {"until": "2026-11-25T13:00:00+09:00"})
        assert answer.json["leaseEndsAt"] == "2026-11-25T04:00:00Z"
    assert len(http.world.store.events(LAB, 10, None).items) == 1
    assert answer.json["cost"]["usd"] == 0


def test_more_than_the_allowance_is_clamped_and_said_so() -> None:
    http = a_world()
    answer = http.post(EXTEND, {"until": "2027-01-01T00:00:00Z"})
    assert answer.json["clamped"] is True
    assert answer.json["leaseEndsAt"] == "2026-11-26T10:00:00Z"


def test_extended_support_is_part_of_the_price_where_it_is_paid_for() -> None:
    spec = a_spec(schedule=SEOUL, version="1.33", support_policy=SupportPolicy.EXTENDED)
    dear = a_world(a_ready_lab(spec=spec)).post(EXTEND, {"hours": 1}).json["cost"]["usdAnHour"]
    upgraded = replace(spec, support_policy=SupportPolicy.STANDARD)
    plain = a_world(a_ready_lab(spec=upgraded)).post(EXTEND, {"hours": 1}).json["cost"]["usdAnHour"]
    assert dear - plain == pytest.approx(0.50)
    assert isinstance(a_calendar(), Calendar)


def test_a_price_that_is_not_known_is_null_and_named() -> None:
    group = replace(a_spec().nodegroups[0], instance_types=("p5.48xlarge",))
    http = a_world(a_ready_lab(spec=a_spec(nodegroups=(group,))))
    cost = http.post(EXTEND, {"hours": 1}).json["cost"]
    assert (cost["usd"], cost["unknown"]) == (None, ["p5.48xlarge"])
    assert cost["message"].startswith("at least $")


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, [("", "missing")]),
        ({"until": "2026-11-25T00:00:00Z", "hours": 4}, [("", "both")]),
        ({"until": "2026-11-25T00:00:00"}, [("until", "invalid-instant")]),
        ({"until": "tomorrow"}, [("until", "invalid-instant")]),
        ({"hours": 0}, [("hours", "invalid-hours")]),
        ({"hours": "4"}, [("hours", "wrong-type")]),
        ({"hours": 1, "forever": True}, [("forever", "unknown-field")]),
        ({"until": "2026-11-23T13:30:00Z"}, [("until", "not-later")]),
    ],
)
def test_an_extension_that_says_nothing_right_is_refused_by_field(body: Any, found: list[tuple[str, str]]) -> None:
    http = a_world()
    assert codes(http.post(EXTEND, body)) == found
    assert the_lab(http) == a_ready_lab()


def test_a_used_up_allowance_names_the_latest_instant() -> None:
    http = a_world(a_ready_lab(ends_by=CURFEW + hours(1)))
    answer = http.post(EXTEND, {"hours": 1})
    assert codes(answer) == [("hours", "allowance-used-up")]
    assert "2026-11-23T14:00:00Z is the latest" in answer.json["findings"][0]["message"]


@pytest.mark.parametrize(("path", "body"), [(EXTEND, {"hours": 1}), (EVENING, {})])
def test_a_lab_that_ends_is_not_held_up(path: str, body: Any) -> None:
    for phase in ("releasing", "blocked", "deleted", "failed"):
        http = a_world(a_ready_lab(phase=phase))
        answer = http.call("PUT" if path == EVENING else "POST", path, body)
        assert (answer.status, answer.json["phase"]) == (409, phase)


def test_the_lease_of_a_lab_that_sleeps_can_be_extended() -> None:
    http = a_world(a_ready_lab(phase="hibernated"))
    assert http.post(EXTEND, {"hours": 1}).status == 200
    assert the_lab(http).due_at == NOW


def test_a_lab_that_a_workflow_works_on_keeps_its_time_to_be_looked_at() -> None:
    http = a_world(a_ready_lab(phase="updating"))
    assert http.post(EXTEND, {"hours": 1}).status == 200
    assert the_lab(http).due_at == CURFEW


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", EXTEND, {"hours": 1}),
        ("POST", PROTECT, {"until": "2026-11-25T00:00:00Z", "why": "x"}),
        ("PUT", EVENING, {}),
        ("POST", f"/labs/{LAB}/hibernate", None),
        ("POST", f"/labs/{LAB}/wake", None),
        ("GET", f"/labs/{LAB}/verdict", None),
    ],
)
def test_for_strangers_the_lab_does_not_exist(method: str, path: str, body: Any) -> None:
    http = a_world()
    assert http.call(method, path, body, caller=STRANGER).status == 404
    assert the_lab(http) == a_ready_lab()


def test_administrators_protect_and_lift_and_history_says_why() -> None:
    http = a_world()
    answer = http.post(PROTECT, {"until": "2026-11-25T00:00:00Z", "why": "Exam on Wednesday."}, caller=ADMIN)
    assert answer.status == 200
    assert answer.json["protection"] == {"until": "2026-11-25T00:00:00Z", "by": ADMIN, "why": "Exam on Wednesday."}
    assert the_lab(http).due_at == NOW
    lifted = http.post(PROTECT, {"until": None}, caller=ADMIN)
    assert (lifted.status, lifted.json["protection"]) == (200, None)
    messages = [event.message for event in http.world.store.events(LAB, 10, None).items]
    assert "Exam on Wednesday." in messages[0]
    assert "no longer" in messages[1]


def test_a_reason_is_one_line() -> None:
    http = a_world()
    http.post(PROTECT, {"until": "2026-11-25T00:00:00Z", "why": " Exam\n\n on\tWednesday. "}, caller=ADMIN)
    assert the_lab(http).protection.why == "Exam on Wednesday."


def test_an_owner_does_not_protect() -> None:
    http = a_world()
    answer = http.post(PROTECT, {"until": "2026-11-25T00:00:00Z", "why": "Mine."})
    assert (answer.status, the_lab(http).protection) == (403, None)


def test_protection_ends_with_the_labs_allowance_at_the_latest() -> None:
    http = a_world(a_ready_lab(ends_by=NOW + hours(24)))
    answer = http.post(PROTECT, {"until": "2030-01-01T00:00:00Z", "why": "For ever."}, caller=ADMIN)
    assert answer.json["protection"]["until"] == "2026-11-24T10:00:00Z"
    assert [warning["code"] for warning in answer.json["warnings"]] == ["clamped"]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({}, [("until", "missing")]),
        ({"until": "2026-11-25T00:00:00Z"}, [("why", "missing")]),
        ({"until": "2026-11-25T00:00:00Z", "why": " "}, [("why", "missing")]),
        ({"until": "2026-11-25T00:00:00Z", "why": "x" * 201}, [("why", "missing")]),
        ({"until": "2026-11-23T09:00:00Z", "why": "x"}, [("until", "past")]),
        ({"until": "soon", "why": "x"}, [("until", "invalid-instant")]),
    ],
)
def test_a_protection_without_end_or_reason_is_refused(body: Any, found: list[tuple[str, str]]) -> None:
    http = a_world()
    assert codes(http.post(PROTECT, body, caller=ADMIN)) == found
    assert the_lab(http).protection is None


def test_an_evening_is_set_whole_and_read_again() -> None:
    http = a_world()
    body = {
        "timeZone": "Europe/Berlin",
        "curfew": "19:30",
        "weekdays": ["mon", "fri"],
        "holidays": "DE-BY",
        "quietDates": ["2026-12-31"],
        "atCurfew": "hibernate",
        "wake": "08:30",
    }
    answer = http.put(EVENING, body)
    assert answer.status == 200
    assert answer.json["schedule"] == answer.json["spec"]["schedule"] == body
    assert answer.json["nextCurfew"] == {
        "date": "2026-11-23",
        "at": "2026-11-23T18:30:00Z",
        "local": "Mon 23 Nov 19:30 (Europe/Berlin)",
    }
    assert the_lab(http).spec.schedule == Schedule(
        "Europe/Berlin", time(19, 30), (0, 4), "DE-BY", (date(2026, 12, 31),), AtCurfew.HIBERNATE, time(8, 30)
    )
    assert the_lab(http).due_at == NOW
    http.put(EVENING, answer.json["schedule"])
    assert len(http.world.store.events(LAB, 10, None).items) == 1


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"timeZone": "Asia/Seol", "curfew": "25:00"}, [("timeZone", "unknown-time-zone"), ("curfew", "invalid-time")]),
        ({"weekdays": []}, [("weekdays", "empty")]),
        ({"weekdays": ["mon", "payday"]}, [("weekdays[1]", "unknown-weekday")]),
        ({"holidays": "Atlantis"}, [("holidays", "unknown-country")]),
        ({"atCurfew": "explode"}, [("atCurfew", "wrong-value")]),
        ({"quietDates": ["2026-02-30"]}, [("quietDates[0]", "invalid-date")]),
        ({"wakes": "08:30"}, [("wakes", "unknown-field")]),
        ({"curfew": 22}, [("curfew", "wrong-type")]),
    ],
)
def test_a_wrong_evening_is_refused_by_field_in_both_places(body: Any, found: list[tuple[str, str]]) -> None:
    http = a_world()
    assert codes(http.put(EVENING, body)) == found
    assert codes(http.post("/labs", {"name": "other", "schedule": body})) == [
        (f"schedule.{p}", code) for p, code in found
    ]
    assert the_lab(http) == a_ready_lab()


def test_a_lab_without_an_evening_has_the_installations() -> None:
    http = Http()
    usual = Schedule("Asia/Seoul", holidays="KR", wake=time(8))
    http.world.deps = replace(http.world.deps, curfew=replace(http.world.deps.curfew, schedule=usual))
    plain = http.post("/labs", {"name": "plain"}).json["id"]
    own = http.post("/labs", {"name": "own", "schedule": {"curfew": "20:00", "holidays": None, "wake": None}}).json[
        "id"
    ]
    assert http.world.store.labs[plain].spec.schedule == usual
    assert http.world.store.labs[own].spec.schedule == replace(usual, curfew=time(20), holidays=None, wake=None)


def test_what_a_lab_answers_can_be_asked_for_again() -> None:
    http = a_world()
    spec = http.get(f"/labs/{LAB}").json["spec"]
    again = http.post("/labs", {**spec, "name": "again"})
    assert again.status == 202
    assert http.world.store.labs[again.json["id"]].spec.schedule == SEOUL


def test_a_lab_that_sleeps_wakes_by_its_new_evening() -> None:
    asleep = Hibernation((), NOW - hours(3), "It was idle.", wake_at=NOW + hours(1))
    http = a_world(a_ready_lab(phase="hibernated", hibernation=asleep))
    http.put(EVENING, {"timeZone": "Asia/Seoul", "wake": "08:30"})
    assert the_lab(http).hibernation == replace(asleep, wake_at=datetime(2026, 11, 23, 23, 30, tzinfo=UTC))
    http.put(EVENING, {"timeZone": "Asia/Seoul", "wake": None})
    assert the_lab(http).hibernation == replace(asleep, wake_at=None)


def test_a_lab_that_is_over_has_no_curfew_ahead() -> None:
    assert a_world(a_ready_lab(phase="deleted")).get(f"/labs/{LAB}").json["nextCurfew"] is None


def test_a_lab_goes_to_sleep_and_wakes_by_its_owners_word() -> None:
    http = a_world()
    asleep = http.post(f"/labs/{LAB}/hibernate", None)
    assert (asleep.status, asleep.json["phase"]) == (202, "hibernating")
    assert asleep.headers["Location"] == f"/api/labs/{LAB}"
    http.world.store.put(replace(the_lab(http), phase=Phase.HIBERNATED))
    assert http.post(f"/labs/{LAB}/wake", None).json["phase"] == "waking"


ANYTHING = (
    st.none() | st.booleans() | st.integers(-9, 9999) | st.text(max_size=9) | st.lists(st.text(max_size=5), max_size=2)
)
WISHES = st.fixed_dictionaries(
    {},
    optional={
        "until": ANYTHING | st.datetimes().map(lambda at: at.isoformat() + "Z"),
        "hours": ANYTHING,
        "x": ANYTHING,
    },
)
EVENINGS = st.fixed_dictionaries(
    {},
    optional={
        "timeZone": ANYTHING | st.just("Asia/Seoul"),
        "curfew": ANYTHING | st.just("21:00"),
        "weekdays": ANYTHING | st.just(["mon"]),
        "holidays": ANYTHING | st.just("KR"),
        "quietDates": ANYTHING | st.just(["2026-12-24"]),
        "atCurfew": ANYTHING | st.just("hibernate"),
        "wake": ANYTHING | st.just("08:00"),
        "x": ANYTHING,
    },
)


@settings(deadline=None, max_examples=examples(150))
@given(
    WISHES | ANYTHING, EVENINGS | ANYTHING, st.dictionaries(st.sampled_from(["until", "why", "x"]), ANYTHING) | ANYTHING
)
def test_whatever_is_sent_is_taken_or_refused_by_field(wish: Any, schedule: Any, protection: Any) -> None:
    http = a_world()
    answers = [
        http.post(EXTEND, wish),
        http.put(EVENING, schedule),
        http.post(PROTECT, protection, caller=ADMIN),
    ]
    for answer in answers:
        assert answer.status in (200, 400)
        assert answer.status == 200 or answer.json["findings"]
    assert the_lab(http).lease_ends_at <= NOW + hours(72)

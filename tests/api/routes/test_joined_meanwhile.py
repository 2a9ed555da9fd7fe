"""A press joins a person to another while another request or run works on them: at each of its calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from itertools import count, product
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.domain.errors.saving import ATTEMPTS
from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.identity.person import Person, Topic, identity_key
from chalicelib.domain.labs.lab import Phase
from chalicelib.workflows.invitations import send_invitations
from tests.api.http import ADMIN, Http
from tests.api.routes.test_me import ADDRESS, KIM, USER, an_http, ask, confirmed, link, press, switch
from tests.fakes import NOW, a_lab, a_spec
from tests.fakes.account import Call
from tests.fakes.mailing import FakeMailing, with_mail
from tests.fakes.people import FakePeople


class Meanwhile:
    """Performs an act right before one call of a port; `reached`: whether there were as many calls, `said`: its answer.

    `only`: the calls that count, all without it.
    """

    def __init__(self, http: Http, number: int, act: Callable[[], Any], only: str = "") -> None:
        self.reached, self.said, self._only = False, None, only
        self._account, self._calls, self._number, self._act = http.world.account, count(), number, act
        self._usual, self._account.around = self._account.around, self._around

    def _around(self, call: Call) -> Any:
        if self._only in ("", call.name) and next(self._calls) == self._number:
            self._account.around, self.reached = self._usual, True
            self.said = self._act()
        return call.act()


def two_people() -> tuple[Http, Person, Person]:
    """KIM, who reads ADDRESS, and USER, who requests it: one press joins them."""
    http = an_http()
    confirmed(http, KIM)
    http.world.clock.advance(hours=1)
    assert ask(http, USER).status == 200
    reader, asking = sorted(http.world.people.people.values(), key=lambda one: one.address is None)
    return http, reader, asking


def pressing(http: Http, number: int) -> Meanwhile:
    path = link(http)
    return Meanwhile(http, number, lambda: press(http, path).status)


def erased(http: Http, name: str) -> Any:
    answer = http.call("DELETE", f"/people/{quote(name, safe='')}", caller=ADMIN)
    assert answer.status == 200, answer.text
    return answer.json


@pytest.mark.parametrize("named", ["ARN", "id"])
def test_an_erasure_leaves_nobody_with_the_identity_that_was_named_whenever_a_press_joins_them(named: str) -> None:
    joined = 0
    for number in count():
        http, _, asking = two_people()
        press = pressing(http, number)
        gone = erased(http, asking.id if named == "id" else USER)
        if not press.reached:
            break
        left = set(http.world.people.claims)
        if gone["people"] == 0:
            assert (named, press.said) == ("id", 200), number
            continue
        assert gone["people"] == 1, number
        assert identity_key(USER) not in left, number
        assert (identity_key(KIM) in left) == (press.said != 200), number
        joined += press.said == 200
    assert joined > 1


def test_who_was_joined_to_an_owner_of_a_living_lab_keeps_the_identities_and_loses_the_address() -> None:
    answers = set()
    for number in count():
        http, reader, _ = two_people()
        http.world.store.put(a_lab(id="lab-1", owner=KIM))
        press = pressing(http, number)
        gone = erased(http, USER)
        if not press.reached:
            break
        left = http.world.people.people[reader.id]
        answers.add(press.said)
        if press.said == 200:
            assert (gone["alive"], left.address, len(left.identities)) == (["myeks"], None, 2), number
        else:
            assert (gone["alive"], left) == ([], reader), number
    assert answers == {200, 404}


OTHER = "arn:aws:iam::111122223333:user/other"
ELSEWHERE = "kim@other.example"
BOTH = [KIM, USER]


@dataclass(frozen=True)
class Group:
    """`link`: the path in the group's letter."""

    http: Http
    mailing: FakeMailing
    link: str


def a_group() -> Group:
    """KIM and USER, joined only by a roster, may press for the address that OTHER reads. Each has an ended lab."""
    http = an_http()
    mailing = with_mail(http.world, {})
    mailing.store.note_bounced_address(ADDRESS, "no such mailbox", NOW)
    people = http.world.people
    people.save_people([], [Person("person-p", (KIM, USER), NOW, asked=ADDRESS, invite_at=NOW)])
    people.save_people([], [Person("person-r", (OTHER,), NOW, address=ADDRESS)])
    assert send_invitations(http.world.deps, http.world.clock.now()) == []
    for number, owner in enumerate((KIM, USER, OTHER)):
        lab = a_lab(id=f"lab-{number}", owner=owner, spec=a_spec(name=f"c{number}"), phase=Phase.DELETED, ended_at=NOW)
        http.world.store.put(lab)
    [letter] = [letter.text for _, letter in mailing.mailer.sent]
    found = re.search(r"/api(/confirm/\S+)", letter)
    assert found
    return Group(http, mailing, found[1])


ACTS: dict[str, Callable[[Group], Any]] = {
    "a press": lambda group: press(group.http, group.link),
    "a split": lambda group: ask(group.http, KIM, ELSEWHERE),
    "a change": lambda group: group.http.put("/me", {"language": "ko"}, caller=OTHER),
    "a roster": lambda group: group.http.call(
        "POST",
        "/people",
        body=f"iamUser,identityCenter,address\nkim,lee@corp.example,{ADDRESS}\n",
        caller=ADMIN,
        headers={"content-type": "text/csv"},
    ),
    "an erasure": lambda group: erased(group.http, USER),
}


def left_of(group: Group) -> dict[str, Any]:
    """All data that an erasure deletes, without ids."""
    people = group.http.world.people
    return {
        "people": sorted(
            (sorted(map(identity_key, one.identities)), one.address, one.asked, one.invite_at is None, one.language)
            for one in people.people.values()
        ),
        "labs": ["erased" in lab.owner for lab in group.http.world.store.labs.values()],
        "asked": sorted(
            (one.address, people.people[one.person].identities if one.person in people.people else None, one.used_at)
            for one in people.confirmations.values()
        ),
        "bounced": group.mailing.store.bounced_address(ADDRESS),
    }


@cache
def one_after_the_other(named: str, acts: tuple[str, ...]) -> list[dict[str, Any]]:
    """The remaining data if the name, or the whole group, is erased before, between or after the acts."""
    lefts = []
    for place, names in product(range(len(acts) + 1), ([named], BOTH)):
        group = a_group()
        for act in acts[:place]:
            ACTS[act](group)
        for name in names:
            erased(group.http, name)
        for act in acts[place:]:
            ACTS[act](group)
        lefts.append(left_of(group))
    return lefts


def interrupted(named: str, *acts: tuple[str, int], only: str = "") -> bool:
    """Erase a name; each act comes right before one call, counted from the act before. False if there were fewer calls."""
    group = a_group()
    ends: list[Meanwhile] = []

    def plan(number: int) -> None:
        act, at = acts[number]

        def happen() -> None:
            ACTS[act](group)
            if number + 1 < len(acts):
                plan(number + 1)

        ends.append(Meanwhile(group.http, at, happen, only))

    plan(0)
    assert group.http.call("DELETE", f"/people/{quote(named, safe='')}", caller=ADMIN).status == 200
    if is_reached := len(ends) == len(acts) and ends[-1].reached:
        assert left_of(group) in one_after_the_other(named, tuple(act for act, _ in acts)), (named, acts)
    return is_reached


@pytest.mark.parametrize("act", ACTS)
@pytest.mark.parametrize("named", ["person-p", KIM, USER])
def test_an_erasure_erases_nobody_by_half_whatever_others_do_at_any_of_its_calls(named: str, act: str) -> None:
    number = next(number for number in count() if not interrupted(named, (act, number)))
    assert number > 10


@pytest.mark.parametrize("named", ["person-p", KIM, USER])
def test_an_erasure_erases_nobody_by_half_if_others_save_first_twice_in_a_row(named: str) -> None:
    """After the second save, only the identities of the first try lead to the joined person."""
    places = list(product(ACTS, range(3)))
    reached = [
        (first, second)
        for first, second in product(places, places)
        if interrupted(named, first, second, only="people.save_people")
    ]
    assert (("a press", 0), ("a change", 0)) in reached
    assert (("a split", 0), ("a press", 0)) in reached


@given(
    named=st.sampled_from(["person-p", KIM, USER]),
    first=st.tuples(st.sampled_from(list(ACTS)), st.integers(0, 30)),
    second=st.tuples(st.sampled_from(list(ACTS)), st.integers(0, 30)),
)
@settings(max_examples=300, deadline=None)
def test_an_erasure_erases_nobody_by_half_whatever_two_others_do(
    named: str, first: tuple[str, int], second: tuple[str, int]
) -> None:
    interrupted(named, first, second)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("named", ["person-p", KIM, USER])
def test_an_erasure_that_ends_at_any_of_its_calls_is_completed_by_repeating_it(named: str, after: bool) -> None:
    whole, _ = one_after_the_other(named, ())
    for number in count():
        group = a_group()
        calls = count()

        def around(call: Call, group: Group = group, calls: Any = calls, number: int = number) -> Any:
            if next(calls) != number:
                return call.act()
            group.http.world.account.around = lambda usual: usual.act()
            if after:
                call.act()
            raise AwsUnavailable(f"{call.name}: no answer")

        group.http.world.account.around = around
        if group.http.call("DELETE", f"/people/{quote(named, safe='')}", caller=ADMIN).status == 200:
            break
        erased(group.http, named)
        assert left_of(group) == whole, number
    assert number > 10


def test_what_others_ask_for_and_own_stays_theirs_if_somebody_erased_asked_for_the_same_address() -> None:
    http = an_http()
    assert ask(http, USER).status == 200
    session = "arn:aws:sts::111122223333:assumed-role/Learners/" + ADDRESS
    http.world.store.put(a_lab(id="lab-1", owner=session, phase=Phase.DELETED, ended_at=NOW))
    http.world.people.save_people([], [Person("person-1", (KIM,), NOW, asked=ADDRESS)])
    assert erased(http, "person-1") == {"people": 1, "labs": 0, "left": 0, "alive": []}
    assert http.world.store.labs["lab-1"].owner == session
    assert press(http, link(http)).status == 200


def join(people: FakePeople, reader: Person, asking: Person) -> bool:
    after = replace(reader, identities=(*reader.identities, *asking.identities))
    return people.save_people([reader, people.people[asking.id]], [after])


def test_an_invitation_is_settled_whenever_its_person_is_joined_to_another() -> None:
    for number in count():
        http, reader, asking = two_people()
        people = http.world.people
        people.people[asking.id] = replace(asking, invite_at=NOW)
        http.world.clock.advance(hours=1)
        meanwhile = Meanwhile(http, number, partial(join, people, reader, asking))
        assert send_invitations(http.world.deps, http.world.clock.now()) == [], number
        if not meanwhile.reached:
            break
        assert (meanwhile.said, set(people.people)) == (True, {reader.id}), number
    assert number > 5


def test_who_is_changed_by_others_at_each_try_is_left_as_they_are_and_the_caller_is_told() -> None:
    http = an_http()
    http.world.people.save_people([], [Person("person-1", (KIM,), NOW)])

    def around(call: Call) -> Any:
        if call.name == "people.save_people":
            known = http.world.people.people["person-1"]
            http.world.people.people["person-1"] = replace(known, version=known.version + 1)
        return call.act()

    http.world.account.around = around
    for method, path, body, caller in (
        ("PUT", "/me", {"language": "ko"}, KIM),
        ("DELETE", "/people/person-1", None, ADMIN),
        ("POST", switch(http, "person-1", "reports"), None, None),
    ):
        calls = len(http.world.account.calls)
        answer = http.call(method, path, body=body, caller=caller, headers={"accept": "application/json"})
        assert (answer.status, answer.json["type"]) == (409, "urn:ekslab:problem:busy-lab")
        saves = [name for name, _ in http.world.account.calls[calls:] if name == "save_people"]
        assert len(saves) == ATTEMPTS
    kept = http.world.people.people["person-1"]
    assert (kept.language, kept.muted) == (None, ())
    assert Topic.REPORTS not in kept.muted

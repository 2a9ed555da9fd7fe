"""A press joins a person to another while somebody else's request or run is at work on them: at each of its calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any
from urllib.parse import quote

import pytest

from chalicelib.domain.errors.saving import ATTEMPTS
from chalicelib.domain.identity.person import Person, Topic, identity_key
from chalicelib.workflows.invitations import send_invitations
from tests.api.http import ADMIN, Http
from tests.api.routes.test_me import KIM, USER, an_http, ask, confirmed, link, press, switch
from tests.fakes import NOW, a_lab
from tests.fakes.account import Call
from tests.fakes.people import FakePeople


class Meanwhile:
    """Somebody acts right before one call of a port; `reached`: whether there were as many calls, `said`: their answer."""

    def __init__(self, http: Http, number: int, act: Callable[[], Any]) -> None:
        self.reached, self.said = False, None
        self._account, self._calls, self._number, self._act = http.world.account, count(), number, act
        self._usual, self._account.around = self._account.around, self._around

    def _around(self, call: Call) -> Any:
        if next(self._calls) == self._number:
            self._account.around, self.reached = self._usual, True
            self.said = self._act()
        return call.act()


def two_people() -> tuple[Http, Person, Person]:
    """KIM, who reads ADDRESS, and USER, who asks for it: one press joins them."""
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

"""Erasure: administrators remove a person from the records of ended labs, and not from any that still needs a name."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import quote

import pytest

from chalicelib.domain.labs.lab import Phase
from chalicelib.services.people.removal import MOST, without
from tests.api.http import ADMIN, Answer, Http
from tests.fakes import NOW, a_lab, a_spec

JANE = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Labs/jane@example.com"


def with_labs(*phases: Phase) -> Http:
    http = Http()
    http.caller = ADMIN
    for number, phase in enumerate(phases):
        lab = a_lab(id=f"lab-{number}", owner=JANE, spec=a_spec(name=f"c{number}"), phase=phase, ended_at=NOW)
        http.world.store.put(lab)
    return http


def erase(http: Http, name: str = "jane@example.com", caller: str | None = None) -> Answer:
    return http.call("DELETE", f"/people/{quote(name, safe='')}", caller=caller)


def test_a_person_is_erased_some_labs_at_a_time_until_none_is_left() -> None:
    http = with_labs(*[Phase.DELETED] * (MOST + 2))
    assert [erase(http).json for _ in range(3)] == [
        {"people": 0, "labs": MOST, "left": 2, "alive": []},
        {"people": 0, "labs": 2, "left": 0, "alive": []},
        {"people": 0, "labs": 0, "left": 0, "alive": []},
    ]
    assert {lab.owner for lab in http.world.store.labs.values()} == {JANE.replace("jane@example.com", "erased")}


def test_of_whom_a_lab_is_alive_that_lab_stays_theirs_and_the_others_are_erased() -> None:
    http = with_labs(Phase.DELETED, Phase.READY)
    assert erase(http).json == {"people": 0, "labs": 1, "left": 0, "alive": ["c1"]}
    erased = JANE.replace("jane@example.com", "erased")
    assert [lab.owner for lab in http.world.store.labs.values()] == [erased, JANE]
    http.world.store.put(replace(http.world.store.labs["lab-1"], phase=Phase.DELETED))
    assert erase(http).json == {"people": 0, "labs": 1, "left": 0, "alive": []}


def test_others_labs_stay_as_they_are_and_nobody_else_may_ask() -> None:
    http = with_labs(Phase.DELETED)
    other = replace(http.world.store.labs["lab-0"], id="lab-9", owner=JANE.replace("jane", "mary-jane"))
    http.world.store.put(other)
    assert erase(http, caller=JANE).status == 403
    assert erase(http).json == {"people": 0, "labs": 1, "left": 0, "alive": []}
    assert http.world.store.labs["lab-9"] == other
    assert erase(http, "x").status == 400


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("by arn:aws:iam::111122223333:user/jane.", "by arn:aws:iam::111122223333:user/erased."),
        ("Jane, and jane", "erased, and erased"),
        ("jane@example.com", "jane@example.com"),
        ("mary-jane jane2 jane.doe", "mary-jane jane2 jane.doe"),
        ('{"owner":"jane"}', '{"owner":"erased"}'),
    ],
)
def test_a_name_is_replaced_where_it_stands_alone(text: str, left: str) -> None:
    assert without("jane")(text) == left

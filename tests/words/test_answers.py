"""Every route's answers and refusals, requested in Korean: each text is Korean, except names, codes, commands and AWS's words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.api.http import ADMIN, Http
from tests.api.matrix import MATRIX
from tests.api.test_matrix import ask, the_world
from tests.domain.requests.test_eksctl import DOCUMENTS, FIELDS, PLACES, document_with
from tests.words.reading import english_left, unresolved

KOREAN = {"accept-language": "ko-KR,ko;q=0.9"}
NAMES = (
    *("name", "hash", "until", "hours", "why", "mode", "keep", "endpoint", "nodegroups", "supportType", "regions"),
    *("address", "language", "timeZone", "hears", "people", "zones", "networks", "keyPairs", "podRoles"),
    *("instanceTypes", "maxNodes", "maxUsdHour", "costTags", "teams", "atLimit", "curfew", "wake", "leaseHours"),
)
#: Invalid bodies: unknown, unreadable, of another type in every field.
BODIES: tuple[Any, ...] = (
    *(
        {"zzz": 1},
        {"zzz": {"a": [1]}},
        "[",
        "{]",
        "a: [",
        "a: *b",
        "a: !b c",
        "? [a]\n: b",
        '{"a":1,"a":2}',
        "[1]",
        " ",
    ),
    *(dict.fromkeys(NAMES, value) for value in ({"x": [3.5]}, [], -1, "zz", [{}])),
)
QUERY = {
    "limit": "0",
    "cursor": "zz",
    "phase": "redy",
    "daysLeft": "x",
    "month": "zz",
    "by": "zz",
    "format": "q",
    "region": "zz",
    "dryRun": "x",
    "compare": "zz",
    "nme": "1",
}
#: Fields for programs: commands, and words of AWS's and of this world's resources.
APART = ("commands", "unreadable", "seen", "unread", "how", "why", "responsible", "tags")
#: The fakes' own English texts.
OF_THE_WORLD = re.compile(
    "This cursor was not given out by this service|This cursor is not one that this list gave out|"
    "It is dear|too dear|not there|idle since 15:40: no user pods scheduled in|a price list of|a price list|bundled table",
    re.IGNORECASE,
)
ROUTES = sorted(route for route in MATRIX if route[1] != "/openapi.json")


def texts_of(document: Any) -> Iterator[str]:
    match document:
        case str():
            yield document
        case dict():
            for name, value in document.items():
                yield from () if name in APART else texts_of(value)
        case list():
            for value in document:
                yield from texts_of(value)


def english_in(text: str) -> list[str]:
    """The texts of an answer, JSON or HTML."""
    try:
        found = list(texts_of(json.loads(text)))
    except ValueError:
        found = [text.partition("<body")[2]]
    told = [OF_THE_WORLD.sub("", each) for each in found]
    return [f"{each}: {left}" for each in told if (left := english_left(each) + unresolved(each))]


def a_korean(route: tuple[str, str]) -> Http:
    http = the_world(route)
    http.headers = KOREAN
    return http


@pytest.mark.parametrize("kind", ["owner", "viewer", "administrator", "other owner"])
@pytest.mark.parametrize("route", ROUTES, ids=" ".join)
def test_an_answer_is_in_the_language_that_is_asked_for(route: tuple[str, str], kind: str) -> None:
    assert english_in(ask(a_korean(route), route, kind).text) == []


@pytest.mark.parametrize("route", [route for route in ROUTES if route[0] != "GET"], ids=" ".join)
def test_what_is_wrong_with_a_body_is_said_in_that_language(route: tuple[str, str]) -> None:
    http = a_korean(route)
    assert [line for body in BODIES for line in english_in(ask(http, route, "administrator", body=body).text)] == []


@pytest.mark.parametrize("route", [route for route in ROUTES if "{" not in route[1]], ids=" ".join)
def test_what_is_wrong_with_a_query_is_said_in_that_language(route: tuple[str, str]) -> None:
    http = a_korean(route)
    answers = [
        http.call(*route, body=MATRIX[route][0], query={name: text}, caller=ADMIN) for name, text in QUERY.items()
    ]
    assert [line for answer in answers for line in english_in(answer.text)] == []


@pytest.mark.parametrize("section", FIELDS)
def test_what_becomes_of_each_field_of_eksctl_is_said_in_that_language(section: str) -> None:
    http = Http(headers=KOREAN)
    wrong = [
        line
        for name in (*FIELDS[section], "zzz")
        for value in (3.5, "zz", [], {"zz": "zz"}, True)
        for line in english_in(http.post("/labs", document_with((*PLACES[section], name), value)).text)
    ]
    assert wrong == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_files_as_they_are_in_the_world_are_judged_in_that_language(name: str) -> None:
    answer = Http(headers=KOREAN).post("/labs", DOCUMENTS[name])
    assert english_in(answer.text) == []


def test_without_a_wish_the_answer_is_in_english() -> None:
    english, korean = Http().post("/labs", {"nme": "myeks"}), Http(headers=KOREAN).post("/labs", {"nme": "myeks"})
    assert english.json["findings"][0]["message"] == "Unknown field. Did you mean name?"
    assert korean.json["findings"][0]["message"] == "알 수 없는 필드입니다. name 필드를 뜻합니까?"
    assert [finding["code"] for finding in korean.json["findings"]] == [
        finding["code"] for finding in english.json["findings"]
    ]

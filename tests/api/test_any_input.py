"""For any input the answer is a documented one: never a 500, and a refusal always has a reason."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.api.context import BODY_TYPES
from chalicelib.api.reference import operations
from tests.api.http import Http
from tests.api.test_matrix import path_of, the_world
from tests.examples import examples
from tests.fakes import a_lab

SCALARS = st.none() | st.booleans() | st.integers(-3, 99) | st.text(max_size=8) | st.floats(allow_nan=False)
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner), max_leaves=8
)
ACCESS = st.sampled_from(["public", "private", "public-and-private"]) | ANYTHING
CIDRS = st.lists(st.sampled_from(["0.0.0.0/0", "10.0.0.0/8", "::/0", "1.2.3.4"]) | ANYTHING, max_size=3) | ANYTHING
COUNT = st.fixed_dictionaries(
    {}, optional={"name": st.just("myeks-nodegroup") | ANYTHING, "desired": ANYTHING, "x": ANYTHING}
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "endpoint": st.fixed_dictionaries({}, optional={"access": ACCESS, "allowedCidrs": CIDRS}) | ANYTHING,
        "nodegroups": st.lists(COUNT, max_size=3) | ANYTHING,
    },
)
HOSTILE = (
    st.binary(max_size=60)
    | st.integers(2, 90).map(lambda fields: b"&".join([b"answer=yes"] * fields))
    | st.sampled_from(
        [b"[" * 9999, b"a: &a [*a]", b"answer=%ff", b"{answer: !!python/name:os.system x}", b"\x00", b"- " * 99]
    )
    | ANYTHING.map(lambda value: json.dumps(value).encode())
)
PUBLIC = sorted((each.method, each.path) for each in operations() if each.public)
QUERIES = st.dictionaries(
    st.sampled_from(["owner", "phase", "limit", "cursor", "other"]),
    st.text(max_size=12) | st.sampled_from(["me", "*", "ready", "ready,failed", "25"]),
)


@settings(max_examples=examples(200), deadline=None)
@given(CHANGES | ANYTHING)
def test_any_change_is_taken_or_refused_by_field(body: Any) -> None:
    http = Http()
    http.world.store.put(a_lab(phase="ready"))
    answer = http.patch(f"/labs/{a_lab().id}", json.dumps(body))
    assert answer.status in (202, 400)
    lab = http.world.store.labs[a_lab().id]
    if answer.status == 400:
        assert answer.json["findings"]
        assert lab == a_lab(phase="ready")
    elif lab.phase == "updating":
        assert lab.change is not None
        assert all(isinstance(count, int) and 0 <= count <= 10 for count in lab.change.nodes.values())


@settings(max_examples=examples(200), deadline=None)
@given(QUERIES)
def test_any_query_is_answered_or_refused_by_parameter(query: dict[str, str]) -> None:
    answer = Http().get("/labs", query=query)
    assert answer.status in (200, 400)
    if answer.status == 400:
        assert {finding["path"] for finding in answer.json["findings"]} <= set(query)


@settings(max_examples=examples(200), deadline=None)
@given(st.text(max_size=40))
def test_any_text_is_no_lab_and_no_accident(text: str) -> None:
    http = Http()
    answer = http.post("/labs", text, headers={"content-type": "text/plain"})
    assert answer.status == 400
    assert http.world.store.labs == {}


@pytest.mark.parametrize("linked", [True, False], ids=["a link", "no link"])
@pytest.mark.parametrize("route", PUBLIC, ids=" ".join)
@settings(max_examples=examples(25), deadline=None)
@given(HOSTILE, st.sampled_from([*BODY_TYPES, "multipart/form-data; boundary=b", "a/b", ""]), st.text(max_size=9))
def test_no_body_and_no_header_of_anybody_is_an_accident(
    route: tuple[str, str], linked: bool, body: bytes, content_type: str, header: str
) -> None:
    http = the_world(route)
    path = path_of(http, route) if linked else path_of(http, route)[:-1] + "~"
    headers = {"content-type": content_type, "accept-language": header, "accept": "application/json", "cookie": header}
    answer = http.call(route[0], path, body=body, headers=headers)
    assert answer.status < 500, answer.text
    assert linked or "{token}" not in route[1] or answer.status in (404, 415)


def test_a_form_with_too_many_fields_is_refused_with_a_finding_and_only_of_who_has_a_link() -> None:
    route = ("POST", "/confirm/{token}")
    http, form = the_world(route), {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    path, body = path_of(http, route), b"&".join([b"answer=no"] * 99)
    refused = http.call("POST", path, body=body, headers=form)
    assert (refused.status, [finding["code"] for finding in refused.json["findings"]]) == (400, ["malformed-form"])
    assert http.call("POST", f"{path}x", body=body, headers=form).status == 404
    assert http.call("POST", path, body=b"answer=no&answer=yes", headers=form).status == 200

"""Bodies: accepted and refused ones, and the path of each error."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.inputs.body import LARGEST_BODY, read_body
from chalicelib.domain.errors.findings import Finding
from chalicelib.domain.errors.tree import InvalidRequest


def refusal(raw: bytes, content_type: str | None = None) -> Finding:
    with pytest.raises(InvalidRequest) as raised:
        read_body(raw, content_type)
    (finding,) = raised.value.findings
    return finding


def test_json_and_yaml_are_told_apart_by_content_type_and_else_by_the_first_character() -> None:
    assert read_body(b'{"name": "a"}', None) == {"name": "a"}
    assert read_body(b"name: a", "application/x-www-form-urlencoded") == {"name": "a"}
    assert read_body(b'\t{"name": "a"}', "application/json; charset=utf-8") == {"name": "a"}
    assert read_body(b"{name: a}", "application/yaml") == {"name": "a"}
    assert refusal(b"name: a", "application/json").code == "malformed-json"


def test_malformed_bodies_name_line_and_column() -> None:
    assert "line 2, column 8" in refusal(b'{"a": 1,\n "b":  }').message
    assert "line 3, column 1" in refusal(b"a: 1\nb: 2\na: 3\n").message
    assert "line 1, column 5" in refusal(b"a: b: c").message


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "body-empty"),
        (b"  \n", "body-empty"),
        (b"\xff\xfe", "not-utf-8"),
        (b"[1]", "wrong-type"),
        (b'"text"', "wrong-type"),
        (b"just words", "wrong-type"),
        (b'{"a": NaN}', "malformed-json"),
        (b'{"a": -Infinity}', "malformed-json"),
        (b'{"a": 1e999}', "number-too-large"),
        (b'{"a": ' + b"1" * 5000 + b"}", "number-too-large"),
        (b'{"a": 1, "a": 2}', "duplicate-key"),
        (b'{"a": "\\ud800"}', "not-utf-8"),
        (b'{"\\ud800": 1}', "not-utf-8"),
        (b'{"a":' * 3000 + b"1" + b"}" * 3000, "too-deep"),
        (b'{"a":' * 41 + b"1" + b"}" * 41, "too-deep"),
        (b"- " * 3000, "malformed-yaml"),
        (b"a: &x [1]\nb: *x", "malformed-yaml"),
        (b"a: 1\n---\nb: 2", "malformed-yaml"),
        (b"a: !!python/object/apply:os.system [ls]", "malformed-yaml"),
        (b"a: !!binary aGk=", "malformed-yaml"),
        (b"1: a", "malformed-yaml"),
        (b"? [a]\n: b", "malformed-yaml"),
        (b"a: \x07", "malformed-yaml"),
        (b"a: 1" + b"0" * 5000, "number-too-large"),
    ],
)
def test_what_could_be_meant_in_two_ways_or_does_harm_is_refused(raw: bytes, code: str) -> None:
    assert refusal(raw).code == code


@pytest.mark.parametrize(
    "raw",
    [
        '{"list": [1, {"a": 1e999}]}',
        '{"list": [1, {"a": -1e999}]}',
        f'{{"list": [1, {{"a": {"9" * 31}}}]}}',
        f'{{"list": [1, {{"a": -{"9" * 5000}}}]}}',
        f"list: [1, {{a: {'9' * 400}.0}}]",
        f"list: [1, {{a: -{'9' * 31}}}]",
    ],
    ids=range(6),
)
def test_a_number_that_is_too_large_is_refused_by_its_field(raw: str) -> None:
    refused = refusal(raw.encode())
    assert (refused.path, refused.code) == ("list[1].a", "number-too-large")


def test_all_numbers_that_are_too_large_are_named_in_their_order() -> None:
    with pytest.raises(InvalidRequest) as raised:
        read_body(b'{"a": 1e999, "b": {"c": [1, -1e999]}, "d": 2}', None)
    assert [finding.path for finding in raised.value.findings] == ["a", "b.c[1]"]


def test_a_body_of_the_largest_size_is_read_and_one_byte_more_is_not() -> None:
    text = b'{"name": "' + b"a" * (LARGEST_BODY - 12) + b'"}'
    assert len(text) == LARGEST_BODY
    assert read_body(text, None)
    assert refusal(text + b" ").code == "body-too-large"


def test_yaml_says_no_more_than_json_could() -> None:
    body = read_body(
        b"date: 2026-11-23\nsixties: 1:30\noctal: 010\nnan: .nan\nprice: 0.017\nnothing:\nyes_: yes\n", None
    )
    assert body == {
        "date": "2026-11-23",
        "sixties": "1:30",
        "octal": "010",
        "nan": ".nan",
        "price": 0.017,
        "nothing": None,
        "yes_": True,
    }


@given(st.binary(max_size=200))
def test_any_bytes_are_a_mapping_or_a_refusal(raw: bytes) -> None:
    try:
        assert isinstance(read_body(raw, None), dict)
    except InvalidRequest:
        return


@given(
    st.dictionaries(
        st.text(min_size=1, max_size=8).filter(str.isalpha),
        st.recursive(
            st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(max_size=8).filter(str.isprintable),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", min_size=1), inner, max_size=3),
            max_leaves=8,
        ),
        max_size=5,
    )
)
def test_json_is_also_read_as_yaml_and_says_the_same(value: dict[str, object]) -> None:
    raw = json.dumps(value, ensure_ascii=False).encode()
    assert read_body(raw, "application/yaml") == read_body(raw, "application/json") == value

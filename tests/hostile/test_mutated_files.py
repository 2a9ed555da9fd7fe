"""eksctl's own example files with a few random changes: each is accepted, or refused by path, without a failure."""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.api.http import Http
from tests.examples import examples

FILES = sorted((Path(__file__).parents[1] / "data/eksctl").glob("*.yaml"))
WHOLE = [file.read_text() for file in FILES]
#: Common wrong values from people and scripts.
WRONG: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63),
    st.floats(),
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "0", "true", "null", "NaN", "1e308", "-1", "a" * 5000, "\u202e", "\x00", "{{ }}", "../..", "*"]
    ),
    st.sampled_from([[], {}, [None], [[]], {"a": {}}, [{}], {"": ""}, {"name": None}]),
)
MANY = 5_000
Place = tuple[str | int, ...]


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    """The path to every value in a document."""
    yield at
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*at, key))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from places(inner, (*at, number))


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A file with one to three values replaced, removed, doubled or given a neighbour."""
    document = yaml.safe_load(draw(st.sampled_from(WHOLE)))
    for _ in range(draw(st.integers(1, 3))):
        ways = [place for place in places(document) if place]
        if ways:
            mutate(draw, document, draw(st.sampled_from(ways)))
    return yaml.safe_dump(document, allow_unicode=True)


def mutate(draw: st.DrawFn, document: Any, way: Place) -> None:
    *before, last = way
    inner = document
    for key in before:
        inner = inner[key]
    match draw(st.sampled_from(["replace", "remove", "double", "add"])):
        case "remove":
            del inner[last]
        case "double" if isinstance(inner, list):
            inner.append(copy.deepcopy(inner[last]))
        case "add" if isinstance(inner, dict):
            inner[draw(st.text(max_size=12))] = copy.deepcopy(draw(WRONG))
        case _:
            inner[last] = copy.deepcopy(draw(WRONG))


def answered(text: str) -> int:
    """The status of a dry run."""
    answer = Http().post("/labs", text, query={"dryRun": "true"}, headers={"content-type": "application/yaml"})
    assert answer.status in (200, 202, 400, 409, 422), answer.text
    if answer.status == 400:
        assert answer.json["detail"]
        assert all(finding["message"] for finding in answer.json.get("findings", []))
    return answer.status


@settings(max_examples=examples(150), deadline=None)
@given(mutated())
def test_a_mutated_file_is_taken_or_refused(text: str) -> None:
    answered(text)


@pytest.mark.long
def test_five_thousand_mutated_files_are_taken_or_refused() -> None:
    seen = Counter[int]()

    @settings(max_examples=MANY, deadline=None)
    @given(mutated())
    def asked(text: str) -> None:
        seen[answered(text)] += 1

    asked()
    assert seen.total() >= MANY
    assert {200, 400} <= set(seen)

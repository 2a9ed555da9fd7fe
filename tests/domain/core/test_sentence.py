"""Sentences are English strings that keep their template and values, through stores as well."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.aws.dynamodb.codec import Unfit, dumps, loads
from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import ENGLISH, Listed, Moment, Said, Sentence, Style, clause, ended, opening, said
from chalicelib.words.catalogues import words_of

AT = datetime(2026, 11, 23, 13, tzinfo=UTC)


@dataclass(frozen=True)
class Kept:
    reason: str


NAMES = st.text(max_size=20)
#: In a tuple each: Hypothesis inspects the types of strings that it drew.
PLAIN = st.one_of(
    NAMES,
    st.builds(Moment, st.datetimes(timezones=st.just(UTC)), st.just("Asia/Seoul"), st.sampled_from(list(Style))),
    st.builds(lambda name: Sentence("Keep {name}", name=name), NAMES),
    st.builds(lambda n: Sentence("{n} node", "{n} nodes", n=n), st.integers(0, 9)),
)


def boxed(text: str) -> tuple[str]:
    return (text,)


TEXTS = st.recursive(
    PLAIN.map(boxed),
    lambda inner: st.one_of(
        st.builds(
            lambda parts, last: (Listed([part for (part,) in parts], last),),
            st.lists(inner, min_size=1, max_size=3),
            st.sampled_from(["and", "or"]),
        ),
        inner.map(lambda box: (opening(box[0]),)),
        inner.map(lambda box: (clause(box[0]),)),
        inner.map(lambda box: (Sentence("Why: {reason}.", reason=box[0]),)),
    ),
    max_leaves=5,
)


@given(TEXTS)
def test_what_a_store_gives_back_says_the_same_in_every_language(box: tuple[str]) -> None:
    (text,) = box
    back = loads(Kept, dumps(Kept(text))).reason
    assert back == text
    for language in Language:
        assert said(back, words_of(language)) == said(text, words_of(language))


@given(TEXTS)
def test_a_copy_is_the_same(box: tuple[str]) -> None:
    (text,) = box
    assert said(copy.deepcopy(text), words_of(Language.KO)) == said(text, words_of(Language.KO))


def test_a_plain_text_is_stored_as_before() -> None:
    assert dumps(Kept("it is idle")) == '{"reason":"it is idle"}'


@pytest.mark.parametrize("kept", ['{"message": 1}', '{"moment":"x","zone":"UTC","style":"local"}', "{}", "[]", "1"])
def test_what_is_no_text_is_refused(kept: str) -> None:
    with pytest.raises(Unfit):
        loads(Kept, f'{{"reason":{kept}}}')


@given(st.text(alphabet="{}abc_.[]0", max_size=30))
def test_what_fills_a_slot_is_never_looked_through_for_slots(name: str) -> None:
    assert Sentence("<{name}|{other}>", name=name, other="x") == f"<{name}|x>"


def test_a_slot_that_nothing_fills_stays() -> None:
    assert Sentence("Keep {name}") == "Keep {name}"


@pytest.mark.parametrize(("number", "text"), [(0, "0 nodes"), (1, "1 node"), (2, "2 nodes")])
def test_a_number_chooses_the_form(number: int, text: str) -> None:
    assert Sentence("{n} node", "{n} nodes", n=number) == text


def test_shapes() -> None:
    assert (opening("it is"), clause("it is. "), ended("it is"), ended("is it?")) == (
        "It is",
        "it is",
        "it is.",
        "is it?",
    )


def test_every_said_text_is_itself_in_english() -> None:
    for text in (
        Moment(AT, "Asia/Seoul", Style.BOTH),
        Listed(["a", "b", "c"]),
        Sentence("in {n} day", "in {n} days", n=3),
    ):
        assert isinstance(text, Said)
        assert said(text, ENGLISH) == str(text)

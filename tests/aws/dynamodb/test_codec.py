"""Stored items are byte for byte those of an earlier version of the service, and are read back unchanged."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from chalicelib.aws.dynamodb.codec import Unfit, dumps, loads
from chalicelib.domain.core.place import Place
from chalicelib.domain.core.resources import LedgerEntry
from chalicelib.domain.core.service_health import Run
from chalicelib.domain.curfew.plan import Entry, EntryStatus, PlanHeader
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.identity.confirmation import Confirmation
from chalicelib.domain.identity.person import Person
from chalicelib.domain.identity.sessions import Session
from chalicelib.domain.idleness.verdict import Verdict
from chalicelib.domain.labs.lab import Lab
from chalicelib.domain.labs.spec import ExistingNetwork, NewNetwork
from chalicelib.domain.labs.steps import Event, Step
from chalicelib.domain.notices.mail import Mail
from chalicelib.domain.notices.notice import Notice
from chalicelib.domain.notices.posts import Post
from chalicelib.domain.requests.offers import Offers
from chalicelib.domain.support.fleet import ReadFailure
from chalicelib.domain.support.watched import Watched
from chalicelib.domain.teardown.receipt import Receipt
from tests.aws.given_curfew import an_entry
from tests.examples import examples
from tests.paths import PROJECT

STORED = (
    Lab, Step, Event, LedgerEntry, Receipt, Place, Registration, ReadFailure, Watched, Notice,
    CurfewRules, Entry, EntryStatus, PlanHeader, Verdict, Run, Offers, Session, Person, Confirmation, Mail,
    Post,
)  # fmt: skip
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30)), timezone(timedelta(hours=-8))])
for kind, strategy in (
    (str, WORDS),
    # With four decimals: smaller numbers were written with other exponents (1e-7, 1e-07), which mean the same.
    (float, st.floats(-1e6, 1e6).map(lambda number: round(number, 4))),
    (int, st.integers(-(2**63), 2**63)),
    (datetime, st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=ZONES)),
    (date, st.dates()),
    (time, st.times()),
    (Mapping, lambda of: st.dictionaries(*(st.from_type(each) for each in of.__args__), max_size=3)),
):
    st.register_type_strategy(kind, strategy)


@pytest.mark.parametrize("shape", STORED, ids=lambda shape: shape.__name__)
def test_what_is_written_is_what_was_always_written_and_reads_as_it_was(shape: type[Any]) -> None:
    before: TypeAdapter[Any] = TypeAdapter(shape)
    every_field = dict.fromkeys((field.name for field in fields(shape)), ...)

    @settings(max_examples=examples(25), deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.builds(shape, **every_field))
    def holds(thing: Any) -> None:
        text = dumps(thing)
        assert text.encode() == before.dump_json(thing)
        assert loads(shape, text) == thing == before.validate_json(text)

    holds()


@pytest.mark.parametrize("number", [5.960464477539063e-08, 1e-5, -0.0, 1e22])
def test_the_smallest_and_largest_numbers_read_as_they_were(number: float) -> None:
    entry, before = an_entry(hourly_usd=number), TypeAdapter(Entry)
    assert loads(Entry, dumps(entry)) == entry == before.validate_json(dumps(entry))
    assert loads(Entry, before.dump_json(entry)) == entry


def test_every_shape_that_the_stores_read_is_tried_here() -> None:
    texts = [path.read_text() for path in (PROJECT / "chalicelib/aws/dynamodb").rglob("*.py")]
    shapes = {shape for text in texts for shape in re.findall(r"\b(?:thing_of|read_body)\(([A-Z]\w+),", text)}
    assert shapes <= {shape.__name__ for shape in STORED}
    assert len(shapes) > 10


@dataclass(frozen=True, slots=True)
class Leaf:
    size: int
    when: datetime | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    name: str
    leaves: tuple[Leaf, ...] = ()
    marks: dict[str, bool] = field(default_factory=dict)
    day: date | None = None


def test_what_a_later_version_added_is_passed_over_and_what_an_earlier_one_left_out_takes_its_default() -> None:
    assert loads(Tree, '{"name": "oak", "height": 3, "leaves": [{"size": 1, "veins": []}]}') == Tree("oak", (Leaf(1),))


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("{}", "name is missing"),
        ('{"name": 1}', "name: str"),
        ('{"name": "oak", "leaves": [{"size": "1"}]}', "leaves: size: int"),
        ('{"name": "oak", "leaves": [{"size": true}]}', "leaves: size: int"),
        ('{"name": "oak", "leaves": [{"size": 1, "when": "noon"}]}', "leaves: when: "),
        ('{"name": "oak", "leaves": [{"size": 1, "when": "2026-11-24T22:00:00"}]}', "leaves: when: an instant"),
        ('{"name": "oak", "leaves": {}}', "leaves: list"),
        ('{"name": "oak", "marks": {"a": 1}}', "marks: bool"),
        ('{"name": "oak", "marks": []}', "marks: dict"),
        ('{"name": "oak", "day": "2026-02-30"}', "day: "),
        ("[]", "Tree is wanted"),
    ],
)
def test_what_does_not_fit_is_refused_by_its_field(text: str, named: str) -> None:
    with pytest.raises(Unfit, match=named):
        loads(Tree, text)


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(ValueError):
        loads(Tree, "{")


@pytest.mark.parametrize("network", [NewNetwork(), NewNetwork("10.0.0.0/16", ("a",)), ExistingNetwork(None, ("s",))])
def test_of_two_shapes_the_one_that_was_written_is_read(network: Any) -> None:
    holder = make_dataclass("Holder", [("network", NewNetwork | ExistingNetwork)])
    assert loads(holder, dumps(holder(network))) == holder(network)


@pytest.mark.parametrize("value", [{1, 2}, object(), b"bytes", timedelta(1)])
def test_what_no_shape_has_is_not_written_by_guessing(value: Any) -> None:
    with pytest.raises(TypeError):
        dumps(Tree(value))


@pytest.mark.parametrize("hint", [int | str, set[str], Callable[[], None], object])
def test_a_shape_that_nobody_could_read_back_is_not_read(hint: Any) -> None:
    with pytest.raises(TypeError):
        loads(make_dataclass("Unclear", [("one", hint)]), '{"one": 1}')

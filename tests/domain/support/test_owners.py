"""The owner of a cluster, for all common names of the tag."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.support.owners import answerable, cleaned, other_owners, precedence_of
from tests.fakes.fleet_builders import a_registration

DEFAULTS = a_registration(owner="accounts@example.com", team="platform@example.com")


@pytest.mark.parametrize(
    "tag", ["Owner", "owner", "OwnerContact", "owner-contact", "contact", "ekslab:owner", "OWNER_EMAIL"]
)
def test_an_owner_is_found_under_many_names(tag: str) -> None:
    assert answerable({tag: "ops@example.com"}, DEFAULTS) == ("ops@example.com", "platform@example.com")


@pytest.mark.parametrize(("tag"), ["Team", "team", "CostCenter", "cost-center"])
def test_so_is_a_team(tag: str) -> None:
    assert answerable({tag: "data"}, DEFAULTS) == ("accounts@example.com", "data")


def test_a_contact_is_nearer_than_an_owner_and_no_tags_mean_the_registration() -> None:
    assert answerable({"Owner": "unit 7", "OwnerContact": "ops@example.com"}, None)[0] == "ops@example.com"
    assert answerable({}, DEFAULTS) == ("accounts@example.com", "platform@example.com")
    assert answerable({}, None) == (None, None)


@pytest.mark.parametrize("value", ["", "  ", "TBD", "unknown", "-", "None"])
def test_words_that_name_nobody_name_nobody(value: str) -> None:
    assert answerable({"Owner": value}, DEFAULTS)[0] == "accounts@example.com"


def test_a_mail_link_is_taken_for_the_address() -> None:
    assert cleaned(' "<mailto:ops@example.com>" ') == "ops@example.com"


@given(st.text())
def test_what_is_cleaned_is_one_line_and_stays_as_it_is(text: str) -> None:
    clean = cleaned(text)
    assert clean is None or len(clean.splitlines()) == 1
    assert clean is None or cleaned(clean) == clean


def test_a_tag_of_ours_that_anybody_can_write_does_not_beat_the_owners() -> None:
    """Issue 11, row 7."""
    tags = {"owner": "jane@example.com", "EksLabOwner": "mallory@example.com"}
    assert answerable(tags, None)[0] == "jane@example.com"
    assert other_owners(tags, "jane@example.com") == ("mallory@example.com",)


@given(
    st.dictionaries(
        st.sampled_from(["Owner", "owner-contact", "contact", "ekslab:owner"]), st.sampled_from(["jo", "al", "Jo"])
    )
)
def test_whoever_a_tag_names_is_the_owner_or_hears_as_well(tags: dict[str, str]) -> None:
    owner, _ = answerable(tags, None)
    heard = {name.casefold() for name in (*other_owners(tags, owner), owner or "")} - {""}
    assert heard == {value.casefold() for value in tags.values()}


def test_the_precedence_of_owner_tags_is_a_setting() -> None:
    tags = {"OwnerContact": "ops", "Owner": "jo"}
    assert answerable(tags, None, precedence_of(["owner"]))[0] == "jo"
    assert answerable(tags, None, precedence_of(["maintainer", "owner-contact"]))[0] == "ops"
    with pytest.raises(ValueError, match="boss"):
        precedence_of(["boss"])

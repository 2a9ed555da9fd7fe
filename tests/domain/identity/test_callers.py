"""Identity, team membership and roles of callers."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.identity.callers import Caller, Team, identity_of
from chalicelib.domain.identity.patterns import patterns_of, permission_sets_matched
from chalicelib.domain.identity.people import People
from tests.fakes import a_caller

HOME = "111122223333"
SSO = f"arn:aws:sts::{HOME}:assumed-role/AWSReservedSSO_"
LEARNER = f"{SSO}Labs_0123456789abcdef/learner@example.com"
LEARNER_ANEW = f"{SSO}Labs_fedcba9876543210/learner@example.com"
LEARNER_AS_AUDITOR = f"{SSO}Audit_0123456789abcdef/learner@example.com"
OTHER = f"{SSO}Labs_0123456789abcdef/other@example.com"
#: Another owner's role that only resembles one by name.
PLAIN = f"arn:aws:sts::{HOME}:assumed-role/Labs_0123456789abcdef/learner"
IDENTITY = f"{SSO}Labs/learner@example.com"


def confirmed(_role: str, _id: str | None) -> bool:
    """IAM confirms every role as Identity Center's."""
    return True


@pytest.mark.parametrize(
    ("arn", "identity"),
    [
        (LEARNER, IDENTITY),
        (LEARNER_ANEW, IDENTITY),
        (IDENTITY, IDENTITY),
        (LEARNER.replace("aws:", "aws-us-gov:"), IDENTITY.replace("aws:", "aws-us-gov:")),
        (f"{SSO}My_Labs_0123456789abcdef/learner", f"{SSO}My_Labs/learner"),
        (f"{SSO}Labs_0123456789abcde/learner", f"{SSO}Labs_0123456789abcde/learner"),
        (PLAIN, PLAIN),
        (f"arn:aws:iam::{HOME}:user/people/learner", f"arn:aws:iam::{HOME}:user/people/learner"),
        (f"arn:aws:iam::{HOME}:root", f"arn:aws:iam::{HOME}:root"),
        ("learner@example.com", "learner@example.com"),
        ("", ""),
    ],
)
def test_only_the_suffix_of_a_permission_sets_role_is_left_out(arn: str, identity: str) -> None:
    assert identity_of(arn) == identity


@given(st.text())
def test_an_identity_is_its_own_identity(text: str) -> None:
    for arn in (text, f"{SSO}{text}_0123456789abcdef/{text}"):
        assert identity_of(identity_of(arn)) == identity_of(arn)


@pytest.mark.parametrize("owner", [LEARNER, LEARNER_ANEW, IDENTITY])
def test_an_owner_stays_the_owner_however_the_lab_was_kept(owner: str) -> None:
    for arn in (LEARNER, LEARNER_ANEW):
        assert a_caller(arn=arn).owns(owner)
    for arn in (
        OTHER,
        LEARNER_AS_AUDITOR,
        LEARNER.replace(HOME, "444455556666"),
        LEARNER.replace("learner@", "LEARNER@"),
    ):
        assert not a_caller(arn=arn).owns(owner)


def test_a_lab_without_an_owner_is_nobodys() -> None:
    team = Team("all", ("*@example.com",))
    assert not a_caller(arn=LEARNER, teams=(team,)).may_see("")
    assert a_caller(arn=LEARNER, is_viewer=True).may_see("")


@pytest.mark.parametrize(
    "pattern",
    [
        f"{SSO}Labs_0123456789abcdef/*",
        f"{SSO}Labs_fedcba9876543210/*",
        f"{SSO}Labs_*/*",
        f"{SSO}Labs/*",
        f"{SSO}*/*@example.com",
    ],
)
def test_a_pattern_fits_a_session_with_and_without_the_suffix(pattern: str) -> None:
    team = Team("shop", (pattern,))
    assert all(team.has(identity_of(arn)) for arn in (LEARNER, LEARNER_ANEW))
    assert team.has(identity_of(OTHER))


def test_a_pattern_of_one_permission_set_does_not_fit_another_one() -> None:
    team = Team("shop", (f"{SSO}Labs/*", f"{SSO}Labs_0123456789abcdef/*"))
    assert not team.has(identity_of(LEARNER_AS_AUDITOR))
    assert not team.has(f"{SSO}LabsAdmin/learner")


def test_a_team_sees_and_does_not_change_and_two_teams_do_not_see_each_other() -> None:
    teams = (Team("shop", (f"{SSO}Labs/*",)), Team("data", (f"{SSO}Audit/*",)))
    people = People(HOME, teams=teams, is_directory_role=confirmed)
    colleague, other = people.caller(OTHER, HOME, None), people.caller(LEARNER_AS_AUDITOR, HOME, None)
    assert colleague is not None
    assert other is not None
    assert (colleague.may_see(LEARNER_ANEW), colleague.may_change(LEARNER_ANEW)) == (True, False)
    assert (other.may_see(LEARNER), other.may_change(LEARNER)) == (False, False)


@given(
    st.sampled_from([LEARNER, OTHER, LEARNER_AS_AUDITOR, f"arn:aws:iam::{HOME}:root"]),
    st.sampled_from(["444455556666", "", f"{HOME}0", "*"]),
)
def test_callers_of_other_accounts_are_nobody_whatever_the_patterns_say(arn: str, account: str) -> None:
    anyone = ("*",)
    assert People(HOME, anyone, anyone, (Team("all", anyone),)).caller(arn, account, None) is None


def test_an_administrator_is_no_viewer_and_a_viewer_changes_not_even_what_is_theirs() -> None:
    people = People(HOME, (f"{SSO}Labs_*/other@*",), (f"{SSO}*",), is_directory_role=confirmed)
    admin, viewer = people.caller(OTHER, HOME, None), people.caller(LEARNER, HOME, None)
    assert admin == Caller(OTHER, HOME, None, is_admin=True, in_directory=True)
    assert viewer == Caller(LEARNER, HOME, None, is_viewer=True, in_directory=True)
    assert admin.may_change(LEARNER)
    assert viewer.may_see(OTHER)
    assert not viewer.may_change(LEARNER)


def test_a_role_that_is_only_called_like_one_is_nobody_of_the_directory() -> None:
    """Issue 11, row 5: a role made by hand, with a session name that its caller chooses."""
    people = People(HOME, (f"{SSO}Labs/*",), (f"{SSO}Labs_*",), (Team("shop", (f"{SSO}*/*",)),))
    for arn in (LEARNER, IDENTITY):
        impostor = people.caller(arn, HOME, None)
        assert impostor is not None
        assert (impostor.is_admin, impostor.is_viewer, impostor.teams, impostor.given_name) == (False, False, (), None)
        assert not impostor.owns(IDENTITY)
        assert not impostor.owns(LEARNER)
        assert not impostor.may_see(LEARNER)
        assert impostor.owns(impostor.identity)
        assert not a_caller(arn=LEARNER).owns(impostor.identity)


def test_iam_is_asked_of_the_role_behind_the_session_with_its_id() -> None:
    asked: list[tuple[str, str | None]] = []
    people = People(HOME, is_directory_role=lambda name, role_id: bool(asked.append((name, role_id))))
    for arn in (LEARNER, PLAIN, f"arn:aws:iam::{HOME}:user/learner", IDENTITY):
        people.caller(arn, HOME, None, "AROAEXAMPLE")
    assert asked == [("AWSReservedSSO_Labs_0123456789abcdef", "AROAEXAMPLE")]


@pytest.mark.parametrize(
    "pattern", ["PlatformTeam_*", "PlatformTeam_*/*", "PlatformTeam_0123456789abcdef/*", "PlatformTeam/*"]
)
def test_a_permission_sets_pattern_makes_no_administrator_of_another_set(pattern: str) -> None:
    """Issue 11, row 6."""
    people = People(HOME, (f"{SSO}{pattern}",), is_directory_role=confirmed)
    for name, is_admin in (("PlatformTeam", True), ("PlatformTeam_ReadOnly", False), ("Platform", False)):
        caller = people.caller(f"{SSO}{name}_fedcba9876543210/jane", HOME, None)
        assert caller is not None
        assert caller.is_admin is is_admin


@given(st.text(alphabet="ab?[]!.\\d{}^$|()+", max_size=12))
def test_a_pattern_without_a_star_fits_itself_alone(text: str) -> None:
    assert Team("shop", (text,)).has(text)
    for other in ("a", "b", "ab", "", "aa"):
        assert Team("shop", (text,)).has(other) is (text == other)


@pytest.mark.parametrize(
    ("pattern", "sets"),
    [
        (f"{SSO}Platform*/*", ("PlatformTeam", "PlatformTeam_ReadOnly")),
        (f"{SSO}PlatformTeam_*/*", ("PlatformTeam",)),
        ("arn:aws:sts::*:assumed-role/*", ("Labs", "PlatformTeam", "PlatformTeam_ReadOnly")),
        ("*", ("Labs", "PlatformTeam", "PlatformTeam_ReadOnly")),
        (f"arn:aws:iam::{HOME}:user/*", ()),
    ],
)
def test_a_pattern_tells_which_permission_sets_it_may_fit(pattern: str, sets: tuple[str, ...]) -> None:
    names = ("Labs", "PlatformTeam", "PlatformTeam_ReadOnly")
    assert permission_sets_matched(pattern, [f"AWSReservedSSO_{name}_0123456789abcdef" for name in names]) == sets


def fits_one_by_one(identity: str, pattern: str) -> bool:
    """The meaning of a pattern: evaluated alone, as an expression."""
    without = re.sub(
        r"(?<=AWSReservedSSO_)([^/]+?)_(?:[0-9a-f]{16}|\*)(/|$)", lambda m: f"{m[1]}/{'' if m[2] else '*'}", pattern
    )
    return re.fullmatch(".*".join(map(re.escape, without.split("*"))), identity, re.DOTALL) is not None


TEXTS = st.one_of(
    st.text("ab/*.\n", max_size=6),
    st.builds(
        "{}{}{}".format,
        st.just(SSO),
        st.sampled_from(["Labs", "Labs_0123456789abcdef", "Labs_*", "*", f"Labs{2 * '_0123456789abcdef'}"]),
        st.sampled_from(["", "/", "/*", "/mina", "\n"]),
    ),
)


@given(st.lists(TEXTS, max_size=8), st.lists(TEXTS, max_size=4))
def test_a_team_of_many_patterns_has_whom_one_of_them_fits(patterns: list[str], identities: list[str]) -> None:
    """Exact names use a look-up: a group of a thousand took as many expressions for each person."""
    one_by_one = any(fits_one_by_one(identity, pattern) for identity in identities for pattern in patterns)
    assert Team("t", tuple(patterns)).has(*identities) is one_by_one


def test_a_team_tries_an_expression_only_for_what_is_no_exact_name() -> None:
    names = tuple(f"arn:aws:iam::{HOME}:user/u{number}" for number in range(1200))
    known = patterns_of((*names, f"arn:aws:iam::{HOME}:user/t*", f"{SSO}Labs_0123456789abcdef"))
    assert (len(known.exact), len(known.others)) == (1200, 2)
    assert Team("t", names).has("nobody", names[-1])

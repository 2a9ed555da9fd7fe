"""Users of a user pool: names that are stable, unique and free of personal data; tokens without proof are refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.core.names import TAG_TEXT, principal_of
from chalicelib.domain.identity.callers import counted_as, directory_person, identity_of, role_to_confirm, shared_role
from chalicelib.domain.identity.patterns import fits
from chalicelib.domain.identity.people import People
from chalicelib.domain.identity.user_pools import PoolUser, Standing, Team, pool_user, user_in, why_refused
from tests.fakes import NOW
from tests.fakes.builders import ACCOUNT

POOL = f"arn:aws:cognito-idp:ap-northeast-2:{ACCOUNT}:userpool/ap-northeast-2_Abc123"
SUB = "0f1e2d3c-aaaa-bbbb-cccc-000000000001"
ISSUER, CLIENT, NONCE = "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Abc123", "client-1", "n" * 43
GOOD: dict[str, Any] = {
    "iss": ISSUER, "aud": CLIENT, "token_use": "id", "nonce": NONCE, "sub": SUB, "cognito:username": "learner",
    "iat": NOW.timestamp(), "exp": (NOW + timedelta(minutes=5)).timestamp(),
}  # fmt: skip
USERNAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=128)


def refused(**changed: Any) -> str | None:
    return why_refused({**GOOD, **changed}, ISSUER, CLIENT, NONCE, NOW)


def test_a_good_token_is_taken() -> None:
    assert refused() is None


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": ISSUER + "x"}, {"iss": ISSUER.upper()}, {"iss": None}, {"iss": [ISSUER]},
        {"iss": "https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Other"},
        {"iss": "https://cognito-idp.us-east-1.amazonaws.com/ap-northeast-2_Abc123"},
        {"aud": "client-2"}, {"aud": [CLIENT]}, {"aud": [CLIENT, "client-2"]}, {"aud": None}, {"aud": ""},
        {"token_use": "access"}, {"token_use": "refresh"}, {"token_use": None}, {"token_use": ["id"]},
        {"nonce": "m" * 43}, {"nonce": ""}, {"nonce": None}, {"nonce": NONCE[:-1]},
        {"exp": NOW.timestamp()}, {"exp": NOW.timestamp() - 1}, {"exp": None}, {"exp": "9999999999"}, {"exp": True},
        {"exp": [9e9]}, {"exp": float("nan")}, {"iat": NOW.timestamp() + 3600}, {"iat": None}, {"iat": "0"},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_proves_nothing_is_refused(changed: dict[str, Any]) -> None:
    assert refused(**changed) is not None


@pytest.mark.parametrize("missing", ["iss", "aud", "token_use", "nonce", "exp", "iat"])
def test_a_token_without_a_claim_is_refused(missing: str) -> None:
    claims = {name: value for name, value in GOOD.items() if name != missing}
    assert why_refused(claims, ISSUER, CLIENT, NONCE, NOW) is not None


def test_no_nonce_is_no_answer_to_a_login_without_one() -> None:
    assert why_refused({**GOOD, "nonce": ""}, ISSUER, CLIENT, "", NOW) is not None


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": None}, {"sub": ""}, {"sub": "a/b"}, {"sub": "*"}, {"sub": "x" * 65}, {"sub": [SUB]}, {"sub": "a b"},
        {"cognito:username": None}, {"cognito:username": ""}, {"cognito:username": 7}, {"cognito:username": "x" * 300},
        {"cognito:username": "\U0001f600" * 40},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_names_nobody_is_nobody(changed: dict[str, Any]) -> None:
    assert user_in({**GOOD, **changed}, POOL) is None


@given(USERNAMES)
def test_a_name_reads_back_is_a_tag_fits_no_pattern_by_chance_and_is_nobody_elses(username: str) -> None:
    arn = PoolUser(POOL, SUB, username).arn
    assert pool_user(arn) == PoolUser(POOL, SUB, username)
    assert not {"*", ",", "\n", "<", '"', "'", "&", " "} & set(arn)
    assert arn.count("/") == 3
    assert TAG_TEXT.fullmatch(arn)
    assert (identity_of(arn), counted_as(arn)) == (arn, arn)
    assert (shared_role(arn), directory_person(arn), principal_of(arn), role_to_confirm(arn)) == (
        None,
        None,
        None,
        None,
    )


@given(USERNAMES, USERNAMES)
def test_two_users_are_two(one: str, other: str) -> None:
    assert (PoolUser(POOL, SUB, one).arn == PoolUser(POOL, SUB, other).arn) == (one == other)


@pytest.mark.parametrize(
    "arn",
    [
        f"arn:aws:iam::{ACCOUNT}:user/{POOL}/{SUB}/learner",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/x/{POOL}",
        f"{POOL}/{SUB}",
        f"{POOL}/{SUB}/a/b",
        f"x{POOL}/{SUB}/learner",
        f"{POOL}/{SUB}/learner\n",
    ],
)
def test_no_other_caller_is_a_user_of_a_pool(arn: str) -> None:
    found = pool_user(arn)
    assert found is None or found.arn != arn or arn.startswith(POOL)
    assert not (found and arn.endswith(("\n", "/b")))


def people(standing: Callable[[str], Standing | None], **more: Any) -> People:
    return People(ACCOUNT, standing_of=standing, **more)


ARN = PoolUser(POOL, SUB, "learner").arn


def test_who_is_of_the_pool_no_more_is_nobody() -> None:
    assert people(lambda _: None).caller(ARN, ACCOUNT, None) is None
    assert People(ACCOUNT).caller(ARN, ACCOUNT, None) is None
    assert people(lambda _: Standing()).caller(ARN, "999988887777", None) is None


def test_nobody_else_is_asked_of_the_pool() -> None:
    asked: list[str] = []
    known = people(lambda arn: asked.append(arn))
    assert known.caller(f"arn:aws:iam::{ACCOUNT}:user/learner", ACCOUNT, None)
    assert asked == []


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ((), (False, False)),
        (("administrators",), (True, False)),
        (("viewers",), (False, True)),
        (("administrators", "viewers"), (True, False)),
        (
            ("Administrators", "administrators ", "team-administrators", "ap-northeast-2_Abc123_Organisation"),
            (False, False),
        ),
    ],
)
def test_groups_make_administrators_and_viewers(groups: tuple[str, ...], expected: tuple[bool, bool]) -> None:
    caller = people(lambda _: Standing(groups)).caller(ARN, ACCOUNT, None)
    assert caller is not None
    assert (caller.is_admin, caller.is_viewer) == expected


def test_a_group_makes_a_team_and_patterns_of_the_settings_fit_too() -> None:
    mate = PoolUser(POOL, "another-sub", "mate").arn
    pools = Team("shop", (ARN, mate))
    caller = people(lambda _: Standing(("team-shop",), (pools,)), teams=(Team("all", (f"{POOL}/*",)),)).caller(
        ARN, ACCOUNT, None
    )
    assert caller is not None
    assert [team.name for team in caller.teams] == ["all", "shop"]
    assert (caller.may_see(mate), caller.may_change(mate)) == (True, False)


def test_a_user_name_given_again_is_another_person() -> None:
    again = PoolUser(POOL, "another-sub", "learner").arn
    caller = people(lambda _: Standing()).caller(again, ACCOUNT, None)
    assert caller is not None
    assert not caller.owns(ARN)
    assert not fits((again,), (ARN,))


def test_a_user_name_is_no_name_that_was_given_so_that_no_tag_is_joined_by_it() -> None:
    caller = people(lambda _: Standing()).caller(ARN, ACCOUNT, None)
    assert caller is not None
    assert caller.given_name is None

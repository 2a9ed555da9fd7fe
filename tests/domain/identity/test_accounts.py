"""Places for labs: the registered accounts that accept them, and the answers to requests that name an account."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.domain.core.place import Place
from chalicelib.domain.identity.accounts import LabAccounts, Registration, lab_accounts
from chalicelib.domain.labs.spec import Limits, PodIdentitySpec
from chalicelib.domain.requests.defaults import ValidationContext
from chalicelib.domain.requests.draft import Draft
from chalicelib.domain.requests.validation.validate import complete
from tests.fakes import NOW, a_calendar, a_caller

HOME, MEMBER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{MEMBER}:role/ekslab-member-read"
ACCOUNTS = LabAccounts(HOME, ("ap-northeast-2",), {MEMBER: ("eu-west-1", "us-east-1")})
LABS_THERE = Registration(MEMBER, "training", ("eu-west-1", "us-east-1"), ROLE, labs=True)


def errors(draft: Draft, limits: Limits | None = None) -> dict[str, str]:
    found = complete(ValidationContext(draft, a_calendar(), a_caller(), limits or Limits(), NOW, accounts=ACCOUNTS))[1]
    return {finding.path: finding.code for finding in found if finding.severity == "error"}


def test_only_accounts_that_are_registered_for_labs_take_them() -> None:
    watched = Registration(
        "777788889999", "watched", ("eu-west-1",), "arn:aws:iam::777788889999:role/ekslab-member-read"
    )
    found = lab_accounts(HOME, ("ap-northeast-2",), [LABS_THERE, watched])
    assert found == ACCOUNTS
    assert found.places() == (Place(HOME, "ap-northeast-2"), Place(MEMBER, "eu-west-1"), Place(MEMBER, "us-east-1"))


def test_how_the_home_account_is_registered_changes_nothing_for_labs() -> None:
    watched_elsewhere = Registration(HOME, "home", ("us-east-1",), None)
    assert lab_accounts(HOME, ("ap-northeast-2",), [watched_elsewhere]) == LabAccounts(HOME, ("ap-northeast-2",))
    assert lab_accounts(HOME, (), [replace(watched_elsewhere, labs=True)]).members == {}


@pytest.mark.parametrize(
    ("account", "region", "message"),
    [
        (None, "us-west-2", {}),
        (HOME, "us-west-2", {}),
        (MEMBER, "eu-west-1", {}),
        (MEMBER, "us-west-2", {"region": "region-not-offered"}),
        ("777788889999", "eu-west-1", {"account": "account-not-registered"}),
        ("training", "eu-west-1", {"account": "invalid-account"}),
        ("", "eu-west-1", {"account": "invalid-account"}),
    ],
)
def test_a_place_that_takes_no_labs_is_refused_by_the_field_that_names_it(
    account: str | None, region: str, message: dict[str, str]
) -> None:
    assert errors(Draft(name="a", account=account, region=region)) == message


def test_what_the_installation_offers_holds_in_every_account() -> None:
    asked = Draft(name="a", account=MEMBER, region="eu-west-1")
    assert errors(asked, Limits(regions=("us-east-1",))) == {"region": "region-not-allowed"}


def test_a_lab_that_names_no_region_is_in_the_usual_one_where_its_account_has_it() -> None:
    def region(account: str | None, usual: str) -> str | None:
        draft, limits = Draft(name="a", account=account), Limits(default_region=usual)
        spec = complete(ValidationContext(draft, a_calendar(), a_caller(), limits, NOW, accounts=ACCOUNTS))[0]
        return spec.region if spec else None

    assert region(None, "ap-northeast-2") == region(HOME, "ap-northeast-2") == "ap-northeast-2"
    assert region(MEMBER, "ap-northeast-2") == "eu-west-1"
    assert region(MEMBER, "us-east-1") == "us-east-1"


def test_pods_become_roles_of_the_account_the_lab_is_in_not_of_the_callers() -> None:
    def asked(account: str) -> Draft:
        identity = PodIdentitySpec("default", "app", f"arn:aws:iam::{account}:role/ekslab/app")
        return Draft(name="a", account=MEMBER, region="eu-west-1", pod_identities=(identity,))

    assert errors(asked(MEMBER)) == {}
    assert errors(asked(HOME)) == {"podIdentities[0].roleArn": "role-not-allowed"}

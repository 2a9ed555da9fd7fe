"""Permission to change a cluster's settings: its owner, in any spelling of the tags, and administrators."""

from __future__ import annotations

import pytest

from chalicelib.domain.support.owners import answers_for, may_change
from tests.fakes import a_caller

SESSION = "arn:aws:sts::111122223333:assumed-role/Developers/ops@example.com"
SSO = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops_0123456789abcdef/ops@example.com"
USER = "arn:aws:iam::111122223333:user/people/ops"


@pytest.mark.parametrize(
    ("arn", "owner", "answers"),
    [
        (SSO, "ops@example.com", True),
        (SSO, "Ops@Example.com", True),
        (SSO, "Ops", False),
        (SESSION, SESSION, True),
        (SESSION, "ops@example.com", False),
        (SESSION.replace("Developers", "AWSReservedSSO_Ops"), "ops@example.com", False),
        (SESSION.replace("Developers", "My_AWSReservedSSO_Ops_0123456789abcdef"), "ops@example.com", False),
        (SESSION.replace("assumed-role/Developers", "federated-user"), "ops@example.com", False),
        (SESSION, "Developers", False),
        (SESSION, "ops", False),
        (USER, "ops", True),
        (USER, USER, True),
        (SSO, SSO.replace("0123456789abcdef", "fedcba9876543210"), True),
        (SSO, "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_Ops/ops@example.com", True),
        (SSO, SESSION, False),
        (USER, "people/ops", False),
        (USER, "", False),
        (USER, None, False),
    ],
)
def test_an_owner_is_known_by_the_whole_identity_or_by_a_name_given_to_them(
    arn: str, owner: str | None, answers: bool
) -> None:
    assert answers_for(a_caller(arn=arn), owner) is answers
    assert may_change(a_caller(arn=arn), owner) is answers
    assert may_change(a_caller(arn=arn, is_admin=True), owner) is True
    assert may_change(a_caller(arn=arn, is_viewer=True), owner) is False

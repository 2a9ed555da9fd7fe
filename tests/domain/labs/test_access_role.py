"""The lab's access role: the principals that its trust admits, by an evaluator of IAM policies, and the creators in its
sessions.
"""

from __future__ import annotations

import json

import pytest
from ministack.core.iam_evaluator import EvalContext, evaluate_trust_policy

from chalicelib.domain.identity.callers import directory_person
from chalicelib.domain.labs.access_role import access_role_name, access_trust, owner_by_access_role, person_behind
from chalicelib.domain.labs.kubeconfig import kubeconfig
from chalicelib.domain.stack.template import lab_stack
from tests.fakes.builders import ACCOUNT, OWNER, a_lab, a_spec

JANE = f"arn:aws:sts::{ACCOUNT}:assumed-role/AWSReservedSSO_Labs/jane@example.com"
DIRECTORY = "/aws-reserved/sso.amazonaws.com"
LAB = a_lab(owner=JANE, spec=a_spec(access_role=True, access=()))


def may_assume(path: str, role: str, session: str, account: str = ACCOUNT) -> bool:
    """IAM's request context for a role's session: the condition key's ARN has the role's path."""
    person = owner_by_access_role(LAB)
    assert person is not None
    arn = f"arn:aws:iam::{account}:role{path}/{role}"
    asked = EvalContext(
        principal_arn=arn,
        principal_type="AssumedRole",
        principal_account=account,
        action="sts:AssumeRole",
        resource_arn=f"arn:aws:iam::{ACCOUNT}:role/ekslab/{access_role_name(LAB)}",
        region="ap-northeast-2",
        principal_keys={"aws:userid": f"AROAEXAMPLE:{session}"},
    )
    caller = f"arn:aws:sts::{account}:assumed-role/{role}/{session}"
    return bool(evaluate_trust_policy(json.dumps(access_trust(person)), caller, asked))


@pytest.mark.parametrize("path", [DIRECTORY, f"{DIRECTORY}/eu-west-1"])
@pytest.mark.parametrize("suffix", ["0123456789abcdef", "fedcba9876543210"])
def test_the_owner_assumes_it_whatever_the_suffix_of_their_permission_sets_role(path: str, suffix: str) -> None:
    assert may_assume(path, f"AWSReservedSSO_Labs_{suffix}", "jane@example.com")


@pytest.mark.parametrize(
    ("path", "role", "session", "account"),
    [
        (DIRECTORY, "AWSReservedSSO_Labs_0123456789abcdef", "john@example.com", ACCOUNT),
        (DIRECTORY, "AWSReservedSSO_Labs_0123456789abcdef", "mary-jane@example.com", ACCOUNT),
        (DIRECTORY, "AWSReservedSSO_Labs_0123456789abcdef", "jane@example.com.evil", ACCOUNT),
        (DIRECTORY, "AWSReservedSSO_Labs_0123456789abcdef", "JANE@example.com", ACCOUNT),
        (DIRECTORY, "AWSReservedSSO_Labs_ReadOnly_0123456789abcdef", "jane@example.com", ACCOUNT),
        (DIRECTORY, "AWSReservedSSO_Labs_0123", "jane@example.com", ACCOUNT),
        (DIRECTORY, "Labs", "jane@example.com", ACCOUNT),
        ("/x", "AWSReservedSSO_Labs_0123456789abcdef", "jane@example.com", ACCOUNT),
        ("", "AWSReservedSSO_Labs_0123456789abcdef", "jane@example.com", ACCOUNT),
        (f"/x{DIRECTORY}", "AWSReservedSSO_Labs_0123456789abcdef", "jane@example.com", ACCOUNT),
        (DIRECTORY, "AWSReservedSSO_Labs_0123456789abcdef", "jane@example.com", "999988887777"),
    ],
)
def test_nobody_else_does(path: str, role: str, session: str, account: str) -> None:
    assert not may_assume(path, role, session, account)


@pytest.mark.parametrize(
    "owner",
    [
        OWNER,
        f"arn:aws:sts::{ACCOUNT}:assumed-role/Learners/jane@example.com",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/unconfirmed/AWSReservedSSO_Labs/jane@example.com",
        f"arn:aws:iam::{ACCOUNT}:user/AWSReservedSSO_Labs/jane@example.com",
        f"{JANE}*",
        f"{JANE}/more",
    ],
)
def test_only_a_user_of_the_directory_is_a_person_whom_a_trust_can_name(owner: str) -> None:
    assert directory_person(owner) is None
    lab = a_lab(owner=owner, spec=a_spec(access_role=True))
    assert "AccessRole" not in lab_stack(lab)["Resources"]


def test_the_stack_makes_it_with_no_rights_of_its_own_under_the_path_and_the_boundary_of_all() -> None:
    made = lab_stack(a_lab(owner=JANE, spec=LAB.spec, installation="prod"))
    role = made["Resources"]["AccessRole"]["Properties"]
    assert (role["Path"], role["RoleName"]) == ("/ekslab/", f"{LAB.id}-access")
    assert not {"Policies", "ManagedPolicyArns"} & role.keys()
    assert "policy/ekslab/prod-labs" in str(role["PermissionsBoundary"])
    assert made["Outputs"]["AccessRoleArn"] == {"Value": {"Fn::GetAtt": ["AccessRole", "Arn"]}}


@pytest.mark.parametrize(
    ("who", "is_owner"),
    [
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/{LAB.id}-access/EKSGetTokenAuth", True),
        (f"arn:aws:sts::999988887777:assumed-role/{LAB.id}-access/EKSGetTokenAuth", False),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/{LAB.id}0-access/EKSGetTokenAuth", False),
        (f"arn:aws:sts::{ACCOUNT}:assumed-role/another/{LAB.id}-access", False),
        ("system:serviceaccount:default:default", False),
    ],
)
def test_what_a_session_of_it_does_is_the_owners(who: str, is_owner: bool) -> None:
    assert person_behind(who, LAB) == (JANE if is_owner else who)
    assert person_behind(who, a_lab(owner=JANE)) == who


def test_a_kubeconfig_assumes_it_where_it_is_the_readers_way_in() -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:role/ekslab/{LAB.id}-access"
    [with_it], [without] = (kubeconfig(LAB, "https://x", "LS0t", role)["users"] for role in (arn, None))
    assert with_it["user"]["exec"]["args"][-2:] == ["--role-arn", arn]
    assert "--role-arn" not in without["user"]["exec"]["args"]

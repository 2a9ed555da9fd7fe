"""Principals with access, and roles for pods, against the facts of IAM and EKS."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.domain.labs.spec import AccessPolicySpec, AccessSpec, LabSpec, PodIdentitySpec
from chalicelib.domain.requests.principals import (
    check_access_policies,
    check_pod_roles,
    check_principals,
    check_same_principals,
    with_principals,
)
from tests.fakes.builders import a_spec

ROLE = "arn:aws:iam::111122223333:role/student"
WHOLE = "arn:aws:iam::111122223333:role/school/student"
FOREIGN = "arn:aws:iam::444455556666:user/guest"
VIEW = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"


def letting_in(*principals: str, policy: str = VIEW) -> LabSpec:
    return replace(a_spec(), access=tuple(AccessSpec(arn, (AccessPolicySpec(policy),)) for arn in principals))


def test_a_principal_of_our_accounts_that_is_not_there_is_refused() -> None:
    [finding] = check_principals(letting_in(ROLE), {ROLE: None})
    assert (finding.path, finding.code, finding.severity) == ("access[0].principalArn", "principal-missing", "error")


def test_one_of_another_account_is_a_warning() -> None:
    [finding] = check_principals(letting_in(ROLE, FOREIGN), {ROLE: ROLE})
    assert (finding.path, finding.code, finding.severity) == (
        "access[1].principalArn",
        "principal-not-checked",
        "warning",
    )


def test_a_role_named_without_its_path_is_meant_with_it() -> None:
    known = {ROLE: WHOLE}
    assert list(check_principals(letting_in(ROLE), known)) == []
    assert [entry.principal_arn for entry in with_principals(letting_in(ROLE, FOREIGN), known).access] == [
        WHOLE,
        FOREIGN,
    ]


def test_a_role_named_with_and_without_its_path_is_there_twice() -> None:
    known = {ROLE: WHOLE, WHOLE: WHOLE}
    [finding] = check_same_principals(letting_in(WHOLE, ROLE), known)
    assert (finding.path, finding.code) == ("access[1].principalArn", "duplicate")
    assert list(check_same_principals(letting_in(WHOLE, FOREIGN), known)) == []


def test_an_access_policy_that_eks_does_not_have_is_refused_with_those_it_has() -> None:
    made_up = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSReadPolicy"
    [finding] = check_access_policies(letting_in(ROLE, policy=made_up), {VIEW})
    assert (finding.path, finding.code) == ("access[0].policies[0].policyArn", "policy-missing")
    assert "AmazonEKSViewPolicy" in finding.message
    assert list(check_access_policies(letting_in(ROLE), {VIEW})) == []
    assert list(check_access_policies(letting_in(ROLE, policy=made_up), ())) == [], "not known is not refused"


def test_a_role_for_pods_must_be_there_under_its_path() -> None:
    role = "arn:aws:iam::111122223333:role/ekslab/pods"
    spec = replace(a_spec(), pod_identities=(PodIdentitySpec("default", "web", role),))
    assert list(check_pod_roles(spec, {role: role})) == []
    for known in ({role: None}, {role: "arn:aws:iam::111122223333:role/pods"}, {}):
        [finding] = check_pod_roles(spec, known)
        assert (finding.path, finding.code) == ("podIdentities[0].roleArn", "role-missing")

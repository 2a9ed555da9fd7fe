"""The template for other accounts: current, small enough for IAM, and with no right that the service lacks at home."""

from __future__ import annotations

import json
from typing import Any

import pytest

from deployment.member_account import HOME_ONLY, TEMPLATE, length, rights_by_policy, template, text
from deployment.packaging import PROJECT
from tests.deployment import bounds

STATEMENTS = json.loads((PROJECT / ".chalice/statements.json").read_text())
GRANTS = json.loads((PROJECT / ".chalice/grants.json").read_text())
IAM_TAKES = 6144
#: CloudFormation's limit of a request (`--template-body`, `deploy` without a bucket), less some reserve.
CLOUDFORMATION_TAKES, ROOM = 51_200, 2_000


@pytest.fixture(scope="module")
def resources() -> dict[str, Any]:
    return dict(template()["Resources"])


def test_the_template_is_current() -> None:
    assert TEMPLATE.read_text() == text(), "run `make compose`"


def test_every_right_that_acts_in_an_account_is_there_once_and_none_over_what_is_at_home(
    resources: dict[str, Any],
) -> None:
    there = [sid for policy in policies(resources).values() for sid in sids(policy)]
    wanted = {sid(name) for name in STATEMENTS if name not in HOME_ONLY}
    assert sorted(there) == sorted(wanted)
    assert set(STATEMENTS) >= HOME_ONLY


def test_each_function_assumes_one_role_of_an_account_or_none() -> None:
    """Issue 11, row 12: 41 of 67 functions could assume the one role that had all rights."""
    rights = rights_by_policy()
    for function, names in GRANTS.items():
        acts = {name for name in names if name not in HOME_ONLY}
        assumed = {"assume-member-read", "assume-member-labs"} & {*names}
        assert len(assumed) == bool(acts), (function, acts)
        assert not acts & {*rights["Labs"]} or assumed == {"assume-member-labs"}, function
        assert acts & {*rights["Labs"]} or assumed <= {"assume-member-read"}, function


def test_the_role_that_looks_changes_nothing_of_a_lab(resources: dict[str, Any]) -> None:
    rights = rights_by_policy()
    changing = {name for kind in ("Watch", "Read") for name in rights[kind] if bounds.changes(STATEMENTS[name])}
    assert changing == {"refresh-insights"}, "EKS looks anew at a cluster's insights"
    own = {name for name, thing in policies(resources).items() if {"Ref": "ReadRole"} in thing["Properties"]["Roles"]}
    assert {name for name in policies(resources) if name not in own} == {
        n for n in resources if n.startswith("LabsPolicy")
    }


def test_each_role_has_less_than_iam_takes(resources: dict[str, Any]) -> None:
    for role in ("ReadRole", "LabsRole"):
        attached = [
            thing for thing in policies(resources).values() if f'"{role}"' in json.dumps(thing["Properties"]["Roles"])
        ]
        assert len(attached) <= 10


def test_an_account_that_is_only_watched_is_only_read(resources: dict[str, Any]) -> None:
    always = [name for name, thing in resources.items() if "Condition" not in thing]
    assert always == ["ReadRole", "WatchPolicy"]
    assert actions(resources["WatchPolicy"]) == {
        "ec2:DescribeAddresses", "ec2:DescribeAvailabilityZones", "ec2:DescribeImages", "ec2:DescribeInstanceTypeOfferings",
        "ec2:DescribeInstances", "ec2:DescribeKeyPairs", "ec2:DescribeRouteTables",
        "ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "eks:DescribeAccessEntry", "eks:DescribeAddon",
        "eks:DescribeAddonVersions", "eks:DescribeCluster", "eks:DescribeClusterVersions", "eks:DescribeFargateProfile",
        "eks:DescribeInsight", "eks:DescribeNodegroup", "eks:DescribePodIdentityAssociation", "eks:DescribeUpdate",
        "eks:ListAccessEntries", "eks:ListAddons", "eks:ListAssociatedAccessPolicies", "eks:ListClusters",
        "eks:ListFargateProfiles", "eks:ListInsights", "eks:ListNodegroups", "eks:ListPodIdentityAssociations",
        "eks:StartInsightsRefresh",
    }  # fmt: skip


def test_only_the_support_type_of_clusters_can_be_set_and_only_where_the_account_says_so(
    resources: dict[str, Any],
) -> None:
    parameter = template()["Parameters"]["ChangeSupport"]
    assert (parameter["Default"], template()["Conditions"]["ChangesSupport"]) == (
        "false",
        {"Fn::Equals": [{"Ref": "ChangeSupport"}, "true"]},
    )
    assert resources["SupportPolicy"]["Condition"] == "ChangesSupport"
    assert actions(resources["SupportPolicy"]) == {"eks:UpdateClusterConfig"}
    (said,) = resources["SupportPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert said["Condition"] == STATEMENTS["set-support-policy"]["Condition"] == {"Null": {"eks:supportType": "false"}}


def test_iam_takes_every_policy(resources: dict[str, Any]) -> None:
    lengths = {name: length(thing["Properties"]["PolicyDocument"]) for name, thing in policies(resources).items()}
    assert max(lengths.values()) < IAM_TAKES, lengths


def test_the_template_fits_in_a_request_as_the_commands_of_the_page_send_it() -> None:
    assert len(TEMPLATE.read_bytes()) <= CLOUDFORMATION_TAKES - ROOM
    assert json.loads(text()) == template()


def test_an_external_id_can_be_changed_while_both_are_taken() -> None:
    taken = template()["Parameters"]["ExternalId"]
    at_home = json.loads((PROJECT / ".chalice/template.json").read_text())["Parameters"]["ExternalId"]
    assert taken["Type"] == "CommaDelimitedList"
    assert taken["AllowedPattern"] == at_home["AllowedPattern"], "each of them, as it is at home"
    assert "," not in taken["AllowedPattern"].partition("{")[0]


def test_nothing_is_named_that_is_not_in_the_template(resources: dict[str, Any]) -> None:
    known = {*resources, *template()["Parameters"]}
    named = set(references(resources))
    assert {name for name in named if not name.startswith("AWS::")} <= known
    assert "AWS::StackName" not in named, "the service knows roles and the boundary by the name of its own stack"


def test_both_roles_trust_the_services_functions_alone_and_only_with_the_external_id(resources: dict[str, Any]) -> None:
    for role, suffix in (("ReadRole", "read"), ("LabsRole", "labs")):
        (trust,) = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert resources[role]["Properties"]["RoleName"] == {"Fn::Sub": "${RoleName}-" + suffix}
        assert trust["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${ServiceAccount}:root"}}
        assert trust["Condition"]["StringEquals"] == {"sts:ExternalId": {"Ref": "ExternalId"}}
        caller = trust["Condition"]["ArnLike"]["aws:PrincipalArn"]["Fn::Sub"]
        assert caller == "arn:${AWS::Partition}:iam::${ServiceAccount}:role/${ServiceStack}-*"
    assert "Default" not in template()["Parameters"]["ExternalId"]


def policies(resources: dict[str, Any]) -> dict[str, Any]:
    """Those of the service's own role."""
    return {name: thing for name, thing in resources.items() if "Roles" in thing["Properties"]}


def actions(policy: dict[str, Any]) -> set[str]:
    said = [statement["Action"] for statement in policy["Properties"]["PolicyDocument"]["Statement"]]
    return {action for some in said for action in ([some] if isinstance(some, str) else some)}


def sids(policy: dict[str, Any]) -> list[str]:
    return [statement["Sid"] for statement in policy["Properties"]["PolicyDocument"]["Statement"]]


def sid(name: str) -> str:
    return "".join(part for part in name.title() if part.isalnum())


def references(thing: Any) -> list[str]:
    match thing:
        case {"Ref": str(name)} | {"Fn::GetAtt": [str(name), *_]}:
            return [name]
        case {"Fn::Sub": str(message)}:
            return [part.partition("}")[0].partition(".")[0] for part in message.split("${")[1:]]
        case dict():
            return [name for value in thing.values() for name in references(value)]
        case list():
            return [name for value in thing for name in references(value)]
        case _:
            return []

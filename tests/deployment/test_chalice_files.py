"""The output of `deployment/compose.py`: every deployed function has a policy with only the needed rights."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase

from moto.iam.aws_managed_policies import aws_managed_policies_data

from deployment import compose
from deployment.member_account import HOME_ONLY
from tests.deployment import bounds
from tests.paths import PROJECT


def test_no_policy_is_left_of_a_function_that_is_gone() -> None:
    there = {f".chalice/policies/{path.name}" for path in (PROJECT / ".chalice/policies").iterdir()}
    assert there == {path for path in compose.composed() if "/policies/" in path}


def test_every_right_is_said_once_has_a_reason_and_is_granted_to_someone() -> None:
    statements = json.loads((PROJECT / ".chalice/statements.json").read_text())
    granted = {name for names in json.loads((PROJECT / ".chalice/grants.json").read_text()).values() for name in names}
    assert [name for name, said in statements.items() if not said.get("why")] == []
    assert granted == set(statements)


def test_no_right_is_a_wildcard_and_what_changes_things_names_what_it_may_change() -> None:
    reading = ("Describe", "List", "Get", "BatchGet", "Lookup")
    #: EC2 checks RunInstances against a dozen resource types at once; service-linked roles are bound by a condition;
    #: CreateCluster has no existing resource (AWS's service authorization reference lists none).
    unscoped = {"run-work-host", "launch-by-template", "eks-service-linked-roles", "create-clusters"}
    for name, said in json.loads((PROJECT / ".chalice/statements.json").read_text()).items():
        actions = [said["Action"]] if isinstance(said["Action"], str) else said["Action"]
        assert not [action for action in actions if "*" in action], name
        changes = [action for action in actions if not action.split(":")[1].startswith(reading)]
        assert not changes or said["Resource"] != "*" or name in unscoped, f"{name}: {changes} on everything"


def test_who_only_reads_in_other_accounts_has_their_role_for_reading_only() -> None:
    statements = json.loads((PROJECT / ".chalice/statements.json").read_text())
    abroad = {
        name: [statements[each] for each in names if each not in HOME_ONLY]
        for name, names in json.loads((PROJECT / ".chalice/grants.json").read_text()).items()
        if {"assume-member-read", "assume-member-labs"} & {*names}
    }
    readers = {name for name, said in abroad.items() if not any(bounds.changes(each) for each in said)}
    assert len(readers) > 10
    assert readers <= {*compose.member_roles("read")}
    assert set(compose.readers_abroad()) == readers
    resources = json.loads((PROJECT / ".chalice/resources.json").read_text())["Resources"]
    narrowed = {name for name, made in resources.items() if "EKSLAB_SESSION_POLICY" in json.dumps(made)}
    assert narrowed == {compose.logical_id(name) for name in readers}


def test_each_function_is_told_which_of_the_two_roles_is_its_own() -> None:
    resources = json.loads((PROJECT / ".chalice/resources.json").read_text())["Resources"]
    labs = {compose.logical_id(name) for name in compose.member_roles("labs")}
    told = {
        name: made["Properties"]["Environment"]["Variables"]["EKSLAB_MEMBER_ROLE"]
        for name, made in resources.items()
        if "EKSLAB_MEMBER_ROLE" in json.dumps(made)
    }
    assert told == dict.fromkeys(labs, "labs")


def test_the_session_policy_of_readers_holds_all_that_they_read() -> None:
    statements = json.loads((PROJECT / ".chalice/statements.json").read_text())
    grants = json.loads((PROJECT / ".chalice/grants.json").read_text())
    said = [statements[each] for name in compose.readers_abroad() for each in grants[name] if each not in HOME_ONLY]
    read = {action for each in said for action in bounds.several(each["Action"])}
    known = json.loads(aws_managed_policies_data)["ReadOnlyAccess"]["Document"]["Statement"]
    patterns = [pattern.lower() for each in known for pattern in bounds.several(each["Action"])]
    assert [action for action in read if not any(fnmatchcase(action.lower(), each) for each in patterns)] == []

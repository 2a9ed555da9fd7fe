"""Limits of a right to change resources: a condition on a tag or a name, or a resource with the service's name.

For tests/deployment/test_bounds.py. The access levels (writing, tagging, managing permissions) come from AWS's service
authorization reference in the parliament package; an action that is missing there counts as a change.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import parliament

from tests.deployment.rights import CHALICE

Json = dict[str, Any]
_READING = ("Read", "List")
#: Prefixes of the names of actions that delete or remove.
_TAKING_AWAY = ("Delete", "Terminate", "Release", "Revoke", "Remove", "Disassociate", "Detach")
#: Keys about the request, not the resource: a right with these alone reaches all resources of its kind.
_OF_THE_ACT = ("eks:supporttype", "route53:")
#: The part of a resource's ARN beside its kind: the service's prefix for stacks, roles and functions.
_OUR_NAME = re.compile(r"ekslab|\$\{AWS::StackName\}|\$\{ServiceStack\}|\$\{RoleName\}|\$\{\w+\.Arn\}")


def everything_said() -> Iterator[tuple[str, Json]]:
    """Each right of functions by its name, each statement of the template's roles as `<role>/<Sid>`."""
    yield from json.loads((CHALICE / "statements.json").read_text()).items()
    yield from of_roles(json.loads((CHALICE / "resources.json").read_text())["Resources"])


def of_roles(resources: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    """Each statement of the roles and of the policies for roles among the resources of a template."""
    for name, made in resources.items():
        properties = made.get("Properties", {})
        policies = properties.get("Policies", [])
        # A user pool's are about passwords.
        documents = [policy["PolicyDocument"] for policy in policies] if isinstance(policies, list) else []
        if "Roles" in properties:
            documents.append(properties["PolicyDocument"])
        for said in (said for document in documents for said in document["Statement"]):
            yield f"{name}/{said['Sid']}", said


def unbound() -> Mapping[str, str]:
    """The rights that can't be bound, with reasons by name."""
    reasons: Mapping[str, str] = json.loads((CHALICE / "unbound.json").read_text())
    return reasons


def written() -> Mapping[str, str]:
    """The rights to delete that are bound only by tags that people can write, with reasons by name."""
    reasons: Mapping[str, str] = json.loads((CHALICE / "written.json").read_text())
    return reasons


def deletes(said: Json) -> bool:
    """Whether any of its actions deletes or removes."""
    return any(action.partition(":")[2].startswith(_TAKING_AWAY) for action in several(said["Action"]))


def is_bound_by_marks_alone(said: Json) -> bool:
    """Whether a person with a right to tag could write all required tags: no name of the service, no tag of AWS's."""
    wanted = {
        key
        for operator, keys in said.get("Condition", {}).items()
        for key, value in keys.items()
        if _wants_a_mark({operator: {key: value}})
    }
    by_aws = any(
        not key.lower().startswith("aws:resourcetag/") or key[len("aws:ResourceTag/") :].startswith("aws:")
        for key in wanted
    )
    return bool(wanted) and not by_aws and not all(_is_ours(each) for each in several(said["Resource"]))


def changes(said: Json) -> bool:
    """Whether any of its actions changes anything."""
    return any(_level(action) not in _READING for action in several(said["Action"]))


def is_bound(said: Json) -> bool:
    """Whether it reaches only tagged or named resources. The tag that a right to tag adds does not count as existing."""
    condition = said.get("Condition", {})
    if all(action.endswith(":TagResource") for action in several(said["Action"])):
        condition = {operator: _without_asked(keys) for operator, keys in condition.items()}
    return _wants_a_mark(condition) or all(_is_ours(each) for each in several(said["Resource"]))


def _without_asked(keys: Json) -> Json:
    return {key: value for key, value in keys.items() if not key.lower().startswith("aws:requesttag/")}


def several(value: Any) -> list[Any]:
    """Policies write a single value without a list."""
    return value if isinstance(value, list) else [value]


def _wants_a_mark(condition: Json) -> bool:
    asked = [(operator, key, value) for operator, keys in condition.items() for key, value in keys.items()]
    return any(
        not key.lower().startswith(_OF_THE_ACT)
        and (operator != "Null" or value == "false")
        and "Not" not in operator
        and not operator.endswith("IfExists")
        and not operator.startswith("ForAllValues")
        for operator, key, value in asked
    )


def _is_ours(resource: Any) -> bool:
    match resource:
        case {"Ref": _} | {"Fn::GetAtt": _}:
            return True
        case {"Fn::Sub": str(text)} | str(text):
            return bool(_OUR_NAME.search(text.split(":", 5)[-1] if text.count(":") >= 5 else text))
        case _:
            return False


def _level(action: str) -> str:
    return _levels().get(action.lower(), "Unknown") if "*" not in action else _of_pattern(action.lower())


def _of_pattern(action: str) -> str:
    known = {level for name, level in _levels().items() if name.startswith(action.partition("*")[0])}
    return "List" if known <= {*_READING} else "Write"


#: Actions newer than parliament's list, from AWS's Service Authorization Reference.
_NEWER = {"freetier:getaccountplanstate": "Read"}


@cache
def _levels() -> Mapping[str, str]:
    listed = json.loads((Path(parliament.__file__).parent / "iam_definition.json").read_text())
    known = {
        f"{service['prefix']}:{each['privilege']}".lower(): each["access_level"]
        for service in listed
        for each in service["privileges"]
    }
    return _NEWER | known

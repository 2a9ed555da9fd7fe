"""Every operation of the model has an action, and every request the resource that AWS would check."""

from __future__ import annotations

import re

import pytest

from emulator.eks.http import model
from emulator.eks.http.iam_actions import action_for, resource_for

HERE = ("ap-northeast-2", "111122223333")
ROLE = "arn:aws:iam::111122223333:role/path/learner"


@pytest.mark.parametrize("operation", model.service().operation_names)
def test_every_operation_is_found_by_its_own_address(operation: str) -> None:
    http = model.operation(operation).http
    values = {"resourceArn": "arn:aws:eks:a:1:cluster/c", "principalArn": ROLE, "policyArn": "arn:aws:eks::aws:p/View"}
    path = re.sub(r"\{(\w+)\}", lambda label: values.get(label.group(1), "x"), http["requestUri"])
    assert action_for(http["method"], path) == f"eks:{operation}"


@pytest.mark.parametrize(
    ("method", "path", "resource"),
    [
        ("GET", "/clusters", "*"),
        ("GET", "/cluster-versions", "*"),
        ("POST", "/clusters", "*"),
        ("GET", "/clusters/c", "cluster/c"),
        ("POST", "/clusters/c/node-groups", "cluster/c"),
        ("DELETE", "/clusters/c/node-groups/n", "nodegroup/c/n/*"),
        ("DELETE", f"/clusters/c/access-entries/{ROLE}", "access-entry/c/role/111122223333/learner/*"),
        ("GET", "/clusters/c/pod-identity-associations/a-1", "podidentityassociation/c/a-1"),
    ],
)
def test_the_resource_is_what_the_request_is_about(method: str, path: str, resource: str) -> None:
    expected = resource if resource == "*" else f"arn:aws:eks:ap-northeast-2:111122223333:{resource}"
    assert resource_for(method, path, *HERE) == expected

"""Operations in texts and refusals have AWS's names, so that readers can look them up."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from types import SimpleNamespace
from typing import Any

import botocore.session
import pytest
from botocore import xform_name

from chalicelib.aws.inventory.eks import EksDescribeCalls
from chalicelib.domain.core.resources import Kind, Resource
from chalicelib.domain.errors.tree import AwsRefused
from chalicelib.domain.teardown.evidence import PARTS_OF_CLUSTER
from tests.emulator.test_operations import NAMES
from tests.paths import PROJECT

#: A text in the form of an operation's name.
NAMED = re.compile(r"(?:^|[\s(`'])([a-z0-9-]+):([A-Z][A-Za-z0-9]*)\b")
#: IAM actions that are no operations, and condition keys, which have the same form.
OTHERS = {"iam:PassRole", "execute-api:Invoke", "sts:TagSession", "ec2:CreateAction", "ec2:Vpc"}
#: The older API with the same IAM prefix.
OLDER = {"elasticloadbalancing": ("elb",)}
SERVICES = {"autoscaling", "cloudformation", "cloudtrail", "cloudwatch", "dynamodb", "ec2", "eks", "elasticfilesystem"}
SERVICES |= {"elasticloadbalancing", "events", "iam", "logs", "pricing", "route53", "secretsmanager", "sns", "sqs"}
SERVICES |= {"ssm", "states", "sts", "tag", "kms", "ses", "cognito-idp", "servicequotas", "freetier", "ce"}


@cache
def operations(service: str) -> frozenset[str]:
    session = botocore.session.get_session()
    names = {NAMES.get(service, service), *OLDER.get(service, ())}
    return frozenset(name for each in names for name in session.get_service_model(each).operation_names)


def texts() -> Iterator[tuple[str, str, str]]:
    """(file, service, operation) of every operation in a text of the service's code; `…` where the name continues."""
    for path in sorted((PROJECT / "chalicelib").rglob("*.py")):
        tree = ast.parse(path.read_text())
        begun = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values[:-1]}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                for found in NAMED.finditer(node.value):
                    service, operation = found.groups()
                    goes_on = id(node) in begun and found.end() == len(node.value)
                    if service in SERVICES and f"{service}:{operation}" not in OTHERS:
                        yield path.name, service, operation + ("…" if goes_on else "")


#: Functions that take an operation's name without its service's.
OF_SERVICE = {"listed": "eks", "_InEc2": "ec2"}


def built() -> Iterator[tuple[str, str, str]]:
    """(file, service, operation) of every operation whose name is composed in code."""
    for path in sorted((PROJECT / "chalicelib/aws").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
                if called in OF_SERVICE:
                    yield path.name, OF_SERVICE[called], ast.literal_eval(node.args[0])


def test_each_operation_that_a_text_names_is_one_of_aws_s() -> None:
    named = set(texts())
    assert len(named) > 100
    wrong = {(file, f"{service}:{name}") for file, service, name in named if not is_named(service, name)}
    assert wrong == set()


def is_named(service: str, name: str) -> bool:
    if name.endswith("…"):
        return any(operation.startswith(name[:-1]) for operation in operations(service))
    return name in operations(service)


def test_a_name_that_is_put_together_is_an_operation_of_its_service() -> None:
    said = set(built())
    assert {service for _, service, _ in said} == {"eks", "ec2"}
    assert len(said) > 20
    assert {each for each in said if not is_named(*each[1:])} == set()


@pytest.mark.parametrize("kind", sorted(PARTS_OF_CLUSTER))
def test_a_part_of_a_cluster_that_can_t_be_looked_at_is_told_by_eks_s_name_of_the_call(kind: Kind) -> None:
    from botocore.exceptions import ClientError

    def refuse(method: str) -> Any:
        def call(**_: Any) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, method)

        return call

    methods = [xform_name(name) for name in operations("eks") if name.startswith("Describe")]
    eks = SimpleNamespace(**{method: refuse(method) for method in methods})
    part = Resource(kind, "one", f"arn:aws:eks:us-east-1:111122223333:{kind}/myeks/one")
    with pytest.raises(AwsRefused) as refused:
        EksDescribeCalls(eks).part("myeks", part)
    service, _, operation = refused.value.operation.partition(":")
    assert operation in operations(service)
    assert " " not in refused.value.operation

"""tests/data/aws/answers.json has a row for every operation that the service calls, and `explain` knows every code in the
adapters.

An operation is called where the adapters name it, by its IAM action (`eks:CreateCluster`) or its boto3 name (`create_cluster`),
and where the record of all stories has it (tests/data/rights-asked.json).
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from chalicelib.aws.clients import errors
from chalicelib.aws.clients.errors import domain_error
from chalicelib.domain.core.failure import Responsible
from chalicelib.domain.errors.explain import explain, explain_execution
from chalicelib.domain.errors.tree import Throttled, Transient
from tests.emulator.test_operations import NAMES, code_of, operations
from tests.paths import PROJECT

ANSWERS: list[dict[str, str]] = json.loads((PROJECT / "tests/data/aws/answers.json").read_text())
ANSWERED = {row["operation"] for row in ANSWERS}


@cache
def model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(NAMES.get(service, service))


def words_of_adapters() -> Iterator[str]:
    """Every attribute and every string in the adapters' code."""
    for path in sorted((PROJECT / "chalicelib/aws").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute):
                yield node.attr
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def called() -> dict[str, set[str]]:
    """Names in the adapters' code -> the possible operations; most have one, `describe_tags` belongs to several services."""
    services = sorted({operation.partition(":")[0] for operation in [*ANSWERED, *operations()]} - {"any"})
    known = {f"{service}:{name}" for service in services for name in model(service).operation_names}
    methods: dict[str, set[str]] = {}
    for operation in known:
        methods.setdefault(xform_name(operation.partition(":")[2]), set()).add(operation)
    words = set(words_of_adapters())
    return {word: {word} for word in (words & known) | set(operations())} | {
        word: methods[word] for word in words & methods.keys()
    }


CALLED = called()


@pytest.mark.parametrize("name", sorted(CALLED))
def test_each_operation_that_the_service_calls_has_an_answer_of_awss(name: str) -> None:
    assert CALLED[name] & ANSWERED, f"tests/data/aws/answers.json has no row of {sorted(CALLED[name])}"


def test_an_operation_without_a_row_is_noticed() -> None:
    assert len(CALLED) > 100
    assert {"cloudformation:DescribeStackEvents"} <= CALLED["describe_stack_events"]
    assert {"ec2:DescribeRouteTables", "eks:CreateCluster"} <= CALLED.keys()
    assert not {"ec2:StopInstances"} & ANSWERED


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row['operation']} {row['code']} {row['message'][:20]}")
def test_a_row_says_where_its_text_was_seen(row: dict[str, str]) -> None:
    assert len(row["source"]) > 5
    if row.get("words") == "documentation":
        service, _, name = row["operation"].partition(":")
        shapes = {code_of(shape): shape for shape in model(service).operation_model(name).error_shapes}
        assert row["code"] in shapes, "the model has this exception for this operation"
        assert " ".join(row["message"].split()[:3]) in shapes[row["code"]].documentation.replace("<p>", "")


@pytest.mark.parametrize("row", ANSWERS, ids=lambda row: f"{row['operation']} {row['code']} {row['message'][:20]}")
def test_an_answer_that_ended_a_step_is_explained_as_the_answer_is(row: dict[str, str]) -> None:
    told = f"{row['operation']}: {row['code']}: {row['message']}"
    cause = json.dumps({"errorMessage": told, "errorType": "AwsRefused"})
    if row["responsible"] != Responsible.UNKNOWN:
        assert explain_execution({"Error": "AwsRefused", "Cause": cause}).code == row["cause"]


@pytest.mark.parametrize(
    ("codes", "causes"),
    [
        (errors.THROTTLED, {"throttled"}),
        (errors.PASSING, {"aws-internal", "resource-busy", "role-missing", "service-incomplete"}),
        (errors.STALE, {"credentials-refused"}),
        (errors.DENIED, {"access-denied", "credentials-refused"}),
        (errors.IN_USE, {"still-in-use", "resource-busy"}),
        (errors.EXISTS, {"already-exists"}),
    ],
)
def test_what_adapters_tell_apart_is_told_apart_in_words(codes: frozenset[str], causes: set[str]) -> None:
    assert {code: explain(code, "").code for code in codes if explain(code, "").code not in causes} == {}


@pytest.mark.parametrize("operation", sorted(ANSWERED - {"any"}))
def test_a_fault_or_a_throttle_of_an_operation_s_model_is_waited_out(operation: str) -> None:
    service, _, name = operation.partition(":")
    for shape in model(service).operation_model(name).error_shapes:
        status = shape.metadata.get("error", {}).get("httpStatusCode", 400)
        throttles = "throttl" in f"{shape.name} {code_of(shape)}".lower() or "ExecutionLimit" in shape.name
        if throttles or status >= 500 or shape.metadata.get("fault"):
            # Without its status: the code alone must suffice.
            answer: Any = {"Error": {"Code": code_of(shape), "Message": ""}}
            read = domain_error(operation, ClientError(answer, name))
            assert isinstance(read, Throttled if throttles else Transient), shape.name

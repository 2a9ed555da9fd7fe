"""Requests that no SDK would send are refused as by AWS, and answers conform to the model."""

from __future__ import annotations

import json
import urllib.request
from typing import Any
from urllib.error import HTTPError

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.validate import ParamValidator

from emulator.eks.http import model
from emulator.eks.http.answers import written_by
from emulator.eks.operations import OPERATIONS
from tests.emulator.eks.conftest import REGION, Bench
from tests.emulator.test_operations import least


def send(bench: Bench, method: str, path: str, body: bytes = b"") -> tuple[int, str, dict[str, Any]]:
    scope = f"{bench.account}/20261123/{REGION}/eks/aws4_request"
    headers = {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
    request = urllib.request.Request(bench.url + path, data=body or None, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, "", json.loads(answer.read())
    except HTTPError as refused:
        return refused.code, refused.headers.get("x-amzn-ErrorType", ""), json.loads(refused.read())


def test_every_bad_member_is_named_at_once(bench: Bench) -> None:
    body = {
        "name": "no spaces",
        "version": 1.36,
        "upgradePolicy": {"supportType": "FOREVER"},
        "resourcesVpcConfig": {"subnetIds": "subnet-1"},
    }
    status, error, answer = send(bench, "POST", "/clusters", json.dumps(body).encode())
    assert (status, error) == (400, "InvalidParameterException")
    for path in ("name:", "version:", "upgradePolicy.supportType:", "resourcesVpcConfig.subnetIds:", "roleArn:"):
        assert path in answer["message"]


@pytest.mark.parametrize("body", [b"{", b"[]"])
def test_a_body_that_is_no_json_object_is_refused(bench: Bench, body: bytes) -> None:
    status, error, _ = send(bench, "POST", "/clusters", body)
    assert (status, error) == (400, "SerializationException")


def test_ranges_of_the_query_string_are_checked(bench: Bench) -> None:
    for wrong in ("0", "101", "many"):
        status, error, _ = send(bench, "GET", f"/clusters?maxResults={wrong}")
        assert (status, error) == (400, "InvalidParameterException")
    assert send(bench, "GET", "/clusters?nextToken=%21")[1] == "InvalidParameterException"


def required_in_bodies() -> list[tuple[str, str]]:
    """The operations of this EKS, each with a required member of its body."""
    found = []
    for name in sorted(OPERATIONS):
        shape = model.operation(name).input_shape
        for member in shape.required_members if shape else ():
            if shape and "location" not in shape.members[member].serialization:
                found.append((name, member))
    return found


@pytest.mark.parametrize(("operation", "missing"), required_in_bodies())
def test_what_botocore_s_validation_refuses_is_refused(bench: Bench, operation: str, missing: str) -> None:
    shape = model.operation(operation).input_shape
    assert shape is not None
    given = {name: value for name, value in least(shape, "").items() if name != missing}
    assert ParamValidator().validate(given, shape).has_errors()
    config = Config(parameter_validation=False, retries={"total_max_attempts": 1})
    keys = {"aws_access_key_id": bench.account, "aws_secret_access_key": "test"}
    client = boto3.session.Session().client("eks", endpoint_url=bench.url, region_name=REGION, config=config, **keys)
    with pytest.raises(ClientError) as refused:
        getattr(client, xform_name(operation))(**given)
    error = refused.value.response["Error"]
    assert error["Code"] == "InvalidParameterException"
    assert f"{missing}: is required" in error["Message"]


def test_no_operation_at_an_address_is_404(bench: Bench) -> None:
    assert send(bench, "PATCH", "/clusters/myeks")[0] == 404


@pytest.mark.parametrize(
    "cluster",
    [
        {"name": "myeks", "colour": "red"},
        {"name": 1},
        {"status": "SLEEPING"},
        {"createdAt": "2026-11-23"},
        {"outpostConfig": {"outpostArns": []}},
    ],
)
def test_an_answer_the_model_does_not_know_is_never_given(cluster: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        written_by(model.shape("Cluster"), cluster, "cluster")

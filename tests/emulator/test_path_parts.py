"""Path parts that API Gateway refuses, made one by one and imported by CloudFormation."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from emulator.process import Sandbox

ALLOWED = "Resource's path part only allow a-zA-Z0-9._- and curly braces at the beginning and the end."


@pytest.fixture
def api(sandbox: Sandbox) -> Any:
    return sandbox.client("apigateway")


@pytest.mark.parametrize("part", ["{token}.ics", "x{token}", "{a}{b}", "a b", "~kim", "{path+}x", "{}", "é"])
def test_a_wrong_path_part_is_refused(api: Any, part: str) -> None:
    made = api.create_rest_api(name="parts")
    with pytest.raises(ClientError) as refused:
        api.create_resource(restApiId=made["id"], parentId=made["rootResourceId"], pathPart=part)
    error = refused.value.response["Error"]
    assert (error["Code"], error["Message"]) == ("BadRequestException", ALLOWED)


@pytest.mark.parametrize("part", ["deadlines.ics", "{token}", "{path+}", "a-b_c.d", "events:batch"])
def test_a_right_one_is_taken(api: Any, part: str) -> None:
    made = api.create_rest_api(name="parts")
    assert (
        api.create_resource(restApiId=made["id"], parentId=made["rootResourceId"], pathPart=part)["path"] == f"/{part}"
    )


def test_a_resource_has_one_variable_child(api: Any) -> None:
    made = api.create_rest_api(name="parts")
    api.create_resource(restApiId=made["id"], parentId=made["rootResourceId"], pathPart="{lab}")
    with pytest.raises(ClientError) as refused:
        api.create_resource(restApiId=made["id"], parentId=made["rootResourceId"], pathPart="{name}")
    assert "A sibling ({lab}) of this resource already has a variable path part" in str(refused.value)


def test_an_import_tells_every_path_that_is_wrong(sandbox: Sandbox) -> None:
    paths = {"/calendar/{token}.ics": {}, "/labs/{id}": {}, "/labs/{name}/x": {}, "/fine/{path+}": {}}
    body = {"openapi": "3.0.1", "info": {"title": "parts", "version": "1"}, "paths": paths}
    template = {"Resources": {"Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Body": body}}}}
    formation = sandbox.client("cloudformation")
    formation.create_stack(StackName="parts", TemplateBody=json.dumps(template), OnFailure="DO_NOTHING")
    events: list[Any] = []
    while not any(each["ResourceStatus"] == "CREATE_FAILED" for each in events):
        events = formation.describe_stack_events(StackName="parts")["StackEvents"]
    told = " ".join(each.get("ResourceStatusReason", "") for each in events)
    assert f"Unable to create resource at path '/calendar/{{token}}.ics': {ALLOWED}" in told
    assert "Unable to create resource at path '/labs/{name}/x': A sibling ({id})" in told
    assert "/fine" not in told
    formation.delete_stack(StackName="parts")

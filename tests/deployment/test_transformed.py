"""The template after SAM's transform: SAM adds resources of its own, so the result is checked."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

from chalicelib.api.reference import operations
from deployment.packaging import Package, local_file

#: Lambda's limit for the environment of one function, in bytes of names and values together.
ENVIRONMENT_BYTES = 4096
#: Reserved for the patterns of administrators, viewers and teams, which each installation sets.
FOR_PATTERNS = 1500
#: The length of a resolved reference: an ARN of a resource with a long name.
_LONGEST_REFERENCE = 128


@pytest.fixture(scope="module")
def transformed(packaged: Package) -> Iterator[dict[str, Any]]:
    """The template after CloudFormation's transform, without querying IAM for existing managed policies."""
    template = json.loads(json.dumps(packaged.template))
    for resource in template["Resources"].values():
        if local_file(resource) is not None and resource["Type"].startswith("AWS::Serverless::Function"):
            resource["Properties"]["CodeUri"] = {"Bucket": "code", "Key": "code.zip"}
        elif local_file(resource) is not None:
            resource["Properties"]["DefinitionUri"] = {"Bucket": "code", "Key": "definition.json"}
    given = {"AWS::Region": "ap-northeast-2", "AWS::Partition": "aws"}
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
        yield Translator({}, Parser()).translate(template, given)


#: The links of mails, open to anybody.
LINKS = ("keep", "mail", "decide", "confirm", "unsubscribe", "calendar")


def of_type(template: dict[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def test_there_is_one_stage_and_its_public_methods_are_throttled(transformed: dict[str, Any]) -> None:
    """Issue 11, row 10: SAM's second stage, called Stage, had no throttle and no alarm."""
    [(_, stage)] = of_type(transformed, "AWS::ApiGateway::Stage")
    assert stage["StageName"] == "api"
    throttled = {(s["HttpMethod"], s["ResourcePath"]): s["ThrottlingRateLimit"] for s in stage["MethodSettings"]}
    public = [each for each in operations() if each.public]
    links = {each.path.split("/")[1] for each in public if "{token}" in each.path or "{file}" in each.path}
    assert links == set(LINKS)
    paths = [(each.method, f"/{each.path.replace('/', '~1')}" if each.path != "/" else "/") for each in public]
    assert throttled == dict.fromkeys(paths, 200)
    assert not [d for _, d in of_type(transformed, "AWS::ApiGateway::Deployment") if d.get("StageName")]


def test_every_request_is_logged_if_asked_and_no_link_with_it(transformed: dict[str, Any]) -> None:
    """Issue 11, row 13: there was no access log."""
    [(_, stage)] = of_type(transformed, "AWS::ApiGateway::Stage")
    condition, setting, otherwise = stage["AccessLogSetting"]["Fn::If"]
    assert (condition, otherwise) == ("LogsAccess", {"Ref": "AWS::NoValue"})
    line = json.loads(setting["Format"])
    assert line["resource"] == "$context.resourcePath", "the path of a keep-link is its token"
    assert {"caller", "sourceIp", "status", "method", "time", "requestId"} <= line.keys()
    group = transformed["Resources"]["AccessLogGroup"]
    assert (group["Condition"], group["Properties"]["RetentionInDays"]) == ("LogsAccess", 30)
    assert transformed["Parameters"]["AccessLogs"]["Default"] == "off"
    assert transformed["Resources"]["RestAPI"]["DependsOn"] == "AccessLogsAccount"


def test_one_address_can_be_kept_from_taking_everyones_links(transformed: dict[str, Any]) -> None:
    """Issue 11, row 10."""
    acl, bound = transformed["Resources"]["KeepWafAcl"], transformed["Resources"]["KeepWafAssociation"]
    assert (acl["Condition"], bound["Condition"]) == ("HasKeepWaf", "HasKeepWaf")
    [rule] = acl["Properties"]["Rules"]
    limit = rule["Statement"]["RateBasedStatement"]
    assert (limit["AggregateKeyType"], limit["Limit"], limit["EvaluationWindowSec"]) == ("IP", 100, 300)
    paths = limit["ScopeDownStatement"]["OrStatement"]["Statements"]
    assert [path["ByteMatchStatement"]["SearchString"] for path in paths] == [f"/{link}/" for link in LINKS]
    assert "stages/${RestAPIapiStage}" in json.dumps(bound["Properties"]["ResourceArn"])


def test_no_functions_environment_is_near_lambdas_limit(transformed: dict[str, Any]) -> None:
    for name, function in of_type(transformed, "AWS::Lambda::Function"):
        variables = function["Environment"]["Variables"]
        size = sum(len(key) + _length(transformed, value) for key, value in variables.items())
        assert size < ENVIRONMENT_BYTES - FOR_PATTERNS, name


def test_patterns_of_principals_are_told_to_no_function_that_does_not_ask_for_them(transformed: dict[str, Any]) -> None:
    """Issue 11, 6: all 67 functions had all of them in their environments."""
    told: dict[str, set[str]] = {"EKSLAB_ADMINISTRATORS": set(), "EKSLAB_VIEWERS": set(), "EKSLAB_TEAMS": set()}
    for name, function in of_type(transformed, "AWS::Lambda::Function"):
        for variable in told.keys() & function["Environment"]["Variables"].keys():
            told[variable].add(name)
    curfew = {name for name, _ in of_type(transformed, "AWS::Lambda::Function") if name.startswith("Curfew")}
    assert told["EKSLAB_ADMINISTRATORS"] == told["EKSLAB_VIEWERS"] == {"APIHandler"}
    assert curfew, "the names of the curfew's steps begin with its own"
    # A bounced mail goes to the next audience: the owner's teams.
    assert told["EKSLAB_TEAMS"] == {"APIHandler", "TakeMailEvent"} | curfew


def _length(template: dict[str, Any], value: Any) -> int:
    """The length of a parameter's default: most are empty."""
    if isinstance(value, str):
        return len(value)
    parameter = template["Parameters"].get(value.get("Ref", ""))
    return _LONGEST_REFERENCE if parameter is None else len(str(parameter.get("Default", "")))

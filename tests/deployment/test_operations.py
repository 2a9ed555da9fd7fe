"""Every failure in production has an alarm, and its recipient finds instructions: read from the composed template."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.metrics import NAMESPACE, Metric
from deployment.compose import MAIL_HANDLER
from tests.paths import PROJECT

TEMPLATE: dict[str, Any] = json.loads((PROJECT / ".chalice/resources.json").read_text())
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
CONFIG = json.loads((PROJECT / ".chalice/config.json").read_text())["stages"]["dev"]["lambda_functions"]
RUNBOOK = (PROJECT / "docs/how-to/runbook.md").read_text()
HEADINGS = set(re.findall(r"^#+ +(\S+)$", RUNBOOK, re.MULTILINE))


def of_kind(kind: str) -> dict[str, Any]:
    return {name: each.get("Properties", {}) for name, each in RESOURCES.items() if each.get("Type") == kind}


ALARMS = of_kind("AWS::CloudWatch::Alarm")
MACHINES = of_kind("AWS::StepFunctions::StateMachine")
POLICIES = of_kind("AWS::SNS::TopicPolicy") | of_kind("AWS::SQS::QueuePolicy")


def is_step(function: str) -> bool:
    stems = {path.name.removesuffix(".asl.json") for path in (PROJECT / "statemachine").glob("*.asl.json")}
    return any(function.startswith(f"{stem}_") for stem in stems)


DOORS = sorted(name for name in CONFIG if not is_step(name))


def headings_for(alarm: str) -> set[str]:
    """Its own, or that of its kind: `<Machine>FailedAlarm` stands for all workflows."""
    kind = re.sub(r"^\w+?(FailedAlarm|LateAlarm|FailsAlarm|ThrottledAlarm)$", r"\1", alarm)
    return {alarm, kind}


@pytest.mark.parametrize("alarm", sorted(ALARMS))
def test_an_alarm_is_sent_somewhere_and_says_what_to_do(alarm: str) -> None:
    said = ALARMS[alarm]
    assert said["AlarmActions"] == [{"Ref": "AlarmsTopic"}]
    assert said["AlarmDescription"].endswith(f"docs/how-to/runbook.md, {alarm}")
    assert HEADINGS & headings_for(alarm), f"docs/how-to/runbook.md has no heading {alarm}"


def test_the_runbook_has_no_page_of_an_alarm_that_is_gone() -> None:
    known = {heading for alarm in ALARMS for heading in headings_for(alarm)}
    assert {heading for heading in HEADINGS if heading.endswith("Alarm")} <= known


@pytest.mark.parametrize("machine", sorted(MACHINES))
def test_a_workflow_logs_what_fails_is_traced_and_alarms(machine: str) -> None:
    said = MACHINES[machine]
    group = said["LoggingConfiguration"]["Destinations"][0]["CloudWatchLogsLogGroup"]["LogGroupArn"]["Fn::GetAtt"][0]
    assert RESOURCES[group]["Properties"]["RetentionInDays"]
    assert said["LoggingConfiguration"]["Level"] == "ERROR"
    assert said["TracingConfiguration"] == {"Enabled": True}
    watched = {alarm["MetricName"] for alarm in ALARMS.values() if _is_about(alarm, machine)}
    assert {"ExecutionsFailed", "ExecutionsTimedOut"} <= watched


@pytest.mark.parametrize("function", sorted(CONFIG))
def test_a_function_s_lines_are_kept_for_a_time(function: str) -> None:
    logical_id = "APIHandler" if function == "api_handler" else _logical_id(function)
    assert RESOURCES[f"{logical_id}LogGroup"]["Properties"]["RetentionInDays"]


@pytest.mark.parametrize("function", DOORS)
def test_whatever_no_workflow_retries_has_alarms_of_its_own(function: str) -> None:
    """A step that fails fails its workflow; these fail by themselves."""
    logical_id = "APIHandler" if function == "api_handler" else _logical_id(function)
    assert {a["MetricName"] for a in ALARMS.values() if _is_about(a, logical_id)} >= {"Errors", "Throttles"}
    if function != "api_handler":
        letters = {"Fn::GetAtt": ["DeadLetters", "Arn"]}
        said = RESOURCES[logical_id]["Properties"]
        assert said["DeadLetterQueue"] == {"Type": "SQS", "TargetArn": letters}
        events = said["Events"].values() if function != MAIL_HANDLER else ()  # A topic calls it; SNS retries for weeks.
        assert [event["Properties"]["DeadLetterConfig"] for event in events] == [{"Arn": letters}] * len(events)
        assert bool(events) != (function == MAIL_HANDLER)


def _logical_id(function: str) -> str:
    return "".join(part.capitalize() for part in function.split("_"))


def _is_about(alarm: Any, logical_id: str) -> bool:
    return any(dimension["Value"] == {"Ref": logical_id} for dimension in alarm.get("Dimensions", ()))


def test_functions_that_are_not_let_run_alarm_whichever_they_are() -> None:
    """Steps have no alarm each: Lambda's sum over all functions has no dimension. An alarm can't search."""
    said = ALARMS["FunctionsThrottledAlarm"]
    assert (said["Namespace"], said["MetricName"], said.get("Dimensions")) == ("AWS/Lambda", "Throttles", None)


def test_the_table_and_each_of_its_indexes_alarm_when_they_refuse() -> None:
    said = ALARMS["TableThrottledAlarm"]["Metrics"]
    read = {each["Id"]: each["MetricStat"]["Metric"] for each in said if "MetricStat" in each}
    indexes = [None, *(index["IndexName"] for index in RESOURCES["LabsTable"]["Properties"]["GlobalSecondaryIndexes"])]
    assert {(each["MetricName"], _index(each["Dimensions"])) for each in read.values()} == {
        (metric, index) for metric in ("ReadThrottleEvents", "WriteThrottleEvents") for index in indexes
    }
    assert len(read) <= 10, "of 10 metrics that an alarm may reconcile with"
    shown = [each for each in said if each.get("ReturnData", True)]
    assert [set(each["Expression"].split(" + ")) for each in shown] == [set(read)]


def _index(dimensions: list[dict[str, Any]]) -> str | None:
    said = {dimension["Name"]: dimension["Value"] for dimension in dimensions}
    assert said["TableName"] == {"Ref": "LabsTable"}
    index: str | None = said.get("GlobalSecondaryIndexName")
    return index


def test_eventbridge_may_encrypt_its_dead_letters_though_it_names_no_account() -> None:
    """AWS supports neither `aws:SourceAccount` nor `aws:SourceArn` in a key's policy for it (EventBridge user guide)."""
    statements = [one for key in of_kind("AWS::KMS::Key").values() for one in key["KeyPolicy"]["Statement"]]
    events = [one for one in statements if "events.amazonaws.com" in json.dumps(one["Principal"])]
    assert [one["Principal"] for one in events] == [{"Service": "events.amazonaws.com"}], "a statement of its own"
    assert "Condition" not in events[0]
    assert {"kms:Decrypt", "kms:GenerateDataKey*"} <= set(events[0]["Action"])


@pytest.mark.parametrize("name", sorted(of_kind("AWS::SNS::Topic") | of_kind("AWS::SQS::Queue")))
def test_messages_are_encrypted_with_our_key_and_taken_over_tls_only(name: str) -> None:
    assert RESOURCES[name]["Properties"]["KmsMasterKeyId"] == {"Ref": "MessagesKey"}
    about = [said for said in POLICIES.values() if {"Ref": name} in said.get("Topics", said.get("Queues"))]
    refused = [each for said in about for each in said["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
    others = [{"Bool": {"aws:PrincipalIsAWSService": "false"}}] if name == "MailEventsTopic" else []
    assert [each["Condition"] for each in refused] == [{"Bool": {"aws:SecureTransport": "false"}}, *others]
    assert refused[0]["Principal"] == "*"


@pytest.mark.parametrize("function", ["WatchSupportDeliverNotices", "CurfewWarn"])
def test_whoever_sends_mails_knows_the_api_s_address_without_being_told(function: str) -> None:
    given = RESOURCES[function]["Properties"]["Environment"]["Variables"]["EKSLAB_API_URL"]
    condition, own, made = given["Fn::If"]
    assert (condition, own) == ("HasApiUrl", {"Ref": "ApiUrl"})
    assert made["Fn::Sub"].startswith("https://${RestAPI}.")


def test_the_api_s_handler_never_names_the_api_that_names_it() -> None:
    """CloudFormation would refuse the cycle, and the emulator does not."""
    shared = TEMPLATE["Globals"] | {name: RESOURCES[name] for name in ("APIHandler",) if name in RESOURCES}
    assert "RestAPI" not in json.dumps(shared)


def test_the_dashboard_is_json_whatever_is_filled_in() -> None:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    widgets = json.loads(re.sub(r"\$\{[\w.:]+\}", "x", body))["widgets"]
    assert len({(widget["x"], widget["y"]) for widget in widgets}) == len(widgets) > 0


BODY = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]


def shown() -> Iterator[tuple[str, str, dict[str, str]]]:
    """Each metric of the dashboard, with its dimensions; a dot repeats the value above it."""
    for widget in json.loads(BODY)["widgets"]:
        above: list[str] = []
        for metric in widget["properties"]["metrics"]:
            said = [part for part in metric if isinstance(part, str)]
            above = [above[at] if part == "." else part for at, part in enumerate(said)]
            if above:
                yield above[0], above[1], dict(zip(above[2::2], above[3::2], strict=True))


def test_the_dashboard_shows_every_function_and_every_workflow_by_name() -> None:
    """Names generated by CloudFormation start with the stack's and have a suffix: none equals the stack's name."""
    always = [name for name in CONFIG if name != MAIL_HANDLER]  # A conditional resource can't be named in it.
    functions = {f"${{{'APIHandler' if name == 'api_handler' else _logical_id(name)}}}" for name in always}
    for namespace, dimension, there in (
        ("AWS/Lambda", "FunctionName", functions),
        ("AWS/States", "StateMachineArn", {f"${{{machine}}}" for machine in MACHINES}),
    ):
        metrics = [(metric, said) for space, metric, said in shown() if space == namespace]
        assert metrics
        for name in {metric for metric, _ in metrics}:
            assert [list(said) for metric, said in metrics if metric == name] == [[dimension]] * len(there)
            assert {said[dimension] for metric, said in metrics if metric == name} == there, name


def test_what_the_dashboard_searches_for_is_a_whole_value_of_a_metric_of_ours() -> None:
    """In double quotes CloudWatch finds whole values only."""
    searches = re.findall(r"SEARCH\('\{(\w+),.*?\} (.*?)', '", BODY.replace('\\"', '"'))
    assert len(searches) == BODY.count("SEARCH(")
    for namespace, terms in searches:
        assert namespace == NAMESPACE
        assert set(re.findall(r'="(.*?)"', terms)) <= {"${AWS::StackName}", *Metric}


def test_the_dashboard_names_metrics_of_the_table_by_the_dimensions_that_they_have() -> None:
    """DynamoDB reports these by table, or by table and index; `ThrottledRequests` by operation only."""
    message = {"ConsumedReadCapacityUnits", "ConsumedWriteCapacityUnits", "ReadThrottleEvents", "WriteThrottleEvents"}
    metrics = [(metric, said) for space, metric, said in shown() if space == "AWS/DynamoDB"]
    assert {metric for metric, _ in metrics} == message
    for _, said in metrics:
        assert said["TableName"] == "${LabsTable}"
        assert set(said) <= {"TableName", "GlobalSecondaryIndexName"}


def test_two_stages_in_one_region_have_a_metric_of_their_api_each() -> None:
    """API Gateway reports its metrics by the API's name, not by its id."""
    stack = {"Ref": "AWS::StackName"}
    api = RESOURCES["RestAPI"]["Properties"]
    assert (api["Name"], api["DefinitionBody"]["info"]["title"]) == (stack, stack)
    assert {"Name": "ApiName", "Value": stack} in ALARMS["ApiFaultsAlarm"]["Dimensions"]
    names = {said["ApiName"] for namespace, _, said in shown() if namespace == "AWS/ApiGateway"}
    assert names == {"${AWS::StackName}"}


def test_every_metric_of_ours_that_is_alarmed_on_is_one_that_is_emitted() -> None:
    own = {name: said for name, said in ALARMS.items() if not said.get("Namespace", "AWS/").startswith("AWS/")}
    for name, said in own.items():
        assert said["Namespace"] == NAMESPACE, name
        assert said["MetricName"] in set(Metric), name
        assert said["Dimensions"] == [{"Name": "stack", "Value": {"Ref": "AWS::StackName"}}], name


def test_every_metric_is_emitted_shown_and_told() -> None:
    body = RESOURCES["Dashboard"]["Properties"]["DashboardBody"]["Fn::Sub"]
    emitting = (PROJECT / "chalicelib/workflows/shared/metrics.py").read_text()
    for metric in Metric:
        assert f"Metric.{metric.name}" in emitting, metric
        assert f'"{metric}"' in body.replace("\\", ""), metric
        assert f"| `{metric}` |" in RUNBOOK, metric
    shown = set(re.findall(rf'\["{NAMESPACE}", "(\w+)"', body))
    assert shown <= set(Metric)


@pytest.mark.parametrize("heading", sorted(heading for heading in HEADINGS if heading.endswith("Alarm")))
def test_a_page_says_what_it_means_where_to_look_what_to_do_and_how_it_need_not_ring_again(heading: str) -> None:
    page = RUNBOOK.partition(f"### {heading}\n")[2].partition("\n### ")[0].partition("\n## ")[0]
    parts = [page.find(f"**{part}.**") for part in ("Means", "First look", "Mend", "Prevent")]
    assert -1 < parts[0] < parts[1] < parts[2] < parts[3]
    assert "```sh\n" in page[parts[1] : parts[2]], "no command to look with"


def test_commands_of_the_runbook_name_what_there_is() -> None:
    outputs = set(re.findall(r"\$\(output (\w+)\)", RUNBOOK))
    functions = set(re.findall(r"\$\(function (\w+)\)", RUNBOOK)) - {"APIHandler"}
    machines = {
        "".join(word.capitalize() for word in name.split("_")) for name in re.findall(r"\$\(machine (\w+)\)", RUNBOOK)
    }
    assert outputs
    assert outputs <= set(TEMPLATE["Outputs"])
    assert functions <= {_logical_id(function) for function in CONFIG}
    assert {f"{machine}StateMachine" for machine in machines} <= set(MACHINES)

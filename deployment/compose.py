"""Writes the files that Chalice reads: config.json, resources.json, policies/*.json in `.chalice/`.

Hand-written are `statements.json` (every right that the service uses, by name, with the reason), `grants.json` (the rights of
each function), `template.json`, `operations.json` (alarms and the like), `login.json` and `dashboard.json`. This script only puts
them together. Git ignores the output: `packaging` writes it before it runs Chalice; review docs/reference/permissions.md instead.
"""

from __future__ import annotations

import ast
import json
import os
import re
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent
HERE = PROJECT / ".chalice"
WORKFLOWS = ("provision", "update", "hibernate", "wake", "teardown", "verify_deletion", "watch_support", "curfew")
API_HANDLER = "api_handler"
API_HANDLER_PATH = "chalicelib.handlers.api.app"
EVENT_HANDLERS = ("recover_labs", "start_watch_support", "start_curfew", "take_health_event")
#: Called by the topic of SES's events; it exists only if the installation sends mail (the condition SendsMail).
MAIL_HANDLER = "take_mail_event"
#: Functions that write mails with links to the API. The API's own handler can't get its address this way: that would be a cycle.
MAIL_SENDERS = ("watch_support_deliver_notices", "curfew_warn", "recover_labs", MAIL_HANDLER)
LOG_DAYS = 30
#: Services whose rights are over resources at home: they do not apply to a function's calls in another account.
AT_HOME = ("cognito-idp", "dynamodb", "events", "secretsmanager", "ses", "sns", "sqs", "states", "sts")
READING = ("BatchGet", "Describe", "Filter", "Get", "List", "Lookup")
#: Seconds. A page of clusters, a group of labs, some of them throttled, or a thousand mails take their time.
LAMBDA_TIMEOUT, LONG_TIMEOUT, API_TIMEOUT = 120, 600, 29
LONG = ("watch_support_", "curfew_examine", "curfew_warn")
#: MB, and with them CPU: a whole one at 1,769. None was measured to use more than 90 (docs/how-to/deploy.md), and most wait for
#: AWS; those that compute have more.
SMALL, MEDIUM, LARGE = 256, 512, 1024
MEMORY = {
    # People wait for it.
    API_HANDLER: LARGE,
    # Evidence of 25 labs in one run, with a week of metrics.
    "curfew_examine": LARGE,
    # Versions, machines and insights of a place's clusters, ten read at once.
    "watch_support_scan_place": LARGE,
    # All mails of a run, for up to 20,000 notices.
    "watch_support_decide_notices": MEDIUM,
    "watch_support_deliver_notices": MEDIUM,
    # All roles, interfaces and balancers of an account, which may be many.
    "teardown_take_inventory": MEDIUM,
    "teardown_take_stock": MEDIUM,
    "teardown_sweep_leftovers": MEDIUM,
    "teardown_sweep_remains": MEDIUM,
    "verify_deletion_look": MEDIUM,
    "verify_deletion_remove_leftovers": MEDIUM,
    "curfew_find_orphans": MEDIUM,
    # Up to 50 labs, and up to 200 to plan for.
    "recover_labs": MEDIUM,
    "curfew_begin": MEDIUM,
    # All mails of a run, for up to 5,000 warnings.
    "curfew_warn": MEDIUM,
}
#: Concurrent executions reserved for functions that people and schedules call, if `ReserveConcurrency` is true; also their limit.
#: A class with simultaneous requests, and two runs if one is retried while the first still runs.
RESERVED = {API_HANDLER: 50, **dict.fromkeys(EVENT_HANDLERS, 2)}


def composed() -> dict[str, str]:
    """Return every file that this script writes: its path inside the project, and its text."""
    functions = step_functions()
    grants = json.loads((HERE / "grants.json").read_text())
    statements = json.loads((HERE / "statements.json").read_text())
    files = {
        ".chalice/config.json": config(functions),
        ".chalice/resources.json": resources(functions),
    }
    for name in [API_HANDLER, *EVENT_HANDLERS, MAIL_HANDLER, *functions]:
        files[f".chalice/policies/{name}.json"] = policy(name, grants, statements)
    return {path: json.dumps(content, indent=2) + "\n" for path, content in files.items()}


def step_functions() -> list[str]:
    """The names of the step Lambdas, read off their handlers without importing them."""
    modules = {
        workflow: ast.parse((PROJECT / f"chalicelib/handlers/{workflow}.py").read_text()) for workflow in WORKFLOWS
    }
    assigned = (
        (workflow, node) for workflow, module in modules.items() for node in module.body if isinstance(node, ast.Assign)
    )
    names = [(workflow, ast.unparse(node.targets[0])) for workflow, node in assigned]
    return [name for workflow, name in names if name.startswith(f"{workflow}_")]


def logical_id(name: str) -> str:
    """The logical id that Chalice derives: `provision_create_cluster` -> `ProvisionCreateCluster`."""
    return "".join(part.capitalize() for part in name.split("_"))


def config(functions: list[str]) -> dict[str, Any]:
    """Chalice's config: each function's policy file, timeout and memory, nothing generated."""
    per_function = {
        name: {
            "iam_policy_file": f"policies/{name}.json",
            "lambda_timeout": timeout(name),
            "lambda_memory_size": MEMORY.get(name, SMALL),
        }
        for name in [*functions, *EVENT_HANDLERS, MAIL_HANDLER, API_HANDLER]
    }
    if unknown := MEMORY.keys() - per_function.keys():
        raise KeyError(f"no function is called {', '.join(sorted(unknown))}")
    stage = {
        "api_gateway_stage": "api",
        "api_gateway_endpoint_type": "REGIONAL",
        "autogen_policy": False,
        "iam_policy_file": f"policies/{API_HANDLER}.json",
        "lambda_functions": per_function,
    }
    return {"version": "2.0", "app_name": "ekslab", "stages": {"dev": stage}}


def timeout(name: str) -> int:
    """How many seconds a function may take."""
    if name == API_HANDLER:
        return API_TIMEOUT
    return LONG_TIMEOUT if name.startswith(LONG) else LAMBDA_TIMEOUT


def policy(name: str, grants: dict[str, list[str]], statements: dict[str, Any]) -> dict[str, Any]:
    """The policy of one function. Raises KeyError naming a function without a grant, or a grant without a statement."""
    chosen = [*grants["*"], *(grants["event handlers"] if name in EVENT_HANDLERS else ()), *grants[name]]
    return {"Version": "2012-10-17", "Statement": [{"Sid": _sid(key), **_bare(statements[key])} for key in chosen]}


def resources(functions: list[str]) -> dict[str, Any]:
    """The template that is merged into Chalice's: parameters, environment, table, roles, state machines, log groups."""
    template: dict[str, Any] = json.loads((HERE / "template.json").read_text())
    template.pop("Comment", None)
    added = template["Resources"]
    for workflow in WORKFLOWS:
        mine = [name for name in functions if name.startswith(f"{workflow}_")]
        added[f"{logical_id(workflow)}StateMachine"] = state_machine(workflow, mine)
    # Chalice's default is `app.py`, which imports every workflow.
    added[_function_id(API_HANDLER)] = {"Properties": {"Handler": API_HANDLER_PATH}}
    for name, executions in RESERVED.items():
        merge(added, {_function_id(name): {"Properties": {"ReservedConcurrentExecutions": reserved(executions)}}})
    for name in [*functions, *EVENT_HANDLERS, API_HANDLER]:
        added[f"{_function_id(name)}LogGroup"] = log_group(_function_id(name))
    merge(added, mail_handler())
    add_operations(template, functions)
    add_login(template)
    for name in member_roles("labs"):
        merge(
            added, {_function_id(name): {"Properties": {"Environment": {"Variables": {"EKSLAB_MEMBER_ROLE": "labs"}}}}}
        )
    for name in readers_abroad():
        variables = {"EKSLAB_SESSION_POLICY": {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/ReadOnlyAccess"}}
        merge(added, {_function_id(name): {"Properties": {"Environment": {"Variables": variables}}}})
    for parameter, names in readers_of_patterns(functions).items():
        for name in names:
            variables = {f"EKSLAB_{parameter.upper()}": {"Ref": parameter}}
            merge(added, {_function_id(name): {"Properties": {"Environment": {"Variables": variables}}}})
    return template


def mail_handler() -> dict[str, Any]:
    """Facts of the function behind SES's events that Chalice lacks: it exists with a sender only."""
    own_id, condition = _function_id(MAIL_HANDLER), {"Condition": "SendsMail"}
    variables = {"EKSLAB_MAIL_TOPIC": {"Ref": "MailEventsTopic"}, "EKSLAB_TEAMS": {"Ref": "Teams"}}
    dead_letters = {"Type": "SQS", "TargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}}
    properties = {"Environment": {"Variables": variables}, "DeadLetterQueue": dead_letters}
    return {
        own_id: {**condition, "Properties": properties},
        f"{own_id}Role": condition,
        f"{own_id}LogGroup": {**condition, **log_group(own_id)},
    }


def readers_of_patterns(functions: list[str]) -> dict[str, list[str]]:
    """Parameter -> functions that read it: only the API identifies callers; curfew steps also need teams."""
    curfew = [name for name in functions if name.startswith("curfew_")]
    return {"Administrators": [API_HANDLER], "Viewers": [API_HANDLER], "Teams": [API_HANDLER, *curfew]}


def member_roles(kind: str) -> list[str]:
    """The functions that assume this role of member accounts: `read` or `labs`."""
    grants = json.loads((HERE / "grants.json").read_text())
    return [name for name, keys in grants.items() if f"assume-member-{kind}" in keys]


def readers_abroad() -> list[str]:
    """Functions that only read in other accounts: they use the role there for reading only."""
    grants = json.loads((HERE / "grants.json").read_text())
    statements = json.loads((HERE / "statements.json").read_text())
    return [
        name for name, keys in grants.items() if "assume-member-read" in keys and not _changes_abroad(keys, statements)
    ]


def _changes_abroad(keys: list[str], statements: dict[str, Any]) -> bool:
    listed = (statements[key]["Action"] for key in keys)
    actions = (action.split(":") for some in listed for action in ([some] if isinstance(some, str) else some))
    return any(service not in AT_HOME and not name.startswith(READING) for service, name in actions)


def add_operations(template: dict[str, Any], functions: list[str]) -> None:
    """Add the resources of `operations.json`: once, for each workflow, and for each function of a kind."""
    said: dict[str, Any] = json.loads((HERE / "operations.json").read_text())
    for section in ("Parameters", "Conditions", "Resources", "Outputs"):
        template.setdefault(section, {}).update(said[section])
    added = template["Resources"]
    indexes = added["LabsTable"]["Properties"]["GlobalSecondaryIndexes"]
    added["Dashboard"]["Properties"]["DashboardBody"] = {"Fn::Sub": dashboard(functions, indexes)}
    for workflow in WORKFLOWS:
        merge(added, filled(said["EachMachine"] | said["OfMachine"].get(workflow, {}), logical_id(workflow), workflow))
    for section, names in (
        ("EachHandler", (API_HANDLER, *EVENT_HANDLERS)),
        ("EachEventHandler", EVENT_HANDLERS),
        ("EachMailSender", [name for name in MAIL_SENDERS if name in (*functions, MAIL_HANDLER)]),
    ):
        for name in names:
            merge(added, filled(said[section], _function_id(name), name))
    alarms = filled(said["EachHandler"], _function_id(MAIL_HANDLER), MAIL_HANDLER)
    merge(added, {name: {"Condition": "SendsMail", **alarm} for name, alarm in alarms.items()})


def add_login(template: dict[str, Any]) -> None:
    """Add the resources of `login.json`: the user pool with which browsers sign in."""
    said: dict[str, Any] = json.loads((HERE / "login.json").read_text())
    for section in ("Parameters", "Conditions", "Resources", "Outputs"):
        merge(template[section], said[section])


def merge(into: dict[str, Any], more: dict[str, Any]) -> None:
    """Merge `more` into it, nested dictionaries too."""
    for key, value in more.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            merge(into[key], value)
        else:
            into[key] = value


def reserved(executions: int) -> dict[str, Any]:
    """The function's reserved executions, if the stage reserves any."""
    return {"Fn::If": ["ReservesConcurrency", executions, {"Ref": "AWS::NoValue"}]}


def dashboard(functions: list[str], indexes: list[dict[str, Any]]) -> str:
    """The dashboard's body: a metric of `<Function>`, `<Machine>` or `<Index>` stands for one of each.

    Metrics are listed, not searched for: a search matches whole names or words, and no prefixes.
    """
    ids = {
        "<Function>": [_function_id(name) for name in (API_HANDLER, *EVENT_HANDLERS, *functions)],
        "<Machine>": [logical_id(workflow) for workflow in WORKFLOWS],
        "<Index>": [index["IndexName"] for index in indexes],
    }
    said: dict[str, Any] = json.loads((HERE / "dashboard.json").read_text())
    for widget in said["widgets"]:
        properties = widget["properties"]
        properties["metrics"] = [line for metric in properties["metrics"] for line in _of_each(metric, ids)]
    return json.dumps(said)


def _of_each(metric: list[Any], ids: dict[str, list[str]]) -> list[list[Any]]:
    text = json.dumps(metric)
    whose = next((pattern for pattern in ids if pattern in text), None)
    return [metric] if whose is None else [json.loads(text.replace(whose, own_id)) for own_id in ids[whose]]


def filled(pattern: dict[str, Any], own_id: str, name: str) -> dict[str, Any]:
    """The resources of a pattern, with the logical id and the name of their subject filled in."""
    text = json.dumps(pattern).replace("<Machine>", own_id).replace("<Function>", own_id).replace("<workflow>", name)
    resources: dict[str, Any] = json.loads(text)
    return resources


def state_machine(workflow: str, functions: list[str]) -> dict[str, Any]:
    """One state machine, named by the stack so that Lambdas can build its ARN without a cycle."""
    return {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {
            "StateMachineName": {"Fn::Sub": f"${{AWS::StackName}}-{workflow}"},
            "RoleArn": {"Fn::GetAtt": ["StateMachineRole", "Arn"]},
            # The error, without the data: labs' specifications hold people's names and key pairs.
            "LoggingConfiguration": {
                "Level": "ERROR",
                "IncludeExecutionData": False,
                "Destinations": [
                    {
                        "CloudWatchLogsLogGroup": {
                            "LogGroupArn": {"Fn::GetAtt": [f"{logical_id(workflow)}StateMachineLogGroup", "Arn"]}
                        }
                    }
                ],
            },
            "TracingConfiguration": {"Enabled": True},
            "DefinitionS3Location": f"../statemachine/{workflow}.asl.json",
            "DefinitionSubstitutions": {
                logical_id(name): {"Fn::GetAtt": [logical_id(name), "Arn"]} for name in functions
            },
        },
    }


def log_group(function_id: str) -> dict[str, Any]:
    """A function's log group, so that its lines are kept for a time and go with the stack."""
    return {
        "Type": "AWS::Logs::LogGroup",
        "Properties": {"LogGroupName": {"Fn::Sub": f"/aws/lambda/${{{function_id}}}"}, "RetentionInDays": LOG_DAYS},
    }


def _function_id(name: str) -> str:
    return "APIHandler" if name == API_HANDLER else logical_id(name)


def _sid(key: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "", key.title())


def _bare(statement: dict[str, Any]) -> dict[str, Any]:
    return {"Effect": "Allow", **{key: value for key, value in statement.items() if key != "why"}}


def write() -> None:
    """Write every file that differs, and drop policies of functions that are gone."""
    files = composed()
    for stale in set((HERE / "policies").glob("*.json")) - {PROJECT / path for path in files}:
        stale.unlink(missing_ok=True)
    for path, text in files.items():
        target = PROJECT / path
        target.parent.mkdir(exist_ok=True)
        if not target.exists() or target.read_text() != text:
            # Several processes may compose at once, and none may read a partial file.
            written = target.with_name(f"{target.name}.{os.getpid()}")
            written.write_text(text)
            written.replace(target)


if __name__ == "__main__":
    write()

"""The OpenAPI document of the service, made from the request schemas, the error table and the list of operations below.

`python -m chalicelib.api.openapi.document > docs/reference/openapi.json` writes it; a test fails when that is stale, or when a
route is missing here.
"""

from __future__ import annotations

import json
import re

from chalicelib.api.openapi.operations import (
    CLUSTER_OPERATIONS,
    CLUSTER_QUERY,
    CLUSTER_SCHEMAS,
    CURFEW_OPERATIONS,
    CURFEW_SCHEMAS,
    PAGE_OPERATIONS,
    RECEIPT_SCHEMAS,
    Json,
    Operation,
)
from chalicelib.api.openapi.people import PEOPLE_OPERATIONS, PEOPLE_SCHEMAS
from chalicelib.api.problems import TABLE
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.spec import EndpointAccess

_LAB = "/labs/{lab_id}"
_PAGE = ("limit", "cursor")
_ADOPT = "/orphans/{account}/{region}/{name}/adopt"
_RECEIPT = (200, "All looks")
OPERATIONS = (
    Operation(
        "post",
        "/labs",
        "Ask for a lab",
        (202, "Stored; its making is started"),
        (400, 409, 422),
        "Lab",
        query=("dryRun",),
        also=((200, "A dry run: the completed request and what it costs"),),
    ),
    Operation("get", "/labs", "List labs, newest first", (200, "A page"), (400,), query=("owner", "phase", *_PAGE)),
    Operation("get", _LAB, "Phase, reason, steps, endpoint, what happens next", (200, "The lab"), (404,)),
    Operation("patch", _LAB, "Change endpoint access or node counts", (202, "Under way"), (400, 404, 409), "Change"),
    Operation("delete", _LAB, "Release the lab: everything is deleted", (202, "Under way"), (404,)),
    Operation("get", f"{_LAB}/events", "History, oldest first", (200, "A page"), (400, 404), query=_PAGE),
    Operation(
        "get",
        f"{_LAB}/kubeconfig",
        "kubeconfig, without a secret",
        (200, "YAML, or JSON"),
        (404, 409),
        media="application/yaml",
    ),
    Operation("get", f"{_LAB}/inventory", "What was made, part by part", (200, "The parts"), (404,)),
    Operation(
        "get",
        f"{_LAB}/receipt",
        "Proof of empty: every ARN and what became of it",
        _RECEIPT,
        (404,),
        answer="Receipt",
    ),
    Operation(
        "post",
        f"{_LAB}/leftovers",
        "Say what stays of what is left in doubt",
        _RECEIPT,
        (400, 404, 409, 422),
        "Leftovers",
        answer="Receipt",
    ),
    Operation(
        "post",
        _ADOPT,
        "Make a cluster without a record a lab again (administrators)",
        (201, "The lab"),
        (400, 404, 409),
    ),
    Operation(
        "get", "/versions", "Kubernetes versions and their support", (200, "The calendar"), (400,), query=("region",)
    ),
    Operation("get", "/health", "Whether the service is well, and why not", (200, "`ok` or `degraded`")),
    *CLUSTER_OPERATIONS,
    *CURFEW_OPERATIONS,
    *PEOPLE_OPERATIONS,
    *PAGE_OPERATIONS,
)
_QUERY: dict[str, Json] = {
    "owner": {"type": "string", "description": "`me` (default), an ARN or `*`; others' for administrators only."},
    "phase": {"type": "array", "items": {"type": "string", "enum": [str(phase) for phase in Phase]}},
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 25},
    "cursor": {"type": "string", "description": "The `cursor` of the page before."},
    "region": {"type": "string", "description": "Default: the installation's."},
    "month": {"type": "string", "pattern": r"^20\d\d-(0[1-9]|1[0-2])$"},
    "by": {"type": "string", "enum": ["person", "team", "account", "tag"], "default": "person"},
    "format": {
        "type": "string",
        "enum": ["json", "csv", "focus"],
        "description": "Default: csv where that is accepted.",
    },
    "dryRun": {"type": "boolean", "default": False, "description": "Nothing is stored; the answer is a 200."},
    **CLUSTER_QUERY,
}
_EVERYWHERE = (403, 502, 503)
_FORBIDDEN = "The request is not signed (API Gateway says so), or it is for others to change (a problem)"


def document() -> Json:
    """The whole document."""
    paths: dict[str, Json] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ekslab", "version": "1", "description": "EKS lab clusters that clean up after themselves."},
        "security": [{"sigv4": []}],
        "paths": paths,
        "components": {"securitySchemes": {"sigv4": _SIGV4}, "schemas": _schemas()},
    }


def text() -> str:
    """The document as it is kept in docs/."""
    return json.dumps(document(), indent=2, sort_keys=True) + "\n"


_SIGV4 = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4, service execute-api.",
}


def _operation(operation: Operation) -> Json:
    status, message = operation.success
    headers = {"Location": {"schema": {"type": "string"}}} if status == 202 else {}
    answer = _ref(operation.answer) if operation.answer else {}
    content: Json = {operation.media: {"schema": answer}, **({"text/html": {"schema": {}}} if operation.public else {})}
    success = {"description": message, "headers": headers, "content": content}
    others = {str(other): {"description": told, "content": content} for other, told in operation.also}
    refusals = {str(refusal): _refusal(refusal) for refusal in (*operation.statuses, *_elsewhere(operation))}
    described: Json = {"summary": operation.summary, "responses": {str(status): success, **others, **refusals}}
    parameters = _parameters(operation)
    if parameters:
        described["parameters"] = parameters
    if operation.public:
        described["security"] = []
    if operation.body:
        described["requestBody"] = {"required": True, "content": _content(operation.body)}
    return described


def _elsewhere(operation: Operation) -> tuple[int, ...]:
    return tuple(status for status in _EVERYWHERE if status != 403 or not operation.public)


def _parameters(operation: Operation) -> list[Json]:
    in_path = re.findall(r"\{(\w+)\+?\}", operation.path)
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in in_path
    ]
    for name in operation.query:
        schema = _QUERY.get(f"{operation.path} {name}", _QUERY[name])
        found.append({"name": name, "in": "query", "schema": schema})
    if operation.path == "/labs" and operation.method == "post":
        key: Json = {"type": "string", "minLength": 1, "maxLength": 255}
        found.append({"name": "Idempotency-Key", "in": "header", "schema": key})
    return found


def _content(schema: str) -> Json:
    own: Json = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    as_csv: Json = {"text/csv": {"schema": {"type": "string"}}} if schema == "Roster" else {}
    return {"application/json": own, "application/yaml": own, **as_csv}


def _refusal(status: int) -> Json:
    titles = [title for _, code, _, title in TABLE if code == status]
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    if status == 403:
        return {
            "description": _FORBIDDEN,
            "content": {"application/json": {"schema": {}}, "application/problem+json": problem},
        }
    if status == 401:
        return {"description": "No session: a page with the way in", "content": {"text/html": {"schema": {}}}}
    return {"description": "; ".join(titles), "content": {"application/problem+json": problem}}


def _schemas() -> dict[str, Json]:
    from chalicelib.api.inputs.lab_schema import LabBody

    lab = LabBody.model_json_schema(ref_template="#/components/schemas/{model}")
    parts: dict[str, Json] = lab.pop("$defs", {})
    eksctl = {"type": "object", "description": "An eksctl ClusterConfig, v1alpha5: see docs/reference/request.md."}
    return {
        **parts,
        "LabBody": lab,
        "Lab": {"anyOf": [_ref("LabBody"), eksctl]},
        "Change": _CHANGE,
        **CLUSTER_SCHEMAS,
        **CURFEW_SCHEMAS,
        **RECEIPT_SCHEMAS,
        **PEOPLE_SCHEMAS,
        **_PROBLEM,
    }


def _ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


_COUNT: Json = {
    "type": "object",
    "required": ["name", "desired"],
    "additionalProperties": False,
    "properties": {"name": {"type": "string"}, "desired": {"type": "integer", "minimum": 0}},
}
_CHANGE: Json = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "endpoint": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "access": {"type": "string", "enum": [str(access) for access in EndpointAccess]},
                "allowedCidrs": {"type": "array", "items": {"type": "string"}},
            },
        },
        "nodegroups": {"type": "array", "items": _COUNT},
    },
}
_FINDING: Json = {
    "type": "object",
    "required": ["path", "code", "message", "severity"],
    "properties": {name: {"type": "string"} for name in ("path", "code", "message")}
    | {"severity": {"type": "string", "enum": ["error", "warning"]}},
}
_PROBLEM: dict[str, Json] = {
    "Finding": _FINDING,
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            **{name: {"type": "string"} for name in ("type", "title", "detail")},
            "status": {"type": "integer"},
            "findings": {"type": "array", "items": _ref("Finding")},
        },
    },
}

if __name__ == "__main__":
    print(text(), end="")

"""The OpenAPI document of the service, made from the routes' own descriptions, the schemas and the error table.

`python -m chalicelib.api.reference > docs/reference/openapi.json` writes it; a test fails if the stored file is stale.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from chalicelib.api.context import Operation
from chalicelib.api.openapi.schemas import HEADERS, QUERY, SCHEMAS, Json, ref
from chalicelib.api.problems import TABLE
from chalicelib.domain.core.service_health import VERSION

_DESCRIPTION = "EKS lab clusters that clean up after themselves."
_EVERYWHERE = (403, 502, 503)
_FORBIDDEN = "The request is not signed (API Gateway says so), or it is for others to change (a problem)"


def document(operations: Iterable[Operation]) -> Json:
    """The whole document."""
    paths: dict[str, Json] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ekslab", "version": VERSION, "description": _DESCRIPTION},
        "security": [{"sigv4": []}],
        "paths": paths,
        "components": {"securitySchemes": {"sigv4": _SIGV4}, "schemas": _schemas()},
    }


_SIGV4 = {
    "type": "apiKey",
    "name": "Authorization",
    "in": "header",
    "description": "AWS Signature Version 4, service execute-api.",
}


def _operation(operation: Operation) -> Json:
    status, message = operation.success
    headers = {"Location": {"schema": {"type": "string"}}} if status == 202 else {}
    answer = ref(operation.answer) if operation.answer else {}
    content: Json = {operation.media: {"schema": answer}, **{each: {"schema": {}} for each in operation.other_media}}
    success = {"description": message, "headers": headers, "content": content}
    others = {str(other): {"description": told, "content": content} for other, told in operation.also}
    usual = [status for status in _EVERYWHERE if status != 403 or not operation.public]
    refusals = {str(refusal): _refusal(refusal) for refusal in (*operation.refusals, *usual)}
    described: Json = {"summary": operation.summary, "responses": {str(status): success, **others, **refusals}}
    parameters = _parameters(operation)
    if parameters:
        described["parameters"] = parameters
    if operation.public:
        described["security"] = []
    if operation.body:
        described["requestBody"] = {"required": True, "content": {**_content(operation.body), **_types(operation)}}
    elif operation.types:
        described["requestBody"] = {"required": False, "content": _types(operation)}
    return described


def _parameters(operation: Operation) -> list[Json]:
    in_path = re.findall(r"\{(\w+)\+?\}", operation.path)
    found: list[Json] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in in_path
    ]
    for each in operation.query:
        name, schema = (each, each) if isinstance(each, str) else each
        found.append({"name": name, "in": "query", "schema": QUERY[schema]})
    found += [{"name": name, "in": "header", "schema": HEADERS[name]} for name in operation.headers]
    return found


def _content(schema: str) -> Json:
    own: Json = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    return {"application/json": own, "application/yaml": own}


def _types(operation: Operation) -> Json:
    return {each: {"schema": {"type": "string"}} if each.startswith("text/") else {} for each in operation.types}


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
    return {**parts, "LabBody": lab, "Lab": {"anyOf": [ref("LabBody"), eksctl]}, **SCHEMAS}

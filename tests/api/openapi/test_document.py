"""docs/reference/openapi.json matches the code, for every route."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

from chalicelib.api.openapi.document import document
from chalicelib.api.openapi.schemas import HEADERS, QUERY
from chalicelib.api.problems import TABLE
from chalicelib.api.reference import operations, text
from tests.api.http import Http
from tests.paths import PROJECT

OPERATIONS = operations()
KEPT = PROJECT / "docs/reference/openapi.json"


def test_the_kept_document_is_current() -> None:
    assert KEPT.read_text() == text(), "run: python -m chalicelib.api.reference > docs/reference/openapi.json"


def test_every_route_is_described_and_nothing_else() -> None:
    routes = {(method, path) for path, methods in Http().app.routes.items() for method in methods}
    assert {(operation.method, operation.path) for operation in OPERATIONS} == routes


def test_every_route_and_every_problem_is_in_the_manual() -> None:
    manual = (KEPT.parent / "api.md").read_text()
    routes = [f"`{operation.method} {operation.path}`" for operation in OPERATIONS]
    problems = [f"`{word}`" for _, _, word, _ in TABLE]
    assert [message for message in (*routes, *problems) if message not in manual] == []


def test_what_a_route_takes_is_declared_at_the_route() -> None:
    source = (PROJECT / "chalicelib/api/openapi/document.py").read_text()
    constants = {node.value for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Constant)}
    bodies = {operation.body for operation in OPERATIONS if operation.body not in (None, "Lab")}
    assert constants & ({operation.path for operation in OPERATIONS} | bodies | set(HEADERS) | set(QUERY)) == set()
    assert [name for name in (*QUERY, *HEADERS) if "/" in name or " " in name] == []
    paths = document(OPERATIONS)["paths"]
    taken = {(each["name"], each["in"]) for each in paths["/labs"]["post"]["parameters"]}
    assert taken == {("dryRun", "query"), ("Idempotency-Key", "header")}
    assert {"text/csv", "application/json"} <= set(paths["/people"]["post"]["requestBody"]["content"])


def test_an_answer_names_the_types_that_it_comes_in() -> None:
    paths = document(OPERATIONS)["paths"]
    types = {
        path: set(methods["get"]["responses"]["200"]["content"]) for path, methods in paths.items() if "get" in methods
    }
    assert types["/keep/{token}"] == {"application/json", "text/html"}
    assert types["/people"] == types["/costs"] == {"application/json", "text/csv"}
    assert (types["/openapi.json"], types["/calendar/{file}"]) == ({"application/json"}, {"text/calendar"})


def test_every_parameter_that_is_described_is_some_routes() -> None:
    used = {each if isinstance(each, str) else each[1] for operation in OPERATIONS for each in operation.query}
    assert used == set(QUERY)
    assert {each for operation in OPERATIONS for each in operation.headers} == set(HEADERS)


def test_every_reference_leads_somewhere() -> None:
    schemas: dict[str, Any] = document(OPERATIONS)["components"]["schemas"]
    named = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(document(OPERATIONS))))
    assert named <= set(schemas)
    assert {"LabBody", "NodegroupBody", "Problem"} <= named


def test_every_route_but_the_links_and_the_pages_asks_for_a_signature() -> None:
    entries = [entry for methods in Http().app.routes.values() for entry in methods.values()]
    assert len(entries) == len(OPERATIONS)
    public = {(entry.method, entry.uri_pattern) for entry in entries if entry.authorizer is None}
    pages = {("GET", "/"), ("GET", "/ui"), ("GET", "/ui/{path+}"), ("POST", "/ui/{path+}"), ("GET", "/openapi.json")}
    links = {
        (method, f"/{what}/{{token}}")
        for method in ("GET", "POST")
        for what in ("keep", "decide", "confirm", "unsubscribe")
    }
    links |= {(method, "/mail/{action}/{token}") for method in ("GET", "POST")}
    assert public == links | pages | {("GET", "/calendar/{file}")}
    assert all(type(e.authorizer).__name__ == "IAMAuthorizer" for e in entries if e.authorizer is not None)
    message = {(operation.method, operation.path) for operation in OPERATIONS if operation.public}
    assert message == public

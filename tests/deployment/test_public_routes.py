"""Routes open to the internet are throttled, and no log of API Gateway's shows the token in their path."""

from __future__ import annotations

import json
from typing import Any

from tests.api.http import Http
from tests.paths import PROJECT

TEMPLATE = PROJECT / ".chalice" / "template.json"


def stage() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(TEMPLATE.read_text())["Resources"]["RestAPI"]["Properties"]
    return found


def test_every_route_without_a_signature_is_throttled_and_none_is_named_that_is_not_there() -> None:
    entries = [entry for methods in Http().app.routes.values() for entry in methods.values()]
    public = {(entry.method, entry.uri_pattern) for entry in entries if entry.authorizer is None}
    settings = stage()["MethodSettings"]
    assert {(each["HttpMethod"], each["ResourcePath"]) for each in settings} == {
        # CloudFormation requires ~1 for each slash but the first; the root is a slash alone.
        (method, "/" if path == "/" else "/" + path.replace("/", "~1"))
        for method, path in public
    }
    for each in settings:
        assert 200 == each["ThrottlingRateLimit"] <= each["ThrottlingBurstLimit"] <= 400


def test_api_gateway_logs_no_request_whole() -> None:
    written = json.dumps(stage())
    assert [word for word in ("DataTraceEnabled", "context.path", "context.protocol") if word in written] == []

"""Requests that Schemathesis generates from the OpenAPI document, valid and invalid ones: each answer is documented.

Schemathesis is in an environment of its own (`make hostile`); without it, this is skipped.
"""

from __future__ import annotations

import json
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from chalicelib.api.openapi.document import document
from chalicelib.api.reference import operations
from chalicelib.domain.curfew.signed_links import MOST_USES
from tests.api.curfew_world import NIGHT
from tests.api.http import ADMIN, Http
from tests.api.matrix import OWNER
from tests.api.test_matrix import LAB, path_of, the_world
from tests.fakes.builders import ACCOUNT
from tests.fakes.fleet_builders import REGION

schemathesis = pytest.importorskip("schemathesis", reason="make hostile")
pytestmark = pytest.mark.long

#: Requests to each operation, of each mode, unless fewer are different.
EXAMPLES = 100
#: Of all operations.
LEAST = 5_000
#: Existing resources; otherwise nearly all requests would be for missing ones.
THERE = {
    "lab_id": LAB,
    "account": ACCOUNT,
    "region": REGION,
    "name": "orders",
    "date": f"{NIGHT}",
    "path": f"labs/{LAB}",
}
OPERATIONS = {
    found.ok().label: found.ok()
    for found in schemathesis.openapi.from_dict(document(operations())).get_all_operations()
}
#: Requests to these have no parameters, or only one for which any text is valid.
NOTHING_TO_GET_WRONG = {"GET /", "GET /openapi.json", "GET /ui"}
ANY_TEXT = ("{token}", "{file}", "/ui/")


REQUESTS = [
    (label, mode)
    for label in sorted(OPERATIONS)
    for mode in ("positive", "negative")
    if mode == "positive" or not (label in NOTHING_TO_GET_WRONG or any(text in label for text in ANY_TEXT))
]


@pytest.mark.parametrize(("label", "mode"), REQUESTS)
def test_any_request_has_a_documented_answer(label: str, mode: str) -> None:
    operation = OPERATIONS[label]
    documented = set(operation.definition.raw["responses"])

    @seed(len(label))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode)))
    def asked(case: Any) -> None:
        answer = answer_to(case)
        told = (case.path_parameters, case.query, case.body, answer["body"])
        ANSWERED[label, mode][answer["statusCode"]] += 1
        assert answer["statusCode"] < 500, told
        assert str(answer["statusCode"]) in documented, (answer["statusCode"], told)

    asked()


#: The received statuses by operation and mode.
ANSWERED = defaultdict[tuple[str, str], Counter[int]](Counter)


def answer_to(case: Any) -> Mapping[str, Any]:
    """The API's answer. Most requests name existing resources; one in two comes from an administrator.

    Of requests with a link's token, some come when it has expired, and some after it was used too often.
    """
    dice = random.Random(repr((case.path_parameters, case.query, case.body)))
    parts = {name: str(value) for name, value in (case.path_parameters or {}).items()}
    if dice.random() < 0.7:
        parts |= {name: THERE[name] for name in parts if name in THERE}
    method, resource = case.operation.method.upper(), case.operation.path
    http, uses_link = the_world((method, resource)), "{token}" in resource and dice.random() < 0.7
    if uses_link:
        parts |= link_in(http, method, resource)
        http.world.clock.advance(days=dice.choice((0, 0, 0, 20)))
    path = resource
    for name, value in parts.items():
        path = path.replace(f"{{{name}}}", value).replace(f"{{{name}+}}", value)
    body = case.body if isinstance(case.body, dict | list | str | int | float | None) else None
    who = dice.choice([OWNER, ADMIN])
    event = {
        "httpMethod": method,
        "path": path,
        "headers": {
            "content-type": case.media_type or "application/json",
            **{name.lower(): str(value) for name, value in (case.headers or {}).items()},
        },
        "multiValueQueryStringParameters": {str(key): [str(value)] for key, value in (case.query or {}).items()}
        or None,
        "pathParameters": parts or None,
        "stageVariables": None,
        "body": None if case.media_type is None else json.dumps(body),
        "isBase64Encoded": False,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": resource,
            "path": f"/api{path}",
            "identity": {"sourceIp": "15.230.39.7", "userArn": who, "accountId": ACCOUNT},
        },
    }
    for _ in range(MOST_USES if uses_link and dice.random() < 0.05 else 0):
        http.app(event, None)
    answer: Mapping[str, Any] = http.app(event, None)
    return answer


def link_in(http: Http, method: str, resource: str) -> dict[str, str]:
    """The parameters of a valid link."""
    *_, action, token = path_of(http, (method, resource)).split("/")
    return {"token": token, **({"action": action} if "{action}" in resource else {})}


def test_thousands_were_asked_and_every_status_that_a_caller_can_cause_was_seen(request: pytest.FixtureRequest) -> None:
    asked = [each for each in request.session.items if each.name.startswith("test_any_request_has")]
    if len(asked) < len(REQUESTS):
        pytest.skip("The command line (-k or a node id) selects some operations; this test counts the requests to all.")
    assert set(ANSWERED) == set(REQUESTS)
    assert sum(each.total() for each in ANSWERED.values()) >= LEAST
    documented = {int(status) for each in OPERATIONS.values() for status in each.definition.raw["responses"]}
    assert {status for status in documented if status < 500} == {
        status for each in ANSWERED.values() for status in each
    }

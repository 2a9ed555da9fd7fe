"""The part of the OpenAPI document that is about curfew: leases, evenings, plans, rules, and the link that keeps a lab."""

from __future__ import annotations

from chalicelib.api.inputs.curfew_params import RULE_NAMES
from chalicelib.api.openapi.operations import Json, Operation
from chalicelib.domain.curfew.curfew_bounds import BOUNDS
from chalicelib.domain.curfew.rules import Mode

_LAB = "/labs/{lab_id}"
_WHOLE, _UNDER_WAY = (200, "The lab"), (202, "Under way")
CURFEW_OPERATIONS = (
    Operation(
        "post",
        f"{_LAB}/extend",
        "Move the lease out",
        (200, "Its new end, and what it costs"),
        (400, 404, 409),
        "Extension",
    ),
    Operation("post", f"{_LAB}/protect", "No sweep touches it (administrators)", _WHOLE, (400, 404, 409), "Protection"),
    Operation(
        "put", f"{_LAB}/evening", "When curfew comes, and what it brings", _WHOLE, (400, 404, 409), "EveningBody"
    ),
    Operation("post", f"{_LAB}/hibernate", "No nodes until it is woken", _UNDER_WAY, (404, 409)),
    Operation("post", f"{_LAB}/wake", "Its nodes come back", _UNDER_WAY, (404, 409)),
    Operation("get", f"{_LAB}/verdict", "Whether it is idle, and why", (200, "Live, and as last kept"), (404,)),
    Operation("get", "/plan", "Tonight's plan, with reasons and hash", (200, "The plan, empty if there is none")),
    Operation("get", "/plan/{date}", "The plan of a night", (200, "The plan"), (400, 404)),
    Operation("get", "/curfew", "How curfew works here", (200, "The rules")),
    Operation(
        "put", "/curfew", "Change rules, or the stop switch (administrators)", (200, "The rules"), (400,), "Curfew"
    ),
    Operation(
        "get",
        "/keep/{token}",
        "What a keep-link would keep; changes nothing",
        (200, "A page, or JSON"),
        (404, 409, 410),
        public=True,
    ),
    Operation(
        "post",
        "/keep/{token}",
        "Keep the lab for one night more",
        (200, "A page, or JSON"),
        (404, 409, 410),
        public=True,
    ),
)
_INSTANT: Json = {"type": "string", "format": "date-time"}


def _object(**properties: Json) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_NUMBERS: dict[str, Json] = {
    name: {"type": "integer", "minimum": BOUNDS[rule][0], "maximum": BOUNDS[rule][1]}
    for rule, name in RULE_NAMES.items()
}
CURFEW_SCHEMAS: dict[str, Json] = {
    "Extension": {
        "oneOf": [
            {**_object(until=_INSTANT), "required": ["until"]},
            {**_object(hours={"type": "integer", "minimum": 1, "maximum": 8760}), "required": ["hours"]},
        ]
    },
    "Protection": {
        **_object(until={**_INSTANT, "type": ["string", "null"]}, why={"type": "string", "maxLength": 200}),
        "required": ["until"],
    },
    "Curfew": _object(mode={"type": "string", "enum": [str(mode) for mode in Mode]}, **_NUMBERS),
}

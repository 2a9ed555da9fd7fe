"""The part of the OpenAPI document that is about watched clusters."""

from __future__ import annotations

from chalicelib.api.openapi.operations import Json, Operation
from chalicelib.domain.support.deadlines import SupportPhase

_CLUSTER = "/clusters/{account}/{region}/{name}"
_ACCOUNT = "/accounts/{account}"
_WANTED = ("phase", "daysLeft", "owner", "account", "region")
_PAGE = ("limit", "cursor")
_ONE = (200, "The cluster")
CLUSTER_OPERATIONS = (
    Operation(
        "get", "/clusters", "Watched clusters, by what comes first", (200, "A page"), (400,), query=(*_WANTED, *_PAGE)
    ),
    Operation("get", _CLUSTER, "Deadlines, what is in the way, commands, notices", _ONE, (404,)),
    Operation("post", f"{_CLUSTER}/acknowledge", "The next deadline is known", _ONE, (404, 409)),
    Operation("post", f"{_CLUSTER}/snooze", "Hold notices back for a while", _ONE, (400, 404, 409), "Snooze"),
    Operation(
        "put",
        f"{_CLUSTER}/support-policy",
        "Change between STANDARD and EXTENDED",
        (202, "EKS is changing it (200: it was that already)"),
        (400, 404, 409),
        "SupportPolicy",
    ),
    Operation(
        "get",
        "/deadlines.ics",
        "All deadlines as a calendar (RFC 5545)",
        (200, "iCalendar"),
        (400,),
        query=_WANTED,
        media="text/calendar",
    ),
    Operation("get", "/notices", "The ledger of notices, newest first", (200, "A page"), (400,), query=_PAGE),
    Operation("get", "/accounts", "Which accounts are watched, and which take labs", (200, "All of them")),
    Operation("get", _ACCOUNT, "One registered account", (200, "The account"), (404,)),
    Operation("put", _ACCOUNT, "Register an account (administrators)", (200, "Kept"), (400, 409), "Account"),
    Operation("delete", _ACCOUNT, "Forget an account without labs (administrators)", (204, "Forgotten"), (409,)),
)
_PHASES: Json = {"type": "array", "items": {"type": "string", "enum": [str(phase) for phase in SupportPhase]}}
_OWNER: Json = {"type": "string", "description": "As the cluster's tags or its account's registration name them."}
_REGION: Json = {"type": "string", "description": "Default: all."}
#: By name, or by path and name where the name means something else elsewhere.
CLUSTER_QUERY: dict[str, Json] = {
    "daysLeft": {"type": "integer", "description": "The next deadline is at most so many days away, or past."},
    "account": {"type": "string"},
    **{f"{path} phase": _PHASES for path in ("/clusters", "/deadlines.ics")},
    **{f"{path} owner": _OWNER for path in ("/clusters", "/deadlines.ics")},
    **{f"{path} region": _REGION for path in ("/clusters", "/deadlines.ics")},
}


def _object(required: list[str], **properties: Json) -> Json:
    return {"type": "object", "required": required, "additionalProperties": False, "properties": properties}


_TEXT: Json = {"type": "string"}
CLUSTER_SCHEMAS: dict[str, Json] = {
    "Snooze": _object(["until"], until={"type": "string", "format": "date-time"}),
    "SupportPolicy": _object(["supportType"], supportType={"type": "string", "enum": ["STANDARD", "EXTENDED"]}),
    "Account": _object(
        ["regions"],
        regions={"type": "array", "items": _TEXT, "minItems": 1},
        name=_TEXT,
        roleArn=_TEXT,
        owner=_TEXT,
        team=_TEXT,
        labs={"type": "boolean", "description": "Whether labs may be made in it. Default: false."},
    ),
}

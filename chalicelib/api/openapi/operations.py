"""One operation as the OpenAPI document lists it."""

from __future__ import annotations

from typing import Any

from chalicelib.api.inputs.curfew_params import RULE_NAMES
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.curfew.rules import BOUNDS, Mode
from chalicelib.domain.support.deadlines import SupportPhase
from chalicelib.domain.teardown.receipt import ReceiptOutcome

Json = dict[str, Any]
_CLUSTER = "/clusters/{account}/{region}/{name}"
_ACCOUNT = "/accounts/{account}"
_WANTED = ("phase", "daysLeft", "owner", "account", "region")
_PAGE = ("limit", "cursor")
_ONE = (200, "The cluster")
_OWNER: Json = {"type": "string", "description": "As the cluster's tags or its account's registration name them."}
_REGION: Json = {"type": "string", "description": "Default: all."}
_TEXT: Json = {"type": "string"}
_LAB = "/labs/{lab_id}"
_WHOLE, _UNDER_WAY = (200, "The lab"), (202, "Under way")
_MOVED = ((303, "Its address"),)
_INSTANT: Json = {"type": "string", "format": "date-time"}


@dataclass(frozen=True)
class Operation:
    """One method of one path. `statuses` are its refusals beside those that every operation has (403, 502, 503).

    `also`: other successes than the usual one. `public`: nobody needs to sign. `answer` names the schema of
    what a success answers, where there is one.
    """

    method: str
    path: str
    summary: str
    success: tuple[int, str]
    statuses: tuple[int, ...] = ()
    body: str | None = None
    query: tuple[str, ...] = ()
    media: str = "application/json"
    public: bool = False
    answer: str = ""
    also: tuple[tuple[int, str], ...] = ()


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
        (202, "EKS is changing it"),
        (400, 404, 409),
        "SupportPolicy",
        also=((200, "It was that already"),),
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


CLUSTER_SCHEMAS: dict[str, Json] = {
    "Leftovers": _object(["keep"], keep={"type": "array", "items": _TEXT, "minItems": 1}),
    "Why": _object(["why"], why={"type": "string", "minLength": 1}),
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
        "put", f"{_LAB}/schedule", "When curfew comes, and what it brings", _WHOLE, (400, 404, 409), "ScheduleBody"
    ),
    Operation("post", f"{_LAB}/hibernate", "No nodes until it is woken", _UNDER_WAY, (404, 409)),
    Operation("post", f"{_LAB}/wake", "Its nodes come back", _UNDER_WAY, (404, 409)),
    Operation("get", f"{_LAB}/verdict", "Whether it is idle, and why", (200, "Live, and as last kept"), (404,)),
    Operation("get", "/plan", "Tonight's plan, with reasons and hash", (200, "The plan, empty if there is none")),
    Operation("get", "/plan/{date}", "The plan of a night", (200, "The plan"), (400, 404)),
    Operation(
        "post",
        "/plan/{date}/release",
        "Let go a plan that brake or guard holds (administrators)",
        (200, "The plan"),
        (400, 404, 409),
        "Release",
    ),
    Operation("get", "/curfew", "How curfew works here", (200, "The rules")),
    Operation(
        "put", "/curfew", "Change rules, or the stop switch (administrators)", (200, "The rules"), (400,), "Curfew"
    ),
    Operation("get", "/offers", "What labs may use of the account", (200, "The list")),
    Operation("put", "/offers", "Change the list (administrators)", (200, "The list"), (400,), "Offers"),
    Operation(
        "get",
        "/costs",
        "What labs cost in a month",
        (200, "The sums, as JSON; CSV and FOCUS 1.2 by pages, of which the header Link names the next"),
        (400, 403),
        query=("month", "by", "format", "limit", "cursor"),
    ),
    Operation("post", f"{_LAB}/approve", "Approve a lab that waits", (202, "Under way"), (400, 403, 404, 409), "Why"),
    Operation("post", f"{_LAB}/refuse", "Refuse a lab that waits", (202, "Refused"), (400, 403, 404, 409), "Why"),
    Operation(
        "get",
        "/decide/{token}",
        "What a link of an approver's mail would do; changes nothing",
        (200, "A page, or JSON"),
        (404, 409, 410),
        public=True,
    ),
    Operation(
        "post",
        "/decide/{token}",
        "Approve or refuse the lab, as the link says",
        (200, "A page, or JSON"),
        (404, 409, 410),
        public=True,
    ),
    Operation(
        "get",
        "/keep/{token}",
        "What a keep-link would keep; changes nothing",
        (200, "A page, or JSON"),
        (404, 409, 410, 429),
        public=True,
    ),
    Operation(
        "post",
        "/keep/{token}",
        "Keep the lab for one night more",
        (200, "A page, or JSON"),
        (404, 409, 410, 429),
        public=True,
    ),
)


PAGE_OPERATIONS = (
    Operation("post", "/sessions", "Open a browser's session for whoever signs", (201, "Its token, and when it ends")),
    Operation("get", "/openapi.json", "This document", (200, "The document"), public=True),
    *(
        Operation("get", path, what, (200, "A page"), (401, 404), media="text/html", public=True, also=_MOVED)
        for path, what in (("/", "The page"), ("/ui", "The page"), ("/ui/{path+}", "A page, for a session's cookie"))
    ),
    Operation(
        "post",
        "/ui/{path+}",
        "A page's form",
        (303, "Done: the page that shows it"),
        (400, 401, 404, 409),
        media="text/html",
        public=True,
    ),
)


def _object_of_curfew(**properties: Json) -> Json:
    return {"type": "object", "additionalProperties": False, "properties": properties}


_USD: Json = {"type": "number", "minimum": 0, "maximum": 1_000_000}
_CEILING: Json = {"oneOf": [_USD, {"const": "none"}]}
_TEXTS: Json = {"type": "array", "items": _TEXT}
_NUMBERS: dict[str, Json] = {
    name: {"type": "integer", "minimum": BOUNDS[rule][0], "maximum": BOUNDS[rule][1]}
    for rule, name in RULE_NAMES.items()
}
CURFEW_SCHEMAS: dict[str, Json] = {
    "Extension": {
        "oneOf": [
            {**_object_of_curfew(until=_INSTANT), "required": ["until"]},
            {**_object_of_curfew(hours={"type": "integer", "minimum": 1, "maximum": 8760}), "required": ["hours"]},
        ]
    },
    "Protection": {
        **_object_of_curfew(until={**_INSTANT, "type": ["string", "null"]}, why={"type": "string", "maxLength": 200}),
        "required": ["until"],
    },
    "Release": {
        **_object_of_curfew(
            hash={"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "Of the plan as seen."}
        ),
        "required": ["hash"],
    },
    "Offers": _object_of_curfew(
        zones={"type": "array", "items": _object_of_curfew(hostedZoneId=_TEXT, domain=_TEXT)},
        networks={"type": "array", "items": _object_of_curfew(vpcId=_TEXT, subnetIds=_TEXTS, stackId=_TEXT)},
        keyPairs=_TEXTS,
        podRoles={"type": "array", "items": _object_of_curfew(roleArn=_TEXT, owners=_TEXTS)},
        instanceTypes=_TEXTS,
        maxNodes={"type": "integer", "minimum": 0},
        maxUsdHour=_USD,
        maxUsdLease=_CEILING,
        maxUsdMonth=_object_of_curfew(person=_USD, role=_USD, team=_USD, installation=_USD),
        askUsd=_CEILING,
        costTags=_TEXTS,
        finance=_TEXT,
        teams={
            "type": "array",
            "items": _object_of_curfew(
                team=_TEXT,
                **dict.fromkeys(("maxUsdHour", "maxUsdLease", "maxUsdMonth", "maxUsdMonthTeam", "askUsd"), _USD),
                instanceTypes=_TEXTS,
            ),
        },
        openToTheWorld={"type": "boolean"},
    ),
    "Curfew": _object_of_curfew(mode={"type": "string", "enum": [str(mode) for mode in Mode]}, **_NUMBERS),
}

_LINE: Json = {
    "type": "object",
    "required": ["arn", "kind", "outcome", "reason", "how", "creator", "usdMonth", "command", "causedBy"],
    "properties": {
        "arn": _TEXT,
        "kind": _TEXT,
        "outcome": {"enum": [str(outcome) for outcome in ReceiptOutcome]},
        "reason": {"type": "string", "description": "Why it was kept, left, blocked or is still there."},
        "how": {"type": "string", "description": "How we know that it is the lab's, or what points to the lab."},
        "creator": {"type": "string", "description": "Whom CloudTrail names; empty: unknown."},
        "usdMonth": {"type": ["number", "null"], "description": "What it costs a month; null: not known."},
        "command": {"type": "string", "description": "Deletes it, for somebody who has the right; empty: none."},
        "causedBy": {
            "type": "string",
            "description": "The ARN of the line that holds this one: fold it under that. Empty: nothing names what holds it.",
        },
    },
}
_LOOK: Json = {
    "type": "object",
    "required": ["look", "takenAt", "lines", "sources", "unreadable", "clean"],
    "properties": {
        "look": {"enum": ["now", "after 15 minutes", "after 24 hours"]},
        "takenAt": _INSTANT,
        "lines": {"type": "array", "items": {"$ref": "#/components/schemas/ReceiptLine"}},
        "sources": {"type": "array", "items": _TEXT},
        "unreadable": {"type": "array", "items": _TEXT},
        "clean": {"type": "boolean"},
    },
}
RECEIPT_SCHEMAS: dict[str, Json] = {
    "ReceiptLine": _LINE,
    "Receipt": {
        "type": "object",
        "required": ["labId", "verdict", "clean", "usd", "looks"],
        "properties": {
            "labId": _TEXT,
            "verdict": _TEXT,
            "clean": {"type": "boolean"},
            "usd": {"type": ["object", "null"]},
            "looks": {"type": "array", "items": _LOOK},
        },
    },
}

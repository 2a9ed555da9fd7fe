"""The schemas of bodies and answers, and of query parameters, as the OpenAPI document lists them."""

from __future__ import annotations

from typing import Any

from chalicelib.api.inputs.curfew_params import RULE_NAMES
from chalicelib.domain.curfew.rules import BOUNDS, Mode
from chalicelib.domain.identity.person import Language, Topic
from chalicelib.domain.labs.lab import Phase
from chalicelib.domain.labs.spec import EndpointAccess
from chalicelib.domain.requests.ceilings import AtLimit
from chalicelib.domain.requests.roster import COLUMNS, MOST_ROWS, PASSED_OVER
from chalicelib.domain.support.deadlines import SupportPhase
from chalicelib.domain.teardown.receipt import ReceiptOutcome

Json = dict[str, Any]
_TEXT: Json = {"type": "string"}
_INSTANT: Json = {"type": "string", "format": "date-time"}
#: Query parameters. A route names them, or the pair of its own name and one of these.
QUERY: dict[str, Json] = {
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
    "compare": {
        "const": "cost-explorer",
        "description": "With AWS's bill, by part. For administrators: it costs money.",
    },
    "dryRun": {"type": "boolean", "default": False, "description": "Nothing is stored; the answer is a 200."},
    "daysLeft": {"type": "integer", "description": "The next deadline is at most so many days away, or past."},
    "account": _TEXT,
    "supportPhase": {"type": "array", "items": {"type": "string", "enum": [str(phase) for phase in SupportPhase]}},
    "clusterOwner": {"type": "string", "description": "As the cluster's tags or its account's registration name them."},
    "clusterRegion": {"type": "string", "description": "Default: all."},
}
#: Headers that a route reads.
HEADERS: dict[str, Json] = {"Idempotency-Key": {"type": "string", "minLength": 1, "maxLength": 255}}


def _object(*required: str, **properties: Json) -> Json:
    whole: Json = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**whole, "required": list(required)} if required else whole


def ref(name: str) -> Json:
    """A reference to one of the schemas."""
    return {"$ref": f"#/components/schemas/{name}"}


_CLUSTER: dict[str, Json] = {
    "Leftovers": _object("keep", keep={"type": "array", "items": _TEXT, "minItems": 1}),
    "Why": _object("why", why={"type": "string", "minLength": 1}),
    "Snooze": _object("until", until=_INSTANT),
    "SupportPolicy": _object("supportType", supportType={"type": "string", "enum": ["STANDARD", "EXTENDED"]}),
    "Account": _object(
        "regions",
        regions={"type": "array", "items": _TEXT, "minItems": 1},
        name=_TEXT,
        roleArn=_TEXT,
        owner=_TEXT,
        team=_TEXT,
        labs={"type": "boolean", "description": "Whether labs may be made in it. Default: false."},
    ),
}


_USD: Json = {"type": "number", "minimum": 0, "maximum": 1_000_000}
_CEILING: Json = {"oneOf": [_USD, {"const": "none"}, {"type": "null"}]}
_USD_OR_USUAL: Json = {**_USD, "type": ["number", "null"]}
_TEAMS_CEILINGS = ("maxUsdHour", "maxUsdLease", "maxUsdMonth", "maxUsdMonthTeam", "askUsd")
_AT_LIMIT: Json = {"enum": [str(each) for each in AtLimit]}


def _taken_back(schema: Json) -> Json:
    """A part of the list of offers, or null."""
    return {"oneOf": [schema, {"type": "null"}]}


_TEXTS: Json = {"type": "array", "items": _TEXT}
_NUMBERS: dict[str, Json] = {
    name: {"type": "integer", "minimum": BOUNDS[rule][0], "maximum": BOUNDS[rule][1]}
    for rule, name in RULE_NAMES.items()
}
_CURFEW: dict[str, Json] = {
    "Extension": {
        "oneOf": [
            _object("until", until=_INSTANT),
            _object("hours", hours={"type": "integer", "minimum": 1, "maximum": 8760}),
        ]
    },
    "Protection": _object(
        "until", until={**_INSTANT, "type": ["string", "null"]}, why={"type": "string", "maxLength": 200}
    ),
    "Release": _object(
        "hash", hash={"type": "string", "pattern": "^[0-9a-f]{64}$", "description": "Of the plan as seen."}
    ),
    "Offers": _object(
        zones=_taken_back({"type": "array", "items": _object(hostedZoneId=_TEXT, domain=_TEXT)}),
        networks=_taken_back({"type": "array", "items": _object(vpcId=_TEXT, subnetIds=_TEXTS, stackId=_TEXT)}),
        keyPairs=_taken_back(_TEXTS),
        podRoles=_taken_back({"type": "array", "items": _object(roleArn=_TEXT, owners=_TEXTS)}),
        instanceTypes=_taken_back(_TEXTS),
        maxNodes=_taken_back({"type": "integer", "minimum": 0}),
        maxUsdHour=_CEILING,
        maxUsdLease=_CEILING,
        maxUsdMonth=_taken_back(_object(person=_CEILING, role=_CEILING, team=_CEILING, installation=_CEILING)),
        askUsd=_CEILING,
        atLimit=_taken_back(_AT_LIMIT),
        costTags=_taken_back(_TEXTS),
        finance=_taken_back(_TEXT),
        teams=_taken_back(
            {
                "type": "array",
                "items": _object(
                    team=_TEXT,
                    **dict.fromkeys(_TEAMS_CEILINGS, _USD_OR_USUAL),
                    instanceTypes=_TEXTS,
                    atLimit=_AT_LIMIT,
                ),
            }
        ),
        openToTheWorld=_taken_back({"type": "boolean"}),
    ),
    "Curfew": _object(mode={"type": "string", "enum": [str(mode) for mode in Mode]}, **_NUMBERS),
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
        "lines": {"type": "array", "items": ref("ReceiptLine")},
        "sources": {"type": "array", "items": _TEXT},
        "unreadable": {"type": "array", "items": _TEXT},
        "clean": {"type": "boolean"},
    },
}
_RECEIPT: dict[str, Json] = {
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

_LANGUAGE: Json = {"type": "string", "enum": [str(language) for language in Language]}
_ROW: Json = _object("address", **{**dict.fromkeys((*COLUMNS, *PASSED_OVER), _TEXT), "language": _LANGUAGE})
_PEOPLE: dict[str, Json] = {
    "Me": _object(
        address={"type": ["string", "null"], "description": "null: nowhere."},
        language=_LANGUAGE,
        timeZone={"type": ["string", "null"], "description": "null: the installation's."},
        hears={"type": "array", "items": {"type": "string", "enum": [str(topic) for topic in Topic]}},
    ),
    "Roster": _object("people", people={"type": "array", "items": _ROW, "minItems": 1, "maxItems": MOST_ROWS}),
}
_COUNT: Json = _object("name", "desired", name=_TEXT, desired={"type": "integer", "minimum": 0})
_CHANGE: Json = _object(
    endpoint=_object(
        access={"type": "string", "enum": [str(access) for access in EndpointAccess]},
        allowedCidrs=_TEXTS,
    ),
    nodegroups={"type": "array", "items": _COUNT},
)
_FINDING: Json = {
    "type": "object",
    "required": ["path", "code", "message", "severity"],
    "properties": {
        **dict.fromkeys(("path", "code", "message"), _TEXT),
        "severity": {"type": "string", "enum": ["error", "warning"]},
    },
}
SCHEMAS: dict[str, Json] = {
    "Change": _CHANGE,
    **_CLUSTER,
    **_CURFEW,
    **_RECEIPT,
    **_PEOPLE,
    "Finding": _FINDING,
    "Problem": {
        "type": "object",
        "required": ["type", "title", "status", "detail"],
        "properties": {
            **dict.fromkeys(("type", "title", "detail"), _TEXT),
            "status": {"type": "integer"},
            "findings": {"type": "array", "items": ref("Finding")},
        },
    },
}

"""The operations over people, and the schemas of their bodies."""

from __future__ import annotations

from chalicelib.api.openapi.operations import Json, Operation
from chalicelib.domain.identity.person import Language, Topic
from chalicelib.domain.requests.roster import COLUMNS, MOST_ROWS, PASSED_OVER

PEOPLE_OPERATIONS = (
    Operation("get", "/me", "Where mail reaches the caller, in which language, about what", (200, "The caller")),
    Operation(
        "put", "/me", "Change it; an address gets a mail with a link", (200, "The caller"), (400, 409, 429), "Me"
    ),
    Operation("post", "/me/calendar", "A new secret address of the caller's calendar", (201, "The address"), (409,)),
    Operation("delete", "/me/calendar", "End the calendar's address", (204, "Ended"), (409,)),
    Operation(
        "get",
        "/people",
        "Who is known here (administrators)",
        (200, "A page as JSON, or everybody as CSV"),
        (400,),
        query=("limit", "cursor"),
    ),
    Operation(
        "post", "/people", "Keep a roster, JSON or CSV (administrators)", (200, "What changed"), (400, 409), "Roster"
    ),
    Operation(
        "delete",
        "/people/{name}",
        "Forget a person (administrators)",
        (200, "How many records of labs keep no name now, how many are left, and which labs are alive"),
        (400, 409),
    ),
    *(
        Operation(method, "/confirm/{token}", what, (200, "A page, or JSON"), (*more, 404, 409, 410, 429), public=True)
        for method, what, more in (
            ("get", "Who asks for a mail address; changes nothing", ()),
            ("post", "The reader of the address says yes or no", (400,)),
        )
    ),
    *(
        Operation(method, "/unsubscribe/{token}", what, (200, "A page, or JSON"), (404, 409, 410, 429), public=True)
        for method, what in (
            ("get", "What a mail's link would switch off; changes nothing"),
            ("post", "Switch it off for the mail's reader"),
        )
    ),
    Operation(
        "get",
        "/calendar/{file}",
        "A person's calendar, `<token>.ics`",
        (200, "iCalendar"),
        (404, 429),
        media="text/calendar",
        public=True,
    ),
)

_TEXT: Json = {"type": "string"}
_ROW: Json = {
    "type": "object",
    "required": ["address"],
    "additionalProperties": False,
    "properties": {
        **dict.fromkeys((*COLUMNS, *PASSED_OVER), _TEXT),
        "language": {"type": "string", "enum": [str(language) for language in Language]},
    },
}
PEOPLE_SCHEMAS: dict[str, Json] = {
    "Me": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "address": {"type": ["string", "null"], "description": "null: nowhere."},
            "language": {"type": "string", "enum": [str(language) for language in Language]},
            "timeZone": {"type": ["string", "null"], "description": "null: the installation's."},
            "hears": {"type": "array", "items": {"type": "string", "enum": [str(topic) for topic in Topic]}},
        },
    },
    "Roster": {
        "type": "object",
        "required": ["people"],
        "additionalProperties": False,
        "properties": {"people": {"type": "array", "items": _ROW, "minItems": 1, "maxItems": MOST_ROWS}},
    },
}

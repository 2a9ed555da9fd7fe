"""The table of permissions: for every route, the status for every kind of caller.

The routes' lab is OWNER's, stored with a session's whole ARN as labs were at first. `owner anew` is the same person after a new
assignment of their permission set, so its role has another suffix. `namesake` chose the owner's name for a session of another
role, `look-alike` also made a role with a name like Identity Center's. `colleague` has the owner's permission set, and is in no
team. `guest without a browser` is a program that holds a link, and signs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.domain.curfew.plan import plan_hash
from tests.api.curfew_world import an_entry
from tests.api.http import ADMIN, STRANGER
from tests.fakes.fleet_builders import REGION

SSO = "arn:aws:sts::111122223333:assumed-role/AWSReservedSSO_"
OWNER = f"{SSO}Labs_0123456789abcdef/learner@example.com"

#: An IAM user who may write the cluster's tags, and wrote their own name into one of them.
TAG_WRITER = "arn:aws:iam::111122223333:user/tagger"
#: IAM's answers about roles: these are Identity Center's.
DIRECTORY_ROLES = frozenset(
    {
        "AWSReservedSSO_Labs_0123456789abcdef",
        "AWSReservedSSO_Labs_fedcba9876543210",
        "AWSReservedSSO_Audit_0123456789abcdef",
    }
)

#: kind of caller -> ARN; None: unsigned.
CALLERS: Mapping[str, str | None] = {
    "unsigned": None,
    "other account": OWNER.replace("111122223333", "999988887777"),
    "guest without a browser": None,
    "other owner": STRANGER,
    "colleague": f"{SSO}Labs_0123456789abcdef/colleague@example.com",
    "look-alike": f"{SSO}Labs_{'a' * 16}/learner@example.com",
    "tag writer": TAG_WRITER,
    "namesake": "arn:aws:sts::111122223333:assumed-role/Learners/learner@example.com",
    "other team": f"{SSO}Labs_0123456789abcdef/data@example.com",
    "same team": f"{SSO}Labs_0123456789abcdef/shop@example.com",
    "viewer": f"{SSO}Audit_0123456789abcdef/learner@example.com",
    "owner": OWNER,
    "owner anew": f"{SSO}Labs_fedcba9876543210/learner@example.com",
    "administrator": ADMIN,
}

#: Headers of the guest without a browser; the others send none of them.
HEADERS: Mapping[str, Mapping[str, str]] = {
    "guest without a browser": {"user-agent": "curl/8.9.1", "accept": "application/json"}
}

Row = tuple[int, ...]

#: In the order of CALLERS.
EVERYONE: Row = (403, 403, 403, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200, 200)
ANYBODY_AT_ALL: Row = (200,) * 14
SEEN: Row = (403, 403, 403, 404, 404, 404, 404, 404, 404, 200, 200, 200, 200, 200)
CHANGED: Row = (403, 403, 403, 404, 404, 404, 404, 404, 404, 403, 403, 200, 200, 200)
BEGUN: Row = (403, 403, 403, 404, 404, 404, 404, 404, 404, 403, 403, 202, 202, 202)
ASKED_FOR: Row = (403, 403, 403, 202, 202, 202, 202, 202, 202, 202, 403, 202, 202, 202)
PROTECTED: Row = (403, 403, 403, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403, 200)
DECIDED: Row = (403, 403, 403, 404, 404, 404, 404, 404, 404, 403, 403, 403, 403, 202)
ANSWERED_FOR: Row = (403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 200, 200, 200)
POLICY_ASKED: Row = (403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 202, 202, 202)
OF_ONESELF: Row = (403, 403, 403, 200, 200, 200, 200, 200, 200, 200, 403, 200, 200, 200)
MADE_FOR_ONESELF: Row = (403, 403, 403, 201, 201, 201, 201, 201, 201, 201, 403, 201, 201, 201)
ENDED_FOR_ONESELF: Row = (403, 403, 403, 204, 204, 204, 204, 204, 204, 204, 403, 204, 204, 204)
ADMINISTERED: Row = (403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 200)
ADMINISTERED_AWAY: Row = (403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 204)

#: Pages require a session, and accept no signature for one.
NO_SESSION: Row = (401,) * 14
SESSION: Row = (403, 403, 403, *(201,) * 11)

#: Nothing proves this world's cluster the service's, so even an administrator cannot adopt it.
NOT_PROVED: Row = (403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 409)

#: A line of the receipt in doubt.
LEFT = "arn:aws:ec2:ap-northeast-2:111122223333:volume/vol-1"
UNTIL = "2026-11-23T15:00:00Z"
_LAB, _CLUSTER = "/labs/{lab_id}", "/clusters/{account}/{region}/{name}"

#: (method, path) -> (a valid body, the status for each kind of caller)
MATRIX: Mapping[tuple[str, str], tuple[Any, Row]] = {
    ("POST", "/labs"): ({"name": "another"}, ASKED_FOR),
    ("GET", "/labs"): (None, EVERYONE),
    ("GET", _LAB): (None, SEEN),
    ("PATCH", _LAB): ({"nodegroups": [{"name": "myeks-nodegroup", "desired": 3}]}, BEGUN),
    ("DELETE", _LAB): (None, BEGUN),
    ("GET", f"{_LAB}/events"): (None, SEEN),
    ("GET", f"{_LAB}/kubeconfig"): (None, SEEN),
    ("GET", f"{_LAB}/inventory"): (None, SEEN),
    ("GET", f"{_LAB}/receipt"): (None, SEEN),
    ("POST", f"{_LAB}/leftovers"): ({"keep": [LEFT]}, CHANGED),
    ("GET", f"{_LAB}/verdict"): (None, SEEN),
    ("POST", f"{_LAB}/extend"): ({"until": UNTIL}, CHANGED),
    ("POST", f"{_LAB}/protect"): ({"until": UNTIL, "why": "exam"}, PROTECTED),
    ("PUT", f"{_LAB}/schedule"): ({"curfew": "21:00"}, CHANGED),
    ("POST", f"{_LAB}/hibernate"): (None, BEGUN),
    ("POST", f"{_LAB}/wake"): (None, BEGUN),
    ("POST", f"{_LAB}/approve"): ({"why": "an exam"}, DECIDED),
    ("POST", f"{_LAB}/refuse"): ({"why": "too dear"}, DECIDED),
    ("GET", "/decide/{token}"): (None, ANYBODY_AT_ALL),
    ("POST", "/decide/{token}"): (None, ANYBODY_AT_ALL),
    ("GET", "/costs"): (None, EVERYONE),
    ("GET", "/versions"): (None, EVERYONE),
    ("GET", "/health"): (None, EVERYONE),
    ("GET", "/plan"): (None, EVERYONE),
    ("GET", "/plan/{date}"): (None, EVERYONE),
    ("POST", "/plan/{date}/release"): ({"hash": plan_hash([an_entry(owner=OWNER)])}, ADMINISTERED),
    ("GET", "/curfew"): (None, EVERYONE),
    ("PUT", "/curfew"): ({"mode": "off"}, ADMINISTERED),
    ("GET", "/offers"): (None, EVERYONE),
    ("PUT", "/offers"): ({"keyPairs": ["class"]}, ADMINISTERED),
    ("GET", "/people"): (None, ADMINISTERED),
    ("POST", "/people"): ({"people": [{"iamUser": "kim", "address": "kim@example.com"}]}, ADMINISTERED),
    ("DELETE", "/people/{name}"): (None, ADMINISTERED),
    ("GET", "/me"): (None, EVERYONE),
    ("PUT", "/me"): ({"language": "ko"}, OF_ONESELF),
    ("POST", "/me/calendar"): (None, MADE_FOR_ONESELF),
    ("DELETE", "/me/calendar"): (None, ENDED_FOR_ONESELF),
    ("GET", "/confirm/{token}"): (None, ANYBODY_AT_ALL),
    ("POST", "/confirm/{token}"): (None, ANYBODY_AT_ALL),
    ("GET", "/mail/{action}/{token}"): (None, ANYBODY_AT_ALL),
    ("POST", "/mail/{action}/{token}"): (None, ANYBODY_AT_ALL),
    ("GET", "/unsubscribe/{token}"): (None, ANYBODY_AT_ALL),
    ("POST", "/unsubscribe/{token}"): (None, ANYBODY_AT_ALL),
    ("GET", "/calendar/{file}"): (None, ANYBODY_AT_ALL),
    ("GET", "/keep/{token}"): (None, ANYBODY_AT_ALL),
    ("POST", "/keep/{token}"): (None, ANYBODY_AT_ALL),
    ("GET", "/clusters"): (None, EVERYONE),
    ("GET", _CLUSTER): (None, EVERYONE),
    ("POST", f"{_CLUSTER}/acknowledge"): (None, ANSWERED_FOR),
    ("POST", f"{_CLUSTER}/snooze"): ({"until": "2026-11-24T10:00:00Z"}, ANSWERED_FOR),
    ("PUT", f"{_CLUSTER}/support-policy"): ({"supportType": "STANDARD"}, POLICY_ASKED),
    ("GET", "/deadlines.ics"): (None, EVERYONE),
    ("GET", "/notices"): (None, EVERYONE),
    ("GET", "/accounts"): (None, EVERYONE),
    ("GET", "/accounts/{account}"): (None, EVERYONE),
    ("PUT", "/accounts/{account}"): ({"regions": [REGION]}, ADMINISTERED),
    ("DELETE", "/accounts/{account}"): (None, ADMINISTERED_AWAY),
    ("POST", "/sessions"): (None, SESSION),
    ("GET", "/openapi.json"): (None, ANYBODY_AT_ALL),
    ("GET", "/"): (None, NO_SESSION),
    ("GET", "/ui"): (None, (303,) * 14),
    ("GET", "/ui/{path+}"): (None, NO_SESSION),
    ("POST", "/ui/{path+}"): (None, NO_SESSION),
    ("POST", "/orphans/{account}/{region}/{name}/adopt"): (None, NOT_PROVED),
}


def expected(route: tuple[str, str]) -> dict[str, int]:
    """The status for each kind of caller."""
    return dict(zip(CALLERS, MATRIX[route][1], strict=True))


#: kind of user of the user pool -> their groups. `mate` is in the owner's team; `disabled` was in the pool.
USERS: Mapping[str, tuple[str, ...]] = {
    "other user": (),
    "other team's": ("team-data",),
    "mate": ("team-shop",),
    "pool's viewer": ("viewers",),
    "pool's owner": ("team-shop",),
    "pool's administrator": ("administrators",),
    "disabled": ("administrators",),
}

#: Kinds of caller who sign for a session; after them come USERS, who get theirs by the login.
SIGNED_IN = ("other owner", "colleague", "look-alike", "same team", "viewer", "owner", "owner anew", "administrator")
BY_ANYBODY: Row = (*(200,) * 14, 401)
LAB_SEEN: Row = (404, 404, 404, 200, 200, 200, 200, 200, *(404, 404, 200, 200, 200, 200), 401)
LAB_CHANGED: Row = (404, 404, 404, 403, 403, 303, 303, 303, *(404, 404, 403, 403, 303, 303), 401)
PRICED: Row = (200, 200, 200, 200, 403, 200, 200, 200, *(200, 200, 200, 403, 200, 200), 401)
SAID_OF_ONESELF: Row = (303, 303, 303, 303, 403, 303, 303, 303, *(303, 303, 303, 403, 303, 303), 401)
RULES_SET: Row = (403, 403, 403, 403, 403, 403, 403, 303, *(403, 403, 403, 403, 403, 303), 401)

#: (method, page below /ui/) -> (valid fields, the status for a session of each kind). `{lab}` is OWNER's for sessions by
#: signature, the pool's owner's for sessions by login.
PAGES: Mapping[tuple[str, str], tuple[Mapping[str, str], Row]] = {
    ("GET", "labs"): ({}, BY_ANYBODY),
    ("GET", "ask"): ({}, BY_ANYBODY),
    ("GET", "clusters"): ({}, BY_ANYBODY),
    ("GET", "clusters.csv"): ({}, BY_ANYBODY),
    ("GET", "tonight"): ({}, BY_ANYBODY),
    ("GET", "administration"): ({}, BY_ANYBODY),
    ("GET", "administration/accounts"): ({}, BY_ANYBODY),
    ("GET", "api"): ({}, BY_ANYBODY),
    ("GET", "labs/{lab}"): ({}, LAB_SEEN),
    ("GET", "labs/{lab}/kubeconfig"): ({}, LAB_SEEN),
    ("POST", "labs/{lab}/extend"): ({"hours": "1"}, LAB_CHANGED),
    ("POST", "labs/{lab}/sleep"): ({}, LAB_CHANGED),
    ("POST", "labs/{lab}/end"): ({"sure": "yes"}, LAB_CHANGED),
    ("POST", "ask"): ({"name": "another", "then": "price", "key": "0" * 32}, PRICED),
    ("POST", "administration"): ({"mode": "off"}, RULES_SET),
    ("POST", "language"): ({"language": "ko", "to": "tonight"}, SAID_OF_ONESELF),
    ("POST", "signout"): ({}, BY_ANYBODY),
}


def page_expected(page: tuple[str, str]) -> dict[str, int]:
    """The status for a session of each kind."""
    return dict(zip((*SIGNED_IN, *USERS), PAGES[page][1], strict=True))

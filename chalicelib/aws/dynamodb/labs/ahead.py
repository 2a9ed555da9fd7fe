"""Reads the records for judging a request in one BatchGetItem: its key, the offers, curfew's rules, and the requester."""

from __future__ import annotations

from datetime import datetime

from chalicelib.aws.dynamodb.codec import thing_of
from chalicelib.aws.dynamodb.curfew.keys import RULES
from chalicelib.aws.dynamodb.keys import idempotency_key_of, lab_key
from chalicelib.aws.dynamodb.labs.create import remembered
from chalicelib.aws.dynamodb.labs.records import OFFERS, offers_of
from chalicelib.aws.dynamodb.people import claim_key, person_in
from chalicelib.aws.dynamodb.table import Table
from chalicelib.domain.curfew.rules import CurfewRules
from chalicelib.domain.identity.person import identity_key
from chalicelib.domain.labs.lab import Lab
from chalicelib.ports.deps import Ahead


def look_ahead(table: Table, owner: str, key: str | None, digest: str, now: datetime) -> Ahead:
    """See the port."""
    claim = claim_key(identity_key(owner))
    wanted = [OFFERS, RULES, claim, *([idempotency_key_of(owner, key)] if key else [])]
    found = {item["pk"]["S"]: item for item in table.items_of(wanted)}
    rules = found.get(RULES["pk"]["S"])
    ahead = Ahead(offers_of(found.get(OFFERS["pk"]["S"])), thing_of(CurfewRules, rules) if rules else None)
    used = found.get(idempotency_key_of(owner, key)["pk"]["S"]) if key else None
    if key and used and (lab_id := remembered(used, key, digest, now)):
        return Ahead(ahead.offers, ahead.rules, before=table.load(Lab, lab_key(lab_id)))
    theirs = found.get(claim["pk"]["S"])
    return Ahead(ahead.offers, ahead.rules, person_in(theirs) if theirs else None)

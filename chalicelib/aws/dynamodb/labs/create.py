"""Stores a new lab: lab, name claim, idempotency key, owner's count, counter, first event and its price, all or none;
and reads, before that, what its request is judged by.

A lost answer is harmless: repeating the call finds its own lab and returns it.
"""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from chalicelib.aws.dynamodb.codec import thing_of
from chalicelib.aws.dynamodb.items import event_item, lab_item
from chalicelib.aws.dynamodb.keys import Item, expiry, idempotency_key_of, lab_key, name_key, owner_key, text
from chalicelib.aws.dynamodb.labs.records import OFFERS, offers_of
from chalicelib.aws.dynamodb.labs.sums import Addition, counter_updates, refusal, spending_updates
from chalicelib.aws.dynamodb.table import Table
from chalicelib.aws.dynamodb.transactions import NEW, Reason, add, put
from chalicelib.domain.core.deferred import dataclass
from chalicelib.domain.errors.saving import ATTEMPTS
from chalicelib.domain.errors.tree import AwsUnavailable, IdempotencyConflict, NameTaken, TooManyLabs
from chalicelib.domain.identity.callers import shared_role
from chalicelib.domain.labs.lab import Lab
from chalicelib.ports.deps import Ahead, NewLabLimits

if TYPE_CHECKING:
    from chalicelib.domain.identity.person import Person


#: How long an idempotency key is remembered.
REMEMBERED = timedelta(days=7)


@dataclass(frozen=True)
class LabCreation:
    """One request to store a new lab. `known`: the requester's person before and after they got this identity."""

    table: Table
    lab: Lab
    key: str | None
    digest: str
    now: datetime
    limits: NewLabLimits
    known: tuple[Person, Person] | None = None

    def run(self) -> Lab:
        """Store the lab, or raise the reason. Raises the port's errors, and AwsUnavailable when too busy."""
        stored = replace(self.lab, version=1)
        item = lab_item(stored, "new", claims=True)
        additions = spending_updates(stored, {}, item, self.limits.ceilings)
        operations, person = self._operations(stored, item), self._person()
        for _ in range(ATTEMPTS):
            reasons = self.table.transact([*operations, *person, *(each.operation for each in additions)])
            if not reasons:
                return stored
            settled = self._settled(reasons, additions)
            if settled is not None:
                return settled
            if any(reason.refused for reason in reasons[len(operations) : len(operations) + len(person)]):
                person = []
        raise AwsUnavailable("dynamodb:TransactWriteItems: the table is too busy to store the lab.")

    def _operations(self, lab: Lab, item: Item) -> list[Item]:
        from chalicelib.domain.curfew.messages.outlook import first_event

        claim = {**name_key(lab), "lab_id": text(lab.id), "owner": text(lab.owner)}
        operations = [
            put(item, NEW),
            put(claim, NEW),
            add(owner_key(lab.counted_as), 1, self.limits.of_owner),
            put(event_item(lab.id, first_event(lab))),
        ]
        if self.key is not None:
            expired = f"{NEW} OR expires_at <= :now"
            operations.append(put(self._key_item(self.key), expired, {":now": expiry(self.now)}))
        if (role := shared_role(lab.owner)) is not None:
            operations.append(add(owner_key(role), 1, self.limits.of_role))
        return [*operations, *counter_updates(lab.id, {}, item)]

    def _person(self) -> list[Item]:
        if self.known is None:
            return []
        from chalicelib.aws.dynamodb.people import people_operations

        before, after = self.known
        return people_operations([before], [after], secrets.token_hex(16))

    def _key_item(self, key: str) -> Item:
        facts = {"lab_id": text(self.lab.id), "digest": text(self.digest)}
        return {**idempotency_key_of(self.lab.owner, key), **facts, "expires_at": expiry(self.now + REMEMBERED)}

    def _settled(self, reasons: tuple[Reason, ...], additions: tuple[Addition, ...]) -> Lab | None:
        """The lab stored before, or None to try again. Raises the caller's error."""
        own, name, count = reasons[0], reasons[1], reasons[2]
        if self.key is not None and reasons[4].refused:
            return self._lab_of_key(self.key)
        if own.refused:
            return self.table.load(Lab, lab_key(self.lab.id))
        if name.refused:
            holder = name.item or self.table.get(name_key(self.lab))
            if not holder:
                return None
            raise NameTaken(self.lab.name, holder["lab_id"]["S"], holder["owner"]["S"])
        if count.refused and self.limits.of_owner is not None:
            raise TooManyLabs(self.limits.of_owner)
        role, together = shared_role(self.lab.owner), reasons[4 if self.key is None else 5 :]
        if role is not None and self.limits.of_role is not None and together[0].refused:
            raise TooManyLabs(self.limits.of_role, role)
        if (over := refusal(additions, reasons)) is not None:
            raise over
        return None

    def _lab_of_key(self, key: str) -> Lab | None:
        """The lab of the idempotency key, None if it is unused or too old. Raises IdempotencyConflict."""
        item = self.table.get(idempotency_key_of(self.lab.owner, key))
        lab_id = remembered(item, key, self.digest, self.now) if item else None
        return self.table.load(Lab, lab_key(lab_id)) if lab_id else None


def remembered(item: Item, key: str, digest: str, now: datetime) -> str | None:
    """The id of the lab in a key's item, None if it is too old. Raises IdempotencyConflict."""
    if int(item["expires_at"]["N"]) <= int(now.timestamp()):
        return None
    if item["digest"]["S"] != digest:
        raise IdempotencyConflict(key)
    return str(item["lab_id"]["S"])


def look_ahead(table: Table, owner: str, key: str | None, digest: str, now: datetime) -> Ahead:
    """Read the records for judging a request in one BatchGetItem: its key, the offers, curfew's rules, and the requester."""
    from chalicelib.aws.dynamodb.curfew.keys import RULES
    from chalicelib.aws.dynamodb.people import claim_key, person_in
    from chalicelib.domain.curfew.rules import CurfewRules
    from chalicelib.domain.identity.person import identity_key

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

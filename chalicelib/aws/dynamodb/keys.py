"""Keys of the one table, and the sort order of instants.

| item        | pk                                | sk                               |
|-------------|-----------------------------------|----------------------------------|
| lab         | LAB#<id>                          | META                             |
| step        | LAB#<id>                          | STEP#<workflow>#<run>#<name>     |
| event       | LAB#<id>                          | EVENT#<instant>#<digest>         |
| ledger      | LAB#<id>                          | LEDGER#<arn>                     |
| receipt     | LAB#<id>                          | RECEIPT#<look>#<part>            |
| name claim  | NAME#<account>#<region>#<name>    | CLAIM                            |
| idempotency | IDEMPOTENCY#<owner>#<key>         | KEY (expires_at: 7 days)         |
| owner       | OWNER#<person or role>            | COUNT                            |
| counter       | ALIVE                             | TALLY#<0..7>                     |
| last run    | RUNS                              | <workflow>                       |
| spending    | SPENDING#<month>                  | ALL, ROLE#…, ACCOUNT#…, TAG#…, MAIL#… |
| of people   | SPENDING#PEOPLE                   | <month>#<person>                 |
| session     | SESSION#<hash of its token>       | SESSION (expires_at: 8 hours; in `due` by whose it is) |
| claim       | CLAIM#<name of a message>         | CLAIM (expires_at: a day later)  |
| post        | OUTBOX                            | <kind and occasion> (`posts.py`)  |
| person      | PERSON#<id>                       | META (`people.py`)               |
| claim       | IDENTITY#<key>                    | CLAIM                            |

Indexes: `by_owner` (owner, created) and `by_age` (everyone, created) list labs newest first; `due` (due_shard,
due_at) holds only labs with a due time. One partition for `everyone` and one for `due_shard` suffice for
thousands of labs a day.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.domain.identity.callers import identity_of
from chalicelib.domain.labs.lab import RESTING, Lab, Phase

#: DynamoDB's typed values.
Item = dict[str, Any]

BY_OWNER, BY_AGE, DUE = "by_owner", "by_age", "due"
EVERYONE, DUE_SHARD = "LAB", "DUE"
#: The partition of `due` for labs of the curfew run, and the one for blocked labs, longest first.
CURFEW_SHARD, BLOCKED_SHARD = "CURFEW", "BLOCKED"
META = "META"
#: Living labs are counted in several counters, so that many simultaneous requests do not queue for one item.
ALIVE, TALLIES = "ALIVE", 8
#: The partition of scheduled workflows: the last run of each.
RUNS = "RUNS"


def text(value: str) -> dict[str, str]:
    """A string in DynamoDB's form."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """A whole number in DynamoDB's form."""
    return {"N": str(value)}


def key(pk: str, sk: str) -> Item:
    """A primary key."""
    return {"pk": text(pk), "sk": text(sk)}


def expiry(instant: datetime) -> Item:
    """The table's TTL attribute: whole seconds since 1970."""
    return number(int(instant.timestamp()))


def stamp(instant: datetime) -> str:
    """An instant in a fixed width, so that texts sort as times do."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def lab_pk(lab_id: str) -> str:
    """The partition of a lab and all its items."""
    return f"LAB#{lab_id}"


def lab_id_of(item: Item) -> str:
    """The id of the lab that an item belongs to."""
    return str(item["pk"]["S"]).removeprefix("LAB#")


def lab_key(lab_id: str) -> Item:
    """The lab's own item."""
    return key(lab_pk(lab_id), META)


def name_key(lab: Lab) -> Item:
    """The claim on the lab's name."""
    return key(f"NAME#{lab.account}#{lab.region}#{lab.name}", "CLAIM")


def idempotency_key_of(owner: str, idempotency_key: str) -> Item:
    """The item of an owner's idempotency key; hashed, since callers choose its length."""
    digest = hashlib.sha256(idempotency_key.encode()).hexdigest()
    return key(f"IDEMPOTENCY#{owner}#{digest}", "KEY")


def owner_key(owner: str) -> Item:
    """The item that counts an owner's living labs."""
    return key(f"OWNER#{owner}", "COUNT")


def counter_key(lab_id: str) -> Item:
    """The counter that counts a lab, always the same for the same lab."""
    return key(ALIVE, f"TALLY#{zlib.crc32(lab_id.encode()) % TALLIES}")


def spending_key(month: str, whose: str) -> Item:
    """A month's sum of labs' costs: of all labs, a person, a role or an account."""
    return key(f"SPENDING#{month}", whose)


def index_values(lab: Lab) -> Mapping[str, dict[str, str]]:
    """The index attributes of a lab: the owner's identity, not the ARN stored with the lab.

    Lists are sorted by age, then by id, so that no two labs share a sort key.
    """
    created = text(f"{stamp(lab.created_at)}#{lab.id}")
    values = {"owner": text(identity_of(lab.owner)), "everyone": text(EVERYONE), "created": created}
    if lab.phase is Phase.BLOCKED:
        values |= {"due_shard": text(BLOCKED_SHARD), "due_at": text(stamp(lab.phase_since))}
    elif lab.due_at is not None:
        shard = CURFEW_SHARD if lab.phase in RESTING else DUE_SHARD
        values |= {"due_shard": text(shard), "due_at": text(stamp(lab.due_at))}
    return values

"""Keys of curfew's items in the one table, and the indexes that list them.

| item    | pk           | sk              | due                                     | expires_at         |
|---------|--------------|-----------------|-----------------------------------------|--------------------|
| rules   | CURFEW       | RULES           |                                         |                    |
| header  | PLAN#<night> | HEADER          |                                         | 400 days           |
| line    | PLAN#<night> | LINE#<entry id> | UNWARNED, by time, while it must be told | a week later       |
| verdict | LAB#<id>     | VERDICT         |                                         | 30 days            |
| counter   | ALIVE        | TALLY#<0..7>    |                                         |                    |
| counted | ALIVE        | COUNTED         |                                         |                    |

A line holds an entry in `body`, its owner in `whose` and its status in `status`: one item to read, and a publication never
writes it again. Labs at rest are in `due` under CURFEW, blocked ones under BLOCKED (`dynamodb/keys.py`). A header expires before
its lines, so that the remaining lines of an old plan never look like a damaged one.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from chalicelib.aws.dynamodb.keys import ALIVE, Item, expiry, key, lab_pk

UNWARNED = "UNWARNED"
PLANS_KEPT, LINES_KEPT, VERDICTS_KEPT = timedelta(days=400), timedelta(days=407), timedelta(days=30)
RULES = key("CURFEW", "RULES")
#: Exists once every lab from before the counters is counted.
COUNTED = key(ALIVE, "COUNTED")


def plan_pk(night: date) -> str:
    """The partition of a night's plan."""
    return f"PLAN#{night.isoformat()}"


def header_key(night: date) -> Item:
    """A plan's header; it sorts before its lines."""
    return key(plan_pk(night), "HEADER")


def line_key(night: date, entry_id: str) -> Item:
    """An entry and its status; lines sort as entries do, by time."""
    return key(plan_pk(night), f"LINE#{entry_id}")


def verdict_key(lab_id: str) -> Item:
    """A lab's last verdict."""
    return key(lab_pk(lab_id), "VERDICT")


def plan_expiry(night: date, kept: timedelta) -> Item:
    """The expiry of items kept this long after the night."""
    return expiry(datetime.combine(night, time(), UTC) + kept)

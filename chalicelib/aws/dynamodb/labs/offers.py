"""What labs are offered, in the one table: a single item that administrators change, guarded against each other."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from chalicelib.aws.dynamodb.items import SCHEMA, body_of, thing_of
from chalicelib.aws.dynamodb.keys import Item, key, number, text
from chalicelib.aws.dynamodb.labs.create import get
from chalicelib.aws.dynamodb.transactions import put, transact, until_saved
from chalicelib.domain.requests.offers import Offers

OFFERS = key("OFFERS", "LIST")


def offers(client: Any, table: str) -> Offers:
    """One item, strongly consistent; the usual list where nobody ever said another."""
    return offers_of(get(client, table, OFFERS))


def offers_of(item: Item | None) -> Offers:
    """The list that an item holds; the usual one for none."""
    return Offers() if item is None else thing_of(Offers, item)


def change_offers(client: Any, table: str, change: Callable[[Offers], Offers]) -> Offers:
    """Raises StaleLab."""

    def attempt() -> Offers | None:
        seen = get(client, table, OFFERS)
        changed = change(offers_of(seen))
        mine = text(secrets.token_hex(16))
        item = {**OFFERS, "schema": number(SCHEMA), "body": text(body_of(changed)), "write_id": mine}
        guard = ("write_id = :seen", {":seen": seen["write_id"]}) if seen else ("attribute_not_exists(pk)", None)
        reasons = transact(client, [put(table, item, *guard)], mine["S"])
        mine_now = not reasons or (reasons[0].refused and reasons[0].item.get("write_id") == mine)
        return changed if mine_now else None

    return until_saved("The list of offers", attempt)

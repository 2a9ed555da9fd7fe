"""The calls of `POST /labs` to DynamoDB and to the account, beside a peer that reads and writes items one after another.

The real routes and stores, on the sandbox's DynamoDB; the account is the tests'. In the race, 64 people request the last dollars
of the month at one moment. The sandbox writes one transaction after another, so in a second race every write of a request except
the eighth conflicts with another one, as AWS allows.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from benchmarks.results import Peer, Row, keep
from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.keys import key, text
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.aws.dynamodb.people import DynamoPeople
from chalicelib.domain.identity.callers import Team
from chalicelib.domain.identity.person import Person
from chalicelib.logs import logger
from emulator.process import running_sandbox
from tests.api.http import ADMIN, Http
from tests.aws.dynamodb.table import create_table
from tests.fakes import NOW, OWNER
from tests.fakes.builders import ACCOUNT

PEOPLE, FIT = 64, 10
#: The course's lab for its lease, in USD.
PRICE = 1.772
MOST, MOST_IN_A_RACE = 3, 12
MONTHS_END = datetime(2026, 11, 30, 12, tzinfo=UTC)
#: The reads of a plain service for a request, and its writes, each by itself.
_READ = ("key", "offers", "rules", "claim", "person", "name", "count")
_WRITTEN = ("lab", "name", "key", "count", "event", "tally", "everyone's month", "person's month", "account's month")


@dataclass
class Counting:
    """A `dynamodb` client that counts calls by thread. `busy`: the number of writes of each thread that conflict."""

    client: Any
    busy: int = 0
    calls: dict[int, Counter[str]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Any:
        """Every call, counted."""
        act = getattr(self.client, name)

        def counted(**request: Any) -> Any:
            mine = self.calls.setdefault(threading.get_ident(), Counter())
            mine[name] += 1
            if name == "transact_write_items" and mine[name] <= self.busy:
                raise _conflict(len(request["TransactItems"]))
            return act(**request)

        return counted

    def taken(self) -> int:
        """Return the number of this thread's calls, and reset it."""
        return sum(self.calls.pop(threading.get_ident(), Counter()).values())


def main() -> None:
    """Print the table and keep it."""
    logger.setLevel("CRITICAL")
    with running_sandbox() as sandbox:
        client = Counting(sandbox.client("dynamodb"))
        keep("requests", list(_rows(client)), Peer.MEASURED)


def _rows(client: Counting) -> Iterator[Row]:
    """Calls without contention, calls of a race, and the account's calls."""
    peer = _peer(client, create_table(client.client, "peer"))
    for number, (what, ask) in enumerate(_requests().items()):
        yield Row(what, ask(client, create_table(client.client, f"labs-{number}")), "calls", peer, MOST)
    for what, busy in (("written one after another", 0), ("seven conflicts each", 7)):
        admitted, calls = _race(client, create_table(client.client, f"race-{busy}"), busy)
        title = f"{PEOPLE} people at once, {what}"
        yield Row(f"{title}: admitted, room for {FIT}", admitted, "labs", limit=FIT)
        yield Row(f"{title}: the most of one", calls, "calls", limit=MOST_IN_A_RACE)
    asked = _asked_of_the_account()
    yield Row("the account is asked, before the write", len(asked), "questions", limit=11)
    yield Row("the account is asked, each", max(asked.values()), "times", limit=1)


def _requests() -> Mapping[str, Callable[[Counting, str], int]]:
    def plain(http: Http, headers: Mapping[str, str], body: Mapping[str, Any]) -> None:
        answer = http.post("/labs", {"name": "a", **body}, headers=headers)
        if answer.status != 202:
            raise RuntimeError(answer.text)

    def case(
        known: bool,
        headers: Mapping[str, str],
        body: Mapping[str, Any],
        team: bool = False,
        again: bool = False,
        at: datetime = NOW,
    ) -> Callable[[Counting, str], int]:
        def run(client: Counting, table: str) -> int:
            http = _http(client, table)
            if known:
                http.world.deps.people.save_people([], [Person("person-1", (OWNER,), NOW, "jo@example.com")])
            if team:
                http.put("/offers", {"teams": [{"team": "eks", "maxUsdMonthTeam": 100}]}, caller=ADMIN)
            http.world.clock.instant = at
            if again:
                plain(http, headers, body)
            client.taken()
            plain(http, headers, body)
            return client.taken()

        return run

    key_of = {"idempotency-key": "k"}
    return {
        "somebody unknown": case(False, {}, {}),
        "somebody known": case(True, {}, {}),
        "somebody known, with a key": case(True, key_of, {}),
        "the same again with its key": case(True, key_of, {}, again=True),
        "unknown, in a team with a ceiling": case(False, key_of, {}, team=True),
        "known, in a team with a ceiling": case(True, key_of, {}, team=True),
        "the same across a month's end": case(True, key_of, {"leaseHours": 24}, team=True, at=MONTHS_END),
    }


def _http(client: Counting, table: str, number: int = 0) -> Http:
    """Routes over the table; labs have ids of their own in every world."""
    http = Http()
    curfew = replace(http.world.deps.curfew, store=DynamoCurfewStore(client, table), teams=(Team("eks", ("*",)),))
    ids = (f"lab-{number:04d}{each:08d}" for each in range(10))
    http.world.deps = replace(
        http.world.deps,
        store=DynamoStore(client, table),
        curfew=curfew,
        people=DynamoPeople(client, table, ACCOUNT),
        new_id=lambda: next(ids),
    )
    return http


def _race(client: Counting, table: str, busy: int) -> tuple[int, int]:
    """The number of admitted requests, and the most calls of one request."""
    _http(client, table).put("/offers", {"maxUsdMonth": {"installation": FIT * PRICE + 0.5}}, caller=ADMIN)
    worlds = [_http(client, table, number) for number in range(PEOPLE)]
    client.busy = busy

    def ask(number: int) -> tuple[int, int]:
        """Send a request; after a 503, when the sandbox has closed the connection, the client retries."""
        caller = f"arn:aws:iam::{ACCOUNT}:user/learner-{number}"
        while True:
            client.taken()
            status = worlds[number].post("/labs", {"name": f"n{number}"}, caller=caller).status
            if status != 503:
                return status, client.taken()

    try:
        with ThreadPoolExecutor(PEOPLE) as threads:
            answers = list(threads.map(ask, range(PEOPLE)))
    finally:
        client.busy = 0
    statuses = Counter(status for status, _ in answers)
    if set(statuses) != {202, 403}:
        raise RuntimeError(f"answers of another kind: {statuses}")
    return statuses[202], max(calls for _, calls in answers)


def _peer(client: Counting, table: str) -> int:
    """The peer: separate writes, so that a crash or a race in between leaves half of them."""
    client.taken()
    for what in _READ:
        client.get_item(TableName=table, Key=key(what, what), ConsistentRead=True)
    for what in _WRITTEN:
        client.put_item(TableName=table, Item={**key(what, what), "a": text("b")})
    return client.taken()


def _asked_of_the_account() -> Counter[tuple[str, str]]:
    http = Http()
    http.post("/labs", {"name": "a"})
    ours = {"look_ahead", "offers", "create_lab", "start"}
    return Counter((name, repr(args)) for name, args in http.world.account.calls if name not in ours)


def _conflict(operations: int) -> ClientError:
    reasons = [{"Code": "TransactionConflict"}, *({"Code": "None"} for _ in range(operations - 1))]
    answer: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": reasons}
    return ClientError(answer, "TransactWriteItems")


if __name__ == "__main__":
    main()

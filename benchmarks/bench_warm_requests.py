"""Warm requests: CPU of the routes beside an empty Chalice route, and the calls of AWS that each makes.

In one process: the event of API Gateway, the app, its answer. Time is measured on the tests' world, which is in memory, so it is
the handler's alone; calls are counted over the real stores on moto's DynamoDB, and the account itself is the tests' there, too.
"""

from __future__ import annotations

import argparse
import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import boto3
from chalice import Chalice
from moto import mock_aws

from benchmarks.results import Peer, Row, keep, measured
from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.aws.dynamodb.people import DynamoPeople
from tests.api.http import Http
from tests.aws.dynamodb.table import create_table
from tests.fakes import a_lab, make_deps
from tests.fakes.builders import ACCOUNT

#: Request -> the most calls of AWS that it may make, and how many times the CPU of an empty route it may take.
ROUTES: dict[str, tuple[Callable[[Http, str], Any], int, int]] = {
    "GET /labs": (lambda http, _: http.get("/labs"), 2, 9),
    "GET /labs/{id}": (lambda http, lab: http.get(f"/labs/{lab}"), 6, 29),
    "GET /versions": (lambda http, _: http.get("/versions", query={"region": "ap-northeast-2"}), 0, 16),
    "POST /labs?dryRun=true": (lambda http, _: http.post("/labs", {"name": "dry"}, query={"dryRun": "true"}), 5, 125),
}


def main() -> None:
    """Measure and keep."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=100, help="of each route in a round")
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    http, lab = Http(), a_lab(phase="ready")
    http.world.store.put(lab)
    empty = Empty()
    taken: dict[str, list[float]] = {name: [] for name in ("empty", *ROUTES)}
    for _ in range(options.rounds):
        taken["empty"].append(_milliseconds(empty.call, options.requests))
        for name, (ask, *_) in ROUTES.items():
            taken[name].append(_milliseconds(partial(ask, http, lab.id), options.requests))
    calls = _calls()
    rows = [measured(name, taken[name], "ms of CPU", taken["empty"], times=ROUTES[name][2]) for name in ROUTES]
    keep(
        "warm_requests",
        [*rows, *(Row(f"{name}, calls", calls[name], "calls", limit=ROUTES[name][1]) for name in ROUTES)],
        Peer.MEASURED,
    )


class Empty:
    """An app of one route that does nothing, and a client of it."""

    def __init__(self) -> None:
        self._app, self._http = Chalice(app_name="empty"), Http()
        self._app.route("/labs")(dict)
        self._http.app = self._app

    def call(self) -> Any:
        """Request the route."""
        return self._http.get("/labs")


def _milliseconds(ask: Callable[[], Any], count: int) -> float:
    began = time.process_time()
    for _ in range(count):
        if ask().status >= 400:
            raise RuntimeError("A request was refused.")
    return (time.process_time() - began) * 1000 / count


def _calls() -> dict[str, int]:
    """The calls of each route over the real stores, once warm."""
    counted: dict[str, int] = {}
    with mock_aws():
        client = boto3.client("dynamodb", region_name="ap-northeast-2")
        table, calls = create_table(client), Counter[str]()
        world = make_deps()
        store = DynamoStore(client, table)
        curfew = replace(world.deps.curfew, store=DynamoCurfewStore(client, table))
        deps = replace(world.deps, store=store, curfew=curfew, people=DynamoPeople(client, table, ACCOUNT))
        http = Http(replace(world, deps=deps))
        lab = http.post("/labs", {"name": "counted"}).json["id"]
        client.meta.events.register("before-call", lambda model, **_: calls.update([model.name]))
        for name, (ask, *_) in ROUTES.items():
            ask(http, lab)
            calls.clear()
            ask(http, lab)
            counted[name] = calls.total()
    return counted


if __name__ == "__main__":
    main()

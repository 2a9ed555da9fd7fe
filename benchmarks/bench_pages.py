"""The response time of pages in a full installation: 1,000 labs on one night's plan and 10,000 watched clusters, in the sandbox.

Each page is requested over HTTP with a session's cookie, as by a browser, from the same warm function, and timed to the end of
its answer. `tests/aws/dynamodb/test_page_queries.py` counts a page's reads of the table.
"""

import argparse
import http.client
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from benchmarks.results import Peer, Row, keep, measured
from sandbox.people import Person
from sandbox.stage import TIME_ZONE, Stage, installed
from tests.aws.dynamodb.season import put_season

WARM = 5


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--labs", type=int, default=1_000)
    parser.add_argument("--clusters", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=60)
    options = parser.parse_args()
    now = datetime.now(UTC)
    night = now.astimezone(ZoneInfo(TIME_ZONE)).date()
    with installed() as stage:
        client, table = stage.sandbox.client("dynamodb"), stage.outputs["LabsTableName"]
        learner, administrator = stage.people.learner, stage.people.administrator
        lab = put_season(client, table, options.labs, options.clusters, learner.arn, night, now)
        pages = (
            ("Labs", learner, "/ui/labs"),
            ("Labs, all", administrator, "/ui/labs?whose=all"),
            ("One lab", learner, f"/ui/labs/{lab}"),
            ("Clusters", learner, "/ui/clusters"),
            ("Tonight", learner, "/ui/tonight"),
            ("Tonight, all", administrator, "/ui/tonight"),
        )
        rows = [row for name, who, path in pages for row in _rows(stage, name, who, path, options.times)]
    keep("pages", rows, Peer.NONE)


def _rows(stage: Stage, name: str, who: Person, path: str, times: int) -> Iterator[Row]:
    """The page's milliseconds and its size; the limit of a first load is 60 kB."""
    found, size = _measured(stage, who, path, times)
    yield measured(f"{name}, median", found, "ms", limit=130)
    yield Row(f"{name}, p95", round(statistics.quantiles(found, n=20)[-1]), "ms", limit=150)
    yield Row(f"{name}, of", round(size / 1000, 1), "kB", limit=60)


def _measured(stage: Stage, who: Person, path: str, times: int) -> tuple[list[float], int]:
    answer = stage.call(who, "POST", "/sessions")
    parts, found, size = urlsplit(stage.url), list[float](), 0
    for _ in range(WARM + times):
        connection = http.client.HTTPConnection(parts.netloc, timeout=60)
        began = time.perf_counter()
        connection.request("GET", parts.path + path, headers={"Cookie": f"__Host-ekslab={answer.json['token']}"})
        got = connection.getresponse()
        body = got.read()
        found.append((time.perf_counter() - began) * 1000)
        connection.close()
        if got.status != 200:
            raise RuntimeError(f"{path} was answered with {got.status}: {body[:300]!r}")
        size = len(body)
    return found[WARM:], size


if __name__ == "__main__":
    main()

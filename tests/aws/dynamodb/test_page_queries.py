"""A page's queries of the table, counted at the table, with more items than a page shows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.api.pages.assets import KINDS
from chalicelib.aws.dynamodb.curfew.store import DynamoCurfewStore
from chalicelib.aws.dynamodb.labs.store import DynamoStore
from chalicelib.aws.dynamodb.support.store import DynamoFleetStore
from tests.api.curfew_world import NIGHT
from tests.api.http import ADMIN, Http
from tests.api.pages.browser import Browser, read
from tests.aws.dynamodb.season import put_season
from tests.aws.dynamodb.table import create_table
from tests.aws.given_curfew import moto_client
from tests.fakes import NOW, OWNER

LABS, CLUSTERS = 260, 120
PATHS = (
    *("labs", "labs?over=1", "labs/lab-00000000", "clusters", "clusters?days=30", "tonight", "administration"),
    *("administration/accounts", "ask", "api", "nothing"),
)
ALL = ("labs?whose=all", "labs?whose=all&over=1", *PATHS[2:])


class Counting:
    """A `dynamodb` client that records its requests."""

    def __init__(self, client: Any) -> None:
        self._client, self.asked = client, list[str]()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._client, name)

        def counted(**request: Any) -> Any:
            self.asked.append(name)
            return call(**request)

        return counted


@pytest.fixture(scope="module")
def full() -> Iterator[tuple[Http, Counting]]:
    http = Http()
    with moto_client() as client:
        table, counting = create_table(client, "full"), Counting(client)
        put_season(client, table, LABS, CLUSTERS, OWNER, NIGHT, NOW)
        deps = http.world.deps
        http.world.deps = replace(
            deps,
            store=DynamoStore(counting, table),
            curfew=replace(deps.curfew, store=DynamoCurfewStore(counting, table)),
            watch=replace(deps.watch, store=DynamoFleetStore(counting, table)),
        )
        yield http, counting


@pytest.mark.parametrize(
    ("arn", "path"), [*((OWNER, path) for path in PATHS), *((ADMIN, path) for path in ALL)], ids=lambda each: str(each)
)
def test_a_page_asks_the_table_three_times_at_most_and_is_light(
    full: tuple[Http, Counting], arn: str, path: str
) -> None:
    http, counting = full
    browser = Browser.of(http, arn)
    counting.asked.clear()
    answer = browser.get(f"/ui/{path}")
    assert answer.status == (404 if path == "nothing" else 200), answer.text
    assert len(counting.asked) <= 3, counting.asked
    files = sum(len(browser.get(f"/ui/static/{name}").text.encode()) for name in KINDS)
    assert len(answer.text.encode()) + files <= 60_000


@pytest.mark.parametrize(("arn", "path", "marks"), [
    (OWNER, "labs", 100), (ADMIN, "labs?whose=all", LABS), (OWNER, "tonight", 100), (ADMIN, "tonight", LABS),
])  # fmt: skip
def test_pages_lead_on_until_everything_was_seen(full: tuple[Http, Counting], arn: str, path: str, marks: int) -> None:
    """Each with as many queries as the first, and nothing twice."""
    http, counting = full
    browser, seen, at = Browser.of(http, arn), list[str](), f"/ui/{path}"
    for _ in range(20):
        counting.asked.clear()
        page = browser.get(at)
        assert page.status == 200, page.text
        assert len(counting.asked) <= 3, counting.asked
        links = read(page.text).links
        seen += dict.fromkeys(link.rpartition("/")[2] for link in links if "labs/lab-" in link)
        onward = [link for link in links if "cursor=" in link or "after=" in link]
        if not onward:
            break
        at = f"/ui/{onward[0].rpartition('/')[2]}"
    assert (len(seen), len(set(seen))) == (marks, marks)

"""The buttons of a mail: GET shows, POST acts, for one person, one subject, and two weeks; forged links are refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from chalicelib.domain.curfew.mail_link import MailAction, deadline_link, hashed, mail_path
from chalicelib.domain.curfew.signed_links import sign_claims, sign_link
from tests.api.http import Http
from tests.fakes import NOW
from tests.fakes.fleet_builders import OPS, a_fleet_cluster, a_registration
from tests.workflows.machine import Machine

API = "https://api.example.com/api"


def an_http(name: str = "orders") -> Http:
    http = Http(caller=None)
    http.world.deps = replace(http.world.deps, watch=replace(http.world.deps.watch, api_url=API))
    http.world.watch.store.register(a_registration())
    http.world.watch.fleets.add(a_fleet_cluster(name, "1.32"))
    Machine("watch_support", http.world.deps).run({"time": NOW.isoformat()})
    return http


def path(http: Http, action: MailAction, who: str = OPS, **changes: Any) -> str:
    [watched] = http.world.watch.store.kept.values()
    link = replace(deadline_link(action, who, watched.cluster.key, watched.support.next.id), **changes)
    found = mail_path(link, http.world.clock.now(), http.world.deps.curfew.signing_key())
    assert found is not None
    return found


def watched(http: Http) -> Any:
    [one] = http.world.watch.store.kept.values()
    return one


def test_looking_changes_nothing_and_pressing_acknowledges() -> None:
    http = an_http()
    link = path(http, MailAction.ACKNOWLEDGE)
    before = watched(http)
    page = http.get(link, headers={"accept": "text/html"})
    assert (page.status, watched(http)) == (200, before)
    assert "Acknowledge the deadline of orders?" in page.text
    assert page.headers["Cache-Control"] == "no-store"
    done = http.post(link, None, headers={"accept": "application/json"})
    assert (done.status, done.json["done"]) == (200, True)
    assert watched(http).acknowledged_deadline == watched(http).support.next.id
    assert watched(http).acknowledged_by == f"{OPS}, with the link in a mail"
    assert http.post(link, None, headers={"accept": "application/json"}).json == done.json
    assert "is acknowledged" in http.get(link, headers={"accept": "text/html"}).text


def test_snoozing_lasts_until_the_next_notice_that_matters() -> None:
    http = an_http()
    done = http.post(path(http, MailAction.SNOOZE), None, headers={"accept": "application/json"})
    assert (done.json["action"], done.json["done"]) == ("snooze", True)
    assert watched(http).snoozed_until > NOW


def test_the_page_speaks_its_readers_language() -> None:
    http = an_http()
    page = http.get(path(http, MailAction.SNOOZE), headers={"accept": "text/html", "accept-language": "ko"})
    assert '<html lang="ko">' in page.text
    assert "Snooze" not in page.text
    assert "orders" in page.text


def test_a_name_as_long_as_eks_allows_has_its_buttons() -> None:
    http = an_http(name="o" * 100)
    assert http.post(path(http, MailAction.SNOOZE), None, headers={"accept": "application/json"}).status == 200


@pytest.mark.parametrize("who", ["team@example.com", "contact@example.com"])
def test_who_only_hears_of_it_silences_nobody(who: str) -> None:
    """A tag that anybody may write names another owner; the team is notified, too. Neither may hold the owner's mails back."""
    http = an_http()
    kept = replace(watched(http), team="team@example.com", other_owners=("contact@example.com",))
    http.world.watch.store.kept[kept.cluster.key] = kept
    assert (
        http.post(path(http, MailAction.ACKNOWLEDGE, who=who), None, headers={"accept": "application/json"}).status
        == 404
    )
    assert watched(http).acknowledged_by is None


def test_who_does_not_answer_for_the_cluster_any_more_has_no_link() -> None:
    http = an_http()
    stranger = path(http, MailAction.ACKNOWLEDGE, who="somebody@example.com")
    assert http.post(stranger, None, headers={"accept": "application/json"}).status == 404
    assert watched(http).acknowledged_by is None


@pytest.mark.parametrize(
    "kind", ["altered", "expired", "another's form", "a keep-link", "another action", "another deadline", "no cluster"]
)
def test_what_is_not_such_a_link_is_refused(kind: str) -> None:
    http = an_http()
    key, good = http.world.deps.curfew.signing_key(), path(http, MailAction.ACKNOWLEDGE)
    expires = int((NOW + timedelta(days=1)).timestamp())
    forged = {
        "altered": good[:-1] + ("A" if good[-1] != "A" else "B"),
        "another's form": f"/mail/acknowledge/{sign_claims('a1', ['acknowledge', 'x', 'y', expires], key)}",
        "a keep-link": f"/mail/acknowledge/{sign_link('lab-1', NOW.date(), 'x', NOW + timedelta(days=1), key)}",
        "another action": good.replace("/acknowledge/", "/snooze/"),
        "another deadline": path(http, MailAction.ACKNOWLEDGE, deadline=hashed("forced-upgrade#1.33#2027-07-29")),
        "no cluster": path(http, MailAction.ACKNOWLEDGE, cluster="orders"),
    }
    if kind == "expired":
        http.world.clock.advance(days=14)
    answer = http.post(forged.get(kind, good), None, headers={"accept": "application/json"})
    assert answer.status == (410 if kind == "expired" else 404)
    assert watched(http).acknowledged_by is None

"""Hostile text from people, tags and AWS: a page's elements, attributes and links are the same as with harmless text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from chalicelib.domain.core.resources import EntryState, Kind, LedgerEntry, Resource
from chalicelib.domain.identity.accounts import Registration
from chalicelib.domain.identity.people import People
from chalicelib.domain.labs.lab import ClusterFacts, Planned
from chalicelib.domain.labs.spec import EndpointAccess, EndpointSpec, NewNetwork, NodegroupSpec, SshSpec, WorkHostSpec
from chalicelib.domain.labs.steps import Event, Step, StepStatus
from chalicelib.domain.teardown.receipt import Receipt, ReceiptLine, ReceiptOutcome
from tests.api.curfew_world import CURFEW, LAB, NIGHT, a_ready_lab, a_world, an_entry
from tests.api.http import ADMIN, Http
from tests.api.pages.browser import Browser, read
from tests.fakes import NOW, a_lab, a_spec
from tests.fakes.builders import ACCOUNT
from tests.fakes.fleet_builders import a_fleet_cluster, a_watched

HARMLESS = "harmless"
TEXTS = {
    "an element": '<script>alert(1)</script><img src=x onerror="alert(1)">',
    "the end of an attribute": '" autofocus onfocus=alert(1) x="',
    "the end of a quoted attribute": "' onmouseover='alert(1)",
    "the end of what it stands in": "</textarea></title></option></code></pre></svg></a></table></details><form action=//evil>",
    "a comment": "--><!--<svg/onload=alert(1)>",
    "a template": "{{ 7919*7 }}{% for x in y %}${7919*7}#{7919*7}",
    "a format": "{0.__class__} {lab} %s %(x)s {n}",
    "an address": "javascript:alert(1)//https://evil.example/?a=b&c=d#e",
    "an entity": "&lt;b&gt;&#x27;&quot;&amp;amp;",
    "marks of a text": "**bold** `code` [a](https://evil.example) _x_",
    "lines": "a\r\nSet-Cookie: x=1\n\n<b>",
    "what turns the direction": "\u202egnp.exe\u2066\u2069\u200f",
    "signs that are none": "\x00\x08\x1b[31m\x7f\x85\u2028",
    "a formula": '=HYPERLINK("https://evil.example")',
    "no word's end": "W" * 300,
    "another script": "ＳＣＲＩＰＴ＞ 한국어 \U0001f600 e\u0301",
}
PAGES = (
    *("labs?whose=all&over=1", f"labs/{LAB}", "labs/lab-gone", "ask", "clusters", "tonight", "administration"),
    *("administration/accounts", "api", "nothing"),
)


def named(text: str) -> Http:
    """A world in which every text of others is this one."""
    group = NodegroupSpec(text, (text,))
    spec = a_spec(
        name=text, version=text, nodegroups=(group,), work_host=WorkHostSpec(text), ssh=SshSpec(text, None, (text,)),
        endpoint=EndpointSpec(EndpointAccess.PUBLIC_AND_PRIVATE, (text,)), network=NewNetwork(zones=(text, text)),
    )  # fmt: skip
    entry = an_entry(reason=text, name=text, owner=text, region=text)
    facts = ClusterFacts(endpoint=text, certificate_authority=text)
    http = a_world(a_ready_lab(spec=spec, owner=text, facts=facts, planned=Planned(NIGHT, entry.id, CURFEW)), entry)
    store, line = http.world.store, ReceiptLine(text, text, ReceiptOutcome.BLOCKED, text, text, text)
    store.put(a_lab(id="lab-gone", phase="failed", owner=text, reason=text, spec=spec, ended_at=NOW))
    store.put(a_lab(id="lab-blocked", phase="blocked", owner=text, reason=text, spec=spec))
    store.put_receipt("lab-gone", Receipt("now", NOW, (line,), (text,)))
    store.record_step(LAB, Step("provision", text, text, StepStatus.FAILED, NOW, NOW, text))
    store.add_event(LAB, Event(NOW, text, text))
    host = Resource(Kind.INSTANCE, text, f"arn:aws:ec2:ap-northeast-2:{ACCOUNT}:instance/{text}")
    store.record(LAB, LedgerEntry(host, EntryState.PRESENT, "asked for by provision", NOW, NOW))
    store.change_offers(lambda offers: replace(offers, instance_types=(text,), key_pairs=(text,)))
    cluster = a_fleet_cluster(text, version=text)
    http.world.watch.store.put(a_watched(text, cluster=cluster, owner=text, team=text))
    http.world.watch.store.register(Registration(account=ACCOUNT, regions=(text,), name=text, owner=text))
    http.people = People(ACCOUNT, (ADMIN, text), (text,))
    return http


def shape(html: str) -> list[tuple[str, dict[str, str | None]]]:
    """Elements and attributes, with the values of those that contain no text."""
    quiet = ("value", "title", "aria-label", "href", "action", "d", "points", "max")
    return [
        (tag, {name: None if name in quiet else given for name, given in attrs.items()})
        for tag, attrs in read(html).tags
    ]


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("kind", TEXTS)
def test_no_text_changes_what_a_page_is_made_of(kind: str, language: str) -> None:
    harmless, hostile = (Browser.of(named(text), ADMIN) for text in (HARMLESS, TEXTS[kind]))
    harmless.language = hostile.language = language
    for path in PAGES:
        wanted, got = harmless.get(f"/ui/{path}"), hostile.get(f"/ui/{path}")
        assert got.status == wanted.status, (path, got.text)
        assert shape(got.text) == shape(wanted.text), path
        for link in (*read(got.text).links, *(form.action for form in read(got.text).forms)):
            assert not re.match(r"\s*(\w+:|//|\\)", link), (path, link)
        assert "55433" not in got.text
        assert not re.search("[\x00\x08\x1b\x7f\x85\u2028\u202e\u2066\u200f]", got.text), path


def test_the_page_with_every_text_shows_it() -> None:
    """Otherwise the test above would prove nothing."""
    browser = Browser.of(named("Quixotic"), ADMIN)
    for path in PAGES[:-1]:
        if path not in ("ask", "api"):
            assert "Quixotic" in browser.get(f"/ui/{path}").text, path
    assert browser.get("/ui/labs/lab-gone").text.count("Quixotic") > 5

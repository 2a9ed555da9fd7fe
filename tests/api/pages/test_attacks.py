"""Refused attacks on the pages, by name; each is tried in a world in which the honest request works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from urllib.parse import quote, urlencode, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.api.pages.visit import COOKIE, is_own_path, root_of, session_token
from chalicelib.domain.identity.people import People
from chalicelib.domain.identity.sessions import form_token, session_key
from chalicelib.domain.labs.lab import ClusterFacts
from tests.api.curfew_world import LAB, a_ready_lab, a_world, an_entry
from tests.api.http import ADMIN, STRANGER, Answer, Http
from tests.api.pages.browser import FORM, Browser, read
from tests.api.test_matrix import state
from tests.fakes import NOW, OWNER, a_lab, a_spec
from tests.fakes.builders import ACCOUNT
from tests.fakes.fleet_builders import a_fleet_cluster, a_watched

SLEEP = f"/ui/labs/{LAB}/sleep"
EVIL = {"origin": "https://evil.example"}
Try = Callable[[Browser], Answer]


def world() -> Http:
    return a_world(a_ready_lab(facts=ClusterFacts()), an_entry())


def good(browser: Browser, **more: str) -> dict[str, str]:
    return {"form_token": browser.token(), **more}


def with_headers(**headers: str) -> Try:
    """A valid form, sent with these headers."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda browser: browser.post(
        SLEEP, good(browser), {"host": "api.example", "x-forwarded-proto": "https", **named}
    )


def with_token(token: Callable[[Browser], str]) -> Try:
    return lambda browser: browser.post(SLEEP, {"form_token": token(browser)})


def with_cookies(cookies: Callable[[Browser], str]) -> Try:
    def send(browser: Browser) -> Answer:
        body = urlencode(good(browser))
        return browser.http.post(SLEEP, body, caller="", headers={**FORM, "cookie": cookies(browser)})

    return send


def of_another(browser: Browser) -> str:
    """A form token of another person's session."""
    return Browser.of(browser.http, STRANGER).token()


def after_signing_out(browser: Browser) -> Answer:
    sent = good(browser)
    browser.post("/ui/signout", sent)
    return browser.post(SLEEP, sent)


def after_its_end(browser: Browser) -> Answer:
    sent = good(browser)
    browser.http.world.clock.advance(hours=8)
    return browser.post(SLEEP, sent)


def as_stranger(path: str, **fields: str) -> Try:
    return lambda browser: Browser.of(browser.http, STRANGER).send(path, **fields)


def as_viewer(browser: Browser) -> Answer:
    browser.http.people = People(ACCOUNT, (ADMIN,), (OWNER,))
    return browser.post(SLEEP, good(browser))


def as_body(body: str, kind: str = FORM["content-type"]) -> Try:
    return lambda browser: browser.http.post(
        SLEEP, body, caller="", headers={"content-type": kind, "cookie": f"{COOKIE}={browser.cookie}"}
    )


def signed_instead(browser: Browser) -> Answer:
    return browser.http.post(SLEEP, urlencode(good(browser)), caller=OWNER, headers=FORM)


def of_another_account(browser: Browser) -> Answer:
    key = session_key(str(browser.cookie))
    sessions = browser.http.world.store.session_table
    sent = good(browser)
    sessions[key] = replace(sessions[key], account="999988887777")
    return browser.post(SLEEP, sent)


ATTACKS: Mapping[str, tuple[Try, int]] = {
    "CSRF: a form without a token": (lambda browser: browser.post(SLEEP, {}), 403),
    "CSRF: an empty token": (with_token(lambda _: ""), 403),
    "CSRF: a token without a nonce": (with_token(lambda browser: "." + browser.token().partition(".")[2]), 403),
    "CSRF: a nonce without a token": (with_token(lambda browser: browser.token().partition(".")[0] + "."), 403),
    "CSRF: another nonce": (with_token(lambda browser: "0" * 32 + "." + browser.token().partition(".")[2]), 403),
    "CSRF: a token cut short": (with_token(lambda browser: browser.token()[:-1]), 403),
    "CSRF: a token that goes on": (with_token(lambda browser: browser.token() + "0"), 403),
    "CSRF: a token of letters that are none": (with_token(lambda _: "é.ü"), 403),
    "CSRF: somebody else's token": (with_token(of_another), 403),
    "CSRF: the session's hash as key": (with_token(lambda browser: form_token(session_key(str(browser.cookie)), "n")), 403),
    "CSRF: a token in the query": (lambda browser: browser.post(f"{SLEEP}?form_token={browser.token()}", {}), 403),
    "CSRF: another origin": (with_headers(origin="https://evil.example"), 403),
    "CSRF: no origin to speak of": (with_headers(origin="null"), 403),
    "CSRF: an empty origin": (with_headers(origin=""), 403),
    "CSRF: another scheme": (with_headers(origin="http://api.example"), 403),
    "CSRF: another port": (with_headers(origin="https://api.example:8443"), 403),
    "CSRF: a subdomain": (with_headers(origin="https://x.api.example"), 403),
    "CSRF: a longer name": (with_headers(origin="https://api.example.evil.example"), 403),
    "CSRF: a name before @": (with_headers(origin="https://api.example@evil.example"), 403),
    "CSRF: the browser says cross-site": (with_headers(sec_fetch_site="cross-site"), 403),
    "CSRF: the browser says same-site": (with_headers(sec_fetch_site="same-site"), 403),
    "CSRF: as plain text": (as_body("form_token=x", "text/plain"), 403),
    "CSRF: as JSON": (as_body('{"form_token":"x"}', "application/json"), 403),
    "CSRF: no method but POST acts": (lambda browser: browser.get(SLEEP), 404),
    "no session": (with_cookies(lambda _: ""), 401),
    "a guessed session": (with_cookies(lambda _: f"{COOKIE}={'A' * 43}"), 401),
    "a session that is no token": (with_cookies(lambda _: f"{COOKIE}=' OR 1=1 --"), 401),
    "a session of 8 KiB": (with_cookies(lambda _: f"{COOKIE}={'A' * 8192}"), 401),
    "the hash of a session": (with_cookies(lambda browser: f"{COOKIE}={session_key(str(browser.cookie))}"), 401),
    "fixation: a session that the attacker chose": (with_cookies(lambda _: f"{COOKIE}=chosen-by-me"), 401),
    "tossing: two cookies of the name": (with_cookies(lambda b: f"{COOKIE}={b.cookie}; {COOKIE}={'A' * 43}"), 401),
    "tossing: two, the good one last": (with_cookies(lambda b: f"{COOKIE}={'A' * 43}; {COOKIE}={b.cookie}"), 401),
    "tossing: a name without its prefix": (with_cookies(lambda b: f"ekslab={b.cookie}"), 401),
    "tossing: another case": (with_cookies(lambda b: f"__host-ekslab={b.cookie}"), 401),
    "a session after signing out": (after_signing_out, 401),
    "a session after its end": (after_its_end, 401),
    "a session of another account": (of_another_account, 401),
    "a signature in place of a session": (signed_instead, 401),
    "somebody else's lab": (as_stranger(SLEEP), 404),
    "somebody else's lab, extended": (as_stranger(f"/ui/labs/{LAB}/extend", hours="4"), 404),
    "somebody else's lab, kept": (as_stranger(f"/ui/labs/{LAB}/keep"), 404),
    "somebody else's lab, ended": (as_stranger(f"/ui/labs/{LAB}/end", sure="yes"), 404),
    "somebody else's kubeconfig": (lambda b: Browser.of(b.http, STRANGER).get(f"/ui/labs/{LAB}/kubeconfig"), 404),
    "a viewer acts": (as_viewer, 403),
    "rules by a learner": (lambda browser: browser.send("/ui/administration", mode="off"), 403),
    "ended without being sure": (lambda browser: browser.send(f"/ui/labs/{LAB}/end"), 400),
    "a form of a thousand fields": (as_body("&".join(f"a{i}=1" for i in range(1000))), 403),
    "a form of bytes that are no text": (as_body("form_token=%ff%fe"), 403),
    "an act that is none": (lambda browser: browser.send(f"/ui/labs/{LAB}/adopt"), 404),
    "an act of Python's": (lambda browser: browser.send(f"/ui/labs/{LAB}/__class__"), 404),
    "a path out of the static files": (lambda browser: browser.get("/ui/static/../site.py"), 404),
    "a path out of them, encoded": (lambda browser: browser.get("/ui/static/..%2fsite.py"), 404),
    "a template": (lambda browser: browser.get("/ui/static/base.html"), 404),
    "a part of a lab that is none": (lambda browser: browser.get(f"/ui/labs/{LAB}/..%2f..%2fcurfew"), 404),
    "a lab's id of 2 KiB": (lambda browser: browser.get("/ui/labs/" + "x" * 2048), 404),
    "a night that is none": (lambda browser: browser.get("/ui/tonight?night=' OR 1=1"), 400),
    "a line of a plan that is none": (lambda browser: browser.get("/ui/tonight?after=' OR 1=1"), 400),
    "a language without a token": (lambda browser: browser.post("/ui/language", {"language": "ko"}), 403),
    "a cursor of another list": (lambda browser: browser.get("/ui/labs?cursor=eyJhIjoxfQ=="), 400),
}  # fmt: skip


ORIGIN = "https://api.example"
ORIGINS = st.tuples(
    st.sampled_from(["https://", "http://", "HTTPS://", "//", "", "https:", "null", " https://"]),
    st.sampled_from(["api.example", "API.EXAMPLE", "api.example.", "evil.example", "[::1]", "[", "api.example@x", "x@api.example"]),
    st.sampled_from(["", ":443", ":80", "/", "/ui", "?", "#", " ", ", https://api.example"]),
)  # fmt: skip


@given(st.text(max_size=40) | ORIGINS.map("".join))
def test_only_a_form_of_our_very_origin_is_taken(origin: str) -> None:
    browser = SHARED
    sent = {"host": "api.example", "x-forwarded-proto": "https", "origin": origin}
    expected = 400 if origin == ORIGIN else 403
    assert browser.post("/ui/language", {**good(browser), "language": "none"}, sent).status == expected


#: For many requests that change nothing.
SHARED = Browser.of(world(), OWNER)
ODD = st.one_of(st.text(max_size=60), st.text("\x00\r\n\t;=,.:/\\%é\u202e\ud800", max_size=12))


@given(ODD, ODD, ODD, ODD)
def test_no_request_breaks_the_page(path: str, query: str, cookie: str, header: str) -> None:
    """Each is answered by a page that explains the error; a logged failure would be the service's fault."""
    for cookies in (cookie, f"{COOKIE}={SHARED.cookie}"):
        headers = {"cookie": cookies, "host": header, "origin": header, "accept-language": header}
        for method in ("GET", "POST"):
            answer = SHARED.http.call(
                method, f"/ui/{path}", query=dict.fromkeys(("cursor", "to", "days", "after", "night", "state"), query),
                caller="", headers={**headers, **FORM}, body=query.encode(errors="replace") if method == "POST" else None,
            )  # fmt: skip
            assert answer.status < 500, answer.text


@given(st.text(max_size=60) | st.from_regex(r"[a-z/?.=&:%\\ -]{0,20}", fullmatch=True))
def test_nothing_leads_out_of_the_page(to: str) -> None:
    """On every page."""
    if not is_own_path(to):
        return
    for base in ("https://api.example/api/ui/", "https://lab.example/ui/"):
        there = urlsplit(urljoin(base, to))
        assert f"{there.scheme}://{there.netloc}{there.path}".startswith(base)
        assert not there.fragment


def test_there_are_many() -> None:
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_refused_and_changes_nothing(attack: str) -> None:
    trial, status = ATTACKS[attack]
    browser = Browser.of(world(), OWNER)
    before = lab_state(browser.http)
    answer = trial(browser)
    assert (answer.status, lab_state(browser.http)) == (status, before)
    assert "Location" not in answer.headers


def lab_state(http: Http) -> str:
    """All state that can change, except the sessions, which attackers open, too."""
    sessions, http.world.store.session_table = http.world.store.session_table, {}
    found = state(http)
    http.world.store.session_table = sessions
    return found


def test_the_honest_form_is_taken() -> None:
    browser = Browser.of(world(), OWNER)
    assert browser.post(SLEEP, good(browser)).status == 303
    headers = {
        "origin": "https://api.example",
        "host": "api.example",
        "x-forwarded-proto": "https",
        "sec-fetch-site": "same-origin",
    }
    assert browser.post(SLEEP, good(browser), headers).status == 303


HOSTILE = '"><script>alert(1)</script>{{7919*7}}<img src=x onerror=alert(1)>'


def test_names_tags_and_reasons_are_text() -> None:
    """Texts from AWS, tags and people are escaped, and open no element."""
    http = a_world(
        a_ready_lab(reason=HOSTILE, owner=f"arn:aws:sts::{ACCOUNT}:assumed-role/x/{HOSTILE}", phase="blocked"),
        an_entry(reason=HOSTILE, name=HOSTILE, owner=HOSTILE),
    )
    http.world.watch.store.put(a_watched("orders", cluster=a_fleet_cluster("orders"), owner=HOSTILE, team=HOSTILE))
    browser = Browser.of(http, ADMIN)
    for path in ("/ui/labs?whose=all", f"/ui/labs/{LAB}", "/ui/tonight", "/ui/clusters", "/ui/administration/accounts"):
        text = browser.get(path).text
        assert "<script>alert" not in text, path
        assert not [given for _, given in read(text).tags if any(name.startswith("on") for name in given)], path
        assert "55433" not in text, path


def test_what_was_typed_comes_back_as_text() -> None:
    browser = Browser.of(Http(), OWNER)
    answer = browser.send("/ui/ask", name=HOSTILE, file=f"name: '{HOSTILE}", key="0" * 32, then="price")
    assert answer.status == 400
    assert "<script>alert" not in answer.text
    assert "<img src=x" not in answer.text
    for path in (
        f"/ui/clusters?owner={quote(HOSTILE)}",
        f"/ui/labs/{quote(HOSTILE)}",
        f"/ui/labs?whose={quote(HOSTILE)}",
    ):
        assert "<script>alert" not in browser.get(path).text


@pytest.mark.parametrize(
    "formula",
    [
        "=cmd|' /C calc'!A0",
        "+1",
        "-1",
        "@SUM(1)",
        "\t=1",
        " =1",
        "\u00a0=1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM(1)",
    ],
)
def test_a_file_for_spreadsheets_holds_no_formula(formula: str) -> None:
    http = world()
    http.world.watch.store.put(a_watched("orders", cluster=a_fleet_cluster("orders"), owner=formula))
    line = Browser.of(http, OWNER).get("/ui/clusters.csv").text
    assert f",{formula}" not in line
    assert f"'{formula}" in line


@pytest.mark.parametrize("did", ["https://evil.example", "<b>", "../../x", "constructor"])
def test_what_was_done_is_said_in_our_own_words_only(did: str) -> None:
    text = Browser.of(world(), OWNER).get(f"/ui/labs/{LAB}?did={quote(did)}").text
    assert 'class="did"' not in text


def test_every_answer_says_what_browsers_must_not_do() -> None:
    browser = Browser.of(world(), OWNER)
    answers = [
        browser.get(path)
        for path in ("/", "/ui", "/ui/labs", f"/ui/labs/{LAB}/kubeconfig", "/ui/x", "/ui/clusters.csv")
    ]
    answers += [
        Browser(world()).get("/ui/labs"),
        browser.post(SLEEP, {}),
        browser.send(SLEEP),
        browser.get("/ui/static/x"),
    ]
    for answer in answers:
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"


def test_pages_set_no_cookie_and_show_no_session() -> None:
    browser = Browser.of(world(), OWNER)
    for path in ("/ui/labs", f"/ui/labs/{LAB}", "/ui/ask"):
        answer = browser.get(path)
        assert "Set-Cookie" not in answer.headers
        assert str(browser.cookie) not in answer.text
        assert session_key(str(browser.cookie)) not in answer.text


def test_the_table_holds_no_token() -> None:
    browser = Browser.of(world(), OWNER)
    assert str(browser.cookie) not in repr(browser.http.world.store.session_table)


def test_a_form_token_is_another_one_each_time() -> None:
    browser = Browser.of(world(), OWNER)
    assert browser.token() != browser.token()


def test_who_is_no_administrator_any_more_is_none_at_the_next_click() -> None:
    http = world()
    admin = Browser.of(http, ADMIN)
    assert admin.get("/ui/labs?whose=all").text.count("myeks")
    http.people = People(ACCOUNT)
    assert "myeks" not in admin.get("/ui/labs?whose=all").text
    assert admin.send("/ui/administration", mode="off").status == 403


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("/api/", "ui/"),
        ("/api", "api/ui/"),
        ("/", "ui/"),
        ("/api/ui", "ui/"),
        ("/api/ui/labs", ""),
        ("/ui/labs/x", "../"),
    ],
)
def test_links_are_relative_wherever_the_page_is(path: str, root: str) -> None:
    assert root_of(path) == root


@pytest.mark.parametrize("cookies", [None, "", ";;;", "=", f"{COOKIE}", f" {COOKIE} = ", "a=b; c"])
def test_odd_cookies_are_no_session(cookies: str | None) -> None:
    assert not session_token(cookies)


@pytest.mark.parametrize("kind", ["deleted", "failed"])
def test_a_lab_that_is_over_offers_no_form(kind: str) -> None:
    http = a_world(a_lab(phase=kind, ended_at=NOW, spec=a_spec()))
    forms = read(Browser.of(http, OWNER).get(f"/ui/labs/{LAB}").text).forms
    assert [form.action for form in forms] == ["../language", "../signout"]

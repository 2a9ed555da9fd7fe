"""Signing in by browser, and refused attacks on the login: each in a world in which the honest login works."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from chalicelib.domain.errors.tree import AwsUnavailable
from chalicelib.domain.identity.sessions import session_key
from tests.api.curfew_world import LAB, a_ready_lab, a_world, an_entry
from tests.api.http import ADMIN, Answer, Http
from tests.api.pages.browser import COOKIE, HOST, LOGIN_COOKIE, Browser, kept_cookies, read, with_login
from tests.api.test_matrix import state
from tests.fakes import NOW, OWNER
from tests.fakes.user_pool import LOGIN, OTHER_PAGE, PAGE, POOL_ARN, Claims, FakeUserPool


@dataclass
class Login:
    """A login at the point where the browser is redirected back with a code; every part of it can be changed."""

    http: Http
    pool: FakeUserPool
    location: str
    secret: str
    query: dict[str, str]
    headers: dict[str, str] = field(default_factory=lambda: {"host": HOST})
    cookies: list[str] = field(default_factory=list)
    method: str = "GET"
    path: str = "/ui/callback"

    def come_back(self) -> Answer:
        kept = "; ".join(self.cookies or [f"{LOGIN_COOKIE}={self.secret}"])
        headers = {"cookie": kept, **self.headers}
        return self.http.call(self.method, self.path, query=self.query or None, caller="", headers=headers)


def begun(to: str | None = None, http: Http | None = None, username: str = "learner") -> Login:
    http = http or Http()
    pool = with_login(http)
    for name in ("learner", "mallory"):
        pool.add(name)
    answer = http.get("/ui/login", query={"to": to} if to else None, caller="", headers={"host": HOST})
    assert answer.status == 303
    location = answer.headers["Location"]
    return Login(http, pool, location, kept_cookies(answer)[LOGIN_COOKIE], pool.authorize(location, username))


def another(login: Login, username: str = "mallory") -> tuple[str, dict[str, str]]:
    """Another person's login at the same service: the secret in their browser, and the parameters of their callback."""
    answer = login.http.get("/ui/login", caller="", headers={"host": HOST})
    return kept_cookies(answer)[LOGIN_COOKIE], login.pool.authorize(answer.headers["Location"], username)


def test_a_login_asks_for_a_code_with_state_nonce_and_a_challenge() -> None:
    login = begun()
    asked = {name: values[0] for name, values in parse_qs(urlsplit(login.location).query).items()}
    assert asked.pop("redirect_uri") == f"{PAGE}/callback"
    assert (asked.pop("code_challenge_method"), asked.pop("response_type"), asked.pop("scope")) == (
        "S256",
        "code",
        "openid",
    )
    assert asked.pop("client_id") == "client-1"
    assert set(asked) == {"state", "nonce", "code_challenge"}
    assert len({*asked.values(), login.secret}) == 4
    assert all(len(value) == 43 for value in asked.values())


def test_a_learner_signs_in_and_is_the_same_person_the_next_time() -> None:
    login = begun()
    answer = login.come_back()
    assert (answer.status, answer.headers["Location"]) == (303, "labs")
    browser = Browser(login.http, kept_cookies(answer)[COOKIE])
    assert "learner" in browser.get("/ui/labs").text
    browser.send("/ui/ask", name="mine", key="0" * 32, then="ask")
    [lab] = login.http.world.store.labs.values()
    assert lab.owner == login.pool.arn_of("learner")
    assert lab.spec.access == ()
    again = Browser.signed_in(login.http, login.pool, "learner")
    assert "mine" in again.get("/ui/labs").text
    assert "mine" not in Browser.signed_in(login.http, login.pool, "mallory").get("/ui/labs").text


def test_the_form_names_who_gets_into_the_cluster_and_warns_where_nobody_does() -> None:
    login = begun()
    browser = Browser(login.http, kept_cookies(login.come_back())[COOKIE])
    nobody = browser.send("/ui/ask", name="mine", key="0" * 32, then="price")
    assert "Nobody gets into the cluster" in nobody.text.split('data-finding="access"')[1].split("</div>")[0]
    role = "arn:aws:iam::111122223333:user/learner"
    browser.send("/ui/ask", name="mine", key="0" * 32, then="ask", access=role)
    [lab] = login.http.world.store.labs.values()
    assert [entry.principal_arn for entry in lab.spec.access] == [role]


def test_the_cookies_are_for_this_host_alone_for_no_script_and_for_a_time() -> None:
    login = begun()
    [first] = login.http.get("/ui/login", caller="", headers={"host": HOST}).cookies
    session, forgotten = login.come_back().cookies
    for cookie, name, seconds in ((first, LOGIN_COOKIE, 600), (session, COOKIE, 28800), (forgotten, LOGIN_COOKIE, 0)):
        assert cookie.startswith(f"{name}=")
        assert cookie.partition("; ")[2] == f"Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Lax"
    assert name.startswith("__Host-")


def test_a_session_by_login_ends_after_eight_hours() -> None:
    login = begun()
    browser = Browser(login.http, kept_cookies(login.come_back())[COOKIE])
    login.http.world.clock.advance(hours=7, minutes=59)
    assert browser.get("/ui/labs").status == 200
    login.http.world.clock.advance(minutes=1)
    assert browser.get("/ui/labs").status == 401


@pytest.mark.parametrize("to", [f"labs/{LAB}", "tonight", "administration/accounts", "labs?whose=all"])
def test_a_login_leads_to_where_it_was_begun(to: str) -> None:
    assert begun(to).come_back().headers["Location"] == to


def test_without_a_session_the_page_shows_the_way_in_and_leads_back_afterwards() -> None:
    http = Http()
    with_login(http)
    page = http.get("/ui/labs/lab-1", caller="", headers={"host": HOST})
    assert (page.status, "../login?to=labs/lab-1" in read(page.text).links) == (401, True)


def test_without_a_browser_login_there_is_none() -> None:
    http = Http()
    for path in ("/ui/login", "/ui/callback"):
        answer = http.get(path, query={"code": "c" * 20, "state": "s"}, caller="", headers={"host": HOST})
        assert (answer.status, answer.cookies) == (401, ())
    assert "Sign in</a>" not in http.get("/ui/labs", caller="").text


def test_signing_out_ends_the_session_and_shows_the_way_out_of_the_login() -> None:
    login = begun()
    browser = Browser(login.http, kept_cookies(login.come_back())[COOKIE])
    answer = browser.send("/ui/signout")
    assert kept_cookies(answer) == {COOKIE: ""}
    assert login.http.world.store.session_table == {}
    [way_out] = [link for link in read(answer.text).links if link.startswith("https:")]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(way_out).query).items()}
    assert way_out.startswith(f"{LOGIN}/logout?")
    assert asked == {"client_id": "client-1", "logout_uri": f"{PAGE}/signed-out"}
    assert login.http.get("/ui/signed-out", caller="").status == 200


def test_who_came_with_aws_credentials_is_shown_no_way_out_of_the_login() -> None:
    http = Http()
    with_login(http)
    assert "https:" not in Browser.of(http, OWNER).send("/ui/signout").text


def test_another_address_of_the_page_is_come_back_to_if_the_pool_knows_it() -> None:
    http = Http()
    pool = with_login(http)
    pool.add("learner")
    there = urlsplit(OTHER_PAGE).netloc
    answer = http.get("/ui/login", caller="", headers={"host": there})
    login = Login(http, pool, answer.headers["Location"], kept_cookies(answer)[LOGIN_COOKIE], {}, {"host": there})
    login.query = pool.authorize(login.location, "learner")
    assert f"redirect_uri={quote(OTHER_PAGE, safe='')}%2Fcallback" in login.location
    assert login.come_back().status == 303


@pytest.mark.parametrize("group", ["administrators", "viewers", "team-shop", ""])
def test_what_somebody_is_here_is_looked_up_at_each_click(group: str) -> None:
    http = a_world(a_ready_lab(), an_entry())
    pool = with_login(http)
    arn = pool.add("somebody")
    browser = Browser.signed_in(http, pool, "somebody")
    assert "myeks" not in browser.get("/ui/labs?whose=all").text
    pool.users["somebody"].groups = (group,) if group else ()
    everything = group in ("administrators", "viewers")
    assert ("myeks" in browser.get("/ui/labs?whose=all").text) == everything
    assert (browser.send("/ui/administration", mode="off").status == 303) == (group == "administrators")
    pool.users["somebody"].groups = ()
    assert "myeks" not in browser.get("/ui/labs?whose=all").text
    assert http.people.caller(arn, POOL_ARN.split(":")[4], None)


def test_who_is_disabled_or_deleted_is_out_at_the_next_click() -> None:
    for out in ("disabled", "deleted", "made anew"):
        login = begun()
        browser = Browser(login.http, kept_cookies(login.come_back())[COOKIE])
        assert browser.get("/ui/labs").status == 200
        user = login.pool.users["learner"]
        if out == "disabled":
            user.enabled = False
        else:
            del login.pool.users["learner"]
        if out == "made anew":
            login.pool.users["learner"] = replace(user, sub="99999999-aaaa-bbbb-cccc-000000000000")
        assert browser.get("/ui/labs").status == 401, out


def test_a_mail_address_in_a_token_joins_nothing() -> None:
    http = a_world(a_ready_lab(), an_entry())
    pool = with_login(http)
    pool.add(OWNER.rpartition("/")[2])
    pool.forge = lambda claims: {**claims, "email": OWNER.rpartition("/")[2], "email_verified": True, "name": OWNER}
    browser = Browser.signed_in(http, pool, OWNER.rpartition("/")[2])
    assert "myeks" not in browser.get("/ui/labs").text
    assert browser.get(f"/ui/labs/{LAB}").status == 404


def test_what_goes_wrong_at_cognito_is_a_page_and_no_session() -> None:
    for operation in ("user_pool.client", "user_pool.redeem"):
        login = begun()
        login.http.world.fail(operation, AwsUnavailable("inside"))
        answer = login.come_back()
        assert (answer.status, "inside" in answer.text and operation == "x") == (503, False)
        assert COOKIE not in kept_cookies(answer)


def test_when_the_pool_does_not_answer_nobody_is_taken_for_anybody() -> None:
    login = begun()
    browser = Browser(login.http, kept_cookies(login.come_back())[COOKIE])
    login.http.world.fail("user_pool.standing", AwsUnavailable("later"))
    assert browser.get("/ui/labs").status == 503


def forged(**claims: object) -> Callable[[Login], None]:
    def forge(login: Login) -> None:
        login.pool.forge = lambda given: {**given, **claims}

    return forge


def without(name: str) -> Callable[[Login], None]:
    def forge(login: Login) -> None:
        def less(given: Claims) -> Claims:
            return {key: value for key, value in given.items() if key != name}

        login.pool.forge = less

    return forge


def query(**changed: str | None) -> Callable[[Login], None]:
    def change(login: Login) -> None:
        login.query = {key: value for key, value in {**login.query, **changed}.items() if value is not None}

    return change


def cookies(*texts: str) -> Callable[[Login], None]:
    def change(login: Login) -> None:
        login.cookies = [text.replace("SECRET", login.secret) for text in texts]

    return change


def injected_code(login: Login) -> None:
    """The victim's browser and state, the attacker's code."""
    login.query["code"] = another(login)[1]["code"]


def injected_state(login: Login) -> None:
    login.query["state"] = another(login)[1]["state"]


def forced(login: Login) -> None:
    """Login CSRF: the victim's browser is sent to the callback with all of the attacker's parameters."""
    login.query = another(login)[1]


def forced_on_nobody(login: Login) -> None:
    forced(login)
    login.cookies = ["other=1"]


def stolen_code(login: Login) -> None:
    """The victim's code and state, in the attacker's browser."""
    login.secret = another(login)[0]


def replayed(login: Login) -> None:
    assert login.come_back().status == 303


def replayed_without_its_cookie(login: Login) -> None:
    replayed(login)
    login.cookies = ["other=1"]


def too_late(login: Login) -> None:
    login.pool.codes.clear()


def elsewhere(login: Login) -> None:
    login.headers = {"host": urlsplit(OTHER_PAGE).netloc}


ATTACKS: Mapping[str, Callable[[Login], None]] = {
    "login CSRF: the attacker's code and state": forced,
    "login CSRF: in a browser that began nothing": forced_on_nobody,
    "code injection: the attacker's code": injected_code,
    "state of another login": injected_state,
    "a stolen code in another browser": stolen_code,
    "state replay: the same callback again": replayed,
    "state replay: again, in a browser that forgot": replayed_without_its_cookie,
    "a code that has expired": too_late,
    "no state": query(state=None),
    "an empty state": query(state=""),
    "a state cut short": lambda login: query(state=login.query["state"][:-1])(login),
    "a state that goes on": lambda login: query(state=login.query["state"] + "A")(login),
    "a state of letters that are none": query(state="é"),
    "the secret as state": lambda login: query(state=login.secret.rstrip("."))(login),
    "no code": query(code=None),
    "an empty code": query(code=""),
    "a code of 8 KiB": query(code="c" * 8192),
    "a code with more of a form": query(code="code-0&grant_type=client_credentials"),
    "two codes": lambda login: query(code=f"{login.query['code']},x")(login),
    "an error of the login": query(error="access_denied"),
    "an error with markup": query(error="<script>alert(1)</script>", error_description="<script>alert(1)</script>"),
    "no cookie": cookies("other=1"),
    "an empty cookie": cookies(f"{LOGIN_COOKIE}="),
    "a secret that is too short to be one": cookies(f"{LOGIN_COOKIE}=short."),
    "a cookie of 8 KiB": cookies(f"{LOGIN_COOKIE}={'A' * 8192}."),
    "cookie tossing: two of the name": cookies(f"{LOGIN_COOKIE}=SECRET", f"{LOGIN_COOKIE}={'A' * 43}."),
    "cookie tossing: the good one last": cookies(f"{LOGIN_COOKIE}={'A' * 43}.", f"{LOGIN_COOKIE}=SECRET"),
    "cookie tossing: a name without its prefix": cookies("ekslab-login=SECRET"),
    "cookie tossing: another case": cookies("__host-ekslab-login=SECRET"),
    "the session's cookie for the login's": cookies(f"{COOKIE}=SECRET"),
    "another address of ours than it began at": elsewhere,
    "token: another issuer": forged(iss="https://cognito-idp.ap-northeast-2.amazonaws.com/ap-northeast-2_Evil"),
    "token: another region's issuer": forged(iss="https://cognito-idp.us-east-1.amazonaws.com/ap-northeast-2_Fake"),
    "token: no issuer": without("iss"),
    "token: for another client": forged(aud="client-2"),
    "token: for several clients": forged(aud=["client-1", "client-2"]),
    "token: for nobody": without("aud"),
    "token: an access token": forged(token_use="access"),
    "token: of no use": without("token_use"),
    "token substitution: another nonce": forged(nonce="n" * 43),
    "token substitution: no nonce": without("nonce"),
    "token: expired": forged(exp=NOW.timestamp() - 1),
    "token: without an end": without("exp"),
    "token: an end that is no number": forged(exp="9999999999"),
    "token: of the future": forged(iat=NOW.timestamp() + 86400),
    "token: no subject": without("sub"),
    "token: a subject that is a path": forged(sub="x/../../administrators"),
    "token: a subject that is a pattern": forged(sub="*"),
    "token: no user name": without("cognito:username"),
    "token: a user name of 2 KiB": forged(**{"cognito:username": "x" * 2048}),
}


def test_there_are_many() -> None:
    assert len(ATTACKS) >= 40


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_gives_no_session_and_ends_the_login(attack: str) -> None:
    login = begun()
    ATTACKS[attack](login)
    login.http.world.store.session_table.clear()
    answer = login.come_back()
    assert answer.status == 400, answer.text
    assert login.http.world.store.session_table == {}
    assert kept_cookies(answer) == {LOGIN_COOKIE: ""}
    assert "Location" not in answer.headers
    assert "<script>alert" not in answer.text


#: Requests that are no login, and their answers.
ELSEWHERE: Mapping[str, tuple[str, str, int]] = {
    "method confusion: POST to the callback": ("POST", "/ui/callback", 401),
    "method confusion: POST to the login": ("POST", "/ui/login", 401),
    "a callback below the callback": ("GET", "/ui/callback/x", 401),
    "a login of another case": ("GET", "/ui/Login", 401),
    "a callback by another way": ("GET", "/ui/./callback", 401),
}


@pytest.mark.parametrize("attack", ELSEWHERE)
def test_no_other_request_signs_anybody_in(attack: str) -> None:
    login = begun()
    login.method, login.path, status = ELSEWHERE[attack]
    if login.method == "POST":
        login.headers["content-type"] = "application/x-www-form-urlencoded"
    answer = login.come_back()
    assert (answer.status, answer.cookies, login.http.world.store.session_table) == (status, (), {})


@pytest.mark.parametrize(
    "to",
    [
        "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "../../evil",
        "..", "labs/../../evil", "%2f%2fevil.example", "labs\r\nSet-Cookie: x=1", "labs;Domain=evil.example", "labs#x",
        "labs?next=//evil.example", "http:evil.example", "\t//evil.example", "labs, x", "LABS", "a" * 5000, "labs/a/b/c/d",
    ],
)  # fmt: skip
def test_no_login_leads_away(to: str) -> None:
    login = begun(to)
    assert login.secret.endswith(".")
    login.secret = f"{login.secret}{to}" if ";" not in to and "\r" not in to else login.secret
    answer = login.come_back()
    assert answer.status == 400 or answer.headers["Location"] == "labs"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": ""},
        {"host": f"{HOST}.evil.example"},
        {"host": f"evil.example/{HOST}"},
        {"host": HOST, "x-forwarded-host": "evil.example"},
        {"host": HOST, "forwarded": "host=evil.example;proto=http"},
        {"host": HOST, "x-forwarded-proto": "http", "x-forwarded-port": "80", "x-original-url": "/evil"},
    ],
    ids=str,
)
def test_a_forged_host_changes_no_address_that_anybody_is_sent_to(headers: dict[str, str]) -> None:
    http = Http()
    with_login(http)
    answer = http.get("/ui/login", caller="", headers=headers)
    asked = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert asked["redirect_uri"] == [f"{PAGE}/callback"]
    assert "evil" not in answer.headers["Location"]


def test_a_rebound_name_has_no_session_and_gets_none() -> None:
    """DNS rebinding: the attacker's name resolves to this service, so Host and Origin agree. The cookies are of another host."""
    http = a_world(a_ready_lab(), an_entry())
    with_login(http)
    rebound = {"host": "evil.example", "origin": "https://evil.example", "x-forwarded-proto": "https"}
    form = {"content-type": "application/x-www-form-urlencoded", **rebound}
    assert http.post(f"/ui/labs/{LAB}/sleep", "form_token=x", caller="", headers=form).status == 401
    assert http.get("/ui/callback", query={"code": "c" * 20, "state": "s"}, caller="", headers=rebound).status == 400


def test_a_login_replaces_and_ends_the_session_that_was_there() -> None:
    """Session fixation: a session that an attacker put into the browser is not that of the next login."""
    login = begun()
    planted = Browser.signed_in(login.http, login.pool, "mallory").cookie
    login.cookies = [f"{LOGIN_COOKIE}={login.secret}", f"{COOKIE}={planted}"]
    answer = login.come_back()
    given = kept_cookies(answer)[COOKIE]
    assert given not in ("", planted)
    assert list(login.http.world.store.session_table) == [session_key(given)]


def test_two_logins_at_once_keep_apart() -> None:
    login = begun()
    secret, back = another(login, "mallory")
    mine = Browser(login.http, kept_cookies(login.come_back())[COOKIE])
    login.secret, login.query = secret, back
    theirs = Browser(login.http, kept_cookies(login.come_back())[COOKIE])
    assert "learner</span>" in mine.get("/ui/labs").text
    assert "mallory</span>" in theirs.get("/ui/labs").text


HOSTILE = '"><script>alert(1)</script>{{7919*7}}\u202e\u2066<img src=x onerror=alert(1)>,*=/'


def test_a_user_name_is_text_on_every_page() -> None:
    http = a_world(a_ready_lab(), an_entry())
    pool = with_login(http)
    arn = pool.add(HOSTILE, "administrators")
    http.world.store.put(a_ready_lab(id="lab-hostile", owner=arn))
    browser = Browser.signed_in(http, pool, HOSTILE)
    for path in ("/ui/labs?whose=all", "/ui/labs/lab-hostile", "/ui/tonight", "/ui/administration/accounts", "/ui/ask"):
        text = browser.get(path).text
        assert browser.get(path).status == 200
        for hostile in ("<script>alert", "<img src=x", "55433", "\u202e", "\u2066"):
            assert hostile not in text, path


def test_nothing_of_a_login_is_kept_and_no_page_shows_it() -> None:
    login = begun()
    code = login.query["code"]
    answer = login.come_back()
    token = kept_cookies(answer)[COOKIE]
    kept = repr(login.http.world.store.session_table)
    for secret in (token, code, login.secret, "somebody@example.com"):
        assert secret not in kept
        assert secret not in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_a_login_asks_the_table_for_nothing_before_the_pool_has_spoken() -> None:
    login = begun()
    login.http.world.account.calls.clear()
    login.query["code"] = "code-number-none"
    login.come_back()
    assert [name for name, _ in login.http.world.account.calls if "session" in name or "lab" in name] == []


def test_the_state_of_the_world_is_the_same_after_all_attacks() -> None:
    login = begun(http=a_world(a_ready_lab(), an_entry()))
    before: Any = state(login.http)
    for attack in (forced, injected_code, stolen_code):
        attack(login)
        login.come_back()
    assert state(login.http) == before
    assert ADMIN not in before

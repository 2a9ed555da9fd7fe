"""Every page by a session of every kind of caller, opened by a signature or by the login: the statuses of the table."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.api.pages.site import PAGES as SITE
from tests.api.curfew_world import a_ready_lab
from tests.api.matrix import CALLERS, PAGES, SIGNED_IN, USERS, page_expected
from tests.api.pages.browser import Browser, with_login
from tests.api.test_matrix import FACTS, LAB, state, the_world

POOLS_LAB = "lab-of-pool"


def opened(kind: str) -> tuple[Browser, str]:
    """A browser with a session of this kind, and the lab of the pages for it."""
    http = the_world()
    pool = with_login(http)
    for name, groups in USERS.items():
        pool.add(name, *groups)
    owner = pool.arn_of("pool's owner")
    http.world.store.put(
        a_ready_lab(id=POOLS_LAB, owner=owner, facts=FACTS, spec=replace(a_ready_lab().spec, name="pools"))
    )
    if kind in SIGNED_IN:
        return Browser.of(http, str(CALLERS[kind])), LAB
    browser = Browser.signed_in(http, pool, kind)
    pool.users["disabled"].enabled = False
    return browser, POOLS_LAB


def ask(browser: Browser, page: tuple[str, str], lab: str) -> int:
    """One request with valid fields and a valid token, if the session has one."""
    method, path = page[0], f"/ui/{page[1].replace('{lab}', lab)}"
    if method == "GET":
        return browser.get(path).status
    shown = browser.get("/ui/labs")
    token = browser.token() if shown.status == 200 else "x"
    return browser.post(path, {"form_token": token, **PAGES[page][0]}).status


def test_every_page_has_a_row() -> None:
    known = {(method, path.split("/")[0], path.count("/") + 1) for method, path in PAGES}
    assert set(SITE) - known == set(), "Say in tests/api/matrix.py who may do what by each page."


@pytest.mark.parametrize("page", sorted(PAGES), ids=" ".join)
def test_a_session_of_every_kind_is_answered_as_the_table_says(page: tuple[str, str]) -> None:
    got = {}
    for kind in (*SIGNED_IN, *USERS):
        browser, lab = opened(kind)
        got[kind] = ask(browser, page, lab)
    assert got == page_expected(page)


@pytest.mark.parametrize("page", sorted(page for page in PAGES if page[0] == "POST"), ids=" ".join)
def test_for_whoever_is_refused_nothing_is_done(page: tuple[str, str]) -> None:
    for kind, status in page_expected(page).items():
        browser, lab = opened(kind)
        before = state(browser.http)
        ask(browser, page, lab)
        assert status < 400 or state(browser.http) == before, kind

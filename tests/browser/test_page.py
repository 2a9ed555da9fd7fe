"""The page in Chromium, by clicks and by keyboard only: with and without its script, narrow and wide, light and dark."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import product
from typing import Any

import pytest

from chalicelib.domain.labs.lab import Phase
from tests.api.curfew_world import LAB
from tests.api.http import ADMIN
from tests.api.pages.test_hostile_text import named
from tests.browser.axe import worst_of
from tests.browser.conftest import FACTS, Shown, showing

PATHS = (
    *("/ui/labs", f"/ui/labs/{LAB}", "/ui/ask", "/ui/clusters", "/ui/tonight", "/ui/administration"),
    *("/ui/administration/accounts", "/ui/api", "/ui/nothing"),
)
SIZES = {"narrow": (360, 740), "wide": (1280, 800)}


@pytest.fixture(params=product(SIZES, ("light", "dark"), ("en-GB", "ko-KR")), ids="-".join)
def sized(request: pytest.FixtureRequest, chromium: Any) -> Iterator[Shown]:
    width, height = SIZES[request.param[0]]
    viewport = {"width": width, "height": height}
    yield from showing(chromium, viewport=viewport, color_scheme=request.param[1], locale=request.param[2])


def test_a_lab_is_asked_for_by_clicks(shown: Shown) -> None:
    page = shown.page()
    page.click("text=Ask for a lab")
    page.fill("#name", "by-clicks")
    page.fill("#leaseHours", "3")
    page.click("text=Ask for it")
    page.wait_for_selector("text=The lab was asked for.")
    assert [lab.name for lab in shown.http.world.store.labs.values()].count("by-clicks") == 1
    page.click("nav >> text=Labs")
    assert page.is_visible("text=by-clicks")


def test_a_lab_is_extended_kept_and_ended_by_clicks(shown: Shown) -> None:
    page = shown.page(f"/ui/labs/{LAB}")
    page.click("button:has-text('Extend')")
    page.wait_for_selector("text=The lease was extended.")
    page.click("button:has-text('Keep this night')")
    page.wait_for_selector("text=It is kept for this night.")
    page.click("summary:has-text('End')")
    page.check("input[name=sure]")
    page.click("text=End now")
    page.wait_for_selector("text=It is being deleted.")
    assert shown.http.world.store.labs[LAB].phase is Phase.RELEASING


def test_the_keyboard_alone_suffices(shown: Shown) -> None:
    page = shown.page()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Extend":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("text=The lease was extended.")


def test_nothing_breaks_the_policy_and_nothing_is_asked_of_others(shown: Shown) -> None:
    page = shown.page()
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("request", lambda request: asked.append(request.url))
    for path in PATHS:
        page.goto(shown.door.origin + path)
    assert [text for text in said if "404" not in text] == []
    assert [url for url in asked if not url.startswith(shown.door.origin)] == []


def test_pages_fit_their_width_and_have_nothing_serious_against_them(sized: Shown) -> None:
    page = sized.page()
    for path in PATHS:
        page.goto(sized.door.origin + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert worst_of(page) == [], path


@pytest.fixture
def endless(chromium: Any) -> Iterator[Shown]:
    """All text from people and AWS is one word of 120 letters."""
    yield from showing(chromium, partial(named, "W" * 120), ADMIN, viewport={"width": 360, "height": 740})


#: Elements wider than the page that can't be scrolled by themselves.
TOO_WIDE = """[...document.querySelectorAll("body *")].filter((each) => !each.closest(".wide, pre, svg, .skip")
  && each.getBoundingClientRect().right > innerWidth).map((each) => each.outerHTML.slice(0, 80))"""


def test_the_longest_names_fit_a_telephone(endless: Shown) -> None:
    page = endless.page()
    for path in (*PATHS, "/ui/labs?whose=all&over=1", "/ui/labs/lab-gone"):
        page.goto(endless.door.origin + path)
        page.eval_on_selector_all("details", "folds => folds.forEach(fold => { fold.open = true; })")
        assert page.evaluate(TOO_WIDE) == [], path


@pytest.fixture
def scripted(chromium: Any) -> Iterator[Shown]:
    yield from showing(chromium)


def test_the_price_comes_as_it_is_typed(scripted: Shown) -> None:
    page = scripted.page("/ui/ask")
    page.fill("#name", "typed")
    page.wait_for_selector("#price >> text=an hour")
    page.click("summary:has-text('Everything else')")
    page.fill("[id='version']", "0.1")
    page.wait_for_selector("[data-finding='version'] >> .error")
    assert len(scripted.http.world.store.labs) == 2


DROP = """([selector, text]) => {
  const carried = new DataTransfer();
  carried.items.add(new File([text], "cluster.yaml"));
  document.querySelector(selector).dispatchEvent(new DragEvent("drop", { bubbles: true, dataTransfer: carried }));
}"""


def test_an_eksctl_file_is_dropped_anywhere_on_the_form(scripted: Shown) -> None:
    page = scripted.page("/ui/ask")
    page.evaluate(DROP, ["#name", "x" * 65_537])
    page.wait_for_selector("#price >> text=longer than 64 kB")
    file = "apiVersion: eksctl.io/v1alpha5\nkind: ClusterConfig\nmetadata: {name: dropped, region: ap-northeast-2}\n"
    page.evaluate(DROP, ["#name", file])
    page.wait_for_selector("#price >> text=dropped")
    assert page.is_visible("#file")
    page.click("text=Ask for it")
    page.wait_for_selector("text=The lab was asked for.")


def test_a_lab_that_comes_is_followed_and_what_is_open_stays_open(scripted: Shown) -> None:
    page = scripted.page("/ui/labs/lab-coming")
    page.click("summary:has-text('End')")
    page.evaluate("document.activeElement.blur()")
    store = scripted.http.world.store
    ready = store.labs["lab-coming"].moved_to(Phase.READY, scripted.http.world.clock.now())
    store.put(replace(ready, facts=FACTS))
    page.wait_for_selector(".phase-ready", timeout=15000)
    assert page.is_visible("a:has-text('kubeconfig')")
    assert page.is_visible("text=Delete coming and everything of it")

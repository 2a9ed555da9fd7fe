"""With nothing but a browser, in the sandbox: login and page are two sites, as on AWS. By clicks: a lab's whole life.

Narrow and dark with the script, wide and light without it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from sandbox.login import LEARNER, PASSWORD, page_url
from sandbox.stage import Stage, installed
from tests.browser.axe import worst_of

KINDS: Mapping[str, dict[str, Any]] = {
    "narrow, dark, with script": {"viewport": {"width": 360, "height": 740}, "color_scheme": "dark"},
    "wide, light, without script": {"viewport": {"width": 1280, "height": 800}, "java_script_enabled": False},
}


@pytest.fixture(scope="module")
def stage(chromium: Any) -> Iterator[Stage]:
    with installed() as stage:
        yield stage


@pytest.fixture(params=KINDS)
def page(request: pytest.FixtureRequest, chromium: Any, stage: Stage) -> Iterator[Any]:
    context = chromium.new_context(**KINDS[request.param])
    page = context.new_page()
    page.set_default_timeout(60_000)
    page.goto(page_url(stage.sandbox, stage.outputs))
    yield page
    context.close()


def sign_in(page: Any) -> None:
    page.click("text=Sign in")
    page.fill("#username", LEARNER)
    page.fill("#password", PASSWORD)
    page.click("button:has-text('Sign in')")
    page.wait_for_selector("nav >> text=Labs")


def test_a_lab_s_whole_life_by_clicks(page: Any, stage: Stage) -> None:
    sign_in(page)
    page.click("nav >> text=Ask")
    page.fill("#name", "by-browser")
    page.click("button:has-text('Ask for it')")
    page.wait_for_selector("text=The lab was asked for.")
    lab_id = page.url.partition("/labs/")[2].partition("?")[0]
    stage.wait(stage.people.administrator, lab_id, lambda lab: lab["phase"] in ("ready", "failed", "blocked"))
    page.reload()
    page.wait_for_selector(".phase-ready")
    assert worst_of(page) == []
    with page.expect_download() as saved:
        page.click("text=kubeconfig")
    assert saved.value.suggested_filename == f"kubeconfig-{lab_id}.yaml"
    page.click("button:has-text('Extend')")
    page.wait_for_selector("text=The lease was extended.")
    page.click("nav >> text=Tonight")
    page.wait_for_selector("h1")
    page.go_back()
    page.click("summary:has-text('End')")
    page.check("input[name=sure]")
    page.click("text=End now")
    page.wait_for_selector("text=It is being deleted.")
    stage.wait(stage.people.administrator, lab_id, lambda lab: lab["phase"] == "deleted")
    page.reload()
    page.wait_for_selector("text=is left.")
    sign_out(page)


def sign_out(page: Any) -> None:
    """Here, then at the login, too; the password is asked for again."""
    page.click("button:has-text('Sign out')")
    page.wait_for_selector("text=Signed out")
    page.click("text=Sign out of the login, too")
    page.wait_for_selector("text=Sign in again")
    page.click("text=Sign in again")
    page.wait_for_selector("#password")
    assert page.query_selector("text=Sign in as") is None


def test_the_keyboard_alone_signs_in(page: Any) -> None:
    for _ in range(10):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent") == "Sign in":
            break
    page.keyboard.press("Enter")
    page.wait_for_selector("#username")
    page.keyboard.type(LEARNER)
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_selector("nav >> text=Labs")
    sign_out(page)

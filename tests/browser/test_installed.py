"""Whole lives of labs with only a browser, through Cognito, at an address with a host of its own as on AWS.

While the labs start, an administrator reads every page, narrow and wide, in light and dark, in both languages.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from chalicelib.domain.core.language import Language
from sandbox.login import ADMINISTRATOR
from tests.browser.axe import worst_of
from tests.browser.conftest import Installed
from tests.browser.installed import USERS
from tests.browser.people import PATIENCE, Visitor

LOCALES = {Language.EN: "en-GB", Language.KO: "ko-KR"}
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
SITE = (
    *("ui/labs?whose=all", "ui/ask", "ui/clusters", "ui/tonight", "ui/administration", "ui/administration/accounts"),
    *("ui/api", "ui/no/such/page"),
)
#: Each pair of size, scheme and language once; `test_page.py` has all combinations.
LOOKS = (
    (NARROW, "light", Language.EN),
    (NARROW, "dark", Language.KO),
    (WIDE, "light", Language.KO),
    (WIDE, "dark", Language.EN),
)


def visitor(chromium: Any, language: Language, *, script: bool = True, keyboard: bool = False, **more: Any) -> Visitor:
    context = chromium.new_context(locale=LOCALES[language], java_script_enabled=script, **more)
    context.set_default_timeout(PATIENCE)
    return Visitor(context.new_page(), language, keyboard, script)


@pytest.fixture(scope="module")
def lives(chromium: Any, installed: Installed) -> Iterator[list[Visitor]]:
    """Three people who have requested a lab: narrow, Korean and without a script; wide and English; by keyboard alone."""
    people = [
        visitor(chromium, Language.KO, script=False, viewport=NARROW, color_scheme="dark"),
        visitor(chromium, Language.EN, viewport=WIDE),
        visitor(chromium, Language.EN, keyboard=True, viewport=WIDE, color_scheme="dark"),
    ]
    for who, name in zip(people, USERS, strict=True):
        who.sign_in(installed.page, name)
        ask(who, f"lab-of-{name}")
    yield people
    for who in people:
        who.page.context.close()


@pytest.fixture(scope="module")
def known(chromium: Any, installed: Installed) -> Any:
    """The stored state of a browser in which an administrator has signed in."""
    who = visitor(chromium, Language.EN)
    who.sign_in(installed.page, ADMINISTRATOR)
    yield who.page.context.storage_state()
    who.page.context.close()


def ask(who: Visitor, name: str) -> None:
    who.press(who.link("Ask for a lab"))
    who.write("name", name)
    who.write("leaseHours", "2")
    if not who.script:
        who.press(who.button("What would it cost?"))
    who.page.wait_for_selector("#price >> text=$")
    who.press(who.button("Ask for it"))
    who.page.wait_for_selector(f".did >> text={who.told('The lab was asked for. This page follows it.')}")


@pytest.mark.parametrize(("size", "scheme", "language"), LOOKS)
def test_every_page_fits_can_be_read_and_speaks_one_language(
    chromium: Any, installed: Installed, lives: list[Visitor], known: Any, size: Any, scheme: str, language: Language
) -> None:
    who = visitor(chromium, language, viewport=size, color_scheme=scheme, storage_state=known)
    home, below = installed.page, urlsplit(lives[0].page.url).path.removeprefix("/api/")
    for path in (*SITE, below):
        who.page.goto(home + path)
        assert who.page.get_attribute("html", "lang") == language
        assert who.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        assert worst_of(who.page) == [], path
    who.page.context.close()


def test_labs_live_their_lives_by_clicks_and_by_keyboard_alone(installed: Installed, lives: list[Visitor]) -> None:
    for who in lives:
        # Watched until it is ready, with its kubeconfig
        who.wait_for(".phase-ready")
        assert who.page.is_visible(f"text={who.told('Verification')}") or who.page.is_visible("ol.steps")
        with who.page.expect_download() as saved:
            who.press(who.link("kubeconfig"))
        assert "kind: Config" in Path(saved.value.path()).read_text()
        who.write("hours", "1")
        who.press(who.button("Extend"))
        who.page.wait_for_selector(f".did >> text={who.told('The lease was extended.')}")
    installed.plan_the_night()
    for who, name in zip(lives, USERS, strict=True):
        # On tonight's plan, and ended
        who.press(who.page.locator("nav").get_by_role("link", name=who.told("Tonight")))
        who.press(who.page.get_by_role("link", name=f"lab-of-{name}"))
        who.press(who.fold("End"))
        who.press(who.page.locator("input[name=sure]").first)
        who.press(who.button("End now"))
        who.page.wait_for_selector(f".did >> text={who.told('It is being deleted. The receipt comes at the end.')}")
    for who in lives:
        # Its receipt is read, and the session ended, here and at the login
        who.wait_for(".phase-deleted")
        assert who.told("Nothing of the lab's is left.")[:6] in who.page.inner_text("#receipt + p")
        who.press(who.button("Sign out"))
        who.press(who.link("Sign out of the login, too"))
        who.page.wait_for_selector(f"h1 >> text={who.told('Signed out')}")
        who.press(who.link("Sign in again"))
        who.page.wait_for_selector("input[name=username]")

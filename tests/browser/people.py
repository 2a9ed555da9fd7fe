"""A person at a browser, by mouse or by keyboard alone, who reads English or Korean and finds elements by their text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import Any

from chalicelib.domain.core.language import Language
from chalicelib.domain.core.sentence import Sentence, said
from chalicelib.words.catalogues import words_of
from sandbox.login import PASSWORD

#: Maximum milliseconds for a lab in the sandbox.
PATIENCE = 120_000
_IS_IN_FOCUS = "element => element === document.activeElement"


@dataclass
class Visitor:
    """`keyboard`: never uses the mouse. `script`: whether the browser runs the page's script."""

    page: Any
    language: Language
    keyboard: bool = False
    script: bool = True

    def told(self, text: str) -> str:
        """The text in the page's language."""
        return said(Sentence(text), words_of(self.language))

    def press(self, place: Any) -> None:
        if not self.keyboard:
            place.click()
            return
        self._tab_to(place)
        self.page.keyboard.press("Space" if place.get_attribute("type") == "checkbox" else "Enter")

    def write(self, field: str, text: str) -> None:
        place = self.page.locator(f"[name='{field}']").locator("visible=true").first
        if not self.keyboard:
            place.fill(text)
            return
        self._tab_to(place)
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(text)

    def button(self, text: str) -> Any:
        return self.page.get_by_role("button", name=self.told(text), exact=True).first

    def link(self, text: str) -> Any:
        return self.page.get_by_role("link", name=self.told(text), exact=True).first

    def fold(self, text: str) -> Any:
        return self.page.locator("summary", has_text=re.compile(f"^{re.escape(self.told(text))}$")).first

    def sign_in(self, address: str, username: str) -> None:
        """Sign in, given only the address."""
        self.page.goto(address)
        self.press(self.link("Sign in"))
        self.write("username", username)
        self.write("password", PASSWORD)
        self.press(self.page.locator("button[type=submit], input[type=submit]").first)
        self.page.wait_for_selector(f"h1 >> text={self.told('Labs')}")

    def wait_for(self, selector: str) -> None:
        """The page follows a lab by itself; without its script it is reloaded."""
        if self.script:
            self.page.wait_for_selector(selector, timeout=PATIENCE)
            return
        self._until(lambda: self.page.query_selector(selector) is not None)

    def _until(self, come: Callable[[], bool]) -> None:
        deadline = monotonic() + PATIENCE / 1000
        while not come():
            assert monotonic() < deadline, self.page.inner_text("main")
            self.page.wait_for_timeout(500)
            self.page.reload()

    def _tab_to(self, place: Any) -> None:
        place.wait_for()
        for _ in range(200):
            if place.evaluate(_IS_IN_FOCUS):
                return
            self.page.keyboard.press("Tab")
        raise AssertionError(f"No way by the keyboard to {place}.")

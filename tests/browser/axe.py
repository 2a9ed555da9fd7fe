"""Runs axe-core inside a page by `evaluate`: the page's policy allows no script by a tag."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


def worst_of(page: Any) -> list[tuple[str, str]]:
    """Serious or worse findings of axe, with the first element of each. It waits for a promise, which a page without scripts
    may lose.
    """
    page.evaluate(_source())
    found = page.evaluate("axe.run()")["violations"]
    return [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


@cache
def _source() -> str:
    import axe_playwright_python

    [found] = Path(axe_playwright_python.__file__).parent.rglob("axe*.js")
    return found.read_text()

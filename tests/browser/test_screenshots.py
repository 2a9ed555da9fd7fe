"""Pictures of the page on the fakes' world: README's by `make screenshots`, all of them with `--every-picture` as well."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from tests.api.curfew_world import LAB
from tests.browser.conftest import showing
from tests.browser.test_page import SIZES

PAGES = {
    "labs": "/ui/labs",
    "lab": f"/ui/labs/{LAB}",
    "ask": "/ui/ask",
    "clusters": "/ui/clusters",
    "tonight": "/ui/tonight",
    "rules": "/ui/administration",
}
#: Of README.
SHOWN = (("lab", "wide", "light", "en"), ("labs", "narrow", "dark", "ko"), ("clusters", "wide", "light", "en"))
LOOKS = tuple(product(SIZES, ("light", "dark"), ("en", "ko")))


@pytest.mark.parametrize("look", LOOKS, ids="-".join)
def test_pictures_are_taken_where_they_are_asked_for(
    chromium: Any, request: pytest.FixtureRequest, look: tuple[str, str, str]
) -> None:
    folder, every = (request.config.getoption(name) for name in ("--screenshots", "--every-picture"))
    names = [name for name in PAGES if folder and (every or (name, *look) in SHOWN)]
    if not names:
        pytest.skip("checks nothing, and takes pictures: `make screenshots`")
    width, height = SIZES[look[0]]
    options = {"viewport": {"width": width, "height": height}, "color_scheme": look[1], "locale": look[2]}
    for shown in showing(chromium, **options):
        for name in names:
            page = shown.page(PAGES[name])
            page.screenshot(path=f"{folder}/page-{name}-{'-'.join(look)}.png", full_page=True)
            page.close()

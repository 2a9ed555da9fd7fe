"""Takes screenshots of the page on the fakes' world: README's (`make screenshots`), or with a second argument `every` all of
them.
"""

from __future__ import annotations

import importlib
import shutil
import sys
from itertools import product
from typing import Any

from deployment import words
from tests.api.curfew_world import LAB
from tests.browser.conftest import INSTALL, showing
from tests.browser.test_page import SIZES

PAGES = {
    "labs": "/ui/labs",
    "lab": f"/ui/labs/{LAB}",
    "ask": "/ui/ask",
    "clusters": "/ui/clusters",
    "tonight": "/ui/tonight",
    "rules": "/ui/administration",
}
#: Those in README.
SHOWN = (("lab", "wide", "light", "en"), ("labs", "narrow", "dark", "ko"), ("clusters", "wide", "light", "en"))
LOOKS = tuple(product(SIZES, ("light", "dark"), ("en", "ko")))


def main(folder: str, every: bool) -> None:
    """Write them to a folder."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise SystemExit(f"needs Chromium: {INSTALL}")
    words.compile_here()
    sync_api: Any = importlib.import_module("playwright.sync_api")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        for look in LOOKS:
            names = [name for name in PAGES if every or (name, *look) in SHOWN]
            width, height = SIZES[look[0]]
            options: dict[str, Any] = {
                "viewport": {"width": width, "height": height},
                "color_scheme": look[1],
                "locale": look[2],
            }
            for shown in showing(browser, **options) if names else ():
                for name in names:
                    page = shown.page(PAGES[name])
                    page.screenshot(path=f"{folder}/page-{name}-{'-'.join(look)}.png", full_page=True)
                    page.close()
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1], "every" in sys.argv[2:])

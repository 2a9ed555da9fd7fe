"""The page of permissions says what the policies say."""

from __future__ import annotations

import json

from deploying.packaging import PROJECT
from deploying.permissions import PAGE, page


def test_the_page_is_current() -> None:
    assert PAGE.read_text() == page(), "run `make compose`"


def test_every_right_is_there_with_its_reason_and_everybody_who_has_it() -> None:
    text = page()
    for name, said in json.loads((PROJECT / ".chalice/statements.json").read_text()).items():
        section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
        assert said["why"] in section, name
        assert all(
            f"`{action}`" in section
            for action in ([said["Action"]] if isinstance(said["Action"], str) else said["Action"])
        )
    for function, names in json.loads((PROJECT / ".chalice/grants.json").read_text()).items():
        for name in names:
            section = text.partition(f"## {name}\n")[2].partition("\n## ")[0]
            assert function in ("*", "event handlers") or f"`{function}`" in section

"""The parts of `make prove`: those that `ONLY=` selects, and a page made of all of them, from the current code."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proof import only, page


def test_a_name_that_nothing_has_is_refused() -> None:
    with pytest.raises(SystemExit, match="typo"):
        only.main("check", "typo")


@pytest.mark.parametrize(
    "name", ["update-check_endpoint", "curfew-act", "failed-after", "races-the-sweep-ends", "days"]
)
def test_cells_lives_races_and_days_have_names(name: str) -> None:
    only.main("check", name)


def test_only_the_named_stories_are_told() -> None:
    assert only.stories("cut") == "test_every_call_is_cut_once"
    assert only.stories("update-check_endpoint") == ""
    assert only.stories("").count(" or ") == len(only.STORIES) - 1


@pytest.fixture
def left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep every part but one, from the current code; the page is written elsewhere."""
    monkeypatch.setattr(page, "LEFT", tmp_path)
    monkeypatch.setattr(page, "PAGE", tmp_path / "proof.md")
    monkeypatch.setattr(page, "code_state", lambda: "0123456789abcdef")
    for part in page.PARTS[:-1]:
        page.keep(part, {"cut": 1} if part.startswith("cells-") else [55, 9] if part.startswith("races-") else [])
    return tmp_path


def test_the_page_is_not_written_while_a_part_is_missing_or_kept_as_before(left: Path) -> None:
    with pytest.raises(SystemExit, match=page.PARTS[-1]):
        page.main()
    (left / f"{page.PARTS[-1]}.json").write_text("[55, 9]")
    with pytest.raises(SystemExit, match="not told"):
        page.main()


def test_the_page_is_not_written_of_parts_that_were_told_on_other_code(
    left: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page, "code_state", lambda: "another")
    page.keep(page.PARTS[-1], [55, 9])
    with pytest.raises(SystemExit, match="changed since"):
        page.main()
    assert not (left / "proof.md").exists()


def test_the_page_names_its_day_and_the_state_of_the_code(left: Path) -> None:
    page.keep(page.PARTS[-1], [55, 9])
    page.main()
    assert "`0123456789ab`" in (left / "proof.md").read_text()

"""The README in each language: a newcomer needs only two commands, and the commands are the same."""

from __future__ import annotations

import re

import pytest

from tests.paths import PROJECT
from tests.words.reading import unresolved

READMES = ("README.md", "README.ko.md")


def commands(name: str) -> list[str]:
    """The commands of the blocks, without comments and drawings."""
    blocks = re.findall(r"^```\n(.*?)^```", (PROJECT / name).read_text(), re.MULTILINE | re.DOTALL)
    typed = [block for block in blocks if re.match(r"(?:make|ekslab) ", block)]
    return [line.partition("#")[0].rstrip() for block in typed for line in block.splitlines()]


@pytest.mark.parametrize("name", READMES)
def test_a_newcomer_needs_two_commands(name: str) -> None:
    assert commands(name)[:2] == ["make demo", "make test"]


def test_what_is_to_be_typed_is_the_same_in_each_language() -> None:
    first, *others = [commands(name) for name in READMES]
    assert all(other == first for other in others)


@pytest.mark.parametrize("name", READMES)
def test_each_names_the_other(name: str) -> None:
    text = (PROJECT / name).read_text()
    assert [other for other in READMES if other != name and f"]({other})" not in text] == []


def test_the_promises_of_the_demo_are_as_many() -> None:
    counts = [len(re.findall(r"^\d+\. ", (PROJECT / name).read_text(), re.MULTILINE)) for name in READMES]
    assert len(set(counts)) == 1


@pytest.mark.parametrize("name", READMES)
def test_it_has_one_picture_and_ends_with_links(name: str) -> None:
    text = (PROJECT / name).read_text()
    drawings = [block for block in re.findall(r"(?ms)^```\n(.*?)^```", text) if not block.startswith("make ")]
    assert len(drawings) + text.count("![") == 1
    assert len(re.findall(r"(?m)^## ", text)) == 4
    assert "](docs/README.md)" in text.rpartition("\n## ")[2]


def test_no_particle_is_left_in_both_forms() -> None:
    assert unresolved((PROJECT / "README.ko.md").read_text()) == []

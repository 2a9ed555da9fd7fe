"""What mails, pages and refusals tell people to type is a command."""

from __future__ import annotations

import re

import pytest

from ekslab.parsing.parser import parser
from ekslab.parsing.unsupported import instead_of
from tests.ekslab.parsing.test_arguments import commands_of
from tests.paths import PROJECT

NAMED = re.compile(r"(?:^|[\s`>\"(])ekslab ((?:[a-z-]+)(?: [a-z-]+)?)")
#: Sentences about the program, not commands of it.
PROSE = re.compile(
    r"ekslab (?:has|is|can|itself|made|keeps|or|and|to|lab|labs|stack|by|installation|deployed|support|import)\b"
)


@pytest.mark.parametrize("folder", ["chalicelib/domain", "chalicelib/services", "chalicelib/api", "ekslab"])
def test_every_command_that_is_named_exists(folder: str) -> None:
    known = {" ".join(words) for words in commands_of(parser())}
    single = {command for command in known if " " not in command}
    wrong = []
    for file in sorted((PROJECT / folder).rglob("*.py")):
        for line in file.read_text().splitlines():
            for said in NAMED.findall(line.replace("get {name}", "get receipt").replace("ekslab {name}", "")):
                verb = said.partition(" ")[0]
                fits = said in known or verb in single
                if not fits and not PROSE.search(f"ekslab {said}") and instead_of(said.split()) is None:
                    wrong.append(f"{file.relative_to(PROJECT)}: ekslab {said}")
    assert wrong == []

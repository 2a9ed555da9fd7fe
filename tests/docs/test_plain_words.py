"""Plain technical English: what a module does, as subject, verb and object, in its first line."""

from __future__ import annotations

import ast
import re

from tests.paths import PROJECT

PACKAGES = ("chalicelib", "ekslab", "deployment", "sandbox", "emulator", "benchmarks")
#: Clauses that stand for a noun: name the thing instead.
CLAUSES = (
    "whoever",
    "whatever",
    "what nobody",
    "what no one",
    "what is not",
    "is not so",
    "that it is",
    "of what",
    "by what",
    "what is (?!believed)",
)
RIDDLES = re.compile(rf"\b({'|'.join(CLAUSES)})\b", re.IGNORECASE)


def test_the_first_line_of_each_module_names_things() -> None:
    found = {}
    for package in PACKAGES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            said = ast.get_docstring(ast.parse(path.read_text())) or ""
            if RIDDLES.search(said.split("\n")[0]):
                found[str(path.relative_to(PROJECT))] = said.split("\n")[0]
    assert found == {}

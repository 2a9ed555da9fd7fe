"""Plain technical English: docstrings name things, as subject, verb and object, most of all a module's first line."""

from __future__ import annotations

import ast
import re

import pytest

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
#: Folders whose docstrings are plain throughout, and the clauses that none of them needs.
PLAIN = ("ports", "domain/curfew", "domain/labs", "domain/requests", "domain/teardown")
NAMELESS = re.compile(
    r"\b(whoever|whomever|whatever|what nobody|what no one|is not so|of what|by what)\b", re.IGNORECASE
)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)


def test_the_first_line_of_each_module_names_things() -> None:
    found = {}
    for package in PACKAGES:
        for path in sorted((PROJECT / package).rglob("*.py")):
            said = ast.get_docstring(ast.parse(path.read_text())) or ""
            if RIDDLES.search(said.split("\n")[0]):
                found[str(path.relative_to(PROJECT))] = said.split("\n")[0]
    assert found == {}


def test_the_docstrings_of_the_rules_and_ports_name_things() -> None:
    found = {}
    for path in sorted(path for folder in PLAIN for path in (PROJECT / "chalicelib" / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            said = ast.get_docstring(node) if isinstance(node, DOCUMENTED) else None
            if riddles := [line for line in (said or "").split("\n") if NAMELESS.search(line)]:
                found[f"{path.relative_to(PROJECT)}:{getattr(node, 'lineno', 1)}"] = riddles
    assert found == {}


@pytest.mark.parametrize("line", ["Whoever asks may see it.", "By what it is judged.", "Whatever its tags."])
def test_a_riddle_is_noticed(line: str) -> None:
    assert NAMELESS.search(line)

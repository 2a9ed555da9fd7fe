"""Plain technical English in docstrings, comments and docs: nouns, with subject, verb and object."""

from __future__ import annotations

import ast
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import PROJECT

PACKAGES = ("chalicelib", "ekslab", "deployment", "sandbox", "emulator", "benchmarks")
#: Modules that tests of these folders import: fakes, builders, clients.
HELPERS = (
    "tests/api",
    "tests/aws",
    "tests/browser",
    "tests/deployment",
    "tests/domain",
    "tests/emulator",
    "tests/fakes",
    "tests/words",
)
#: Clauses that replace a noun.
CLAUSES = r"whoever|whomever|whatever|what nobody|what no one|is not so|of what|by what|what is|that it is"
NAMELESS = re.compile(rf"\b({CLAUSES})\b", re.IGNORECASE)
#: More of them, in docstrings and comments.
VERBS = "are|was|were|has|had|it|they|we|comes|came|becomes|became|stands"
MORE = re.compile(rf"\b({CLAUSES}|what ({VERBS}))\b", re.IGNORECASE)
#: A docstring or comment that starts with a question instead of a noun or a verb.
OPENING = re.compile(r'^(?:\s*"""|#:? )(?:What|Who|Whom|Whose)\b')
#: Compressed or archaic words for a condition, a prefix, a number, a refusal, a bad value.
RIDDLES = (
    r"any more|so (?:many|long)\b(?! as)|begins? so|so from now on|EC2 says no|server says no|beaten to|in passing|befalls?"
    r"|(?:that|which) is (?-i:none)|there is not|for who|no more as"
)
COMPRESSED = re.compile(rf"\b(?:{RIDDLES})\b", re.IGNORECASE)
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef)
DOCS = [PROJECT / name for name in ("README.md", "CONTRIBUTING.md", "SECURITY.md", "emulator/README.md")]


def _said(path: Path) -> Iterator[tuple[int, str]]:
    """Each line of the docstrings and comments of a module, by number."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            docstring = node.body[0]
            lines = path.read_text().split("\n")[docstring.lineno - 1 : docstring.end_lineno]
            yield from enumerate(lines, docstring.lineno)
    with path.open() as lines_of:
        for token in tokenize.generate_tokens(lines_of.readline):
            if token.type == tokenize.COMMENT:
                yield token.start[0], token.string


@pytest.mark.parametrize("folder", [*PACKAGES, *HELPERS])
def test_docstrings_and_comments_name_things(folder: str) -> None:
    found = {}
    tests = set((PROJECT / "tests").rglob("test_*.py"))
    for path in sorted({*(PROJECT / folder).rglob("*.py")} - tests):
        for number, line in _said(path):
            if any(words.search(line) for words in (MORE, OPENING, COMPRESSED)):
                found[f"{path.relative_to(PROJECT)}:{number}"] = line.strip()
    assert found == {}


def test_documents_name_things() -> None:
    found = {}
    for path in [*DOCS, *sorted((PROJECT / "docs").rglob("*.md"))]:
        for clause in (*NAMELESS.finditer(path.read_text()), *COMPRESSED.finditer(path.read_text())):
            around = path.read_text()[max(0, clause.start() - 60) : clause.end() + 60]
            found[f"{path.relative_to(PROJECT)}:{clause.start()}"] = around
    assert found == {}


@pytest.mark.parametrize(
    "line",
    [
        '"""Who may log in to a cluster."""',
        '    """What each request was asked for with, by ARN."""',
        "#: Whose name it is.",
        "Note what roles whose names begin so ask.",
        "The names of a fleet of so many.",
        "None for a path that is none.",
        "Raises ValueError for a cluster there is not.",
        "Again when beaten to it.",
        "Failures in passing are waited out.",
        "EC2 says no: the code.",
    ],
)
def test_compressed_grammar_is_noticed(line: str) -> None:
    assert OPENING.search(line) or COMPRESSED.search(line)


@pytest.mark.parametrize("line", ["Whoever asks may see it.", "By what it is judged.", "Whatever its tags."])
def test_a_riddle_is_noticed(line: str) -> None:
    assert NAMELESS.search(line)

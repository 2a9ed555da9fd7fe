"""Commands named in mails, pages and refusals exist."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

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


#: A route of the API, which is no command.
ROUTE = re.compile(r"\b(?:GET|POST|PUT|PATCH|DELETE) (?:/|http|\{|the lab)")


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


@pytest.mark.parametrize("folder", ["domain", "services", "workflows", "api/inputs"])
def test_nobody_is_told_a_route_of_the_api(folder: str) -> None:
    """Issue 12, row 18, and issue 18: mails and refusals are read by people, who have the command line and not a signed POST."""
    wrong = [
        f"{file.relative_to(PROJECT)}:{line}: {text}"
        for file in sorted((PROJECT / "chalicelib" / folder).rglob("*.py"))
        for line, text in texts_of(file)
        if ROUTE.search(text)
    ]
    assert wrong == []


def texts_of(file: Path) -> Iterator[tuple[int, str]]:
    """A module's texts with their lines, without docstrings; inserted values are `{}`."""
    tree = ast.parse(file.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docs = {id(node.body[0].value) for node in ast.walk(tree) if isinstance(node, documented) and is_text(node.body[0])}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.lineno, node.value


def is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)

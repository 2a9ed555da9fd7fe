"""What `pip install .` gives: the command `ekslab`, and all that it imports."""

from __future__ import annotations

import ast
import importlib
import re
import sys
import tomllib

from ekslab.__main__ import main
from tests.paths import PROJECT

WHOLE = tomllib.loads((PROJECT / "pyproject.toml").read_text())


def test_the_command_that_mails_name_is_installed() -> None:
    [(name, place)] = WHOLE["project"]["scripts"].items()
    module, _, function = place.partition(":")
    assert name == "ekslab"
    assert getattr(importlib.import_module(module), function) is main


def test_what_it_imports_is_installed_with_it() -> None:
    needed = {re.split(r"[<>=]", one)[0] for one in WHOLE["project"]["dependencies"]}
    imported = {
        name.partition(".")[0]
        for path in (PROJECT / "ekslab").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _names(node)
    }
    assert imported - sys.stdlib_module_names - {"ekslab"} == needed


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.ImportFrom):
        return [node.module or ""]
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []

"""The result of `pip install .`: the command `ekslab`, and all of its imports."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
import tomllib
from importlib import metadata

import pytest
import shtab

from ekslab.__main__ import main, parser
from ekslab.commands import completion
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


@pytest.mark.parametrize(
    "words",
    [
        ["--help"],
        ["--version"],
        ["create", "cluster", "--help"],
        ["completion", "bash"],
        ["upgrade", "cluster"],
        ["create", "cluster", "x", "--fargate"],
        ["create", "cluster"],
    ],
    ids=" ".join,
)
def test_what_needs_no_service_imports_no_botocore_and_is_quick(words: list[str]) -> None:
    program = (
        f"import sys, time\nfrom ekslab.__main__ import main\ntry:\n    main({words!r})\nexcept SystemExit:\n    pass\n"
        "heavy = {'botocore', 'urllib.request', 'http.client', 'yaml'} & set(sys.modules)\n"
        "assert not heavy, heavy\nprint(time.process_time(), file=sys.stderr)"
    )
    command = [sys.executable, "-c", program]
    environment = {**os.environ, "EKSLAB_URL": "http://127.0.0.1:9"}
    taken = []
    for _ in range(3):
        ran = subprocess.run(
            command, cwd=PROJECT, env=environment, capture_output=True, text=True, timeout=60, check=True
        )
        taken.append(float(ran.stderr.splitlines()[-1]))
    # CPU time, not wall time: other tests run beside this one.
    assert min(taken) < 0.25


@pytest.mark.parametrize("shell", completion.SHELLS)
def test_the_completion_files_are_of_this_command_line(shell: str) -> None:
    kept = (PROJECT / "ekslab" / "completions" / f"ekslab.{shell}").read_text()
    assert kept.rstrip("\n") == shtab.complete(parser(), shell).rstrip("\n"), "run `make completions`"
    assert "node-volume-size" in kept


def test_bash_completes_a_verb_a_noun_and_a_flag() -> None:
    for line, wanted in (
        ("ekslab sc", "scale"),
        ("ekslab get ver", "versions"),
        ("ekslab create cluster --node-vol", "--node-volume-size"),
    ):
        words = line.split()
        script = (
            f"source {PROJECT}/ekslab/completions/ekslab.bash; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
            '_shtab_ekslab; printf "%s\\n" "${COMPREPLY[@]}"'
        )
        ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=60, check=False)
        assert wanted in ran.stdout.split(), ran.stderr


def test_it_installs_with_six_packages() -> None:
    """The command's own, and its transitive requirements, by the metadata of the packages installed here."""
    found, wanted = set[str](), ["botocore"]
    while wanted:
        name = wanted.pop()
        if name not in found:
            found.add(name)
            wanted += [
                re.split(r"[<>=!~;\[ (]", one)[0] for one in metadata.requires(name) or () if "extra ==" not in one
            ]
    assert WHOLE["project"]["dependencies"] == ["botocore>=1.34"]
    assert len(found) + 1 <= 6, found

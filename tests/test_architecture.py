"""The walls of the house: who may import whom, how large a room may be, and what may stand where.

Each failure names file, line and rule, so that the answer to it is clear without reading this file.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.paths import PROJECT

STANDARD = frozenset(__import__("sys").stdlib_module_names)
WORKFLOWS = {"provision", "update", "teardown", "inspect", "tend", "watch_support", "sweep_idle", "hibernate", "wake"}
HARD_LIMIT = 250

#: room (a path prefix) -> modules of ours it may import. The longest prefix that fits decides.
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "app.py": ("chalicelib.doors",),
    "chalicelib/doors/": ("chalicelib.doors", "chalicelib.workflows", "chalicelib.wiring.deps", "chalicelib.logs"),
    "chalicelib/handlers/api.py": ("chalicelib.api", "chalicelib.wiring.deps", "chalicelib.logs"),
    "chalicelib/domain/": ("chalicelib.domain",),
    "chalicelib/ports/deps.py": (
        "chalicelib.domain",
        "chalicelib.ports.eks",
        "chalicelib.ports.cloud",
        "chalicelib.ports.support",
        "chalicelib.ports.curfew",
    ),
    "chalicelib/ports/support.py": ("chalicelib.domain",),
    "chalicelib/ports/curfew.py": ("chalicelib.domain",),
    "chalicelib/ports/eks.py": ("chalicelib.domain",),
    "chalicelib/ports/cloud.py": ("chalicelib.domain",),
    "chalicelib/labs": ("chalicelib.domain", "chalicelib.ports.deps", "chalicelib.services.labs.commands"),
    "chalicelib/curfews": (
        "chalicelib.domain",
        "chalicelib.ports.deps",
        "chalicelib.services.curfew.rules",
        "chalicelib.services.labs.commands",
    ),
    "chalicelib/clusters": ("chalicelib.domain", "chalicelib.ports.deps", "chalicelib.services.support.commands"),
    "chalicelib/health": ("chalicelib.domain", "chalicelib.ports.deps"),
    "chalicelib/workflows/": (
        "chalicelib.domain",
        "chalicelib.ports.deps",
        "chalicelib.workflows",
        "chalicelib.logs",
        "chalicelib.metrics",
    ),
    "chalicelib/api/": (
        "chalicelib.domain",
        "chalicelib.ports.deps",
        "chalicelib.services.labs.commands",
        "chalicelib.services.support.commands",
        "chalicelib.services.curfew.rules",
        "chalicelib.services.health",
        "chalicelib.api",
        "chalicelib.logs",
    ),
    "chalicelib/aws/": (
        "chalicelib.domain",
        "chalicelib.ports.deps",
        "chalicelib.ports.eks",
        "chalicelib.ports.cloud",
        "chalicelib.ports.support",
        "chalicelib.ports.curfew",
        "chalicelib.aws",
        "chalicelib.logs",
    ),
    "chalicelib/settings.py": ("chalicelib.ports.deps", "chalicelib.domain.core.deferred"),
    "chalicelib/logs.py": (),
    "chalicelib/metrics.py": (),
    "chalicelib/wiring": (
        "chalicelib.wiring.deps",
        "chalicelib.aws",
        "chalicelib.ports.deps",
        "chalicelib.ports.support",
        "chalicelib.ports.curfew",
        "chalicelib.settings",
        "chalicelib.logs",
        "chalicelib.domain.core.deferred",
    ),
    "sandbox/": ("sandbox", "deployment"),
    "deployment/": (
        "deployment",
        "chalicelib.aws.dynamodb.labs.store",
        "chalicelib.aws.dynamodb.curfew.alive",
        "chalicelib.domain",
    ),
    "ekslab/": ("ekslab",),
    "benchmarks/": ("benchmarks", "sandbox", "ekslab"),
    "benchmarks/bench_cold_start.py": ("deployment",),
    "benchmarks/bench_signals.py": ("sandbox", "chalicelib.aws", "chalicelib.domain"),
    # These count what the sweep asks of the table, which cannot be seen from outside.
    "benchmarks/bench_sweep_reads.py": ("benchmarks", "sandbox", "chalicelib", "tests.fakes"),
    "benchmarks/sweep_reads.py": ("benchmarks", "sandbox", "chalicelib"),
}

#: libraries that only some rooms may know.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "boto3": ("chalicelib/wiring", "deployment/", "sandbox/", "ekslab/", "benchmarks/"),
    "botocore": ("chalicelib/aws/", "chalicelib/wiring", "deployment/", "sandbox/", "ekslab/", "benchmarks/"),
    "chalice": ("app.py", "chalicelib/handlers/api.py", "chalicelib/api/"),
    "aws_lambda_powertools": ("chalicelib/logs.py", "chalicelib/metrics.py"),
    "pydantic": ("chalicelib/api/",),
    "yaml": ("chalicelib/api/",),
    "ministack": ("sandbox/",),
    "moto": (),
    "holidays": ("chalicelib/aws/",),
}


def sources() -> list[Path]:
    files = [PROJECT / "app.py"]
    for room in ("chalicelib", "deployment", "sandbox", "ekslab", "benchmarks"):
        files += sorted((PROJECT / room).rglob("*.py"))
    return files


def named(path: Path) -> str:
    return path.relative_to(PROJECT).as_posix()


def imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            if node.module in ("chalicelib", "chalicelib.workflows"):
                yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)
            else:
                yield node.lineno, node.module


def within(module: str, roots: tuple[str, ...]) -> bool:
    return any(module == root or module.startswith((f"{root}.", f"{root}_")) for root in roots)


def ours(module: str) -> bool:
    return module.partition(".")[0] in {"chalicelib", "deployment", "sandbox", "ekslab", "benchmarks", "tests", "app"}


def breaches(path: Path) -> list[str]:
    name = named(path)
    rooms = [room for room in MAY_IMPORT if name.startswith(room)]
    allowed = MAY_IMPORT[max(rooms, key=len)] if rooms else ()
    found = []
    for line, module in imports(path):
        top = module.partition(".")[0]
        if ours(module) and not within(module, allowed):
            found.append(
                f"{name}:{line}: {name} may not import {module}; it may know {', '.join(allowed) or 'nothing of ours'}"
            )
        if top in ONLY_IN and not name.startswith(ONLY_IN[top] or ("\0",)):
            found.append(f"{name}:{line}: {top} is known only in {', '.join(ONLY_IN[top]) or 'tests'}")
    return found


@pytest.mark.parametrize("path", sources(), ids=named)
def test_a_room_imports_only_what_it_may_know(path: Path) -> None:
    assert breaches(path) == []


@pytest.mark.parametrize("path", sorted((PROJECT / "chalicelib/domain").glob("*.py")), ids=named)
def test_the_rules_know_nothing_but_the_standard_library(path: Path) -> None:
    strangers = [(line, m) for line, m in imports(path) if not ours(m) and m.partition(".")[0] not in STANDARD]
    worldly = [
        (line, m) for line, m in imports(path) if m.partition(".")[0] in {"os", "logging", "time", "random", "socket"}
    ]
    assert strangers + worldly == []


@pytest.mark.parametrize("name", sorted(WORKFLOWS))
def test_workflows_never_import_each_other(name: str) -> None:
    path = PROJECT / f"chalicelib/workflows/{name}.py"
    others = {f"chalicelib.workflows.{other}" for other in WORKFLOWS - {name}}
    assert [(line, m) for line, m in imports(path) if m in others] == []


@pytest.mark.parametrize("path", sources(), ids=named)
def test_a_room_is_small_enough_to_live_in_and_says_what_it_is(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= HARD_LIMIT, f"{named(path)} has over {HARD_LIMIT} lines: split it by noun"
    if text.strip():
        assert ast.get_docstring(ast.parse(text)), f"{named(path)} opens without a docstring"


def test_a_breach_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    room = tmp_path / "chalicelib/domain"
    room.mkdir(parents=True)
    (room / "bad.py").write_text("import boto3\nfrom chalicelib.aws.dynamodb.labs.store import DynamoStore\n")
    monkeypatch.setattr("tests.test_architecture.PROJECT", tmp_path)
    assert [line.split(":")[1] for line in breaches(room / "bad.py")] == ["1", "2"]

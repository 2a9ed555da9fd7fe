"""The layout of the code: allowed imports, the maximum size of folders, modules and functions, and the place of each kind of
code.

One test a rule; each lists every breach as `file:line: what`, so that the answer is clear without reading this file.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.paths import PROJECT

ROOTS = ("chalicelib", "deployment", "emulator", "sandbox", "ekslab", "benchmarks")
STANDARD = frozenset(sys.stdlib_module_names)
WORKFLOWS = {path.name.partition(".")[0] for path in (PROJECT / "statemachine").glob("*.asl.json")}
MOST_ENTRIES, MOST_LINES, MOST_LINES_OF_A_FUNCTION = 16, 400, 25
#: Folders of kinds: as many modules as there are kinds.
FOLDERS_OF_KINDS = ("chalicelib/aws/leftovers", "chalicelib/domain/idleness/signals", "chalicelib/api/routes")

#: folder or module (the longest that fits decides) -> its allowed imports besides its own folder.
LAYERS: dict[str, tuple[str, ...]] = {
    "app.py": ("chalicelib.handlers",),
    "chalicelib/handlers/": ("chalicelib.workflows", "chalicelib.wiring", "chalicelib.logs"),
    "chalicelib/handlers/api.py": ("chalicelib.api", "chalicelib.wiring", "chalicelib.logs"),
    "chalicelib/api/": ("chalicelib.services", "chalicelib.ports", "chalicelib.domain", "chalicelib.logs", "chalicelib.words"),
    "chalicelib/services/": ("chalicelib.ports", "chalicelib.domain", "chalicelib.logs"),
    "chalicelib/workflows/": ("chalicelib.ports", "chalicelib.domain", "chalicelib.logs", "chalicelib.metrics"),
    "chalicelib/wiring/": (
        "chalicelib.aws", "chalicelib.ports", "chalicelib.settings", "chalicelib.logs", "chalicelib.domain",
        "chalicelib.words",
    ),
    "chalicelib/aws/": ("chalicelib.ports", "chalicelib.domain", "chalicelib.logs"),
    "chalicelib/words/": ("chalicelib.domain",),
    "chalicelib/ports/": ("chalicelib.domain",),
    "chalicelib/settings.py": ("chalicelib.domain", "chalicelib.ports"),
    "chalicelib/logs.py": (),
    "chalicelib/metrics.py": (),
    "chalicelib/domain/": (),
    "deployment/": ("chalicelib.aws.dynamodb", "chalicelib.domain"),
    "deployment/compiling.py": ("chalicelib.api.pages.render", "deployment"),
    "deployment/words.py": ("chalicelib.api.pages.render", "deployment"),
    "emulator/": (),
    "sandbox/": ("emulator", "deployment"),
    "ekslab/": (),
    "benchmarks/": ("emulator", "sandbox", "ekslab"),
    "benchmarks/bench_cold_start.py": ("deployment",),
    "benchmarks/bench_signals.py": ("emulator", "sandbox", "chalicelib.aws", "chalicelib.domain"),
    # These count the curfew run's requests to the table, which cannot be seen from outside.
    "benchmarks/bench_requests.py": ("emulator", "chalicelib", "tests.fakes", "tests.api.http", "tests.aws.dynamodb.table"),
    "benchmarks/bench_scan.py": ("chalicelib", "tests.fakes"),
    "benchmarks/bench_warm_requests.py": ("chalicelib", "tests.fakes", "tests.api.http", "tests.aws.dynamodb.table"),
    "benchmarks/bench_watch_growth.py": (
        "sandbox", "emulator.core.bill", "chalicelib", "tests.fakes", "tests.aws.moto_tables", "tests.aws.dynamodb.table",
        "tests.workflows.machine",
    ),
    "benchmarks/bench_pages.py": ("sandbox", "tests.aws.dynamodb.season"),
    "benchmarks/bench_sweep_reads.py": (
        "emulator", "chalicelib", "tests.fakes", "tests.aws.dynamodb.table", "tests.workflows.machine",
    ),
}  # fmt: skip

#: folder of `domain/` -> folders of `domain/` on lower floors that it may import.
DOMAIN: dict[str, tuple[str, ...]] = {
    "core": (),
    "identity": ("core", "errors"),
    "labs": ("core", "identity", "errors"),
    "support": ("core", "identity"),
    "stack": ("core", "labs"),
    "costs": ("core", "labs"),
    "idleness": ("core", "labs"),
    # `costs`: the monthly cost of a remaining resource.
    "teardown": ("core", "labs", "costs"),
    "errors": ("core",),
    "notices": ("core", "support", "errors"),
    # `support` for the calendar, `stack`: does the template fit into one call, `teardown`: is this subnet tagged as shared.
    "requests": ("core", "identity", "labs", "errors", "support", "stack", "teardown"),
    # `support`: is an upgrade ahead, `teardown`: the protection tag.
    "curfew": ("core", "labs", "errors", "support", "teardown", "idleness", "costs"),
}

#: library -> the only places that may import it.
ONLY_IN: dict[str, tuple[str, ...]] = {
    "boto3": ("chalicelib/wiring/", "deployment/", "emulator/", "sandbox/", "ekslab/", "benchmarks/"),
    "botocore": ("chalicelib/aws/", "chalicelib/wiring/", "deployment/", "emulator/", "sandbox/", "ekslab/", "benchmarks/"),
    "chalice": ("app.py", "chalicelib/handlers/api.py", "chalicelib/api/", "benchmarks/bench_warm_requests.py"),
    "aws_lambda_powertools": ("chalicelib/logs.py", "chalicelib/metrics.py"),
    "pydantic": ("chalicelib/api/",),
    "yaml": ("chalicelib/api/", "emulator/"),
    "jinja2": ("chalicelib/api/pages/", "deployment/"),
    "ministack": ("emulator/",),
    "moto": ("benchmarks/bench_warm_requests.py", "benchmarks/bench_watch_growth.py"),
    "holidays": ("chalicelib/aws/",),
    "babel": ("deployment/",),
    "gettext": ("chalicelib/words/",),
}  # fmt: skip


@dataclass(frozen=True)
class Import:
    """One import: its file, its line, and the imported module (or the name in a package)."""

    path: str
    line: int
    module: str

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@cache
def sources() -> tuple[str, ...]:
    files = ["app.py"]
    for root in ROOTS:
        files += sorted(path.relative_to(PROJECT).as_posix() for path in (PROJECT / root).rglob("*.py"))
    return tuple(files)


@cache
def tree(path: str) -> ast.Module:
    return ast.parse((PROJECT / path).read_text())


def imports(path: str) -> Iterator[Import]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (Import(path, node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield Import(path, node.lineno, whole if is_module(whole) else node.module)


def is_module(dotted: str) -> bool:
    place = PROJECT / dotted.replace(".", "/")
    return place.with_suffix(".py").exists() or (place / "__init__.py").exists()


def is_ours(module: str) -> bool:
    return module.partition(".")[0] in {*ROOTS, "tests", "app"}


def within(module: str, roots: tuple[str, ...]) -> bool:
    return any(module == root or module.startswith(f"{root}.") for root in roots)


def layer_of(path: str) -> str:
    return max((layer for layer in LAYERS if path.startswith(layer)), key=len, default="")


def home_of(layer: str) -> tuple[str, ...]:
    """The dotted folder of a layer, which its modules may import."""
    folder = layer if layer.endswith("/") else layer.rpartition("/")[0]
    return (folder.strip("/").replace("/", "."),) if folder else ()


def layer_breaches(path: str) -> list[str]:
    layer = layer_of(path)
    allowed = LAYERS.get(layer, ()) + home_of(layer)
    return [
        f"{each.path}:{each.line}: may not import {each.module}; it may know {', '.join(allowed)}"
        for each in imports(path)
        if is_ours(each.module) and not within(each.module, allowed)
    ]


def domain_breaches(path: str) -> list[str]:
    folder = domain_folder(path.removesuffix(".py").replace("/", "."))
    allowed = tuple(f"chalicelib.domain.{name}" for name in (folder, *DOMAIN.get(folder, ())))
    return [
        f"{each.path}:{each.line}: domain/{folder} may not import {each.module}"
        for each in imports(path)
        if is_ours(each.module) and not within(each.module, allowed)
    ]


def domain_folder(dotted: str) -> str:
    return dotted.split(".")[2]


@cache
def folder_of(module: str) -> str:
    """The folder, inside its layer, of a module of `chalicelib`; a module beside folders is its own."""
    parts = module.split(".")
    return ".".join(parts[:3])


def modules(root: str) -> list[str]:
    return [path for path in sources() if path.startswith(root) and not path.endswith("__init__.py")]


def test_layers_import_downwards_only() -> None:
    assert [breach for path in sources() for breach in layer_breaches(path)] == []


def test_folders_of_the_domain_import_lower_floors_only() -> None:
    assert [breach for path in modules("chalicelib/domain/") for breach in domain_breaches(path)] == []


@pytest.mark.parametrize("layer", ["domain", "aws", "api", "services", "workflows", "wiring", "ports"])
def test_no_two_folders_import_each_other(layer: str) -> None:
    arrows: dict[str, set[str]] = {}
    for path in modules(f"chalicelib/{layer}/"):
        mine = folder_of(path.removesuffix(".py").replace("/", "."))
        for each in imports(path):
            if each.module.startswith(f"chalicelib.{layer}.") and folder_of(each.module) != mine:
                arrows.setdefault(mine, set()).add(folder_of(each.module))
    assert cycles(arrows) == []


def cycles(arrows: dict[str, set[str]]) -> list[str]:
    """Every node on a cycle."""

    def reached(start: str) -> set[str]:
        found: set[str] = set()
        todo = [start]
        while todo:
            for after in arrows.get(todo.pop(), set()) - found:
                found.add(after)
                todo.append(after)
        return found

    return [node for node in sorted(arrows) if node in reached(node)]


def test_libraries_stay_in_their_place() -> None:
    breaches = [
        f"{each.path}:{each.line}: {each.top} is known only in {', '.join(ONLY_IN[each.top]) or 'tests'}"
        for path in sources()
        for each in imports(path)
        if each.top in ONLY_IN and not path.startswith(ONLY_IN[each.top] or ("\0",))
    ]
    assert breaches == []


def test_the_domain_knows_nothing_but_the_standard_library() -> None:
    outside = {"os", "logging", "time", "random", "socket"}
    breaches = [
        f"{each.path}:{each.line}: {each.module}"
        for path in modules("chalicelib/domain/")
        for each in imports(path)
        if not is_ours(each.module) and (each.top not in STANDARD or each.top in outside)
    ]
    assert breaches == []


def test_a_workflow_imports_no_other_workflow() -> None:
    breaches = []
    for name in sorted(WORKFLOWS):
        others = tuple(f"chalicelib.workflows.{other}" for other in WORKFLOWS - {name})
        found = imports(f"chalicelib/workflows/{name}.py")
        breaches += [f"{each.path}:{each.line}: {each.module}" for each in found if within(each.module, others)]
    assert breaches == []


def test_the_inventory_shares_no_code_with_the_deleter() -> None:
    breaches = [
        f"{each.path}:{each.line}: {each.module}"
        for path in modules("chalicelib/aws/inventory/")
        for each in imports(path)
        if within(each.module, ("chalicelib.aws.leftovers",))
    ]
    assert breaches == []


def test_a_folder_has_no_more_entries_than_one_can_hold_in_mind() -> None:
    entries: dict[str, set[str]] = {}
    for path in sources():
        parts = path.split("/")
        for depth in range(1, len(parts)):
            if parts[depth] != "__init__.py":
                entries.setdefault("/".join(parts[:depth]), set()).add(parts[depth])
    crowded = {folder: len(names) for folder, names in entries.items() if len(names) > MOST_ENTRIES}
    assert {folder: count for folder, count in crowded.items() if folder not in FOLDERS_OF_KINDS} == {}


def test_every_folder_says_in_one_sentence_what_it_is() -> None:
    packages = [path for path in sources() if path.endswith("/__init__.py")]
    assert [path for path in packages if not ast.get_docstring(tree(path))] == []


def test_a_module_is_short_and_says_what_it_is() -> None:
    lines = {path: (PROJECT / path).read_text().count("\n") for path in sources()}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}
    assert [path for path in sources() if lines[path] and not ast.get_docstring(tree(path))] == []


def test_no_folder_is_written_as_a_prefix() -> None:
    """`idleness/window.py`, never `idleness_window.py`: no module's name starts with that of its folder."""
    found = []
    for path in sources():
        parts = path.removesuffix(".py").split("/")
        if len(parts) > 1 and parts[-1].startswith(f"{parts[-2]}_"):
            found.append(path)
    assert found == []


def test_a_breach_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "chalicelib/domain/core"
    folder.mkdir(parents=True)
    (folder / "bad.py").write_text(
        "import boto3\nfrom chalicelib.aws.store import DynamoStore\nimport chalicelib.domain.labs\n"
    )
    monkeypatch.setattr("tests.test_architecture.PROJECT", tmp_path)
    path = "chalicelib/domain/core/bad.py"
    assert [line.split(":")[1] for line in layer_breaches(path)] == ["2"]
    assert [line.split(":")[1] for line in domain_breaches(path)] == ["2", "3"]
    assert cycles({"a": {"b"}, "b": {"a"}, "c": {"a"}}) == ["a", "b"]


def test_a_function_is_short() -> None:
    breaches = []
    for path in sources():
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = sum(lines_of(statement) for statement in node.body) - bool(ast.get_docstring(node))
                if lines > MOST_LINES_OF_A_FUNCTION:
                    breaches.append(f"{path}:{node.lineno}: {node.name} has {lines} lines")
    assert breaches == []


def lines_of(statement: ast.AST) -> int:
    """Lines of logic: one for each statement of any length, and one for a function inside."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef):
        return 1
    parts = [
        part for name in ("body", "orelse", "finalbody", "handlers", "cases") for part in getattr(statement, name, ())
    ]
    return 1 + sum(lines_of(part) for part in parts if isinstance(part, ast.stmt | ast.excepthandler | ast.match_case))


#: The modules that create a lab: a request, and an adopted cluster.
BEGIN_LABS = ("chalicelib/services/labs/commands.py", "chalicelib/domain/teardown/adoption.py")


def may_know_labs(path: str) -> bool:
    """Whether the module can use labs: some folders of the domain may not import them."""
    folder = path.removeprefix("chalicelib/domain/").partition("/")[0]
    return folder not in DOMAIN or "labs" in (folder, *DOMAIN[folder])


def sets_phase(call: ast.Call) -> bool:
    """`replace(lab, phase=...)`, also with the field in a literal dict, and `object.__setattr__(lab, "phase", ...)`."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in ("__setattr__", "setattr"):
        return any(isinstance(each, ast.Constant) and each.value == "phase" for each in call.args)
    spread = [each for keyword in call.keywords if keyword.arg is None for each in ast.walk(keyword.value)]
    fields = {keyword.arg for keyword in call.keywords} | {
        each.value for each in spread if isinstance(each, ast.Constant)
    }
    return name in ("replace", "__replace__", "Lab") and "phase" in fields


def phase_breaches(path: str) -> list[str]:
    calls = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Call) and sets_phase(node)]
    begins = path in BEGIN_LABS
    private = [node for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute) and node.attr == "_in"]
    return [
        f"{path}:{node.lineno}: the table of phases moves a lab: Lab.moved_to"
        for node in (*calls, *private)
        if not (begins and isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Lab")
    ]


def test_a_lab_changes_its_phase_by_the_table_only() -> None:
    places = [path for path in modules("chalicelib/") if may_know_labs(path)]
    places.remove("chalicelib/domain/labs/lab.py")
    assert [breach for path in places for breach in phase_breaches(path)] == []


@pytest.mark.parametrize("planted", [
    "replace(lab, due_at=now, phase=Phase.READY)", "dataclasses.replace(lab, phase=other)", "replace(lab, **{'phase': other})",
    "object.__setattr__(lab, 'phase', other)", "Lab(id='lab-1', phase=other)", "lab._in(other, now, None, None)",
])  # fmt: skip
def test_a_way_round_the_table_of_phases_is_noticed(
    planted: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "chalicelib").mkdir()
    (tmp_path / "chalicelib/planted.py").write_text(
        f"def act(lab, other):\n    text.replace('phase', '')\n    return {planted}\n"
    )
    monkeypatch.setattr("tests.test_architecture.PROJECT", tmp_path)
    tree.cache_clear()
    assert [line.split(":")[1] for line in phase_breaches("chalicelib/planted.py")] == ["3"]
    tree.cache_clear()


def loops_of_tries(path: str) -> list[str]:
    """Functions with a loop that raise StaleLab: `errors/saving.py` has the one loop."""
    functions = [node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef)]
    return [
        f"{path}:{node.lineno}: {node.name} tries by hand: until_saved"
        for node in functions
        if any(isinstance(each, ast.For | ast.While) for each in ast.walk(node))
        and any(isinstance(each, ast.Raise) and "StaleLab" in ast.dump(each) for each in ast.walk(node))
    ]


def test_one_loop_tries_a_save_again() -> None:
    places = [path for path in modules("chalicelib/") if path != "chalicelib/domain/errors/saving.py"]
    assert [breach for path in places for breach in loops_of_tries(path)] == []
    assert len(loops_of_tries("chalicelib/domain/errors/saving.py")) == 1


def test_a_class_name_stands_for_one_thing() -> None:
    defined: dict[str, list[str]] = {}
    for path in modules("chalicelib/"):
        for node in tree(path).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                defined.setdefault(node.name, []).append(path)
    assert {name: paths for name, paths in defined.items() if len(paths) > 1} == {}

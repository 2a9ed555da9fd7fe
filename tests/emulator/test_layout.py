"""The emulator is independent: it imports nothing of this project, and its folders have no circular imports."""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.paths import PROJECT

ROOT = PROJECT / "emulator"
SOURCES = sorted(path for path in ROOT.rglob("*.py") if path.relative_to(ROOT).parts[0] != "build")  # build/ is pip's
OURS = {path.name.removesuffix(".py") for path in PROJECT.iterdir() if path.is_dir() or path.suffix == ".py"}
MOST_ENTRIES, MOST_LINES = 16, 400
SUFFIXES = (".py", ".json", ".md", ".toml")


def imports(path: Path) -> Iterator[str]:
    """Every module that a file imports; `from x import y` is of `x.y` where that is a module."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if folder_of(inner) else node.module


def folder_of(module: str) -> Path | None:
    """The folder of a module of the emulator; for a package, the folder itself."""
    place = PROJECT / module.replace(".", "/")
    if place.with_suffix(".py").is_file():
        return place.parent
    return place if (place / "__init__.py").is_file() else None


def test_it_imports_nothing_of_this_project_but_itself() -> None:
    others = {
        f"{path.relative_to(PROJECT)}: {module}"
        for path in SOURCES
        for module in imports(path)
        if module.partition(".")[0] in OURS - {"emulator"}
    }
    assert others == set()


def test_it_never_names_the_service_or_its_tags() -> None:
    texts = [*SOURCES, *ROOT.glob("*.*"), *ROOT.rglob("*.json")]
    assert [str(path) for path in texts if path.is_file() and "ekslab" in path.read_text().lower()] == []


def test_no_two_folders_import_each_other_in_a_circle() -> None:
    arrows: dict[Path, set[Path]] = defaultdict(set)
    for path in SOURCES:
        for module in imports(path):
            folder = folder_of(module) if module.startswith("emulator") else None
            if folder and folder != path.parent:
                arrows[path.parent].add(folder)
    try:
        list(TopologicalSorter(arrows).static_order())
    except CycleError as error:
        raise AssertionError(" -> ".join(str(each.relative_to(PROJECT)) for each in error.args[1])) from None


def test_each_folder_says_what_it_is_and_can_be_seen_at_once() -> None:
    folders = {path.parent for path in SOURCES}
    for folder in folders:
        entries = [
            each
            for each in folder.iterdir()
            if (each.suffix in SUFFIXES or each in folders) and each.name != "__init__.py"
        ]
        assert len(entries) <= MOST_ENTRIES, folder
        assert ast.get_docstring(ast.parse((folder / "__init__.py").read_text())), folder


def test_each_module_says_what_it_is_and_is_of_a_size_to_read() -> None:
    for path in SOURCES:
        assert ast.get_docstring(ast.parse(path.read_text())), path
        assert len(path.read_text().splitlines()) <= MOST_LINES, path

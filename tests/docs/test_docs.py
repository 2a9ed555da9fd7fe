"""Docs are correct: links resolve, settings are all listed, commands exist, and only the project is mentioned."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

import ekslab
from chalicelib.api.openapi.document import document
from chalicelib.domain.core.service_health import VERSION
from tests.api.http import Http
from tests.paths import PROJECT

PAGES = sorted([*PROJECT.glob("*.md"), *PROJECT.glob("docs/**/*.md")])
MODULE = re.compile(r"`(?:\.\./)*([\w/]+\.py)`")
#: The end of a sentence, before another one. A cell that ends with a full stop quotes a message.
BREAK = re.compile(r"(?<!\d)[.!?]\*{0,2} (?=[A-Z`*(])")
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    assert [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()] == []


def test_a_module_that_a_page_or_a_docstring_names_exists() -> None:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=PROJECT, capture_output=True, text=True, check=True)
    paths = [f"/{path}" for path in listed.stdout.split()]
    texts = [page for page in PAGES if "/adr/" not in page.as_posix() and page.name != "CHANGELOG.md"]
    texts += sorted((PROJECT / "chalicelib").rglob("*.py"))
    named = {(text, name) for text in texts for name in MODULE.findall(text.read_text())}
    assert [f"{text}: {name}" for text, name in named if not any(path.endswith(f"/{name}") for path in paths)] == []


def test_every_setting_is_on_its_page_and_no_other() -> None:
    read = set(re.findall(r'"(EKSLAB_[A-Z_]+)"', (PROJECT / "chalicelib/settings.py").read_text()))
    message = set(re.findall(r"`(EKSLAB_[A-Z_]+)`", (PROJECT / "docs/reference/settings.md").read_text()))
    assert read == message


def test_every_parameter_of_the_template_is_on_the_settings_page() -> None:
    parameters = json.loads((PROJECT / ".chalice/template.json").read_text())["Parameters"]
    page = (PROJECT / "docs/reference/settings.md").read_text()
    assert [name for name in parameters if f"`{name}`" not in page] == []


def test_every_make_target_that_a_page_names_exists() -> None:
    makefile = (PROJECT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE)}
    assert named <= targets


def test_every_decision_is_numbered_once_and_in_order() -> None:
    numbers = [path.name[:4] for path in sorted((PROJECT / "docs/adr").glob("*.md"))]
    assert numbers == [f"{n:04}" for n in range(1, len(numbers) + 1)]


def test_nothing_of_any_one_machine_stands_in_the_project() -> None:
    """Absolute paths of a home or workplace, and addresses of package indexes, are valid on one machine only."""
    patterns = ["/" + place for place in ("home/[a-z]", "root/", "work/", "simple/")] + ["index" + "-url"]
    found = subprocess.run(
        ["git", "grep", "-nIE", "|".join(patterns), "--", ".", ":!tests/data"],
        cwd=PROJECT,
        capture_output=True,
        text=True,
    )
    assert found.stdout.splitlines() == []


def test_service_command_and_changelog_are_of_one_version() -> None:
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    newest = re.search(r"(?m)^## (\d+\.\d+\.\d+)", (PROJECT / "CHANGELOG.md").read_text())
    assert newest is not None
    kept = json.loads((PROJECT / "docs/reference/openapi.json").read_text())
    described = {each["info"]["version"] for each in (kept, document(()))}
    answered = Http().get("/health", caller=None).json["version"]
    assert {project["version"], ekslab.__version__, VERSION, answered, *described} == {newest[1]}


@pytest.mark.parametrize("page", sorted(PROJECT.glob(".github/**/*.yml")), ids=lambda page: page.name)
def test_what_github_reads_is_yaml_and_runs_targets_that_exist(page: Path) -> None:
    targets = set(re.findall(r"(?m)^([a-z]+):", (PROJECT / "Makefile").read_text()))
    asked = set(re.findall(r"\bmake ([a-z]+)", page.read_text()))
    assert yaml.safe_load(page.read_text())
    assert asked <= targets


def test_ci_installs_what_the_browser_needs() -> None:
    needed = re.search(r'INSTALL = ".*apt-get install ([^"]*)"', (PROJECT / "tests/browser/conftest.py").read_text())
    assert needed is not None
    steps = (PROJECT / ".github/workflows/ci.yml").read_text()
    assert [
        package for package in needed[1].split() if f"install --yes --no-install-recommends {package}" not in steps
    ] == []
    assert steps.index("apt-get install") < steps.index("make check")


def test_the_index_names_each_page_once() -> None:
    index = PROJECT / "docs/README.md"
    named = [(index.parent / link).resolve() for link in LINK.findall(index.read_text())]
    pages = [
        page
        for page in PAGES
        if "docs" in page.relative_to(PROJECT).parts[:1] and page != index and page.parent.name != "adr"
    ]
    assert [f"{page}: {named.count(page)}" for page in pages if named.count(page) != 1] == []
    assert named.count(PROJECT / "docs/adr") == 1


def test_the_index_has_a_group_for_each_kind_of_page() -> None:
    groups = re.findall(r"(?m)^## (.*)", (PROJECT / "docs/README.md").read_text())
    assert groups == ["Tutorial", "How-to guides", "Reference", "Explanation"]


def test_the_questions_of_a_review_stand_in_one_place() -> None:
    template = (PROJECT / ".github/pull_request_template.md").read_text()
    questions = [line.removeprefix("- [ ] ") for line in template.splitlines() if line.startswith("- [ ] ")]
    assert len(questions) >= 10
    assert [page for page in PAGES for question in questions if question in page.read_text()] == []
    assert "](.github/pull_request_template.md)" in (PROJECT / "CONTRIBUTING.md").read_text()


def _cells(page: Path) -> list[str]:
    """The cells of a page's tables, code as `x`."""
    text = re.sub(r"(?ms)^```.*?^```$", "", page.read_text())
    rows = [re.sub("`[^`]*`", "`x`", line) for line in text.splitlines() if line.startswith("|")]
    return [cell.strip() for row in rows for cell in re.split(r"(?<!\\)\|", row.strip("|"))]


@pytest.mark.parametrize("page", [*PAGES, PROJECT / "emulator/README.md"], ids=lambda page: page.name)
def test_a_cell_of_a_table_holds_a_phrase(page: Path) -> None:
    assert [cell for cell in _cells(page) if BREAK.search(cell) and not cell.endswith(".")] == []

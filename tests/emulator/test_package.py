"""Somebody can install the folder by itself and use it: no other part of this repository is on the path there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.paths import PROJECT

PROGRAM = """
import emulator
from emulator.process import running_sandbox

with running_sandbox() as sandbox:
    print(sandbox.client("eks").list_clusters()["clusters"], emulator.__file__)
"""


def test_every_folder_is_in_the_package() -> None:
    described = tomllib.loads((PROJECT / "emulator" / "pyproject.toml").read_text())
    folders = {
        path.parent.relative_to(PROJECT).as_posix().replace("/", ".")
        for path in (PROJECT / "emulator").rglob("__init__.py")
        if "build" not in path.parts  # pip's own
    }
    assert set(described["tool"]["setuptools"]["packages"]) == folders


def test_what_it_needs_is_what_the_project_is_tested_with() -> None:
    described = tomllib.loads((PROJECT / "emulator" / "pyproject.toml").read_text())
    pinned = (PROJECT / "requirements-dev.in").read_text()
    [ministack] = [each for each in described["project"]["dependencies"] if each.startswith("ministack")]
    assert f"{ministack}\n" in pinned


def test_it_runs_where_it_was_installed(tmp_path: Path) -> None:
    source, site = tmp_path / "emulator-source", tmp_path / "site"
    shutil.copytree(PROJECT / "emulator", source, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    subprocess.run([*pip, *options, str(source)], check=True, cwd=tmp_path, capture_output=True, timeout=120)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["[]", str(site / "emulator" / "__init__.py")], done.stderr

"""The folder can be installed and used by itself: no other part of this repository is on the path there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest

from tests.paths import KUBECTL, PROJECT

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


README = (PROJECT / "emulator" / "README.md").read_text()
#: `aws eks wait` polls every 30 seconds, which is too long for a test.
IMPATIENT = """
aws() {
  if [ "$2" != wait ]; then command aws "$@"; return; fi
  what=${3%-active}; shift 3
  until command aws eks describe-$what "$@" | grep -q '"status": "ACTIVE"'; do sleep 1; done
}
"""


def blocks(heading: str) -> list[str]:
    """The indented shell blocks under a heading."""
    section = README.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    found = re.findall(r"(?:^    .*\n|^\n(?=    ))+", section, re.MULTILINE)
    return [textwrap.dedent(each) for each in found]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the installed package."""
    tmp_path = tmp_path_factory.mktemp("installed")
    source, site = tmp_path / "emulator-source", tmp_path / "site"
    shutil.copytree(PROJECT / "emulator", source, ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-deps", "--no-build-isolation", "--no-index", "--target", str(site)]
    subprocess.run([*pip, *options, str(source)], check=True, cwd=tmp_path, capture_output=True, timeout=120)
    return site


def environment_of(site: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AWS_", "KUBE"))}
    return kept | {"PYTHONPATH": str(site)}


def test_it_runs_where_it_was_installed(site: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=tmp_path,
        env=environment_of(site),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["[]", str(site / "emulator" / "__init__.py")], done.stderr


def test_its_page_leads_from_the_installed_package_to_pods_on_nodes(site: Path, tmp_path: Path) -> None:
    assert KUBECTL.exists(), "kubectl is not installed: `make kubectl`"
    environment = environment_of(site) | {"HOME": str(tmp_path), "AWS_PAGER": ""}
    environment["PATH"] = f"{Path(sys.executable).parent}:{KUBECTL.parent}:{environment['PATH']}"
    install_and_serve, settings, python = blocks("Use it")[:3]
    assert install_and_serve.split("\n")[1:3] == ["pip install ./emulator", "python -m emulator serve"]
    serve = [sys.executable, "-m", "emulator", "serve", "--port=0", "--end-with-parent"]
    with subprocess.Popen(
        serve, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdin
        assert server.stdout
        url = server.stdout.readline().split()[2].rstrip(",")
        typed = "\n".join([IMPATIENT, settings.replace("http://127.0.0.1:4566", url), *blocks("kubectl")])
        shell = ["bash", "-euo", "pipefail", "-c", typed]
        done = subprocess.run(shell, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
        server.stdin.close()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "clusterVersions" in done.stdout
    assert len(re.findall(r"\.compute\.internal +Ready", done.stdout)) >= 2
    assert re.search(r"web-\S+ +1/1 +Running", done.stdout)
    compile(python, "README.md", "exec")

"""Lambdas start from compiled modules, which are the same for the same sources."""

from __future__ import annotations

import io
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from deployment.compiling import NotCompiled, compiled, packed
from deployment.packaging import PROJECT, Package

CACHED = f"__pycache__/{{}}.{sys.implementation.cache_tag}.pyc"
SOURCES = {
    "app.py": b"import library\nfrom chalicelib import part\nprint(part.SAID, library.SAID)\n",
    "chalicelib/part.py": b"SAID = 'first'\nONE_OF = {'a', 'b', 'c'}\n",
    "library/__init__.py": b"from library.inner import SAID\n",
    "library/inner.py": b"SAID = 'second'\n",
}


def unpacked(archive: bytes, folder: Path) -> Path:
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        source.extractall(folder)
    return folder


def test_python_runs_what_was_compiled_without_a_look_at_the_source(tmp_path: Path) -> None:
    folder = unpacked(compiled(packed(SOURCES)), tmp_path)
    (folder / "chalicelib" / "part.py").write_text("raise SystemExit('compiled anew')")
    done = subprocess.run([sys.executable, "-B", "-m", "app"], cwd=folder, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("first second\n", "")


def test_compiled_modules_of_libraries_ship_without_their_sources() -> None:
    with zipfile.ZipFile(io.BytesIO(compiled(packed(SOURCES)))) as archive:
        names = set(archive.namelist())
    ours = {"app.py", CACHED.format("app"), "chalicelib/part.py", "chalicelib/" + CACHED.format("part")}
    assert names == ours | {"library/__init__.pyc", "library/inner.pyc"}


def test_the_same_sources_are_the_same_archive() -> None:
    assert compiled(packed(SOURCES)) == compiled(compiled(packed(dict(reversed(SOURCES.items())))))


def test_what_is_no_python_is_named() -> None:
    with pytest.raises(NotCompiled, match=r"part\.py"):
        compiled(packed({"part.py": b"def"}))


def test_functions_get_the_runtime_of_the_python_that_packaged_which_is_a_supported_one(packaged: Package) -> None:
    properties = [thing["Properties"] for thing in packaged.template["Resources"].values()]
    version = "{}.{}".format(*sys.version_info[:2])
    assert {each["Runtime"] for each in properties if "Runtime" in each} == {f"python{version}"}
    supported = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["classifiers"]
    assert f"Programming Language :: Python :: {version}" in supported
    assert [each.rpartition(" ")[2] for each in supported] == ["3.11", "3.12", "3.13", "3.14"]


def test_every_module_of_ours_ships_compiled_and_no_country_s_holidays(packaged: Package) -> None:
    with zipfile.ZipFile(io.BytesIO(packaged.files["./deployment.zip"])) as archive:
        names = set(archive.namelist())
    ours = [name for name in names if name.startswith("chalicelib/") and name.endswith(".py")]
    assert len(ours) > 200
    for name in ours:
        room, _, module = name.rpartition("/")
        assert f"{room}/{CACHED.format(module.removesuffix('.py'))}" in names
    assert "pydantic/main.pyc" in names
    assert not [name for name in names if name.startswith("holidays/") and name.endswith(".pyc")]

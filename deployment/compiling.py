"""Adds compiled modules to the code archive: a Lambda can't write into its code's folder, and would compile at every start.

The page's templates become modules, too, and are not packaged themselves: `chalicelib/api/pages/render.py` finds the modules.

Python takes these without looking at the sources' dates (which the archive has none of), and only the Python that compiled:
that of the runtime which the template names, by default the one that packages. Libraries are always that
runtime's wheels; without its Python on this machine nothing is compiled. Columns in tracebacks are left out for size, and so are
the sources of compiled libraries; ours stay, so that a traceback shows their lines.
"""

import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jinja2 import DictLoader

from chalicelib.api.pages.render import COMPILED, environment

#: Shell patterns of files that Lambdas rarely or never import at their start.
NOT_COMPILED = (
    "holidays/*",
    "pydantic/deprecated/*",
    "pydantic/experimental/*",
    *(
        f"pydantic/{name}.py"
        for name in ("dataclasses", "functional_serializers", "networks", "root_model", "type_adapter")
    ),
    *("pydantic/validate_call_decorator.py", "pydantic/_internal/_validate_call.py"),
    *("pydantic/_internal/_dataclasses.py", "pydantic/_internal/_decorators_v1.py"),
    "aws_lambda_powertools/metrics/provider/*/*",
)
#: The folder into which Lambda unpacks the archive, in place of the temporary one here. Python uses the true one when it imports.
THERE = "/var/task"
#: Files that keep their sources: ours, and those that Chalice adds, which are in no lock for another Python.
WITH_SOURCES = ("app.py", "chalicelib", "chalice")
PAGES = "chalicelib/api/pages"
_TEMPLATES = f"{PAGES}/templates/"
#: The first date a zip archive can hold, on every file.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


OWN = f"python3.{sys.version_info.minor}"
#: The versions for which the lock has all wheels, and Chalice a name (pyproject.toml, "Programming Language").
_SUPPORTED = re.compile(r"python3\.1[1-4]")
#: Measured by compiling the imports of the steps, and of the API: 155 and 265 modules.
WITHOUT = "No {runtime} is on this machine: the package has no compiled modules, and a cold start takes 0.1 to 0.3 s of CPU more."


class UnknownRuntime(Exception):
    """A runtime that the service is not packaged for; the message lists the known ones."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A Lambda runtime (`python3.13`) and the Python here that compiles for it, if there is one."""

    name: str
    interpreter: str | None

    @property
    def is_own(self) -> bool:
        """Whether it is the version of the Python that packages."""
        return self.name == OWN

    def environment(self) -> Mapping[str, str]:
        """The options that make pip take this runtime's wheels instead of its own Python's."""
        if self.is_own:
            return {}
        version = self.name.removeprefix("python")
        return {"PIP_PYTHON_VERSION": version, "PIP_ONLY_BINARY": ":all:", "PIP_IMPLEMENTATION": "cp"}


class NotCompiled(Exception):
    """A module of the archive can't be compiled; the message names it."""


def compiled(archive: bytes, python: str = sys.executable) -> bytes:
    """Return the zip archive with its modules compiled by a Python, but for those in NOT_COMPILED. Raises NotCompiled."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(archive)) as source:
        source.extractall(folder)
        _compile(folder, python)
        _drop_sources_of_libraries(Path(folder))
        return packed({path.relative_to(folder).as_posix(): path.read_bytes() for path in _files(Path(folder))})


def packed(files: dict[str, bytes]) -> bytes:
    """Return a zip archive of files by their names: in order, without dates, as small as zip can."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as target:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _NO_DATE)
            entry.external_attr = 0o644 << 16
            target.writestr(entry, files[name], zipfile.ZIP_DEFLATED, compresslevel=9)
    return made.getvalue()


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _compile(folder: str, python: str) -> None:
    """Compile in a process of its own: only options at its start set the columns and the order of sets in the output."""
    spared = "|".join(re.escape(f"{folder}/{pattern}").replace(r"\*", ".*") for pattern in NOT_COMPILED)
    choices = ["-q", "-s", folder, "-p", THERE, "--invalidation-mode", "unchecked-hash", "-x", f"^({spared})$"]
    done = subprocess.run(
        [python, "-X", "no_debug_ranges", "-m", "compileall", *choices, folder],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise NotCompiled(done.stdout + done.stderr)


def _drop_sources_of_libraries(folder: Path) -> None:
    """Replace a library's `x.py` by `x.pyc`, which Python imports from the same place."""
    for cached in folder.rglob("*.pyc"):
        source = cached.parent.parent / f"{cached.name.partition('.')[0]}.py"
        if source.relative_to(folder).parts[0] not in WITH_SOURCES and source.is_file():
            source.unlink()
            cached.rename(source.with_suffix(".pyc"))


def runtime_of(name: str = "") -> Runtime:
    """The runtime of this name, the one of the Python that packages by default. Raises UnknownRuntime."""
    if name in ("", OWN):
        return Runtime(OWN, sys.executable)
    if not _SUPPORTED.fullmatch(name):
        raise UnknownRuntime(f"{name!r} is no runtime of this service: python3.11, 3.12, 3.13 and 3.14 are.")
    return Runtime(name, _interpreter(name))


def _interpreter(name: str) -> str | None:
    of_pyenv = sorted(Path.home().glob(f".pyenv/versions/{name.removeprefix('python')}.*/bin/python3"), reverse=True)
    known = [shutil.which(name), *map(str, of_pyenv)]
    return next((found for found in known if found and _is(found, name)), None)


def _is(python: str, name: str) -> bool:
    """Whether it runs and has that version: a pyenv shim may fail or have another."""
    asked = [python, "-c", "import sys; print('python%d.%d' % sys.version_info[:2])"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(asked, capture_output=True, text=True, env=kept, check=False)
    return done.returncode == 0 and done.stdout.strip() == name


def with_compiled_templates(archive: bytes) -> bytes:
    """Return the zip archive with modules instead of templates; as it is if it has none."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        files = {entry.filename: source.read(entry) for entry in source.infolist() if not entry.is_dir()}
    templates = {
        name.removeprefix(_TEMPLATES): files.pop(name).decode() for name in sorted(files) if name.startswith(_TEMPLATES)
    }
    if not templates:
        return archive
    made = {f"{PAGES}/{COMPILED}/{name}": content for name, content in _compiled(templates).items()}
    return packed({**files, **made})


def _compiled(templates: dict[str, str]) -> dict[str, bytes]:
    with tempfile.TemporaryDirectory() as folder:
        environment().overlay(loader=DictLoader(templates)).compile_templates(folder, zip=None, ignore_errors=False)
        return {path.name: path.read_bytes() for path in sorted(Path(folder).iterdir())}

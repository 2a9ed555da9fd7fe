"""Tries every supported Python that is on this machine: `make handlers` and `make pythons`. Names those that are not here.

`handlers` imports every handler module of the package that was made, beside the libraries of the lock for that
Python. `tests` makes a whole environment from the lock and runs what needs no sandbox, packaging for that Python included. Which
Pythons are supported is said in pyproject.toml. Environments are kept in `.pythons/` until their lock changes.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
TESTS = (
    "tests/domain",
    "tests/api",
    "tests/workflows",
    "tests/test_imports.py",
    "tests/deployment/test_template.py",
    "tests/deployment/test_lock.py",
    "tests/deployment/test_operations.py",
    "tests/deployment/test_compiling.py",
    "tests/deployment/test_trimming.py",
)
#: What the Lambda runtime brings, all of it plain Python: taken from where this runs.
RUNTIME = ("boto3", "botocore", "s3transfer", "dateutil", "six.py", "urllib3", "jmespath")
#: The package comes last: what it holds for the Python that packaged, the lock's own libraries stand before.
IMPORT = """
import importlib, pathlib, sys
sys.path += sys.argv[1:]
handlers = sorted(path.stem for path in pathlib.Path(sys.argv[1], "chalicelib/handlers").glob("*.py") if path.stem != "__init__")
for module in handlers:
    importlib.import_module(f"chalicelib.handlers.{module}")
importlib.import_module("app")
print(len(handlers), "handlers and app.py import")
"""


def supported() -> list[str]:
    """Minor versions, oldest first."""
    return re.findall(r'"Programming Language :: Python :: (3\.\d+)"', (PROJECT / "pyproject.toml").read_text())


def interpreter(version: str) -> str | None:
    """A Python of this version that runs, on the path or of pyenv; None if there is none."""
    of_pyenv = sorted(map(str, Path.home().glob(f".pyenv/versions/{version}.*/bin/python3")), reverse=True)
    return next(
        (found for found in (shutil.which(f"python{version}"), *of_pyenv) if found and _is(found, version)), None
    )


def _is(python: str, version: str) -> bool:
    told = subprocess.run(
        [python, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"], capture_output=True, text=True
    )
    return told.returncode == 0 and told.stdout.strip() == version


def environment(python: str, version: str, lock: str) -> Path:
    """A virtual environment with what the lock says, and nothing else; the path of its Python."""
    place, digest = PROJECT / ".pythons" / f"{version}-{lock}", hashlib.sha256((PROJECT / f"{lock}.txt").read_bytes())
    stamp, made = place / "lock.sha256", place / "bin/python"
    if not (stamp.exists() and stamp.read_text() == digest.hexdigest()):
        subprocess.run([python, "-m", "venv", "--clear", place], check=True)
        options = ["--quiet", "--disable-pip-version-check", "--require-hashes", "-r", PROJECT / f"{lock}.txt"]
        subprocess.run([made, "-m", "pip", "install", *options], check=True)
        stamp.write_text(digest.hexdigest())
    return made


def handlers(python: str, version: str) -> bool:
    """Whether every handler module of the package imports."""
    made = environment(python, version, "requirements")
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(PROJECT / "build/deployment.zip") as package:
        ours, runtime = Path(folder, "package"), Path(folder, "runtime")
        package.extractall(ours)
        runtime.mkdir()
        for name in RUNTIME:
            (runtime / name).symlink_to(Path(sysconfig.get_path("purelib")) / name)
        return subprocess.run([made, "-I", "-B", "-c", IMPORT, ours, runtime]).returncode == 0


def tests(python: str, version: str) -> bool:
    """Whether the tests pass that need no sandbox."""
    made = environment(python, version, "requirements-dev")
    return subprocess.run([made, "-m", "pytest", *TESTS], cwd=PROJECT).returncode == 0


def tried(what: str) -> Iterator[bool]:
    """Whether it went well, for each Python that is here; `handlers` spares the one that packaged, which all tests run with."""
    own = "{}.{}".format(*sys.version_info[:2])
    for version in supported():
        python = interpreter(version)
        if what == "handlers" and version == own:
            print(f"Python {version}: packaged with it")
        elif python is None:
            print(f"Python {version}: not on this machine, not tried")
        else:
            print(f"Python {version}: {python}", flush=True)
            yield {"handlers": handlers, "tests": tests}[what](python, version)


if __name__ == "__main__":
    sys.exit(not all([*tried(sys.argv[1])]))

"""Adds compiled modules to the code archive: a Lambda can't write where its code lies, and would compile it at every start.

Python takes these without looking at the sources' dates (which the archive has none of), and only the Python that packaged,
which is the one that Chalice names in the template; any other compiles the sources, which are all still there. Columns in
tracebacks are left out for size. The result depends on the content alone.
"""

import io
import re
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

#: Shell patterns of what starting a Lambda does not import, or hardly any does.
NOT_COMPILED = (
    "holidays/*",
    "pydantic/deprecated/*",
    "pydantic/experimental/*",
    "aws_lambda_powertools/metrics/provider/*/*",
)
#: Where Lambda unpacks the archive, in place of the passing folder here. Python sees to the true one when it imports.
THERE = "/var/task"
#: The first date a zip archive can hold, on every file.
_NO_DATE = (1980, 1, 1, 0, 0, 0)


class NotCompiled(Exception):
    """A module of the archive is no Python; the message says which."""


def compiled(archive: bytes) -> bytes:
    """Return the zip archive with its modules compiled, but for those in NOT_COMPILED. Raises NotCompiled."""
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(io.BytesIO(archive)) as source:
        source.extractall(folder)
        _compile(folder)
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


def _compile(folder: str) -> None:
    """By a Python of its own: only its start decides about columns and about the order of sets, which is in what it writes."""
    spared = "|".join(re.escape(f"{folder}/{pattern}").replace(r"\*", ".*") for pattern in NOT_COMPILED)
    choices = ["-q", "-s", folder, "-p", THERE, "--invalidation-mode", "unchecked-hash", "-x", f"^({spared})$"]
    done = subprocess.run(
        [sys.executable, "-X", "no_debug_ranges", "-m", "compileall", *choices, folder],
        env={"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise NotCompiled(done.stdout + done.stderr)

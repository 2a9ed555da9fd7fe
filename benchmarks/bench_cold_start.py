"""The time that a Lambda imports before it starts, from the shipped package, beside the imports of any Chalice service.

Fresh processes that find the unzipped package and boto3 only, without site-packages and writing nothing, as in Lambda. CPU time,
not wall time: other work on the machine then has less influence. The peers are the imports of Chalice, boto3 and the logger, from
the same package.
"""

import argparse
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

from benchmarks.results import Peer, Row, keep, measured
from deployment.packaging import CODE, package

BARE = "chalice + boto3 + Logger"
HANDLERS = ("provision", "teardown", "hibernate", "watch_support", "curfew", "schedules")
PROGRAMS = {
    BARE: "import chalice, boto3; from aws_lambda_powertools import Logger",
    "the API": "import chalicelib.handlers.api",
    **{f"{module}'s steps": f"import chalicelib.handlers.{module}" for module in HANDLERS},
    "all of it: app.py": "import app",
}
#: The target, as a multiple of the first row.
LIMITS = {"the API": 1.4, **{f"{module}'s steps": 1.15 for module in HANDLERS}, "all of it: app.py": 1.5}
RUNTIME = ("boto3", "botocore", "s3transfer", "dateutil", "six", "urllib3", "jmespath")


def main() -> None:
    """Print the table and keep it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="fresh processes a row")
    runs = parser.parse_args().runs
    code = package().files[f"./{CODE}"]
    with tempfile.TemporaryDirectory() as folder:
        task, runtime = Path(folder, "task"), Path(folder, "runtime")
        zipfile.ZipFile(io.BytesIO(code)).extractall(task)
        _link(runtime)
        seconds = _measured(runs, (task, runtime))
    keep(
        "cold_start",
        [
            Row("the package, zipped", round(len(code) / 1e6, 2), "MB", limit=6.5),
            *(
                measured(name, taken, "ms of CPU", seconds[BARE], times=LIMITS.get(name))
                for name, taken in seconds.items()
            ),
        ],
        Peer.MEASURED,
    )


def _link(folder: Path) -> None:
    """The packages of the Lambda runtime."""
    folder.mkdir()
    for name in RUNTIME:
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise ModuleNotFoundError(name)
        origin = Path(spec.origin)
        there = origin.parent if origin.name == "__init__.py" else origin
        (folder / there.name).symlink_to(there)


def _measured(runs: int, paths: Iterable[Path]) -> dict[str, list[float]]:
    """Milliseconds of each program, their runs interleaved, so that load affects all equally."""
    found = [str(path) for path in paths]
    taken: dict[str, list[float]] = {name: [] for name in PROGRAMS}
    for _ in range(runs):
        for name, program in PROGRAMS.items():
            taken[name].append(_seconds(program, found) * 1000)
    return taken


def _seconds(program: str, paths: list[str]) -> float:
    timed = (
        f"import sys, time; sys.path[:0] = {paths}; began = time.process_time(); "
        f"{program}; print(time.process_time() - began)"
    )
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", timed], capture_output=True, text=True, check=True)
    return float(done.stdout.splitlines()[-1])


if __name__ == "__main__":
    main()

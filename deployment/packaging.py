"""Packages the application once per content: the output of `chalice package`, trimmed and compiled, kept until a source changes.

The template that production deploys is Chalice's, merged with `.chalice/resources.json`, which `compose` writes. In it local files
are named relative to the template, which lies in `build/`, by the two properties that `aws cloudformation package` uploads by
itself and that the emulator reads afterwards:
`CodeUri: ./deployment.zip` of an AWS::Serverless::Function (Chalice writes it) and
`DefinitionS3Location: ../statemachine/<workflow>.asl.json` of an AWS::StepFunctions::StateMachine (we write it).
Template and archive are the same for every account, region and stage.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deployment import compose
from deployment.compiling import Runtime, compiled, runtime_of, with_compiled_templates
from deployment.trimming import trimmed
from deployment.words import with_compiled_catalogues

PROJECT = Path(__file__).resolve().parent.parent
BUILD = "build"
CODE = "deployment.zip"
SOURCES = (
    "app.py",
    "requirements.txt",
    ".chalice/*.json",
    ".chalice/policies/*.json",
    "chalicelib/**/*",
    "statemachine/*.json",
)
#: Sources of the packaging itself, on which another project's package depends as well.
_OWN_SOURCES = ("packaging.py", "trimming.py", "compiling.py", "words.py")
#: Chalice requires a region. Its output names none.
_ANY_REGION = "us-east-1"
MERGED_TEMPLATE = ".chalice/resources.json"


class NotPackaged(Exception):
    """`chalice package` failed; the message is its output."""


@dataclass(frozen=True, slots=True)
class Package:
    """A template and the local files it names, by the name it uses."""

    template: Mapping[str, Any]
    files: Mapping[str, bytes]


def package(project: Path = PROJECT, runtime: Runtime | None = None) -> Package:
    """Return the project's package, running Chalice only if a source changed since the last time.

    For the runtime of the Python that runs this unless another is given. Several processes may ask at once; the first one
    packages and the others wait. Raises NotPackaged.
    """
    chosen = runtime or runtime_of()
    build = project / BUILD
    build.mkdir(exist_ok=True)
    if project == PROJECT:
        compose.write()
    with _only_one(build / "packaging.lock"):
        digest, stamp, template = _digest(project, chosen), build / "packaged.sha256", build / "sam.json"
        if not (template.exists() and stamp.exists() and stamp.read_text() == digest):
            stamp.unlink(missing_ok=True)
            _run_chalice(project, build, chosen)
            archive = with_compiled_catalogues(with_compiled_templates(trimmed((build / CODE).read_bytes())))
            (build / CODE).write_bytes(compiled(archive, chosen.interpreter) if chosen.interpreter else archive)
            stamp.write_text(digest)
        return _read(template)


#: Chalice uses the runtime of the Python that it runs in, and has no setting for it.
_CHALICE = """
import sys
from chalice.cli import main
from chalice.config import Config
Config.lambda_python_version = property(lambda self: RUNTIME)
sys.exit(main())
"""


def _run_chalice(project: Path, build: Path, runtime: Runtime) -> None:
    merge = ["--merge-template", MERGED_TEMPLATE] if (project / MERGED_TEMPLATE).exists() else []
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            _CHALICE.replace("RUNTIME", repr(runtime.name)),
            "package",
            *merge,
            str(build),
        ],
        cwd=project,
        env={**_environment(), **runtime.environment()},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise NotPackaged(done.stdout + done.stderr)


def _environment() -> dict[str, str]:
    """The environment for Chalice, without AWS credentials."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "LAMBDA_", "PYTHON"))}
    return kept | {"AWS_DEFAULT_REGION": _ANY_REGION}


def _read(path: Path) -> Package:
    template = json.loads(path.read_text())
    return Package(template, {name: (path.parent / name).read_bytes() for name in _local_files(template)})


def _local_files(template: Mapping[str, Any]) -> set[str]:
    named = (local_file(resource) for resource in template["Resources"].values())
    return {name for name in named if name is not None}


def local_file(resource: Mapping[str, Any]) -> str | None:
    """Return the local file that a template's resource names, if any."""
    match resource:
        case {"Type": "AWS::Serverless::Function", "Properties": {"CodeUri": str(name)}}:
            return name
        case {"Type": "AWS::StepFunctions::StateMachine", "Properties": {"DefinitionS3Location": str(name)}}:
            return name
        case _:
            return None


def _digest(project: Path, runtime: Runtime) -> str:
    digest = hashlib.sha256(f"{sys.version} {runtime.name} {runtime.interpreter is not None}".encode())
    for name in _OWN_SOURCES:
        digest.update(Path(__file__).with_name(name).read_bytes())
    for path in sorted(path for pattern in SOURCES for path in project.glob(pattern)):
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".mo":
            digest.update(f"{path.relative_to(project)}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()


@contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    with lock.open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield

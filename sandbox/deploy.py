"""Deploys the production template into a sandbox: like `make deploy`, with the same code (deployment/).

Only the sandbox's copy of the code archive may differ: where this machine cannot load the Linux libraries made for
Lambda, they are left out and the installed ones are used.
"""

import io
import platform
import sys
import zipfile
from collections.abc import Mapping
from dataclasses import replace

from deployment import deploy as production
from deployment.artifacts import ClientFactory
from deployment.packaging import Package
from deployment.stacks import Pace

PATIENCE = 600.0
"""The most wall seconds of one operation in a sandbox: a limit for hanging ones, not a measure of speed."""
PACE = Pace(patience=PATIENCE, interval=0.05)


def deploy(
    client: ClientFactory, package: Package, stack_name: str = "ekslab", parameters: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Create the stack, or update it, and return its outputs. Raises deployment.stacks.NotDeployed."""
    return production.deploy(client, runnable_here(package), stack_name, parameters, pace=PACE)


def api_url(sandbox_url: str, outputs: Mapping[str, str], stage: str = "api") -> str:
    """Return the address at which a sandbox serves the REST API that the outputs of Chalice's template name."""
    return f"{sandbox_url}/restapis/{outputs['RestAPIId']}/{stage}/_user_request_"


def runnable_here(package: Package) -> Package:
    """Return the package itself on a machine like Lambda's, elsewhere one without compiled libraries."""
    if sys.platform == "linux" and platform.machine() == "x86_64" and platform.libc_ver()[0] == "glibc":
        return package
    archives = {name for name in package.files if name.endswith(".zip")}
    fitted = {name: without_compiled_packages(package.files[name]) for name in archives}
    return replace(package, files={**package.files, **fitted})


def without_compiled_packages(archive: bytes) -> bytes:
    """Return the zip archive without any top-level package that holds a compiled library."""
    copy = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as source, zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED) as target:
        compiled = {name.partition("/")[0] for name in source.namelist() if name.endswith(".so")}
        for entry in source.infolist():
            if entry.filename.partition("/")[0] not in compiled:
                target.writestr(entry, source.read(entry))
    return copy.getvalue()

"""One sandbox for all tests of deployment, and the real package, built once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from deployment.packaging import Package, package
from emulator.process import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def packaged() -> Package:
    return package()

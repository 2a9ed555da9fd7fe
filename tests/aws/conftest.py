"""One running sandbox for the adapters' tests: its root's clients, and a calm EKS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from emulator.core.settings import Settings
from emulator.process import Sandbox, running_sandbox
from tests.aws import moto_tables

moto_tables.install()


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox(Settings(scale=0.001)) as sandbox:
        yield sandbox

"""One running sandbox for all tests that use it."""

from collections.abc import Iterator

import pytest

from emulator.process import Sandbox, running_sandbox


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox

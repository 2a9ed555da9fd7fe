"""An account on moto without the hundreds of images and snapshots that it comes with: they take a second a look."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _empty_account(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
